#include "storage/rocksdb/backups.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/backup_engine.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "storage/files.h"
#include "storage/rocksdb/open.h"
#include "storage/rocksdb/read.h"

namespace hizo::storage {
namespace {

constexpr uint64_t kProgressBytes = 1024 * 1024;

absl::Status Full() {
  return absl::ResourceExhaustedError("no space is left for the backup");
}

absl::Status ErrorOf(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsNoSpace()) return Full();
  if (status.IsCorruption()) {
    return absl::DataLossError("the backup is damaged");
  }
  return absl::UnavailableError("the backup cannot be read or written");
}

absl::Status Stopped() { return absl::AbortedError("the backup was stopped"); }

Backup FromInfo(const rocksdb::BackupInfo& info) {
  return {info.backup_id, info.timestamp, info.size, info.number_files};
}

// A database that is read where the backup lies.
class BackupReader : public Reader {
 public:
  BackupReader(std::shared_ptr<rocksdb::Env> env,
               std::unique_ptr<rocksdb::DB> db)
      : env_(std::move(env)), db_(std::move(db)) {}

  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const override {
    return Find(*db_, rocksdb::ReadOptions(), key);
  }
  absl::StatusOr<std::vector<Row>> Scan(const ScanRange& range) const override {
    return Find(*db_, rocksdb::ReadOptions(), range);
  }

 private:
  const std::shared_ptr<rocksdb::Env> env_;
  const std::unique_ptr<rocksdb::DB> db_;
};

class RocksDbBackups : public Backups {
 public:
  RocksDbBackups(const OpenStore* store, RocksDbBackupOptions options,
                 rocksdb::Env& env, std::unique_ptr<FileDescriptor> lock)
      : store_(store),
        options_(std::move(options)),
        env_(env),
        lock_(std::move(lock)) {}

  // Once, before anything else.
  absl::Status Load() {
    return WithEngine([](auto&) {});
  }

  absl::StatusOr<Backup> Create(const Progress& progress) override;
  absl::Status KeepNewest(size_t count) override;
  std::vector<Backup> List() const override {
    const std::lock_guard lock(mutex_);
    return list_;
  }
  absl::Status Verify(uint64_t id) override;
  absl::StatusOr<std::unique_ptr<Reader>> Open(uint64_t id) override;
  void Stop() override {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (running_ != nullptr) running_->StopBackup();
  }

 private:
  // Each piece of work opens the directory anew: one that was stopped or failed
  // leaves its engine unfit for more.
  template <typename Work>
  absl::Status WithEngine(const Work& work);
  bool Has(uint64_t id) const;
  bool HasRoom() const {
    uint64_t free = 0;
    return env_.GetFreeSpace(options_.directory.string(), &free).ok() &&
           free >= options_.reserve_bytes;
  }

  const OpenStore* const store_;
  const RocksDbBackupOptions options_;
  rocksdb::Env& env_;
  const std::unique_ptr<FileDescriptor> lock_;
  std::mutex turn_;  // held by whoever reads or writes files
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  std::vector<Backup> list_;
  rocksdb::BackupEngine* running_ = nullptr;
  bool stopping_ = false;
};

template <typename Work>
absl::Status RocksDbBackups::WithEngine(const Work& work) {
  const std::lock_guard turn(turn_);
  rocksdb::BackupEngineOptions settings(options_.directory.string(), &env_);
  settings.backup_rate_limit = options_.bytes_per_second;
  settings.callback_trigger_interval_size = kProgressBytes;
  rocksdb::BackupEngine* opened = nullptr;
  // The store is read through the system's own file system.
  const rocksdb::Status status = rocksdb::BackupEngine::Open(
      settings, store_ == nullptr ? &env_ : store_->db->GetEnv(), &opened);
  if (!status.ok()) return ErrorOf(status);
  const std::unique_ptr<rocksdb::BackupEngine> engine(opened);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Stopped();
    running_ = engine.get();
  }
  work(*engine);
  std::vector<rocksdb::BackupInfo> infos;
  engine->GetBackupInfo(&infos);
  const std::lock_guard lock(mutex_);
  running_ = nullptr;
  list_.clear();
  for (const rocksdb::BackupInfo& info : infos) list_.push_back(FromInfo(info));
  std::ranges::sort(list_, {}, &Backup::id);
  return absl::OkStatus();
}

bool RocksDbBackups::Has(uint64_t id) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::find(list_, id, &Backup::id) != list_.end();
}

absl::StatusOr<Backup> RocksDbBackups::Create(const Progress& progress) {
  if (store_ == nullptr) {
    return absl::FailedPreconditionError("there is no open store to back up");
  }
  if (absl::Status alive = store_->condition->Check(); !alive.ok()) {
    return alive;
  }
  if (!HasRoom()) return Full();
  rocksdb::Status status;
  rocksdb::BackupID id = 0;
  std::atomic<bool> full = false;
  const auto make = [&](rocksdb::BackupEngine& engine) {
    // What one that died on its way has left; it fails or not as the backup
    // does.
    static_cast<void>(engine.GarbageCollect());
    uint64_t copied = 0;
    rocksdb::CreateBackupOptions how;
    // The table files of the last backup are shared, a log is copied whole.
    how.flush_before_backup = true;
    how.progress_callback = [&] {
      copied += kProgressBytes;
      if (!HasRoom()) {
        full = true;
        engine.StopBackup();
      }
      if (progress) progress(copied);
    };
    status = engine.CreateNewBackup(how, store_->db.get(), &id);
  };
  const absl::Status outcome = WithEngine(make);
  if (!outcome.ok()) return outcome;
  if (!status.ok()) {
    // Nothing of it stays, though it would not be listed.
    static_cast<void>(
        WithEngine([](auto& engine) { engine.GarbageCollect(); }));
    if (full) return Full();
    return status.IsIncomplete() ? Stopped() : ErrorOf(status);
  }
  const std::lock_guard lock(mutex_);
  const auto made = std::ranges::find(list_, id, &Backup::id);
  if (made == list_.end()) {
    return absl::UnavailableError("the backup was made and is not there");
  }
  return *made;
}

absl::Status RocksDbBackups::KeepNewest(size_t count) {
  if (count == 0) {
    return absl::InvalidArgumentError("at least one backup is kept");
  }
  rocksdb::Status status;
  const absl::Status outcome = WithEngine([&](rocksdb::BackupEngine& engine) {
    status = engine.PurgeOldBackups(static_cast<uint32_t>(count));
  });
  return outcome.ok() ? ErrorOf(status) : outcome;
}

absl::Status RocksDbBackups::Verify(uint64_t id) {
  rocksdb::Status status;
  const absl::Status outcome = WithEngine([&](rocksdb::BackupEngine& engine) {
    status = engine.VerifyBackup(static_cast<rocksdb::BackupID>(id),
                                 /*verify_with_checksum=*/true);
  });
  if (!outcome.ok()) return outcome;
  if (status.IsNotFound()) {
    // A file of a backup that is there, or the backup itself.
    if (Has(id)) return absl::DataLossError("the backup has lost a file");
    return absl::NotFoundError("there is no such backup");
  }
  return ErrorOf(status);
}

absl::StatusOr<std::unique_ptr<Reader>> RocksDbBackups::Open(uint64_t id) {
  rocksdb::Status status;
  rocksdb::BackupInfo info;
  const absl::Status outcome = WithEngine([&](rocksdb::BackupEngine& engine) {
    status = engine.GetBackupInfo(static_cast<rocksdb::BackupID>(id), &info,
                                  /*include_file_details=*/true);
  });
  if (!outcome.ok()) return outcome;
  if (status.IsNotFound()) {
    return absl::NotFoundError("there is no such backup");
  }
  if (!status.ok()) return ErrorOf(status);
  rocksdb::DB* db = nullptr;
  status = rocksdb::DB::OpenForReadOnly(
      ReadingSettings(options_.block_cache_bytes, *info.env_for_open),
      info.name_for_open, &db);
  if (!status.ok()) {
    return absl::DataLossError("the backup is damaged or has lost a file");
  }
  return std::make_unique<BackupReader>(info.env_for_open,
                                        std::unique_ptr<rocksdb::DB>(db));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backups>> OpenRocksDbBackups(
    Engine* store, const RocksDbBackupOptions& options, rocksdb::Env& env) {
  const OpenStore* const open = store == nullptr ? nullptr : StoreOf(*store);
  if (store != nullptr && open == nullptr) {
    return absl::InvalidArgumentError("backups are made of RocksDB only");
  }
  if (options.create) {
    absl::Status status = MakeDirectory(options.directory);
    if (!status.ok()) return status;
  }
  auto lock = LockDirectory(options.directory);
  if (!lock.ok()) return lock.status();
  auto backups =
      std::make_unique<RocksDbBackups>(open, options, env, *std::move(lock));
  if (absl::Status status = backups->Load(); !status.ok()) return status;
  return backups;
}

absl::StatusOr<std::unique_ptr<Backups>> OpenRocksDbBackups(
    Engine* store, const RocksDbBackupOptions& options) {
  return OpenRocksDbBackups(store, options, *rocksdb::Env::Default());
}

}  // namespace hizo::storage
