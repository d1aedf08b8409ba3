// Kept: which classes of a person stay when the person is erased, because a law
// or a hold has them kept, what for, and what goes.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_KEPT_H_
#define HIZO_SERVICE_VAULT_KEPT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/policy/catalogue.h"
#include "service/vault/attempt.h"
#include "service/vault/erasure_record.h"
#include "service/vault/services.h"

namespace hizo::vault {

// Every class that a law may have kept.
policy::ClassSet ClassesWithRetention(const policy::Catalogue& catalogue);

// What would be kept of the person of `grant`, ascending: classes that are held
// and that there are keys of, and classes with a retention, which the grant
// covers, that have a record whose term is not over at `now`. Each until its
// latest record's; a record without the date counts by its event time.
// kIntegrityFailure for records that do not open.
absl::StatusOr<std::vector<KeptClass>> WhatIsKept(const Services& services,
                                                  Attempt& attempt,
                                                  const AccessGrant& grant,
                                                  base::Timestamp now);

// The first day on which something of `kept` goes; nullopt if nothing does as
// long as it is held.
std::optional<policy::Day> NextEnd(const std::vector<KeptClass>& kept);

// Has Expiry look at the person when something of `kept` goes, as part of the
// Attempt.
void PutTerm(Attempt& attempt, base::TenantId tenant, base::SubjectId subject,
             const std::vector<KeptClass>& kept);

// Takes that back.
void TakeTerm(Attempt& attempt, base::TenantId tenant, base::SubjectId subject,
              const std::vector<KeptClass>& kept);

// What alone a kept class may be used for, and which law has it kept, by the
// catalogue of now as reads are decided; empty for none.
std::vector<std::string> PurposesOf(const policy::Catalogue& catalogue,
                                    const KeptClass& kept);
std::string LawOf(const policy::Catalogue& catalogue, const KeptClass& kept);

// Up to `limit` records of the person that are of none of `kept`.
absl::StatusOr<std::vector<storage::Row>> RecordsBut(
    const storage::Reader& data, base::TenantId tenant, base::SubjectId subject,
    const std::vector<KeptClass>& kept, size_t limit);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_KEPT_H_
