// ErasureRecord: what the data store knows of a person's erasure, from the
// moment it is acknowledged for as long as audit entries name the person.
//
// Sealed under the tenant's key. It names the person by audit reference, as
// the log does; nothing in it came from a person. Where classes are kept,
// it is all that is left to know of the person: their facts went with the rest.
//
// Threads: value types.
#ifndef HIZO_SERVICE_VAULT_ERASURE_RECORD_H_
#define HIZO_SERVICE_VAULT_ERASURE_RECORD_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/policy/catalogue.h"
#include "service/policy/retention.h"
#include "service/vault/audit_keys.h"
#include "service/vault/store_keys.h"
#include "storage/engine.h"

namespace hizo::vault {

// Stored; never renumber.
enum class ErasureStage : uint8_t {
  kAccepted = 1,  // nobody finds the classes; their keys wait for a seal
  kSealed = 2,    // the keys are gone, the rows deleted, the receipt signed
};

// A fiscal year that records of a class are of, and until when they are kept if
// it is marked as one of a loss.
struct KeptYear {
  policy::Day last;
  policy::Day until_if_loss;
  bool operator==(const KeptYear&) const = default;
};

// A class that a law or holds have kept.
struct KeptClass {
  policy::ClassNumber class_number = 0;
  std::optional<policy::Day> until;  // the last day for the law
  std::vector<base::ClaimId> holds;  // ascending
  std::vector<KeptYear> years = {};  // that may be of a loss; ascending
  // Whether one of these has it kept longer; not stored.
  bool loss = false;

  bool IsOver(policy::Day today) const {
    return holds.empty() && (!until.has_value() || *until < today);
  }
};

struct ErasureRecord {
  ErasureStage stage = ErasureStage::kAccepted;
  base::AuditReference audit_reference;
  base::Timestamp accepted;
  // kAccepted: until when it may be taken back; nullopt if it may not, or not
  // any more.
  std::optional<base::Timestamp> grace_until;
  // What went last: with the person, or later because its term was over.
  std::vector<policy::ClassNumber> classes;
  // kAccepted: the sealed row, which a seal must read; empty if it went before.
  std::string facts;
  std::vector<std::string> receipts;  // signed notes: of each part that went
  std::vector<KeptClass> kept;        // and what is left
  // How many of the person's addresses nobody is to advertise to.
  size_t suppressed = 0;
  // The audit reference as it is stored: under the key of this month, and nil
  // once that has ended. 0: as it is, of an earlier version, or none at all.
  AuditMonth reference_month = 0;
  std::string sealed_reference;

  // Who the log's entries about the person are of; nullopt once nobody can say.
  std::optional<base::AuditReference> Reference() const;
  policy::ClassSet KeptClasses() const;
};

// Has the reference lie under the key of `month` from now on.
void HideReference(const MonthKey& month, base::TenantId tenant,
                   base::SubjectId subject, ErasureRecord& record);
std::string SealErasureRecord(const StoreKeys& keys, base::TenantId tenant,
                              base::SubjectId subject,
                              const ErasureRecord& record);
// kIntegrityFailure if it was not sealed there.
absl::StatusOr<ErasureRecord> OpenErasureRecord(const StoreKeys& keys,
                                                base::TenantId tenant,
                                                base::SubjectId subject,
                                                std::string_view sealed);
// The same, with classes kept as long as years of a loss, which `data` names,
// have them kept. Of an erasure by an earlier version no years are known.
absl::StatusOr<ErasureRecord> OpenErasureRecord(const storage::Reader& data,
                                                const StoreKeys& keys,
                                                base::TenantId tenant,
                                                base::SubjectId subject,
                                                std::string_view sealed);
absl::Status AddLosses(const storage::Reader& data, base::TenantId tenant,
                       std::span<KeptClass> kept);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ERASURE_RECORD_H_
