// Reading an open database, as engines, snapshots and backups do. Private to
// this folder.
#ifndef HIZO_STORAGE_ROCKSDB_READ_H_
#define HIZO_STORAGE_ROCKSDB_READ_H_

#include <rocksdb/db.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/engine.h"

namespace hizo::storage {

// Reader::Get and Reader::Scan.
absl::StatusOr<std::optional<std::string>> Find(
    rocksdb::DB& db, const rocksdb::ReadOptions& options, std::string_view key);
absl::StatusOr<std::vector<Row>> Find(rocksdb::DB& db,
                                      rocksdb::ReadOptions options,
                                      const ScanRange& range);

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_ROCKSDB_READ_H_
