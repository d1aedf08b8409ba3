// How a RocksDB directory is opened: the settings, the watch over RocksDB's
// threads, and the seam where tests put a file system that fails. Private to
// this folder and its tests.
#ifndef HIZO_STORAGE_ROCKSDB_OPEN_H_
#define HIZO_STORAGE_ROCKSDB_OPEN_H_

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/backups.h"
#include "storage/engine.h"
#include "storage/files.h"
#include "storage/rocksdb/backups.h"
#include "storage/rocksdb/condition.h"
#include "storage/rocksdb/engine.h"

namespace hizo::storage {

// What RocksDB's own work needs on the disk always stays free. The reserve is
// on top of that, for batches that may use it.
enum class Room : uint8_t { kOrdinary, kReserve };
inline constexpr size_t kReserveBytes = 16 * 1024 * 1024;

// An open directory. The members are let go from the last to the first: the
// database's threads report to the condition until they have ended, and the
// directory is free for another process only after that.
struct OpenStore {
  // Whether there is room for `bytes` more beside what is kept; asks the disk.
  bool HasRoomFor(size_t bytes, Room room) const;

  std::unique_ptr<FileDescriptor> lock;
  std::unique_ptr<Condition> condition;
  std::unique_ptr<rocksdb::DB> db;
  std::string directory;
  size_t buffer_bytes = 0;  // for a buffer that is flushed, and its log
};

absl::StatusOr<OpenStore> OpenDirectory(const RocksDbOptions& options,
                                        rocksdb::Env& env);

// Engine::Purge.
absl::StatusOr<PurgeReport> PurgeStore(const OpenStore& store,
                                       std::atomic<bool>& stop);

// OpenRocksDb of engine.h on another file system. `env` outlives the engine.
absl::StatusOr<std::unique_ptr<Engine>> OpenRocksDb(
    const RocksDbOptions& options, rocksdb::Env& env);
// What an engine that OpenRocksDb made has open; nullptr of another engine.
const OpenStore* StoreOf(const Engine& engine);

// Takes `directory` for this process, until the descriptor is closed. kNotFound
// if it is missing, kFailedPrecondition if another one has it.
absl::StatusOr<std::unique_ptr<FileDescriptor>> LockDirectory(
    const std::filesystem::path& directory);
// How a database is opened that is only read, and writes nothing, not even a
// log of its own.
rocksdb::Options ReadingSettings(size_t block_cache_bytes, rocksdb::Env& env);

// OpenRocksDbBackups of backups.h with the backups on another file system.
// `env` outlives them.
absl::StatusOr<std::unique_ptr<Backups>> OpenRocksDbBackups(
    Engine* store, const RocksDbBackupOptions& options, rocksdb::Env& env);

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_ROCKSDB_OPEN_H_
