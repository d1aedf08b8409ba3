#include "storage/rocksdb/read.h"

#include <memory>

#include "storage/bounds.h"

namespace hizo::storage {
namespace {

absl::Status ReadError(const rocksdb::Status& status) {
  if (status.IsCorruption()) {
    return absl::DataLossError("stored bytes are damaged");
  }
  return absl::UnavailableError("stored bytes cannot be read");
}

}  // namespace

absl::StatusOr<std::optional<std::string>> Find(
    rocksdb::DB& db, const rocksdb::ReadOptions& options,
    std::string_view key) {
  std::string value;
  const rocksdb::Status status = db.Get(options, key, &value);
  if (status.ok()) return value;
  if (status.IsNotFound()) return std::nullopt;
  return ReadError(status);
}

absl::StatusOr<std::vector<Row>> Find(rocksdb::DB& db,
                                      rocksdb::ReadOptions options,
                                      const ScanRange& range) {
  if (absl::Status status = CheckBounds(range); !status.ok()) return status;
  std::vector<Row> found;
  if (IsEmpty(range)) return found;
  const rocksdb::Slice from = range.from;
  const rocksdb::Slice until = range.until;
  options.iterate_lower_bound = &from;
  if (!range.until.empty()) options.iterate_upper_bound = &until;
  const std::unique_ptr<rocksdb::Iterator> row(db.NewIterator(options));
  if (range.reverse) {
    row->SeekToLast();
  } else {
    row->SeekToFirst();
  }
  size_t bytes = 0;
  while (row->Valid() && found.size() < range.limit && bytes < range.bytes) {
    found.push_back({row->key().ToString(), row->value().ToString()});
    bytes += row->value().size();
    if (range.reverse) {
      row->Prev();
    } else {
      row->Next();
    }
  }
  if (!row->status().ok()) return ReadError(row->status());
  return found;
}

}  // namespace hizo::storage
