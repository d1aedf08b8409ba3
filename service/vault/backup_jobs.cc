#include "service/vault/backup_jobs.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "service/audit/event.h"
#include "service/base/status_macros.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using policy::Action;

Reason ReasonOfFailure(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
      return Reason::kTooLarge;  // for what is free where it goes
    case absl::StatusCode::kNotFound:
      return Reason::kRecordNotFound;
    default:
      return base::ReasonOf(status);
  }
}

}  // namespace

BackupJobs::BackupJobs(const Parts& parts) : parts_(parts) {}

BackupJobs::~BackupJobs() {
  if (parts_.backups != nullptr) parts_.backups->Stop();
}

absl::StatusOr<BackupJob> BackupJobs::Create(Attempt& attempt,
                                             const Call& call) {
  RETURN_IF_ERROR(parts_.gate.AdmitStore(attempt, call));
  return Begin(attempt, Action::kBackupCreate, 0, call.now);
}

absl::StatusOr<BackupJob> BackupJobs::Verify(Attempt& attempt, const Call& call,
                                             uint64_t backup) {
  RETURN_IF_ERROR(parts_.gate.AdmitStore(attempt, call));
  if (parts_.backups == nullptr) return Fail(Reason::kMethodUnknown);
  const auto backups = parts_.backups->List();
  if (std::ranges::find(backups, backup, &storage::Backup::id) ==
      backups.end()) {
    return Fail(Reason::kRecordNotFound);
  }
  return Begin(attempt, Action::kBackupVerify, backup, call.now);
}

absl::StatusOr<BackupList> BackupJobs::List(Attempt& attempt,
                                            const Call& call) const {
  RETURN_IF_ERROR(parts_.gate.AdmitStore(attempt, call));
  if (parts_.backups == nullptr) return Fail(Reason::kMethodUnknown);
  BackupList list;
  list.backups = parts_.backups->List();
  const base::MutexLock lock(mutex_);
  list.job = job_;
  return list;
}

bool BackupJobs::busy() const {
  const base::MutexLock lock(mutex_);
  return job_.state == JobState::kRunning;
}

std::optional<base::Timestamp> BackupJobs::Newest() const {
  if (parts_.backups == nullptr) return std::nullopt;
  const auto backups = parts_.backups->List();
  if (backups.empty()) return std::nullopt;
  return base::Timestamp(std::chrono::seconds(backups.back().made));
}

absl::StatusOr<BackupJob> BackupJobs::Begin(Attempt& attempt, Action action,
                                            uint64_t backup,
                                            base::Timestamp now) {
  if (parts_.backups == nullptr) return Fail(Reason::kMethodUnknown);
  const base::MutexLock lock(mutex_);
  if (job_.state == JobState::kRunning) {
    // Asked again, as a caller does who has heard nothing.
    if (job_.action == action && (backup == 0 || job_.backup == backup)) {
      return job_;
    }
    return Fail(Reason::kOverloaded);
  }
  BackupJob job;
  job.state = JobState::kRunning;
  job.action = action;
  job.number = job_.number + 1;
  job.backup = backup;
  job.begun = now;
  job_ = job;
  background_.BeginAfter(attempt, [this, job] { Run(job); });
  return job;
}

void BackupJobs::Run(BackupJob job) {
  absl::Status status = DoWork(job);
  job.state = status.ok() ? JobState::kDone : JobState::kFailed;
  job.reason = status.ok() ? Reason::kNone : ReasonOfFailure(status);
  // Who is told that it was made finds it in the log.
  status = Record(job);
  if (!status.ok()) {
    job.state = JobState::kFailed;
    job.reason = base::ReasonOf(status);
  }
  job.ended = parts_.clock.Now();
  const base::MutexLock lock(mutex_);
  job.bytes = std::max(job.bytes, job_.bytes);
  job_ = job;
}

absl::Status BackupJobs::DoWork(BackupJob& job) {
  if (job.action == Action::kBackupVerify) {
    return parts_.backups->Verify(job.backup);
  }
  ASSIGN_OR_RETURN(const storage::Backup made,
                   parts_.backups->Create([this](uint64_t bytes) {
                     const base::MutexLock lock(mutex_);
                     job_.bytes = bytes;
                   }));
  job.backup = made.id;
  job.bytes = made.bytes;
  return parts_.backups->KeepNewest(parts_.kept);
}

absl::Status BackupJobs::Record(const BackupJob& job) {
  auto attempt = NewOwnAttempt(parts_.committer.position(),
                               base::TenantId::kStore, job.action);
  attempt->event().reason = job.reason;
  if (job.state != JobState::kDone) {
    attempt->event().outcome = audit::Outcome::kFailed;
  }
  return parts_.committer.Commit(std::move(attempt));
}

}  // namespace hizo::vault
