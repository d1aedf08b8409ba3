// Authenticated encryption with associated data, in the suite of the key:
// XChaCha20-Poly1305 (suite 1) or XAES-256-GCM (suite 2).
//
// What is sealed under a key and associated data opens only under both, else
// kDataLoss. Nonces are random, 24 bytes, fresh for each sealing, so that a
// restored backup or a crash can never repeat one.
// Threads: all functions may be called concurrently.
#ifndef HIZO_CRYPTO_AEAD_H_
#define HIZO_CRYPTO_AEAD_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "crypto/xaes_gcm.h"

namespace hizo::crypto {

inline constexpr size_t kNonceSize = 24;
inline constexpr size_t kTagSize = 16;
inline constexpr size_t kSealOverhead = kNonceSize + kTagSize;

// Seal returns nonce || ciphertext || tag.
std::string Seal(const Key& key, std::string_view associated_data,
                 std::string_view plaintext);
// Open returns the plaintext; kDataLoss for anything that Seal did not make
// with this key and associated data. For personal values and small metadata;
// keys are opened with OpenKey.
absl::StatusOr<std::string> Open(const Key& key,
                                 std::string_view associated_data,
                                 std::string_view sealed);

// AeadKey is a key made ready for many messages, from one thread at a time.
class AeadKey {
 public:
  explicit AeadKey(Key key);
  // SealInPlace turns `message`, which is nonce || plaintext || kTagSize bytes
  // of room, into nonce || ciphertext || tag. The nonce must be random and used
  // for nothing else: for those who draw the nonces of a whole row at once.
  void SealInPlace(std::string_view associated_data,
                   std::string& message) const;
  // As the function of this name.
  absl::StatusOr<std::string> Open(std::string_view associated_data,
                                   std::string_view sealed) const;

 private:
  Key key_;
  std::optional<XaesKey> xaes_;  // of a key of suite 2
};

// OpenSecret is Open for 1 to Secret::kSizeMax bytes of key material: the
// plaintext touches no memory but the locked slab.
absl::StatusOr<Secret> OpenSecret(const Key& key,
                                  std::string_view associated_data,
                                  std::string_view sealed);

// A key sealed under another: 72 bytes, opened into the locked slab. The opened
// key is of the suite of the key that sealed it.
inline constexpr size_t kSealedKeySize = kSealOverhead + Key::kSize;
std::string SealKey(const Key& wrapping_key, std::string_view associated_data,
                    const Key& key);
absl::StatusOr<Key> OpenKey(const Key& wrapping_key,
                            std::string_view associated_data,
                            std::string_view sealed);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_AEAD_H_
