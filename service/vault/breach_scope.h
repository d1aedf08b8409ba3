// BreachScopes: whom a breach concerns: everybody of whom a caller, or anybody,
// saw something within a window, and what.
//
// People who were erased since are counted and not named: nobody can reach
// them, and who they were is told to nobody.
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_BREACH_SCOPE_H_
#define HIZO_SERVICE_VAULT_BREACH_SCOPE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/audit/scope.h"
#include "service/base/ids.h"
#include "service/vault/attempt.h"
#include "service/vault/audits.h"
#include "service/vault/call.h"
#include "service/vault/services.h"

namespace hizo::vault {

struct BreachScopeInput {
  std::string actor;         // as its certificate names it; empty: anybody
  std::string record_class;  // empty: every one
  std::optional<base::Timestamp> start;  // inclusive
  std::optional<base::Timestamp> end;    // exclusive
  std::string page_token;
};

struct ExposedSubject {
  base::SubjectId subject;
  audit::Exposure exposure;
  // Somebody saw values of them: they are to be told.
  bool notify() const { return exposure.calls.revealed > 0; }
};

struct BreachScopePage {
  std::vector<ExposedSubject> subjects;
  // Erased since, of whom values or masks were shown; and of whom nothing was.
  uint64_t erased_exposed = 0;
  uint64_t erased_not_exposed = 0;
  // The entries of the window, in a log of `tree_size` entries. The checkpoint
  // comes with the first page.
  audit::Span entries;
  uint64_t tree_size = 0;
  std::optional<Checkpoint> checkpoint;
  std::string next_page_token;
};

class BreachScopes {
 public:
  explicit BreachScopes(const Services& services) : services_(services) {}

  // People of the caller's own tenant, a page at a time, which may be short,
  // even empty, before the last one.
  absl::StatusOr<BreachScopePage> Read(Attempt& attempt, const Call& call,
                                       const BreachScopeInput& input) const;

 private:
  // Whether the person can still be named, and how.
  absl::StatusOr<std::optional<base::SubjectId>> Named(
      base::TenantId tenant, base::AuditReference reference) const;
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_BREACH_SCOPE_H_
