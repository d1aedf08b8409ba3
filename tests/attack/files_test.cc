// The late-comer with copies of files: every file outside the slots' folder,
// as it was after every step of a history on a real disk, with backups, purges,
// a replica and restores. What is in them is read by RocksDB's own tools.
//
// attacker_test.cc gives the attacker more than that, every row that was ever
// written; here it is seen that files are no other way in.
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/anchor.h"
#include "storage/replica.h"
#include "storage/rocksdb/backups.h"
#include "storage/rocksdb/engine.h"
#include "tests/attack/history.h"
#include "tests/attack/loot.h"
#include "tests/service/vault/people.h"
#include "tests/testing/borrowed_engine.h"
#include "tests/testing/child_process.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::vault {
namespace {

namespace fs = std::filesystem;
using test::IsOk;
using test::VaultFixture;

constexpr int kSteps = 90;
constexpr int kBackupEvery = 20;
constexpr int kPurgeEvery = 33;
constexpr int kRestoreAt = 70;
// Small, so that tables are made and merged all the time.
constexpr size_t kBufferBytes = 64 * 1024;

storage::RocksDbOptions OptionsFor(const fs::path& directory) {
  storage::RocksDbOptions options;
  options.directory = directory;
  options.create = true;
  options.write_buffer_bytes = kBufferBytes;
  options.block_cache_bytes = 1 << 20;
  return options;
}

class FilesAttackTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(kept_);
    fs::create_directory(place_);
    VaultFixture::Options options;
    options.slots = 2;
    options.amend = test::KeepTransactions;
    options.open = [this](const fs::path& directory, bool) {
      return Open(directory);
    };
    vault_ = std::make_unique<VaultFixture>(options);
    history_.emplace(*vault_, scratch_.path());
    ASSERT_NO_FATAL_FAILURE(
        history_->Run(kSteps, [this](int step) { AfterStep(step); }));
    Read();
  }

  // The engine of a folder over RocksDB, which stays with the test.
  std::unique_ptr<storage::Engine> Open(const fs::path& directory) {
    std::unique_ptr<storage::Engine>& raw =
        directory.filename() == "keys" ? keys_ : data_;
    raw.reset();
    auto opened = storage::OpenRocksDb(OptionsFor(directory));
    if (!opened.ok()) throw std::runtime_error(opened.status().ToString());
    raw = *std::move(opened);
    return std::make_unique<test::BorrowedEngine>(*raw);
  }

  void AfterStep(int step) {
    if (step % kBackupEvery == 5) BackUp();
    if (step == kRestoreAt) Restore();
    if (step % kPurgeEvery == 10) Purge();
    Replicate();
    Keep('K', vault_->directory() / "keys");
    Keep('D', vault_->directory() / "data");
    Keep('D', backups_);
    Keep('R', place_);
  }
  void BackUp() {
    const auto backups = storage::OpenRocksDbBackups(
        data_.get(), {.directory = backups_, .create = true});
    ASSERT_THAT(backups, IsOk());
    ASSERT_THAT((*backups)->Create([](uint64_t) {}), IsOk());
  }
  void Purge() {
    std::atomic<bool> stop = false;
    ASSERT_THAT(keys_->Purge(stop), IsOk());
    ASSERT_THAT(data_->Purge(stop), IsOk());
  }
  // As at the start of a vault with a replica, which then is closed.
  void Replicate() {
    storage::Replica replica(*keys_, *data_, [this] {
      return storage::OpenRocksDb(OptionsFor(place_));
    });
    const std::string id(vault_->store().store_keys().store_id().bytes());
    const std::atomic<bool> stop = false;
    ASSERT_THAT(replica.CatchUp(id, stop), IsOk());
  }
  // The newest backup, in the place of the data.
  void Restore() {
    const auto id = StoreKeys::IdOf(vault_->keys());
    ASSERT_THAT(id, IsOk());
    vault_->Close();
    auto anchor = storage::Anchor::Open(vault_->anchor_file(),
                                        std::string(id->bytes()), false);
    ASSERT_THAT(anchor, IsOk());
    const fs::path data = vault_->directory() / "data";
    const fs::path restored = vault_->directory() / "restored";
    {
      const auto backups = storage::OpenRocksDbBackups(
          data_.get(), {.directory = backups_, .create = false});
      ASSERT_THAT(backups, IsOk());
      const auto backup = (*backups)->Open((*backups)->List().back().id);
      ASSERT_THAT(backup, IsOk());
      const auto into = storage::OpenRocksDb(OptionsFor(restored));
      ASSERT_THAT(into, IsOk());
      const auto counts =
          Store::Restore(vault_->Parts(), *std::move(anchor), vault_->Policy(),
                         vault_->clock(), **backup, **into);
      ASSERT_THAT(counts, IsOk());
      EXPECT_GT(counts->records, 0);
    }
    vault_->CloseEngines();
    data_.reset();
    fs::rename(data, vault_->directory() / "replaced");
    fs::rename(restored, data);
    ASSERT_THAT(vault_->Reopen(), IsOk());
    ++restored_;
  }

  // Tables never change once they are there; logs grow.
  void Keep(char store, const fs::path& folder) {
    if (!fs::exists(folder)) return;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const std::string kind = entry.path().extension();
      if (!entry.is_regular_file() || (kind != ".sst" && kind != ".log")) {
        continue;
      }
      const auto size = entry.file_size();
      const std::string now =
          std::to_string(size) + " " +
          std::to_string(entry.last_write_time().time_since_epoch().count());
      std::string& before = seen_[entry.path()];
      if (size == 0 || before == now) continue;
      before = now;
      fs::copy_file(entry.path(), kept_ / (std::string(1, store) + "-" +
                                           std::to_string(copies_++) + kind));
    }
  }
  void Read() {
    test::ChildProcess::Options options;
    options.arguments = {"/bin/sh",
                         "-c",
                         "exec \"$@\" >\"$0\"",
                         rows_.string(),
                         "/usr/bin/python3",
                         HIZO_SOURCE_DIR "/tests/attack/rows_of_files.py",
                         kept_.string()};
    test::ChildProcess reader(options);
    ASSERT_EQ(reader.Wait(), 0) << reader.output();
  }

  const test::ScratchDirectory scratch_;
  const fs::path kept_ = scratch_.path() / "kept";
  const fs::path rows_ = scratch_.path() / "rows";
  const fs::path backups_ = scratch_.path() / "backups";
  const fs::path place_ = scratch_.path() / "replica";
  std::unique_ptr<storage::Engine> keys_;
  std::unique_ptr<storage::Engine> data_;
  std::unique_ptr<VaultFixture> vault_;
  std::optional<test::History> history_;
  std::map<fs::path, std::string> seen_;
  size_t copies_ = 0;
  int restored_ = 0;
};

TEST_F(FilesAttackTest, CopiesOfAllFilesOpenNothingOfTheErased) {
  ASSERT_GE(history_->erased.size(), 4);
  ASSERT_GE(history_->living.size(), 8);
  ASSERT_EQ(restored_, 1);
  const test::Loot loot =
      test::Attack(*history_, rows_, history_->SlotsOfNow());
  test::ExpectOnlyTheLiving(*history_, loot);
  EXPECT_EQ(loot.generations, history_->GenerationsOfNow());
  // With the slots of every step they would: the files are the right ones.
  std::vector<std::string> all = history_->SlotsOfNow();
  all.insert(all.end(), history_->old_slots.begin(), history_->old_slots.end());
  const test::Loot everything = test::Attack(*history_, rows_, all);
  EXPECT_EQ(ErasedIn(*history_, everything.deks), history_->erased);
}

}  // namespace
}  // namespace hizo::vault
