// KeyedHash: the one PRF and MAC of a key's suite, fed piece by piece: keyed
// BLAKE2b-256 (suite 1) or HMAC-SHA-256 (suite 2). Use crypto/digest.h where
// all pieces are at hand.
//
// Threads: an object is for one thread, the one that made it.
#ifndef HIZO_CRYPTO_KEYED_HASH_H_
#define HIZO_CRYPTO_KEYED_HASH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "crypto/secret.h"
#include "crypto/suite.h"

namespace hizo::crypto {

class KeyedHash {
 public:
  static constexpr size_t kSize = 32;

  explicit KeyedHash(const Key& key) : KeyedHash(key, kSize) {}
  KeyedHash(const KeyedHash&) = delete;
  KeyedHash& operator=(const KeyedHash&) = delete;
  ~KeyedHash();

  void Update(std::string_view bytes);
  // Writes kSize bytes; the object is spent.
  void Finish(uint8_t* out);

 private:
  friend Secret ExpandKey(const Key& key, std::string_view label,
                          std::string_view info, size_t size);
  struct State;
  KeyedHash(const Key& key, size_t size);
  void BeginHmac(const Key& key);

  const Suite suite_;
  const size_t size_;
  std::unique_ptr<State> state_;  // lent by the thread, given back wiped
};

// ExpandKey derives 32 or 64 bytes of keys from one uniformly random key:
// BLAKE2b of that length over label || info, or HKDF-Expand of RFC 5869 with
// label || info.
Secret ExpandKey(const Key& key, std::string_view label, std::string_view info,
                 size_t size);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_KEYED_HASH_H_
