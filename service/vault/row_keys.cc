#include "service/vault/row_keys.h"

#include <utility>

#include "crypto/blind_index.h"
#include "service/base/keyspace.h"
#include "storage/key_bytes.h"

namespace hizo::vault {
namespace {

using base::RecordId;
using base::SubjectId;
using base::TenantId;
using storage::KeyWriter;

uint32_t Number(TenantId tenant) { return static_cast<uint32_t>(tenant); }

KeyWriter SubjectPart(char space, TenantId tenant, SubjectId subject) {
  KeyWriter key(space);
  key.U32(Number(tenant)).Bytes(subject.bytes());
  return key;
}

}  // namespace

std::string FactsKey(TenantId tenant, SubjectId subject) {
  return SubjectPart(base::kSpaceFacts, tenant, subject).Take();
}

std::string RecordPrefix(TenantId tenant, SubjectId subject) {
  return SubjectPart(base::kSpaceRecord, tenant, subject).Take();
}

std::string RecordPrefix(TenantId tenant, SubjectId subject,
                         policy::ClassNumber class_number) {
  KeyWriter key = SubjectPart(base::kSpaceRecord, tenant, subject);
  key.U16(class_number);
  return std::move(key).Take();
}

std::string RecordKey(TenantId tenant, SubjectId subject,
                      policy::ClassNumber class_number, RecordId record) {
  KeyWriter key = SubjectPart(base::kSpaceRecord, tenant, subject);
  key.U16(class_number).Bytes(record.bytes());
  return std::move(key).Take();
}

std::optional<RecordKeyParts> ParseRecordKey(std::string_view key) {
  storage::KeyReader reader(key);
  const auto space = reader.Space();
  const auto tenant = reader.U32();
  const auto subject = reader.Bytes(SubjectId::kSize);
  const auto class_number = reader.U16();
  const auto record = reader.Bytes(RecordId::kSize);
  if (space != base::kSpaceRecord || !tenant || !subject || !class_number ||
      !record || !reader.done()) {
    return std::nullopt;
  }
  return RecordKeyParts{*SubjectId::FromBytes(*subject), *class_number,
                        *RecordId::FromBytes(*record)};
}

std::string RequestKey(uint32_t day, TenantId tenant, std::string_view tag) {
  KeyWriter key(base::kSpaceRequest);
  key.U32(day).U32(Number(tenant)).Bytes(tag);
  return std::move(key).Take();
}

std::string CallerWaitKey(TenantId tenant, std::string_view tag) {
  KeyWriter key(base::kSpaceCallerWait);
  key.U32(Number(tenant)).Bytes(tag);
  return std::move(key).Take();
}

std::string RecipientPrefix(TenantId tenant) {
  KeyWriter key(base::kSpaceRecipient);
  key.U32(Number(tenant));
  return std::move(key).Take();
}

std::string RecipientKey(TenantId tenant, std::string_view tag) {
  KeyWriter key(base::kSpaceRecipient);
  key.U32(Number(tenant)).Bytes(tag);
  return std::move(key).Take();
}

std::string PolicyKey(TenantId tenant) {
  KeyWriter key(base::kSpacePolicy);
  key.U32(Number(tenant));
  return std::move(key).Take();
}

std::string RequestPrefix(uint32_t day) {
  KeyWriter key(base::kSpaceRequest);
  key.U32(day);
  return std::move(key).Take();
}

std::optional<uint32_t> RequestDay(std::string_view key) {
  storage::KeyReader reader(key);
  if (reader.Space() != base::kSpaceRequest) return std::nullopt;
  return reader.U32();
}

std::string DeksKey(uint16_t bucket, TenantId tenant, SubjectId subject) {
  KeyWriter key(base::kSpaceDeks);
  key.U16(bucket).U32(Number(tenant)).Bytes(subject.bytes());
  return std::move(key).Take();
}

std::string ErasureKey(TenantId tenant, SubjectId subject) {
  return SubjectPart(base::kSpaceErasure, tenant, subject).Take();
}

std::string FenceKey(uint16_t bucket, TenantId tenant, SubjectId subject) {
  KeyWriter key(base::kSpaceFence);
  key.U16(bucket).U32(Number(tenant)).Bytes(subject.bytes());
  return std::move(key).Take();
}

std::string FencePrefix() { return KeyWriter(base::kSpaceFence).Take(); }

std::string TermKey(uint32_t day, TenantId tenant, SubjectId subject) {
  KeyWriter key(base::kSpaceTerm);
  key.U32(day).U32(Number(tenant)).Bytes(subject.bytes());
  return std::move(key).Take();
}

std::string TermPrefix(uint32_t day) {
  KeyWriter key(base::kSpaceTerm);
  key.U32(day);
  return std::move(key).Take();
}

std::string TermRowValue() { return std::string(1, '\x01'); }

std::optional<TermRow> ParseTermKey(std::string_view key) {
  storage::KeyReader reader(key);
  const auto space = reader.Space();
  const auto day = reader.U32();
  const auto tenant = reader.U32();
  const auto subject = reader.Bytes(SubjectId::kSize);
  if (space != base::kSpaceTerm || !day || !tenant || !subject ||
      !reader.done()) {
    return std::nullopt;
  }
  return TermRow{*day, TenantId{*tenant}, *SubjectId::FromBytes(*subject)};
}

std::string WornKey(TenantId tenant, SubjectId subject,
                    policy::ClassNumber class_number) {
  KeyWriter key = SubjectPart(base::kSpaceWorn, tenant, subject);
  key.U16(class_number);
  return std::move(key).Take();
}

std::string WornRowValue(WornStage stage) {
  return std::string(1, static_cast<char>(stage));
}

absl::StatusOr<WornStage> ParseWornRowValue(std::string_view value) {
  const auto stage = static_cast<uint8_t>(value.size() == 1 ? value[0] : 0);
  if (stage < 1 || stage > 3) return absl::DataLossError("a mark is damaged");
  return static_cast<WornStage>(stage);
}

std::string WornPrefix() { return std::string(1, base::kSpaceWorn); }

std::string WornShardKey(TenantId tenant, uint16_t kind, uint16_t route) {
  KeyWriter key(base::kSpaceWornShard);
  key.U32(Number(tenant)).U16(kind).U16(route);
  return std::move(key).Take();
}

std::string RotationKey() { return std::string(1, base::kSpaceRotation); }

std::string WornShardPrefix() { return std::string(1, base::kSpaceWornShard); }

std::optional<WornRow> ParseWornKey(std::string_view key) {
  storage::KeyReader reader(key);
  const auto space = reader.Space();
  const auto tenant = reader.U32();
  const auto subject = reader.Bytes(SubjectId::kSize);
  const auto class_number = reader.U16();
  if (space != base::kSpaceWorn || !tenant || !subject || !class_number ||
      !reader.done()) {
    return std::nullopt;
  }
  return WornRow{TenantId{*tenant}, *SubjectId::FromBytes(*subject),
                 *class_number};
}

std::optional<IndexShard> ParseWornShardKey(std::string_view key) {
  storage::KeyReader reader(key);
  const auto space = reader.Space();
  const auto tenant = reader.U32();
  const auto kind = reader.U16();
  const auto route = reader.U16();
  if (space != base::kSpaceWornShard || !tenant || !kind || !route ||
      !reader.done()) {
    return std::nullopt;
  }
  return IndexShard{TenantId{*tenant}, *kind, *route};
}

std::string EntryEndPrefix(TenantId tenant, policy::ClassNumber class_number) {
  KeyWriter key(base::kSpaceEntryEnd);
  key.U32(Number(tenant)).U16(class_number);
  return std::move(key).Take();
}

std::string EntryEndPrefix(TenantId tenant, policy::ClassNumber class_number,
                           uint32_t period) {
  KeyWriter key(base::kSpaceEntryEnd);
  key.U32(Number(tenant)).U16(class_number).U32(period);
  return std::move(key).Take();
}

std::string EntryEndKey(TenantId tenant, policy::ClassNumber class_number,
                        uint32_t period, SubjectId subject, RecordId record) {
  return EntryEndPrefix(tenant, class_number, period)
      .append(subject.bytes())
      .append(record.bytes());
}

std::string EntryEndRowValue() { return std::string(1, '\x01'); }

std::optional<EntryEndRow> ParseEntryEndKey(std::string_view key) {
  storage::KeyReader reader(key);
  const auto space = reader.Space();
  const auto tenant = reader.U32();
  const auto class_number = reader.U16();
  const auto period = reader.U32();
  const auto subject = reader.Bytes(SubjectId::kSize);
  const auto record = reader.Bytes(RecordId::kSize);
  if (space != base::kSpaceEntryEnd || !tenant || !class_number || !period ||
      !subject || !record || !reader.done()) {
    return std::nullopt;
  }
  return EntryEndRow{TenantId{*tenant}, *class_number, *period,
                     *SubjectId::FromBytes(*subject),
                     *RecordId::FromBytes(*record)};
}

std::string LossYearKey(TenantId tenant, uint32_t period) {
  KeyWriter key(base::kSpaceLossYear);
  key.U32(Number(tenant)).U32(period);
  return std::move(key).Take();
}

std::string SuppressionKey(TenantId tenant, std::string_view tag) {
  KeyWriter key(base::kSpaceSuppression);
  key.U32(Number(tenant)).Bytes(tag);
  return std::move(key).Take();
}

std::string BucketPrefix(char space, uint16_t bucket) {
  KeyWriter key(space);
  key.U16(bucket);
  return std::move(key).Take();
}

std::optional<PersonsRow> ParsePersonsRow(std::string_view key) {
  storage::KeyReader reader(key);
  const auto space = reader.Space();
  const auto bucket = reader.U16();
  const auto tenant = reader.U32();
  const auto subject = reader.Bytes(SubjectId::kSize);
  if ((space != base::kSpaceDeks && space != base::kSpaceFence) || !bucket ||
      !tenant || !subject || !reader.done()) {
    return std::nullopt;
  }
  return PersonsRow{*bucket, TenantId{*tenant},
                    *SubjectId::FromBytes(*subject)};
}

std::string LeafByBucketKey(uint16_t bucket, std::string_view leaf_key) {
  KeyWriter key(base::kSpaceLeafByBucket);
  key.U16(bucket).Bytes(leaf_key);
  return std::move(key).Take();
}

std::string LeavesByBucketMark() {
  return KeyWriter(base::kSpaceLeafByBucket).Take();
}

std::string DeksName(TenantId tenant, SubjectId subject) {
  return SubjectPart(base::kSpaceDeks, tenant, subject).Take();
}

std::string PageKey(uint8_t level, uint16_t index) {
  KeyWriter key(base::kSpacePage);
  key.U8(level).U16(index);
  return std::move(key).Take();
}

std::string IndexPrefix(uint16_t kind, TenantId tenant, uint16_t route,
                        std::string_view tag) {
  KeyWriter key(base::kSpaceIndex);
  key.U16(kind).U32(Number(tenant)).U16(route).Bytes(tag);
  return std::move(key).Take();
}

std::string IndexShardPrefix(uint16_t kind, TenantId tenant, uint16_t route) {
  KeyWriter key(base::kSpaceIndex);
  key.U16(kind).U32(Number(tenant)).U16(route);
  return std::move(key).Take();
}

std::optional<IndexRowParts> ParseIndexKey(std::string_view key) {
  constexpr size_t kShardPartSize = 1 + 2 + 4 + 2;
  storage::KeyReader reader(key);
  const auto space = reader.Space();
  const auto kind = reader.U16();
  const auto tenant = reader.U32();
  const auto route = reader.U16();
  const auto tag = reader.Bytes(crypto::kIndexTagSize);
  if (space != base::kSpaceIndex || !kind || !tenant || !route || !tag) {
    return std::nullopt;
  }
  return IndexRowParts{*kind, TenantId{*tenant}, *route,
                       key.substr(kShardPartSize + crypto::kIndexTagSize)};
}

std::string WayBackKey(base::AuditReference reference) {
  KeyWriter key(base::kSpaceWayBack);
  key.Bytes(reference.bytes());
  return std::move(key).Take();
}

std::string MetaKey() { return KeyWriter(base::kSpaceMeta).Take(); }

}  // namespace hizo::vault
