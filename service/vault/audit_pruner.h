// AuditPruner: ends what the audit duty no longer has kept.
//
// A month of the log ends when all of its entries are older than the duty:
//
//   1 whoever still has entries, or may get some, has their way back moved to
//     the key of a later month; the others lose theirs
//   2 the keys of the months that end are destroyed in a seal (sealer.h):
//     from here on their entries are anonymous, wherever copies lie
//   3 the entries go, a few thousand in one Attempt, with an event that says
//     how far the log is pruned (audit/prune.h)
//
// Each step may be done again: after a crash the next run goes on.
//
// Threads: one Run at a time. Lifetime: everything given outlives it.
#ifndef HIZO_SERVICE_VAULT_AUDIT_PRUNER_H_
#define HIZO_SERVICE_VAULT_AUDIT_PRUNER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/vault/attempt.h"
#include "service/vault/audit_keys.h"
#include "service/vault/committer.h"
#include "service/vault/erasure_runner.h"
#include "service/vault/services.h"

namespace hizo::vault {

class AuditPruner {
 public:
  AuditPruner(const Services& services, Committer& committer,
              ErasureRunner& runner)
      : services_(services), committer_(committer), runner_(runner) {}

  // Ends months that ended `keep_years` before `now` or earlier. How many
  // entries were pruned; on an error the next run goes on.
  absl::StatusOr<uint64_t> Run(base::Timestamp now, uint32_t keep_years);
  // Makes the store's keys of the month of `now` and the next, if there are
  // none.
  absl::Status PrepareMonths(base::Timestamp now);

 private:
  // A way back, and whose it is.
  struct WayBackOf {
    base::AuditReference reference;
    base::TenantId tenant = base::TenantId::kStore;
    base::SubjectId subject;
  };
  // The leaves of months before `end`, of the store and of tenants served.
  absl::StatusOr<std::vector<Leaf>> LeavesBefore(AuditMonth end) const;
  absl::Status MoveWaysBack(AuditMonth end, base::Timestamp now);
  absl::StatusOr<std::optional<WayBackOf>> Due(const storage::Row& row,
                                               AuditMonth end) const;
  absl::Status MoveOne(const WayBackOf& way, AuditMonth end,
                       base::Timestamp now);
  // The month to whose end the person may be named; nullopt: no longer.
  absl::StatusOr<std::optional<AuditMonth>> KeptIn(Attempt& attempt,
                                                   const WayBackOf& way,
                                                   bool may_get_more,
                                                   AuditMonth end,
                                                   base::Timestamp now) const;
  absl::StatusOr<uint64_t> PruneEntries(AuditMonth end);
  std::unique_ptr<Attempt> NewAttempt(base::TenantId tenant) const;

  const Services& services_;
  Committer& committer_;
  ErasureRunner& runner_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_AUDIT_PRUNER_H_
