#include "tests/testing/needles.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace hizo::test {
namespace {

constexpr size_t kHashBits = 22;
constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;

uint64_t StartOf(const char* bytes) {
  uint64_t start = 0;
  std::memcpy(&start, bytes, sizeof(start));
  return start;
}

size_t HashOf(uint64_t start) {
  return (start * kMultiplier) >> (64 - kHashBits);
}

template <typename Change>
std::string Changed(std::string text, Change change) {
  std::ranges::transform(text, text.begin(), [change](unsigned char c) {
    return static_cast<char>(change(c));
  });
  return text;
}

std::string Hex(std::string_view text, std::string_view digits) {
  std::string hex;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    hex += {digits[byte >> 4], digits[byte & 0xF]};
  }
  return hex;
}

std::string Utf16(std::string_view ascii) {
  std::string units;
  for (const char c : ascii) units += {c, '\0'};
  return units;
}

// Of whole groups of three bytes only, so that it is the same whatever follows.
std::string Base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string digits;
  for (size_t at = 0; at + 3 <= text.size(); at += 3) {
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) {
      group = group << 8 | static_cast<unsigned char>(text[at + i]);
    }
    for (const unsigned shift : {18U, 12U, 6U, 0U}) {
      digits += kDigits[group >> shift & 63];
    }
  }
  return digits;
}

}  // namespace

Needles::Needles() : may_start_((size_t{1} << kHashBits) / 64) {}

void Needles::Add(std::string name, std::string_view bytes) {
  if (bytes.size() < kSizeMin) throw std::invalid_argument("needle too short");
  const auto [known, added] = name_numbers_.emplace(name, names_.size());
  if (added) names_.push_back(std::move(name));
  const uint64_t start = StartOf(bytes.data());
  const size_t hash = HashOf(start);
  may_start_[hash / 64] |= uint64_t{1} << hash % 64;
  by_start_.emplace(start, needles_.size());
  needles_.push_back({known->second, std::string(bytes)});
  longest_ = std::max(longest_, bytes.size());
}

void Needles::AddPieces(const std::string& name, std::string_view text,
                        size_t size) {
  for (size_t at = 0; at + size <= text.size(); at += size / kSizeMin) {
    Add(name, text.substr(at, size));
  }
}

void Needles::AddText(const std::string& name, const std::string& text) {
  std::set<std::string> cases = {text};
  cases.insert(Changed(text, [](int c) { return std::tolower(c); }));
  cases.insert(Changed(text, [](int c) { return std::toupper(c); }));
  for (const std::string& form : cases) {
    AddPieces(name, form, kSizeMin);
    AddPieces(name, Utf16(form), 2 * kSizeMin);
    AddPieces(name, Hex(form, "0123456789abcdef"), 2 * kSizeMin);
    AddPieces(name, Hex(form, "0123456789ABCDEF"), 2 * kSizeMin);
    for (size_t at = 0; at < 3 && at < form.size(); ++at) {
      const std::string base64 = Base64(std::string_view(form).substr(at));
      if (base64.size() >= kSizeMin) Add(name, base64);
    }
  }
}

std::set<std::string> Needles::FindIn(std::string_view bytes) const {
  std::set<std::string> found;
  if (bytes.size() < kSizeMin) return found;
  for (size_t at = 0; at <= bytes.size() - kSizeMin; ++at) {
    const uint64_t start = StartOf(bytes.data() + at);
    const size_t hash = HashOf(start);
    if ((may_start_[hash / 64] >> hash % 64 & 1) == 0) continue;
    const auto [begin, end] = by_start_.equal_range(start);
    for (auto it = begin; it != end; ++it) {
      const Needle& needle = needles_[it->second];
      if (bytes.substr(at).starts_with(needle.bytes)) {
        found.insert(names_[needle.name]);
      }
    }
  }
  return found;
}

}  // namespace hizo::test
