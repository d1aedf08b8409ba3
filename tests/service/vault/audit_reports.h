// What is asked of the log about people, in tests.
#ifndef HIZO_TESTS_SERVICE_VAULT_AUDIT_REPORTS_H_
#define HIZO_TESTS_SERVICE_VAULT_AUDIT_REPORTS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "service/vault/access_history.h"
#include "service/vault/audits.h"
#include "service/vault/breach_scope.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {

inline Call AuditCall(const VaultFixture& vault, Action action,
                      const char* actor = test::kAuditor) {
  return vault.CallOf(actor, action, test::kSecurityAudit);
}

inline absl::StatusOr<HistoryPage> ReadHistory(
    VaultFixture& vault, const AccessHistoryInput& input,
    const char* actor = test::kAuditor) {
  const Call call = AuditCall(vault, Action::kAuditHistory, actor);
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().histories().Read(attempt, call, input);
  });
}

inline absl::StatusOr<BreachScopePage> ReadScope(
    VaultFixture& vault, const BreachScopeInput& input,
    const char* actor = test::kAuditor) {
  const Call call = AuditCall(vault, Action::kAuditBreach, actor);
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().breaches().Read(attempt, call, input);
  });
}

inline absl::StatusOr<AuditPage> ReadLog(VaultFixture& vault,
                                         const QueryAuditInput& input) {
  const Call call = AuditCall(vault, Action::kAuditQuery);
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().audits().Query(attempt, call, input);
  });
}

// A record as `actor` reads it for `purpose`.
inline absl::StatusOr<ShownRecord> ReadAs(
    VaultFixture& vault, const char* actor, policy::PurposeNumber purpose,
    base::SubjectId subject, const std::string& record_class,
    const std::vector<std::string>& fields, policy::View view) {
  const Call call = vault.CallOf(actor, Action::kRecordGet, purpose);
  GetRecordInput input;
  input.subject = subject;
  input.selection = {record_class, fields, view};
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().records().Get(attempt, call, input);
  });
}

}  // namespace hizo::vault

#endif  // HIZO_TESTS_SERVICE_VAULT_AUDIT_REPORTS_H_
