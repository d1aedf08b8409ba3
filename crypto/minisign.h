// Signatures that minisign verifies: Ed25519 over BLAKE2b-512 of a file (its
// `ED` kind), with a trusted comment. Files of any size are hashed as they
// pass.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_CRYPTO_MINISIGN_H_
#define HIZO_CRYPTO_MINISIGN_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/secret.h"

namespace hizo::crypto {

// MinisignHash is what is signed of a file: its bytes, as they come.
class MinisignHash {
 public:
  MinisignHash();
  MinisignHash(const MinisignHash& other);  // goes on from here
  MinisignHash& operator=(const MinisignHash& other);
  ~MinisignHash();
  void Add(std::string_view bytes);
  // The hash so far: 64 bytes.
  std::string Digest() const;
  static std::string Of(std::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class MinisignSigner {
 public:
  // `seed` is the Ed25519 seed; the key's id is made from the public key.
  explicit MinisignSigner(const Key& seed);
  // The content of a `.minisig` file for a file of that digest.
  // `trusted_comment` is one line of text; it is signed, too.
  std::string Sign(std::string_view digest,
                   std::string_view trusted_comment) const;
  // One line, as `minisign -P` takes it: base64 without the comment of a file.
  const std::string& public_key() const { return public_key_; }

 private:
  std::string key_id_;  // 8 bytes
  std::string public_key_;
  Secret signing_key_;  // 64 bytes, libsodium's form
};

// Whether it is a public key: the line, or a whole `.pub` file.
bool IsMinisignKey(std::string_view text);

// The trusted comment of `signature`, the content of a `.minisig` file, if
// `public_key` (the line, or a whole `.pub` file) signed that digest with it.
// kInvalidArgument for what is no signature or no key, kPermissionDenied if it
// is by another key, kDataLoss if it does not fit.
absl::StatusOr<std::string> CheckMinisign(std::string_view public_key,
                                          std::string_view digest,
                                          std::string_view signature);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_MINISIGN_H_
