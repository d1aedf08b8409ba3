#include "crypto/padding.h"

#include <bit>

namespace hizo::crypto {
namespace {

constexpr size_t kBlock = 32;
constexpr size_t kBlocksUntil = 256;

}  // namespace

size_t PaddedSize(size_t size) {
  const size_t marked = size + 1;
  if (marked <= kBlocksUntil) return (marked + kBlock - 1) / kBlock * kBlock;
  // Padme (PURBs, PETS 2019): a size of n bits keeps only as many of its
  // leading bits as n itself has.
  const auto low_bits = static_cast<size_t>(std::bit_width(marked)) - 1;
  const auto kept = static_cast<size_t>(std::bit_width(low_bits));
  const size_t mask = (size_t{1} << (low_bits - kept)) - 1;
  return (marked + mask) & ~mask;
}

std::optional<size_t> UnpaddedSize(std::string_view padded) {
  const size_t mark = padded.find_last_not_of('\0');
  if (mark == std::string_view::npos || padded[mark] != kPadMark ||
      PaddedSize(mark) != padded.size()) {
    return std::nullopt;
  }
  return mark;
}

}  // namespace hizo::crypto
