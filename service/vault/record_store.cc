#include "service/vault/record_store.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "crypto/random.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;

std::string Hex(uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (size_t i = text.size(); i-- > 0; value >>= 4) {
    text[i] = kDigits[value & 0xF];
  }
  return text;
}

// Names a place in one row's terms; views `grant` and `name`.
struct Place {
  base::SubjectId subject;
  crypto::RecordPlace place;
  Place(const AccessGrant& grant, const RecordName& name)
      : subject(grant.subject()),
        place{static_cast<uint32_t>(grant.tenant()), subject.bytes(),
              name.class_number, name.id.bytes()} {}
};

// One row more than `limit`, to tell whether there are more.
storage::ScanRange RangeAfter(const std::string& prefix,
                              const std::optional<base::RecordId>& after,
                              size_t limit) {
  storage::ScanRange range = storage::PrefixRange(prefix, limit + 1);
  range.bytes = RecordStore::kListBytesMax;
  if (after.has_value()) {
    range.from = prefix + std::string(after->bytes()) + '\0';
  }
  return range;
}

bool LosesAField(const std::vector<policy::FieldNumber>& before,
                 const std::vector<crypto::FieldNumber>& kept) {
  return std::ranges::any_of(before, [&](policy::FieldNumber number) {
    return std::ranges::find(kept, number) == kept.end();
  });
}

void MarkWorn(Attempt& attempt, const AccessGrant& grant,
              const RecordName& name) {
  attempt.data().Put(
      WornKey(grant.tenant(), grant.subject(), name.class_number),
      WornRowValue(WornStage::kWorn));
}

// Has the end of its period find the record, and that of before no more.
void NotePeriod(Attempt& attempt, const AccessGrant& grant,
                const RecordName& name, uint32_t before, uint32_t period) {
  if (before == period) return;
  const auto key_of = [&](uint32_t of) {
    return EntryEndKey(grant.tenant(), name.class_number, of, grant.subject(),
                       name.id);
  };
  if (before != 0) attempt.data().Delete(key_of(before));
  if (period != 0) attempt.data().Put(key_of(period), EntryEndRowValue());
}

uint64_t RandomEpoch() {
  const std::string bytes = crypto::RandomBytes(sizeof(uint64_t));
  return ByteReader(bytes).Get<uint64_t>();
}

}  // namespace

std::string EtagOf(const RecordVersion& version) {
  return Hex(version.epoch) + "-" + std::to_string(version.version);
}

std::vector<policy::FieldNumber> OpenRecord::Fields() const {
  std::vector<policy::FieldNumber> numbers;
  for (const auto& field : row_.fields()) {
    if (field.number != kEventTimeField) numbers.push_back(field.number);
  }
  return numbers;
}

absl::StatusOr<std::optional<SourcedValue>> OpenRecord::OpenSourced(
    crypto::FieldNumber number) const {
  ASSIGN_OR_RETURN(auto opened, opener_.Field(row_, number));
  if (!opened.has_value()) return std::nullopt;
  const base::Pii plaintext(*std::move(opened));
  ASSIGN_OR_RETURN(SourcedValue sourced,
                   DecodeSourcedValue(plaintext.Reveal()));
  return sourced;
}

absl::StatusOr<std::optional<Value>> OpenRecord::Open(
    crypto::FieldNumber number) const {
  ASSIGN_OR_RETURN(auto sourced, OpenSourced(number));
  if (!sourced.has_value()) return std::nullopt;
  return std::move(sourced->value);
}

absl::Status OpenRecord::CarryOver(crypto::FieldNumber number,
                                   crypto::RecordSealer& sealer) const {
  if (sealer.CanKeep(row_)) return sealer.Keep(row_, number);
  ASSIGN_OR_RETURN(auto opened, opener_.Field(row_, number));
  if (!opened.has_value()) return Fail(Reason::kInternal);
  const base::Pii plaintext(*std::move(opened));
  return sealer.Put(number, plaintext.Reveal());
}

absl::StatusOr<std::optional<Value>> OpenRecord::Read(
    const AccessGrant& grant, const policy::FieldSpec& field) const {
  if (!grant.Covers(field)) return Fail(Reason::kInternal);
  return Open(field.number);
}

absl::StatusOr<std::optional<SourcedValue>> OpenRecord::ReadSourced(
    const AccessGrant& grant, const policy::FieldSpec& field) const {
  if (!grant.Covers(field)) return Fail(Reason::kInternal);
  return OpenSourced(field.number);
}

absl::StatusOr<std::optional<base::Timestamp>> OpenRecord::EventTime() const {
  ASSIGN_OR_RETURN(const auto value, Open(kEventTimeField));
  if (!value.has_value()) return std::nullopt;
  const auto* time = std::get_if<base::Timestamp>(&*value);
  if (time == nullptr) return Fail(Reason::kIntegrityFailure);
  return *time;
}

absl::StatusOr<bool> RecordStore::IsOver(const AccessGrant& grant,
                                         const RecordName& name,
                                         const OpenRecord& record) const {
  const policy::ClassSpec* spec = grant.ClassOf(name.class_number);
  if (spec == nullptr || !spec->ends.has_value()) return false;
  std::optional<policy::Day> last = policy::LastDayOf(record.period());
  // Of before its class was to end, or held beyond its end.
  if (!last.has_value()) {
    ASSIGN_OR_RETURN(last, PeriodOfContent(*spec, name.id, [&](auto number) {
                       return record.Open(number);
                     }));
  }
  if (!last.has_value()) return false;
  return periods_.IsOver(grant.tenant(), *spec, *last, grant.now());
}

absl::StatusOr<std::optional<OpenRecord>> RecordStore::OpenRow(
    const AccessGrant& grant, const ClassKey& key, const RecordName& name,
    crypto::SealedRow row, PeriodKeys& period_keys) const {
  const Place place(grant, name);
  std::optional<crypto::Key> seed;
  if (row.period() != 0) {
    ASSIGN_OR_RETURN(const crypto::Key* period_key,
                     period_keys.Find(periods_, grant.tenant(),
                                      name.class_number, row.period()));
    if (period_key == nullptr) return std::nullopt;
    seed = SeedOf(key.dek.In(row.suite()), period_key);
  }
  ASSIGN_OR_RETURN(auto opener,
                   crypto::RecordOpener::Create(
                       seed.has_value() ? *seed : key.dek, place.place, row));
  OpenRecord record(std::move(row), std::move(opener));
  ASSIGN_OR_RETURN(const bool over, IsOver(grant, name, record));
  if (over && !grant.CoversWhatIsHeldOf(name.class_number)) return std::nullopt;
  return record;
}

absl::StatusOr<std::optional<crypto::SealedRow>> RecordStore::Look(
    Attempt& attempt, base::TenantId tenant, base::SubjectId subject,
    const RecordName& name) const {
  ASSIGN_OR_RETURN(const auto bytes,
                   attempt.Read(data_, RecordKey(tenant, subject,
                                                 name.class_number, name.id)));
  if (!bytes.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(crypto::SealedRow row, crypto::SealedRow::Parse(*bytes));
  return row;
}

absl::StatusOr<std::optional<OpenRecord>> RecordStore::Open(
    const AccessGrant& grant, const RecordName& name,
    std::optional<crypto::SealedRow> row) const {
  if (!row.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto key, user_keys_.Unlock(grant, name.class_number,
                                                     row->generation()));
  if (!key.has_value()) return std::nullopt;
  PeriodKeys period_keys;
  return OpenRow(grant, *key, name, *std::move(row), period_keys);
}

absl::StatusOr<std::optional<OpenRecord>> RecordStore::Read(
    Attempt& attempt, const AccessGrant& grant, const RecordName& name) const {
  ASSIGN_OR_RETURN(auto row,
                   Look(attempt, grant.tenant(), grant.subject(), name));
  return Open(grant, name, std::move(row));
}

absl::StatusOr<RecordStore::Listing> RecordStore::List(
    Attempt& attempt, const AccessGrant& grant,
    policy::ClassNumber class_number,
    const std::optional<base::RecordId>& after, size_t limit) const {
  const std::string prefix =
      RecordPrefix(grant.tenant(), grant.subject(), class_number);
  return ListRows(grant, class_number, after, limit,
                  [&](const storage::ScanRange& range) {
                    return attempt.Scan(data_, range, prefix);
                  });
}

absl::StatusOr<RecordStore::Listing> RecordStore::Glance(
    const AccessGrant& grant, policy::ClassNumber class_number,
    const std::optional<base::RecordId>& after, size_t limit) const {
  return GlanceAt(data_, grant, class_number, after, limit);
}

absl::StatusOr<RecordStore::Listing> RecordStore::GlanceAt(
    const storage::Reader& snapshot, const AccessGrant& grant,
    policy::ClassNumber class_number,
    const std::optional<base::RecordId>& after, size_t limit) const {
  return ListRows(
      grant, class_number, after, limit,
      [&](const storage::ScanRange& range) { return snapshot.Scan(range); });
}

template <typename Scan>
absl::StatusOr<RecordStore::Listing> RecordStore::ListRows(
    const AccessGrant& grant, policy::ClassNumber class_number,
    std::optional<base::RecordId> after, size_t limit, Scan scan) const {
  const std::string prefix =
      RecordPrefix(grant.tenant(), grant.subject(), class_number);
  for (;;) {
    ASSIGN_OR_RETURN(auto rows, scan(RangeAfter(prefix, after, limit)));
    ASSIGN_OR_RETURN(Listing listed,
                     OpenRows(grant, class_number, std::move(rows), limit));
    // Whoever goes on after the last one needs one.
    if (!listed.entries.empty() || !listed.more) return listed;
    after = listed.last;
  }
}

absl::StatusOr<RecordStore::Listing> RecordStore::OpenRows(
    const AccessGrant& grant, policy::ClassNumber class_number,
    std::vector<storage::Row> rows, size_t limit) const {
  Listing listed;
  if (rows.empty()) return listed;
  std::optional<ClassKey> key;
  size_t bytes = 0;
  for (const storage::Row& row : rows) bytes += row.value.size();
  listed.more = rows.size() > limit || bytes >= kListBytesMax;
  if (rows.size() > limit) rows.pop_back();
  PeriodKeys period_keys;
  for (const storage::Row& row : rows) {
    const auto parts = ParseRecordKey(row.key);
    if (!parts.has_value()) return Fail(Reason::kIntegrityFailure);
    const RecordName name{class_number, parts->record};
    listed.last = name.id;
    ASSIGN_OR_RETURN(auto sealed, crypto::SealedRow::Parse(row.value));
    if (!key.has_value() || key->generation != sealed.generation()) {
      ASSIGN_OR_RETURN(
          key, user_keys_.Unlock(grant, class_number, sealed.generation()));
      if (!key.has_value()) return Listing();
    }
    ASSIGN_OR_RETURN(auto record, OpenRow(grant, *key, name, std::move(sealed),
                                          period_keys));
    if (!record.has_value()) continue;
    listed.entries.push_back({name, *std::move(record)});
  }
  return listed;
}

absl::StatusOr<RecordVersion> RecordStore::Write(
    Attempt& attempt, const AccessGrant& grant, const RecordName& name,
    const OpenRecord* present, const RecordChange& change) const {
  ASSIGN_OR_RETURN(const auto key, user_keys_.Unlock(grant, name.class_number));
  if (!key.has_value()) return Fail(Reason::kInternal);
  const RecordVersion version =
      present == nullptr ? RecordVersion{1, RandomEpoch()}
                         : RecordVersion{present->version().version + 1,
                                         present->version().epoch};
  const Place place(grant, name);
  const uint32_t before = present == nullptr ? 0 : present->period();
  const uint32_t period = change.period.value_or(before);
  std::optional<crypto::Key> seed;
  if (period != 0) {
    ASSIGN_OR_RETURN(const crypto::Key period_key,
                     periods_.FindOrMake(attempt, grant.tenant(),
                                         name.class_number, period));
    seed = SeedOf(key->dek, &period_key);
  }
  crypto::RecordSealer sealer(seed.has_value() ? *seed : key->dek, place.place,
                              {.generation = key->generation,
                               .period = period,
                               .version = version.version,
                               .version_epoch = version.epoch});
  for (const crypto::FieldNumber number : change.keep) {
    RETURN_IF_ERROR(present->CarryOver(number, sealer));
  }
  for (const RecordChange::Put& put : change.put) {
    RETURN_IF_ERROR(sealer.Put(put.number, put.plaintext.Reveal()));
  }
  std::string row = std::move(sealer).Finish();
  audit::RowWrite write{name.class_number, name.id, version.version, {}};
  std::ranges::copy(crypto::CommitmentOf(row), write.commitment.begin());
  attempt.event().writes.push_back(write);
  attempt.event().records += 1;
  attempt.data().Put(
      RecordKey(grant.tenant(), grant.subject(), name.class_number, name.id),
      std::move(row));
  if (present != nullptr && LosesAField(present->Fields(), change.keep)) {
    MarkWorn(attempt, grant, name);
  }
  NotePeriod(attempt, grant, name, before, period);
  attempt.AlsoChanges(
      RecordPrefix(grant.tenant(), grant.subject(), name.class_number));
  return version;
}

void RecordStore::Remove(Attempt& attempt, const AccessGrant& grant,
                         const RecordName& name,
                         const OpenRecord& present) const {
  attempt.event().writes.push_back(
      {name.class_number, name.id, present.version().version + 1, {}});
  attempt.event().records += 1;
  attempt.data().Delete(
      RecordKey(grant.tenant(), grant.subject(), name.class_number, name.id));
  if (!present.Fields().empty()) MarkWorn(attempt, grant, name);
  NotePeriod(attempt, grant, name, present.period(), 0);
  attempt.AlsoChanges(
      RecordPrefix(grant.tenant(), grant.subject(), name.class_number));
}

}  // namespace hizo::vault
