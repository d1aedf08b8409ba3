#include "service/vault/credentials.h"

#include <utility>

#include "crypto/normalise.h"
#include "crypto/password_hash.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/record_store.h"
#include "service/vault/value.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using base::SubjectId;

constexpr std::string_view kHashField = "credential.password_hash";
const RecordName kCredentialRecord{policy::kClassCredential, {}};

Ask AskFor(const std::optional<SubjectId>& subject) {
  Ask ask;
  ask.subject = subject;
  ask.classes.set(policy::kClassCredential);
  return ask;
}

}  // namespace

absl::Status Credentials::Set(Attempt& attempt, const Call& call,
                              SubjectId subject,
                              const base::Pii& password) const {
  ASSIGN_OR_RETURN(AccessGrant grant,
                   services_.gate.Admit(attempt, call, AskFor(subject)));
  // A late repeat must not bring an old password back. What is remembered is
  // told from other requests without the password.
  Call keyed = call;
  keyed.body = subject.bytes();
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, keyed));
  if (repeated.has_value()) return absl::OkStatus();
  const auto normalised = crypto::NormalisePassword(password.Reveal());
  if (!normalised.ok()) return Fail(Reason::kValueInvalid);
  ASSIGN_OR_RETURN(std::string stored,
                   crypto::HashPassword(*normalised,
                                        *services_.store_keys.Pepper(
                                            call.tenant.id, kCurrentPepper),
                                        kCurrentPepper, cost_));
  const policy::ClassNumber class_number = policy::kClassCredential;
  RETURN_IF_ERROR(
      services_.user_keys.Ensure(attempt, grant, {&class_number, 1}));
  ASSIGN_OR_RETURN(const auto present,
                   services_.records.Read(attempt, grant, kCredentialRecord));
  const policy::FieldSpec* field = services_.catalogue.FindField(kHashField);
  if (field == nullptr) return Fail(Reason::kInternal);
  RecordChange change;
  if (present.has_value()) {
    for (const policy::FieldNumber number : present->Fields()) {
      if (number != field->number) change.keep.push_back(number);
    }
  }
  change.put.push_back(
      {field->number,
       EncodeValue(Text{base::Pii(std::move(stored))}, Source::kProvided)});
  RETURN_IF_ERROR(services_.records
                      .Write(attempt, grant, kCredentialRecord,
                             present.has_value() ? &*present : nullptr, change)
                      .status());
  ASSIGN_OR_RETURN(const Guesses::Known known, guesses_.Look(grant));
  guesses_.Forget(attempt, grant, known);
  return services_.requests.Remember(attempt, keyed, "");
}

absl::StatusOr<std::optional<SubjectId>> Credentials::Locate(
    Attempt& attempt, const Call& call, const Who& who) const {
  if (who.subject.has_value()) return who.subject;
  const policy::FieldSpec* field = services_.catalogue.FindField(who.field);
  if (field == nullptr || !field->searchable) return std::nullopt;
  // Text that is no address is nobody's address.
  const auto found =
      services_.index.Find(attempt, call.tenant, *field, who.value.Reveal(),
                           {.after = "", .limit = 2});
  if (base::ReasonOf(found.status()) == Reason::kValueInvalid) {
    return std::nullopt;
  }
  RETURN_IF_ERROR(found.status());
  // A value that several people share says nobody's name.
  if (found->subjects.size() != 1) return std::nullopt;
  return found->subjects.front();
}

absl::StatusOr<std::optional<std::string>> Credentials::StoredHashOf(
    Attempt& attempt, const AccessGrant& grant) const {
  ASSIGN_OR_RETURN(const auto record,
                   services_.records.Read(attempt, grant, kCredentialRecord));
  if (!record.has_value()) return std::nullopt;
  const policy::FieldSpec* field = services_.catalogue.FindField(kHashField);
  if (field == nullptr) return Fail(Reason::kInternal);
  ASSIGN_OR_RETURN(const auto value, record->ReadInternal(*field));
  if (!value.has_value()) return std::nullopt;
  const auto* text = std::get_if<Text>(&*value);
  if (text == nullptr) return Fail(Reason::kIntegrityFailure);
  return std::string(text->text.Reveal());
}

absl::StatusOr<std::optional<SubjectId>> Credentials::Verify(
    Attempt& attempt, const Call& call, const Who& who,
    const base::Pii& password) const {
  Ask ask = AskFor(std::nullopt);
  const policy::FieldSpec* by = services_.catalogue.FindField(who.field);
  if (!who.subject.has_value() && by != nullptr && by->searchable) {
    ask.fields.set(by->index);
  }
  RETURN_IF_ERROR(services_.gate.MayAsk(attempt, call, ask));
  ASSIGN_OR_RETURN(ask.subject, Locate(attempt, call, who));
  const absl::StatusOr<AccessGrant> grant =
      services_.gate.Admit(attempt, call, ask);
  const bool absent =
      base::ReasonOf(grant.status()) == Reason::kSubjectNotFound;
  if (!grant.ok() && !absent) return grant.status();

  const auto normalised = crypto::NormalisePassword(password.Reveal());
  if (!normalised.ok()) return Fail(Reason::kValueInvalid);
  std::optional<std::string> hash;
  if (!absent) {
    ASSIGN_OR_RETURN(hash, StoredHashOf(attempt, *grant));
  }
  const StoreKeys& store_keys = services_.store_keys;
  const crypto::Key& pepper =
      *store_keys.Pepper(call.tenant.id, kCurrentPepper);
  audit::Event& event = attempt.event();
  if (!hash.has_value()) {
    crypto::SpendVerifyTime(*normalised, pepper, cost_);
    attempt.NoteMiss();
    event.outcome = audit::Outcome::kFailed;
    if (!absent) event.reason = Reason::kPasswordWrong;
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(const Guesses::Known known,
                   guesses_.Begin(attempt, *grant, call.now));
  if (known.in_wait || known.crowded_out) {
    crypto::SpendVerifyTime(*normalised, pepper, cost_);
    attempt.NoteMiss();
    event.outcome = audit::Outcome::kFailed;
    event.reason = Reason::kLockedOut;
    // What a wait already answers makes it no longer.
    if (!known.in_wait) {
      RETURN_IF_ERROR(guesses_.NoteWrong(attempt, *grant, known, call.now));
    }
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(const auto stored, crypto::ParseStoredHash(*hash));
  const crypto::Key* stored_pepper =
      stored.scheme == 0 ? &pepper
                         : store_keys.Pepper(call.tenant.id, stored.pepper_id);
  if (stored_pepper == nullptr) return Fail(Reason::kIntegrityFailure);
  ASSIGN_OR_RETURN(const bool right,
                   crypto::VerifyPassword(*normalised, *stored_pepper, stored));
  if (!right) {
    // An older, cheaper hash must not tell by its time that somebody is there:
    // 2^a + ... + 2^(b-1) = 2^b - 2^a.
    for (int cost = stored.cost; cost < cost_; ++cost) {
      crypto::SpendVerifyTime(*normalised, pepper, cost);
    }
    attempt.NoteMiss();
    event.outcome = audit::Outcome::kFailed;
    event.reason = Reason::kPasswordWrong;
    RETURN_IF_ERROR(guesses_.NoteWrong(attempt, *grant, known, call.now));
    return std::nullopt;
  }
  guesses_.Forget(attempt, *grant, known);
  return ask.subject;
}

}  // namespace hizo::vault
