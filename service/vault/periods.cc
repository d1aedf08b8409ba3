#include "service/vault/periods.h"

#include <chrono>
#include <string>
#include <utility>
#include <variant>

#include "crypto/digest.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/record_store.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using policy::Day;

// A UUID of version 7 begins with its time in milliseconds.
Day DayOfMaking(base::RecordId id) {
  const uint64_t first = ByteReader(id.bytes()).Get<uint64_t>();
  return policy::DayOf(base::Timestamp(std::chrono::milliseconds(first >> 16)));
}

// The value of a field by its name, as a T; nullopt where there is none.
template <typename T>
absl::StatusOr<std::optional<T>> Read(const policy::ClassSpec& spec,
                                      const std::string& name,
                                      const ValueOf& value_of) {
  for (const policy::FieldSpec* field : spec.fields) {
    if (field->name != name) continue;
    ASSIGN_OR_RETURN(auto value, value_of(field->number));
    if (!value.has_value()) return std::nullopt;
    auto* of = std::get_if<T>(&*value);
    if (of == nullptr) return Fail(Reason::kIntegrityFailure);
    return std::optional<T>(std::move(*of));
  }
  return std::nullopt;
}

}  // namespace

crypto::Key SeedOf(const crypto::Key& dek, const crypto::Key* period_key) {
  if (period_key == nullptr) return dek.Clone();
  return crypto::DeriveKey(dek, "hizo/dated/v1", {period_key->Expose()});
}

absl::StatusOr<std::optional<Day>> PeriodOfContent(
    const policy::ClassSpec& spec, base::RecordId id, const ValueOf& value_of) {
  if (!spec.ends.has_value()) return std::nullopt;
  policy::EntryDates entry;
  entry.written = DayOfMaking(id);
  ASSIGN_OR_RETURN(const auto event, value_of(kEventTimeField));
  if (event.has_value()) {
    const auto* time = std::get_if<base::Timestamp>(&*event);
    if (time == nullptr) return Fail(Reason::kIntegrityFailure);
    entry.event = policy::DayOf(*time);
  }
  if (spec.ends->days == 0) {
    ASSIGN_OR_RETURN(const auto dated,
                     Read<Text>(spec, spec.retention->dated_by, value_of));
    if (dated.has_value()) {
      entry.dated = policy::DayFromText(dated->text.Reveal());
    }
  }
  ASSIGN_OR_RETURN(const auto marked,
                   Read<bool>(spec, spec.ends->marked_by, value_of));
  ASSIGN_OR_RETURN(entry.limit,
                   Read<int64_t>(spec, spec.ends->limited_by, value_of));
  entry.marked = marked.value_or(false);
  return policy::PeriodFor(spec, entry);
}

std::optional<std::string> EntryEndOf(base::TenantId tenant,
                                      const storage::Row& row) {
  constexpr size_t kPeriodAt = 12;  // crypto/FORMAT.md
  const auto place = ParseRecordKey(row.key);
  if (!place.has_value() || row.value.size() < kPeriodAt) return std::nullopt;
  ByteReader in(std::string_view(row.value).substr(kPeriodAt));
  const auto period = in.Get<uint32_t>();
  if (!in.ok() || period == 0) return std::nullopt;
  return EntryEndKey(tenant, place->class_number, period, place->subject,
                     place->record);
}

absl::StatusOr<bool> Periods::IsLossYear(base::TenantId tenant,
                                         Day last) const {
  ASSIGN_OR_RETURN(const auto row,
                   data_.Get(LossYearKey(tenant, policy::PeriodOf(last))));
  return row.has_value();
}

absl::StatusOr<bool> Periods::IsOver(base::TenantId tenant,
                                     const policy::ClassSpec& spec, Day last,
                                     base::Timestamp now) const {
  const Day today = policy::DayOf(now);
  if (today < policy::EndOf(spec, last)) return false;
  if (spec.ends->days > 0 || spec.retention->loss_years == 0) return true;
  ASSIGN_OR_RETURN(const bool loss, IsLossYear(tenant, last));
  return today >= policy::EndOf(spec, last, loss);
}

absl::StatusOr<std::optional<crypto::Key>> Periods::Find(
    base::TenantId tenant, policy::ClassNumber class_number,
    uint32_t period) const {
  return store_keys_.LeafOfNow(PeriodLeaf(tenant, class_number, period));
}

absl::StatusOr<crypto::Key> Periods::FindOrMake(
    Attempt& attempt, base::TenantId tenant, policy::ClassNumber class_number,
    uint32_t period) const {
  const Leaf leaf = PeriodLeaf(tenant, class_number, period);
  // One that is there need not be relied upon: it is the same key until it has
  // ended, and so has what is written under it.
  ASSIGN_OR_RETURN(auto present, store_keys_.LeafOfNow(leaf));
  if (present.has_value()) return *std::move(present);
  const std::string leaf_key = StoreKeys::LeafKey(leaf);
  const base::MutexLock lock(mutex_);
  auto made = made_.find(leaf_key);
  if (made == made_.end()) {
    made = made_.emplace(leaf_key, store_keys_.CreateLeaf(attempt, leaf)).first;
  } else {
    // A seal of its bucket makes whoever writes it run again.
    store_keys_.PutLeaf(leaf, made->second, attempt.keys());
  }
  return made->second.Clone();
}

void Periods::Forget(base::TenantId tenant, policy::ClassNumber class_number,
                     uint32_t period) const {
  const base::MutexLock lock(mutex_);
  made_.erase(StoreKeys::LeafKey(PeriodLeaf(tenant, class_number, period)));
}

absl::StatusOr<const crypto::Key*> PeriodKeys::Find(
    const Periods& periods, base::TenantId tenant,
    policy::ClassNumber class_number, uint32_t period) {
  const auto [at, is_new] = keys_.try_emplace({class_number, period});
  if (is_new) {
    ASSIGN_OR_RETURN(at->second, periods.Find(tenant, class_number, period));
  }
  return at->second.has_value() ? &*at->second : nullptr;
}

}  // namespace hizo::vault
