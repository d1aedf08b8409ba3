#include "service/vault/erasure_grace.h"

#include "service/base/status_macros.h"

namespace hizo::vault {

absl::StatusOr<std::optional<ErasureGrace>> ReadGrace(
    Attempt& attempt, const Services& services, const PersonsRow& person) {
  const auto& [bucket, tenant, subject] = person;
  ASSIGN_OR_RETURN(
      const auto fence,
      attempt.Read(services.keys, FenceKey(bucket, tenant, subject)));
  ASSIGN_OR_RETURN(const auto record,
                   attempt.Read(services.data, ErasureKey(tenant, subject)));
  // Keys are written before data: the rest of it may be on its way.
  if (!fence.has_value() || !record.has_value()) return std::nullopt;
  ErasureGrace grace{person, {}, {}};
  ASSIGN_OR_RETURN(grace.fence, DecodeFence(*fence));
  if (grace.fence.stage != FenceStage::kInGrace) return std::nullopt;
  ASSIGN_OR_RETURN(grace.record,
                   OpenErasureRecord(services.data, services.store_keys, tenant,
                                     subject, *record));
  return grace;
}

void PutGraceEnd(Attempt& attempt, const StoreKeys& store_keys,
                 ErasureGrace& grace, std::optional<base::Timestamp> due) {
  const auto& [bucket, tenant, subject] = grace.person;
  grace.record.grace_until = due;
  grace.fence.stage =
      due.has_value() ? FenceStage::kInGrace : FenceStage::kFenced;
  grace.fence.due = due.value_or(base::Timestamp());
  attempt.keys().Put(FenceKey(bucket, tenant, subject),
                     EncodeFence(grace.fence));
  attempt.data().Put(
      ErasureKey(tenant, subject),
      SealErasureRecord(store_keys, tenant, subject, grace.record));
}

}  // namespace hizo::vault
