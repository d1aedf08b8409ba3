// A fixed script of calls is run once for every n, and the nth commit, read or
// sync, or the power, fails: the caller is told the truth, nothing is done by
// halves, the store opens again with a sound log, and the same requests then
// have one effect each.
#include <rocksdb/env.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/rocksdb/open.h"
#include "tests/integration/store_check.h"
#include "tests/sweep/script.h"
#include "tests/testing/fault_file_system.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using When = FaultyEngine::When;
using Operation = FaultFileSystem::Operation;

// Runs the script over `vault`, in which something is about to fail, and
// whatever is left of it afterwards.
void RunThroughFault(VaultFixture& vault,
                     const std::function<void()>& before_opening) {
  const std::string key = vault.store().log().verifier_key();
  Script script;
  Progress progress;
  script.Run(vault, progress);
  if (before_opening) before_opening();
  ASSERT_THAT(vault.Reopen(), IsOk());
  {
    Ledger ledger;
    Script::Enter(progress, 0, ledger);
    CheckRecordsAndLog(vault.data(), key, ledger);
  }
  ASSERT_NO_FATAL_FAILURE(script.RunAgain(vault));
  ASSERT_THAT(vault.Reopen(), IsOk());
  Ledger ledger;
  Script::Enter(progress, 1, ledger);
  CheckRecordsAndLog(vault.data(), key, ledger);
}

// How often the script does something when nothing fails.
struct Counts {
  size_t data_commits = 0;
  size_t keys_commits = 0;
  size_t data_reads = 0;
  size_t keys_reads = 0;
};
Counts CountsOfTheScript() {
  VaultFixture vault(Script::Options());
  const auto now = [&vault] {
    return Counts{vault.data().commits(), vault.keys().commits(),
                  vault.data().reads(), vault.keys().reads()};
  };
  const Counts before = now();
  Script script;
  Progress progress;
  script.Run(vault, progress);
  for (size_t i = 0; i < Script::steps(); ++i) {
    EXPECT_EQ(progress.told[i], Progress::kDone) << i;
  }
  const Counts after = now();
  return {after.data_commits - before.data_commits,
          after.keys_commits - before.keys_commits,
          after.data_reads - before.data_reads,
          after.keys_reads - before.keys_reads};
}

TEST(SweepTest, TheScriptSucceedsWhereNothingFails) {
  const Counts counts = CountsOfTheScript();
  EXPECT_GE(counts.data_commits, Script::steps());
  EXPECT_GT(counts.keys_commits, 0U);
  VaultFixture vault(Script::Options());
  RunThroughFault(vault, nullptr);
}

using Engine = FaultyEngine& (VaultFixture::*)();

void SweepCommits(Engine engine, size_t count, When when,
                  const absl::Status& status) {
  for (size_t n = 1; n <= count && !::testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE("commit " + std::to_string(n));
    VaultFixture vault(Script::Options());
    (vault.*engine)().FailCommit(n, when, status);
    ASSERT_NO_FATAL_FAILURE(RunThroughFault(vault, nullptr));
  }
}

TEST(SweepTest, ACommitOfTheDataIsLost) {
  SweepCommits(&VaultFixture::data, CountsOfTheScript().data_commits,
               When::kBeforeApplied, absl::UnknownError("injected"));
}
TEST(SweepTest, ACommitOfTheDataIsDoneAndNotKnown) {
  SweepCommits(&VaultFixture::data, CountsOfTheScript().data_commits,
               When::kAfterApplied, absl::UnknownError("injected"));
}
TEST(SweepTest, ACommitOfTheDataFindsNoSpace) {
  SweepCommits(&VaultFixture::data, CountsOfTheScript().data_commits,
               When::kBeforeApplied, absl::ResourceExhaustedError("injected"));
}
TEST(SweepTest, ACommitOfTheDataIsRefused) {
  SweepCommits(&VaultFixture::data, CountsOfTheScript().data_commits,
               When::kBeforeApplied, absl::UnavailableError("injected"));
}
TEST(SweepTest, ACommitOfTheKeysIsLost) {
  SweepCommits(&VaultFixture::keys, CountsOfTheScript().keys_commits,
               When::kBeforeApplied, absl::UnknownError("injected"));
}
TEST(SweepTest, ACommitOfTheKeysIsDoneAndNotKnown) {
  SweepCommits(&VaultFixture::keys, CountsOfTheScript().keys_commits,
               When::kAfterApplied, absl::UnknownError("injected"));
}
TEST(SweepTest, ACommitOfTheKeysFindsNoSpace) {
  SweepCommits(&VaultFixture::keys, CountsOfTheScript().keys_commits,
               When::kBeforeApplied, absl::ResourceExhaustedError("injected"));
}

void SweepReads(Engine engine, size_t count) {
  for (size_t n = 1; n <= count && !::testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE("read " + std::to_string(n));
    VaultFixture vault(Script::Options());
    (vault.*engine)().FailRead(n, n % 2 == 0
                                      ? absl::UnavailableError("injected")
                                      : absl::DataLossError("injected"));
    ASSERT_NO_FATAL_FAILURE(RunThroughFault(vault, nullptr));
  }
}

TEST(SweepTest, AReadOfTheDataFails) {
  SweepReads(&VaultFixture::data, CountsOfTheScript().data_reads);
}
TEST(SweepTest, AReadOfTheKeysFails) {
  SweepReads(&VaultFixture::keys, CountsOfTheScript().keys_reads);
}

// A vault over RocksDB on a disk of its own.
class DiskVault {
 public:
  DiskVault() {
    VaultFixture::Options options = Script::Options();
    options.open = [this](const std::filesystem::path& directory, bool create) {
      storage::RocksDbOptions rocksdb;
      rocksdb.directory = directory;
      rocksdb.create = create;
      rocksdb.block_cache_bytes = 1 << 20;
      rocksdb.write_buffer_bytes = 1 << 18;
      return storage::OpenRocksDb(rocksdb, *env_);
    };
    PowerUp();
    vault_.emplace(options);
  }
  void PowerUp() {
    disk_ = std::make_shared<FaultFileSystem>();
    envs_.push_back(rocksdb::NewCompositeEnv(disk_));
    env_ = envs_.back().get();
  }
  FaultFileSystem& disk() { return *disk_; }
  VaultFixture& vault() { return *vault_; }

 private:
  std::shared_ptr<FaultFileSystem> disk_;
  // Each outlives what was opened on it.
  std::vector<std::unique_ptr<rocksdb::Env>> envs_;
  rocksdb::Env* env_ = nullptr;
  std::optional<VaultFixture> vault_;
};

// Of the script, one for each commit.
size_t CountSyncs() {
  const Counts counts = CountsOfTheScript();
  return counts.data_commits + counts.keys_commits;
}

TEST(SweepTest, ASyncFails) {
  const size_t count = CountSyncs();
  for (size_t n = 1; n <= count && !::testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE("sync " + std::to_string(n));
    DiskVault on;
    on.disk().FailNth(n, Operation::kSync, ".log", FaultFileSystem::IoError());
    ASSERT_NO_FATAL_FAILURE(
        RunThroughFault(on.vault(), [&on] { on.PowerUp(); }));
  }
}

TEST(SweepTest, ThePowerFailsAtASync) {
  const size_t count = CountSyncs();
  for (size_t n = 1; n <= count && !::testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE("sync " + std::to_string(n));
    DiskVault on;
    on.disk().CutPowerAtNth(n, Operation::kSync, ".log");
    ASSERT_NO_FATAL_FAILURE(RunThroughFault(on.vault(), [&on, n] {
      FaultFileSystem& disk = on.disk();
      disk.CutPower();
      on.vault().CloseEngines();
      disk.DropUnsynced(n % 3 == 0 ? 0 : 40 * n);
      on.PowerUp();
    }));
  }
}

}  // namespace
}  // namespace hizo::test
