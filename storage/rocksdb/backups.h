// Backups of a RocksDB store: RocksDB's own backup engine, which shares table
// files between backups and checks the sum of each.
//
// One process owns a directory of backups (kFailedPrecondition for a second).
#ifndef HIZO_STORAGE_ROCKSDB_BACKUPS_H_
#define HIZO_STORAGE_ROCKSDB_BACKUPS_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "absl/status/statusor.h"
#include "storage/backups.h"
#include "storage/engine.h"

namespace hizo::storage {

struct RocksDbBackupOptions {
  std::filesystem::path directory;
  bool create = false;            // false: kNotFound where there are none
  uint64_t bytes_per_second = 0;  // at most; 0 is no limit
  // A backup ends when less is free where it goes to: the store may be there,
  // too.
  uint64_t reserve_bytes = 64 * 1024 * 1024;
  size_t block_cache_bytes = 16 * 1024 * 1024;  // of each that is opened
};

// Opens a directory of backups of `store`, which OpenRocksDb made, or of a
// store that is not open (nullptr): then Create is kFailedPrecondition.
absl::StatusOr<std::unique_ptr<Backups>> OpenRocksDbBackups(
    Engine* store, const RocksDbBackupOptions& options);

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_ROCKSDB_BACKUPS_H_
