#include "crypto/minisign.h"

#include <sodium.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "crypto/base64.h"

namespace hizo::crypto {
namespace {

constexpr std::string_view kKeyKind = "Ed";
constexpr std::string_view kSignatureKind = "ED";  // of a hash
constexpr size_t kKeyIdSize = 8;
constexpr size_t kDigestSize = 64;
constexpr std::string_view kUntrustedStart = "untrusted comment: ";
constexpr std::string_view kTrustedStart = "trusted comment: ";
constexpr size_t kTextSizeMax = 4096;

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

absl::Status NotASignature() {
  return absl::InvalidArgumentError("not a signature");
}
absl::Status NotAKey() {
  return absl::InvalidArgumentError("not a minisign key");
}

// The lines of a small file, each of which must end.
std::optional<std::vector<std::string_view>> Lines(std::string_view text) {
  if (text.size() > kTextSizeMax) return std::nullopt;
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

struct PublicKey {
  std::string id;
  std::string point;
};

std::optional<PublicKey> ParseKey(std::string_view text) {
  std::string_view line = text;
  if (text.find('\n') != std::string_view::npos) {
    const auto lines = Lines(text);
    if (!lines.has_value() || lines->empty() || lines->size() > 2 ||
        (lines->size() == 2 && !lines->front().starts_with(kUntrustedStart))) {
      return std::nullopt;
    }
    line = lines->back();
  }
  const auto bytes = FromBase64(line, Padding::kEquals);
  constexpr size_t kHead = kKeyKind.size() + kKeyIdSize;
  if (!bytes.has_value() || !bytes->starts_with(kKeyKind) ||
      bytes->size() != kHead + crypto_sign_PUBLICKEYBYTES) {
    return std::nullopt;
  }
  return PublicKey{bytes->substr(kKeyKind.size(), kKeyIdSize),
                   bytes->substr(kHead)};
}

bool Verifies(std::string_view signature, std::string_view message,
              const PublicKey& key) {
  return crypto_sign_verify_detached(Bytes(signature), Bytes(message),
                                     message.size(), Bytes(key.point)) == 0;
}

[[noreturn]] void Die(const char* why) {
  std::fputs(why, stderr);
  std::abort();
}

}  // namespace

struct MinisignHash::State {
  crypto_generichash_state hash;
};

MinisignHash::MinisignHash() : state_(std::make_unique<State>()) {
  crypto_generichash_init(&state_->hash, nullptr, 0, kDigestSize);
}
MinisignHash::MinisignHash(const MinisignHash& other)
    : state_(std::make_unique<State>(*other.state_)) {}
MinisignHash& MinisignHash::operator=(const MinisignHash& other) {
  *state_ = *other.state_;
  return *this;
}
MinisignHash::~MinisignHash() = default;

void MinisignHash::Add(std::string_view bytes) {
  crypto_generichash_update(&state_->hash, Bytes(bytes), bytes.size());
}

std::string MinisignHash::Digest() const {
  crypto_generichash_state hash = state_->hash;
  std::string digest(kDigestSize, '\0');
  crypto_generichash_final(&hash, reinterpret_cast<uint8_t*>(digest.data()),
                           digest.size());
  return digest;
}

std::string MinisignHash::Of(std::string_view bytes) {
  MinisignHash hash;
  hash.Add(bytes);
  return hash.Digest();
}

MinisignSigner::MinisignSigner(const Key& seed)
    : signing_key_(crypto_sign_SECRETKEYBYTES) {
  std::string point(crypto_sign_PUBLICKEYBYTES, '\0');
  crypto_sign_seed_keypair(reinterpret_cast<uint8_t*>(point.data()),
                           signing_key_.ExposeMutable().data(), seed.data());
  key_id_ = MinisignHash::Of(point).substr(0, kKeyIdSize);
  public_key_ =
      ToBase64(std::string(kKeyKind) + key_id_ + point, Padding::kEquals);
}

std::string MinisignSigner::Sign(std::string_view digest,
                                 std::string_view trusted_comment) const {
  if (digest.size() != kDigestSize ||
      trusted_comment.find('\n') != std::string_view::npos ||
      trusted_comment.size() > kTextSizeMax / 2) {
    Die("hizo: a signature that nobody could read\n");
  }
  const auto sign = [this](std::string_view message) {
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<uint8_t*>(signature.data()), nullptr,
                         Bytes(message), message.size(),
                         Bytes(signing_key_.Expose()));
    return signature;
  };
  const std::string signature = sign(digest);
  const std::string with_comment =
      sign(signature + std::string(trusted_comment));
  std::string text(kUntrustedStart);
  text.append("signature of Hizo\n")
      .append(ToBase64(std::string(kSignatureKind) + key_id_ + signature,
                       Padding::kEquals))
      .append("\n")
      .append(kTrustedStart)
      .append(trusted_comment)
      .append("\n")
      .append(ToBase64(with_comment, Padding::kEquals))
      .append("\n");
  return text;
}

bool IsMinisignKey(std::string_view text) { return ParseKey(text).has_value(); }

absl::StatusOr<std::string> CheckMinisign(std::string_view public_key,
                                          std::string_view digest,
                                          std::string_view signature) {
  const std::optional<PublicKey> key = ParseKey(public_key);
  if (!key.has_value()) return NotAKey();
  const auto lines = Lines(signature);
  if (!lines.has_value() || lines->size() != 4 ||
      !(*lines)[0].starts_with(kUntrustedStart) ||
      !(*lines)[2].starts_with(kTrustedStart)) {
    return NotASignature();
  }
  const auto signed_part = FromBase64((*lines)[1], Padding::kEquals);
  const auto with_comment = FromBase64((*lines)[3], Padding::kEquals);
  constexpr size_t kHead = kSignatureKind.size() + kKeyIdSize;
  if (!signed_part.has_value() || !with_comment.has_value() ||
      signed_part->size() != kHead + crypto_sign_BYTES ||
      with_comment->size() != crypto_sign_BYTES ||
      !signed_part->starts_with(kSignatureKind) ||
      digest.size() != kDigestSize) {
    return NotASignature();
  }
  if (signed_part->substr(kSignatureKind.size(), kKeyIdSize) != key->id) {
    return absl::PermissionDeniedError("signed by another key");
  }
  const std::string bytes = signed_part->substr(kHead);
  std::string comment((*lines)[2].substr(kTrustedStart.size()));
  if (!Verifies(bytes, digest, *key) ||
      !Verifies(*with_comment, bytes + comment, *key)) {
    return absl::DataLossError("a signature that does not fit");
  }
  return comment;
}

}  // namespace hizo::crypto
