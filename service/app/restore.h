// Restoring the data store from a backup, while nobody is served.
//
// The new store is made beside the present one and takes its place by one
// rename, so that a restore that dies leaves either: until it is finished,
// nothing starts, and running it again goes on or begins again.
//
// Threads: one thread, before an Instance is started.
#ifndef HIZO_SERVICE_APP_RESTORE_H_
#define HIZO_SERVICE_APP_RESTORE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/app/config.h"
#include "service/base/clock.h"
#include "service/vault/restore.h"

namespace hizo::app {

struct Restored {
  vault::RestoreCounts counts;
  Path replaced;  // where the data store of before lies now
};

// kNotFound if there is no such backup, kAlreadyExists if the data store of an
// earlier restore still lies beside the present one; else the errors of
// vault::Store::Restore.
absl::StatusOr<Restored> RestoreStore(const Config& config, uint64_t backup,
                                      const base::Clock& clock);

// kFailedPrecondition if a restore was begun and not finished.
absl::Status CheckNoRestore(const Config& config);

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_RESTORE_H_
