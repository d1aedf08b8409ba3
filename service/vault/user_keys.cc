#include "service/vault/user_keys.h"

#include <algorithm>
#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/access_gate.h"
#include "service/vault/fence.h"
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
  for (const WrappedDek& wrapped : row_.wrapped) {
    if (wrapped.class_number == class_number) return &wrapped;
  }
  return nullptr;
}

std::vector<ClassNumber> SubjectKeys::Classes() const {
  std::vector<ClassNumber> classes;
  for (const WrappedDek& wrapped : row_.wrapped) {
    classes.push_back(wrapped.class_number);
  }
  return classes;
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
  ASSIGN_OR_RETURN(crypto::Key dek,
                   keys.wrapper_.Unwrap(wrapped->Detail(), wrapped->sealed));
  const crypto::Suite suite = store_keys_.SuiteOf(keys.tenant());
  if (dek.suite() != suite) dek = dek.In(suite);
  return ClassKey{std::move(dek), wrapped->generation};
}

absl::StatusOr<std::optional<ClassKey>> UserKeys::Unlock(
    const AccessGrant& grant, ClassNumber class_number) const {
  if (!grant.Covers(class_number)) return Fail(Reason::kInternal);
  return Unwrap(grant.keys_, class_number);
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
  std::ranges::sort(keys.row_.wrapped, {}, &WrappedDek::class_number);
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

void UserKeys::Fence(Attempt& attempt, const AccessGrant& grant) const {
  const SubjectKeys& keys = grant.keys_;
  const auto place = ParsePersonsRow(keys.row_key_);
  attempt.keys().Delete(keys.row_key_);
  attempt.keys().Put(
      FenceKey(place->bucket, keys.tenant(), keys.subject()),
      EncodeFence({FenceStage::kFenced, EncodeDeksRow(keys.row_)}));
}

}  // namespace hizo::vault
