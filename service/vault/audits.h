// Audits: questions to the audit log, and its signed head.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_AUDITS_H_
#define HIZO_SERVICE_VAULT_AUDITS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/audit/query.h"
#include "service/base/ids.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/services.h"

namespace hizo::vault {

struct QueryAuditInput {
  std::optional<base::SubjectId> subject;
  audit::Filter filter;  // tenant and subject are set by the vault
  audit::Order order = audit::Order::kNewestFirst;
  int32_t page_size = 0;
  std::string page_token;
};
struct ShownEvent {
  audit::Found found;
  // The person, as long as the way back to them can be read.
  std::optional<base::SubjectId> subject;
};
struct AuditPage {
  std::vector<ShownEvent> events;
  std::string next_page_token;
};
struct Checkpoint {
  std::string note;
  std::string verifier_key;
};

class Audits {
 public:
  explicit Audits(const Services& services) : services_(services) {}

  // Events of the caller's own tenant. kSubjectNotFound if the filter names a
  // person who is not there.
  absl::StatusOr<AuditPage> Query(Attempt& attempt, const Call& call,
                                  const QueryAuditInput& input) const;
  absl::StatusOr<Checkpoint> GetCheckpoint(Attempt& attempt,
                                           const Call& call) const;

 private:
  absl::StatusOr<AuditPage> Read(const Call& call, const QueryAuditInput& input,
                                 audit::Filter filter) const;
  std::optional<base::SubjectId> WayBack(base::TenantId tenant,
                                         base::AuditReference reference) const;
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_AUDITS_H_
