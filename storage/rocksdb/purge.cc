// A purge: the second line behind the keys. It can speak for the files of the
// store only, not for the medium, snapshots of it or copies elsewhere.
#include <rocksdb/db.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <thread>

#include "storage/files.h"
#include "storage/rocksdb/open.h"

namespace hizo::storage {
namespace {

// How long RocksDB's threads have for what they are about to delete.
constexpr std::chrono::seconds kLooksFor{1};

// Tables and logs; the other files hold no values.
absl::StatusOr<std::set<std::string>> FilesWithValues(
    const std::string& directory) {
  std::set<std::string> files;
  std::error_code error;
  std::filesystem::directory_iterator file(directory, error);
  for (; !error && file != std::filesystem::directory_iterator();
       file.increment(error)) {
    const std::string ending = file->path().extension();
    // A log in which nothing is yet goes on being written; one that has just
    // been deleted is none.
    std::error_code gone;
    const bool holds = ending == ".log" && file->file_size(gone) > 0 && !gone;
    if (holds || ending == ".sst" || ending == ".trash") {
      files.insert(file->path().filename());
    }
  }
  if (error) return absl::UnavailableError("the store cannot be listed");
  return files;
}

uint64_t Property(rocksdb::DB& db, const std::string& name) {
  uint64_t value = 0;
  db.GetIntProperty(name, &value);
  return value;
}

// What a reader of before the purge may still be shown is written anew, too.
bool HasSnapshots(rocksdb::DB& db) {
  return Property(db, rocksdb::DB::Properties::kNumSnapshots) > 0;
}

absl::Status ErrorOf(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsManualCompactionPaused() || status.IsIncomplete() ||
      status.IsAborted()) {
    return absl::AbortedError("the purge was stopped");
  }
  if (status.IsNoSpace()) {
    return absl::ResourceExhaustedError("no space is left for the purge");
  }
  return absl::UnavailableError("the store could not be written anew");
}

// Deletes what is not needed any more, now; RocksDB's threads may be about to.
absl::Status DropObsolete(rocksdb::DB& db) {
  rocksdb::Status status = db.DisableFileDeletions();
  if (status.ok()) status = db.EnableFileDeletions(/*force=*/false);
  return ErrorOf(status);
}

// Those of `before` that are still there, once nobody is about to delete them.
absl::StatusOr<uint64_t> CountLeft(const OpenStore& store,
                                   const std::set<std::string>& before) {
  const auto deadline = std::chrono::steady_clock::now() + kLooksFor;
  for (;;) {
    if (absl::Status status = DropObsolete(*store.db); !status.ok()) {
      return status;
    }
    const auto after = FilesWithValues(store.directory);
    if (!after.ok()) return after.status();
    const auto left = std::ranges::count_if(
        before, [&](const std::string& file) { return after->contains(file); });
    if (left == 0 || std::chrono::steady_clock::now() > deadline) {
      return static_cast<uint64_t>(left);
    }
    std::this_thread::yield();
  }
}

absl::Status Rewrite(rocksdb::DB& db, std::atomic<bool>& stop) {
  // What memory holds, so that its logs are let go.
  rocksdb::Status status = db.Flush(rocksdb::FlushOptions());
  if (!status.ok()) return ErrorOf(status);
  rocksdb::CompactRangeOptions all;
  all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  all.exclusive_manual_compaction = false;
  all.canceled = &stop;
  return ErrorOf(db.CompactRange(all, nullptr, nullptr));
}

}  // namespace

absl::StatusOr<PurgeReport> PurgeStore(const OpenStore& store,
                                       std::atomic<bool>& stop) {
  rocksdb::DB& db = *store.db;
  const uint64_t size =
      Property(db, rocksdb::DB::Properties::kTotalSstFilesSize);
  if (!store.HasRoomFor(size, Room::kOrdinary)) {
    return absl::ResourceExhaustedError(
        "a purge needs as much room again as the store takes");
  }
  const auto before = FilesWithValues(store.directory);
  if (!before.ok()) return before.status();
  PurgeReport report;
  report.read_meanwhile = HasSnapshots(db);
  if (absl::Status status = Rewrite(db, stop); !status.ok()) return status;
  report.read_meanwhile = report.read_meanwhile || HasSnapshots(db);
  const auto left = CountLeft(store, *before);
  if (!left.ok()) return left.status();
  // RocksDB unlinks without a sync.
  if (absl::Status status = SyncDirectory(store.directory); !status.ok()) {
    return status;
  }
  report.files_left = *left;
  report.files_rewritten = before->size() - report.files_left;
  report.bytes = Property(db, rocksdb::DB::Properties::kTotalSstFilesSize);
  return report;
}

}  // namespace hizo::storage
