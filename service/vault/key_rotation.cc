#include "service/vault/key_rotation.h"

#include <utility>

#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/deks_row.h"
#include "service/vault/each_row.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

constexpr uint8_t kFormat = 1;
// What one seal takes: its rows are in memory at once.
constexpr size_t kBucketsMax = 1024;
constexpr size_t kBytesMax = size_t{1} << 20;
constexpr size_t kPeopleMax = 4096;

}  // namespace

std::string EncodeRotation(const KeyRotation& rotation) {
  ByteWriter out;
  out.Put(kFormat)
      .Put(static_cast<uint64_t>(base::ToMicros(rotation.begun)))
      .Put(rotation.done)
      .Put(static_cast<uint8_t>(rotation.data_keys ? 1 : 0));
  return std::move(out).Take();
}

absl::StatusOr<KeyRotation> DecodeRotation(std::string_view bytes) {
  ByteReader in(bytes);
  const auto format = in.Get<uint8_t>();
  KeyRotation rotation;
  rotation.begun = base::FromMicros(static_cast<int64_t>(in.Get<uint64_t>()));
  rotation.done = in.Get<uint32_t>();
  const auto data_keys = in.Get<uint8_t>();
  rotation.data_keys = data_keys == 1;
  if (!in.done() || format != kFormat || data_keys > 1 ||
      rotation.done >= kBucketCount) {
    return absl::DataLossError("a rotation of keys is damaged");
  }
  return rotation;
}

absl::StatusOr<KeyRotation> KeyRotations::Begin(Attempt& attempt,
                                                const Call& call,
                                                bool data_keys) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  ASSIGN_OR_RETURN(const auto row, attempt.Read(services_.data, RotationKey()));
  if (row.has_value()) {
    ASSIGN_OR_RETURN(const KeyRotation current, DecodeRotation(*row));
    if (current.data_keys || !data_keys) return current;
  }
  const KeyRotation rotation{call.now, 0, data_keys};
  attempt.data().Put(RotationKey(), EncodeRotation(rotation));
  return rotation;
}

absl::StatusOr<std::optional<KeyRotation>> KeyRotations::Current() const {
  ASSIGN_OR_RETURN(const auto row, services_.data.Get(RotationKey()));
  if (!row.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(const KeyRotation rotation, DecodeRotation(*row));
  return rotation;
}

absl::StatusOr<std::set<uint16_t>> KeyRotations::NextBuckets(
    const KeyRotation& rotation) const {
  std::set<uint16_t> buckets;
  size_t bytes = 0;
  size_t people = 0;
  for (uint32_t next = rotation.done; next < kBucketCount; ++next) {
    const auto bucket = static_cast<uint16_t>(next);
    RETURN_IF_ERROR(ForEachRow(services_.keys,
                               BucketPrefix(base::kSpaceDeks, bucket),
                               [&](const storage::Row& row) {
                                 bytes += row.key.size() + row.value.size();
                                 ++people;
                                 return absl::OkStatus();
                               }));
    const bool full = bytes > kBytesMax || people > kPeopleMax;
    if (full && !buckets.empty()) break;
    buckets.insert(bucket);
    if (buckets.size() == kBucketsMax) break;
  }
  return buckets;
}

absl::Status KeyRotations::PutDone(Attempt& attempt,
                                   const KeyRotation& rotation,
                                   const std::set<uint16_t>& buckets) const {
  ASSIGN_OR_RETURN(const auto row, attempt.Read(services_.data, RotationKey()));
  if (row != EncodeRotation(rotation)) return absl::OkStatus();
  if (rotation.data_keys) RETURN_IF_ERROR(MarkAll(attempt, buckets));
  KeyRotation next = rotation;
  next.done += static_cast<uint32_t>(buckets.size());
  if (next.done >= kBucketCount) {
    attempt.data().Delete(RotationKey());
  } else {
    attempt.data().Put(RotationKey(), EncodeRotation(next));
  }
  return absl::OkStatus();
}

bool KeyRotations::IsServed(base::TenantId tenant) const {
  return services_.store_keys.SuiteOfServed(tenant).has_value();
}

absl::Status KeyRotations::MarkAll(Attempt& attempt,
                                   const std::set<uint16_t>& buckets) const {
  for (const uint16_t bucket : buckets) {
    RETURN_IF_ERROR(MarkPeople(attempt, bucket));
    RETURN_IF_ERROR(MarkShards(attempt, bucket));
  }
  return absl::OkStatus();
}

absl::Status KeyRotations::MarkPeople(Attempt& attempt, uint16_t bucket) const {
  return ForEachRow(
      services_.keys, BucketPrefix(base::kSpaceDeks, bucket),
      [&](const storage::Row& row) -> absl::Status {
        const auto person = ParsePersonsRow(row.key);
        if (!person.has_value()) {
          return absl::DataLossError("a row of keys is damaged");
        }
        // Of a tenant that is not served now, nothing can be written anew.
        if (!IsServed(person->tenant)) return absl::OkStatus();
        ASSIGN_OR_RETURN(const DeksRow deks, DecodeDeksRow(row.value));
        for (const WrappedDek& dek : deks.wrapped) {
          if (dek.class_number == policy::kClassFacts) continue;
          attempt.data().Put(
              WornKey(person->tenant, person->subject, dek.class_number),
              WornRowValue(WornStage::kWorn));
        }
        return absl::OkStatus();
      });
}

absl::Status KeyRotations::MarkShards(Attempt& attempt, uint16_t bucket) const {
  return ForEachRow(
      services_.keys, BucketPrefix(base::kSpaceLeafByBucket, bucket),
      [&](const storage::Row& row) -> absl::Status {
        const auto shard = ParseIndexShardLeafKey(
            std::string_view(row.key).substr(kBucketPrefixSize));
        if (shard.has_value() && IsServed(shard->tenant)) {
          attempt.data().Put(
              WornShardKey(shard->tenant, shard->kind, shard->route),
              WornRowValue(WornStage::kWorn));
        }
        return absl::OkStatus();
      });
}

}  // namespace hizo::vault
