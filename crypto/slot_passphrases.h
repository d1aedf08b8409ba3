// SlotPassphrases: what a root in a slot is sealed with, where whoever has the
// slot's medium is not to have the root.
//
// The key is Argon2id's (RFC 9106) of a passphrase and a salt; both the salt
// and what the derivation cost lie in the slot. A derivation takes a good part
// of a second and is done once for each salt, so that seals go on as fast as
// without.
//
// Threads: may be used concurrently.
#ifndef HIZO_CRYPTO_SLOT_PASSPHRASES_H_
#define HIZO_CRYPTO_SLOT_PASSPHRASES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/aead.h"
#include "crypto/secret.h"

namespace hizo::crypto {

class SlotPassphrases {
 public:
  static constexpr size_t kSizeMin = 12;  // of one, in bytes
  static constexpr size_t kSizeMax = 1024;
  static constexpr size_t kCountMax = 4;
  // What a derivation costs: passes over so much memory.
  struct Cost {
    uint32_t passes = 3;
    uint32_t kibibytes = 64 * 1024;
    bool operator==(const Cost&) const = default;
  };
  // cost || salt || a sealed key.
  static constexpr size_t kSaltSize = 16;
  static constexpr size_t kSealedSize =
      2 * sizeof(uint32_t) + kSaltSize + kSealedKeySize;

  // `lines` has one passphrase in each line: the first seals, all open, so that
  // one can follow another. kInvalidArgument, which says what is wrong without
  // a word of them, if there are none or too many, or the size of one is out of
  // bounds.
  static absl::StatusOr<std::unique_ptr<SlotPassphrases>> FromLines(
      const Secret& lines);
  static absl::StatusOr<std::unique_ptr<SlotPassphrases>> FromLines(
      const Secret& lines, Cost cost);

  // The root sealed, bound to `head`. kResourceExhausted if there is not enough
  // memory for the derivation.
  absl::StatusOr<std::string> Seal(std::string_view head, const Key& root);
  // kPermissionDenied if none of the passphrases is that one, or `sealed` was
  // changed; kDataLoss if its cost is one that nobody has; else as Seal.
  absl::StatusOr<Key> Open(std::string_view head, std::string_view sealed);

 private:
  struct Derived {
    size_t passphrase = 0;
    std::string cost_and_salt;
    Key key;
  };
  SlotPassphrases(std::vector<Secret> passphrases, Cost cost)
      : passphrases_(std::move(passphrases)), cost_(cost) {}
  // The key of that passphrase; made if it was not before.
  absl::StatusOr<const Key*> KeyOf(size_t passphrase,
                                   std::string_view cost_and_salt);

  const std::vector<Secret> passphrases_;
  const Cost cost_;
  // A slot has two salts at most, so these are few.
  std::vector<std::unique_ptr<Derived>> derived_;
};

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_SLOT_PASSPHRASES_H_
