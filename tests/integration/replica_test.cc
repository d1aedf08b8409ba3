// The disk of the stores is lost, and rebuilt from the replica: hizod as a
// process, on a real disk.
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "hizo/v1/audit.pb.h"
#include "hizo/v1/erasure.pb.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using base::Reason;
using ::testing::HasSubstr;

constexpr char kFull[] = "acme/full";
constexpr int kKills = 8;

class ReplicaTest : public ::testing::Test {
 protected:
  ReplicaTest() {
    fs::create_directory(place_);
    HizodProcess::Init(files_);
  }
  HizodProcess::Options Replicated() const {
    HizodProcess::Options options;
    options.arguments = {"--replica.dir", place_.string()};
    return options;
  }
  HizodProcess::Options Rebuilding() const {
    HizodProcess::Options options = Replicated();
    options.arguments.emplace_back("--rebuild");
    return options;
  }
  static v1::ReplicaState StateOf(const HizodProcess& hizod) {
    v1::GetStatusRequest request;
    *request.mutable_context() = ContextFor("operations");
    const auto status =
        hizod.As("acme/operator").Ask<v1::GetStatusResponse>(request);
    EXPECT_THAT(status, IsOk());
    return status.ok() ? status->replica_state() : v1::ReplicaState();
  }
  static void Await(const HizodProcess& hizod, v1::ReplicaState state) {
    while (StateOf(hizod) != state) std::this_thread::yield();
  }
  static v1::ErasureState ErasureOf(const HizodProcess& hizod,
                                    const std::string& subject) {
    const auto receipt = hizod.As(kFull).Ask<v1::GetErasureReceiptResponse>(
        EraseRequest<v1::GetErasureReceiptRequest>(subject));
    EXPECT_THAT(receipt, IsOk());
    return receipt.ok() ? receipt->state() : v1::ErasureState();
  }
  static void Erase(const HizodProcess& hizod, const std::string& subject) {
    EXPECT_THAT(hizod.As(kFull).Ask<v1::ExecuteErasureResponse>(
                    EraseRequest<v1::ExecuteErasureRequest>(subject)),
                IsOk());
  }
  static void AwaitSealed(const HizodProcess& hizod,
                          const std::string& subject) {
    while (ErasureOf(hizod, subject) == v1::ERASURE_STATE_ACCEPTED) {
      std::this_thread::yield();
    }
  }
  static int64_t LogSizeOf(const HizodProcess& hizod) {
    v1::GetStatusRequest request;
    *request.mutable_context() = ContextFor("operations");
    const auto status =
        hizod.As("acme/operator").Ask<v1::GetStatusResponse>(request);
    EXPECT_THAT(status, IsOk());
    return status.ok() ? status->audit_events() : 0;
  }
  void LoseTheDisk() const {
    const auto config = files_.LoadConfig();
    fs::remove_all(config.storage_data_dir);
    fs::remove_all(config.storage_keys_dir);
  }
  // Ann, who is erased, Bob, and a vault that was killed.
  void LiveAndDie() {
    HizodProcess hizod(files_, Replicated());
    ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
    Await(hizod, v1::REPLICA_STATE_IN_STEP);
    ann_ = CreatePerson(hizod.As(kFull), "ann@example.com", "Ann Other");
    bob_ = CreatePerson(hizod.As(kFull), "bob@example.com", "Bob Other");
    Erase(hizod, ann_);
    AwaitSealed(hizod, ann_);
    size_ = LogSizeOf(hizod);
    hizod.Kill();
  }
  void ExpectWhole() {
    HizodProcess hizod(files_, Replicated());
    ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
    EXPECT_GE(LogSizeOf(hizod), size_);
    EXPECT_THAT(ReadProfile(hizod.As(kFull), bob_), IsOk());
    EXPECT_THAT(FindPerson(hizod.As(kFull), "bob@example.com"), IsOk());
    EXPECT_THAT(ReadProfile(hizod.As(kFull), ann_),
                HasReason(Reason::kSubjectNotFound));
    const auto check = hizod.As(kFull).Ask<v1::VerifyErasedResponse>(
        EraseRequest<v1::VerifyErasedRequest>(ann_));
    ASSERT_THAT(check, IsOk());
    EXPECT_TRUE(check->erased());
    // What is acknowledged before is in the stores alone.
    Await(hizod, v1::REPLICA_STATE_IN_STEP);
    EXPECT_EQ(hizod.Stop(), 0);
  }

  VaultFiles files_;
  const fs::path place_ = files_.directory() / "replica";
  std::string ann_;
  std::string bob_;
  int64_t size_ = 0;
};

TEST_F(ReplicaTest, ALostDiskIsRebuiltAndNobodyIsLost) {
  ASSERT_NO_FATAL_FAILURE(LiveAndDie());
  LoseTheDisk();
  {
    HizodProcess refused(files_, Replicated());
    EXPECT_FALSE(refused.WaitUntilReady());
  }
  HizodProcess rebuild(files_, Rebuilding());
  EXPECT_EQ(rebuild.process().Wait(), 0) << rebuild.process().output();
  EXPECT_THAT(rebuild.process().output(), HasSubstr("were made anew from the"));
  ExpectWhole();
}

TEST_F(ReplicaTest, TheAnchorMayBeLostAsWell) {
  ASSERT_NO_FATAL_FAILURE(LiveAndDie());
  LoseTheDisk();
  fs::remove(files_.LoadConfig().anchor);
  HizodProcess rebuild(files_, Rebuilding());
  EXPECT_EQ(rebuild.process().Wait(), 0) << rebuild.process().output();
  EXPECT_THAT(rebuild.process().output(), HasSubstr("anchor was lost as well"));
  ExpectWhole();
}

TEST_F(ReplicaTest, KilledWhileItIsRebuiltItStartsOnlyWhenWhole) {
  ASSERT_NO_FATAL_FAILURE(LiveAndDie());
  for (int kill = 1; kill <= kKills; ++kill) {
    LoseTheDisk();
    {
      HizodProcess dying(files_, Rebuilding());
      const auto end = std::chrono::steady_clock::now() +
                       std::chrono::milliseconds(15 * kill);
      while (std::chrono::steady_clock::now() < end) {
        std::this_thread::yield();
      }
      dying.Kill();
    }
    const auto data = files_.LoadConfig().storage_data_dir;
    const bool unfinished = fs::exists(data / "REBUILDING");
    if (unfinished) {
      HizodProcess refused(files_, Replicated());
      EXPECT_FALSE(refused.WaitUntilReady()) << kill;
    }
    if (unfinished || !fs::exists(data / "CURRENT")) {
      HizodProcess ending(files_, Rebuilding());
      EXPECT_EQ(ending.process().Wait(), 0) << ending.process().output();
    }
    ASSERT_NO_FATAL_FAILURE(ExpectWhole()) << kill;
  }
}

TEST_F(ReplicaTest, NothingThatIsThereIsReplaced) {
  ASSERT_NO_FATAL_FAILURE(LiveAndDie());
  HizodProcess rebuild(files_, Rebuilding());
  EXPECT_NE(rebuild.process().Wait(), 0);
  EXPECT_THAT(rebuild.process().output(), HasSubstr("is not empty"));
  ExpectWhole();
}

TEST_F(ReplicaTest, WithoutOneNothingIsRebuilt) {
  LoseTheDisk();
  {
    HizodProcess::Options none;
    none.arguments = {"--rebuild"};
    HizodProcess rebuild(files_, none);
    EXPECT_NE(rebuild.process().Wait(), 0);
    EXPECT_THAT(rebuild.process().output(),
                HasSubstr("replica.dir is not configured"));
  }
  for (const bool there : {true, false}) {
    if (!there) fs::remove_all(place_);
    HizodProcess rebuild(files_, Rebuilding());
    EXPECT_NE(rebuild.process().Wait(), 0);
    EXPECT_FALSE(fs::exists(files_.LoadConfig().storage_data_dir));
  }
}

TEST_F(ReplicaTest, WhileItIsAwayPeopleAreServedAndNobodyIsSealed) {
  fs::remove_all(place_);
  HizodProcess hizod(files_, Replicated());
  ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
  EXPECT_EQ(StateOf(hizod), v1::REPLICA_STATE_BEHIND);
  const std::string eve =
      CreatePerson(hizod.As(kFull), "eve@example.com", "Eve Other");
  Erase(hizod, eve);
  EXPECT_THAT(ReadProfile(hizod.As(kFull), eve),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(ErasureOf(hizod, eve), v1::ERASURE_STATE_ACCEPTED);
  fs::create_directory(place_);
  Await(hizod, v1::REPLICA_STATE_IN_STEP);
  AwaitSealed(hizod, eve);
  EXPECT_EQ(hizod.Stop(), 0);
  EXPECT_THAT(hizod.process().output(), HasSubstr("replica_in_step"));
}

TEST_F(ReplicaTest, ThatOfAnotherVaultIsLeftAlone) {
  ASSERT_NO_FATAL_FAILURE(LiveAndDie());
  VaultFiles others;
  HizodProcess::Init(others);
  HizodProcess hizod(others, Replicated());
  ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
  EXPECT_EQ(StateOf(hizod), v1::REPLICA_STATE_BEHIND);
  CreatePerson(hizod.As(kFull), "eve@example.com", "Eve Other");
  EXPECT_EQ(hizod.Stop(), 0);
  LoseTheDisk();
  HizodProcess rebuild(files_, Rebuilding());
  EXPECT_EQ(rebuild.process().Wait(), 0) << rebuild.process().output();
  ExpectWhole();
}

}  // namespace
}  // namespace hizo::test
