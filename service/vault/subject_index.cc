#include "service/vault/subject_index.h"

#include <optional>
#include <utility>

#include "crypto/blind_index.h"
#include "crypto/digest.h"
#include "crypto/normalise.h"
#include "crypto/random.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/erasure_record.h"
#include "service/vault/row_keys.h"
#include "service/vault/value.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using base::SubjectId;

// Rows of one value, orphans included, that are looked at.
constexpr size_t kRowsPerValueMax = kSubjectsPerValueMax + 64;
// Rows of people who share a value differ in a random ending.
constexpr size_t kEndingSize = 8;

}  // namespace

// A value's place in the index: its shard's key, if the shard exists yet, and
// the key prefix of its rows.
struct SubjectIndex::Shard {
  Leaf leaf;
  std::optional<crypto::Key> key;
  IndexPointer pointer;
  base::Pii normalised;
  base::TenantId tenant;

  std::string Prefix() const {
    return IndexPrefix(
        pointer.kind, tenant, pointer.route,
        crypto::IndexTag(*key, pointer.kind, normalised.Reveal()));
  }
};

struct SubjectIndex::Entry {
  std::string row_key;
  SubjectId subject;
  Person person = Person::kThere;
};

absl::StatusOr<SubjectIndex::Person> SubjectIndex::PersonOf(
    Attempt& attempt, base::TenantId tenant, SubjectId subject) const {
  ASSIGN_OR_RETURN(const auto facts,
                   attempt.Read(stores_.data, FactsKey(tenant, subject)));
  if (facts.has_value()) return Person::kThere;
  ASSIGN_OR_RETURN(const auto erasure,
                   attempt.Read(stores_.data, ErasureKey(tenant, subject)));
  if (!erasure.has_value()) return Person::kGone;
  ASSIGN_OR_RETURN(const ErasureRecord record,
                   OpenErasureRecord(store_keys_, tenant, subject, *erasure));
  return record.grace_until.has_value() ? Person::kInGrace : Person::kGone;
}

absl::StatusOr<SubjectIndex::Shard> SubjectIndex::OpenShard(
    Attempt& attempt, const policy::TenantSpec& tenant,
    const policy::FieldSpec& field, std::string_view text) const {
  ASSIGN_OR_RETURN(base::Pii normalised,
                   NormaliseForIndex(field, text, tenant.default_region));
  const std::string version(1, static_cast<char>(crypto::kNormaliserVersion));
  const crypto::Key route_key = crypto::DeriveKey(
      store_keys_.TenantKey(tenant.id), "hizo/route/v1", {version});
  const uint16_t kind = field.number;
  const uint16_t route =
      crypto::IndexRoute(route_key, kind, normalised.Reveal());
  Shard shard{IndexShardLeaf(tenant.id, kind, route),
              std::nullopt,
              {kind, route},
              std::move(normalised),
              tenant.id};
  ASSIGN_OR_RETURN(shard.key, store_keys_.ReadLeaf(attempt, shard.leaf));
  return shard;
}

absl::StatusOr<std::vector<SubjectIndex::Entry>> SubjectIndex::Entries(
    Attempt& attempt, const Shard& shard, const std::string& after) const {
  const std::string prefix = shard.Prefix();
  storage::ScanRange range = storage::PrefixRange(prefix, kRowsPerValueMax);
  if (!after.empty()) range.from = prefix + after + '\0';
  ASSIGN_OR_RETURN(const auto rows, attempt.Scan(stores_.keys, range, prefix));
  std::vector<Entry> entries;
  for (const storage::Row& row : rows) {
    ASSIGN_OR_RETURN(const auto opened,
                     crypto::OpenIndexEntry(*shard.key, row.key, row.value,
                                            shard.normalised.Reveal()));
    if (!opened.has_value()) continue;
    const auto subject = SubjectId::FromBytes(*opened);
    if (!subject.has_value()) return Fail(Reason::kIntegrityFailure);
    ASSIGN_OR_RETURN(const Person person,
                     PersonOf(attempt, shard.tenant, *subject));
    entries.push_back({row.key, *subject, person});
  }
  return entries;
}

absl::StatusOr<FoundSubjects> SubjectIndex::Find(
    Attempt& attempt, const policy::TenantSpec& tenant,
    const policy::FieldSpec& field, std::string_view text,
    const Range& range) const {
  if (!range.after.empty() && range.after.size() != kEndingSize) {
    return Fail(Reason::kValueInvalid);
  }
  ASSIGN_OR_RETURN(const Shard shard, OpenShard(attempt, tenant, field, text));
  FoundSubjects found;
  if (!shard.key.has_value()) return found;
  ASSIGN_OR_RETURN(const auto entries, Entries(attempt, shard, range.after));
  std::string last;
  for (const Entry& entry : entries) {
    if (entry.person != Person::kThere) continue;
    if (found.subjects.size() == range.limit) {
      found.next = last;
      break;
    }
    found.subjects.push_back(entry.subject);
    last = entry.row_key.substr(shard.Prefix().size());
  }
  return found;
}

absl::StatusOr<IndexPointer> SubjectIndex::Add(Attempt& attempt,
                                               const policy::TenantSpec& tenant,
                                               const policy::FieldSpec& field,
                                               std::string_view text,
                                               SubjectId subject) const {
  ASSIGN_OR_RETURN(Shard shard, OpenShard(attempt, tenant, field, text));
  std::vector<Entry> entries;
  if (shard.key.has_value()) {
    ASSIGN_OR_RETURN(entries, Entries(attempt, shard, ""));
  } else {
    shard.key = store_keys_.CreateLeaf(attempt, shard.leaf);
  }
  size_t others = 0;
  for (const Entry& entry : entries) {
    if (entry.person == Person::kGone) {
      attempt.keys().Delete(entry.row_key);
      continue;
    }
    if (entry.subject == subject) return shard.pointer;
    if (field.unique) return Fail(Reason::kAlreadyExists, field.number);
    ++others;
  }
  if (others >= kSubjectsPerValueMax) {
    return Fail(Reason::kTooLarge, field.number);
  }
  const std::string prefix = shard.Prefix();
  const std::string row_key =
      field.unique ? prefix : prefix + crypto::RandomBytes(kEndingSize);
  attempt.keys().Put(
      row_key, crypto::SealIndexEntry(*shard.key, row_key, subject.bytes(),
                                      shard.normalised.Reveal()));
  attempt.AlsoChanges(prefix);
  return shard.pointer;
}

absl::Status SubjectIndex::Remove(Attempt& attempt,
                                  const policy::TenantSpec& tenant,
                                  const policy::FieldSpec& field,
                                  std::string_view text,
                                  SubjectId subject) const {
  ASSIGN_OR_RETURN(const Shard shard, OpenShard(attempt, tenant, field, text));
  if (!shard.key.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto entries, Entries(attempt, shard, ""));
  for (const Entry& entry : entries) {
    if (entry.subject != subject) continue;
    attempt.keys().Delete(entry.row_key);
    attempt.AlsoChanges(shard.Prefix());
    attempt.data().Put(
        WornShardKey(tenant.id, field.number, shard.pointer.route),
        WornRowValue(WornStage::kWorn));
  }
  return absl::OkStatus();
}

}  // namespace hizo::vault
