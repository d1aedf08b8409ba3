// The engine on one machine's disk: RocksDB.
//
// One process owns a directory; a second one is refused (kFailedPrecondition).
// A write-ahead log that is damaged anywhere but in its torn tail refuses to
// open (kDataLoss) rather than losing what was acknowledged; so does a
// directory that has lost files. Commits are refused while less than a reserve
// of two write buffers is free, and go on as soon as there is space; RocksDB
// finishes what it has begun out of the reserve. A failed write or sync, in the
// background too, ends the engine (kUnavailable), for want of space as well.
//
// Commits without preconditions run side by side and share a sync; one with
// preconditions runs alone. One thread that commits large batches is fastest.
#ifndef HIZO_STORAGE_ROCKSDB_ENGINE_H_
#define HIZO_STORAGE_ROCKSDB_ENGINE_H_

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "storage/engine.h"

namespace hizo::storage {

struct RocksDbOptions {
  std::filesystem::path directory;
  bool create = false;  // false: kNotFound where there is no store
  size_t block_cache_bytes = 64 * 1024 * 1024;
  size_t write_buffer_bytes = 32 * 1024 * 1024;
  // Told the warnings and errors that RocksDB would write into its own log: the
  // texts with their placeholders, so without keys, values and paths. Called
  // from any thread, also while the engine is opened and destroyed. Empty:
  // dropped.
  std::function<void(std::string_view)> log;
};

absl::StatusOr<std::unique_ptr<Engine>> OpenRocksDb(
    const RocksDbOptions& options);

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_ROCKSDB_ENGINE_H_
