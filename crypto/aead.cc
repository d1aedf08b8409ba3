#include "crypto/aead.h"

#include <sodium.h>

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "crypto/random.h"

namespace hizo::crypto {
namespace {

static_assert(kNonceSize == kXaesNonceSize && kTagSize == kXaesTagSize &&
              Key::kSize == kXaesKeySize);

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

absl::Status DoesNotOpen() {
  return absl::DataLossError("sealed bytes do not open");
}

// A key and, if it is of suite 2, what was made ready of it.
struct Ready {
  const Key& key;
  const std::optional<XaesKey>& xaes;
};

std::optional<XaesKey> XaesOf(const Key& key) {
  if (key.suite() != kAesSuite) return std::nullopt;
  return XaesKey(key.data());
}

void SealWith(const Ready& ready, std::string_view associated_data,
              std::string& message) {
  auto* const nonce = reinterpret_cast<uint8_t*>(message.data());
  uint8_t* const body = nonce + kNonceSize;
  const size_t size = message.size() - kSealOverhead;
  if (ready.xaes.has_value()) {
    ready.xaes->Seal(nonce, associated_data, body, size);
    return;
  }
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      body, nullptr, body, size, Bytes(associated_data), associated_data.size(),
      nullptr, nonce, ready.key.data());
}

// `out` has room for what lies between nonce and tag of `sealed`.
bool OpenInto(const Ready& ready, std::string_view associated_data,
              std::string_view sealed, uint8_t* out) {
  const std::string_view body = sealed.substr(kNonceSize);
  if (ready.xaes.has_value()) {
    return ready.xaes->Open(Bytes(sealed), associated_data, body, out);
  }
  return crypto_aead_xchacha20poly1305_ietf_decrypt(
             out, nullptr, nullptr, Bytes(body), body.size(),
             Bytes(associated_data), associated_data.size(), Bytes(sealed),
             ready.key.data()) == 0;
}

absl::StatusOr<std::string> OpenWith(const Ready& ready,
                                     std::string_view associated_data,
                                     std::string_view sealed) {
  if (sealed.size() < kSealOverhead) return DoesNotOpen();
  std::string plaintext(sealed.size() - kSealOverhead, '\0');
  if (!OpenInto(ready, associated_data, sealed,
                reinterpret_cast<uint8_t*>(plaintext.data()))) {
    return DoesNotOpen();
  }
  return plaintext;
}

}  // namespace

AeadKey::AeadKey(Key key) : key_(std::move(key)), xaes_(XaesOf(key_)) {}

void AeadKey::SealInPlace(std::string_view associated_data,
                          std::string& message) const {
  SealWith({key_, xaes_}, associated_data, message);
}

absl::StatusOr<std::string> AeadKey::Open(std::string_view associated_data,
                                          std::string_view sealed) const {
  return OpenWith({key_, xaes_}, associated_data, sealed);
}

std::string Seal(const Key& key, std::string_view associated_data,
                 std::string_view plaintext) {
  std::string message(kSealOverhead + plaintext.size(), '\0');
  FillRandom({reinterpret_cast<uint8_t*>(message.data()), kNonceSize});
  plaintext.copy(message.data() + kNonceSize, plaintext.size());
  SealWith({key, XaesOf(key)}, associated_data, message);
  return message;
}

absl::StatusOr<std::string> Open(const Key& key,
                                 std::string_view associated_data,
                                 std::string_view sealed) {
  return OpenWith({key, XaesOf(key)}, associated_data, sealed);
}

absl::StatusOr<Secret> OpenSecret(const Key& key,
                                  std::string_view associated_data,
                                  std::string_view sealed) {
  if (sealed.size() <= kSealOverhead ||
      sealed.size() > kSealOverhead + Secret::kSizeMax) {
    return DoesNotOpen();
  }
  Secret secret(sealed.size() - kSealOverhead);
  if (!OpenInto({key, XaesOf(key)}, associated_data, sealed,
                secret.ExposeMutable().data())) {
    return DoesNotOpen();
  }
  return secret;
}

std::string SealKey(const Key& wrapping_key, std::string_view associated_data,
                    const Key& key) {
  return Seal(wrapping_key, associated_data, key.Expose());
}

absl::StatusOr<Key> OpenKey(const Key& wrapping_key,
                            std::string_view associated_data,
                            std::string_view sealed) {
  if (sealed.size() != kSealedKeySize) return DoesNotOpen();
  Key key(wrapping_key.suite());
  if (!OpenInto({wrapping_key, XaesOf(wrapping_key)}, associated_data, sealed,
                key.mutable_data())) {
    return DoesNotOpen();
  }
  return key;
}

}  // namespace hizo::crypto
