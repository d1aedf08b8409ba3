// ErasureGrace: an erasure that can still be taken back: the fence that the
// DEKs wait behind, and what is known of the erasure. Both tell until when.
//
// Threads: value type.
#ifndef HIZO_SERVICE_VAULT_ERASURE_GRACE_H_
#define HIZO_SERVICE_VAULT_ERASURE_GRACE_H_

#include <optional>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/vault/attempt.h"
#include "service/vault/erasure_record.h"
#include "service/vault/fence.h"
#include "service/vault/row_keys.h"
#include "service/vault/services.h"

namespace hizo::vault {

struct ErasureGrace {
  PersonsRow person;
  Fence fence;
  ErasureRecord record;
};

// What the person's erasure is, decided upon; nullopt if there is none that
// could be taken back. kIntegrityFailure or kDataLoss for damaged rows.
absl::StatusOr<std::optional<ErasureGrace>> ReadGrace(Attempt& attempt,
                                                      const Services& services,
                                                      const PersonsRow& person);

// Has the grace end at `due`, or now, as part of the Attempt: with nullopt it
// is a fence like any other from the commit on.
void PutGraceEnd(Attempt& attempt, const StoreKeys& store_keys,
                 ErasureGrace& grace, std::optional<base::Timestamp> due);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ERASURE_GRACE_H_
