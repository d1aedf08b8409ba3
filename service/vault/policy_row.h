// The row of a tenant's activated policy (FORMAT.md), sealed and opened.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_POLICY_ROW_H_
#define HIZO_SERVICE_VAULT_POLICY_ROW_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "service/base/ids.h"
#include "service/policy/company_policy.h"
#include "service/vault/policy_table.h"
#include "service/vault/store_keys.h"

namespace hizo::vault {

struct StoredPolicy {
  policy::PolicyTexts texts;
  std::string digest;  // in hex, as CompanyPolicy has it
  Activation activation;
};

std::string SealPolicyRow(const StoreKeys& keys, base::TenantId tenant,
                          const StoredPolicy& stored);
// kDataLoss or kIntegrityFailure for what SealPolicyRow did not make for this
// tenant.
absl::StatusOr<StoredPolicy> OpenPolicyRow(const StoreKeys& keys,
                                           base::TenantId tenant,
                                           std::string_view row);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_POLICY_ROW_H_
