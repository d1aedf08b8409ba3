// ErasureRunner: finishes erasures that were acknowledged. What is to be done
// stands as fences in the keys store, so that it is the same after a crash.
//
//   fence with DEKs    -> seal (sealer.h), many people at once
//   fence, sealed      -> delete the records, sign the receipt, take the fence
//                         away; one Attempt with one event for each person
//
// Threads: Run may be called concurrently; calls follow one another. Lifetime:
// everything given outlives it.
#ifndef HIZO_SERVICE_VAULT_ERASURE_RUNNER_H_
#define HIZO_SERVICE_VAULT_ERASURE_RUNNER_H_

#include <cstddef>
#include <memory>
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
  // How many people stand behind fences, counted up to 10,000.
  absl::StatusOr<size_t> Waiting() const;

 private:
  struct Pending {
    PersonsRow person;
    std::string fence_key;
    Fence fence;
    ErasureRecord record;
  };
  absl::StatusOr<std::vector<Pending>> Read() const;
  absl::StatusOr<Sealer::Person> PersonOf(const Pending& pending) const;
  absl::Status SealThose(std::vector<Pending>& pending);
  absl::Status FinishThose(const std::vector<Pending>& pending);
  // Deletes records until one Attempt can delete the rest.
  absl::Status DeleteMost(const Pending& pending);
  absl::StatusOr<std::unique_ptr<Attempt>> LastStep(const Pending& pending,
                                                    std::string receipt) const;
  std::unique_ptr<Attempt> NewAttempt(const Pending& pending) const;
  absl::StatusOr<std::string> ReceiptFor(const Pending& pending) const;
  absl::Status Commit(std::unique_ptr<Attempt> attempt);

  const Parts parts_;
  base::Mutex mutex_;
  Sealer sealer_ HIZO_GUARDED_BY(mutex_);
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ERASURE_RUNNER_H_
