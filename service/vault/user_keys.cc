#include "service/vault/user_keys.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "service/base/pii.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/access_gate.h"
#include "service/vault/fence.h"
#include "service/vault/periods.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using policy::ClassNumber;

constexpr uint32_t kFirstGeneration = 1;
constexpr uint8_t kNoFlags = 0;

}  // namespace

const WrappedDek* SubjectKeys::Find(ClassNumber class_number) const {
  const WrappedDek* newest = nullptr;
  for (const WrappedDek& wrapped : row_.wrapped) {
    if (wrapped.class_number == class_number) newest = &wrapped;
  }
  return newest;
}

const WrappedDek* SubjectKeys::Find(ClassNumber class_number,
                                    uint32_t generation) const {
  for (const WrappedDek& wrapped : row_.wrapped) {
    if (wrapped.class_number == class_number &&
        wrapped.generation == generation) {
      return &wrapped;
    }
  }
  return nullptr;
}

std::vector<ClassNumber> SubjectKeys::Classes() const {
  std::vector<ClassNumber> classes;
  for (const WrappedDek& wrapped : row_.wrapped) {
    if (classes.empty() || classes.back() != wrapped.class_number) {
      classes.push_back(wrapped.class_number);
    }
  }
  return classes;
}

size_t SubjectKeys::Generations(ClassNumber class_number) const {
  return static_cast<size_t>(std::ranges::count(row_.wrapped, class_number,
                                                &WrappedDek::class_number));
}

bool SubjectKeys::IsNewest(ClassNumber class_number,
                           uint32_t generation) const {
  const WrappedDek* newest = Find(class_number);
  return newest != nullptr && newest->generation == generation;
}

SubjectKeys UserKeys::None(base::TenantId tenant, base::SubjectId subject,
                           crypto::Suite suite) const {
  const std::string name = DeksName(tenant, subject);
  const auto tree = store_keys_.tree();
  return {tenant, subject, suite,
          tree->ForName(name, &store_keys_.TenantKey(tenant), suite),
          DeksKey(tree->BucketOf(name), tenant, subject)};
}

SubjectKeys UserKeys::Fresh(base::TenantId tenant,
                            base::SubjectId subject) const {
  return None(tenant, subject, store_keys_.SuiteOf(tenant));
}

absl::StatusOr<SubjectKeys> UserKeys::Read(Attempt& attempt,
                                           base::TenantId tenant,
                                           base::SubjectId subject) const {
  SubjectKeys keys = Fresh(tenant, subject);
  ASSIGN_OR_RETURN(const auto row, attempt.Read(keys_, keys.row_key_));
  if (!row.has_value()) return keys;
  ASSIGN_OR_RETURN(DeksRow decoded, DecodeDeksRow(*row));
  if (decoded.suite != keys.row_.suite) {
    keys = None(tenant, subject, decoded.suite);
  }
  keys.row_ = std::move(decoded);
  return keys;
}

absl::StatusOr<std::optional<ClassKey>> UserKeys::Unwrap(
    const SubjectKeys& keys, ClassNumber class_number) const {
  const WrappedDek* wrapped = keys.Find(class_number);
  if (wrapped == nullptr) return std::nullopt;
  ASSIGN_OR_RETURN(ClassKey key, Unwrap(keys, *wrapped));
  return key;
}

absl::StatusOr<ClassKey> UserKeys::Unwrap(const SubjectKeys& keys,
                                          const WrappedDek& wrapped) const {
  ASSIGN_OR_RETURN(crypto::Key dek,
                   keys.wrapper_.Unwrap(wrapped.Detail(), wrapped.sealed));
  const crypto::Suite suite = store_keys_.SuiteOf(keys.tenant());
  if (dek.suite() != suite) dek = dek.In(suite);
  return ClassKey{std::move(dek), wrapped.generation};
}

absl::StatusOr<std::optional<ClassKey>> UserKeys::Unlock(
    const AccessGrant& grant, ClassNumber class_number) const {
  if (!grant.Covers(class_number)) return Fail(Reason::kInternal);
  return Unwrap(grant.keys_, class_number);
}

absl::StatusOr<std::optional<ClassKey>> UserKeys::Unlock(
    const AccessGrant& grant, ClassNumber class_number,
    uint32_t generation) const {
  if (!grant.Covers(class_number)) return Fail(Reason::kInternal);
  if (grant.keys_.Find(class_number) == nullptr) return std::nullopt;
  const WrappedDek* wrapped = grant.keys_.Find(class_number, generation);
  if (wrapped == nullptr) return Fail(Reason::kIntegrityFailure);
  ASSIGN_OR_RETURN(ClassKey key, Unwrap(grant.keys_, *wrapped));
  return key;
}

void UserKeys::AddGeneration(Attempt& attempt, SubjectKeys& keys,
                             ClassNumber class_number) const {
  const auto after = std::ranges::upper_bound(keys.row_.wrapped, class_number,
                                              {}, &WrappedDek::class_number);
  const WrappedDek& newest = *(after - 1);
  WrappedDek made{class_number, newest.generation + 1, kNoFlags, {}};
  made.sealed = keys.wrapper_.Wrap(made.Detail(), crypto::Key::Random());
  keys.row_.wrapped.insert(after, std::move(made));
  attempt.keys().Put(keys.row_key_, EncodeDeksRow(keys.row_));
}

void UserKeys::DropOlder(Attempt& attempt, SubjectKeys& keys,
                         ClassNumber class_number) const {
  const uint32_t newest = keys.Find(class_number)->generation;
  std::erase_if(keys.row_.wrapped, [&](const WrappedDek& wrapped) {
    return wrapped.class_number == class_number && wrapped.generation != newest;
  });
  attempt.keys().Put(keys.row_key_, EncodeDeksRow(keys.row_));
}

namespace {

crypto::RecordPlace PlaceOf(const SubjectKeys& keys,
                            const RecordKeyParts& place) {
  return {static_cast<uint32_t>(keys.tenant()), place.subject.bytes(),
          place.class_number, place.record.bytes()};
}

}  // namespace

absl::StatusOr<crypto::RecordOpener> UserKeys::OpenerOf(
    const SubjectKeys& keys, const RecordKeyParts& place,
    const crypto::SealedRow& row, const crypto::Key* period_key) const {
  const WrappedDek* wrapped = keys.Find(place.class_number, row.generation());
  if (wrapped == nullptr) return Fail(Reason::kIntegrityFailure);
  ASSIGN_OR_RETURN(const ClassKey key, Unwrap(keys, *wrapped));
  return crypto::RecordOpener::Create(
      SeedOf(key.dek.In(row.suite()), period_key), PlaceOf(keys, place), row);
}

absl::StatusOr<std::string> UserKeys::Renewed(const SubjectKeys& keys,
                                              const RecordKeyParts& place,
                                              const crypto::SealedRow& row,
                                              const crypto::Key* from,
                                              uint32_t period,
                                              const crypto::Key* to) const {
  ASSIGN_OR_RETURN(const auto opener, OpenerOf(keys, place, row, from));
  ASSIGN_OR_RETURN(const auto key, Unwrap(keys, place.class_number));
  crypto::RecordSealer sealer(SeedOf(key->dek, to), PlaceOf(keys, place),
                              {.generation = key->generation,
                               .period = period,
                               .version = row.version(),
                               .version_epoch = row.version_epoch()});
  for (const auto& field : row.fields()) {
    ASSIGN_OR_RETURN(auto opened, opener.Field(row, field.number));
    if (!opened.has_value()) return Fail(Reason::kIntegrityFailure);
    const base::Pii plaintext(*std::move(opened));
    RETURN_IF_ERROR(sealer.Put(field.number, plaintext.Reveal()));
  }
  return std::move(sealer).Finish();
}

absl::Status UserKeys::Rewrap(SubjectKeys& keys, crypto::Suite suite) const {
  SubjectKeys rewrapped = None(keys.tenant(), keys.subject(), suite);
  DeksRow row = std::move(keys.row_);
  RETURN_IF_ERROR(RewrapDeks(keys.wrapper_, rewrapped.wrapper_, row));
  row.suite = suite;
  rewrapped.row_ = std::move(row);
  keys = std::move(rewrapped);
  return absl::OkStatus();
}

absl::Status UserKeys::Ensure(Attempt& attempt, AccessGrant& grant,
                              std::span<const ClassNumber> classes) const {
  SubjectKeys& keys = grant.keys_;
  const crypto::Suite suite = store_keys_.SuiteOf(keys.tenant());
  bool changed = keys.row_.suite != suite;
  if (changed) RETURN_IF_ERROR(Rewrap(keys, suite));
  for (const ClassNumber class_number : classes) {
    if (!grant.Covers(class_number)) return Fail(Reason::kInternal);
    if (keys.Find(class_number) != nullptr) continue;
    WrappedDek made{class_number, kFirstGeneration, kNoFlags, {}};
    made.sealed = keys.wrapper_.Wrap(made.Detail(), crypto::Key::Random());
    keys.row_.wrapped.push_back(std::move(made));
    changed = true;
  }
  if (!changed) return absl::OkStatus();
  std::ranges::sort(keys.row_.wrapped, {}, &WrappedDek::Order);
  attempt.keys().Put(keys.row_key_, EncodeDeksRow(keys.row_));
  return absl::OkStatus();
}

absl::StatusOr<SubjectKeys> UserKeys::Fenced(base::TenantId tenant,
                                             base::SubjectId subject,
                                             std::string_view deks) const {
  ASSIGN_OR_RETURN(DeksRow row, DecodeDeksRow(deks));
  SubjectKeys keys = None(tenant, subject, row.suite);
  keys.row_ = std::move(row);
  return keys;
}

void UserKeys::Fence(Attempt& attempt, const AccessGrant& grant,
                     const policy::ClassSet& keep,
                     std::optional<base::Timestamp> due) const {
  const SubjectKeys& keys = grant.keys_;
  FenceDeks(attempt, *ParsePersonsRow(keys.row_key_), keys.row_, ~keep, due);
}

absl::StatusOr<SubjectKeys> UserKeys::Unfence(Attempt& attempt,
                                              base::TenantId tenant,
                                              base::SubjectId subject,
                                              std::string_view deks) const {
  ASSIGN_OR_RETURN(SubjectKeys keys, Fenced(tenant, subject, deks));
  ASSIGN_OR_RETURN(SubjectKeys left, Read(attempt, tenant, subject));
  if (left.row_.suite != keys.row_.suite) {
    RETURN_IF_ERROR(Rewrap(left, keys.row_.suite));
  }
  std::ranges::move(left.row_.wrapped, std::back_inserter(keys.row_.wrapped));
  std::ranges::sort(keys.row_.wrapped, {}, &WrappedDek::Order);
  attempt.keys().Put(keys.row_key_, EncodeDeksRow(keys.row_));
  const PersonsRow person = *ParsePersonsRow(keys.row_key_);
  attempt.keys().Delete(FenceKey(person.bucket, person.tenant, person.subject));
  return keys;
}

void FenceDeks(Attempt& attempt, const PersonsRow& person, DeksRow deks,
               const policy::ClassSet& classes,
               std::optional<base::Timestamp> due) {
  const auto& [bucket, tenant, subject] = person;
  const DeksRow fenced = TakeDeks(deks, classes);
  const std::string row_key = DeksKey(bucket, tenant, subject);
  if (deks.wrapped.empty()) {
    attempt.keys().Delete(row_key);
  } else {
    attempt.keys().Put(row_key, EncodeDeksRow(deks));
  }
  attempt.keys().Put(
      FenceKey(bucket, tenant, subject),
      EncodeFence({due.has_value() ? FenceStage::kInGrace : FenceStage::kFenced,
                   EncodeDeksRow(fenced), 0, due.value_or(base::Timestamp())}));
}

}  // namespace hizo::vault
