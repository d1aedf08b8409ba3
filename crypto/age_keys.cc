#include "crypto/age_keys.h"

#include <sodium.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/status/status.h"
#include "crypto/bech32.h"

namespace hizo::crypto {
namespace {

constexpr std::string_view kRecipientPrefix = "age";
constexpr std::string_view kIdentityPrefix = "age-secret-key-";
constexpr size_t kIdentityFileSizeMax = size_t{64} << 10;

absl::Status NotAKey() { return absl::InvalidArgumentError("not an age key"); }

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

}  // namespace

absl::StatusOr<AgeRecipient> AgeRecipient::Parse(std::string_view text) {
  const std::optional<std::string> point = FromBech32(kRecipientPrefix, text);
  // age itself takes only the lower-case spelling of a public key.
  if (!point.has_value() ||
      std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return NotAKey();
  }
  return FromPoint(*point);
}

absl::StatusOr<AgeRecipient> AgeRecipient::FromPoint(std::string_view bytes) {
  if (bytes.size() != crypto_scalarmult_BYTES) return NotAKey();
  const Key any = Key::Random();
  Secret shared(crypto_scalarmult_BYTES);
  if (crypto_scalarmult(shared.ExposeMutable().data(), any.data(),
                        Bytes(bytes)) != 0) {
    return NotAKey();
  }
  return AgeRecipient(std::string(bytes));
}

std::string AgeRecipient::ToText() const {
  return ToBech32(kRecipientPrefix, point_);
}

AgeIdentity AgeIdentity::Random() { return AgeIdentity(Key::Random()); }

absl::StatusOr<AgeIdentity> AgeIdentity::Parse(std::string_view text) {
  std::optional<std::string> scalar = FromBech32(kIdentityPrefix, text);
  if (!scalar.has_value() || scalar->size() != Key::kSize ||
      !text.starts_with('A')) {
    return NotAKey();
  }
  AgeIdentity identity(Key::CopyOf(*scalar));
  WipeString(*scalar);
  return identity;
}

absl::StatusOr<AgeIdentity> AgeIdentity::ParseFile(std::string_view text) {
  if (text.size() > kIdentityFileSizeMax) return NotAKey();
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && line.front() != '#') return Parse(line);
  }
  return NotAKey();
}

AgeRecipient AgeIdentity::recipient() const {
  std::string point(crypto_scalarmult_BYTES, '\0');
  crypto_scalarmult_base(reinterpret_cast<uint8_t*>(point.data()),
                         scalar_.data());
  return AgeRecipient(std::move(point));
}

std::string AgeIdentity::ExposeText() const {
  std::string text = ToBech32(kIdentityPrefix, scalar_.Expose());
  std::ranges::transform(text, text.begin(), [](unsigned char c) {
    return static_cast<char>(std::toupper(c));
  });
  return text;
}

}  // namespace hizo::crypto
