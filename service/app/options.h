// Options: what the command line of hizod asks for.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_APP_OPTIONS_H_
#define HIZO_SERVICE_APP_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/app/config.h"

namespace hizo::app {

enum class Command : uint8_t {
  kServe,
  kInit,         // make a new, empty store, then end
  kCheckConfig,  // read and check the configuration, then end
  kVerifyData,   // hold all rows against the audit log, then end
  kRebuild,      // make lost stores anew from their replica, then end
  kRestore,      // take records back from a backup, then end
  kPrint,        // print `text`, then end: help or version
};

struct Options {
  Command command = Command::kServe;
  Path config;
  uint64_t backup = 0;  // to restore
  std::vector<Override> overrides;
  std::string text;
};

// kInvalidArgument, with a text for the user that names the flag at fault, for
// what is no command line of hizod.
absl::StatusOr<Options> ParseOptions(int argc, const char* const* argv);

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_OPTIONS_H_
