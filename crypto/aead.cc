#include "crypto/aead.h"

#include <sodium.h>

#include <cstdint>
#include <cstring>

#include "absl/status/status.h"
#include "crypto/random.h"

namespace hizo::crypto {
namespace {

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

absl::Status DoesNotOpen() {
  return absl::DataLossError("sealed bytes do not open");
}

// `out` has room for what lies between nonce and tag of `sealed`.
bool OpenInto(const Key& key, std::string_view associated_data,
              std::string_view sealed, uint8_t* out) {
  return crypto_aead_xchacha20poly1305_ietf_decrypt(
             out, nullptr, nullptr, Bytes(sealed) + kNonceSize,
             sealed.size() - kNonceSize, Bytes(associated_data),
             associated_data.size(), Bytes(sealed), key.data()) == 0;
}

}  // namespace

void SealInPlace(const Key& key, std::string_view associated_data,
                 std::string& message) {
  auto* const nonce = reinterpret_cast<uint8_t*>(message.data());
  uint8_t* const body = nonce + kNonceSize;
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      body, nullptr, body, message.size() - kSealOverhead,
      Bytes(associated_data), associated_data.size(), nullptr, nonce,
      key.data());
}

std::string Seal(const Key& key, std::string_view associated_data,
                 std::string_view plaintext) {
  std::string message(kSealOverhead + plaintext.size(), '\0');
  FillRandom({reinterpret_cast<uint8_t*>(message.data()), kNonceSize});
  plaintext.copy(message.data() + kNonceSize, plaintext.size());
  SealInPlace(key, associated_data, message);
  return message;
}

absl::StatusOr<std::string> Open(const Key& key,
                                 std::string_view associated_data,
                                 std::string_view sealed) {
  if (sealed.size() < kSealOverhead) return DoesNotOpen();
  std::string plaintext(sealed.size() - kSealOverhead, '\0');
  if (!OpenInto(key, associated_data, sealed,
                reinterpret_cast<uint8_t*>(plaintext.data()))) {
    return DoesNotOpen();
  }
  return plaintext;
}

absl::StatusOr<Secret> OpenSecret(const Key& key,
                                  std::string_view associated_data,
                                  std::string_view sealed) {
  if (sealed.size() <= kSealOverhead ||
      sealed.size() > kSealOverhead + Secret::kSizeMax) {
    return DoesNotOpen();
  }
  Secret secret(sealed.size() - kSealOverhead);
  if (!OpenInto(key, associated_data, sealed, secret.ExposeMutable().data())) {
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
  Key key;
  if (!OpenInto(wrapping_key, associated_data, sealed, key.mutable_data())) {
    return DoesNotOpen();
  }
  return key;
}

}  // namespace hizo::crypto
