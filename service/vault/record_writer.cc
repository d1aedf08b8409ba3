#include "service/vault/record_writer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "crypto/random.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/policy/company_policy.h"
#include "service/vault/byte_codec.h"
#include "service/vault/suppressions.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using policy::FieldSpec;

constexpr size_t kUuidVersionByte = 6;
constexpr size_t kUuidVariantByte = 8;

// Sets version and variant bits (RFC 9562, section 4).
std::string AsUuid(std::string bytes, uint8_t version) {
  bytes[kUuidVersionByte] = static_cast<char>(
      (static_cast<uint8_t>(bytes[kUuidVersionByte]) & 0x0F) | (version << 4));
  bytes[kUuidVariantByte] = static_cast<char>(
      (static_cast<uint8_t>(bytes[kUuidVariantByte]) & 0x3F) | 0x80);
  return bytes;
}

const Value* FindValue(const ResolvedRecord& record, const FieldSpec& field) {
  for (const ResolvedRecord::Field& candidate : record.fields) {
    if (candidate.spec == &field) return &candidate.value;
  }
  return nullptr;
}

// A value that may tell a period; nullopt for those of other types.
std::optional<Value> CloneOf(const Value& value) {
  if (const auto* text = std::get_if<Text>(&value)) {
    return Text{text->text.Clone()};
  }
  if (const auto* number = std::get_if<int64_t>(&value)) return *number;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  return std::nullopt;
}

// The fields of the present record that a put does not touch.
std::vector<const FieldSpec*> Untouched(const OpenRecord* present,
                                        const policy::ClassSpec& spec,
                                        const PutMode& mode) {
  std::vector<const FieldSpec*> untouched;
  if (present == nullptr || !mode.mask.has_value()) return untouched;
  for (const FieldSpec* field : spec.fields) {
    if (present->Has(*field) &&
        std::ranges::find(*mode.mask, field) == mode.mask->end()) {
      untouched.push_back(field);
    }
  }
  return untouched;
}

absl::Status CheckRequired(const policy::ClassSpec& spec,
                           const std::vector<const FieldSpec*>& untouched,
                           const ResolvedRecord& record) {
  for (const FieldSpec* field : spec.fields) {
    if (field->required && FindValue(record, *field) == nullptr &&
        std::ranges::find(untouched, field) == untouched.end()) {
      return Fail(Reason::kRequiredFieldMissing, field->number);
    }
  }
  return absl::OkStatus();
}

}  // namespace

base::SubjectId NewSubjectId() {
  return *base::SubjectId::FromBytes(
      AsUuid(crypto::RandomBytes(base::SubjectId::kSize), 4));
}

base::RecordId NewRecordId(base::Timestamp now, uint16_t ordinal) {
  const auto millis = static_cast<uint64_t>(base::ToMicros(now) / 1000);
  ByteWriter out;
  out.Put(millis << 16 | ordinal)
      .PutRaw(crypto::RandomBytes(base::RecordId::kSize - sizeof(millis)));
  return *base::RecordId::FromBytes(AsUuid(std::move(out).Take(), 7));
}

ResolvedRecord RecordWriter::Resolve(const policy::Catalogue& catalogue,
                                     NewRecord record) {
  ResolvedRecord resolved;
  resolved.event_time = record.event_time;
  resolved.spec = catalogue.FindClass(record.record_class);
  if (resolved.spec == nullptr || resolved.spec->internal) {
    resolved.spec = nullptr;
    resolved.unknown = true;
    return resolved;
  }
  for (NewRecord::Field& field : record.fields) {
    const FieldSpec* spec = catalogue.FindField(*resolved.spec, field.name);
    if (spec == nullptr) {
      resolved.unknown = true;
    } else {
      resolved.fields.push_back({spec, std::move(field.value), field.source});
    }
  }
  return resolved;
}

void RecordWriter::AddTo(Ask& ask, const ResolvedRecord& record) {
  if (record.spec == nullptr) return;
  ask.classes.set(record.spec->number);
  for (const ResolvedRecord::Field& field : record.fields) {
    ask.fields.set(field.spec->index);
  }
}

absl::Status RecordWriter::CheckShape(const ResolvedRecord& record) {
  if (record.unknown) return Fail(Reason::kFieldUnknown);
  if (record.fields.size() > kFieldsPerRecordMax) {
    return Fail(Reason::kTooLarge);
  }
  if (record.spec->series != record.event_time.has_value()) {
    return Fail(Reason::kValueInvalid);
  }
  std::set<const FieldSpec*> seen;
  for (const ResolvedRecord::Field& field : record.fields) {
    if (!seen.insert(field.spec).second) {
      return Fail(Reason::kValueInvalid, field.spec->number);
    }
  }
  return absl::OkStatus();
}

absl::Status RecordWriter::Reindex(Attempt& attempt, const Call& call,
                                   const AccessGrant& grant,
                                   const OpenRecord* present,
                                   const FieldSpec& field, const Value* value,
                                   std::vector<IndexPointer>& pointers) const {
  const auto text_of = [](const Value& of) {
    return std::get<Text>(of).text.Reveal();
  };
  if (present != nullptr && present->Has(field)) {
    ASSIGN_OR_RETURN(const auto old, present->Read(grant, field));
    if (!old.has_value()) return Fail(Reason::kIntegrityFailure);
    // One index row for all ways of writing it: what is removed here would not
    // be added again below.
    if (value != nullptr) {
      const std::string& region = call.tenant.default_region;
      ASSIGN_OR_RETURN(const base::Pii was,
                       NormaliseForIndex(field, text_of(*old), region));
      ASSIGN_OR_RETURN(const base::Pii is,
                       NormaliseForIndex(field, text_of(*value), region));
      if (was.Reveal() == is.Reveal()) return absl::OkStatus();
    }
    RETURN_IF_ERROR(services_.index.Remove(attempt, call.tenant, field,
                                           text_of(*old), grant.subject()));
  }
  if (value == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const IndexPointer pointer,
                   services_.index.Add(attempt, call.tenant, field,
                                       text_of(*value), grant.subject()));
  pointers.push_back(pointer);
  return absl::OkStatus();
}

absl::Status RecordWriter::NoteSuppression(Attempt& attempt, const Call& call,
                                           const AccessGrant& grant,
                                           const FieldSpec& field,
                                           const Value& value) {
  const policy::CompanyPolicy* company = call.company;
  if (company == nullptr || !Suppressions::IsAddress(field)) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const bool has, Suppressions(services_).Has(
                                       attempt, call, field,
                                       std::get<Text>(value).text.Reveal()));
  if (!has) return absl::OkStatus();
  // Whoever has said what they want is believed.
  const policy::SubjectFacts subject = SubjectFor(grant.facts(), company);
  for (policy::PurposeNumber purpose = 1; purpose < policy::kPurposesMax;
       ++purpose) {
    if (company->For(purpose).marketing &&
        (subject.consented.test(purpose) || subject.objected.test(purpose))) {
      return absl::OkStatus();
    }
  }
  suppressed_ = true;
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> RecordWriter::PeriodOf(
    const Call& call, const RecordName& name, const OpenRecord* present,
    const ResolvedRecord& record,
    const std::vector<const FieldSpec*>& untouched) const {
  const policy::ClassSpec& spec = *record.spec;
  if (!spec.ends.has_value()) return 0;
  const auto value_of =
      [&](policy::FieldNumber number) -> absl::StatusOr<std::optional<Value>> {
    if (number == kEventTimeField) {
      if (!record.event_time.has_value()) return std::nullopt;
      return Value(*record.event_time);
    }
    const FieldSpec* field = services_.catalogue.FieldByNumber(number);
    if (field == nullptr) return std::nullopt;
    if (const Value* value = FindValue(record, *field); value != nullptr) {
      return CloneOf(*value);
    }
    const bool kept = std::ranges::find(untouched, field) != untouched.end();
    if (!kept) return std::nullopt;
    return present->ReadInternal(*field);
  };
  ASSIGN_OR_RETURN(const auto last, PeriodOfContent(spec, name.id, value_of));
  if (!last.has_value()) return 0;
  // What has ended already is not taken in.
  ASSIGN_OR_RETURN(const bool over, services_.records.periods().IsOver(
                                        call.tenant.id, spec, *last, call.now));
  if (over) return Fail(Reason::kValueInvalid);
  return policy::PeriodOf(*last);
}

absl::Status RecordWriter::CheckEtag(const OpenRecord* present,
                                     const PutMode& mode) {
  if (mode.etag.has_value() &&
      (present == nullptr || *mode.etag != EtagOf(present->version()))) {
    return Fail(Reason::kEtagMismatch);
  }
  return absl::OkStatus();
}

absl::StatusOr<WrittenRecord> RecordWriter::Write(
    Attempt& attempt, const Call& call, const AccessGrant& grant,
    const RecordName& name, const OpenRecord* present, ResolvedRecord record,
    const PutMode& mode, std::vector<IndexPointer>& pointers) {
  RETURN_IF_ERROR(CheckEtag(present, mode));
  const auto untouched = Untouched(present, *record.spec, mode);
  RETURN_IF_ERROR(CheckRequired(*record.spec, untouched, record));
  RecordChange change;
  for (const FieldSpec* field : untouched) {
    change.keep.push_back(field->number);
  }
  // What an older or newer catalogue knew is not this write's to drop.
  for (const policy::FieldNumber number :
       present != nullptr ? present->Fields()
                          : std::vector<policy::FieldNumber>()) {
    if (services_.catalogue.FieldByNumber(number) == nullptr) {
      change.keep.push_back(number);
    }
  }
  for (ResolvedRecord::Field& field : record.fields) {
    ASSIGN_OR_RETURN(field.value,
                     CheckValue(*field.spec, std::move(field.value),
                                call.tenant.default_region));
    RETURN_IF_ERROR(
        NoteSuppression(attempt, call, grant, *field.spec, field.value));
    change.put.push_back(
        {field.spec->number,
         EncodeValue(field.value, field.source.value_or(field.spec->source))});
  }
  if (change.put.empty() && change.keep.empty()) {
    return Fail(Reason::kRequiredFieldMissing);
  }
  for (const FieldSpec* field : record.spec->fields) {
    const bool kept = std::ranges::find(untouched, field) != untouched.end();
    if (!field->searchable || kept) continue;
    RETURN_IF_ERROR(Reindex(attempt, call, grant, present, *field,
                            FindValue(record, *field), pointers));
  }
  ASSIGN_OR_RETURN(change.period,
                   PeriodOf(call, name, present, record, untouched));
  if (record.event_time.has_value()) {
    change.put.push_back(
        {kEventTimeField, EncodeValue(*record.event_time, Source::kProvided)});
  }
  ASSIGN_OR_RETURN(
      const RecordVersion version,
      services_.records.Write(attempt, grant, name, present, change));
  return WrittenRecord{record.spec, name, version};
}

absl::Status RecordWriter::Remove(Attempt& attempt, const Call& call,
                                  const AccessGrant& grant,
                                  const RecordName& name,
                                  const OpenRecord& present,
                                  const PutMode& mode) const {
  RETURN_IF_ERROR(CheckEtag(&present, mode));
  std::vector<IndexPointer> none_added;
  for (const policy::FieldNumber number : present.Fields()) {
    const FieldSpec* field = services_.catalogue.FieldByNumber(number);
    if (field == nullptr || !field->searchable) continue;
    RETURN_IF_ERROR(
        Reindex(attempt, call, grant, &present, *field, nullptr, none_added));
  }
  services_.records.Remove(attempt, grant, name, present);
  return absl::OkStatus();
}

absl::Status RecordWriter::SavePointers(
    Attempt& attempt, AccessGrant& grant,
    const std::vector<IndexPointer>& pointers) {
  Facts facts = grant.facts();
  const size_t before = facts.pointers.size();
  std::set<IndexPointer> all(facts.pointers.begin(), facts.pointers.end());
  all.insert(pointers.begin(), pointers.end());
  facts.pointers.assign(all.begin(), all.end());
  if (suppressed_) {
    Objection objection;
    objection.purpose = kDirectMarketing;
    objection.state = ObjectionState::kUpheld;
    objection.made = grant.now();
    objection.decided = grant.now();
    AddObjection(objection, facts.said);
  }
  if (facts.version != 0 && facts.pointers.size() == before && !suppressed_) {
    return absl::OkStatus();
  }
  return services_.facts.Save(attempt, grant, std::move(facts));
}

}  // namespace hizo::vault
