// Base64, strictly: one spelling for every sequence of bytes.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_CRYPTO_BASE64_H_
#define HIZO_CRYPTO_BASE64_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hizo::crypto {

enum class Padding : uint8_t { kNone, kEquals };

// The standard alphabet of RFC 4648, section 4.
std::string ToBase64(std::string_view bytes, Padding padding);
// nullopt for anything that ToBase64 does not make: other padding, white
// space, low bits that are not zero.
std::optional<std::string> FromBase64(std::string_view text, Padding padding);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_BASE64_H_
