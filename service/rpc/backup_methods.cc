#include "hizo/v1/admin.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"
#include "service/vault/backup_jobs.h"

namespace hizo::rpc {
namespace {

using vault::Attempt;
using vault::BackupJobs;
using vault::Call;

v1::BackupJob FromJob(const vault::BackupJob& job) {
  v1::BackupJob told;
  told.set_state(static_cast<v1::BackupJobState>(job.state));
  if (job.state == vault::JobState::kNone) return told;
  told.set_number(static_cast<int64_t>(job.number));
  told.set_action(static_cast<v1::Action>(job.action));
  told.set_backup(static_cast<int64_t>(job.backup));
  told.set_bytes(static_cast<int64_t>(job.bytes));
  *told.mutable_start_time() = FromTimestamp(job.begun);
  if (job.state != vault::JobState::kRunning) {
    *told.mutable_end_time() = FromTimestamp(job.ended);
    told.set_reason(static_cast<v1::Reason>(job.reason));
  }
  return told;
}

absl::StatusOr<v1::CreateBackupResponse> Create(BackupJobs& jobs,
                                                Attempt& attempt,
                                                const Call& call) {
  ASSIGN_OR_RETURN(const auto job, jobs.Create(attempt, call));
  v1::CreateBackupResponse response;
  *response.mutable_job() = FromJob(job);
  return response;
}

absl::StatusOr<v1::VerifyBackupResponse> Verify(
    BackupJobs& jobs, Attempt& attempt, const Call& call,
    const v1::VerifyBackupRequest& request) {
  ASSIGN_OR_RETURN(
      const auto job,
      jobs.Verify(attempt, call, static_cast<uint64_t>(request.backup())));
  v1::VerifyBackupResponse response;
  *response.mutable_job() = FromJob(job);
  return response;
}

absl::StatusOr<v1::ListBackupsResponse> List(const BackupJobs& jobs,
                                             Attempt& attempt,
                                             const Call& call) {
  ASSIGN_OR_RETURN(const auto list, jobs.List(attempt, call));
  v1::ListBackupsResponse response;
  for (const storage::Backup& backup : list.backups) {
    v1::Backup& added = *response.add_backups();
    added.set_backup(static_cast<int64_t>(backup.id));
    *added.mutable_make_time() =
        FromTimestamp(base::Timestamp(std::chrono::seconds(backup.made)));
    added.set_bytes(static_cast<int64_t>(backup.bytes));
    added.set_files(static_cast<int64_t>(backup.files));
  }
  *response.mutable_job() = FromJob(list.job);
  return response;
}

}  // namespace

absl::Status AddBackups(const Adder& adder, const vault::Store& store) {
  BackupJobs& jobs = store.backups();
  RETURN_IF_ERROR((adder.Add<v1::CreateBackupRequest, v1::CreateBackupResponse>(
      "AdminService.CreateBackup", Lane::kServe,
      [&jobs](Attempt& attempt, const Call& call, const auto&) {
        return Create(jobs, attempt, call);
      })));
  RETURN_IF_ERROR((adder.Add<v1::VerifyBackupRequest, v1::VerifyBackupResponse>(
      "AdminService.VerifyBackup", Lane::kServe,
      [&jobs](Attempt& attempt, const Call& call, const auto& request) {
        return Verify(jobs, attempt, call, request);
      })));
  return adder.Add<v1::ListBackupsRequest, v1::ListBackupsResponse>(
      "AdminService.ListBackups", Lane::kServe,
      [&jobs](Attempt& attempt, const Call& call, const auto&) {
        return List(jobs, attempt, call);
      });
}

}  // namespace hizo::rpc
