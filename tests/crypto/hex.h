// Hexadecimal, as published vectors are written.
#ifndef HIZO_TESTS_CRYPTO_HEX_H_
#define HIZO_TESTS_CRYPTO_HEX_H_

#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "crypto/digest.h"
#include "crypto/secret.h"

namespace hizo::crypto {

inline std::string FromHex(const std::string& hex) {
  return absl::HexStringToBytes(hex);
}

inline std::string ToHex(std::string_view bytes) {
  return absl::BytesToHexString(std::string(bytes));
}

inline std::string ToHex(const Digest& digest) {
  return ToHex(AsBytes(digest));
}

inline Key KeyFromHex(const std::string& hex) {
  return Key::CopyOf(FromHex(hex));
}

}  // namespace hizo::crypto

#endif  // HIZO_TESTS_CRYPTO_HEX_H_
