#include "crypto/bech32.h"

#include <array>
#include <cstdint>

namespace hizo::crypto {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr size_t kChecksumSize = 6;
constexpr size_t kTextSizeMax = 1000;

// The checksum's state after `value`, of five bits.
uint32_t Step(uint32_t state, uint8_t value) {
  constexpr std::array<uint32_t, 5> kGenerator = {
      0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  const uint32_t top = state >> 25U;
  state = (state & 0x1ffffffU) << 5U ^ value;
  for (size_t i = 0; i < kGenerator.size(); ++i) {
    if ((top >> i & 1U) != 0) state ^= kGenerator[i];
  }
  return state;
}

uint32_t StateOfPrefix(std::string_view prefix) {
  uint32_t state = 1;
  for (const char c : prefix) {
    state = Step(state, static_cast<uint8_t>(static_cast<uint8_t>(c) >> 5U));
  }
  state = Step(state, 0);
  for (const char c : prefix) {
    state = Step(state, static_cast<uint8_t>(c & 31));
  }
  return state;
}

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }

// nullopt for mixed case.
std::optional<std::string> Lowered(std::string_view text) {
  bool upper = false;
  bool lower = false;
  std::string lowered(text);
  for (char& c : lowered) {
    upper = upper || IsUpper(c);
    lower = lower || IsLower(c);
    if (IsUpper(c)) c = static_cast<char>(c - 'A' + 'a');
  }
  if (upper && lower) return std::nullopt;
  return lowered;
}

// Bits in groups of `from` as groups of `to`, the last one filled with zeros;
// what is over at the end is left in `rest`, as many bits as `rest_bits`.
struct Regrouped {
  std::string groups;
  uint32_t rest = 0;
  unsigned rest_bits = 0;
};
Regrouped Regroup(std::string_view in, unsigned from, unsigned to) {
  Regrouped out;
  for (const char c : in) {
    out.rest = out.rest << from | static_cast<uint8_t>(c);
    out.rest_bits += from;
    while (out.rest_bits >= to) {
      out.rest_bits -= to;
      out.groups.push_back(static_cast<char>(out.rest >> out.rest_bits));
      out.rest &= (1U << out.rest_bits) - 1;
    }
  }
  return out;
}

}  // namespace

std::string ToBech32(std::string_view prefix, std::string_view bytes) {
  Regrouped fives = Regroup(bytes, 8, 5);
  if (fives.rest_bits > 0) {
    fives.groups.push_back(
        static_cast<char>(fives.rest << (5 - fives.rest_bits)));
  }
  std::string text(prefix);
  text.push_back('1');
  uint32_t state = StateOfPrefix(prefix);
  for (const char five : fives.groups) {
    state = Step(state, static_cast<uint8_t>(five));
    text.push_back(kAlphabet[static_cast<uint8_t>(five)]);
  }
  for (size_t i = 0; i < kChecksumSize; ++i) state = Step(state, 0);
  state ^= 1;
  for (size_t i = 0; i < kChecksumSize; ++i) {
    text.push_back(kAlphabet[state >> (5 * (5 - i)) & 31U]);
  }
  return text;
}

std::optional<std::string> FromBech32(std::string_view prefix,
                                      std::string_view text) {
  if (text.size() > kTextSizeMax) return std::nullopt;
  const std::optional<std::string> lowered = Lowered(text);
  if (!lowered.has_value()) return std::nullopt;
  std::string_view rest = *lowered;
  if (!rest.starts_with(prefix)) return std::nullopt;
  rest.remove_prefix(prefix.size());
  if (rest.size() < 1 + kChecksumSize || rest.front() != '1') {
    return std::nullopt;
  }
  rest.remove_prefix(1);
  uint32_t state = StateOfPrefix(prefix);
  std::string fives;
  for (const char c : rest) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    state = Step(state, static_cast<uint8_t>(value));
    fives.push_back(static_cast<char>(value));
  }
  if (state != 1) return std::nullopt;
  fives.resize(fives.size() - kChecksumSize);
  Regrouped bytes = Regroup(fives, 5, 8);
  if (bytes.rest_bits >= 5 || bytes.rest != 0) return std::nullopt;
  return std::move(bytes.groups);
}

}  // namespace hizo::crypto
