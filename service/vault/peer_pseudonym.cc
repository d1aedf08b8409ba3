#include "service/vault/peer_pseudonym.h"

#include "crypto/digest.h"
#include "service/vault/audit_keys.h"

namespace hizo::vault {

std::string PeerPseudonym(const StoreKeys& keys, std::string_view address,
                          base::Timestamp now) {
  const auto month =
      keys.LeafOfNow(AuditMonthLeaf(base::TenantId::kStore, AuditMonthOf(now)));
  if (!month.ok() || !month->has_value()) return std::string(kPeerUnnamed);
  constexpr size_t kDigestBytes = 8;
  constexpr char kDigits[] = "0123456789abcdef";
  const crypto::Digest digest = crypto::Prf(**month, "hizo/peer/v2", {address});
  std::string text = "peer:";
  for (size_t i = 0; i < kDigestBytes; ++i) {
    text.push_back(kDigits[digest[i] >> 4]);
    text.push_back(kDigits[digest[i] & 15]);
  }
  return text;
}

}  // namespace hizo::vault
