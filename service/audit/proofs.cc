#include "service/audit/proofs.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "service/audit/tree.h"
#include "service/base/status_macros.h"

namespace hizo::audit {
namespace {

using crypto::Digest;

// Reads each row once: a proof takes most of its hashes out of one tile of each
// level.
class ReadOnce final : public storage::Reader {
 public:
  explicit ReadOnce(const storage::Reader& reader) : reader_(reader) {}

  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const override {
    const auto known = rows_.find(key);
    if (known != rows_.end()) return known->second;
    ASSIGN_OR_RETURN(std::optional<std::string> row, reader_.Get(key));
    return rows_.emplace(key, std::move(row)).first->second;
  }
  absl::StatusOr<std::vector<storage::Row>> Scan(
      const storage::ScanRange& range) const override {
    return reader_.Scan(range);
  }

 private:
  const storage::Reader& reader_;
  // Some dozens at most.
  mutable std::map<std::string, std::optional<std::string>, std::less<>> rows_;
};

// The entries from `begin` up to but without `end`.
struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t size() const { return end - begin; }
  // Where RFC 6962 divides it.
  uint64_t middle() const { return begin + std::bit_floor(size() - 1); }
  Range left() const { return {begin, middle()}; }
  Range right() const { return {middle(), end}; }
};

// The root over `range`, which begins as a subtree of the log's tree does.
absl::StatusOr<Digest> RootOf(const TreeReader& tree, const TreeEdge& edge,
                              const Range& range) {
  if (std::has_single_bit(range.size())) {
    return tree.SubtreeAt(edge, std::countr_zero(range.size()),
                          range.begin / range.size());
  }
  ASSIGN_OR_RETURN(const Digest left, RootOf(tree, edge, range.left()));
  ASSIGN_OR_RETURN(const Digest right, RootOf(tree, edge, range.right()));
  return crypto::NodeHash(left, right);
}

}  // namespace

// From the root down to the leaf, where the definition goes up.
absl::StatusOr<Proof> InclusionProof(const storage::Reader& reader,
                                     const TreeEdge& edge, uint64_t size,
                                     uint64_t index) {
  if (index >= size || size > edge.size()) {
    return absl::InvalidArgumentError("no such entry or no such tree");
  }
  const ReadOnce rows(reader);
  const TreeReader tree(rows);
  Proof proof;
  Range range{0, size};
  while (range.size() > 1) {
    const bool left = index < range.middle();
    const Range other = left ? range.right() : range.left();
    ASSIGN_OR_RETURN(proof.emplace_back(), RootOf(tree, edge, other));
    range = left ? range.left() : range.right();
  }
  std::ranges::reverse(proof);
  return proof;
}

absl::StatusOr<Proof> ConsistencyProof(const storage::Reader& reader,
                                       const TreeEdge& edge, uint64_t newer,
                                       uint64_t older) {
  if (older > newer || newer > edge.size()) {
    return absl::InvalidArgumentError("no such trees");
  }
  const ReadOnce rows(reader);
  const TreeReader tree(rows);
  Proof proof;
  if (older == 0 || older == newer) return proof;
  Range range{0, newer};
  while (range.end != older) {
    const bool left = older <= range.middle();
    const Range other = left ? range.right() : range.left();
    ASSIGN_OR_RETURN(proof.emplace_back(), RootOf(tree, edge, other));
    range = left ? range.left() : range.right();
  }
  // Who asks has the root of what begins at the beginning.
  if (range.begin != 0) {
    ASSIGN_OR_RETURN(proof.emplace_back(), RootOf(tree, edge, range));
  }
  std::ranges::reverse(proof);
  return proof;
}

}  // namespace hizo::audit
