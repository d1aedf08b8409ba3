// Big-endian numbers in sealed bytes, for the units of crypto/ only.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_CRYPTO_BIG_ENDIAN_H_
#define HIZO_CRYPTO_BIG_ENDIAN_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hizo::crypto {

template <std::unsigned_integral T>
void AppendBigEndian(std::string& out, T value) {
  std::array<char, sizeof(T)> bytes;
  for (size_t i = 0; i < sizeof(T); ++i) {
    bytes[sizeof(T) - 1 - i] = static_cast<char>(value >> (8 * i) & 0xff);
  }
  out.append(bytes.data(), bytes.size());
}

template <std::unsigned_integral T>
std::string BigEndian(T value) {
  std::string out;
  AppendBigEndian(out, value);
  return out;
}

// `bytes` must reach to `offset` + sizeof(T).
template <std::unsigned_integral T>
T LoadBigEndian(std::string_view bytes, size_t offset) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  }
  return static_cast<T>(value);
}

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_BIG_ENDIAN_H_
