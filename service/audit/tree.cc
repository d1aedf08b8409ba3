#include "service/audit/tree.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <span>
#include <utility>

#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "storage/key_bytes.h"

namespace hizo::audit {
namespace {

using crypto::Digest;

constexpr int kTileHeight = 8;
static_assert(1 << kTileHeight == kTileWidth);
constexpr size_t kHashSize = sizeof(Digest);
constexpr size_t kTileSize = kTileWidth * kHashSize;

// The root of a perfect subtree over `hashes`, a power of two of them.
Digest PerfectRoot(std::span<const Digest> hashes) {
  std::vector<Digest> row(hashes.begin(), hashes.end());
  for (size_t width = row.size(); width > 1; width /= 2) {
    for (size_t i = 0; i < width / 2; ++i) {
      row[i] = crypto::NodeHash(row[2 * i], row[2 * i + 1]);
    }
  }
  return row[0];
}

std::vector<Digest> HashesOf(std::string_view tile) {
  std::vector<Digest> hashes(kTileWidth);
  for (Digest& hash : hashes) {
    std::ranges::copy(tile.substr(0, kHashSize), hash.begin());
    tile.remove_prefix(kHashSize);
  }
  return hashes;
}

size_t LevelCount(uint64_t size) {
  return (static_cast<size_t>(std::bit_width(size)) + kTileHeight - 1) /
         kTileHeight;
}

// How many hashes the tile that is not full has at `level`.
size_t PartialWidth(uint64_t size, size_t level) {
  return static_cast<size_t>(size >> (kTileHeight * level)) % kTileWidth;
}

absl::StatusOr<std::vector<Digest>> TileAt(const storage::Reader& reader,
                                           uint8_t level, uint64_t index) {
  ASSIGN_OR_RETURN(const std::optional<std::string> tile,
                   reader.Get(TileKey(level, index)));
  if (!tile.has_value() || tile->size() != kTileSize) {
    return absl::DataLossError("a tile of the audit tree is gone or damaged");
  }
  return HashesOf(*tile);
}

absl::StatusOr<Digest> LeafAt(const storage::Reader& reader,
                              uint64_t sequence) {
  ASSIGN_OR_RETURN(const std::optional<std::string> entry,
                   reader.Get(EntryKey(sequence)));
  if (entry.has_value()) return crypto::LeafHash(*entry);
  // A pruned one has left its hash in its tile, which is full.
  const absl::StatusOr<std::vector<Digest>> tile =
      TileAt(reader, 0, sequence / kTileWidth);
  if (!tile.ok()) return absl::DataLossError("an audit entry is gone");
  return (*tile)[static_cast<size_t>(sequence % kTileWidth)];
}

absl::StatusOr<Digest> TileRootAt(const storage::Reader& reader, uint8_t level,
                                  uint64_t index) {
  ASSIGN_OR_RETURN(const std::vector<Digest> hashes,
                   TileAt(reader, level, index));
  return PerfectRoot(hashes);
}

// One hash of `level`, from what is below it.
absl::StatusOr<Digest> HashFromBelow(const storage::Reader& reader,
                                     uint8_t level, uint64_t index) {
  if (level == 0) return LeafAt(reader, index);
  return TileRootAt(reader, static_cast<uint8_t>(level - 1), index);
}

}  // namespace

std::string TileKey(uint8_t level, uint64_t index) {
  return storage::KeyWriter(base::kSpaceAuditTile).U8(level).U64(index).Take();
}

std::string EntryKey(uint64_t sequence) {
  return storage::KeyWriter(base::kSpaceAuditEntry).U64(sequence).Take();
}

void TreeEdge::Append(const Digest& leaf, std::vector<Tile>& full) {
  ++size_;
  Digest node = leaf;
  AddToLevel(0, node, full);
  // Counting up carries once for each bit that becomes 0, and each carry joins
  // two perfect subtrees of that height.
  for (int height = 0; (size_ >> height & 1) == 0; ++height) {
    node = crypto::NodeHash(peaks_.back(), node);
    peaks_.pop_back();
    if ((height + 1) % kTileHeight == 0) {
      AddToLevel(static_cast<size_t>((height + 1) / kTileHeight), node, full);
    }
  }
  peaks_.push_back(node);
}

void TreeEdge::AddToLevel(size_t level, const Digest& hash,
                          std::vector<Tile>& full) {
  if (levels_.size() == level) levels_.emplace_back();
  std::vector<Digest>& hashes = levels_[level];
  hashes.push_back(hash);
  if (hashes.size() < kTileWidth) return;
  Tile tile{.level = static_cast<uint8_t>(level),
            .index = (size_ >> (kTileHeight * (level + 1))) - 1,
            .hashes = {}};
  tile.hashes.reserve(kTileSize);
  for (const Digest& h : hashes) tile.hashes.append(crypto::AsBytes(h));
  full.push_back(std::move(tile));
  hashes.clear();
}

Digest TreeEdge::Root() const {
  if (peaks_.empty()) return crypto::Sha256("");
  Digest root = peaks_.back();
  for (size_t i = peaks_.size() - 1; i-- > 0;) {
    root = crypto::NodeHash(peaks_[i], root);
  }
  return root;
}

absl::StatusOr<TreeEdge> TreeReader::EdgeAt(uint64_t size) const {
  TreeEdge edge;
  edge.size_ = size;
  for (size_t level = 0; level < LevelCount(size); ++level) {
    const uint64_t end = size >> (kTileHeight * level);
    std::vector<Digest>& hashes = edge.levels_.emplace_back();
    for (uint64_t i = end - PartialWidth(size, level); i < end; ++i) {
      ASSIGN_OR_RETURN(hashes.emplace_back(),
                       HashFromBelow(reader_, static_cast<uint8_t>(level), i));
    }
  }
  // The perfect subtrees from left to right: those of the highest level first,
  // in each level the widest first.
  for (size_t level = edge.levels_.size(); level-- > 0;) {
    std::span<const Digest> hashes = edge.levels_[level];
    for (size_t width = kTileWidth / 2; width > 0; width /= 2) {
      if ((hashes.size() & width) == 0) continue;
      edge.peaks_.push_back(PerfectRoot(hashes.first(width)));
      hashes = hashes.subspan(width);
    }
  }
  return edge;
}

absl::StatusOr<Digest> TreeReader::RootAt(uint64_t size) const {
  ASSIGN_OR_RETURN(const TreeEdge edge, EdgeAt(size));
  return edge.Root();
}

absl::StatusOr<std::vector<Digest>> TreeReader::TileAt(uint8_t level,
                                                       uint64_t index) const {
  return hizo::audit::TileAt(reader_, level, index);
}

absl::StatusOr<Digest> TreeReader::SubtreeAt(const TreeEdge& edge, int height,
                                             uint64_t index) const {
  const auto level = static_cast<uint8_t>(height / kTileHeight);
  const int in_tile = height % kTileHeight;
  const uint64_t begin = index << in_tile;
  const uint64_t tile = begin / kTileWidth;
  const size_t count = size_t{1} << in_tile;
  const auto part = [&](std::span<const Digest> hashes) {
    return PerfectRoot(
        hashes.subspan(static_cast<size_t>(begin % kTileWidth), count));
  };
  const uint64_t full = edge.size() >> (kTileHeight * (level + 1));
  if (tile < full) {
    ASSIGN_OR_RETURN(const std::vector<Digest> hashes, TileAt(level, tile));
    return part(hashes);
  }
  if (tile > full || level >= edge.levels_.size() ||
      begin % kTileWidth + count > edge.levels_[level].size()) {
    return absl::DataLossError("the audit tree has no such part");
  }
  return part(edge.levels_[level]);
}

}  // namespace hizo::audit
