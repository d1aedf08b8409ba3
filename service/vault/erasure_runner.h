// ErasureRunner: finishes erasures that were acknowledged. What is to be done
// stands as fences in the keys store, so that it is the same after a crash.
//
//   fence in grace     -> a fence, once the grace is over; nobody can take the
//                         erasure back from then on
//   fence with DEKs    -> seal (sealer.h), many people at once
//   fence, sealed      -> delete the records (what is kept stays), sign the
//                         receipt, take the fence
//                         away; one Attempt with one event for each person
//
// Whatever seals does so here: Renew, Rotate and End too.
//
// Threads: Run, Renew, Rotate and End may be called concurrently; calls follow
// one another. Lifetime: everything given outlives it.
#ifndef HIZO_SERVICE_VAULT_ERASURE_RUNNER_H_
#define HIZO_SERVICE_VAULT_ERASURE_RUNNER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/audit/log.h"
#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/vault/committer.h"
#include "service/vault/erasure_record.h"
#include "service/vault/facts_store.h"
#include "service/vault/fence.h"
#include "service/vault/key_rotation.h"
#include "service/vault/renewals.h"
#include "service/vault/row_keys.h"
#include "service/vault/sealer.h"
#include "service/vault/services.h"

namespace hizo::vault {

// So many people in one seal: what is written at once stays some megabytes.
inline constexpr size_t kPersonsPerSealMax = 128;

class ErasureRunner {
 public:
  struct Parts {
    Sealer::Parts sealer;
    const Services& services;
    std::string origin;  // of the log, which signs receipts
    const base::Clock& clock;
  };
  explicit ErasureRunner(const Parts& parts);

  // Seals and finishes whatever stands behind a fence now. How many people were
  // finished; an error if some were not, who stay behind their fences.
  absl::StatusOr<size_t> Run();
  // Renews what is marked (renewals.h), in one pass: how many marks were ended.
  absl::StatusOr<size_t> Renew();
  // The next seal of a rotation of keys (key_rotation.h); whether there are
  // more to come. On an error the next call goes on.
  absl::StatusOr<bool> Rotate();
  // Ends the keys of leaves, in every copy.
  absl::Status End(std::vector<Leaf> leaves);
  // How many marks there are, each kind counted up to 10,000.
  absl::StatusOr<size_t> WaitingRenewals() const { return renewals_.Waiting(); }
  // How many people wait to be sealed or finished, those in grace left out, of
  // the first 10,000 behind fences.
  absl::StatusOr<size_t> Waiting() const;

 private:
  struct Pending {
    PersonsRow person;
    std::string fence_key;
    Fence fence;
    ErasureRecord record;
  };
  // As many as one seal takes. A seal wraps anew what other fences hold, so
  // that the next ones must be read after it. Where nobody's turn it is, they
  // are not read again before there are others, or somebody's grace is over.
  absl::StatusOr<std::vector<Pending>> Read() HIZO_REQUIRES(mutex_);
  // Whether this ended it.
  absl::StatusOr<bool> EndGraceOf(const PersonsRow& person) const;
  // nullopt for one whose turn it is not yet; `again` becomes the time at which
  // to look, if that is earlier.
  absl::StatusOr<std::optional<Pending>> PendingOf(
      const storage::Row& row, base::Timestamp& again) const;
  absl::StatusOr<Sealer::Person> PersonOf(const Pending& pending) const;
  absl::Status SealThose(std::vector<Pending>& pending);
  absl::Status FinishThose(const std::vector<Pending>& pending);
  // Deletes records until one Attempt can delete the rest.
  absl::Status DeleteMost(const Pending& pending);
  absl::StatusOr<std::unique_ptr<Attempt>> LastStep(const Pending& pending,
                                                    std::string receipt) const;
  // kResourceExhausted while only the reserve of a disk is left, which seals
  // may use: for those that end nobody's data.
  absl::Status CheckRoom() const;
  std::unique_ptr<Attempt> NewAttempt(base::TenantId tenant,
                                      policy::Action action) const;
  std::unique_ptr<Attempt> NewStep(const Pending& pending) const;
  absl::StatusOr<std::string> ReceiptFor(const Pending& pending) const;

  const Parts parts_;
  base::Mutex mutex_;
  Sealer sealer_ HIZO_GUARDED_BY(mutex_);
  // Of when it was nobody's turn: how many batches with fences there had been,
  // and until when that holds. nullopt: somebody may wait.
  struct Nobody {
    uint64_t fence_batches = 0;
    base::Timestamp until;
  };
  std::optional<Nobody> nobody_ HIZO_GUARDED_BY(mutex_);
  const Renewals renewals_;
  const KeyRotations rotations_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ERASURE_RUNNER_H_
