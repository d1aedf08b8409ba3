// What the RocksDB engine promises beyond the contract: who may open a
// directory, and what damage to its files it notices.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/rocksdb/engine.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::storage {
namespace {

using std::filesystem::path;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;
using ::testing::SizeIs;

std::string Contents(const path& file) {
  std::ifstream stream(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

void Flip(const path& file, size_t offset) {
  std::string contents = Contents(file);
  contents.at(offset) = static_cast<char>(contents.at(offset) ^ 0x10);
  std::ofstream(file, std::ios::binary) << contents;
}

class RocksDbEngineTest : public ::testing::Test {
 protected:
  RocksDbEngineTest() : directory_(scratch_.path() / "store") {}

  absl::StatusOr<std::unique_ptr<Engine>> Open(bool create) {
    return OpenRocksDb({.directory = directory_,
                        .create = create,
                        .block_cache_bytes = 1 << 20,
                        .write_buffer_bytes = 1 << 20,
                        .log = nullptr});
  }

  // Makes a store with the keys "0" to `count` - 1, a commit each.
  void Fill(int count) {
    const auto engine = Open(true);
    ASSERT_THAT(engine, IsOk());
    for (int i = 0; i < count; ++i) {
      Batch batch;
      batch.Put(std::to_string(i), std::string(100, 'v'));
      ASSERT_THAT((*engine)->Commit(batch), IsOk());
    }
  }

  // Moves all rows from the log to table files.
  void Flush() { ASSERT_THAT(Open(false), IsOk()); }

  // The file with this extension that is the largest.
  path FileOf(const std::string& extension) const {
    path found;
    for (const auto& file : std::filesystem::directory_iterator(directory_)) {
      if (file.path().extension() != extension) continue;
      if (found.empty() || file.file_size() > file_size(found)) found = file;
    }
    EXPECT_FALSE(found.empty()) << extension;
    return found;
  }

  path Manifest() const {
    path found;
    for (const auto& file : std::filesystem::directory_iterator(directory_)) {
      const std::string name = file.path().filename();
      if (name.starts_with("MANIFEST")) found = file;
    }
    EXPECT_FALSE(found.empty());
    return found;
  }

  test::ScratchDirectory scratch_;
  const path directory_;
};

// --- Opening

TEST_F(RocksDbEngineTest, MakesNoStoreByAccident) {
  EXPECT_THAT(Open(false), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(exists(directory_));
  create_directory(directory_);
  EXPECT_THAT(Open(false), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(is_empty(directory_));
}

TEST_F(RocksDbEngineTest, MakesTheDirectoryForItsOwnerAlone) {
  Fill(1);
  EXPECT_EQ(status(directory_).permissions(),
            std::filesystem::perms::owner_all);
}

TEST_F(RocksDbEngineTest, OpensAStoreThatExistsInsteadOfMakingOne) {
  Fill(3);
  const auto engine = Open(true);
  ASSERT_THAT(engine, IsOk());
  EXPECT_THAT((*engine)->Get("2"), IsOkAndHolds(Not(Eq(std::nullopt))));
}

TEST_F(RocksDbEngineTest, SaysSoWhereTheDirectoryIsAFile) {
  std::ofstream(directory_) << "no directory";
  EXPECT_THAT(Open(false), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Open(true), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(RocksDbEngineTest, RefusesASecondOwner) {
  auto first = Open(true);
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(Open(false), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Open(true), StatusIs(absl::StatusCode::kFailedPrecondition));
  Batch batch;
  batch.Put("key", "value");
  EXPECT_THAT((*first)->Commit(batch), IsOk());
  first->reset();
  const auto second = Open(false);
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT((*second)->Get("key"), IsOkAndHolds(Optional(Eq("value"))));
}

TEST_F(RocksDbEngineTest, GivesTheDirectoryUpWhereOpeningFails) {
  create_directory(directory_);
  ASSERT_THAT(Open(false), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Open(true), IsOk());
}

TEST_F(RocksDbEngineTest, KeepsEveryCommitAcrossReopening) {
  for (int round = 0; round < 3; ++round) {
    auto engine = Open(true);
    ASSERT_THAT(engine, IsOk());
    EXPECT_THAT((*engine)->Scan({"", "", kScanLimitMax}),
                IsOkAndHolds(SizeIs(static_cast<size_t>(round))));
    Batch batch;
    batch.Put(std::to_string(round), "value");
    ASSERT_THAT((*engine)->Commit(batch), IsOk());
  }
}

TEST_F(RocksDbEngineTest, ReadsBackMoreThanAMemtable) {
  constexpr int kRows = 600;  // of 8 KiB each, into memtables of 1 MiB
  auto engine = Open(true);
  ASSERT_THAT(engine, IsOk());
  Batch batch;
  for (int i = 0; i < kRows; ++i) {
    batch.Put(std::to_string(i), std::string(8192, 'v'));
    if (i % 50 != 49) continue;
    ASSERT_THAT((*engine)->Commit(batch), IsOk());
    batch = Batch();
  }
  EXPECT_THAT((*engine)->Scan({"", "", kScanLimitMax}),
              IsOkAndHolds(SizeIs(kRows)));
  EXPECT_THAT((*engine)->Get("no such row"), IsOkAndHolds(Eq(std::nullopt)));
}

// --- Damage

TEST_F(RocksDbEngineTest, RefusesALogThatIsDamagedInTheMiddle) {
  Fill(1000);
  const path log = FileOf(".log");
  Flip(log, file_size(log) / 2);
  EXPECT_THAT(Open(false), StatusIs(absl::StatusCode::kDataLoss));
}

// Why there is an anchor outside the store: this cannot be told from a crash.
TEST_F(RocksDbEngineTest, ToleratesALogWhoseLastRecordIsTorn) {
  Fill(1000);
  const path log = FileOf(".log");
  resize_file(log, file_size(log) - 20);
  const auto engine = Open(false);
  ASSERT_THAT(engine, IsOk());
  EXPECT_THAT((*engine)->Scan({"", "", kScanLimitMax}),
              IsOkAndHolds(SizeIs(999)));
  EXPECT_THAT((*engine)->Get("999"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(RocksDbEngineTest, AnswersADamagedTableWithAnErrorNotWithFewerRows) {
  Fill(1000);
  Flush();
  Flip(FileOf(".sst"), 50);  // in the first block
  const auto engine = Open(false);
  ASSERT_THAT(engine, IsOk());
  EXPECT_THAT((*engine)->Get("0"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT((*engine)->Scan({"", "", kScanLimitMax}),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT((*engine)->Scan({"", "", kScanLimitMax, true}),
              StatusIs(absl::StatusCode::kDataLoss));
  // What lies in other blocks is still there, and so is the engine.
  EXPECT_THAT((*engine)->Get("999"), IsOkAndHolds(Not(Eq(std::nullopt))));
  EXPECT_THAT((*engine)->Health(), IsOk());
}

TEST_F(RocksDbEngineTest, RefusesAPreconditionOnADamagedRow) {
  Fill(1000);
  Flush();
  Flip(FileOf(".sst"), 50);
  const auto engine = Open(false);
  ASSERT_THAT(engine, IsOk());
  Batch batch;
  batch.RequireAbsent("0");
  batch.Put("new", "value");
  EXPECT_THAT((*engine)->Commit(batch), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT((*engine)->Get("new"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(RocksDbEngineTest, RefusesAStoreThatLostATable) {
  Fill(100);
  Flush();
  std::filesystem::remove(FileOf(".sst"));
  EXPECT_THAT(Open(false), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(RocksDbEngineTest, RefusesAStoreWhoseTableIsCutShort) {
  Fill(100);
  Flush();
  const path table = FileOf(".sst");
  resize_file(table, file_size(table) - 1);
  EXPECT_THAT(Open(false), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(RocksDbEngineTest, RefusesADamagedManifest) {
  Fill(100);
  Flush();
  Flip(Manifest(), 10);
  EXPECT_THAT(Open(false), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(RocksDbEngineTest, RefusesAStoreThatLostItsManifest) {
  Fill(100);
  std::filesystem::remove(Manifest());
  EXPECT_THAT(Open(false), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(RocksDbEngineTest, RefusesADamagedCurrentFile) {
  Fill(100);
  std::ofstream(directory_ / "CURRENT") << "rubbish\n";
  EXPECT_THAT(Open(false), StatusIs(absl::StatusCode::kDataLoss));
}

// RocksDB by itself would begin anew and delete the old files.
TEST_F(RocksDbEngineTest, NeverBeginsAnewOverAStoreThatLostItsCurrentFile) {
  for (const bool flushed : {false, true}) {
    Fill(100);
    if (flushed) Flush();
    const std::string current = Contents(directory_ / "CURRENT");
    const path kept = FileOf(flushed ? ".sst" : ".log");
    std::filesystem::remove(directory_ / "CURRENT");
    EXPECT_THAT(Open(false), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(Open(true), StatusIs(absl::StatusCode::kDataLoss));
    ASSERT_TRUE(exists(kept));
    std::ofstream(directory_ / "CURRENT") << current;
    const auto engine = Open(false);
    ASSERT_THAT(engine, IsOk());
    EXPECT_THAT((*engine)->Scan({"", "", kScanLimitMax}),
                IsOkAndHolds(SizeIs(100)));
  }
}

// --- What it writes beside the data

TEST_F(RocksDbEngineTest, WritesNoLogFileOfRocksDbs) {
  Fill(10);
  Flush();
  for (const auto& file : std::filesystem::directory_iterator(directory_)) {
    EXPECT_THAT(file.path().filename().string(), Not(HasSubstr("LOG")));
  }
}

}  // namespace
}  // namespace hizo::storage
