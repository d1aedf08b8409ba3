// BackupJobs: backups of the data store while it serves, one at a time.
//
// A backup takes minutes, so a call begins it and others see how far it is. The
// work begins when the call's attempt is over, on a thread of its own, at low
// priority. It has an audit event of its own, by `hizod`, that tells what came
// of it; what was done is only told once that is durable.
//
// A backup holds records and the audit log, all of it sealed or without values.
// It never holds a key: whoever has backups only can read nothing, and whom
// Hizo erases is erased from them too.
//
// Threads: every method may be called concurrently. Lifetime: everything given
// outlives it; the destructor ends a backup that is under way.
#ifndef HIZO_SERVICE_VAULT_BACKUP_JOBS_H_
#define HIZO_SERVICE_VAULT_BACKUP_JOBS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/base/reason.h"
#include "service/policy/action.h"
#include "service/vault/access_gate.h"
#include "service/vault/attempt.h"
#include "service/vault/background.h"
#include "service/vault/call.h"
#include "service/vault/committer.h"
#include "storage/backups.h"

namespace hizo::vault {

// Numbers are those of hizo.v1.BackupJobState.
enum class JobState : uint8_t { kNone = 0, kRunning, kDone, kFailed };

// BackupJob: the newest piece of work on backups, done or not.
struct BackupJob {
  JobState state = JobState::kNone;
  policy::Action action = policy::Action::kNone;  // backup.create or .verify
  uint64_t number = 0;  // counts from 1 in each process
  uint64_t backup = 0;  // which one; of create: 0 until it is made
  uint64_t bytes = 0;   // copied so far
  base::Timestamp begun;
  base::Timestamp ended;
  base::Reason reason = base::Reason::kNone;  // why it failed
};

struct BackupList {
  std::vector<storage::Backup> backups;  // oldest first
  BackupJob job;
};

class BackupJobs {
 public:
  struct Parts {
    storage::Backups* backups;  // nullptr: none are configured
    size_t kept;                // so many, the newest
    const AccessGate& gate;
    Committer& committer;
    const base::Clock& clock;
  };
  explicit BackupJobs(const Parts& parts);
  BackupJobs(const BackupJobs&) = delete;
  BackupJobs& operator=(const BackupJobs&) = delete;
  ~BackupJobs();

  // Begins a backup, then deletes those beyond the number that is kept; if one
  // is being made, that one. kOverloaded while other work is under way,
  // kMethodUnknown where no place for backups is configured.
  absl::StatusOr<BackupJob> Create(Attempt& attempt, const Call& call);
  // Begins to read every byte of a backup. kRecordNotFound if there is none;
  // else as Create.
  absl::StatusOr<BackupJob> Verify(Attempt& attempt, const Call& call,
                                   uint64_t backup);
  absl::StatusOr<BackupList> List(Attempt& attempt, const Call& call) const;
  // Whether something is under way.
  bool busy() const;
  // When the newest backup was made.
  std::optional<base::Timestamp> Newest() const;

 private:
  absl::StatusOr<BackupJob> Begin(Attempt& attempt, policy::Action action,
                                  uint64_t backup, base::Timestamp now);
  void Run(BackupJob job);
  absl::Status DoWork(BackupJob& job);
  absl::Status Record(const BackupJob& job);

  const Parts parts_;
  mutable base::Mutex mutex_;
  BackupJob job_ HIZO_GUARDED_BY(mutex_);
  Background background_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_BACKUP_JOBS_H_
