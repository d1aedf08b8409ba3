// Prune: taking the oldest entries out of the log once nobody need keep them.
//
// Whole tiles go from the beginning on: entries, their index rows and the
// summaries of their blocks. The tree stays: their leaf hashes are in its
// tiles, so that heads and proofs of before hold, and new ones can be made.
// What was sealed for those entries is to be destroyed before (vault).
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_AUDIT_PRUNE_H_
#define HIZO_SERVICE_AUDIT_PRUNE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "storage/engine.h"

namespace hizo::audit {

// The row that says how many entries are pruned.
std::string PrunedKey();
// How many of the first entries are pruned; a multiple of kTileWidth.
// kDataLoss if the row that says so is damaged.
absl::StatusOr<uint64_t> PrunedIn(const storage::Reader& reader);

// How many entries of a log of `size` lie in full tiles of entries that are all
// older than `time`; no fewer than are pruned.
absl::StatusOr<uint64_t> PrunableBefore(const storage::Reader& reader,
                                        uint64_t size, base::Timestamp time);

// Adds to `batch` what prunes the first `until` entries, of which a part may be
// pruned already. kInvalidArgument unless `until` is a multiple of kTileWidth;
// kDataLoss if an entry is damaged, or its hash is in no tile.
absl::Status Prune(const storage::Reader& reader, uint64_t until,
                   storage::Batch& batch);

}  // namespace hizo::audit

#endif  // HIZO_SERVICE_AUDIT_PRUNE_H_
