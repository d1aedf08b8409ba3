// Proto messages to the vault's types and back.
//
// Ids are parsed here: what is no UUID is kValueInvalid, an empty id where one
// is optional is nullopt. Nothing is decided here.
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_RPC_CONVERT_H_
#define HIZO_SERVICE_RPC_CONVERT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hizo/v1/admin.pb.h"
#include "hizo/v1/audit.pb.h"
#include "hizo/v1/record.pb.h"
#include "hizo/v1/subject.pb.h"
#include "hizo/v1/value.pb.h"
#include "service/base/reason.h"
#include "service/policy/catalogue.h"
#include "service/vault/audits.h"
#include "service/vault/key_rotation.h"
#include "service/vault/purges.h"
#include "service/vault/records.h"
#include "service/vault/subjects.h"

namespace hizo::rpc {

template <typename IdType>
absl::StatusOr<IdType> ToId(const std::string& text) {
  const std::optional<IdType> id = base::ParseId<IdType>(text);
  if (!id.has_value()) return base::Fail(base::Reason::kValueInvalid);
  return *id;
}
template <typename IdType>
absl::StatusOr<std::optional<IdType>> ToOptionalId(const std::string& text) {
  if (text.empty()) return std::optional<IdType>();
  const std::optional<IdType> id = base::ParseId<IdType>(text);
  if (!id.has_value()) return base::Fail(base::Reason::kValueInvalid);
  return id;
}

// The own number of one of the proto's; kValueInvalid for one that is not among
// `first` to `last`.
template <typename To, typename From>
absl::StatusOr<To> ToEnum(From from, To first, To last) {
  const int number = static_cast<int>(from);
  if (number < static_cast<int>(first) || number > static_cast<int>(last)) {
    return base::Fail(base::Reason::kValueInvalid);
  }
  return static_cast<To>(number);
}

absl::StatusOr<base::Timestamp> ToTimestamp(
    const google::protobuf::Timestamp& time);
google::protobuf::Timestamp FromTimestamp(base::Timestamp time);
v1::KeyRotation FromKeyRotation(const vault::KeyRotation& rotation);
v1::Purge FromPurge(const vault::Purge& purge);

absl::StatusOr<vault::Value> ToValue(const v1::Value& value);
v1::Value FromValue(const vault::Value& value);

absl::StatusOr<vault::NewRecord> ToNewRecord(const v1::NewRecord& record);
absl::StatusOr<std::vector<vault::NewRecord>> ToNewRecords(
    const google::protobuf::RepeatedPtrField<v1::NewRecord>& records);
v1::RecordRef FromWritten(const vault::WrittenRecord& written);
v1::Record FromShown(const vault::ShownRecord& shown);
policy::View ToView(v1::View view);
vault::ReadSelection ToSelection(const std::string& record_class,
                                 const google::protobuf::FieldMask& mask,
                                 v1::View view);

v1::GetSubjectResponse FromDescription(
    const vault::SubjectDescription& description);

absl::StatusOr<vault::QueryAuditInput> ToAuditQuery(
    const v1::QueryAuditRequest& request);
// 32 hex digits.
std::string FromReference(const base::AuditReference& reference);
v1::AuditEvent FromEvent(const vault::ShownEvent& event,
                         const policy::Catalogue& catalogue);

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_CONVERT_H_
