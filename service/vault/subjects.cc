#include "service/vault/subjects.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/audit_keys.h"
#include "service/vault/byte_codec.h"
#include "service/vault/page_token.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using base::SubjectId;

constexpr PageBounds kFoundPages{16, 100};

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
  RecordWriter writer(services_);
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
  ASSIGN_OR_RETURN(const MonthKey month,
                   KeyOfMonth(services_.store_keys, attempt, call.tenant.id,
                              AuditMonthOf(call.now)));
  attempt.keys().Put(
      WayBackKey(grant.facts().audit_reference),
      SealWayBack(month, grant.facts().audit_reference, grant.subject()));
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call, EncodeCreated(created)));
  return created;
}

absl::StatusOr<SubjectDescription::Class> Subjects::Summarise(
    Attempt& attempt, const AccessGrant& grant, const policy::ClassSpec& spec,
    const policy::FieldSet& named) const {
  SubjectDescription::Class summary{&spec, 0, {}};
  std::map<std::string, const policy::FieldSpec*> fields;
  std::optional<base::RecordId> after;
  for (bool more = true; more && summary.records < kRecordsCountedMax;) {
    ASSIGN_OR_RETURN(
        const auto listed,
        services_.records.List(attempt, grant, spec.number, after,
                               kRecordsCountedMax - summary.records));
    for (const RecordStore::Listed& entry : listed.entries) {
      for (const policy::FieldNumber number : entry.record.Fields()) {
        const auto* field = services_.catalogue.FieldByNumber(number);
        if (field == nullptr || !named.test(field->index)) continue;
        fields.emplace(field->name, field);
      }
      after = entry.name.id;
    }
    summary.records += listed.entries.size();
    more = listed.more;
  }
  for (const auto& [name, field] : fields) summary.fields.push_back(field);
  return summary;
}

absl::StatusOr<SubjectDescription> Subjects::Get(Attempt& attempt,
                                                 const Call& call,
                                                 SubjectId subject) const {
  Ask ask;
  ask.subject = subject;
  const policy::FieldSet named =
      policy::GrantedFields(call.principal, call.action, call.purpose) &
      ~services_.catalogue.internal_fields();
  for (const policy::FieldSpec& field : services_.catalogue.fields()) {
    if (named.test(field.index)) ask.classes.set(field.class_number);
  }
  ASSIGN_OR_RETURN(const AccessGrant grant,
                   services_.gate.Admit(attempt, call, ask));
  SubjectDescription description{subject,
                                 grant.facts().subject.state,
                                 grant.facts().created,
                                 grant.facts().cancelled,
                                 {}};
  for (const policy::ClassSpec& spec : services_.catalogue.classes()) {
    if (!grant.Covers(spec.number)) continue;
    ASSIGN_OR_RETURN(SubjectDescription::Class summary,
                     Summarise(attempt, grant, spec, named));
    if (summary.records == 0) continue;
    attempt.event().records += static_cast<uint32_t>(summary.records);
    description.classes.push_back(std::move(summary));
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
    if (call.company != nullptr && call.company->cancelling_withdraws()) {
      Withdraw(std::nullopt, WithdrawalCause::kAccountCancelled, call.now,
               facts.said);
    }
    RETURN_IF_ERROR(services_.facts.Save(attempt, grant, std::move(facts)));
  }
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call, EncodeCancelled(cancelled)));
  return cancelled;
}

absl::Status Subjects::Tell(Attempt& attempt, const Call& call, Ask& ask,
                            const std::vector<SubjectId>& found,
                            std::vector<SubjectId>& told) const {
  // Everybody is decided upon, and has an event. Who is not to be found any
  // more, or not for this, is left out: one person's word hides nobody else.
  absl::Status refused;
  for (const SubjectId subject : found) {
    if (ask.subject.has_value()) attempt.BeginAnotherEvent();
    ask.subject = subject;
    const absl::Status status =
        services_.gate.Admit(attempt, call, ask).status();
    if (status.ok()) {
      told.push_back(subject);
    } else if (attempt.event().outcome == audit::Outcome::kDenied) {
      refused = status;
    } else if (base::ReasonOf(status) != Reason::kSubjectNotFound) {
      return status;
    }
  }
  return told.empty() ? refused : absl::OkStatus();
}

absl::StatusOr<SubjectPage> Subjects::Find(
    Attempt& attempt, const Call& call, const FindSubjectInput& input) const {
  const policy::FieldSpec* spec = services_.catalogue.FindField(input.field);
  const bool searchable = spec != nullptr && spec->searchable;
  Ask ask;
  if (searchable) ask.fields.set(spec->index);
  // Nobody is looked up for a caller who may not ask.
  RETURN_IF_ERROR(services_.gate.MayAsk(attempt, call, ask));
  if (!searchable) return Fail(Reason::kFieldUnknown);
  SubjectIndex::Range range;
  ASSIGN_OR_RETURN(range.limit, PageSize(input.page_size, kFoundPages));
  ByteWriter query;
  query.Put(spec->number).PutText(input.value.Reveal());
  const std::string query_bytes = std::move(query).Take();
  const crypto::Key& token_key =
      services_.store_keys.PageTokenKey(call.tenant.id);
  if (!input.page_token.empty()) {
    ASSIGN_OR_RETURN(range.after, OpenPageToken(token_key, call, query_bytes,
                                                input.page_token));
  }
  SubjectPage page;
  // A page of people who are not to be found any more tells of nobody.
  do {
    ASSIGN_OR_RETURN(const FoundSubjects found,
                     services_.index.Find(attempt, call.tenant, *spec,
                                          input.value.Reveal(), range));
    if (found.subjects.empty() && !ask.subject.has_value()) {
      return services_.gate.Admit(attempt, call, ask).status();
    }
    const absl::Status told =
        Tell(attempt, call, ask, found.subjects, page.subjects);
    range.after = found.next;
    const bool denied = attempt.event().outcome == audit::Outcome::kDenied;
    if (!told.ok() && (!denied || range.after.empty())) return told;
  } while (page.subjects.empty() && !range.after.empty());
  if (page.subjects.empty()) return Fail(Reason::kSubjectNotFound);
  if (!range.after.empty()) {
    page.next_page_token =
        SealPageToken(token_key, call, query_bytes, range.after);
  }
  return page;
}

}  // namespace hizo::vault
