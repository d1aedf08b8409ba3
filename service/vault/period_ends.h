// PeriodEnds: ends entries whose period is over (policy/retention.h), of
// everybody at once.
//
//   1 the period's entries are deleted, some at a time, with an event for each
//     person; those of a class that is held, and of people whose data are only
//     kept, are sealed anew without the period's key
//   2 the key of the period is destroyed in a seal: no copy of an entry opens
//
// Nobody has read an ended entry since the period was over. What was held and
// is so no more goes with the next run, and its class gets new keys
// (renewals.h). Entries of before their class was to end are found, and sealed
// anew, once.
//
// Each step may be done again: after a crash the next run goes on.
//
// Threads: one Run at a time. Lifetime: everything given outlives it.
#ifndef HIZO_SERVICE_VAULT_PERIOD_ENDS_H_
#define HIZO_SERVICE_VAULT_PERIOD_ENDS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/policy/catalogue.h"
#include "service/vault/attempt.h"
#include "service/vault/committer.h"
#include "service/vault/entry_owners.h"
#include "service/vault/erasure_runner.h"
#include "service/vault/periods.h"
#include "service/vault/row_keys.h"
#include "service/vault/services.h"

namespace hizo::vault {

class PeriodEnds {
 public:
  struct Counts {
    uint64_t periods = 0;  // whose keys were destroyed
    uint64_t entries = 0;  // that were deleted
    uint64_t held = 0;     // that stay, though their time is over
    bool operator==(const Counts&) const = default;
  };
  // Told what has been done so far, and asked whether to go on.
  using Progress = std::function<bool(const Counts&)>;

  PeriodEnds(const Services& services, Committer& committer,
             ErasureRunner& runner)
      : services_(services),
        committer_(committer),
        runner_(runner),
        owners_(services) {}

  // Ends what is over at `now`, of one tenant or of all; `progress` may be
  // nullptr. On an error, and if it was to go on no longer, the next run goes
  // on.
  absl::StatusOr<Counts> Run(base::Timestamp now,
                             std::optional<base::TenantId> only,
                             const Progress& progress);

 private:
  struct Of {
    base::TenantId tenant = base::TenantId::kStore;
    const policy::ClassSpec* spec = nullptr;
    base::Timestamp now;
  };
  struct Step {
    std::unique_ptr<Attempt> attempt;  // nullptr: nothing to write
    Counts counts;
  };
  absl::Status RunClass(const Of& of);
  absl::Status EndRows(const Of& of, uint32_t period);
  // Those of one page; whether all of them are done.
  absl::StatusOr<bool> EndPage(const Of& of, std::span<const EntryEndRow> rows);
  absl::StatusOr<Step> StepFor(const Of& of,
                               std::span<const EntryEndRow> rows) const;
  absl::Status AddEntry(const EntryEndRow& entry, const EntryOwner& person,
                        PeriodKeys& period_keys, Step& step) const;
  absl::Status EndKeys(const Of& of);
  // Entries of before the class was to end.
  absl::Status Adopt(const Of& of);
  absl::Status AdoptOf(const Of& of, base::SubjectId subject);
  absl::StatusOr<std::unique_ptr<Attempt>> AdoptSome(const Of& of,
                                                     base::SubjectId subject,
                                                     std::string& after) const;
  absl::Status AdoptRow(const Of& of, const EntryOwner& person,
                        const storage::Row& row, Attempt& attempt) const;
  bool GoesOn() const { return progress_ == nullptr || (*progress_)(counts_); }

  const Services& services_;
  Committer& committer_;
  ErasureRunner& runner_;
  const EntryOwners owners_;
  Counts counts_;
  const Progress* progress_ = nullptr;
  std::set<uint32_t> left_;  // periods of which rows are left, of a class
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_PERIOD_ENDS_H_
