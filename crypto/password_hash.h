// Passwords: bcrypt ($2b$, libxcrypt) over a keyed pre-hash.
//
// What is hashed is base64(HMAC-SHA-384(pepper, password)): 64 characters, so
// that bcrypt's 72-byte cut and its stop at NUL never meet a password, and so
// that a stolen hash cannot be tried without the pepper. Stored form:
// `v1$<pepper id>$<bcrypt string>`.
//
// A hash takes tens to hundreds of milliseconds of CPU: never call these on a
// thread that serves other calls.
// Threads: all functions may be called concurrently.
#ifndef HIZO_CRYPTO_PASSWORD_HASH_H_
#define HIZO_CRYPTO_PASSWORD_HASH_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/secret.h"

namespace hizo::crypto {

inline constexpr int kBcryptCostMin = 4;
inline constexpr int kBcryptCostMax = 14;

// What a stored hash says of itself.
struct StoredHash {
  int scheme;          // 1: v1; 0: plain bcrypt, imported
  uint32_t pepper_id;  // 0 for scheme 0
  int cost;
  std::string bcrypt;  // 60 characters
};
// kDataLoss for anything but a well-formed stored hash of bounded cost.
absl::StatusOr<StoredHash> ParseStoredHash(std::string_view stored);

// The hash that another system kept, under scheme 0: `$2a$`, `$2b$` or `$2y$`
// with a cost from kBcryptCostMin to `cost_max`. libxcrypt ignores bits of salt
// and hash that mean nothing; they are cleared. kOutOfRange for another cost,
// kInvalidArgument for anything else: `$2x$`, whose hashes of passwords beyond
// ASCII are those of a bug, and the formats of other algorithms.
absl::StatusOr<StoredHash> ParseImportedHash(std::string_view text,
                                             int cost_max);

// Hashes a password that NormalisePassword made, with fresh salt, under scheme
// 1. kInvalidArgument if `cost` is outside kBcryptCostMin..kBcryptCostMax.
absl::StatusOr<std::string> HashPassword(const Secret& password,
                                         const Key& pepper, uint32_t pepper_id,
                                         int cost);
// Whether `password` has the stored hash. `pepper` must be the one that
// stored.pepper_id names. Under scheme 0 only 72 bytes count, as wherever the
// hash was made, and a password with NUL is never right. Takes the time of
// stored.cost, whatever the answer.
absl::StatusOr<bool> VerifyPassword(const Secret& password, const Key& pepper,
                                    const StoredHash& stored);
// Does the work of VerifyPassword at `cost` and forgets the answer: for people
// who are not there.
void SpendVerifyTime(const Secret& password, const Key& pepper, int cost);

// How long one hash of `cost` takes on this machine now. Takes that long.
std::chrono::nanoseconds MeasureHashTime(int cost);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_PASSWORD_HASH_H_
