#include "service/vault/peppers.h"

#include <string>
#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"

namespace hizo::vault {
namespace {

std::string NameOfAll(base::TenantId tenant) {
  return StoreKeys::LeafKey({tenant, LeafKind::kPepper, ""});
}

}  // namespace

absl::StatusOr<uint32_t> Peppers::Last(Attempt& attempt,
                                       base::TenantId tenant) const {
  const std::string all = NameOfAll(tenant);
  ASSIGN_OR_RETURN(
      const auto rows,
      attempt.Scan(keys_, storage::PrefixRange(all, kPeppersMax), all));
  // Numbered without gaps: the rows are in the order of their numbers.
  const auto last = static_cast<uint32_t>(rows.size());
  if (last == 0 ||
      rows.back().key != StoreKeys::LeafKey(PepperLeaf(tenant, last))) {
    return absl::DataLossError("a tenant's peppers are not all there");
  }
  return last;
}

absl::StatusOr<Pepper> Peppers::Current(Attempt& attempt,
                                        base::TenantId tenant) const {
  ASSIGN_OR_RETURN(const uint32_t last, Last(attempt, tenant));
  ASSIGN_OR_RETURN(auto key, Read(attempt, tenant, last));
  if (!key.has_value()) return absl::DataLossError("a tenant has no pepper");
  return Pepper{last, *std::move(key)};
}

absl::StatusOr<std::optional<crypto::Key>> Peppers::Read(Attempt& attempt,
                                                         base::TenantId tenant,
                                                         uint32_t id) const {
  return store_keys_.ReadLeaf(attempt, PepperLeaf(tenant, id));
}

absl::StatusOr<uint32_t> Peppers::Add(Attempt& attempt,
                                      base::TenantId tenant) const {
  ASSIGN_OR_RETURN(const uint32_t last, Last(attempt, tenant));
  if (last >= kPeppersMax) return base::Fail(base::Reason::kTooLarge);
  store_keys_.CreateLeaf(attempt, PepperLeaf(tenant, last + 1));
  attempt.AlsoChanges(NameOfAll(tenant));
  return last + 1;
}

}  // namespace hizo::vault
