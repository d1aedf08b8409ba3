// Bounds: what every engine checks before it does anything, in one place so
// that no two engines differ.
//
// Threads: free functions without state.
#ifndef HIZO_STORAGE_BOUNDS_H_
#define HIZO_STORAGE_BOUNDS_H_

#include "absl/status/status.h"
#include "storage/engine.h"

namespace hizo::storage {

// kInvalidArgument for an empty key, or a key or value over the bounds, in the
// writes as in the preconditions.
absl::Status CheckBounds(const Batch& batch);

// kInvalidArgument for a limit out of bounds.
absl::Status CheckBounds(const ScanRange& range);

// True where no key can lie in `range`.
bool IsEmpty(const ScanRange& range);

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_BOUNDS_H_
