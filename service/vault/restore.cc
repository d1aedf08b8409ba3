#include "service/vault/restore.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "crypto/record_cipher.h"
#include "service/audit/query.h"
#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "service/vault/audit_keys.h"
#include "service/vault/byte_codec.h"
#include "service/vault/deks_row.h"
#include "service/vault/fence.h"
#include "service/vault/periods.h"
#include "service/vault/row_keys.h"
#include "storage/key_bytes.h"
#include "storage/rows.h"

namespace hizo::vault {
namespace {

using storage::Rows;

constexpr uint8_t kFormat = 1;
constexpr uint8_t kPartly = 1;
constexpr uint8_t kWhole = 2;
constexpr size_t kRowsAtOnce = 2000;
constexpr size_t kBytesAtOnce = 4 * 1024 * 1024;
constexpr size_t kEventsAtOnce = 1000;
// In crypto/FORMAT.md; it has no fields in every catalogue.
constexpr policy::ClassNumber kClassConsent = 7;

std::string Space(char space) { return std::string(1, space); }

// Classes of which what is true now must not go back: a password that was
// replaced, a consent that was withdrawn, facts, which are no records.
bool StaysAsNow(policy::ClassNumber number) {
  return number == policy::kClassCredential || number == kClassConsent ||
         number == policy::kClassFacts;
}

std::string MarkOf(uint8_t stage, const RestoreCounts& counts) {
  ByteWriter mark;
  mark.Put(kFormat).Put(stage);
  for (const uint64_t count :
       {counts.records, counts.people, counts.without_key, counts.kept_since,
        counts.lost_since}) {
    mark.Put(count);
  }
  return std::move(mark).Take();
}

absl::StatusOr<base::TenantId> TenantOf(std::string_view record_key) {
  storage::KeyReader reader(record_key);
  reader.Space();
  const auto tenant = reader.U32();
  if (!tenant) return absl::DataLossError("a damaged record key");
  return base::TenantId{*tenant};
}

}  // namespace

std::string RestoreMarkKey() { return Space(base::kSpaceRestore); }

absl::StatusOr<std::optional<RestoreCounts>> RestoredCounts(
    const storage::Reader& data) {
  ASSIGN_OR_RETURN(const auto mark, data.Get(RestoreMarkKey()));
  if (!mark.has_value()) return std::optional<RestoreCounts>();
  ByteReader reader(*mark);
  const auto format = reader.Get<uint8_t>();
  const auto stage = reader.Get<uint8_t>();
  RestoreCounts counts;
  for (uint64_t* count : {&counts.records, &counts.people, &counts.without_key,
                          &counts.kept_since, &counts.lost_since}) {
    *count = reader.Get<uint64_t>();
  }
  if (!reader.ok() || !reader.done() || format != kFormat) {
    return absl::DataLossError("the mark of a restore is damaged");
  }
  if (stage != kWhole) {
    return absl::FailedPreconditionError(
        "the data store was restored in part only: restore it again");
  }
  return counts;
}

absl::StatusOr<RestoreCounts> Restore::Run() {
  RETURN_IF_ERROR(CheckBackup());
  RETURN_IF_ERROR(Put(RestoreMarkKey(), MarkOf(kPartly, counts_)));
  RETURN_IF_ERROR(Flush());
  RETURN_IF_ERROR(CopySpacesOfNow());
  RETURN_IF_ERROR(Copy(parts_.backup, Space(base::kSpaceRequest),
                       Space(base::kSpaceRequest + 1)));
  RETURN_IF_ERROR(MergeRecords());
  RETURN_IF_ERROR(ReplaySince());
  RETURN_IF_ERROR(Flush());
  RETURN_IF_ERROR(CountLost());
  RETURN_IF_ERROR(Put(RestoreMarkKey(), MarkOf(kWhole, counts_)));
  RETURN_IF_ERROR(Flush());
  return counts_;
}

// That the backup's log is a beginning of the log of now says that it is of
// this store, and was not made after a fork of it.
absl::Status Restore::CheckBackup() const {
  ASSIGN_OR_RETURN(const auto of_now, parts_.now.Get(MetaKey()));
  ASSIGN_OR_RETURN(const auto of_backup, parts_.backup.Get(MetaKey()));
  if (of_now != of_backup) {
    return absl::FailedPreconditionError("the backup is of another store");
  }
  if (parts_.head_of_backup.size > parts_.head_now.size) {
    return absl::FailedPreconditionError(
        "the backup is newer than the data store");
  }
  ASSIGN_OR_RETURN(const bool extends,
                   audit::Extends(parts_.now, parts_.head_of_backup.size,
                                  parts_.head_of_backup.root));
  if (extends) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the audit log of the backup is not a beginning of the log of now");
}

// Whatever kinds of rows there are, those that come from the backup are named
// here and nowhere else.
absl::Status Restore::CopySpacesOfNow() {
  static constexpr std::string_view kFromBackup = "QR";
  static_assert(kFromBackup[0] == base::kSpaceRequest &&
                kFromBackup[1] == base::kSpaceRecord);
  std::string from;
  for (const char space : kFromBackup) {
    RETURN_IF_ERROR(Copy(parts_.now, from, Space(space)));
    from = Space(static_cast<char>(space + 1));
  }
  return Copy(parts_.now, from, "");
}

absl::Status Restore::Copy(const storage::Reader& from, std::string first,
                           const std::string& until) {
  Rows rows(from, std::move(first), until);
  for (;;) {
    ASSIGN_OR_RETURN(storage::Row* const row, rows.Peek());
    if (row == nullptr) return absl::OkStatus();
    if (row->key != RestoreMarkKey()) {
      RETURN_IF_ERROR(Put(std::move(row->key), std::move(row->value)));
    }
    rows.Pop();
  }
}

absl::Status Restore::MergeRecords() {
  const std::string first = Space(base::kSpaceRecord);
  const std::string until = Space(base::kSpaceRecord + 1);
  Rows now(parts_.now, first, until);
  Rows backup(parts_.backup, first, until);
  for (;;) {
    ASSIGN_OR_RETURN(storage::Row* const present, now.Peek());
    ASSIGN_OR_RETURN(storage::Row* const earlier, backup.Peek());
    if (present == nullptr && earlier == nullptr) return absl::OkStatus();
    const bool both = present != nullptr && earlier != nullptr &&
                      present->key == earlier->key;
    const bool is_present =
        present != nullptr &&
        (earlier == nullptr || present->key <= earlier->key);
    const storage::Row& row = is_present ? *present : *earlier;
    const auto parts = ParseRecordKey(row.key);
    if (!parts.has_value()) return absl::DataLossError("a damaged record key");
    if (StaysAsNow(parts->class_number)) {
      if (is_present) RETURN_IF_ERROR(Put(row.key, row.value));
    } else if (both || !is_present) {
      RETURN_IF_ERROR(TakeFromBackup(*earlier, both ? present : nullptr));
    }
    if (is_present) now.Pop();
    if (both || !is_present) backup.Pop();
  }
}

absl::Status Restore::TakeFromBackup(const storage::Row& row,
                                     const storage::Row* present) {
  ASSIGN_OR_RETURN(const bool lives, HasLiveKey(row));
  if (!lives && present != nullptr) {
    // Its class has had new keys since (renewals.h).
    ASSIGN_OR_RETURN(const bool lives_now, HasLiveKey(*present));
    if (lives_now) {
      ++counts_.kept_since;
      return PutRecord(*present);
    }
  }
  if (!lives) {
    ++counts_.without_key;
    return absl::OkStatus();
  }
  ++counts_.records;
  if (last_with_ != deks_key_) ++counts_.people;
  last_with_ = deks_key_;
  return PutRecord(row);
}

absl::StatusOr<bool> Restore::HasLiveKey(const storage::Row& row) {
  ASSIGN_OR_RETURN(const base::TenantId tenant, TenantOf(row.key));
  const auto place = ParseRecordKey(row.key);
  ASSIGN_OR_RETURN(const auto sealed, crypto::SealedRow::Parse(row.value));
  std::string key = DeksKey(
      parts_.store_keys.tree()->BucketOf(DeksName(tenant, place->subject)),
      tenant, place->subject);
  // The rows of a person follow one another.
  if (key != deks_key_) {
    RETURN_IF_ERROR(ReadDeks(key, tenant, place->subject));
    deks_key_ = std::move(key);
  }
  const bool has_dek = std::ranges::any_of(deks_, [&](const WrappedDek& dek) {
    return dek.class_number == place->class_number &&
           dek.generation == sealed.generation();
  });
  if (!has_dek || sealed.period() == 0) return has_dek;
  // Entries that ended since have ended for good.
  const std::string leaf = StoreKeys::LeafKey(
      PeriodLeaf(tenant, place->class_number, sealed.period()));
  const auto [at, is_new] = periods_.try_emplace(leaf, false);
  if (is_new) {
    ASSIGN_OR_RETURN(const auto found, parts_.keys.Get(leaf));
    at->second = found.has_value();
  }
  return at->second;
}

absl::Status Restore::PutRecord(const storage::Row& row) {
  ASSIGN_OR_RETURN(const base::TenantId tenant, TenantOf(row.key));
  // Rows of now that say so of other periods are found to be of none.
  if (auto end = EntryEndOf(tenant, row); end.has_value()) {
    RETURN_IF_ERROR(Put(*std::move(end), EntryEndRowValue()));
  }
  return Put(row.key, row.value);
}

absl::Status Restore::ReadDeks(const std::string& key, base::TenantId tenant,
                               const base::SubjectId& subject) {
  deks_.clear();
  const auto add = [&](std::string_view bytes) -> absl::Status {
    ASSIGN_OR_RETURN(DeksRow row, DecodeDeksRow(bytes));
    std::ranges::move(row.wrapped, std::back_inserter(deks_));
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(const auto row, parts_.keys.Get(key));
  if (row.has_value()) RETURN_IF_ERROR(add(*row));
  ASSIGN_OR_RETURN(const auto bytes,
                   parts_.keys.Get(FenceKey(parts_.store_keys.tree()->BucketOf(
                                                DeksName(tenant, subject)),
                                            tenant, subject)));
  if (!bytes.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Fence fence, DecodeFence(*bytes));
  // Their erasure may be taken back.
  if (fence.stage != FenceStage::kInGrace) return absl::OkStatus();
  return add(fence.deks);
}

absl::Status Restore::ReplaySince() {
  std::optional<uint64_t> from = parts_.head_of_backup.size;
  const uint64_t size = parts_.head_now.size;
  while (from.has_value() && *from < size) {
    ASSIGN_OR_RETURN(
        const audit::Page page,
        audit::Query(parts_.now, size, {}, audit::Order::kOldestFirst, from,
                     kEventsAtOnce));
    for (const audit::Found& found : page.events) {
      RETURN_IF_ERROR(Replay(found.event));
    }
    from = page.next;
  }
  return absl::OkStatus();
}

absl::Status Restore::Replay(const audit::Event& event) {
  if (!event.subject.has_value() || event.writes.empty()) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const auto way_back,
                   parts_.keys.Get(WayBackKey(*event.subject)));
  // Nobody: then nothing of theirs has come back.
  if (!way_back.has_value()) return absl::OkStatus();
  if (!parts_.store_keys.SuiteOfServed(event.tenant).has_value()) {
    return absl::FailedPreconditionError(
        "the log tells of a tenant that is not configured");
  }
  ASSIGN_OR_RETURN(
      const base::SubjectId subject,
      OpenWayBack(parts_.store_keys, event.tenant, *event.subject, *way_back));
  for (const audit::RowWrite& write : event.writes) {
    if (!ComesFromNow(event, write)) continue;
    const std::string key =
        RecordKey(event.tenant, subject, write.class_number, write.record);
    ASSIGN_OR_RETURN(const auto present, parts_.now.Get(key));
    ++counts_.kept_since;
    if (present.has_value()) {
      RETURN_IF_ERROR(PutRecord({key, *present}));
    } else {
      batch_.Delete(key);
      RETURN_IF_ERROR(FlushIfFull());
    }
  }
  return absl::OkStatus();
}

// Whether a record, having been written so since the backup, must be as it is
// now: it was taken away, something of it was, or people are found by it.
bool Restore::ComesFromNow(const audit::Event& event,
                           const audit::RowWrite& write) const {
  if (StaysAsNow(write.class_number)) return false;
  // A whole class that ended: none of its records has a live key.
  if (write.version == 0) return false;
  if (write.commitment == decltype(write.commitment){}) return true;
  if (event.action == policy::Action::kRecordDeleteFields) return true;
  return std::ranges::any_of(event.fields, [&](policy::FieldNumber number) {
    const policy::FieldSpec* field = parts_.catalogue.FieldByNumber(number);
    // A field that this catalogue does not know may have been searchable.
    return field == nullptr ||
           (field->searchable && field->class_number == write.class_number);
  });
}

absl::Status Restore::CountLost() {
  const std::string first = Space(base::kSpaceRecord);
  const std::string until = Space(base::kSpaceRecord + 1);
  Rows before(parts_.now, first, until);
  Rows after(parts_.into, first, until);
  for (;;) {
    ASSIGN_OR_RETURN(const storage::Row* const was, before.Peek());
    if (was == nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(const storage::Row* const is, after.Peek());
    if (is == nullptr || was->key < is->key) {
      ++counts_.lost_since;
      before.Pop();
      continue;
    }
    if (was->key == is->key) before.Pop();
    after.Pop();
  }
}

absl::Status Restore::Put(std::string key, std::string value) {
  batch_.Put(std::move(key), std::move(value));
  return FlushIfFull();
}

absl::Status Restore::FlushIfFull() {
  const bool is_full =
      batch_.bytes() >= kBytesAtOnce || batch_.writes().size() >= kRowsAtOnce;
  return is_full ? Flush() : absl::OkStatus();
}

absl::Status Restore::Flush() {
  RETURN_IF_ERROR(parts_.into.Commit(batch_));
  batch_ = storage::Batch();
  return absl::OkStatus();
}

}  // namespace hizo::vault
