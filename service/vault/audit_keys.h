// The keys of the audit log's months, under which lies whatever leads from
// entries to somebody: the way back from an audit reference to its person, what
// is left of the reference where somebody was erased, and the names of network
// addresses.
//
// Each tenant, and the store itself, has one key for each month. It ends when
// the entries of its month do (audit_pruner.h), and with it, in every copy of
// every file, what was sealed under it.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_AUDIT_KEYS_H_
#define HIZO_SERVICE_VAULT_AUDIT_KEYS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/vault/attempt.h"
#include "service/vault/store_keys.h"

namespace hizo::vault {

// Months since January 1970, UTC. Stored.
using AuditMonth = uint32_t;
AuditMonth AuditMonthOf(base::Timestamp time);
base::Timestamp BeginOf(AuditMonth month);
Leaf AuditMonthLeaf(base::TenantId tenant, AuditMonth month);

struct MonthKey {
  AuditMonth month = 0;
  crypto::Key key;
};
// The key of a month, read, or made as part of the Attempt.
absl::StatusOr<MonthKey> KeyOfMonth(const StoreKeys& keys, Attempt& attempt,
                                    base::TenantId tenant, AuditMonth month);

// What lies at WayBackKey, and who it names. kDataLoss if it was not sealed
// there, or its month's key has ended.
std::string SealWayBack(const MonthKey& month, base::AuditReference reference,
                        base::SubjectId subject);
absl::StatusOr<base::SubjectId> OpenWayBack(const StoreKeys& keys,
                                            base::TenantId tenant,
                                            base::AuditReference reference,
                                            std::string_view sealed);
// The month under whose key a way back lies; nullopt for one of an earlier
// version, which lies under its tenant's key.
std::optional<AuditMonth> MonthOfWayBack(std::string_view sealed);

// The audit reference of somebody who was erased, for their erasure's record.
std::string SealReference(const MonthKey& month, base::TenantId tenant,
                          base::SubjectId subject,
                          base::AuditReference reference);
// nullopt once the key of the month has ended; kDataLoss if it was not sealed
// there.
absl::StatusOr<std::optional<base::AuditReference>> OpenReference(
    const StoreKeys& keys, base::TenantId tenant, base::SubjectId subject,
    AuditMonth month, std::string_view sealed);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_AUDIT_KEYS_H_
