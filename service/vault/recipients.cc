#include "service/vault/recipients.h"

#include <algorithm>
#include <utility>

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/policy/forbidden.h"
#include "service/vault/byte_codec.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;

constexpr uint8_t kFormat = 1;
constexpr size_t kTagSize = 16;
constexpr size_t kEtagBytes = 8;
constexpr size_t kKeySize = 32;

constexpr std::string_view kMarks = "._/-";

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Names stand in the log, in access histories and in reports: labels, in which
// little can be said.
bool IsRecipientName(std::string_view text) {
  return !text.empty() && text.size() <= audit::kRecipientNameMax &&
         IsLower(text.front()) && std::ranges::all_of(text, [](char c) {
           return IsLower(c) || IsDigit(c) || c == '.' || c == '-';
         });
}

bool IsAgreement(std::string_view text) {
  return !text.empty() && text.size() <= kAgreementSizeMax &&
         std::ranges::all_of(text, [](char c) {
           return IsLower(c) || (c >= 'A' && c <= 'Z') || IsDigit(c) ||
                  kMarks.find(c) != std::string_view::npos;
         });
}

// Of a row, whose nonce makes it another each time it is written.
std::string EtagOf(std::string_view sealed) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const crypto::Digest digest = crypto::Sha256(sealed);
  std::string text;
  for (size_t i = 0; i < kEtagBytes; ++i) {
    text.push_back(kDigits[digest[i] >> 4]);
    text.push_back(kDigits[digest[i] & 15]);
  }
  return text;
}

std::string Encode(const Recipient& recipient) {
  ByteWriter out;
  out.Put(kFormat)
      .Put(static_cast<uint8_t>(recipient.kind))
      .Put(static_cast<uint64_t>(base::ToMicros(recipient.registered)))
      .PutRaw(recipient.key.point())
      .PutText(recipient.name)
      .PutText(recipient.agreement);
  return std::move(out).Take();
}

bool SameAs(const Recipient& one, const Recipient& other) {
  return one.key == other.key && one.kind == other.kind &&
         one.agreement == other.agreement;
}

// What a repeat is answered with.
std::string EncodeAnswer(const RegisteredRecipient& registered) {
  ByteWriter out;
  out.PutText(registered.etag)
      .Put(static_cast<uint8_t>(registered.changed ? 1 : 0));
  return std::move(out).Take();
}

absl::StatusOr<RegisteredRecipient> DecodeAnswer(std::string_view bytes) {
  ByteReader in(bytes);
  RegisteredRecipient registered;
  registered.repeated = true;
  registered.etag = in.GetText();
  registered.changed = in.Get<uint8_t>() == 1;
  if (!in.done()) return Fail(Reason::kIntegrityFailure);
  return registered;
}

// The recipient that `input` asks for, not yet registered.
absl::StatusOr<Recipient> ToRecipient(const Call& call,
                                      const RecipientInput& input) {
  if (!IsRecipientName(input.name) || !IsAgreement(input.agreement) ||
      !input.kind.has_value()) {
    return Fail(Reason::kValueInvalid);
  }
  if (policy::LooksLikeCardNumber(input.name) ||
      policy::LooksLikeCardNumber(input.agreement)) {
    return Fail(Reason::kFieldForbidden);
  }
  // A key that everybody opens is found by Parse. To oneself nothing is sent:
  // whoever read of it would take it for somebody else.
  auto key = crypto::AgeRecipient::Parse(input.key);
  if (!key.ok() || input.name == call.tenant.name) {
    return Fail(Reason::kRecipientUnsafe);
  }
  return Recipient{input.name,      *std::move(key), *input.kind,
                   input.agreement, call.now,        ""};
}

}  // namespace

std::optional<RecipientKind> RecipientKindFromNumber(uint32_t number) {
  if (number < static_cast<uint32_t>(RecipientKind::kCompany) ||
      number > static_cast<uint32_t>(RecipientKind::kAuthority)) {
    return std::nullopt;
  }
  return static_cast<RecipientKind>(number);
}

audit::Recipient InEvent(const Recipient& recipient) {
  return {recipient.name, crypto::Sha256(recipient.key.point()), {}, {}};
}

std::string Recipients::KeyOf(base::TenantId tenant,
                              std::string_view name) const {
  const crypto::Digest tag = crypto::Prf(services_.store_keys.TenantKey(tenant),
                                         "hizo/recipient/tag/v1", {name});
  return RecipientKey(tenant, crypto::AsBytes(tag).substr(0, kTagSize));
}

absl::StatusOr<Recipient> Recipients::Open(base::TenantId tenant,
                                           std::string_view key,
                                           std::string_view sealed) const {
  ASSIGN_OR_RETURN(
      const std::string bytes,
      crypto::Open(crypto::DeriveKey(services_.store_keys.TenantKey(tenant),
                                     "hizo/recipient/v1", {}),
                   key, sealed));
  ByteReader in(bytes);
  const auto format = in.Get<uint8_t>();
  const auto kind = RecipientKindFromNumber(in.Get<uint8_t>());
  const auto registered =
      base::FromMicros(static_cast<int64_t>(in.Get<uint64_t>()));
  const auto point = crypto::AgeRecipient::FromPoint(in.GetRaw(kKeySize));
  std::string name(in.GetText());
  std::string agreement(in.GetText());
  if (!in.done() || format != kFormat || !kind.has_value() || !point.ok()) {
    return Fail(Reason::kIntegrityFailure);
  }
  return Recipient{std::move(name),      *point,     *kind,
                   std::move(agreement), registered, EtagOf(sealed)};
}

absl::StatusOr<std::optional<Recipient>> Recipients::Find(
    Attempt& attempt, base::TenantId tenant, std::string_view name) const {
  if (!IsRecipientName(name)) return std::nullopt;
  const std::string key = KeyOf(tenant, name);
  ASSIGN_OR_RETURN(const auto row, attempt.Read(services_.data, key));
  if (!row.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(Recipient found, Open(tenant, key, *row));
  return found;
}

absl::Status Recipients::CheckRoom(Attempt& attempt,
                                   base::TenantId tenant) const {
  const std::string all = RecipientPrefix(tenant);
  ASSIGN_OR_RETURN(
      const auto rows,
      attempt.Scan(services_.data, storage::PrefixRange(all, kRecipientsMax),
                   all));
  return rows.size() < kRecipientsMax ? absl::OkStatus()
                                      : Fail(Reason::kTooLarge);
}

absl::StatusOr<RegisteredRecipient> Recipients::Register(
    Attempt& attempt, const Call& call, const RecipientInput& input) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) return DecodeAnswer(*repeated);
  ASSIGN_OR_RETURN(const Recipient fresh, ToRecipient(call, input));
  const base::TenantId tenant = call.tenant.id;
  ASSIGN_OR_RETURN(const auto present, Find(attempt, tenant, fresh.name));
  RegisteredRecipient registered;
  if (present.has_value() && SameAs(*present, fresh)) {
    registered.etag = present->etag;
  } else {
    if (present.has_value() && !input.etag.has_value()) {
      return Fail(Reason::kAlreadyExists);
    }
    if (input.etag.has_value() &&
        (!present.has_value() || present->etag != *input.etag)) {
      return Fail(Reason::kEtagMismatch);
    }
    if (!present.has_value()) RETURN_IF_ERROR(CheckRoom(attempt, tenant));
    const std::string key = KeyOf(tenant, fresh.name);
    const std::string sealed =
        crypto::Seal(crypto::DeriveKey(services_.store_keys.TenantKey(tenant),
                                       "hizo/recipient/v1", {}),
                     key, Encode(fresh));
    registered.etag = EtagOf(sealed);
    registered.changed = true;
    attempt.data().Put(key, sealed);
    attempt.AlsoChanges(RecipientPrefix(tenant));
  }
  attempt.event().recipient = InEvent(fresh);
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call, EncodeAnswer(registered)));
  return registered;
}

absl::StatusOr<bool> Recipients::Remove(
    Attempt& attempt, const Call& call, const std::string& name,
    const std::optional<std::string>& etag) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) return true;
  const base::TenantId tenant = call.tenant.id;
  ASSIGN_OR_RETURN(const auto present, Find(attempt, tenant, name));
  if (!present.has_value()) return Fail(Reason::kRecipientUnknown);
  if (etag.has_value() && present->etag != *etag) {
    return Fail(Reason::kEtagMismatch);
  }
  attempt.data().Delete(KeyOf(tenant, name));
  attempt.AlsoChanges(RecipientPrefix(tenant));
  attempt.event().recipient = InEvent(*present);
  RETURN_IF_ERROR(services_.requests.Remember(attempt, call, ""));
  return false;
}

absl::StatusOr<std::vector<Recipient>> Recipients::List(
    Attempt& attempt, const Call& call) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  const std::string all = RecipientPrefix(call.tenant.id);
  ASSIGN_OR_RETURN(
      const auto rows,
      attempt.Scan(services_.data, storage::PrefixRange(all, kRecipientsMax),
                   all));
  std::vector<Recipient> recipients;
  for (const storage::Row& row : rows) {
    ASSIGN_OR_RETURN(Recipient one, Open(call.tenant.id, row.key, row.value));
    recipients.push_back(std::move(one));
  }
  std::ranges::sort(recipients, {}, &Recipient::name);
  attempt.event().records = static_cast<uint32_t>(recipients.size());
  return recipients;
}

}  // namespace hizo::vault
