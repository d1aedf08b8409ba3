// Holding the rows of a store that does not run against its audit log.
//
// Threads: called once, by a process that serves nobody.
#ifndef HIZO_SERVICE_APP_VERIFY_DATA_H_
#define HIZO_SERVICE_APP_VERIFY_DATA_H_

#include "absl/status/statusor.h"
#include "service/app/config.h"
#include "service/base/clock.h"
#include "service/vault/data_check.h"

namespace hizo::app {

// Changes nothing but what opening a store does. Errors as those of
// vault::Store::Open; kDataLoss if the log is damaged.
absl::StatusOr<vault::DataVerdict> VerifyData(const Config& config,
                                              const base::Clock& clock);

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_VERIFY_DATA_H_
