#include "service/vault/subjects.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using base::SubjectId;

// What a repeat of the request is answered with: ids and etags.
std::string EncodeCreated(const CreatedSubject& created) {
  ByteWriter out;
  out.PutRaw(created.subject.bytes())
      .Put(static_cast<uint16_t>(created.records.size()));
  for (const WrittenRecord& record : created.records) {
    out.Put(record.name.class_number)
        .PutRaw(record.name.id.bytes())
        .Put(record.version.version)
        .Put(record.version.epoch);
  }
  return std::move(out).Take();
}

absl::StatusOr<CreatedSubject> DecodeCreated(const policy::Catalogue& catalogue,
                                             std::string_view bytes) {
  ByteReader in(bytes);
  CreatedSubject created;
  created.repeated = true;
  const auto subject = SubjectId::FromBytes(in.GetRaw(SubjectId::kSize));
  const auto count = in.Get<uint16_t>();
  for (int i = 0; in.ok() && i < count; ++i) {
    WrittenRecord record;
    record.name.class_number = in.Get<uint16_t>();
    record.spec = catalogue.ClassByNumber(record.name.class_number);
    const auto id = base::RecordId::FromBytes(in.GetRaw(base::RecordId::kSize));
    record.version.version = in.Get<uint64_t>();
    record.version.epoch = in.Get<uint64_t>();
    if (!id.has_value() || record.spec == nullptr) {
      return Fail(Reason::kIntegrityFailure);
    }
    record.name.id = *id;
    created.records.push_back(record);
  }
  if (!in.done() || !subject.has_value()) {
    return Fail(Reason::kIntegrityFailure);
  }
  created.subject = *subject;
  return created;
}

std::string EncodeCancelled(base::Timestamp cancelled) {
  ByteWriter out;
  out.Put(static_cast<uint64_t>(base::ToMicros(cancelled)));
  return std::move(out).Take();
}

absl::StatusOr<base::Timestamp> DecodeCancelled(std::string_view bytes) {
  ByteReader in(bytes);
  const auto cancelled = static_cast<int64_t>(in.Get<uint64_t>());
  if (!in.done()) return Fail(Reason::kIntegrityFailure);
  return base::FromMicros(cancelled);
}

absl::Status CheckShapes(const std::vector<ResolvedRecord>& records) {
  if (records.size() > kRecordsPerSubjectRequestMax) {
    return Fail(Reason::kTooLarge);
  }
  std::set<const policy::ClassSpec*> seen;
  for (const ResolvedRecord& record : records) {
    RETURN_IF_ERROR(RecordWriter::CheckShape(record));
    if (!record.spec->series && !seen.insert(record.spec).second) {
      return Fail(Reason::kValueInvalid);
    }
  }
  return absl::OkStatus();
}

std::vector<policy::ClassNumber> ClassesOf(
    const std::vector<ResolvedRecord>& records) {
  std::set<policy::ClassNumber> classes{policy::kClassFacts};
  for (const ResolvedRecord& record : records) {
    classes.insert(record.spec->number);
  }
  return {classes.begin(), classes.end()};
}

}  // namespace

absl::StatusOr<CreatedSubject> Subjects::Create(
    Attempt& attempt, const Call& call, std::vector<NewRecord> records) const {
  Ask ask;
  ask.subject = NewSubjectId();
  std::vector<ResolvedRecord> resolved;
  for (NewRecord& record : records) {
    resolved.push_back(
        RecordWriter::Resolve(services_.catalogue, std::move(record)));
    RecordWriter::AddTo(ask, resolved.back());
  }
  ASSIGN_OR_RETURN(AccessGrant grant, services_.gate.Admit(attempt, call, ask));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) {
    // The person of this new grant is never made.
    attempt.event().subject.reset();
    return DecodeCreated(services_.catalogue, *repeated);
  }
  RETURN_IF_ERROR(CheckShapes(resolved));
  RETURN_IF_ERROR(
      services_.user_keys.Ensure(attempt, grant, ClassesOf(resolved)));
  CreatedSubject created{grant.subject(), {}, false};
  std::vector<IndexPointer> pointers;
  const RecordWriter writer(services_);
  uint16_t ordinal = 0;
  for (ResolvedRecord& record : resolved) {
    const RecordName name{record.spec->number,
                          record.spec->series ? NewRecordId(call.now, ordinal++)
                                              : base::RecordId()};
    ASSIGN_OR_RETURN(const WrittenRecord written,
                     writer.Write(attempt, call, grant, name, nullptr,
                                  std::move(record), {}, pointers));
    created.records.push_back(written);
  }
  RETURN_IF_ERROR(writer.SavePointers(attempt, grant, pointers));
  attempt.keys().Put(
      WayBackKey(grant.facts().audit_reference),
      services_.store_keys.SealWayBack(
          call.tenant.id, grant.facts().audit_reference, grant.subject()));
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call, EncodeCreated(created)));
  return created;
}

absl::StatusOr<SubjectDescription> Subjects::Get(Attempt& attempt,
                                                 const Call& call,
                                                 SubjectId subject) const {
  Ask ask;
  ask.subject = subject;
  for (const policy::ClassSpec& spec : services_.catalogue.classes()) {
    if (!spec.internal) ask.classes.set(spec.number);
  }
  ASSIGN_OR_RETURN(const AccessGrant grant,
                   services_.gate.Admit(attempt, call, ask));
  SubjectDescription description{subject,
                                 grant.facts().subject.state,
                                 grant.facts().created,
                                 grant.facts().cancelled,
                                 {}};
  for (const policy::ClassSpec& spec : services_.catalogue.classes()) {
    if (spec.internal) continue;
    ASSIGN_OR_RETURN(const auto listed,
                     services_.records.List(attempt, grant, spec.number,
                                            std::nullopt, kRecordsCountedMax));
    if (listed.empty()) continue;
    std::map<std::string, const policy::FieldSpec*> fields;
    for (const RecordStore::Listed& entry : listed) {
      for (const policy::FieldNumber number : entry.record.Fields()) {
        const auto* field = services_.catalogue.FieldByNumber(number);
        if (field != nullptr) fields.emplace(field->name, field);
      }
    }
    SubjectDescription::Class& summary = description.classes.emplace_back(
        SubjectDescription::Class{&spec, listed.size(), {}});
    for (const auto& [name, field] : fields) summary.fields.push_back(field);
    attempt.event().records += static_cast<uint32_t>(listed.size());
  }
  std::ranges::sort(description.classes, {},
                    [](const auto& of) { return of.spec->number; });
  return description;
}

absl::StatusOr<base::Timestamp> Subjects::Cancel(Attempt& attempt,
                                                 const Call& call,
                                                 SubjectId subject) const {
  Ask ask;
  ask.subject = subject;
  ask.classes.set(policy::kClassFacts);
  ASSIGN_OR_RETURN(AccessGrant grant, services_.gate.Admit(attempt, call, ask));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) return DecodeCancelled(*repeated);
  Facts facts = grant.facts();
  const base::Timestamp cancelled = facts.cancelled.value_or(call.now);
  if (!facts.cancelled.has_value()) {
    facts.subject.state = policy::SubjectState::kCancelled;
    facts.cancelled = cancelled;
    RETURN_IF_ERROR(services_.facts.Save(attempt, grant, std::move(facts)));
  }
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call, EncodeCancelled(cancelled)));
  return cancelled;
}

absl::StatusOr<std::vector<SubjectId>> Subjects::Find(
    Attempt& attempt, const Call& call, const std::string& field,
    const base::Pii& value) const {
  const policy::FieldSpec* spec = services_.catalogue.FindField(field);
  const bool searchable = spec != nullptr && spec->searchable;
  Ask ask;
  if (searchable) ask.fields.set(spec->index);
  // Nobody is looked up for a caller who may not ask.
  RETURN_IF_ERROR(services_.gate.MayAsk(attempt, call, ask));
  if (!searchable) return Fail(Reason::kFieldUnknown);
  ASSIGN_OR_RETURN(
      const auto found,
      services_.index.Find(attempt, call.tenant, *spec, value.Reveal()));
  if (found.empty()) return services_.gate.Admit(attempt, call, ask).status();
  // Everybody is decided upon, and has an event. Who is not to be found any
  // more is left out.
  std::vector<SubjectId> told;
  absl::Status none;
  for (size_t i = 0; i < found.size(); ++i) {
    if (i > 0) attempt.BeginAnotherEvent();
    ask.subject = found[i];
    const absl::Status status =
        services_.gate.Admit(attempt, call, ask).status();
    if (status.ok()) {
      told.push_back(found[i]);
    } else if (base::ReasonOf(status) == Reason::kSubjectNotFound) {
      none = status;
    } else {
      return status;
    }
  }
  if (told.empty()) return none;
  return told;
}

}  // namespace hizo::vault
