// Rebuild: the folders of both stores made anew from their replica, after a
// disk was lost. What was acknowledged while the replica was in step is all
// there, and who was erased stays erased; no backup is needed.
//
// Interrupted wherever it may be, it leaves folders that do not start, and is
// run again.
//
// Threads: one thread at a time.
#ifndef HIZO_SERVICE_APP_REBUILD_H_
#define HIZO_SERVICE_APP_REBUILD_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/app/config.h"
#include "service/base/clock.h"

namespace hizo::app {

struct Rebuilt {
  uint64_t audit_events = 0;
  // The anchor was lost as well and is new: nobody vouches for it that the
  // replica had the newest entries.
  bool anchor_is_new = false;
};

// kAlreadyExists, and nothing changed, if a folder holds anything that no
// earlier rebuild left; kFailedPrecondition if there is no replica, it is not
// whole, or is behind the anchor; errors of vault::Store::Open as they are.
absl::StatusOr<Rebuilt> RebuildStores(const Config& config,
                                      const base::Clock& clock);

// kFailedPrecondition if a rebuild was begun and not finished.
absl::Status CheckNoRebuild(const Config& config);

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_REBUILD_H_
