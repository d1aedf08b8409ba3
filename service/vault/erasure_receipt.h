// ErasureReceipt: what an erasure destroyed, what it kept, and since when
// nothing can bring it back, as text that people and programs read, signed as a
// C2SP note with the key of the audit log. No value of a person is in it.
//
// Threads: value types.
#ifndef HIZO_SERVICE_VAULT_ERASURE_RECEIPT_H_
#define HIZO_SERVICE_VAULT_ERASURE_RECEIPT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/root_slot.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/policy/retention.h"

namespace hizo::vault {

struct ErasureReceipt {
  std::string origin;
  base::TenantId tenant = base::TenantId::kStore;
  base::SubjectId subject;
  base::Timestamp accepted;
  // When the old root was gone from every slot; from then on it is sound
  // against everybody who did not copy a slot before.
  base::Timestamp sealed;
  uint64_t epoch = 0;
  size_t slots = 0;
  crypto::RootSlot::ErasureLevel level =
      crypto::RootSlot::ErasureLevel::kOverwrittenInPlace;
  // 1 for the erasure; more for what a law had kept and that went later.
  size_t part = 1;
  std::vector<std::string> destroyed;  // names of classes
  struct Kept {
    std::string name;
    std::optional<policy::Day> until;   // the last day for the law
    std::vector<std::string> purposes;  // what alone it may be used for
    std::string law;
    bool held = false;  // for a legal claim
  };
  std::vector<Kept> kept;
  // Addresses of which a keyed hash stays (suppressions.h).
  size_t suppressed = 0;
  uint64_t audit_entries = 0;  // what led to it is among the first ones
  std::string audit_root;      // of so many entries
};

// Lines `name: value`, the first one naming the form. FORMAT.md.
std::string TextOf(const ErasureReceipt& receipt);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ERASURE_RECEIPT_H_
