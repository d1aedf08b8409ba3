// Call: what every use case knows of the call it serves.
//
// Threads: read only. Lifetime: as long as the use case runs.
#ifndef HIZO_SERVICE_VAULT_CALL_H_
#define HIZO_SERVICE_VAULT_CALL_H_

#include <optional>
#include <string_view>

#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/policy/access_table.h"
#include "service/policy/action.h"
#include "service/policy/catalogue.h"
#include "service/policy/company_policy.h"

namespace hizo::vault {

struct Call {
  const policy::Principal& principal;
  const policy::TenantSpec& tenant;
  policy::Action action = policy::Action::kNone;
  // 0: none was given. Given but unknown: 0 with `purpose_known` false.
  policy::PurposeNumber purpose = 0;
  bool purpose_known = true;
  std::optional<base::RequestId> request;
  // The request as it came over the wire, for telling repeats from reuse.
  std::string_view body;
  base::Timestamp now;
  // The tenant's policy that decides this call; nullptr: it has none, and
  // grants alone decide.
  const policy::CompanyPolicy* company = nullptr;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_CALL_H_
