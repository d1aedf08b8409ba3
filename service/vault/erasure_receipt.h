// ErasureReceipt: what an erasure destroyed and since when nothing can bring it
// back, as text that people and programs read, signed as a C2SP note with the
// key of the audit log. No value of a person is in it.
//
// Threads: value types.
#ifndef HIZO_SERVICE_VAULT_ERASURE_RECEIPT_H_
#define HIZO_SERVICE_VAULT_ERASURE_RECEIPT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/root_slot.h"
#include "service/base/clock.h"
#include "service/base/ids.h"

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
  std::vector<std::string> destroyed;  // names of classes
  uint64_t audit_entries = 0;          // what led to it is among the first ones
  std::string audit_root;              // of so many entries
};

// Lines `name: value`, the first one naming the form. FORMAT.md.
std::string TextOf(const ErasureReceipt& receipt);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ERASURE_RECEIPT_H_
