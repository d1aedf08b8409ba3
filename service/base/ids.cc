#include "service/base/ids.h"

namespace hizo::base {
namespace {

constexpr size_t kUuidTextSize = 36;
constexpr std::string_view kHexDigits = "0123456789abcdef";

constexpr bool IsDashPosition(size_t i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

// -1 for what is no hex digit. Not the locale's idea of one.
int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string UuidText(std::string_view bytes16) {
  std::string text;
  text.reserve(kUuidTextSize);
  for (const char c : bytes16) {
    if (IsDashPosition(text.size())) text.push_back('-');
    const auto byte = static_cast<uint8_t>(c);
    text.push_back(kHexDigits[byte >> 4]);
    text.push_back(kHexDigits[byte & 0xf]);
  }
  return text;
}

std::optional<std::string> UuidBytes(std::string_view text) {
  if (text.size() != kUuidTextSize) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size();) {
    if (IsDashPosition(i)) {
      if (text[i] != '-') return std::nullopt;
      ++i;
      continue;
    }
    const int high = HexValue(text[i]);
    const int low = HexValue(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return bytes;
}

}  // namespace hizo::base
