// Copies of the data store, as the command line shows them.
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fake_vault.h"

namespace hizo::cli {
namespace {

using ::hizo::test::CliRun;
using ::hizo::test::RunCli;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kRefusedExit = 1;
constexpr int kUsageExit = 2;
constexpr int kNotVerifiedExit = 4;

v1::BackupJob JobOf(v1::BackupJobState state, int64_t number = 1) {
  v1::BackupJob job;
  job.set_number(number);
  job.set_state(state);
  job.set_backup(3);
  job.set_bytes(5 * 1024 * 1024);
  return job;
}

class BackupCommandsTest : public ::testing::Test {
 protected:
  CliRun Run(std::vector<std::string> arguments) {
    return RunCli(vault_, std::move(arguments));
  }
  void ThenListed(const v1::BackupJob& job) {
    *vault_.backup_lists.emplace_back().mutable_job() = job;
  }

  test::FakeVault vault_;
};

TEST_F(BackupCommandsTest, CreateWaitsUntilItIsMade) {
  *vault_.create_backup.response.mutable_job() =
      JobOf(v1::BACKUP_JOB_STATE_RUNNING);
  ThenListed(JobOf(v1::BACKUP_JOB_STATE_RUNNING));
  ThenListed(JobOf(v1::BACKUP_JOB_STATE_DONE));
  const CliRun run = Run({"backup", "create"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("backup 3"), HasSubstr("5 MiB")));
  EXPECT_EQ(vault_.create_backup.request.context().purpose(), "support");
}

TEST_F(BackupCommandsTest, CreateTellsThatItFailed) {
  v1::BackupJob failed = JobOf(v1::BACKUP_JOB_STATE_FAILED);
  failed.set_reason(v1::REASON_TOO_LARGE);
  *vault_.create_backup.response.mutable_job() = failed;
  const CliRun run = Run({"backup", "create"});
  EXPECT_EQ(run.exit, kRefusedExit);
  EXPECT_THAT(run.err, HasSubstr("TOO_LARGE"));
  EXPECT_EQ(run.out, "");
}

TEST_F(BackupCommandsTest, DoesNotTakeOtherWorkForItsOwn) {
  *vault_.create_backup.response.mutable_job() =
      JobOf(v1::BACKUP_JOB_STATE_RUNNING, 7);
  ThenListed(JobOf(v1::BACKUP_JOB_STATE_DONE, 8));
  const CliRun run = Run({"backup", "create"});
  EXPECT_EQ(run.exit, kRefusedExit);
  EXPECT_THAT(run.err, HasSubstr("knows nothing of it"));
}

TEST_F(BackupCommandsTest, ListShowsEach) {
  auto& list = vault_.backup_lists.emplace_back();
  auto& backup = *list.add_backups();
  backup.set_backup(12);
  backup.mutable_make_time()->set_seconds(86400);
  backup.set_bytes(1);
  backup.set_files(9);
  const CliRun run = Run({"backup", "list"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("12"), HasSubstr("1970-01-02"),
                             HasSubstr("1 MiB"), HasSubstr("9")));
  EXPECT_THAT(Run({"backup", "list", "--json"}).out,
              HasSubstr("1970-01-02T00:00:00Z"));
}

TEST_F(BackupCommandsTest, VerifyEndsWithFourForADamagedOne) {
  *vault_.verify_backup.response.mutable_job() =
      JobOf(v1::BACKUP_JOB_STATE_DONE);
  EXPECT_EQ(Run({"backup", "verify", "3"}).exit, 0);
  EXPECT_EQ(vault_.verify_backup.request.backup(), 3);
  v1::BackupJob damaged = JobOf(v1::BACKUP_JOB_STATE_FAILED);
  damaged.set_reason(v1::REASON_INTEGRITY_FAILURE);
  *vault_.verify_backup.response.mutable_job() = damaged;
  const CliRun run = Run({"backup", "verify", "3"});
  EXPECT_EQ(run.exit, kNotVerifiedExit);
  EXPECT_THAT(run.err, HasSubstr("damaged"));
}

TEST_F(BackupCommandsTest, RefusalsComeThrough) {
  vault_.statuses.push_back(
      test::Refusal(grpc::StatusCode::UNIMPLEMENTED, "METHOD_UNKNOWN"));
  const CliRun run = Run({"backup", "create"});
  EXPECT_EQ(run.exit, kRefusedExit);
  EXPECT_THAT(run.err, HasSubstr("METHOD_UNKNOWN"));
  EXPECT_EQ(Run({"backup", "verify"}).exit, kUsageExit);
  EXPECT_EQ(Run({"backup", "verify", "x"}).exit, kUsageExit);
}

}  // namespace
}  // namespace hizo::cli
