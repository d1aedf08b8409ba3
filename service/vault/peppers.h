// Peppers: a tenant's keys of the password pre-hash, numbered from 1.
//
// The last one makes new hashes. Earlier ones stay, for no hash can be moved to
// another pepper without its password: that happens when the person signs in
// next. A pepper is read for the call that uses it and is in memory no longer.
//
// Threads: const methods may be called concurrently. Lifetime: engine and
// StoreKeys outlive it.
#ifndef HIZO_SERVICE_VAULT_PEPPERS_H_
#define HIZO_SERVICE_VAULT_PEPPERS_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "service/base/ids.h"
#include "service/vault/attempt.h"
#include "service/vault/store_keys.h"
#include "storage/engine.h"

namespace hizo::vault {

struct Pepper {
  uint32_t id = 0;
  crypto::Key key;
};

class Peppers {
 public:
  // A tenant never has more.
  static constexpr uint32_t kPeppersMax = 1000;

  Peppers(const storage::Engine& keys, const StoreKeys& store_keys)
      : keys_(keys), store_keys_(store_keys) {}

  // The one that new hashes are made with, relied upon. kDataLoss if the tenant
  // has none.
  absl::StatusOr<Pepper> Current(Attempt& attempt, base::TenantId tenant) const;
  // nullopt for a number that no pepper has.
  absl::StatusOr<std::optional<crypto::Key>> Read(Attempt& attempt,
                                                  base::TenantId tenant,
                                                  uint32_t id) const;
  // Makes the next one as part of the Attempt; its number. kTooLarge after
  // kPeppersMax.
  absl::StatusOr<uint32_t> Add(Attempt& attempt, base::TenantId tenant) const;

 private:
  absl::StatusOr<uint32_t> Last(Attempt& attempt, base::TenantId tenant) const;
  const storage::Engine& keys_;
  const StoreKeys& store_keys_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_PEPPERS_H_
