// Hashes: SHA-256 (OpenSSL, the CPU's instructions), the nodes of an RFC 6962
// tree, and the PRF of a key's suite: keyed BLAKE2b or HMAC-SHA-256.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_CRYPTO_DIGEST_H_
#define HIZO_CRYPTO_DIGEST_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "crypto/secret.h"

namespace hizo::crypto {

using Digest = std::array<uint8_t, 32>;
std::string_view AsBytes(const Digest& digest);

Digest Sha256(std::string_view bytes);
// Sha256Stream is the same of bytes as they come. Threads: one at a time.
class Sha256Stream {
 public:
  Sha256Stream();
  Sha256Stream(const Sha256Stream& other);  // goes on from here
  Sha256Stream& operator=(const Sha256Stream& other);
  ~Sha256Stream();
  void Add(std::string_view bytes);
  // Of all so far.
  Digest Sum() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};
// RFC 6962 2.1: SHA-256(0x00 || entry).
Digest LeafHash(std::string_view entry);
// RFC 6962 2.1: SHA-256(0x01 || left || right).
Digest NodeHash(const Digest& left, const Digest& right);

// Prf is the keyed hash of label || 0x00 || LP(part)..., LP(x) = u32be(len)||x.
// The label tells the uses of one key apart; the lengths tell the parts apart.
Digest Prf(const Key& key, std::string_view label,
           std::initializer_list<std::string_view> parts);
// The same as a new key of the same suite; in suite 2 by HKDF-Expand, whose
// info is what Prf hashes.
Key DeriveKey(const Key& key, std::string_view label,
              std::initializer_list<std::string_view> parts);
// LengthPrefixed is u32be(len) || bytes.
void AppendLengthPrefixed(std::string& out, std::string_view bytes);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_DIGEST_H_
