// Policies: a company's policy, looked at and put in force.
//
// What is activated is one sealed row of the tenant, with the files as they
// came, who activated it and when; it is written in one commit with its event,
// and is in force in memory before anybody can see that commit. At a start it
// goes before the files of the configuration. The texts about what is wrong
// with files quote them: an operator wrote them, and nothing in them comes from
// a person.
//
// Threads: const methods may be called concurrently. Lifetime: services and
// table outlive it.
#ifndef HIZO_SERVICE_VAULT_POLICIES_H_
#define HIZO_SERVICE_VAULT_POLICIES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/base/reason.h"
#include "service/policy/company_policy.h"
#include "service/policy/succession.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/policy_table.h"
#include "service/vault/services.h"

namespace hizo::vault {

// What would come of a policy.
struct PolicyVerdict {
  base::Reason refusal = base::Reason::kNone;
  std::vector<std::string> problems;  // "operator:12: what is wrong"
  // As far as the files could be read.
  std::string profile_id;
  uint32_t version = 0;
  std::string digest;
  std::vector<policy::Conflict> conflicts;
  std::vector<policy::PolicyChange> changes;
};

struct ActivatedPolicy {
  uint32_t version = 0;
  std::string digest;
  bool changed = false;
};

// Which policy a tenant is decided by.
struct PolicyState {
  std::string tenant;
  std::string profile_id;
  uint32_t version = 0;
  std::string digest;
  std::optional<Activation> activation;  // nullopt: it is of the files
  bool files_differ = false;             // the configuration names others
};

class Policies {
 public:
  // Without a parser no policy can be read.
  Policies(const Services& services, policy::PolicyParser parser)
      : services_(services),
        parser_(std::move(parser)),
        table_(std::make_unique<PolicyTable>(services.access)) {}

  // What is wrong with files is no error, see PolicyVerdict.
  absl::StatusOr<PolicyVerdict> Validate(
      Attempt& attempt, const Call& call,
      const policy::PolicyTexts& texts) const;
  // kPolicyInvalid, kTooLarge, kPolicyConflict as Validate would tell;
  // kOverloaded while too many policies that were followed are still in use.
  absl::StatusOr<ActivatedPolicy> Activate(
      Attempt& attempt, const Call& call,
      const policy::PolicyTexts& texts) const;
  // kNotInPolicy if the tenant has no policy.
  absl::StatusOr<std::vector<policy::Conflict>> Conflicts(
      Attempt& attempt, const Call& call) const;

  // Has each tenant decided by what was activated for it. kFailedPrecondition,
  // with a text for the operator, if one of them is none any more; kDataLoss
  // for a row that is not as it was written.
  absl::Status Load();
  // Of each tenant that has one, in the order of the table of tenants.
  std::vector<PolicyState> States() const;
  const PolicyTable& table() const { return *table_; }

 private:
  // Files that were read as far as they can be.
  struct Draft {
    PolicyVerdict verdict;
    std::unique_ptr<const policy::CompanyPolicy> company;
  };
  Draft Read(const Call& call, const policy::PolicyTexts& texts) const;
  absl::StatusOr<PolicyInForce> Open(base::TenantId tenant,
                                     std::string_view row) const;

  const Services& services_;
  const policy::PolicyParser parser_;
  const std::unique_ptr<PolicyTable> table_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_POLICIES_H_
