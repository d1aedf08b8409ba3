// Cipher suites: which primitives a key is used with.
//
// A suite is a property of a key, fixed when the key is made: everything that
// is done with a key is done in its suite, so that no caller chooses primitives
// and no key ever meets those of two. crypto/FORMAT.md 1 lists both suites.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_CRYPTO_SUITE_H_
#define HIZO_CRYPTO_SUITE_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"

namespace hizo::crypto {

// A byte in rows and wrapped keys. Stored; never renumber.
enum class Suite : uint8_t {
  kXChaCha20Poly1305Blake2b = 1,
  kAes256GcmSha256 = 2,
};

inline constexpr Suite kFirstSuite = Suite::kXChaCha20Poly1305Blake2b;
inline constexpr Suite kAesSuite = Suite::kAes256GcmSha256;

// nullopt for a number that is no suite's.
std::optional<Suite> SuiteFromNumber(uint64_t number);
constexpr uint8_t NumberOf(Suite suite) { return static_cast<uint8_t>(suite); }

// Whether the processor computes AES and GCM's hash itself. Done in software,
// both leak the key through the cache or are far too slow.
enum class AesSupport : uint8_t { kMissing, kPresent };
AesSupport AesOfThisProcessor();

// kFailedPrecondition, with a text for the operator, for a suite that must not
// be used on a processor with `aes`.
absl::Status RequireSuite(Suite suite, AesSupport aes);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_SUITE_H_
