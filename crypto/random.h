// The only source of randomness: the kernel's, through libsodium.
//
// Threads: all functions may be called concurrently. A kernel that cannot give
// random bytes ends the process (libsodium aborts): no caller can do without.
#ifndef HIZO_CRYPTO_RANDOM_H_
#define HIZO_CRYPTO_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"

namespace hizo::crypto {

// kFailedPrecondition if the kernel gives no random bytes: for a start, which
// can still be refused. To be asked before anything else of this library.
absl::Status CheckRandomSource();

void FillRandom(std::span<uint8_t> out);
std::string RandomBytes(size_t size);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_RANDOM_H_
