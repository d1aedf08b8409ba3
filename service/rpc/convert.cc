#include "service/rpc/convert.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/base/status_macros.h"

namespace hizo::rpc {
namespace {

using base::Fail;
using base::Pii;
using base::Reason;

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int kNanosPerMicro = 1'000;
constexpr int kNanosMax = 999'999'999;
// 0001-01-01 to 9999-12-31, as google.protobuf.Timestamp says.
constexpr int64_t kSecondsMin = -62'135'596'800;
constexpr int64_t kSecondsMax = 253'402'300'799;

struct FromKind {
  v1::Value& out;
  void operator()(const vault::Text& value) const {
    out.set_text(std::string(value.text.Reveal()));
  }
  void operator()(int64_t value) const { out.set_integer(value); }
  void operator()(bool value) const { out.set_boolean(value); }
  void operator()(const vault::Money& value) const {
    out.mutable_money()->set_currency(value.currency);
    out.mutable_money()->set_minor_units(value.minor_units);
  }
  void operator()(const vault::Address& value) const {
    v1::Address& address = *out.mutable_address();
    address.set_country(value.country);
    address.set_postal_code(std::string(value.postal_code.Reveal()));
    address.set_region(std::string(value.region.Reveal()));
    address.set_locality(std::string(value.locality.Reveal()));
    for (const Pii& line : value.lines) {
      address.add_lines(std::string(line.Reveal()));
    }
  }
  void operator()(base::Timestamp value) const {
    *out.mutable_timestamp() = FromTimestamp(value);
  }
  void operator()(const vault::Blob& value) const {
    out.set_blob(std::string(value.bytes.Reveal()));
  }
  void operator()(const vault::Json& value) const {
    out.set_json(std::string(value.document.Reveal()));
  }
};

vault::Address ToAddress(const v1::Address& from) {
  vault::Address address;
  address.country = from.country();
  address.postal_code = Pii(from.postal_code());
  address.region = Pii(from.region());
  address.locality = Pii(from.locality());
  for (const std::string& line : from.lines()) {
    address.lines.emplace_back(line);
  }
  return address;
}

v1::AuditRecipient FromRecipient(const audit::Recipient& recipient) {
  v1::AuditRecipient out;
  out.set_name(recipient.name);
  out.set_key_sha256(std::string(crypto::AsBytes(recipient.key)));
  if (!recipient.authorisation.is_nil()) {
    out.set_authorisation(base::ToText(recipient.authorisation));
  }
  if (recipient.file != decltype(recipient.file){}) {
    out.set_file_sha256(std::string(crypto::AsBytes(recipient.file)));
  }
  return out;
}

}  // namespace

absl::StatusOr<base::Timestamp> ToTimestamp(
    const google::protobuf::Timestamp& time) {
  if (time.seconds() < kSecondsMin || time.seconds() > kSecondsMax ||
      time.nanos() < 0 || time.nanos() > kNanosMax) {
    return Fail(Reason::kValueInvalid);
  }
  return base::FromMicros(time.seconds() * kMicrosPerSecond +
                          time.nanos() / kNanosPerMicro);
}

google::protobuf::Timestamp FromTimestamp(base::Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  google::protobuf::Timestamp out;
  out.set_seconds(seconds.time_since_epoch().count());
  out.set_nanos(
      static_cast<int32_t>((time - seconds).count() * kNanosPerMicro));
  return out;
}

absl::StatusOr<vault::Value> ToValue(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kText:
      return vault::Text{Pii(value.text())};
    case v1::Value::kInteger:
      return value.integer();
    case v1::Value::kBoolean:
      return value.boolean();
    case v1::Value::kMoney:
      return vault::Money{value.money().currency(),
                          value.money().minor_units()};
    case v1::Value::kAddress:
      return ToAddress(value.address());
    case v1::Value::kTimestamp: {
      ASSIGN_OR_RETURN(const base::Timestamp time,
                       ToTimestamp(value.timestamp()));
      return time;
    }
    case v1::Value::kBlob:
      return vault::Blob{Pii(value.blob())};
    case v1::Value::kJson:
      return vault::Json{Pii(value.json())};
    case v1::Value::KIND_NOT_SET:
      break;
  }
  return Fail(Reason::kValueInvalid);
}

v1::Value FromValue(const vault::Value& value) {
  v1::Value out;
  std::visit(FromKind{out}, value);
  return out;
}

absl::StatusOr<vault::NewRecord> ToNewRecord(const v1::NewRecord& record) {
  vault::NewRecord out;
  out.record_class = record.record_class();
  for (const v1::Field& field : record.fields()) {
    ASSIGN_OR_RETURN(vault::Value value, ToValue(field.value()));
    out.fields.push_back({field.name(), std::move(value)});
  }
  if (record.has_event_time()) {
    ASSIGN_OR_RETURN(out.event_time, ToTimestamp(record.event_time()));
  }
  return out;
}

absl::StatusOr<std::vector<vault::NewRecord>> ToNewRecords(
    const google::protobuf::RepeatedPtrField<v1::NewRecord>& records) {
  std::vector<vault::NewRecord> out;
  for (const v1::NewRecord& record : records) {
    ASSIGN_OR_RETURN(vault::NewRecord converted, ToNewRecord(record));
    out.push_back(std::move(converted));
  }
  return out;
}

v1::RecordRef FromWritten(const vault::WrittenRecord& written) {
  v1::RecordRef ref;
  ref.set_record_class(written.spec->name);
  if (written.spec->series) ref.set_record_id(base::ToText(written.name.id));
  ref.set_etag(vault::EtagOf(written.version));
  return ref;
}

v1::Record FromShown(const vault::ShownRecord& shown) {
  v1::Record record;
  record.set_record_class(shown.spec->name);
  if (shown.spec->series) record.set_record_id(base::ToText(shown.id));
  for (const vault::ShownRecord::Field& field : shown.fields) {
    v1::Field& out = *record.add_fields();
    out.set_name(field.spec->name);
    out.set_masked(field.masked);
    *out.mutable_value() = FromValue(field.value);
  }
  if (shown.event_time.has_value()) {
    *record.mutable_event_time() = FromTimestamp(*shown.event_time);
  }
  record.set_etag(shown.etag);
  return record;
}

policy::View ToView(v1::View view) {
  return view == v1::VIEW_PLAIN ? policy::View::kPlain : policy::View::kMasked;
}

vault::ReadSelection ToSelection(const std::string& record_class,
                                 const google::protobuf::FieldMask& mask,
                                 v1::View view) {
  return {
      record_class, {mask.paths().begin(), mask.paths().end()}, ToView(view)};
}

v1::GetSubjectResponse FromDescription(
    const vault::SubjectDescription& description) {
  v1::GetSubjectResponse out;
  out.set_subject(base::ToText(description.subject));
  out.set_state(static_cast<v1::SubjectState>(description.state));
  if (description.state != policy::SubjectState::kRetained) {
    *out.mutable_create_time() = FromTimestamp(description.created);
  }
  if (description.cancelled.has_value()) {
    *out.mutable_cancel_time() = FromTimestamp(*description.cancelled);
  }
  for (const vault::SubjectDescription::Class& summary : description.classes) {
    v1::ClassSummary& shown = *out.add_classes();
    shown.set_record_class(summary.spec->name);
    shown.set_records(static_cast<int32_t>(summary.records));
    for (const policy::FieldSpec* field : summary.fields) {
      shown.add_fields(field->name);
    }
  }
  return out;
}

absl::StatusOr<vault::QueryAuditInput> ToAuditQuery(
    const v1::QueryAuditRequest& request) {
  vault::QueryAuditInput input;
  ASSIGN_OR_RETURN(input.subject,
                   ToOptionalId<base::SubjectId>(request.subject()));
  if (!request.actor().empty()) input.filter.actor = request.actor();
  if (request.action() != v1::ACTION_UNSPECIFIED) {
    input.filter.action =
        policy::ActionFromNumber(static_cast<uint32_t>(request.action()));
    if (!input.filter.action.has_value()) return Fail(Reason::kValueInvalid);
  }
  if (request.outcome() != v1::OUTCOME_UNSPECIFIED) {
    if (!v1::Outcome_IsValid(request.outcome())) {
      return Fail(Reason::kValueInvalid);
    }
    input.filter.outcome = static_cast<audit::Outcome>(request.outcome());
  }
  if (request.has_start_time()) {
    ASSIGN_OR_RETURN(input.filter.start, ToTimestamp(request.start_time()));
  }
  if (request.has_end_time()) {
    ASSIGN_OR_RETURN(input.filter.end, ToTimestamp(request.end_time()));
  }
  if (request.reason() != v1::REASON_UNSPECIFIED) {
    input.filter.reason =
        base::ReasonFromNumber(static_cast<uint32_t>(request.reason()));
    if (!input.filter.reason.has_value()) return Fail(Reason::kValueInvalid);
  }
  if (request.first_sequence() < 0) return Fail(Reason::kValueInvalid);
  if (request.first_sequence() > 0) {
    input.filter.first = static_cast<uint64_t>(request.first_sequence());
  }
  input.role = request.role();
  input.record_class = request.record_class();
  input.field = request.field();
  input.purpose = request.asked_purpose();
  input.other_than_purpose = request.other_than_purpose();
  input.order = request.oldest_first() ? audit::Order::kOldestFirst
                                       : audit::Order::kNewestFirst;
  input.page_size = request.page_size();
  input.page_token = request.page_token();
  return input;
}

std::string FromReference(const base::AuditReference& reference) {
  std::string text = base::ToText(reference);
  std::erase(text, '-');
  return text;
}

v1::AuditEvent FromEvent(const vault::ShownEvent& shown,
                         const policy::Catalogue& catalogue) {
  const audit::Event& event = shown.found.event;
  v1::AuditEvent out;
  out.set_sequence(static_cast<int64_t>(shown.found.sequence));
  *out.mutable_time() = FromTimestamp(event.time);
  out.set_actor(event.actor);
  out.set_action(static_cast<v1::Action>(event.action));
  out.set_outcome(static_cast<v1::Outcome>(event.outcome));
  out.set_reason(static_cast<v1::Reason>(event.reason));
  const auto* purpose = catalogue.PurposeByNumber(event.purpose);
  if (purpose != nullptr) out.set_purpose(purpose->name);
  if (event.subject.has_value()) {
    out.set_subject_reference(FromReference(*event.subject));
  }
  for (const policy::FieldNumber number : event.fields) {
    const auto* field = catalogue.FieldByNumber(number);
    if (field != nullptr) out.add_fields(field->full_name);
  }
  out.set_view(static_cast<v1::View>(event.view));
  out.set_records(static_cast<int32_t>(event.records));
  if (event.request.has_value()) {
    out.set_request_id(base::ToText(*event.request));
  }
  if (shown.subject.has_value()) out.set_subject(base::ToText(*shown.subject));
  if (event.policy_version != 0) {
    out.set_policy_version(static_cast<int32_t>(event.policy_version));
    out.set_policy_sha256_prefix(
        absl::StrCat(absl::Hex(event.policy_digest, absl::kZeroPad16)));
  }
  out.set_clause(event.clause);
  if (event.recipient.has_value()) {
    *out.mutable_recipient() = FromRecipient(*event.recipient);
  }
  return out;
}

v1::KeyRotation FromKeyRotation(const vault::KeyRotation& rotation) {
  v1::KeyRotation told;
  *told.mutable_start_time() = FromTimestamp(rotation.begun);
  told.set_buckets_done(static_cast<int32_t>(rotation.done));
  told.set_buckets(static_cast<int32_t>(vault::kBucketCount));
  told.set_data_keys(rotation.data_keys);
  return told;
}

v1::Purge FromPurge(const vault::Purge& purge) {
  v1::Purge told;
  *told.mutable_start_time() = FromTimestamp(purge.begun);
  if (!purge.ended.has_value()) return told;
  *told.mutable_end_time() = FromTimestamp(*purge.ended);
  told.set_files_rewritten(static_cast<int64_t>(purge.report.files_rewritten));
  told.set_files_left(static_cast<int64_t>(purge.report.files_left));
  told.set_read_meanwhile(purge.report.read_meanwhile);
  told.set_bytes(static_cast<int64_t>(purge.report.bytes));
  told.set_reason(static_cast<v1::Reason>(purge.reason));
  return told;
}

}  // namespace hizo::rpc
