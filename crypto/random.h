// The only source of randomness: the kernel's, through libsodium.
//
// Threads: all functions may be called concurrently. A kernel that cannot give
// random bytes ends the process (libsodium aborts).
#ifndef HIZO_CRYPTO_RANDOM_H_
#define HIZO_CRYPTO_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace hizo::crypto {

void FillRandom(std::span<uint8_t> out);
std::string RandomBytes(size_t size);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_RANDOM_H_
