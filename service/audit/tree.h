// Tree: the RFC 6962 hash tree over the entries of the log, built at its right
// edge and read back from tiles (C2SP tlog-tiles, 256 hashes wide).
//
// Threads: value types; a TreeReader as its storage reader.
#ifndef HIZO_SERVICE_AUDIT_TREE_H_
#define HIZO_SERVICE_AUDIT_TREE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "storage/engine.h"

namespace hizo::audit {

inline constexpr int kTileWidth = 256;

// TreeEdge is what appending needs: for each level of tiles, the hashes of the
// tile that is not full yet (at most 255 each), and the roots of the perfect
// subtrees, so that a leaf costs two hashes and a root no more than 64.
class TreeEdge {
 public:
  TreeEdge() = default;  // of the empty tree
  // A full tile that appending completed.
  struct Tile {
    uint8_t level;
    uint64_t index;
    std::string hashes;  // kTileWidth * 32 bytes
  };
  // Adds a leaf; tiles that it completes are added to `full`.
  void Append(const crypto::Digest& leaf, std::vector<Tile>& full);
  uint64_t size() const { return size_; }
  // RFC 6962 MTH; SHA-256 of nothing for the empty tree.
  crypto::Digest Root() const;

 private:
  friend class TreeReader;
  void AddToLevel(size_t level, const crypto::Digest& hash,
                  std::vector<Tile>& full);
  uint64_t size_ = 0;
  std::vector<std::vector<crypto::Digest>> levels_;
  std::vector<crypto::Digest> peaks_;  // widest, which is leftmost, first
};

std::string TileKey(uint8_t level, uint64_t index);
std::string EntryKey(uint64_t sequence);

// TreeReader reads a stored tree.
class TreeReader {
 public:
  // `reader` outlives the TreeReader.
  explicit TreeReader(const storage::Reader& reader) : reader_(reader) {}
  // The edge of the first `size` entries, from full tiles and entries.
  // kDataLoss if any is missing.
  absl::StatusOr<TreeEdge> EdgeAt(uint64_t size) const;
  // The root of the first `size` entries.
  absl::StatusOr<crypto::Digest> RootAt(uint64_t size) const;

  // The root of the perfect subtree number `index` of 2^`height` entries, in a
  // log whose edge is `edge`: from the tile that holds its hashes, or, where
  // that is not full yet, from the edge. kDataLoss if a row is missing or
  // damaged.
  absl::StatusOr<crypto::Digest> SubtreeAt(const TreeEdge& edge, int height,
                                           uint64_t index) const;
  // The hashes of a full tile; kDataLoss if it is missing or damaged.
  absl::StatusOr<std::vector<crypto::Digest>> TileAt(uint8_t level,
                                                     uint64_t index) const;

 private:
  const storage::Reader& reader_;
};

}  // namespace hizo::audit

#endif  // HIZO_SERVICE_AUDIT_TREE_H_
