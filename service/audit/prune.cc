#include "service/audit/prune.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "crypto/digest.h"
#include "service/audit/query.h"
#include "service/audit/rows.h"
#include "service/audit/summary.h"
#include "service/audit/tree.h"
#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "storage/key_bytes.h"

namespace hizo::audit {
namespace {

// Stored; never renumber (FORMAT.md).
constexpr char kPrunedVersion = 1;

static_assert(kBlockSize == kTileWidth);

// What stands for the entries of one tile.
absl::Status PruneTile(const storage::Reader& reader, uint64_t tile,
                       storage::Batch& batch) {
  const uint64_t first = tile * kTileWidth;
  ASSIGN_OR_RETURN(const std::vector<crypto::Digest> hashes,
                   TreeReader(reader).TileAt(0, tile));
  for (uint64_t i = 0; i < kTileWidth; ++i) {
    const uint64_t sequence = first + i;
    ASSIGN_OR_RETURN(const std::optional<std::string> entry,
                     reader.Get(EntryKey(sequence)));
    // What somebody has been at is not helped to disappear.
    if (!entry.has_value() ||
        crypto::LeafHash(*entry) != hashes[static_cast<size_t>(i)]) {
      return absl::DataLossError("an audit entry is not what was written");
    }
    ASSIGN_OR_RETURN(const Event event, Decode(*entry));
    if (event.subject.has_value()) {
      batch.Delete(SubjectIndexKey(*event.subject, sequence));
    }
    batch.Delete(ActorIndexKey(event.actor, sequence));
    batch.Delete(EntryKey(sequence));
  }
  batch.Delete(SummaryKey(tile));
  return absl::OkStatus();
}

}  // namespace

std::string PrunedKey() {
  return storage::KeyWriter(base::kSpaceAuditPruned).Take();
}

absl::StatusOr<uint64_t> PrunedIn(const storage::Reader& reader) {
  ASSIGN_OR_RETURN(const std::optional<std::string> row,
                   reader.Get(PrunedKey()));
  if (!row.has_value()) return 0;
  storage::KeyReader in(*row);
  const std::optional<char> version = in.Space();
  const std::optional<uint64_t> count = in.U64();
  if (version != kPrunedVersion || !count.has_value() ||
      row->size() != 1 + sizeof(uint64_t) || *count % kTileWidth != 0) {
    return absl::DataLossError("what is pruned of the audit log is damaged");
  }
  return *count;
}

absl::StatusOr<uint64_t> PrunableBefore(const storage::Reader& reader,
                                        uint64_t size, base::Timestamp time) {
  ASSIGN_OR_RETURN(const uint64_t pruned, PrunedIn(reader));
  Filter filter;
  filter.end = time;
  ASSIGN_OR_RETURN(const Span older, SpanOf(reader, size, filter));
  return std::max(pruned, older.end - older.end % kTileWidth);
}

absl::Status Prune(const storage::Reader& reader, uint64_t until,
                   storage::Batch& batch) {
  if (until % kTileWidth != 0) {
    return absl::InvalidArgumentError("a part of a tile cannot be pruned");
  }
  ASSIGN_OR_RETURN(const uint64_t pruned, PrunedIn(reader));
  if (until <= pruned) return absl::OkStatus();
  for (uint64_t tile = pruned / kTileWidth; tile < until / kTileWidth; ++tile) {
    RETURN_IF_ERROR(PruneTile(reader, tile, batch));
  }
  batch.Put(PrunedKey(), storage::KeyWriter(kPrunedVersion).U64(until).Take());
  return absl::OkStatus();
}

}  // namespace hizo::audit
