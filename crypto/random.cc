#include "crypto/random.h"

#include <sodium.h>
#include <sys/random.h>

#include <array>

namespace hizo::crypto {
namespace {

constexpr size_t kProbeSize = 32;
using Probe = std::array<uint8_t, kProbeSize>;

bool Draw(Probe& probe) {
  return getrandom(probe.data(), probe.size(), 0) ==
         static_cast<ssize_t>(probe.size());
}

}  // namespace

absl::Status CheckRandomSource() {
  Probe first{};
  Probe second{};
  // Equal draws are what a source that has been replaced by nothing gives.
  if (!Draw(first) || !Draw(second) || first == second) {
    return absl::FailedPreconditionError(
        "the system gives no random bytes (getrandom fails); keys cannot be "
        "made without");
  }
  return absl::OkStatus();
}

void FillRandom(std::span<uint8_t> out) {
  randombytes_buf(out.data(), out.size());
}

std::string RandomBytes(size_t size) {
  std::string bytes(size, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

}  // namespace hizo::crypto
