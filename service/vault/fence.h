// Fence: what stands in the keys store in the place of a person's DEKs from the
// moment that their erasure is acknowledged until its last trace is written.
//
// Everybody who reads or writes a person relies on the row of their DEKs, and
// the fence takes that row away: so nothing that was decided before goes
// through after it, and nothing finds them again. Where the erasure was given a
// grace, the same row waits it out, and taking the erasure back puts the DEKs
// where they were.
//
// Threads: value types.
#ifndef HIZO_SERVICE_VAULT_FENCE_H_
#define HIZO_SERVICE_VAULT_FENCE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "service/base/clock.h"

namespace hizo::vault {

// Stored; never renumber.
enum class FenceStage : uint8_t {
  kFenced = 1,   // the DEKs wait behind it to be destroyed
  kSealed = 2,   // they are gone with the epoch before
  kInGrace = 3,  // they wait for that, and may be given back until then
};

struct Fence {
  FenceStage stage = FenceStage::kFenced;
  std::string deks;          // unless kSealed: the row of DEKs, as it was
  uint64_t epoch = 0;        // kSealed: the first that knows nothing of them
  base::Timestamp due = {};  // kInGrace: when the grace is over
};

std::string EncodeFence(const Fence& fence);
// kDataLoss for what EncodeFence does not make.
absl::StatusOr<Fence> DecodeFence(std::string_view bytes);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_FENCE_H_
