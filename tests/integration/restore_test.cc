// Back up, erase, restore, over the network and on a real disk. Scenario 5 of
// the requirements: a backup does not resurrect anybody.
#include "service/app/restore.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "hizo/v1/erasure.pb.h"
#include "hizo/v1/subject.pb.h"
#include "service/base/reason.h"
#include "storage/rocksdb/engine.h"
#include "tests/integration/requests.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::HasSubstr;

constexpr char kFull[] = "acme/full";
constexpr int kKills = 12;

std::string Text(const std::filesystem::path& data, const char* ending) {
  return data.string() + ending;
}

// A backup, made while it serves.
template <typename AnyServer>
int64_t BackUp(AnyServer& server) {
  const Peer peer = server.As("acme/operator");
  v1::CreateBackupRequest create;
  *create.mutable_context() = ContextFor("operations");
  EXPECT_THAT(peer.Ask<v1::CreateBackupResponse>(create), IsOk());
  v1::ListBackupsRequest list;
  *list.mutable_context() = ContextFor("operations");
  for (;;) {
    const auto answer = peer.Ask<v1::ListBackupsResponse>(list);
    if (!answer.ok()) {
      ADD_FAILURE() << answer.status();
      return 0;
    }
    if (answer->job().state() == v1::BACKUP_JOB_STATE_RUNNING) continue;
    EXPECT_EQ(answer->job().state(), v1::BACKUP_JOB_STATE_DONE);
    return answer->job().backup();
  }
}

class RestoreFromBackupTest : public ::testing::Test {
 protected:
  absl::StatusOr<app::Restored> Restore(int64_t backup) {
    server_.Stop();
    return app::RestoreStore(server_.config(), static_cast<uint64_t>(backup),
                             server_.clock());
  }
  void Erase(const std::string& subject) {
    EXPECT_THAT(server_.As(kFull).Ask<v1::ExecuteErasureResponse>(
                    EraseRequest<v1::ExecuteErasureRequest>(subject)),
                IsOk());
    EXPECT_THAT(server_.store().FinishErasures(), IsOk());
  }
  void ExpectErased(const std::string& subject) {
    EXPECT_THAT(ReadProfile(server_.As(kFull), subject),
                HasReason(Reason::kSubjectNotFound));
    const auto check = server_.As(kFull).Ask<v1::VerifyErasedResponse>(
        EraseRequest<v1::VerifyErasedRequest>(subject));
    ASSERT_THAT(check, IsOk());
    EXPECT_TRUE(check->erased());
  }
  std::filesystem::path Beside(const char* ending) {
    return Text(server_.config().storage_data_dir, ending);
  }

  LiveServer server_;
  const std::string ann_ =
      CreatePerson(server_.As(kFull), "ann@example.com", "Ann Other");
  const std::string bob_ =
      CreatePerson(server_.As(kFull), "bob@example.com", "Bob Other");
};

TEST_F(RestoreFromBackupTest, WhatPolicyIsInForceIsNotTakenBack) {
  server_.Stop();
  server_.files().AdoptPolicy("i7relay");
  ASSERT_THAT(server_.Start(), IsOk());
  const int64_t backup = BackUp(server_);
  const std::string overlay = PolicyFilesOf("i7relay").overlay();
  const std::string first = "\nversion: 1\n";
  std::string second = overlay;
  second.replace(second.find(first), first.size(), "\nversion: 2\n");
  ASSERT_THAT(
      server_.As("acme/operator")
          .Ask<v1::ActivatePolicyResponse>(
              PolicyRequest<v1::ActivatePolicyRequest>("i7relay", second)),
      IsOk());
  ASSERT_THAT(Restore(backup), IsOk());
  ASSERT_THAT(server_.Start(), IsOk());
  const auto states = server_.store().policies().States();
  ASSERT_EQ(states.size(), 1U);
  EXPECT_EQ(states[0].version, 2U);
  EXPECT_TRUE(states[0].activation.has_value());
}

TEST_F(RestoreFromBackupTest,
       Scenario5TheErasedStayErasedAndEveryoneElseIsWhole) {
  const int64_t backup = BackUp(server_);
  Erase(ann_);
  v1::CancelAccountRequest cancel;
  *cancel.mutable_context() = ContextFor(kServicePurpose);
  cancel.set_subject(bob_);
  const std::string carl =
      CreatePerson(server_.As(kFull), "carl@example.com", "Carl Other");
  EXPECT_THAT(server_.As(kFull).Ask<v1::CancelAccountResponse>(cancel), IsOk());
  const uint64_t events = server_.EventCount();
  const auto restored = Restore(backup);
  ASSERT_THAT(restored, IsOk());
  EXPECT_EQ(restored->counts.people, 1);
  EXPECT_EQ(restored->counts.without_key, 2);
  EXPECT_TRUE(std::filesystem::exists(restored->replaced));
  ASSERT_THAT(server_.Start(), IsOk());
  ExpectErased(ann_);
  // Bob is whole, and as cancelled as he was.
  EXPECT_THAT(ReadProfile(server_.As(kFull), bob_),
              HasReason(Reason::kPurposeNotAllowed));
  v1::GetSubjectRequest bob = SubjectRequest(bob_);
  *bob.mutable_context() = ContextFor("billing");
  EXPECT_THAT(server_.As(kFull).Ask<v1::GetSubjectResponse>(bob), IsOk());
  // Carl came later: found by his address, his name is lost.
  EXPECT_THAT(FindPerson(server_.As(kFull), "carl@example.com"), IsOk());
  EXPECT_THAT(ReadProfile(server_.As(kFull), carl),
              HasReason(Reason::kRecordNotFound));
  EXPECT_EQ(server_.EventsFrom(events).at(0).action,
            policy::Action::kBackupRestore);
  EXPECT_EQ(server_.EventsFrom(events).at(0).records, 2U);
}

TEST_F(RestoreFromBackupTest, IsRefusedWhileSomebodyIsServedOrWithoutABackup) {
  const int64_t backup = BackUp(server_);
  const auto served = app::RestoreStore(
      server_.config(), static_cast<uint64_t>(backup), server_.clock());
  EXPECT_THAT(served, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Restore(backup + 1), StatusIs(absl::StatusCode::kNotFound));
  server_.config().backup_dir.clear();
  EXPECT_THAT(Restore(backup), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_FALSE(std::filesystem::exists(Beside(".restoring")));
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_THAT(ReadProfile(server_.As(kFull), ann_), IsOk());
}

TEST_F(RestoreFromBackupTest, DamageInTheBackupChangesNothing) {
  const int64_t backup = BackUp(server_);
  for (const auto& file : std::filesystem::recursive_directory_iterator(
           server_.config().backup_dir)) {
    if (file.path().extension() == ".sst") {
      std::filesystem::resize_file(file.path(), file.file_size() - 1);
    }
  }
  EXPECT_THAT(Restore(backup), StatusIs(absl::StatusCode::kDataLoss));
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_THAT(ReadProfile(server_.As(kFull), ann_), IsOk());
}

// What one leaves that died while it made the new store.
TEST_F(RestoreFromBackupTest, NothingStartsOverAPartAndAnotherTryIsWhole) {
  const int64_t backup = BackUp(server_);
  Erase(ann_);
  server_.Stop();
  {
    const auto part = storage::OpenRocksDb(
        {.directory = Beside(".restoring"), .create = true, .log = nullptr});
    ASSERT_THAT(part, IsOk());
    storage::Batch batch;
    batch.Put("R", "something of an earlier try");
    ASSERT_THAT((*part)->Commit(batch), IsOk());
  }
  EXPECT_THAT(std::string(server_.Start().message()),
              HasSubstr("begun and not finished"));
  ASSERT_THAT(Restore(backup), IsOk());
  ASSERT_THAT(server_.Start(), IsOk());
  ExpectErased(ann_);
  EXPECT_THAT(ReadProfile(server_.As(kFull), bob_), IsOk());
}

TEST_F(RestoreFromBackupTest, KeepsWhatAnEarlierOneReplaced) {
  const int64_t backup = BackUp(server_);
  ASSERT_THAT(Restore(backup), IsOk());
  EXPECT_THAT(Restore(backup), StatusIs(absl::StatusCode::kAlreadyExists));
  std::filesystem::remove_all(Beside(".replaced"));
  ASSERT_THAT(Restore(backup), IsOk());
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_THAT(ReadProfile(server_.As(kFull), ann_), IsOk());
}

// kill -9 on its way, each time a little later; each time the next one ends it.
TEST(RestoreFromBackupKillTest, IsEndedByTheNextWhereverItDied) {
  VaultFiles files;
  HizodProcess::Init(files);
  const auto data = files.LoadConfig().storage_data_dir;
  int64_t backup = 0;
  std::string ann;
  std::string bob;
  {
    HizodProcess hizod(files);
    ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
    ann = CreatePerson(hizod.As(kFull), "ann@example.com", "Ann Other");
    bob = CreatePerson(hizod.As(kFull), "bob@example.com", "Bob Other");
    backup = BackUp(hizod);
    EXPECT_THAT(hizod.As(kFull).Ask<v1::ExecuteErasureResponse>(
                    EraseRequest<v1::ExecuteErasureRequest>(ann)),
                IsOk());
    EXPECT_EQ(hizod.Stop(), 0);
  }
  HizodProcess::Options restore;
  restore.arguments = {"--restore", std::to_string(backup)};
  for (int kill = 1; kill <= kKills; ++kill) {
    {
      HizodProcess dying(files, restore);
      const auto end = std::chrono::steady_clock::now() +
                       std::chrono::milliseconds(20 * kill);
      while (std::chrono::steady_clock::now() < end) {
        std::this_thread::yield();
      }
      dying.Kill();
    }
    if (std::filesystem::exists(Text(data, ".restoring"))) {
      HizodProcess refused(files);
      EXPECT_FALSE(refused.WaitUntilReady()) << kill;
    }
    if (!std::filesystem::exists(Text(data, ".replaced"))) {
      HizodProcess ending(files, restore);
      EXPECT_EQ(ending.process().Wait(), 0) << ending.process().output();
    }
    EXPECT_TRUE(std::filesystem::exists(Text(data, ".replaced"))) << kill;
    HizodProcess hizod(files);
    ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
    EXPECT_THAT(ReadProfile(hizod.As(kFull), ann),
                HasReason(Reason::kSubjectNotFound));
    EXPECT_THAT(ReadProfile(hizod.As(kFull), bob), IsOk());
    EXPECT_EQ(hizod.Stop(), 0);
    std::filesystem::remove_all(Text(data, ".replaced"));
  }
}

}  // namespace
}  // namespace hizo::test
