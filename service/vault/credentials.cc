#include "service/vault/credentials.h"

#include <utility>

#include "crypto/normalise.h"
#include "crypto/password_hash.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/record_store.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using base::SubjectId;
using crypto::Secret;

Ask AskFor(const std::optional<SubjectId>& subject) {
  Ask ask;
  ask.subject = subject;
  ask.classes.set(policy::kClassCredential);
  return ask;
}

// What is remembered of a call is told from other requests without what it
// carries: a late repeat must not bring an old password back.
Call KeyedBy(const Call& call, const SubjectId& subject) {
  Call keyed = call;
  keyed.body = subject.bytes();
  return keyed;
}

absl::StatusOr<Secret> Normalised(const base::Pii& password) {
  auto normalised = crypto::NormalisePassword(password.Reveal());
  if (!normalised.ok()) return Fail(Reason::kValueInvalid);
  return normalised;
}

}  // namespace

absl::StatusOr<Secret> Credentials::NewPassword(
    const base::Pii& password) const {
  ASSIGN_OR_RETURN(Secret normalised, Normalised(password));
  if (options_.breached == nullptr) return normalised;
  ASSIGN_OR_RETURN(const bool breached,
                   options_.breached->Contains(normalised));
  if (breached) return Fail(Reason::kPasswordBreached);
  return normalised;
}

absl::Status Credentials::Write(
    Attempt& attempt, AccessGrant& grant,
    const std::optional<CredentialHashes::Present>& present,
    const Pepper& pepper, const Secret& password) const {
  ASSIGN_OR_RETURN(
      std::string hash,
      crypto::HashPassword(password, pepper.key, pepper.id, options_.cost));
  return hashes_.Write(attempt, grant, present, std::move(hash));
}

absl::Status Credentials::Set(Attempt& attempt, const Call& call,
                              SubjectId subject,
                              const base::Pii& password) const {
  ASSIGN_OR_RETURN(AccessGrant grant,
                   services_.gate.Admit(attempt, call, AskFor(subject)));
  const Call keyed = KeyedBy(call, subject);
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, keyed));
  if (repeated.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Secret fresh, NewPassword(password));
  ASSIGN_OR_RETURN(const Pepper pepper,
                   peppers_.Current(attempt, call.tenant.id));
  ASSIGN_OR_RETURN(const auto present, hashes_.Read(attempt, grant));
  RETURN_IF_ERROR(Write(attempt, grant, present, pepper, fresh));
  RETURN_IF_ERROR(guesses_.Forget(attempt, grant));
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

absl::StatusOr<bool> Credentials::IsRight(Attempt& attempt,
                                          const AccessGrant& grant,
                                          const crypto::StoredHash& stored,
                                          const Pepper& pepper,
                                          const Secret& password) const {
  std::optional<crypto::Key> other;
  if (stored.scheme != 0 && stored.pepper_id != pepper.id) {
    ASSIGN_OR_RETURN(other,
                     peppers_.Read(attempt, grant.tenant(), stored.pepper_id));
    if (!other.has_value()) return Fail(Reason::kIntegrityFailure);
  }
  ASSIGN_OR_RETURN(
      const bool right,
      crypto::VerifyPassword(password, other.has_value() ? *other : pepper.key,
                             stored));
  if (!right) {
    // An older, cheaper hash must not tell by its time that somebody is there:
    // 2^a + ... + 2^(b-1) = 2^b - 2^a.
    for (int cost = stored.cost; cost < options_.cost; ++cost) {
      crypto::SpendVerifyTime(password, pepper.key, cost);
    }
  }
  return right;
}

absl::Status Credentials::NoteWrong(Attempt& attempt, const Call& call,
                                    Reason reason) const {
  attempt.NoteMiss();
  attempt.event().outcome = audit::Outcome::kFailed;
  attempt.event().reason = reason;
  return caller_waits_.Count(attempt, call.principal, call.now);
}

absl::StatusOr<std::optional<Credentials::Right>> Credentials::Check(
    Attempt& attempt, const Call& call, const Who& who,
    const base::Pii& given) const {
  Ask ask = AskFor(std::nullopt);
  const policy::FieldSpec* by = services_.catalogue.FindField(who.field);
  if (!who.subject.has_value() && by != nullptr && by->searchable) {
    ask.fields.set(by->index);
  }
  RETURN_IF_ERROR(services_.gate.MayAsk(attempt, call, ask));
  const absl::Status may = caller_waits_.Check(call.principal, call.now);
  if (!may.ok()) {
    AccessGate::Refuse(attempt, Reason::kRateLimited).IgnoreError();
    return may;
  }
  // Before anybody is looked for: what is no password tells of nobody.
  ASSIGN_OR_RETURN(Secret password, Normalised(given));
  ASSIGN_OR_RETURN(Pepper pepper, peppers_.Current(attempt, call.tenant.id));
  ASSIGN_OR_RETURN(ask.subject, Locate(attempt, call, who));
  absl::StatusOr<AccessGrant> grant = services_.gate.Admit(attempt, call, ask);
  const bool absent =
      base::ReasonOf(grant.status()) == Reason::kSubjectNotFound;
  if (!grant.ok() && !absent) return grant.status();
  std::optional<CredentialHashes::Present> present;
  if (!absent) {
    ASSIGN_OR_RETURN(present, hashes_.Read(attempt, *grant));
  }
  if (!present.has_value() || !present->hash.has_value()) {
    crypto::SpendVerifyTime(password, pepper.key, options_.cost);
    RETURN_IF_ERROR(
        NoteWrong(attempt, call,
                  absent ? Reason::kSubjectNotFound : Reason::kPasswordWrong));
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(Guesses::Known known,
                   guesses_.Begin(attempt, *grant, call.now));
  if (known.in_wait || known.crowded_out) {
    crypto::SpendVerifyTime(password, pepper.key, options_.cost);
    RETURN_IF_ERROR(NoteWrong(attempt, call, Reason::kLockedOut));
    // What a wait already answers makes it no longer.
    if (!known.in_wait) {
      RETURN_IF_ERROR(guesses_.NoteWrong(attempt, *grant, known, call.now));
    }
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(const bool right,
                   IsRight(attempt, *grant, *present->hash, pepper, password));
  if (!right) {
    RETURN_IF_ERROR(NoteWrong(attempt, call, Reason::kPasswordWrong));
    RETURN_IF_ERROR(guesses_.NoteWrong(attempt, *grant, known, call.now));
    return std::nullopt;
  }
  return Right{*ask.subject,     *std::move(grant), std::move(present),
               std::move(known), std::move(pepper), std::move(password)};
}

bool Credentials::IsOld(const crypto::StoredHash& stored,
                        const Pepper& pepper) const {
  return stored.scheme == 0 || stored.pepper_id != pepper.id ||
         stored.cost != options_.cost || !stored.bcrypt.starts_with("$2b$");
}

absl::StatusOr<std::optional<SubjectId>> Credentials::Verify(
    Attempt& attempt, const Call& call, const Who& who,
    const base::Pii& password) const {
  ASSIGN_OR_RETURN(auto right, Check(attempt, call, who, password));
  if (!right.has_value()) return std::nullopt;
  guesses_.Forget(attempt, right->grant, right->guesses);
  if (IsOld(*right->present->hash, right->pepper)) {
    // Who has the right password is let in whatever becomes of this. The call
    // relies on the hash that it has read: a password that was set meanwhile
    // stays.
    Write(attempt, right->grant, right->present, right->pepper, right->password)
        .IgnoreError();
  }
  return right->subject;
}

absl::StatusOr<bool> Credentials::Change(Attempt& attempt, const Call& call,
                                         SubjectId subject,
                                         const base::Pii& present,
                                         const base::Pii& fresh) const {
  RETURN_IF_ERROR(services_.gate.MayAsk(attempt, call, AskFor(std::nullopt)));
  ASSIGN_OR_RETURN(const Secret wanted, NewPassword(fresh));
  const Call keyed = KeyedBy(call, subject);
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, keyed));
  if (repeated.has_value()) {
    RETURN_IF_ERROR(
        services_.gate.Admit(attempt, call, AskFor(subject)).status());
    return true;
  }
  ASSIGN_OR_RETURN(auto right,
                   Check(attempt, call, {subject, "", base::Pii()}, present));
  if (!right.has_value()) return false;
  RETURN_IF_ERROR(
      Write(attempt, right->grant, right->present, right->pepper, wanted));
  guesses_.Forget(attempt, right->grant, right->guesses);
  RETURN_IF_ERROR(services_.requests.Remember(attempt, keyed, ""));
  return true;
}

absl::Status Credentials::Import(Attempt& attempt, const Call& call,
                                 SubjectId subject,
                                 const base::Pii& hash) const {
  ASSIGN_OR_RETURN(AccessGrant grant,
                   services_.gate.Admit(attempt, call, AskFor(subject)));
  const Call keyed = KeyedBy(call, subject);
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, keyed));
  if (repeated.has_value()) return absl::OkStatus();
  auto imported = crypto::ParseImportedHash(hash.Reveal(), options_.cost);
  if (!imported.ok()) {
    return Fail(absl::IsOutOfRange(imported.status())
                    ? Reason::kHashCostRefused
                    : Reason::kHashUnsupported);
  }
  ASSIGN_OR_RETURN(const auto present, hashes_.Read(attempt, grant));
  RETURN_IF_ERROR(
      hashes_.Write(attempt, grant, present, std::move(imported->bcrypt)));
  RETURN_IF_ERROR(guesses_.Forget(attempt, grant));
  return services_.requests.Remember(attempt, keyed, "");
}

absl::Status Credentials::Revoke(Attempt& attempt, const Call& call,
                                 SubjectId subject) const {
  ASSIGN_OR_RETURN(const AccessGrant grant,
                   services_.gate.Admit(attempt, call, AskFor(subject)));
  const Call keyed = KeyedBy(call, subject);
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, keyed));
  if (repeated.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto present, hashes_.Read(attempt, grant));
  if (present.has_value()) hashes_.Remove(attempt, grant, *present);
  RETURN_IF_ERROR(guesses_.Forget(attempt, grant));
  return services_.requests.Remember(attempt, keyed, "");
}

absl::StatusOr<CredentialState> Credentials::StateOf(
    Attempt& attempt, const AccessGrant& grant, const Guesses::Known& known,
    base::Timestamp now) const {
  ASSIGN_OR_RETURN(const auto present, hashes_.Read(attempt, grant));
  CredentialState state;
  state.has_password = present.has_value() && present->hash.has_value();
  ASSIGN_OR_RETURN(const Guesses::Tally tally, Guesses::Count(known, now));
  state.wrong_guesses = tally.wrong;
  state.wait_until = WaitUntil(tally.wrong, tally.last, now);
  return state;
}

absl::StatusOr<CredentialState> Credentials::Get(Attempt& attempt,
                                                 const Call& call,
                                                 SubjectId subject) const {
  ASSIGN_OR_RETURN(const AccessGrant grant,
                   services_.gate.Admit(attempt, call, AskFor(subject)));
  ASSIGN_OR_RETURN(const Guesses::Known known, guesses_.Look(grant));
  return StateOf(attempt, grant, known, call.now);
}

absl::StatusOr<CredentialState> Credentials::Unlock(Attempt& attempt,
                                                    const Call& call,
                                                    SubjectId subject) const {
  ASSIGN_OR_RETURN(const AccessGrant grant,
                   services_.gate.Admit(attempt, call, AskFor(subject)));
  ASSIGN_OR_RETURN(const Guesses::Known known, guesses_.Look(grant));
  ASSIGN_OR_RETURN(const CredentialState state,
                   StateOf(attempt, grant, known, call.now));
  guesses_.Forget(attempt, grant, known);
  return state;
}

absl::StatusOr<std::chrono::seconds> Credentials::UnlockCaller(
    Attempt& attempt, const Call& call, const std::string& actor) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  const policy::Principal* caller = services_.access.Find(actor);
  if (caller == nullptr || caller->tenant != call.tenant.id) {
    return Fail(Reason::kValueInvalid);
  }
  return caller_waits_.Unlock(attempt, *caller, call.now);
}

absl::StatusOr<uint32_t> Credentials::RotatePepper(Attempt& attempt,
                                                   const Call& call) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) {
    ByteReader in(*repeated);
    const auto made = in.Get<uint32_t>();
    return in.done() ? absl::StatusOr<uint32_t>(made)
                     : Fail(Reason::kIntegrityFailure);
  }
  ASSIGN_OR_RETURN(const uint32_t made, peppers_.Add(attempt, call.tenant.id));
  ByteWriter answer;
  answer.Put(made);
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call, std::move(answer).Take()));
  return made;
}

}  // namespace hizo::vault
