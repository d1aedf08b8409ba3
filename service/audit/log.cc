#include "service/audit/log.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "crypto/checkpoint.h"
#include "service/audit/prune.h"
#include "service/audit/rows.h"
#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "storage/key_bytes.h"

namespace hizo::audit {
namespace {

// Stored; never renumber (FORMAT.md).
constexpr char kHeadVersion = 1;

absl::Status Damaged() {
  return absl::DataLossError("the audit log is not what was written");
}

std::string HeadKey() {
  return storage::KeyWriter(base::kSpaceAuditHead).Take();
}

// Of fixed-width parts and one at the end, as keys are.
std::string HeadRow(const Head& head) {
  return storage::KeyWriter(kHeadVersion)
      .U64(head.size)
      .Bytes(crypto::AsBytes(head.root))
      .U64(static_cast<uint64_t>(base::ToMicros(head.time)))
      .Bytes(head.checkpoint)
      .Take();
}

absl::StatusOr<Head> ParseHeadRow(std::string_view row) {
  storage::KeyReader reader(row);
  const std::optional<char> version = reader.Space();
  const std::optional<uint64_t> size = reader.U64();
  const std::optional<std::string_view> root =
      reader.Bytes(sizeof(crypto::Digest));
  const std::optional<uint64_t> time = reader.U64();
  if (version != kHeadVersion || !root.has_value() || !time.has_value()) {
    return Damaged();
  }
  Head head;
  head.size = *size;
  std::ranges::copy(*root, head.root.begin());
  head.time = base::FromMicros(static_cast<int64_t>(*time));
  constexpr size_t kFixedSize = 1 + 8 + sizeof(crypto::Digest) + 8;
  head.checkpoint = std::string(row.substr(kFixedSize));
  return head;
}

Head EmptyHead() {
  Head head;
  head.root = TreeEdge().Root();
  return head;
}

// nullopt for a store that has none yet.
absl::StatusOr<std::optional<std::string>> ReadHeadRow(
    const storage::Reader& reader) {
  return reader.Get(HeadKey());
}

// Nothing may lie behind the head, and what lies before it must have its time.
absl::Status CheckEnd(const storage::Reader& reader, const Head& head) {
  ASSIGN_OR_RETURN(
      const std::vector<storage::Row> beyond,
      reader.Scan(
          {.from = EntryKey(head.size), .until = EntriesEnd(), .limit = 1}));
  if (!beyond.empty()) return Damaged();
  if (head.size == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Event last, ReadEvent(reader, head.size - 1));
  return last.time == head.time ? absl::OkStatus() : Damaged();
}

// C2SP tlog-checkpoint, without its signature.
std::string TextOf(const std::string& origin, const Head& head) {
  return crypto::CheckpointText({origin, {head.size, head.root}});
}

void PutRows(const Event& event, uint64_t sequence, std::string entry,
             storage::Batch& batch) {
  if (event.subject.has_value()) {
    batch.Put(SubjectIndexKey(*event.subject, sequence), "");
  }
  batch.Put(ActorIndexKey(event.actor, sequence), "");
  batch.Put(EntryKey(sequence), std::move(entry));
}

// Appends the leaf hashes of pruned entries, from `edge`'s end to `size`: the
// tiles above them follow from what is pruned being at the log's beginning.
absl::Status PassPruned(const storage::Reader& reader, uint64_t size,
                        TreeEdge& edge) {
  std::vector<TreeEdge::Tile> full;
  while (edge.size() < size) {
    const uint64_t tile = edge.size() / kTileWidth;
    ASSIGN_OR_RETURN(const std::vector<crypto::Digest> hashes,
                     TreeReader(reader).TileAt(0, tile));
    const uint64_t end = std::min<uint64_t>(size, (tile + 1) * kTileWidth);
    while (edge.size() < end) {
      edge.Append(hashes[static_cast<size_t>(edge.size() % kTileWidth)], full);
    }
  }
  return absl::OkStatus();
}

// Appends the entries from `edge`'s end to `size`. False if a tile that they
// complete is not the stored one.
absl::StatusOr<bool> Replay(const storage::Reader& reader, uint64_t size,
                            TreeEdge& edge) {
  constexpr size_t kRowsPerScan = 1000;
  std::vector<TreeEdge::Tile> full;
  ASSIGN_OR_RETURN(const uint64_t pruned, PrunedIn(reader));
  RETURN_IF_ERROR(PassPruned(reader, std::min(size, pruned), edge));
  while (edge.size() < size) {
    ASSIGN_OR_RETURN(const std::vector<storage::Row> rows,
                     reader.Scan({.from = EntryKey(edge.size()),
                                  .until = EntryKey(size),
                                  .limit = kRowsPerScan}));
    if (rows.empty()) return Damaged();
    for (const storage::Row& row : rows) {
      if (row.key != EntryKey(edge.size())) return Damaged();
      edge.Append(crypto::LeafHash(row.value), full);
    }
    for (const TreeEdge::Tile& tile : full) {
      ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                       reader.Get(TileKey(tile.level, tile.index)));
      if (stored != tile.hashes) return false;
    }
    full.clear();
  }
  return true;
}

}  // namespace

Log::Log(std::string origin, crypto::NoteSigner signer)
    : origin_(std::move(origin)), signer_(std::move(signer)) {}

absl::StatusOr<std::unique_ptr<Log>> Log::Open(const storage::Reader& reader,
                                               std::string origin,
                                               crypto::NoteSigner signer) {
  std::unique_ptr<Log> log(new Log(std::move(origin), std::move(signer)));
  ASSIGN_OR_RETURN(const std::optional<std::string> row, ReadHeadRow(reader));
  Head head = EmptyHead();
  if (row.has_value()) {
    ASSIGN_OR_RETURN(head, ParseHeadRow(*row));
    const absl::StatusOr<std::string> signed_text =
        crypto::OpenNote(head.checkpoint, log->signer_.verifier_key());
    if (!signed_text.ok() || *signed_text != TextOf(log->origin_, head)) {
      return absl::DataLossError("the audit log's checkpoint is not its own");
    }
    log->stored_head_ = *row;
  }
  RETURN_IF_ERROR(CheckEnd(reader, head));
  ASSIGN_OR_RETURN(TreeEdge edge, TreeReader(reader).EdgeAt(head.size));
  if (edge.Root() != head.root) return Damaged();
  for (uint64_t i = head.size - head.size % kBlockSize; i < head.size; ++i) {
    ASSIGN_OR_RETURN(const Event event, ReadEvent(reader, i));
    log->block_.Add(event);
  }
  const base::MutexLock lock(log->mutex_);
  log->edge_ = std::move(edge);
  log->head_ = std::move(head);
  return log;
}

absl::StatusOr<Log::Staged> Log::Stage(std::span<Event* const> events,
                                       base::Timestamp now) const {
  Staged staged;
  staged.edge = edge();
  staged.block = block_;
  staged.head.time = std::max(now, head().time);
  std::vector<TreeEdge::Tile> full;
  for (Event* const event : events) {
    event->time = staged.head.time;
    ASSIGN_OR_RETURN(std::string entry, Encode(*event));
    const uint64_t sequence = staged.edge.size();
    staged.edge.Append(crypto::LeafHash(entry), full);
    PutRows(*event, sequence, std::move(entry), staged.batch);
    staged.block.Add(*event);
    if (staged.edge.size() % kBlockSize == 0) {
      staged.batch.Put(SummaryKey(sequence / kBlockSize),
                       staged.block.Encode());
      staged.block = {};
    }
  }
  for (TreeEdge::Tile& tile : full) {
    staged.batch.Put(TileKey(tile.level, tile.index), std::move(tile.hashes));
  }
  staged.head.size = staged.edge.size();
  staged.head.root = staged.edge.Root();
  staged.head.checkpoint = CheckpointOf(staged.head);
  if (stored_head_.empty()) {
    staged.batch.RequireAbsent(HeadKey());
  } else {
    staged.batch.RequireValue(HeadKey(), stored_head_);
  }
  staged.batch.Put(HeadKey(), HeadRow(staged.head));
  return staged;
}

void Log::Advance(Staged&& staged) {
  block_ = staged.block;
  stored_head_ = HeadRow(staged.head);
  const base::MutexLock lock(mutex_);
  edge_ = std::move(staged.edge);
  head_ = std::move(staged.head);
}

TreeEdge Log::edge() const {
  const base::MutexLock lock(mutex_);
  return edge_;
}

Head Log::head() const {
  const base::MutexLock lock(mutex_);
  return head_;
}

std::string Log::CheckpointOf(const Head& head) const {
  return signer_.Sign(TextOf(origin_, head));
}

absl::StatusOr<bool> Extends(const storage::Reader& reader, uint64_t size,
                             const crypto::Digest& root) {
  Head head = EmptyHead();
  ASSIGN_OR_RETURN(const std::optional<std::string> row, ReadHeadRow(reader));
  if (row.has_value()) {
    ASSIGN_OR_RETURN(head, ParseHeadRow(*row));
  }
  if (head.size < size) return false;
  ASSIGN_OR_RETURN(TreeEdge edge, TreeReader(reader).EdgeAt(size));
  if (edge.Root() != root) return false;
  ASSIGN_OR_RETURN(const bool same_tiles, Replay(reader, head.size, edge));
  return same_tiles && edge.Root() == head.root;
}

}  // namespace hizo::audit
