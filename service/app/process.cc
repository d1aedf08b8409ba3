#include "service/app/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdlib>
#include <string>

#include "crypto/random.h"
#include "crypto/secret.h"
#include "service/app/logging.h"
#include "service/base/status_macros.h"

namespace hizo::app {
namespace {

// Set by accident or left over from a search for a fault; who may set them on
// purpose has other ways to the memory of this process.
struct Refused {
  const char* variable;
  const char* because;
};
constexpr const char* kWrites =
    "it makes a library write personal data or keys to a file or the log";
constexpr const char* kLoads =
    "it loads other code into this process, which sees all that passes";
constexpr Refused kRefused[] = {
    {"GRPC_TRACE", kWrites},
    {"GRPC_VERBOSITY", kWrites},
    {"GRPC_BINARY_LOG_FILTER", kWrites},
    {"GRPC_BINARY_LOG_CONFIG", kWrites},
    {"SSLKEYLOGFILE", kWrites},
    {"MALLOC_TRACE", kWrites},
    {"MALLOC_CHECK_", kWrites},
    {"LD_DEBUG", kWrites},
    {"LD_PROFILE", kWrites},
    {"LD_PRELOAD", kLoads},
    {"LD_AUDIT", kLoads},
    {"OPENSSL_CONF", kLoads},
    {"OPENSSL_CONF_INCLUDE", kLoads},
    {"OPENSSL_ENGINES", kLoads},
    {"OPENSSL_MODULES", kLoads},
};

absl::Status CheckEnvironment() {
  for (const Refused& refused : kRefused) {
    if (std::getenv(refused.variable) == nullptr) continue;
    return absl::FailedPreconditionError(
        std::string("the environment variable ") + refused.variable +
        " is set: " + refused.because + "; unset it");
  }
  return absl::OkStatus();
}

absl::Status CheckLockedMemory(const Config& config) {
  if (crypto::GetSlabStatus().locked) return absl::OkStatus();
  if (!config.memory_require_lock) {
    Log(Level::kWarning, "memory_not_locked");
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "the system refuses to lock 6 MiB of memory for keys; raise "
      "LimitMEMLOCK (ulimit -l), or set memory.require_lock to false and "
      "accept that keys may reach swap");
}

}  // namespace

void HardenProcess() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  rlimit lock{};
  if (getrlimit(RLIMIT_MEMLOCK, &lock) == 0) {
    lock.rlim_cur = lock.rlim_max;
    setrlimit(RLIMIT_MEMLOCK, &lock);
  }
}

absl::Status CheckProcess(const Config& config) {
  RETURN_IF_ERROR(CheckEnvironment());
  // Before the first key is made of what it gives.
  RETURN_IF_ERROR(crypto::CheckRandomSource());
  return CheckLockedMemory(config);
}

}  // namespace hizo::app
