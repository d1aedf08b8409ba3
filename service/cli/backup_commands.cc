// hizo backup ...: copies of the data store.
#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "hizo/v1/admin.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

constexpr int64_t kBytesPerMegabyte = 1024 * 1024;

std::string Megabytes(int64_t bytes) {
  return std::to_string((bytes + kBytesPerMegabyte - 1) / kBytesPerMegabyte) +
         " MiB";
}

// Follows a piece of work until it ends, and tells somebody who watches how far
// it is.
absl::StatusOr<v1::BackupJob> Await(Session& session, v1::BackupJob job) {
  const int64_t number = job.number();
  const absl::Status watched =
      session.Watch([&]() -> absl::StatusOr<std::optional<std::string>> {
        if (job.state() != v1::BACKUP_JOB_STATE_RUNNING) return std::nullopt;
        v1::ListBackupsRequest request;
        session.Fill(*request.mutable_context());
        v1::ListBackupsResponse list;
        RETURN_IF_ERROR(session.client.Call(request, list));
        // The server was started anew, or somebody has begun something else.
        if (list.job().number() != number) {
          return Fail({.text = "the vault knows nothing of it any more",
                       .reason = {},
                       .field = {}});
        }
        job = list.job();
        if (job.state() != v1::BACKUP_JOB_STATE_RUNNING) return std::nullopt;
        return Megabytes(job.bytes());
      });
  RETURN_IF_ERROR(watched);
  return job;
}

absl::Status CheckDone(const v1::BackupJob& job) {
  if (job.state() == v1::BACKUP_JOB_STATE_DONE) return absl::OkStatus();
  const bool damaged = job.reason() == v1::REASON_INTEGRITY_FAILURE;
  return Fail({.exit = damaged ? ExitCode::kNotVerified : ExitCode::kRefused,
               .text = damaged ? "the backup is damaged"
                               : "it failed; earlier backups are as they were",
               .reason = EnumName(*v1::Reason_descriptor(), job.reason()),
               .field = {}});
}

class BackupCreate : public Command {
 public:
  explicit BackupCreate(CLI::App&) {}

  absl::Status Run(Session& session) override {
    v1::CreateBackupRequest request;
    session.Fill(*request.mutable_context());
    v1::CreateBackupResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    ASSIGN_OR_RETURN(const v1::BackupJob job, Await(session, response.job()));
    *response.mutable_job() = job;
    const std::string made = "backup " + std::to_string(job.backup()) + ", " +
                             Megabytes(job.bytes()) + "\n";
    const absl::Status status = CheckDone(job);
    session.Print(response, status.ok() ? made : "");
    return status;
  }
};

class BackupList : public Command {
 public:
  explicit BackupList(CLI::App&) {}

  absl::Status Run(Session& session) override {
    v1::ListBackupsRequest request;
    session.Fill(*request.mutable_context());
    v1::ListBackupsResponse list;
    RETURN_IF_ERROR(session.client.Call(request, list));
    Table table({"BACKUP", "MADE", "SIZE", "FILES"});
    for (const v1::Backup& backup : list.backups()) {
      table.Add({std::to_string(backup.backup()),
                 DisplayText(backup.make_time()), Megabytes(backup.bytes()),
                 std::to_string(backup.files())});
    }
    session.Print(list, table.Text());
    return absl::OkStatus();
  }
};

class BackupVerify : public Command {
 public:
  explicit BackupVerify(CLI::App& app) {
    app.add_option("backup", backup_, "number of the backup")->required();
  }

  absl::Status Run(Session& session) override {
    v1::VerifyBackupRequest request;
    session.Fill(*request.mutable_context());
    request.set_backup(backup_);
    v1::VerifyBackupResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    ASSIGN_OR_RETURN(const v1::BackupJob job, Await(session, response.job()));
    *response.mutable_job() = job;
    const absl::Status status = CheckDone(job);
    session.Print(response, status.ok() ? "every byte of it is whole\n" : "");
    return status;
  }

 private:
  int64_t backup_ = 0;
};

}  // namespace

void AddBackupCommands(CommandLine& line) {
  CLI::App& group =
      line.Group({"backup", "Copies of the data, without any key",
                  "  hizo backup create\n  hizo backup list --json"});
  line.Add<BackupCreate>(
      group, {"create", "Make one while the vault serves, and wait for it",
              "  hizo backup create"});
  line.Add<BackupList>(group,
                       {"list", "Those that there are", "  hizo backup list"});
  line.Add<BackupVerify>(
      group,
      {"verify", "Read every byte of one; exit status 4 if it is damaged",
       "  hizo backup verify 3"});
}

}  // namespace hizo::cli
