#include "crypto/random.h"

#include <sodium.h>

namespace hizo::crypto {

void FillRandom(std::span<uint8_t> out) {
  randombytes_buf(out.data(), out.size());
}

std::string RandomBytes(size_t size) {
  std::string bytes(size, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

}  // namespace hizo::crypto
