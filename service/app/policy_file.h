// A company's policy, as files: deploy/policies/README.md explains the form.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_APP_POLICY_FILE_H_
#define HIZO_SERVICE_APP_POLICY_FILE_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "service/policy/access_table.h"
#include "service/policy/company_policy.h"

namespace hizo::app {

inline constexpr size_t kPolicyEntriesMax = 256;

// Reads the three. kNotFound if one is missing; kInvalidArgument with file,
// line and reason for an unknown key, class or field, a duration that is none,
// a part of the policy without its clause, an entry of the operator's without
// who made it and why, more entries of a kind than kPolicyEntriesMax. Whether
// they agree, and with the catalogue, is for policy::CompanyPolicy::Create to
// say.
absl::StatusOr<policy::PolicySource> ReadPolicy(
    const policy::PolicyFiles& files);

// The same of their texts, of which errors name `profile`, `statutory` and
// `operator`.
absl::StatusOr<policy::PolicySource> ParsePolicy(
    const policy::PolicyTexts& texts);

// Gives every tenant of `access` that names one its policy, compiled. Tenants
// only point to what is returned.
absl::StatusOr<std::vector<std::unique_ptr<const policy::CompanyPolicy>>>
CompilePolicies(const policy::Catalogue& catalogue,
                policy::AccessSource& access);

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_POLICY_FILE_H_
