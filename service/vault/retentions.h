// Retentions: what is no longer to be kept, ending it, and years that have
// invoices kept longer.
//
// Entries of classes that end by themselves (policy/retention.h) are ended once
// a day, and by a call; so is what an erasure had kept and no law has kept any
// more. A run takes as long as deleting does: a call begins it and ListDue
// tells how far it is and what came of it; so does an audit event of its own,
// by `hizod`.
//
// Threads: every method may be called concurrently. Lifetime: everything given
// outlives it; the destructor ends a run that is under way.
#ifndef HIZO_SERVICE_VAULT_RETENTIONS_H_
#define HIZO_SERVICE_VAULT_RETENTIONS_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/base/mutex.h"
#include "service/base/reason.h"
#include "service/policy/catalogue.h"
#include "service/policy/retention.h"
#include "service/vault/attempt.h"
#include "service/vault/background.h"
#include "service/vault/call.h"
#include "service/vault/committer.h"
#include "service/vault/entry_owners.h"
#include "service/vault/erasure_runner.h"
#include "service/vault/expiry.h"
#include "service/vault/period_ends.h"
#include "service/vault/services.h"

namespace hizo::vault {

// Numbers are those of hizo.v1.DueState.
enum class DueState : uint8_t {
  kDue = 1,
  kRestricted = 2,
  kHeld = 3,
  kUnset = 4,  // nobody has said until when the class is kept
};

// Entries of one period of one person, or a class that has no end.
struct DueEntries {
  std::string record_class;
  DueState state = DueState::kDue;
  std::optional<base::SubjectId> subject;  // kUnset: of everybody
  std::optional<policy::Day> ended;  // the first day on which they are no more
  size_t entries = 0;                // counted up to kRecordsPerDueMax
};

struct RetentionRun {
  base::Timestamp begun;
  base::Timestamp as_of;
  std::optional<base::Timestamp> ended;  // nullopt: it is under way
  PeriodEnds::Counts counts;
  uint64_t people = 0;  // of whom nothing, or less, is kept any more
  base::Reason reason = base::Reason::kNone;  // why it failed
};

struct DuePage {
  std::vector<DueEntries> due;
  std::string next_page_token;
  std::optional<RetentionRun> run;  // the tenant's newest since the start
};

struct LossYear {
  policy::Day until;  // the last day on which its records are kept
  std::string law;
};

class Retentions {
 public:
  static constexpr size_t kRecordsPerDueMax = 1000;
  struct Parts {
    const Services& services;
    Committer& committer;
    ErasureRunner& runner;
    const Expiry& expiry;
    const base::Clock& clock;
  };
  struct DueInput {
    std::optional<base::Timestamp> as_of;  // nullopt: now
    int32_t page_size = 0;
    std::string page_token;
  };

  explicit Retentions(const Parts& parts)
      : parts_(parts),
        owners_(parts.services),
        ends_(parts.services, parts.committer, parts.runner) {}
  Retentions(const Retentions&) = delete;
  Retentions& operator=(const Retentions&) = delete;
  ~Retentions() { stop_ = true; }

  // The tenant's entries whose time is over, in the order of classes, periods
  // and people, and classes of which nobody has said how long they are kept.
  absl::StatusOr<DuePage> ListDue(Attempt& attempt, const Call& call,
                                  const DueInput& input) const;
  // Begins to end what was over at `as_of`; if a run of the tenant is under
  // way, that one. kValueInvalid for a time that is yet to come.
  absl::StatusOr<RetentionRun> Begin(Attempt& attempt, const Call& call,
                                     std::optional<base::Timestamp> as_of);
  // Marks the fiscal year that ends on `year_ends` as one of a loss: the
  // class's records of it are kept for the longer term, those of the erased
  // too. Again changes nothing. kFieldUnknown for a class that is not there or
  // has no such term, kValueInvalid for a day on which none ends,
  // kRecordNotFound if the shorter term is over: nothing is there any more.
  absl::StatusOr<LossYear> MarkLossYear(Attempt& attempt, const Call& call,
                                        const std::string& record_class,
                                        const std::string& year_ends) const;

  // Ends entries of everybody, as Hizo does by itself.
  absl::StatusOr<PeriodEnds::Counts> EndPeriods(
      base::Timestamp now, const PeriodEnds::Progress& progress);
  bool busy() const;

 private:
  struct Cursor;
  absl::Status AddDue(Attempt& attempt, const Call& call,
                      const policy::ClassSpec& spec, Cursor& cursor,
                      DuePage& page) const;
  static void AddUnset(const Services& services, const Call& call,
                       DuePage& page);
  absl::StatusOr<std::optional<DueEntries>> NextDue(
      Attempt& attempt, base::TenantId tenant, const policy::ClassSpec& spec,
      Cursor& cursor) const;
  void Run(base::TenantId tenant);
  absl::Status DoWork(base::TenantId tenant, base::Timestamp as_of);
  absl::Status Record(base::TenantId tenant, const RetentionRun& run);

  const Parts parts_;
  const EntryOwners owners_;
  std::atomic<bool> stop_ = false;
  mutable base::Mutex mutex_;
  std::map<base::TenantId, RetentionRun> runs_ HIZO_GUARDED_BY(mutex_);
  base::Mutex ending_;
  PeriodEnds ends_ HIZO_GUARDED_BY(ending_);
  Background background_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_RETENTIONS_H_
