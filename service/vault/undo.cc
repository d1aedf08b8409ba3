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

}  // namespace

absl::StatusOr<storage::Batch> AddUndo(const storage::Reader& keys,
                                       uint64_t log_size,
                                       storage::Batch& batch) {
  storage::Batch undo;
  ByteWriter row;
  row.Put(kFormat).Put(log_size);
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
  undo.Delete(UndoKey());
  std::string bytes = std::move(row).Take();
  if (bytes.size() > storage::kValueSizeMax) {
    return absl::ResourceExhaustedError("a batch of keys replaces too much");
  }
  batch.Put(UndoKey(), std::move(bytes));
  return undo;
}

absl::Status UndoUnfinished(storage::Engine& keys, uint64_t log_size) {
  ASSIGN_OR_RETURN(const auto row, keys.Get(UndoKey()));
  if (!row.has_value()) return absl::OkStatus();
  ByteReader in(*row);
  const auto format = in.Get<uint8_t>();
  const auto finished_at = in.Get<uint64_t>();
  storage::Batch undo;
  while (in.ok() && !in.done()) {
    std::string key(in.GetText());
    const bool was_there = in.Get<uint8_t>() != 0;
    std::string before(in.GetText());
    if (!in.ok()) break;
    if (was_there) {
      undo.Put(std::move(key), std::move(before));
    } else {
      undo.Delete(std::move(key));
    }
  }
  if (!in.ok() || format != kFormat) {
    return absl::DataLossError("the keys store's undo row is damaged");
  }
  if (finished_at <= log_size) return absl::OkStatus();
  undo.Delete(UndoKey());
  return keys.Commit(undo);
}

}  // namespace hizo::vault
