// Process: what must hold of this process before it touches a store, so that
// what passes through its memory ends nowhere else: no core dump, no variable
// left over from debugging, keys that can neither be swapped out nor guessed.
//
// Threads: to be called from main, before there are others.
#ifndef HIZO_SERVICE_APP_PROCESS_H_
#define HIZO_SERVICE_APP_PROCESS_H_

#include "absl/status/status.h"
#include "service/app/config.h"

namespace hizo::app {

// No core dump, no attaching by the same user: both would show keys and
// values. As much memory may be locked as the system allows this process.
void HardenProcess();

// kFailedPrecondition, with a text for the operator, if the environment has a
// variable with which a library would show what passes through it, if the
// system gives no random bytes, or if keys cannot be locked into memory and
// `config` requires it. Where it does not, a log line says so.
absl::Status CheckProcess(const Config& config);

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_PROCESS_H_
