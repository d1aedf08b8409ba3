#include "service/vault/user_keys.h"

#include <algorithm>
#include <utility>

#include "crypto/aead.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/access_gate.h"
#include "service/vault/byte_codec.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using policy::ClassNumber;

// Stored; never renumber. Wraps of the first suite, or of the suite that is
// named.
constexpr uint8_t kRowFormat = 1;
constexpr uint8_t kRowFormatWithSuite = 2;

std::string Detail(ClassNumber class_number, uint32_t generation,
                   uint8_t flags) {
  ByteWriter out;
  out.Put(class_number).Put(generation).Put(flags);
  return std::move(out).Take();
}

void PutHead(ByteWriter& out, crypto::Suite suite) {
  if (suite == crypto::kFirstSuite) {
    out.Put(kRowFormat);
  } else {
    out.Put(kRowFormatWithSuite).Put(crypto::NumberOf(suite));
  }
}

std::optional<crypto::Suite> GetHead(ByteReader& in) {
  const auto format = in.Get<uint8_t>();
  if (format == kRowFormat) return crypto::kFirstSuite;
  const auto suite = crypto::SuiteFromNumber(in.Get<uint8_t>());
  const bool named =
      format == kRowFormatWithSuite && suite != crypto::kFirstSuite;
  return named ? suite : std::nullopt;
}

}  // namespace

const SubjectKeys::Wrapped* SubjectKeys::Find(ClassNumber class_number) const {
  for (const Wrapped& wrapped : wrapped_) {
    if (wrapped.class_number == class_number) return &wrapped;
  }
  return nullptr;
}

SubjectKeys UserKeys::None(base::TenantId tenant, base::SubjectId subject,
                           crypto::Suite suite) const {
  const std::string name = DeksName(tenant, subject);
  const crypto::KeyTree& tree = store_keys_.tree();
  return {tenant, subject, suite,
          tree.ForName(name, &store_keys_.TenantKey(tenant), suite),
          DeksKey(tree.BucketOf(name), tenant, subject)};
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
  ByteReader in(*row);
  const auto suite = GetHead(in);
  if (!suite.has_value()) return Fail(Reason::kIntegrityFailure);
  if (*suite != keys.suite_) keys = None(tenant, subject, *suite);
  const auto count = in.Get<uint8_t>();
  for (int i = 0; i < count; ++i) {
    SubjectKeys::Wrapped wrapped;
    wrapped.class_number = in.Get<uint16_t>();
    wrapped.generation = in.Get<uint32_t>();
    wrapped.flags = in.Get<uint8_t>();
    wrapped.sealed = in.GetRaw(crypto::kSealedKeySize);
    keys.wrapped_.push_back(std::move(wrapped));
  }
  if (!in.done()) return Fail(Reason::kIntegrityFailure);
  return keys;
}

absl::StatusOr<std::optional<ClassKey>> UserKeys::Unwrap(
    const SubjectKeys& keys, ClassNumber class_number) const {
  const SubjectKeys::Wrapped* wrapped = keys.Find(class_number);
  if (wrapped == nullptr) return std::nullopt;
  ASSIGN_OR_RETURN(
      crypto::Key dek,
      keys.wrapper_.Unwrap(
          Detail(class_number, wrapped->generation, wrapped->flags),
          wrapped->sealed));
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
  for (const SubjectKeys::Wrapped& wrapped : keys.wrapped_) {
    const std::string detail =
        Detail(wrapped.class_number, wrapped.generation, wrapped.flags);
    ASSIGN_OR_RETURN(const crypto::Key dek,
                     keys.wrapper_.Unwrap(detail, wrapped.sealed));
    SubjectKeys::Wrapped& anew = rewrapped.wrapped_.emplace_back(wrapped);
    anew.sealed = rewrapped.wrapper_.Wrap(detail, dek);
  }
  keys = std::move(rewrapped);
  return absl::OkStatus();
}

absl::Status UserKeys::Ensure(Attempt& attempt, AccessGrant& grant,
                              std::span<const ClassNumber> classes) const {
  SubjectKeys& keys = grant.keys_;
  const crypto::Suite suite = store_keys_.SuiteOf(keys.tenant());
  bool changed = keys.suite_ != suite;
  if (changed) RETURN_IF_ERROR(Rewrap(keys, suite));
  for (const ClassNumber class_number : classes) {
    if (!grant.Covers(class_number)) return Fail(Reason::kInternal);
    if (keys.Find(class_number) != nullptr) continue;
    const uint32_t generation = 1;
    const uint8_t flags = 0;
    keys.wrapped_.push_back(
        {class_number, generation, flags,
         keys.wrapper_.Wrap(Detail(class_number, generation, flags),
                            crypto::Key::Random())});
    changed = true;
  }
  if (!changed) return absl::OkStatus();
  std::ranges::sort(keys.wrapped_, {}, &SubjectKeys::Wrapped::class_number);
  ByteWriter out;
  PutHead(out, keys.suite_);
  out.Put(static_cast<uint8_t>(keys.wrapped_.size()));
  for (const SubjectKeys::Wrapped& wrapped : keys.wrapped_) {
    out.Put(wrapped.class_number)
        .Put(wrapped.generation)
        .Put(wrapped.flags)
        .PutRaw(wrapped.sealed);
  }
  attempt.keys().Put(keys.row_key_, std::move(out).Take());
  return absl::OkStatus();
}

}  // namespace hizo::vault
