// Which policy of a company may follow which, and what then changes.
//
// Threads: functions may be called concurrently.
#ifndef HIZO_SERVICE_POLICY_SUCCESSION_H_
#define HIZO_SERVICE_POLICY_SUCCESSION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "service/policy/catalogue.h"
#include "service/policy/company_policy.h"

namespace hizo::policy {

// kFailedPrecondition with the overlay's file and line if `next` may not follow
// `present`: it is older, or of the same version with other content, or of
// another profile that its overlay does not say it replaces, or it keeps
// shorter what a law has kept.
absl::Status MayFollow(const CompanyPolicy& present, const CompanyPolicy& next);

// Numbers are those of hizo.v1.PolicyChangeKind.
enum class ChangeKind : uint8_t {
  kSetting = 1,
  kPurpose = 2,
  kClass = 3,
  kRetention = 4,
  kConflict = 5,
};

// One thing that two policies say differently, in words for people; empty where
// one of them says nothing.
struct PolicyChange {
  ChangeKind kind = ChangeKind::kSetting;
  std::string name;
  std::string before;
  std::string after;
  bool operator==(const PolicyChange&) const = default;
};

// By kind; of a kind in the catalogue's order, or by name. All that `next` says
// if there is no present policy (nullptr).
std::vector<PolicyChange> ChangesBetween(const Catalogue& catalogue,
                                         const CompanyPolicy* present,
                                         const CompanyPolicy& next);

}  // namespace hizo::policy

#endif  // HIZO_SERVICE_POLICY_SUCCESSION_H_
