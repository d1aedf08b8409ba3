// Whom an age file is for, and who can open it: X25519 keys and passphrases.
//
// Threads: value types.
#ifndef HIZO_CRYPTO_AGE_KEYS_H_
#define HIZO_CRYPTO_AGE_KEYS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/secret.h"

namespace hizo::crypto {

// AgeRecipient is a public key: `age1...`.
class AgeRecipient {
 public:
  // kInvalidArgument for what is no key, and for one that wraps nothing: a
  // point of small order.
  static absl::StatusOr<AgeRecipient> Parse(std::string_view text);
  // The same of the 32 bytes of point().
  static absl::StatusOr<AgeRecipient> FromPoint(std::string_view bytes);
  std::string ToText() const;
  const std::string& point() const { return point_; }
  bool operator==(const AgeRecipient&) const = default;

 private:
  friend class AgeIdentity;
  explicit AgeRecipient(std::string point) : point_(std::move(point)) {}
  std::string point_;  // 32 bytes
};

// AgeIdentity is the private key: `AGE-SECRET-KEY-1...`.
class AgeIdentity {
 public:
  static AgeIdentity Random();
  // kInvalidArgument for what is no key.
  static absl::StatusOr<AgeIdentity> Parse(std::string_view text);
  // The first key of a file as age-keygen writes it, with comments.
  static absl::StatusOr<AgeIdentity> ParseFile(std::string_view text);
  AgeRecipient recipient() const;
  const Key& scalar() const { return scalar_; }
  // As age-keygen writes it; a secret.
  std::string ExposeText() const;

 private:
  explicit AgeIdentity(Key scalar) : scalar_(std::move(scalar)) {}
  Key scalar_;
};

// What may open a file: any of the identities, or a passphrase.
struct AgeOpeners {
  std::vector<AgeIdentity> identities;
  std::optional<Secret> passphrase;
  // A file that asks for more scrypt work than 2^this is refused: 18 takes
  // 256 MiB and about a second.
  unsigned work_factor_max = 18;
};

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_AGE_KEYS_H_
