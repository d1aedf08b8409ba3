// Hostile text for every normaliser: bounded, refused with one status, and
// normalised once for all.
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/normalise.h"
#include "tests/fuzz/require.h"

namespace hizo::crypto {
namespace {

using fuzz::Require;

using Normaliser = absl::StatusOr<std::string> (*)(std::string_view);

void Check(Normaliser normalise, size_t size_max, std::string_view text) {
  const absl::StatusOr<std::string> once = normalise(text);
  if (!once.ok()) {
    Require(absl::IsInvalidArgument(once.status()), "one status refuses");
    return;
  }
  Require(once->size() <= size_max, "results are bounded");
  const absl::StatusOr<std::string> twice = normalise(*once);
  Require(twice.ok() && *twice == *once, "normalising is idempotent");
}

absl::StatusOr<std::string> PhoneOf(std::string_view text) {
  // What came out once is E.164 and needs no region.
  return NormalisePhone(text, text.starts_with('+') ? "" : "DE");
}

absl::StatusOr<std::string> PasswordOf(std::string_view text) {
  const absl::StatusOr<Secret> password = NormalisePassword(text);
  if (!password.ok()) return password.status();
  return std::string(password->Expose());
}

}  // namespace
}  // namespace hizo::crypto

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hizo::crypto;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Check(NormaliseText, 3 * size, text);
  Check(NormaliseEmail, 254, text);
  Check(PhoneOf, 16, text);
  Check(NormaliseHandle, 64 * 4, text);
  Check(NormaliseReference, 128, text);
  Check(PasswordOf, 4096, text);
  return 0;
}
