// How the audit log names a network address, which may be somebody's.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_PEER_PSEUDONYM_H_
#define HIZO_SERVICE_VAULT_PEER_PSEUDONYM_H_

#include <string>
#include <string_view>

#include "service/base/clock.h"
#include "service/vault/store_keys.h"

namespace hizo::vault {

inline constexpr std::string_view kPeerUnnamed = "peer:unnamed";

// "peer:" and 16 digits: the same for the same bytes within a month, and
// telling nothing to whoever does not have this store's root; to nobody once
// the month's key has ended. kPeerUnnamed if the month has no key.
std::string PeerPseudonym(const StoreKeys& keys, std::string_view address,
                          base::Timestamp now);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_PEER_PSEUDONYM_H_
