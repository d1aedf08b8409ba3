#include "service/vault/entry_owners.h"

#include <algorithm>
#include <utility>

#include "service/base/status_macros.h"
#include "service/vault/erasure_record.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {

absl::StatusOr<EntryOwner> EntryOwners::Find(Attempt& attempt,
                                             base::TenantId tenant,
                                             policy::ClassNumber class_number,
                                             base::SubjectId subject) const {
  ASSIGN_OR_RETURN(SubjectKeys keys,
                   services_.user_keys.Read(attempt, tenant, subject));
  ASSIGN_OR_RETURN(const auto row,
                   attempt.Read(services_.data, FactsKey(tenant, subject)));
  EntryOwner owner{std::move(keys), EntryBlock::kNone, std::nullopt};
  if (row.has_value() && owner.keys.Generations(policy::kClassFacts) > 0) {
    ASSIGN_OR_RETURN(const Facts facts,
                     services_.facts.OpenRow(owner.keys, *row));
    owner.reference = facts.audit_reference;
    if (facts.subject.held.test(class_number)) {
      owner.block = EntryBlock::kHeld;
    } else if (facts.IsBlocked(class_number)) {
      owner.block = EntryBlock::kRestricted;
    }
    return owner;
  }
  ASSIGN_OR_RETURN(const auto erasure,
                   attempt.Read(services_.data, ErasureKey(tenant, subject)));
  if (!erasure.has_value()) return owner;
  ASSIGN_OR_RETURN(
      const ErasureRecord record,
      OpenErasureRecord(services_.store_keys, tenant, subject, *erasure));
  owner.reference = record.Reference();
  const bool held =
      std::ranges::any_of(record.kept, [&](const KeptClass& kept) {
        return kept.class_number == class_number && !kept.holds.empty();
      });
  if (held) owner.block = EntryBlock::kHeld;
  return owner;
}

}  // namespace hizo::vault
