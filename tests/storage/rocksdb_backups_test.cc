// Backups of the RocksDB engine: whole or not there, on a disk that fails too.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/rocksdb/backups.h"
#include "storage/rocksdb/engine.h"
#include "storage/rocksdb/open.h"
#include "tests/testing/fault_file_system.h"
#include "tests/testing/faulty_engine.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::storage {
namespace {

using std::filesystem::path;
using test::FaultFileSystem;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;
using Operation = FaultFileSystem::Operation;

constexpr size_t kValueBytes = 4000;

class RocksDbBackupsTest : public ::testing::Test {
 protected:
  RocksDbBackupsTest()
      : store_(*OpenRocksDb({.directory = scratch_.path() / "store",
                             .create = true,
                             .block_cache_bytes = 1 << 20,
                             .write_buffer_bytes = 1 << 20,
                             .log = nullptr})) {
    PowerUp();
  }

  // Opens the backups on a machine that has just been switched on.
  void PowerUp() {
    backups_.reset();
    disk_ = std::make_shared<FaultFileSystem>();
    env_ = rocksdb::NewCompositeEnv(disk_);
    auto backups = OpenRocksDbBackups(store_.get(), Where(), *env_);
    ASSERT_THAT(backups, IsOk());
    backups_ = *std::move(backups);
  }
  RocksDbBackupOptions Where() const {
    return {.directory = scratch_.path() / "backups", .create = true};
  }

  // Puts `count` rows "<first>..." whose values begin with `value`.
  void Put(int first, int count, char value) {
    Batch batch;
    for (int i = first; i < first + count; ++i) {
      batch.Put(std::to_string(i), std::string(kValueBytes, value));
    }
    ASSERT_THAT(store_->Commit(batch), IsOk());
  }
  uint64_t Create() {
    const auto made = backups_->Create(nullptr);
    EXPECT_THAT(made, IsOk());
    return made.ok() ? made->id : 0;
  }
  std::vector<uint64_t> Ids() const {
    std::vector<uint64_t> ids;
    for (const Backup& backup : backups_->List()) ids.push_back(backup.id);
    return ids;
  }
  // The bytes of all files below the directory.
  uint64_t Size() const {
    uint64_t size = 0;
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(Where().directory)) {
      if (file.is_regular_file()) size += file.file_size();
    }
    return size;
  }
  path FileOf(const std::string& extension) const {
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(Where().directory)) {
      if (file.path().extension() == extension) return file.path();
    }
    return {};
  }
  // Neither listed nor anything of it left but what is in the earlier ones.
  void ExpectOnly(const std::vector<uint64_t>& ids, uint64_t size) {
    EXPECT_EQ(Ids(), ids);
    EXPECT_LE(Size(), size);
    for (const uint64_t id : ids) EXPECT_THAT(backups_->Verify(id), IsOk());
  }

  test::ScratchDirectory scratch_;
  std::unique_ptr<Engine> store_;
  std::shared_ptr<FaultFileSystem> disk_;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<Backups> backups_;
};

TEST_F(RocksDbBackupsTest, HoldsWhatWasCommittedWhenItWasMade) {
  Put(0, 10, 'a');
  const uint64_t first = Create();
  Put(5, 10, 'b');
  const uint64_t second = Create();
  Put(0, 20, 'c');
  EXPECT_THAT(Ids(), Eq(std::vector{first, second}));
  const auto old = backups_->Open(first);
  ASSERT_THAT(old, IsOk());
  EXPECT_THAT((*old)->Scan({.from = "", .until = "", .limit = 100}),
              IsOkAndHolds(SizeIs(10)));
  EXPECT_THAT((*old)->Get("7"),
              IsOkAndHolds(Optional(std::string(kValueBytes, 'a'))));
  const auto later = backups_->Open(second);
  ASSERT_THAT(later, IsOk());
  EXPECT_THAT((*later)->Scan({.from = "", .until = "", .limit = 100}),
              IsOkAndHolds(SizeIs(15)));
  EXPECT_THAT((*later)->Get("7"),
              IsOkAndHolds(Optional(std::string(kValueBytes, 'b'))));
}

TEST_F(RocksDbBackupsTest, KeepsOnceWhatTwoBackupsShare) {
  Put(0, 2000, 'a');
  Create();
  const uint64_t size = Size();
  Put(5000, 1, 'b');
  Create();
  EXPECT_GT(size, 2000 * kValueBytes);
  EXPECT_LT(Size(), size + 100'000);
}

TEST_F(RocksDbBackupsTest, TellsHowFarItIs) {
  Put(0, 1500, 'a');
  std::vector<uint64_t> told;
  const auto made =
      backups_->Create([&](uint64_t bytes) { told.push_back(bytes); });
  ASSERT_THAT(made, IsOk());
  EXPECT_GE(told.size(), 3);
  EXPECT_TRUE(std::ranges::is_sorted(told));
  EXPECT_GE(made->bytes, 1500 * kValueBytes);
  EXPECT_GT(made->files, 0);
}

TEST_F(RocksDbBackupsTest, IsFoundAgainAndReadWithoutTheStore) {
  Put(0, 10, 'a');
  const uint64_t id = Create();
  backups_.reset();
  store_.reset();
  const auto again = OpenRocksDbBackups(nullptr, Where());
  ASSERT_THAT(again, IsOk());
  EXPECT_THAT((*again)->List(), SizeIs(1));
  EXPECT_THAT((*again)->Verify(id), IsOk());
  const auto reader = (*again)->Open(id);
  ASSERT_THAT(reader, IsOk());
  EXPECT_THAT((*reader)->Scan({.from = "", .until = "", .limit = 100}),
              IsOkAndHolds(SizeIs(10)));
  EXPECT_THAT((*again)->Create(nullptr),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(RocksDbBackupsTest, ReadingABackupWritesNothingIntoIt) {
  Put(0, 10, 'a');
  const uint64_t id = Create();
  const uint64_t size = Size();
  const auto count = std::distance(
      std::filesystem::recursive_directory_iterator(Where().directory), {});
  ASSERT_THAT(backups_->Open(id), IsOk());
  EXPECT_EQ(Size(), size);
  EXPECT_EQ(
      std::distance(
          std::filesystem::recursive_directory_iterator(Where().directory), {}),
      count);
}

TEST_F(RocksDbBackupsTest, KeepsTheNewest) {
  for (int i = 0; i < 4; ++i) {
    Put(i * 100, 100, 'a');
    Create();
  }
  const std::vector<uint64_t> all = Ids();
  ASSERT_THAT(backups_->KeepNewest(2), IsOk());
  EXPECT_EQ(Ids(), (std::vector{all[2], all[3]}));
  EXPECT_THAT(backups_->Verify(all[3]), IsOk());
  EXPECT_THAT(backups_->Open(all[0]), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_GT(Create(), all[3]);
  EXPECT_THAT(backups_->KeepNewest(0),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(RocksDbBackupsTest, FindsDamage) {
  Put(0, 100, 'a');
  const uint64_t id = Create();
  const path table = FileOf(".sst");
  std::fstream(table, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(5000)
      .put('#');
  EXPECT_THAT(backups_->Verify(id), StatusIs(absl::StatusCode::kDataLoss));
  std::filesystem::remove(table);
  EXPECT_THAT(backups_->Verify(id), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(backups_->Open(id), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(RocksDbBackupsTest, FindsNoneThatIsNotThere) {
  EXPECT_THAT(backups_->List(), IsEmpty());
  EXPECT_THAT(backups_->Verify(7), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(backups_->Open(7), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(RocksDbBackupsTest, RefusesASecondOwnerAndAMissingDirectory) {
  EXPECT_THAT(OpenRocksDbBackups(nullptr, Where()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(
      OpenRocksDbBackups(nullptr, {.directory = scratch_.path() / "nowhere"}),
      StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(RocksDbBackupsTest, TakesOnlyAnEngineOfItsOwn) {
  test::FaultyEngine other(*OpenRocksDb({.directory = scratch_.path() / "other",
                                         .create = true,
                                         .log = nullptr}));
  EXPECT_THAT(OpenRocksDbBackups(
                  &other, {.directory = scratch_.path() / "b", .create = true}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// What a full disk, a failed write or sync leaves: the backup before it.
TEST_F(RocksDbBackupsTest, IsNotThereAfterAFault) {
  Put(0, 100, 'a');
  const uint64_t first = Create();
  // The store's state changes between the faults, so that there is something
  // to copy each time.
  int row = 1000;
  for (const auto& [operation, suffix] :
       std::vector<std::pair<Operation, std::string>>{
           {Operation::kOpen, ".tmp"},
           {Operation::kOpen, ".sst.tmp"},
           {Operation::kAppend, ".sst.tmp"},
           {Operation::kSync, ".sst.tmp"},
           {Operation::kAppend, ".tmp"},
           {Operation::kSync, ".tmp"}}) {
    for (const auto& fault :
         {FaultFileSystem::IoError(), FaultFileSystem::NoSpace()}) {
      PowerUp();
      const uint64_t size = Size();
      Put(row++, 1, 'b');
      disk_->Fail(operation, suffix, fault);
      const auto made = backups_->Create(nullptr);
      if (made.ok()) {
        // RocksDB makes no such file.
        ASSERT_THAT(backups_->KeepNewest(1), IsOk());
        ADD_FAILURE() << suffix << " was never met";
        continue;
      }
      EXPECT_THAT(made.status().code(),
                  AnyOf(absl::StatusCode::kUnavailable,
                        absl::StatusCode::kResourceExhausted));
      ExpectOnly({first}, size);
      EXPECT_THAT(store_->Health(), IsOk());
    }
  }
  PowerUp();
  const uint64_t second = Create();
  EXPECT_THAT(backups_->Verify(second), IsOk());
}

TEST_F(RocksDbBackupsTest, IsNotBegunWithoutSpaceAndEndsWhenItRunsOut) {
  Put(0, 3000, 'a');
  disk_->FillDisk();
  EXPECT_THAT(backups_->Create(nullptr),
              StatusIs(absl::StatusCode::kResourceExhausted));
  disk_->FreeDisk();
  ExpectOnly({}, 0);
  EXPECT_THAT(backups_->Create([&](uint64_t bytes) {
    if (bytes > 3'000'000) disk_->FillDisk();
  }),
              StatusIs(absl::StatusCode::kResourceExhausted));
  disk_->FreeDisk();
  EXPECT_THAT(backups_->List(), IsEmpty());
  EXPECT_GT(Create(), 0);
}

// At each sync, the machine loses its power.
TEST_F(RocksDbBackupsTest, IsWholeOrNotThereWhenThePowerGoes) {
  Put(0, 100, 'a');
  const uint64_t first = Create();
  int row = 1000;
  bool whole = false;
  for (size_t nth = 1; !whole && nth < 100; ++nth) {
    PowerUp();
    Put(row, 10, 'b');
    row += 10;
    disk_->CutPowerAtNth(nth, Operation::kSync, "");
    whole = backups_->Create(nullptr).ok();
    disk_->CutPower();
    backups_.reset();
    disk_->DropUnsynced(0);
    PowerUp();
    EXPECT_THAT(backups_->Verify(first), IsOk()) << nth;
    for (const uint64_t id : Ids()) {
      EXPECT_THAT(backups_->Verify(id), IsOk()) << nth << ": " << id;
    }
    if (whole) {
      EXPECT_GT(Ids().size(), 1);
    }
  }
  EXPECT_TRUE(whole);
}

TEST_F(RocksDbBackupsTest, IsStopped) {
  Put(0, 3000, 'a');
  EXPECT_THAT(backups_->Create([&](uint64_t) { backups_->Stop(); }),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(backups_->List(), IsEmpty());
  EXPECT_THAT(backups_->Create(nullptr), StatusIs(absl::StatusCode::kAborted));
  PowerUp();
  EXPECT_GT(Create(), 0);
}

}  // namespace
}  // namespace hizo::storage
