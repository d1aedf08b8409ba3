#include "service/vault/undo.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "storage/key_bytes.h"

namespace hizo::vault {
namespace {

constexpr uint8_t kFormat = 1;

std::string UndoKey() { return storage::KeyWriter(base::kSpaceUndo).Take(); }
std::string MarkKey() {
  return storage::KeyWriter(base::kSpaceKeysMark).Take();
}

// What both rows begin with; the mark is no more than that.
std::string HeadOf(uint64_t log_size) {
  ByteWriter out;
  out.Put(kFormat).Put(log_size);
  return std::move(out).Take();
}

// The log size in the row of `key`; 0 if there is none.
absl::StatusOr<uint64_t> LogSizeIn(const storage::Reader& reader,
                                   const std::string& key) {
  ASSIGN_OR_RETURN(const auto row, reader.Get(key));
  if (!row.has_value()) return uint64_t{0};
  ByteReader in(*row);
  const auto format = in.Get<uint8_t>();
  const auto log_size = in.Get<uint64_t>();
  if (!in.ok() || format != kFormat) {
    return absl::DataLossError("the mark between the two stores is damaged");
  }
  return log_size;
}

}  // namespace

void AddMark(uint64_t log_size, storage::Batch& data) {
  data.Put(MarkKey(), HeadOf(log_size));
}

absl::Status CheckMark(const storage::Reader& keys,
                       const storage::Reader& data) {
  ASSIGN_OR_RETURN(const uint64_t needed, LogSizeIn(data, MarkKey()));
  ASSIGN_OR_RETURN(const uint64_t present, LogSizeIn(keys, UndoKey()));
  if (needed <= present) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the keys store is older than the data store");
}

absl::StatusOr<storage::Batch> AddUndo(const storage::Reader& keys,
                                       uint64_t log_size,
                                       storage::Batch& batch) {
  ASSIGN_OR_RETURN(const uint64_t before_size, LogSizeIn(keys, UndoKey()));
  storage::Batch undo;
  ByteWriter row;
  row.PutRaw(HeadOf(log_size));
  std::set<std::string_view> seen;
  for (const storage::Batch::Write& write : batch.writes()) {
    if (!seen.insert(write.key).second) continue;
    ASSIGN_OR_RETURN(std::optional<std::string> before, keys.Get(write.key));
    row.PutText(write.key)
        .Put(static_cast<uint8_t>(before.has_value() ? 1 : 0))
        .PutText(before.value_or(""));
    if (before.has_value()) {
      undo.Put(write.key, *std::move(before));
    } else {
      undo.Delete(write.key);
    }
  }
  undo.Put(UndoKey(), HeadOf(before_size));
  std::string bytes = std::move(row).Take();
  if (bytes.size() > storage::kValueSizeMax) {
    return absl::ResourceExhaustedError("a batch of keys replaces too much");
  }
  batch.Put(UndoKey(), std::move(bytes));
  return undo;
}

absl::Status ForgetUndo(const storage::Reader& keys, storage::Batch& batch) {
  ASSIGN_OR_RETURN(const uint64_t log_size, LogSizeIn(keys, UndoKey()));
  batch.Put(UndoKey(), HeadOf(log_size));
  return absl::OkStatus();
}

absl::Status UndoUnfinished(storage::Engine& keys, uint64_t log_size) {
  ASSIGN_OR_RETURN(const auto row, keys.Get(UndoKey()));
  if (!row.has_value()) return absl::OkStatus();
  ByteReader in(*row);
  const auto format = in.Get<uint8_t>();
  const auto finished_at = in.Get<uint64_t>();
  storage::Batch undo;
  bool fits = true;
  while (in.ok() && !in.done()) {
    std::string key(in.GetText());
    const bool was_there = in.Get<uint8_t>() != 0;
    std::string before(in.GetText());
    fits = fits && !key.empty() && key.size() <= storage::kKeySizeMax &&
           before.size() <= storage::kValueSizeMax;
    if (was_there) {
      undo.Put(std::move(key), std::move(before));
    } else {
      undo.Delete(std::move(key));
    }
  }
  if (!in.ok() || !fits || format != kFormat) {
    return absl::DataLossError("the keys store's undo row is damaged");
  }
  if (finished_at <= log_size) return absl::OkStatus();
  undo.Put(UndoKey(), HeadOf(log_size));
  return keys.Commit(undo);
}

}  // namespace hizo::vault
