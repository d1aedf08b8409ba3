#include "service/vault/peer_pseudonym.h"

#include "crypto/digest.h"

namespace hizo::vault {

std::string PeerPseudonym(const StoreKeys& keys, std::string_view address) {
  constexpr size_t kDigestBytes = 8;
  constexpr char kDigits[] = "0123456789abcdef";
  const crypto::Digest digest =
      crypto::Prf(keys.AuditSigningSeed(), "hizo/peer/v1", {address});
  std::string text = "peer:";
  for (size_t i = 0; i < kDigestBytes; ++i) {
    text.push_back(kDigits[digest[i] >> 4]);
    text.push_back(kDigits[digest[i] & 15]);
  }
  return text;
}

}  // namespace hizo::vault
