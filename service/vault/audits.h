// Audits: questions to the audit log, its signed head, what it proves, and the
// log itself to be verified elsewhere.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_AUDITS_H_
#define HIZO_SERVICE_VAULT_AUDITS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/audit/export.h"
#include "service/audit/proofs.h"
#include "service/audit/query.h"
#include "service/base/ids.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/services.h"

namespace hizo::vault {

struct QueryAuditInput {
  std::optional<base::SubjectId> subject;
  // Names are looked up by the vault, empty ones name nothing.
  std::string role;  // as callers have it now
  std::string record_class;
  std::string field;  // such as profile.full_name
  std::string purpose;
  std::string other_than_purpose;
  audit::Filter filter;  // the rest; tenant and subject are set by the vault
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

// A proof from a tree of `tree_size` entries. The checkpoint is there if that
// was the head of the log.
struct LogProof {
  uint64_t tree_size = 0;
  audit::Proof hashes;
  std::string entry;  // that is proved to be in the log, if one was asked for
  std::optional<Checkpoint> checkpoint;
};
struct ExportAuditInput {
  uint64_t first = 0;
  uint64_t size = 0;  // 0: the log as it is
};
// What follows from `first` on of a log of `size` entries; the rest, if there
// is any, from where this ends.
struct ExportedAudit {
  uint64_t first = 0;
  uint64_t size = 0;
  audit::ExportedTile entries;
  std::optional<Checkpoint> checkpoint;
};

inline constexpr size_t kExportBytes = size_t{512} << 10U;

// Whom a reference names, as long as the way back to them can be read.
std::optional<base::SubjectId> WayBack(const Services& services,
                                       base::TenantId tenant,
                                       base::AuditReference reference);
// The fields of a class, as the log is asked for them. kFieldUnknown if there
// is no such class.
absl::StatusOr<audit::FieldsOfClass> FieldsOfClass(
    const policy::Catalogue& catalogue, std::string_view record_class);

class Audits {
 public:
  explicit Audits(const Services& services) : services_(services) {}

  // Events of the caller's own tenant. kSubjectNotFound if the filter names a
  // person who is not there.
  absl::StatusOr<AuditPage> Query(Attempt& attempt, const Call& call,
                                  const QueryAuditInput& input) const;
  absl::StatusOr<Checkpoint> GetCheckpoint(Attempt& attempt,
                                           const Call& call) const;
  // That an entry of the caller's tenant is among the first `tree_size` (0: all
  // that there are). kRecordNotFound if there is none, kValueInvalid if there
  // is no such tree.
  absl::StatusOr<LogProof> ProveInclusion(Attempt& attempt, const Call& call,
                                          uint64_t sequence,
                                          uint64_t tree_size) const;
  // That the first `newer` entries (0: all that there are) begin with the first
  // `older`. kValueInvalid if there are no such trees.
  absl::StatusOr<LogProof> ProveConsistency(Attempt& attempt, const Call& call,
                                            uint64_t older,
                                            uint64_t newer) const;
  // About kExportBytes at a time. kValueInvalid if there is no such place.
  absl::StatusOr<ExportedAudit> Export(Attempt& attempt, const Call& call,
                                       const ExportAuditInput& input) const;

 private:
  absl::StatusOr<AuditPage> Read(const Call& call, const QueryAuditInput& input,
                                 audit::Filter filter) const;
  absl::StatusOr<audit::Filter> FilterOf(const Call& call,
                                         const QueryAuditInput& input) const;
  // Without hashes yet, of a tree of `size` entries (0: the head's).
  LogProof ProofOf(const audit::Head& head, uint64_t size) const;
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_AUDITS_H_
