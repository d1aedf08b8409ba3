// Purges: that what was deleted is in no file, and what is said where it is.
#include <rocksdb/env.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/rocksdb/open.h"
#include "tests/testing/fault_file_system.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::storage {
namespace {

namespace fs = std::filesystem;
using test::FaultFileSystem;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::Eq;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;

constexpr char kSecret[] = "a value that is to be nowhere";
constexpr char kKept[] = "a value that stays";

class RocksDbPurgeTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }
  void TearDown() override { engine_.reset(); }

  void Open() {
    engine_.reset();
    auto engine = OpenRocksDb({.directory = directory_,
                               .create = true,
                               .block_cache_bytes = 1 << 20,
                               .write_buffer_bytes = 1 << 16,
                               .log = nullptr},
                              *env_);
    ASSERT_THAT(engine, IsOk());
    engine_ = *std::move(engine);
  }
  void Put(const std::string& key, const std::string& value) {
    Batch batch;
    batch.Put(key, value);
    ASSERT_THAT(engine_->Commit(batch), IsOk());
  }
  void Delete(const std::string& key) {
    Batch batch;
    batch.Delete(key);
    ASSERT_THAT(engine_->Commit(batch), IsOk());
  }
  // Tables are written out of the log at the next open, or when memory is full.
  void Fill() {
    for (int i = 0; i < 200; ++i) {
      Put("filler" + std::to_string(i), std::string(1000, 'f'));
    }
  }
  absl::StatusOr<PurgeReport> Purge() { return engine_->Purge(stop_); }

  // The files that hold the text.
  std::vector<std::string> FilesWith(const std::string& text) const {
    std::vector<std::string> found;
    for (const auto& file : fs::directory_iterator(directory_)) {
      std::ifstream in(file.path(), std::ios::binary);
      const std::string bytes(std::istreambuf_iterator<char>(in), {});
      if (bytes.find(text) != bytes.npos) found.push_back(file.path());
    }
    return found;
  }

  test::ScratchDirectory scratch_;
  const fs::path directory_ = scratch_.path() / "store";
  std::shared_ptr<FaultFileSystem> disk_ = std::make_shared<FaultFileSystem>();
  const std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(disk_);
  std::atomic<bool> stop_ = false;
  std::unique_ptr<Engine> engine_;
};

TEST_F(RocksDbPurgeTest, LeavesWhatWasDeletedInNoFile) {
  Put("deleted", kSecret);
  Put("replaced", kSecret);
  Put("kept", kKept);
  Fill();
  Delete("deleted");
  Put("replaced", kKept);
  ASSERT_THAT(FilesWith(kSecret), Not(IsEmpty()));
  const auto report = Purge();
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->sound());
  EXPECT_THAT(report->files_rewritten, Gt(0U));
  EXPECT_THAT(report->bytes, Gt(0U));
  EXPECT_THAT(FilesWith(kSecret), IsEmpty());
  EXPECT_THAT(FilesWith(kKept), Not(IsEmpty()));
  EXPECT_THAT(engine_->Get("kept"), IsOkAndHolds(Optional(Eq(kKept))));
  EXPECT_THAT(engine_->Get("deleted"), IsOkAndHolds(Eq(std::nullopt)));
}

// Where deleting and its value are only in the log.
TEST_F(RocksDbPurgeTest, LeavesNothingInTheLog) {
  Put("deleted", kSecret);
  Delete("deleted");
  ASSERT_THAT(FilesWith(kSecret), Not(IsEmpty()));
  ASSERT_THAT(Purge(), IsOk());
  EXPECT_THAT(FilesWith(kSecret), IsEmpty());
}

TEST_F(RocksDbPurgeTest, LeavesNothingInTablesOfEarlierProcesses) {
  Put("deleted", kSecret);
  Open();
  Fill();
  Open();
  Delete("deleted");
  ASSERT_THAT(FilesWith(kSecret), Not(IsEmpty()));
  const auto report = Purge();
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->sound());
  EXPECT_THAT(FilesWith(kSecret), IsEmpty());
}

TEST_F(RocksDbPurgeTest, SaysThatSomebodyReadAnOlderState) {
  Put("deleted", kSecret);
  Fill();
  auto snapshot = engine_->NewSnapshot();
  ASSERT_THAT(snapshot, IsOk());
  Delete("deleted");
  auto report = Purge();
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->read_meanwhile);
  EXPECT_FALSE(report->sound());
  EXPECT_THAT((*snapshot)->Get("deleted"), IsOkAndHolds(Optional(Eq(kSecret))));
  snapshot->reset();
  report = Purge();
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->sound());
  EXPECT_THAT(FilesWith(kSecret), IsEmpty());
}

TEST_F(RocksDbPurgeTest, OfAnEmptyOrIdleStoreIsSound) {
  for (int i = 0; i < 3; ++i) {
    const auto report = Purge();
    ASSERT_THAT(report, IsOk());
    EXPECT_TRUE(report->sound());
  }
  Put("kept", kKept);
  for (int i = 0; i < 3; ++i) {
    const auto report = Purge();
    ASSERT_THAT(report, IsOk());
    EXPECT_TRUE(report->sound()) << i;
  }
}

TEST_F(RocksDbPurgeTest, LetsOthersWriteMeanwhile) {
  Fill();
  std::jthread writer([this] {
    for (int i = 0; i < 100; ++i) Put("meanwhile" + std::to_string(i), kKept);
  });
  EXPECT_THAT(Purge(), IsOk());
  writer.join();
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(engine_->Get("meanwhile" + std::to_string(i)),
                IsOkAndHolds(Optional(Eq(kKept))));
  }
}

TEST_F(RocksDbPurgeTest, EndsWhenItIsToldTo) {
  Fill();
  stop_ = true;
  EXPECT_THAT(Purge(), StatusIs(absl::StatusCode::kAborted));
  stop_ = false;
  EXPECT_THAT(Purge(), IsOk());
}

TEST_F(RocksDbPurgeTest, IsNotBegunWithoutRoomForAllOfIt) {
  Put("kept", kKept);
  Fill();
  Open();
  disk_->SetFreeSpace(kReserveBytes + (2 << 16));
  EXPECT_THAT(Purge(), StatusIs(absl::StatusCode::kResourceExhausted));
  disk_->SetFreeSpace(uint64_t{1} << 30);
  EXPECT_THAT(Purge(), IsOk());
  EXPECT_THAT(engine_->Get("kept"), IsOkAndHolds(Optional(Eq(kKept))));
}

TEST_F(RocksDbPurgeTest, WhatFailsLeavesTheRows) {
  Put("kept", kKept);
  Fill();
  disk_->Fail(FaultFileSystem::Operation::kSync, ".sst",
              FaultFileSystem::IoError());
  EXPECT_THAT(Purge(), Not(IsOk()));
  Open();
  EXPECT_THAT(engine_->Get("kept"), IsOkAndHolds(Optional(Eq(kKept))));
  EXPECT_THAT(Purge(), IsOk());
}

}  // namespace
}  // namespace hizo::storage
