// Ed25519 signatures and C2SP signed notes (signed-note.md).
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_CRYPTO_SIGNED_NOTE_H_
#define HIZO_CRYPTO_SIGNED_NOTE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/secret.h"

namespace hizo::crypto {

// NoteSigner signs notes under a key name.
class NoteSigner {
 public:
  // `seed` is the Ed25519 seed; `name` has no space, plus sign or newline.
  NoteSigner(std::string name, const Key& seed);

  // `text` ends with a newline; returns text, blank line, signature line.
  std::string Sign(std::string_view text) const;
  // `name+hash+base64(0x01||public key)`, hash as 8 lower-case hex digits.
  const std::string& verifier_key() const { return verifier_key_; }

 private:
  std::string name_;
  std::string verifier_key_;
  std::string key_id_;  // 4 bytes
  Secret signing_key_;  // 64 bytes, libsodium's form
};

// The text of a note that carries a valid signature of `verifier_key`;
// kInvalidArgument if it is not a note or the key is not a key, kDataLoss if
// that key's signature is missing or wrong.
absl::StatusOr<std::string> OpenNote(std::string_view note,
                                     std::string_view verifier_key);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_SIGNED_NOTE_H_
