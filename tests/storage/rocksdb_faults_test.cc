// The RocksDB engine on a disk that fails, fills up or loses its power.

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/rocksdb/open.h"
#include "tests/testing/fault_file_system.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::storage {
namespace {

using test::FaultFileSystem;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;
using Operation = FaultFileSystem::Operation;

constexpr size_t kWriteBufferBytes = 1 << 16;
// What is kept of the disk beside the reserve.
constexpr uint64_t kBuffersBytes = 2 * kWriteBufferBytes;

Batch PutOf(const std::string& key, std::string value) {
  Batch batch;
  batch.Put(key, std::move(value));
  return batch;
}

class RocksDbFaultsTest : public ::testing::Test {
 protected:
  void SetUp() override { PowerUp(); }
  void TearDown() override { engine_.reset(); }

  // Opens the store on a machine that has just been switched on.
  void PowerUp() {
    engine_.reset();
    disk_ = std::make_shared<FaultFileSystem>();
    env_ = rocksdb::NewCompositeEnv(disk_);
    auto engine = OpenRocksDb({.directory = scratch_.path() / "store",
                               .create = true,
                               .block_cache_bytes = 1 << 20,
                               .write_buffer_bytes = kWriteBufferBytes,
                               .log =
                                   [this](std::string_view line) {
                                     std::lock_guard lock(mutex_);
                                     log_.emplace_back(line);
                                   }},
                              *env_);
    ASSERT_THAT(engine, IsOk());
    engine_ = *std::move(engine);
  }

  // Takes the power away, and leaves at most so much of what was not synced.
  void LosePower(uint64_t torn_bytes) {
    disk_->CutPower();
    engine_.reset();
    disk_->DropUnsynced(torn_bytes);
  }

  // Waits for RocksDB's background threads, 30 seconds at most.
  bool BecomesHealthy() const {
    return Eventually([this] { return engine_->Health().ok(); });
  }
  template <typename Condition>
  static bool Eventually(const Condition& condition) {
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition() && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
    return condition();
  }

  void ExpectEverythingRefused() {
    const auto refused = StatusIs(absl::StatusCode::kUnavailable);
    EXPECT_THAT(engine_->Commit(PutOf("later", "")), refused);
    EXPECT_THAT(engine_->Commit(Batch()), refused);
    EXPECT_THAT(engine_->Health(), refused);
    EXPECT_THAT(engine_->Get("acked"), refused);
    EXPECT_THAT(engine_->Scan({"", "", 1}), refused);
    EXPECT_THAT(engine_->NewSnapshot(), refused);
  }

  test::ScratchDirectory scratch_;
  std::mutex mutex_;
  std::vector<std::string> log_;
  std::shared_ptr<FaultFileSystem> disk_;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<Engine> engine_;
};

// --- Failed writes and syncs

TEST_F(RocksDbFaultsTest, EndsAfterAFailedSync) {
  ASSERT_THAT(engine_->Commit(PutOf("acked", "value")), IsOk());
  const auto snapshot = engine_->NewSnapshot();
  ASSERT_THAT(snapshot, IsOk());
  disk_->Fail(Operation::kSync, ".log", FaultFileSystem::IoError());
  EXPECT_THAT(engine_->Commit(PutOf("unknown", "value")),
              StatusIs(absl::StatusCode::kUnknown));
  ExpectEverythingRefused();
  EXPECT_THAT((*snapshot)->Get("acked"),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT((*snapshot)->Scan({"", "", 1}),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(RocksDbFaultsTest, MayHaveEitherOutcomeAfterAFailedSync) {
  ASSERT_THAT(engine_->Commit(PutOf("acked", "value")), IsOk());
  disk_->Fail(Operation::kSync, ".log", FaultFileSystem::IoError());
  Batch batch = PutOf("unknown 1", "value");
  batch.Put("unknown 2", "value");
  EXPECT_THAT(engine_->Commit(batch), StatusIs(absl::StatusCode::kUnknown));
  PowerUp();
  EXPECT_THAT(engine_->Get("acked"), IsOkAndHolds(Optional(Eq("value"))));
  // One or the other, but whole.
  EXPECT_EQ(*engine_->Get("unknown 1"), *engine_->Get("unknown 2"));
  EXPECT_THAT(engine_->Commit(PutOf("later", "")), IsOk());
}

TEST_F(RocksDbFaultsTest, EndsAfterAFailedAppend) {
  ASSERT_THAT(engine_->Commit(PutOf("acked", "value")), IsOk());
  disk_->Fail(Operation::kAppend, ".log", FaultFileSystem::IoError());
  EXPECT_THAT(engine_->Commit(PutOf("unknown", "value")),
              StatusIs(absl::StatusCode::kUnknown));
  ExpectEverythingRefused();
  PowerUp();
  EXPECT_THAT(engine_->Get("acked"), IsOkAndHolds(Optional(Eq("value"))));
}

TEST_F(RocksDbFaultsTest, EndsWhereABackgroundWriteFails) {
  disk_->Fail(Operation::kSync, ".sst", FaultFileSystem::IoError());
  std::set<std::string> acked;
  absl::Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) {
    const std::string key = std::to_string(i);
    status = engine_->Commit(PutOf(key, std::string(1000, 'v')));
    if (status.ok()) acked.insert(key);
  }
  EXPECT_TRUE(Eventually([&] { return !engine_->Health().ok(); }));
  ExpectEverythingRefused();
  PowerUp();
  for (const std::string& key : acked) {
    EXPECT_THAT(engine_->Get(key), IsOkAndHolds(Not(Eq(std::nullopt))));
  }
}

TEST_F(RocksDbFaultsTest, AnswersAFailedReadWithAnErrorAndGoesOn) {
  ASSERT_THAT(engine_->Commit(PutOf("key", "value")), IsOk());
  PowerUp();  // what is in the log becomes a table
  disk_->Fail(Operation::kRead, ".sst", FaultFileSystem::IoError());
  EXPECT_THAT(engine_->Scan({"", "", 9}),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(engine_->Get("key"), IsOkAndHolds(Optional(Eq("value"))));
  EXPECT_THAT(engine_->Health(), IsOk());
}

// --- A full disk

TEST_F(RocksDbFaultsTest, RefusesCommitsWhileTheDiskIsFullAndRecovers) {
  ASSERT_THAT(engine_->Commit(PutOf("before", "value")), IsOk());
  disk_->FillDisk();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(engine_->Commit(PutOf("refused", "value")),
                StatusIs(absl::StatusCode::kResourceExhausted));
  }
  EXPECT_THAT(engine_->Health(),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(engine_->Get("before"), IsOkAndHolds(Optional(Eq("value"))));
  EXPECT_THAT(engine_->Get("refused"), IsOkAndHolds(Eq(std::nullopt)));

  disk_->FreeDisk();
  EXPECT_TRUE(BecomesHealthy());
  EXPECT_THAT(engine_->Commit(PutOf("after", "value")), IsOk());
  PowerUp();
  EXPECT_THAT(engine_->Get("before"), IsOkAndHolds(Optional(Eq("value"))));
  EXPECT_THAT(engine_->Get("refused"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(engine_->Get("after"), IsOkAndHolds(Optional(Eq("value"))));
}

TEST_F(RocksDbFaultsTest, KeepsTheReserveForWhoMayUseIt) {
  Batch urgent = PutOf("urgent", "value");
  urgent.MayUseReserve();
  disk_->SetFreeSpace(kReserveBytes + kBuffersBytes + 1000);
  EXPECT_FALSE(engine_->OnlyReserveLeft());
  EXPECT_THAT(engine_->Commit(PutOf("small", "value")), IsOk());
  EXPECT_THAT(engine_->Commit(PutOf("large", std::string(1000, 'v'))),
              StatusIs(absl::StatusCode::kResourceExhausted));

  for (const uint64_t free :
       {kBuffersBytes + kReserveBytes - 1, kBuffersBytes + 1000}) {
    disk_->SetFreeSpace(free);
    EXPECT_TRUE(engine_->OnlyReserveLeft());
    EXPECT_THAT(engine_->Health(),
                StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_THAT(engine_->Commit(PutOf("ordinary", "value")),
                StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_THAT(engine_->Commit(urgent), IsOk());
  }
  // What RocksDB itself needs is nobody's.
  disk_->SetFreeSpace(kBuffersBytes - 1);
  EXPECT_THAT(engine_->Commit(urgent),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(engine_->Get("ordinary"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(RocksDbFaultsTest, ChangesNothingWhereItCrashesOnAFullDisk) {
  ASSERT_THAT(engine_->Commit(PutOf("before", "value")), IsOk());
  disk_->FillDisk();
  EXPECT_THAT(engine_->Commit(PutOf("refused", std::string(200'000, 'v'))),
              StatusIs(absl::StatusCode::kResourceExhausted));
  LosePower(1 << 20);
  PowerUp();
  EXPECT_THAT(engine_->Get("before"), IsOkAndHolds(Optional(Eq("value"))));
  EXPECT_THAT(engine_->Get("refused"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(RocksDbFaultsTest, SurvivesADiskThatFillsUpBetweenCommits) {
  std::map<std::string, absl::StatusCode> outcomes;
  for (int i = 0; i < 150; ++i) {
    if (i == 60) disk_->FillDisk();
    if (i == 80) {
      disk_->FreeDisk();
      ASSERT_TRUE(BecomesHealthy());
    }
    const std::string key = std::to_string(i);
    const absl::Status status =
        engine_->Commit(PutOf(key, std::string(1000, 'v')));
    outcomes[key] = status.code();
  }
  PowerUp();
  for (const auto& [key, outcome] : outcomes) {
    EXPECT_THAT(outcome, AnyOf(absl::StatusCode::kOk,
                               absl::StatusCode::kResourceExhausted));
    const auto value = engine_->Get(key);
    ASSERT_THAT(value, IsOk());
    EXPECT_EQ(value->has_value(), outcome == absl::StatusCode::kOk) << key;
  }
}

// In spite of the reserve: the log may end in part of a record.
TEST_F(RocksDbFaultsTest, EndsWhereAnAppendFindsNoSpace) {
  disk_->Fail(Operation::kAppend, ".log", FaultFileSystem::NoSpace());
  Batch batch = PutOf("unknown 1", "value");
  batch.Put("unknown 2", "value");
  EXPECT_THAT(engine_->Commit(batch), StatusIs(absl::StatusCode::kUnknown));
  ExpectEverythingRefused();
  PowerUp();
  EXPECT_EQ(*engine_->Get("unknown 1"), *engine_->Get("unknown 2"));
}

TEST_F(RocksDbFaultsTest, LeavesNothingOfWhatItRefusedOnAFullDisk) {
  disk_->FillDisk();
  EXPECT_THAT(engine_->Commit(PutOf("refused", "value")),
              StatusIs(absl::StatusCode::kResourceExhausted));
  disk_->FreeDisk();
  EXPECT_THAT(engine_->Commit(PutOf("after", "value")), IsOk());
  PowerUp();
  EXPECT_THAT(engine_->Get("refused"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(engine_->Get("after"), IsOkAndHolds(Optional(Eq("value"))));
}

// The bytes were appended and may get to the disk all the same.
TEST_F(RocksDbFaultsTest, EndsWhereASyncFindsNoSpace) {
  disk_->Fail(Operation::kSync, ".log", FaultFileSystem::NoSpace());
  EXPECT_THAT(engine_->Commit(PutOf("unknown", "value")),
              StatusIs(absl::StatusCode::kUnknown));
  ExpectEverythingRefused();
}

TEST_F(RocksDbFaultsTest, SaysSoWhereThereIsNoSpaceToOpen) {
  engine_.reset();
  disk_->FillDisk();
  const RocksDbOptions options{
      .directory = scratch_.path() / "store", .create = false, .log = nullptr};
  EXPECT_THAT(OpenRocksDb(options, *env_),
              StatusIs(absl::StatusCode::kResourceExhausted));
  disk_->FreeDisk();
  EXPECT_THAT(OpenRocksDb(options, *env_), IsOk());
}

// --- Power cuts

// Commits batches of two rows, "a/..." and "b/...", whose keys begin with
// `prefix`, until one fails; tells `acked` of each that succeeded.
void CommitPairs(Engine& engine, const std::string& prefix,
                 const std::function<void(const std::string&)>& acked) {
  for (int i = 0;; ++i) {
    const std::string key = prefix + std::to_string(i);
    Batch batch = PutOf("a/" + key, std::string(2000, 'v'));
    batch.Put("b/" + key, "value");
    if (!engine.Commit(batch).ok()) return;
    acked(key);
  }
}

TEST_F(RocksDbFaultsTest, KeepsEverythingAcknowledgedThroughPowerCuts) {
  constexpr size_t kWriters = 3;
  std::set<std::string> acked;
  for (size_t round = 0; round < 6; ++round) {
    std::atomic<size_t> commits = 0;
    const auto acknowledge = [&](const std::string& key) {
      std::lock_guard lock(mutex_);
      acked.insert(key);
      ++commits;
    };
    std::vector<std::jthread> writers;
    for (size_t writer = 0; writer < kWriters; ++writer) {
      const std::string prefix =
          std::to_string(round) + "/" + std::to_string(writer) + "/";
      writers.emplace_back(
          [&, prefix] { CommitPairs(*engine_, prefix, acknowledge); });
    }
    // Enough for several memtables, so that flushes are cut short as well.
    const size_t enough = 40 + 17 * round;
    EXPECT_TRUE(Eventually([&] { return commits >= enough; }));
    disk_->CutPower();
    writers.clear();
    LosePower(round % 2 == 0 ? 0 : 700);
    PowerUp();
    ASSERT_TRUE(engine_ != nullptr);

    std::set<std::string> firsts;
    std::set<std::string> seconds;
    const auto rows = engine_->Scan({"", "", kScanLimitMax});
    ASSERT_THAT(rows, IsOk());
    for (const Row& row : *rows) {
      (row.key[0] == 'a' ? firsts : seconds).insert(row.key.substr(2));
    }
    EXPECT_EQ(firsts, seconds) << "a batch was applied in part";
    for (const std::string& key : acked) EXPECT_TRUE(firsts.contains(key));
    EXPECT_LE(firsts.size(), acked.size() + kWriters * (round + 1));
  }
}

TEST_F(RocksDbFaultsTest, KeepsAStoreThatWasJustMade) {
  LosePower(0);
  PowerUp();
  ASSERT_THAT(engine_->Commit(PutOf("acked", "value")), IsOk());
  LosePower(0);
  PowerUp();
  EXPECT_THAT(engine_->Get("acked"), IsOkAndHolds(Optional(Eq("value"))));
}

// --- The log

TEST_F(RocksDbFaultsTest, LogsTroubleWithoutKeysOrValues) {
  ASSERT_THAT(engine_->Commit(PutOf("secretkey", "secretvalue")), IsOk());
  disk_->Fail(Operation::kSync, ".log", FaultFileSystem::IoError());
  EXPECT_THAT(engine_->Commit(PutOf("secretkey", "secretvalue")),
              StatusIs(absl::StatusCode::kUnknown));
  engine_.reset();
  std::lock_guard lock(mutex_);
  EXPECT_THAT(log_, Not(IsEmpty()));
  EXPECT_THAT(log_, Each(Not(HasSubstr("secret"))));
  // Not one argument is filled in, whatever RocksDB puts there.
  EXPECT_THAT(log_, Each(HasSubstr("%")));
  EXPECT_THAT(log_, Each(Not(HasSubstr("\n"))));
}

}  // namespace
}  // namespace hizo::storage
