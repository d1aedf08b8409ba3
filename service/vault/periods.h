// Periods: the keys that end entries of everybody at once, and when they end.
//
// A record of a class that ends by itself (policy/retention.h) is sealed under
// the person's key and the key of its period, which is a leaf of the key tree
// for each tenant, class and period: without either it does not open. From the
// moment that its period is over it counts as absent; soon after, PeriodEnds
// has the period's key destroyed in a seal, and so every copy of it.
//
//   seed of the record's keys = Derive(DEK, "hizo/dated/v1", period key)
//
// Threads: const methods may be called concurrently; a PeriodKeys by one thread
// at a time. Lifetime: everything given outlives it.
#ifndef HIZO_SERVICE_VAULT_PERIODS_H_
#define HIZO_SERVICE_VAULT_PERIODS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/base/mutex.h"
#include "service/policy/catalogue.h"
#include "service/policy/retention.h"
#include "service/vault/attempt.h"
#include "service/vault/store_keys.h"
#include "service/vault/value.h"
#include "storage/engine.h"

namespace hizo::vault {

// What a record's keys are derived from; `period_key` nullptr: it is of none.
crypto::Key SeedOf(const crypto::Key& dek, const crypto::Key* period_key);

// The value of a field of a record by its number, kEventTimeField for the time
// of its event; nullopt if it has none.
using ValueOf = std::function<absl::StatusOr<std::optional<Value>>(
    policy::FieldNumber number)>;
// The last day of the period that a record is of, by what it holds; nullopt for
// one that does not end.
absl::StatusOr<std::optional<policy::Day>> PeriodOfContent(
    const policy::ClassSpec& spec, base::RecordId id, const ValueOf& value_of);

// Where the end of its period finds a record's row; nullopt if it is of none.
std::optional<std::string> EntryEndOf(base::TenantId tenant,
                                      const storage::Row& row);

class Periods {
 public:
  Periods(const storage::Engine& data, const StoreKeys& store_keys)
      : data_(data), store_keys_(store_keys) {}

  // Whether entries of that period are there no more.
  absl::StatusOr<bool> IsOver(base::TenantId tenant,
                              const policy::ClassSpec& spec, policy::Day last,
                              base::Timestamp now) const;
  // Whether that fiscal year was marked as one of a loss.
  absl::StatusOr<bool> IsLossYear(base::TenantId tenant,
                                  policy::Day last) const;
  // The key of a period; nullopt if there is none: it has ended for good.
  absl::StatusOr<std::optional<crypto::Key>> Find(
      base::TenantId tenant, policy::ClassNumber class_number,
      uint32_t period) const;
  // The same to write with; made if there is none. Whoever makes it at the same
  // time makes the same one, so that the first writers of a day do not meet.
  absl::StatusOr<crypto::Key> FindOrMake(Attempt& attempt,
                                         base::TenantId tenant,
                                         policy::ClassNumber class_number,
                                         uint32_t period) const;
  // It is about to end: none that is made from now on is the same.
  void Forget(base::TenantId tenant, policy::ClassNumber class_number,
              uint32_t period) const;

 private:
  const storage::Engine& data_;
  const StoreKeys& store_keys_;
  mutable base::Mutex mutex_;
  // By their leaves' keys, until they end: what was made by this process, which
  // another Attempt may be about to write.
  mutable std::map<std::string, crypto::Key> made_ HIZO_GUARDED_BY(mutex_);
};

// PeriodKeys has those of a tenant that one call has asked for: records that
// follow one another are of few periods.
class PeriodKeys {
 public:
  // nullptr if it has ended for good. Lives as long as this.
  absl::StatusOr<const crypto::Key*> Find(const Periods& periods,
                                          base::TenantId tenant,
                                          policy::ClassNumber class_number,
                                          uint32_t period);

 private:
  std::map<std::pair<policy::ClassNumber, uint32_t>, std::optional<crypto::Key>>
      keys_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_PERIODS_H_
