#include "service/policy/utf8.h"

#include <cstddef>
#include <cstdint>

namespace hizo::policy {
namespace {

// How many bytes a first byte announces; 0 for one that begins nothing.
size_t AnnouncedSize(uint8_t first) {
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return 2;
  if (first < 0xF0) return 3;
  return first < 0xF5 ? 4 : 0;
}

bool IsScalarValue(char32_t value, size_t size) {
  if (size == 3) return value >= 0x800 && (value < 0xD800 || value > 0xDFFF);
  if (size == 4) return value >= 0x10000 && value <= 0x10FFFF;
  return true;
}

}  // namespace

CodePoint FirstCodePoint(std::string_view text) {
  const CodePoint none{kNotUtf8, text.substr(0, 1)};
  const auto first = static_cast<uint8_t>(text[0]);
  const size_t size = AnnouncedSize(first);
  if (size == 0 || size > text.size()) return none;
  char32_t value = size == 1 ? first : first & (0x7FU >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xC0) != 0x80) return none;
    value = value << 6 | (byte & 0x3FU);
  }
  if (!IsScalarValue(value, size)) return none;
  return {value, text.substr(0, size)};
}

}  // namespace hizo::policy
