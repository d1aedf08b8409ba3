#include "crypto/base64.h"

#include <sodium.h>

namespace hizo::crypto {
namespace {

int VariantOf(Padding padding) {
  return padding == Padding::kNone ? sodium_base64_VARIANT_ORIGINAL_NO_PADDING
                                   : sodium_base64_VARIANT_ORIGINAL;
}

}  // namespace

std::string ToBase64(std::string_view bytes, Padding padding) {
  const int variant = VariantOf(padding);
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(),
                    reinterpret_cast<const uint8_t*>(bytes.data()),
                    bytes.size(), variant);
  text.pop_back();  // the NUL
  return text;
}

std::optional<std::string> FromBase64(std::string_view text, Padding padding) {
  std::string bytes(text.size(), '\0');
  size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size(),
                        text.data(), text.size(), nullptr, &size, nullptr,
                        VariantOf(padding)) != 0) {
    return std::nullopt;
  }
  bytes.resize(size);
  // libsodium 1.0.18 takes some bytes over 127 for characters.
  if (ToBase64(bytes, padding) != text) return std::nullopt;
  return bytes;
}

}  // namespace hizo::crypto
