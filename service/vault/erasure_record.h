// ErasureRecord: what the data store knows of a person's erasure, from the
// moment it is acknowledged for as long as audit entries name the person.
//
// Sealed under the tenant's key. It names the person by audit reference, as
// the log does; nothing in it came from a person.
//
// Threads: value types.
#ifndef HIZO_SERVICE_VAULT_ERASURE_RECORD_H_
#define HIZO_SERVICE_VAULT_ERASURE_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/policy/catalogue.h"
#include "service/vault/store_keys.h"

namespace hizo::vault {

// Stored; never renumber.
enum class ErasureStage : uint8_t {
  kAccepted = 1,  // nobody finds the person; their keys wait for a seal
  kSealed = 2,    // the keys are gone, the rows deleted, the receipt signed
};

struct ErasureRecord {
  ErasureStage stage = ErasureStage::kAccepted;
  base::AuditReference audit_reference;
  base::Timestamp accepted;
  std::vector<policy::ClassNumber> classes;  // that there were keys of
  std::string facts;    // kAccepted: the sealed row, which a seal must read
  std::string receipt;  // kSealed: a signed note
};

std::string SealErasureRecord(const StoreKeys& keys, base::TenantId tenant,
                              base::SubjectId subject,
                              const ErasureRecord& record);
// kIntegrityFailure if it was not sealed there.
absl::StatusOr<ErasureRecord> OpenErasureRecord(const StoreKeys& keys,
                                                base::TenantId tenant,
                                                base::SubjectId subject,
                                                std::string_view sealed);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ERASURE_RECORD_H_
