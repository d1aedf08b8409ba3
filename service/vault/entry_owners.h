// EntryOwners: whose entries are to end, and what stands in the way of it.
//
// Threads: const methods may be called concurrently. Lifetime: everything given
// outlives it.
#ifndef HIZO_SERVICE_VAULT_ENTRY_OWNERS_H_
#define HIZO_SERVICE_VAULT_ENTRY_OWNERS_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "service/base/ids.h"
#include "service/policy/catalogue.h"
#include "service/vault/attempt.h"
#include "service/vault/services.h"
#include "service/vault/user_keys.h"

namespace hizo::vault {

// Why entries stay though their time is over.
enum class EntryBlock : uint8_t {
  kNone,
  kHeld,        // the class is held for a legal claim
  kRestricted,  // the person's data are only kept (GDPR 18)
};

struct EntryOwner {
  SubjectKeys keys;
  EntryBlock block = EntryBlock::kNone;
  std::optional<base::AuditReference> reference;
};

class EntryOwners {
 public:
  explicit EntryOwners(const Services& services) : services_(services) {}

  // Relied upon. Of nobody there are neither keys nor a reference.
  absl::StatusOr<EntryOwner> Find(Attempt& attempt, base::TenantId tenant,
                                  policy::ClassNumber class_number,
                                  base::SubjectId subject) const;

 private:
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ENTRY_OWNERS_H_
