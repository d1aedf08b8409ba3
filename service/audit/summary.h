// Summary: what a block of 256 entries has among it, small enough to be looked
// at instead of them.
//
// A query by something that has no index skips the blocks that cannot hold what
// it looks for. A summary may promise too much, never too little. Like the
// indexes, summaries are no part of the tree: they help to find, and prove
// nothing.
// Threads: value types.
#ifndef HIZO_SERVICE_AUDIT_SUMMARY_H_
#define HIZO_SERVICE_AUDIT_SUMMARY_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/audit/event.h"
#include "service/audit/query.h"

namespace hizo::audit {

inline constexpr uint64_t kBlockSize = 256;  // entries

class BlockSummary {
 public:
  BlockSummary() = default;  // of no entries
  // One that promises everything.
  static BlockSummary OfAnything();

  void Add(const Event& event);
  // Whether an entry in the block may match. Subject and time are not looked
  // at: they have indexes.
  bool MayMatch(const Filter& filter) const;

  // As it is stored (FORMAT.md).
  std::string Encode() const;
  // OfAnything for bytes that are no summary.
  static BlockSummary Decode(std::string_view bytes);
  bool operator==(const BlockSummary&) const = default;

 private:
  // Bits by numbers; all numbers from 63 on share one.
  uint64_t actions_ = 0;
  uint64_t outcomes_ = 0;
  uint64_t reasons_ = 0;
  uint64_t purposes_ = 0;
  // Two bits each by a hash of tenants, actors, classes written and fields.
  std::array<uint64_t, 8> names_{};
};

// Key of the summary of block number `block`.
std::string SummaryKey(uint64_t block);

}  // namespace hizo::audit

#endif  // HIZO_SERVICE_AUDIT_SUMMARY_H_
