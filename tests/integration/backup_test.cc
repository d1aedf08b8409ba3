// Backups of a server that serves: what they hold, and what they never hold.
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "service/audit/event.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/needles.h"
#include "tests/testing/small_disk.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kFull[] = "acme/full";
constexpr char kOperator[] = "acme/operator";
constexpr int kManyPeople = 200;

class BackupTest : public ::testing::Test {
 protected:
  template <typename Response, typename Request>
  absl::StatusOr<Response> Ask(Request request) {
    *request.mutable_context() = ContextFor("operations");
    return server_.As(kOperator).Ask<Response>(request);
  }
  v1::ListBackupsResponse List() {
    const auto list = Ask<v1::ListBackupsResponse>(v1::ListBackupsRequest());
    EXPECT_THAT(list, IsOk());
    return list.value_or(v1::ListBackupsResponse());
  }
  // How the work that is under way ends.
  v1::BackupJob Await() {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::minutes(1);
    for (;;) {
      const v1::BackupJob job = List().job();
      if (job.state() != v1::BACKUP_JOB_STATE_RUNNING) return job;
      if (std::chrono::steady_clock::now() > deadline) {
        ADD_FAILURE() << "it does not end";
        return job;
      }
      std::this_thread::yield();
    }
  }
  v1::BackupJob Create() {
    EXPECT_THAT(Ask<v1::CreateBackupResponse>(v1::CreateBackupRequest()),
                IsOk());
    return Await();
  }
  v1::BackupJob Verify(int64_t backup) {
    v1::VerifyBackupRequest request;
    request.set_backup(backup);
    EXPECT_THAT(Ask<v1::VerifyBackupResponse>(request), IsOk());
    return Await();
  }
  std::vector<audit::Event> EventsOf(policy::Action action) const {
    auto events = server_.EventsFrom(0);
    std::erase_if(events, [action](const audit::Event& event) {
      return event.action != action;
    });
    return events;
  }

  LiveServer server_;
  const std::string ann_ =
      CreatePerson(server_.As(kFull), "ann@example.com", "Ann Other");
};

TEST_F(BackupTest, IsMadeListedVerifiedAndAudited) {
  const v1::BackupJob made = Create();
  EXPECT_EQ(made.state(), v1::BACKUP_JOB_STATE_DONE);
  EXPECT_EQ(made.action(), v1::ACTION_BACKUP_CREATE);
  EXPECT_GT(made.bytes(), 0);
  const auto list = List();
  ASSERT_THAT(list.backups(), SizeIs(1));
  EXPECT_EQ(list.backups(0).backup(), made.backup());
  EXPECT_GT(list.backups(0).files(), 0);
  EXPECT_EQ(Verify(made.backup()).state(), v1::BACKUP_JOB_STATE_DONE);
  // The call's event, then that of what came of it.
  const auto created = EventsOf(policy::Action::kBackupCreate);
  ASSERT_THAT(created, SizeIs(2));
  EXPECT_EQ(created[0].actor, "spiffe://hizo.example/acme/operator");
  EXPECT_EQ(created[1].actor, "hizod");
  EXPECT_EQ(created[1].outcome, audit::Outcome::kAllowed);
  EXPECT_THAT(EventsOf(policy::Action::kBackupVerify), SizeIs(2));
  const auto status = Ask<v1::GetStatusResponse>(v1::GetStatusRequest());
  ASSERT_THAT(status, IsOk());
  EXPECT_TRUE(status->has_backup_time());
}

TEST_F(BackupTest, HoldsNoKeysStoreAndNoSlot) {
  Create();
  const auto& config = server_.config();
  Needles needles;
  for (const auto& slot : config.slots) {
    const std::string bytes = ReadFile(slot);
    // A sealed root, which every slot holds at another place.
    needles.Add(slot.string(), bytes.substr(0, 64));
  }
  server_.Stop();
  const auto stores = OpenStores(config);
  for (const char space : {'K', 'P', 'L', 'U'}) {
    const auto rows =
        stores.keys->Scan(storage::PrefixRange(std::string(1, space), 1000));
    ASSERT_THAT(rows, IsOk());
    for (const auto& row : *rows) {
      if (row.value.size() < 72) continue;
      needles.Add(std::string(1, space),
                  row.value.substr(row.value.size() - 48));
    }
  }
  size_t files = 0;
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(config.backup_dir)) {
    if (!file.is_regular_file()) continue;
    ++files;
    EXPECT_THAT(needles.FindIn(ReadFile(file.path())), IsEmpty())
        << file.path();
  }
  EXPECT_GT(files, 3);
}

TEST_F(BackupTest, GoesOnWhilePeopleAreWritten) {
  EXPECT_THAT(Ask<v1::CreateBackupResponse>(v1::CreateBackupRequest()), IsOk());
  for (int i = 0; i < kManyPeople; ++i) {
    CreatePerson(server_.As(kFull), std::to_string(i) + "@example.com", "N N");
  }
  const v1::BackupJob made = Await();
  EXPECT_EQ(made.state(), v1::BACKUP_JOB_STATE_DONE);
  EXPECT_EQ(Verify(made.backup()).state(), v1::BACKUP_JOB_STATE_DONE);
}

TEST_F(BackupTest, KeepsAsManyAsConfigured) {
  server_.Stop();
  server_.config().backup_keep = 2;
  ASSERT_THAT(server_.Start(), IsOk());
  for (int i = 0; i < 4; ++i) Create();
  const auto list = List();
  ASSERT_THAT(list.backups(), SizeIs(2));
  EXPECT_EQ(list.backups(1).backup(), list.job().backup());
}

TEST_F(BackupTest, FindsDamageAndWhatIsNotThere) {
  const v1::BackupJob made = Create();
  for (const auto& file : std::filesystem::recursive_directory_iterator(
           server_.config().backup_dir)) {
    if (file.path().extension() == ".sst") {
      std::filesystem::resize_file(file.path(), 10);
    }
  }
  const v1::BackupJob verified = Verify(made.backup());
  EXPECT_EQ(verified.state(), v1::BACKUP_JOB_STATE_FAILED);
  EXPECT_EQ(verified.reason(), v1::REASON_INTEGRITY_FAILURE);
  const auto events = EventsOf(policy::Action::kBackupVerify);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[1].outcome, audit::Outcome::kFailed);
  EXPECT_EQ(events[1].reason, Reason::kIntegrityFailure);
  v1::VerifyBackupRequest request;
  for (const int64_t none : {int64_t{0}, made.backup() + 1, int64_t{-1}}) {
    request.set_backup(none);
    EXPECT_THAT(Ask<v1::VerifyBackupResponse>(request),
                HasReason(Reason::kRecordNotFound))
        << none;
  }
}

TEST_F(BackupTest, IsNotTheVaultsTroubleWhenItsDiskIsFull) {
  if (!SmallDisk::Permitted()) GTEST_SKIP() << "mounting needs root";
  server_.Stop();
  SmallDisk disk(server_.config().backup_dir, 100);
  ASSERT_THAT(server_.Start(), IsOk());
  disk.Fill(10 << 20);
  const v1::BackupJob failed = Create();
  EXPECT_EQ(failed.state(), v1::BACKUP_JOB_STATE_FAILED);
  EXPECT_EQ(failed.reason(), v1::REASON_TOO_LARGE);
  EXPECT_THAT(ReadProfile(server_.As(kFull), ann_), IsOk());
  EXPECT_TRUE(server_.healthy());
  disk.Free();
  EXPECT_EQ(Create().state(), v1::BACKUP_JOB_STATE_DONE);
  server_.Stop();
}

TEST_F(BackupTest, IsNotThereWhereNoPlaceIsConfigured) {
  server_.Stop();
  server_.config().backup_dir.clear();
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_THAT(Ask<v1::CreateBackupResponse>(v1::CreateBackupRequest()),
              HasReason(Reason::kMethodUnknown));
  EXPECT_THAT(Ask<v1::ListBackupsResponse>(v1::ListBackupsRequest()),
              HasReason(Reason::kMethodUnknown));
}

TEST_F(BackupTest, EndsWithTheServer) {
  EXPECT_THAT(Ask<v1::CreateBackupResponse>(v1::CreateBackupRequest()), IsOk());
  ASSERT_THAT(server_.Start(), IsOk());
  const auto list = List();
  for (const auto& backup : list.backups()) {
    EXPECT_EQ(Verify(backup.backup()).state(), v1::BACKUP_JOB_STATE_DONE);
  }
  EXPECT_EQ(Create().state(), v1::BACKUP_JOB_STATE_DONE);
}

}  // namespace
}  // namespace hizo::test
