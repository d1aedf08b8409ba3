#include "crypto/suite.h"

#include <sodium.h>

namespace hizo::crypto {

std::optional<Suite> SuiteFromNumber(uint64_t number) {
  for (const Suite suite : {kFirstSuite, kAesSuite}) {
    if (number == NumberOf(suite)) return suite;
  }
  return std::nullopt;
}

AesSupport AesOfThisProcessor() {
  // sodium_init finds out what the processor has.
  const bool present =
      sodium_init() >= 0 && crypto_aead_aes256gcm_is_available() == 1;
  return present ? AesSupport::kPresent : AesSupport::kMissing;
}

absl::Status RequireSuite(Suite suite, AesSupport aes) {
  if (suite != kAesSuite || aes == AesSupport::kPresent) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "cipher suite 2 is configured, and this processor has no instructions "
      "for AES and carry-less multiplication (AES-NI and PCLMUL): suite 2 "
      "is not run in software");
}

}  // namespace hizo::crypto
