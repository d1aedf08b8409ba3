// How the audit log names a network address, which may be somebody's.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_PEER_PSEUDONYM_H_
#define HIZO_SERVICE_VAULT_PEER_PSEUDONYM_H_

#include <string>
#include <string_view>

#include "service/vault/store_keys.h"

namespace hizo::vault {

// "peer:" and 16 digits: the same for the same bytes, and telling nothing to
// whoever does not have this store's root.
std::string PeerPseudonym(const StoreKeys& keys, std::string_view address);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_PEER_PSEUDONYM_H_
