#include "service/vault/consents.h"

#include <algorithm>
#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/record_writer.h"
#include "service/vault/suppressions.h"

namespace hizo::vault {

using base::Fail;
using base::Reason;
using base::Timestamp;

namespace {

// What a repeat of a request is answered with: a time, and a number.
struct Remembered {
  Timestamp time;
  uint32_t number = 0;
};

std::string Encode(const Remembered& answer) {
  ByteWriter out;
  out.Put(static_cast<uint64_t>(base::ToMicros(answer.time)))
      .Put(answer.number);
  return std::move(out).Take();
}

absl::StatusOr<Remembered> Decode(std::string_view bytes) {
  ByteReader in(bytes);
  Remembered answer;
  answer.time = base::FromMicros(static_cast<int64_t>(in.Get<uint64_t>()));
  answer.number = in.Get<uint32_t>();
  if (!in.done()) return Fail(Reason::kIntegrityFailure);
  return answer;
}

absl::Status CheckConsent(const RecordConsentInput& input, const Consent& made,
                          const policy::CompanyPolicy& company,
                          const Facts& facts, Timestamp now) {
  const policy::PurposeTerms& terms = company.For(made.purpose);
  // Nothing but a consent, or a law, opens what is restricted.
  const bool opens = terms.needs_consent || !facts.said.restrictions.empty();
  if (!terms.in_policy) return Fail(Reason::kNotInPolicy);
  if (terms.lawful || !opens) return Fail(Reason::kConsentNotNeeded);
  if (input.evidence.is_nil()) return Fail(Reason::kEvidenceMissing);
  if (made.given > now || made.given <= Timestamp() ||
      made.policy_version > company.version()) {
    return Fail(Reason::kValueInvalid);
  }
  if (facts.subject.state != policy::SubjectState::kActive) {
    return Fail(Reason::kPurposeNotAllowed);
  }
  // Whoever brings in what was consented to earlier undoes no withdrawal.
  if (made.given <= LastWithdrawal(facts.said, made.purpose)) {
    return Fail(Reason::kConsentWithdrawn);
  }
  return absl::OkStatus();
}

absl::Status CheckAcknowledgement(const Acknowledgement& made,
                                  const policy::CompanyPolicy& company,
                                  const Facts& facts, Timestamp now) {
  if (made.evidence.is_nil()) return Fail(Reason::kEvidenceMissing);
  if (made.time > now || made.time <= Timestamp() ||
      made.policy_version > company.version()) {
    return Fail(Reason::kValueInvalid);
  }
  if (facts.subject.state != policy::SubjectState::kActive) {
    return Fail(Reason::kPurposeNotAllowed);
  }
  // Nobody accepts what they were not told of.
  const policy::ChannelSet told = NotifiedOf(facts.said, made.policy_version);
  if (made.kind == AcknowledgementKind::kAccepted &&
      (company.notices() & ~told).any()) {
    return Fail(Reason::kEvidenceMissing);
  }
  return absl::OkStatus();
}

// Whether a consent that was given later goes before the objection.
bool IsOvertaken(const Objection& objection, const Statements& said,
                 const policy::CompanyPolicy& company) {
  return std::ranges::any_of(said.consents, [&](const Consent& consent) {
    const policy::PurposeTerms& terms = company.For(consent.purpose);
    return IsInForce(consent, terms) && consent.given > objection.made &&
           Covers(objection, consent.purpose, terms);
  });
}

absl::Status CheckDecision(const DecideObjectionInput& input) {
  switch (input.decision) {
    case ObjectionState::kOpen:
      return Fail(Reason::kValueInvalid);
    case ObjectionState::kUpheld:
      return input.ground == ObjectionGround::kNone
                 ? absl::OkStatus()
                 : Fail(Reason::kValueInvalid);
    case ObjectionState::kRejected:
      if (input.ground == ObjectionGround::kNone) {
        return Fail(Reason::kValueInvalid);
      }
      // The person is told before the purpose opens again.
      return input.notice.is_nil() ? Fail(Reason::kEvidenceMissing)
                                   : absl::OkStatus();
  }
  return Fail(Reason::kValueInvalid);
}

}  // namespace

absl::StatusOr<AccessGrant> AdmitToStatements(const AccessGate& gate,
                                              Attempt& attempt,
                                              const Call& call,
                                              base::SubjectId subject,
                                              const policy::ClassSet& more) {
  Ask ask;
  ask.subject = subject;
  ask.classes = more;
  ask.classes.set(policy::kClassFacts);
  ASSIGN_OR_RETURN(AccessGrant grant, gate.Admit(attempt, call, ask));
  if (grant.facts().subject.state == policy::SubjectState::kRetained) {
    attempt.NoteMiss();
    return Fail(Reason::kSubjectNotFound);
  }
  return grant;
}

absl::StatusOr<policy::Decision> Consents::Check(
    Attempt& attempt, const Call& call, const CheckPurposeInput& input) const {
  absl::Status invalid;
  Ask ask;
  ask.subject = input.subject;
  ask.view = input.view;
  if (input.fields.size() > kFieldsPerRecordMax) {
    invalid = Fail(Reason::kTooLarge);
  }
  for (const std::string& name : input.fields) {
    const policy::FieldSpec* field = services_.catalogue.FindField(name);
    if (field == nullptr) {
      invalid = Fail(Reason::kFieldUnknown);
    } else {
      ask.fields.set(field->index);
    }
  }
  policy::Principal principal = call.principal;
  if (!input.role.empty()) {
    const policy::Role* role = services_.access.FindRole(input.role);
    if (role == nullptr) invalid = Fail(Reason::kValueInvalid);
    principal.grants =
        role == nullptr ? std::vector<policy::Grant>() : role->grants;
  }
  const policy::PurposeSpec* purpose =
      services_.catalogue.FindPurpose(input.purpose);
  Call would_be{principal,    call.tenant, input.action, 0,           true,
                std::nullopt, {},          call.now,     call.company};
  would_be.purpose_known = purpose != nullptr || input.purpose.empty();
  if (purpose != nullptr) would_be.purpose = purpose->number;
  ASSIGN_OR_RETURN(const policy::Decision decision,
                   services_.gate.Foresee(attempt, call, ask, would_be));
  RETURN_IF_ERROR(invalid);
  return decision;
}

absl::StatusOr<RecordedConsent> Consents::Record(
    Attempt& attempt, const Call& call, const RecordConsentInput& input) const {
  ASSIGN_OR_RETURN(
      AccessGrant grant,
      AdmitToStatements(services_.gate, attempt, call, input.subject,
                        Suppressions::AddressClasses(services_.catalogue)));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) {
    ASSIGN_OR_RETURN(const Remembered answer, Decode(*repeated));
    return RecordedConsent{answer.time, answer.number};
  }
  const policy::CompanyPolicy* company = call.company;
  const policy::PurposeSpec* purpose =
      services_.catalogue.FindPurpose(input.purpose);
  if (company == nullptr || purpose == nullptr) {
    return Fail(Reason::kNotInPolicy);
  }
  Consent consent;
  consent.purpose = purpose->number;
  consent.policy_version =
      input.policy_version == 0 ? company->version() : input.policy_version;
  consent.channel = input.channel;
  consent.evidence = input.evidence;
  consent.given = input.given.value_or(call.now);
  Facts facts = grant.facts();
  RETURN_IF_ERROR(CheckConsent(input, consent, *company, facts, call.now));
  if (std::ranges::find(facts.said.consents, consent) ==
      facts.said.consents.end()) {
    AddConsent(consent, facts.said);
    // Opting in ends what opting out has left of the address.
    if (company->For(consent.purpose).marketing) {
      RETURN_IF_ERROR(Suppressions(services_).Forget(attempt, call, grant));
    }
    RETURN_IF_ERROR(services_.facts.Save(attempt, grant, std::move(facts)));
  }
  RETURN_IF_ERROR(services_.requests.Remember(
      attempt, call, Encode({consent.given, consent.policy_version})));
  return RecordedConsent{consent.given, consent.policy_version};
}

absl::StatusOr<RecordedConsent> Consents::Acknowledge(
    Attempt& attempt, const Call& call, const AcknowledgeInput& input) const {
  ASSIGN_OR_RETURN(AccessGrant grant, AdmitToStatements(services_.gate, attempt,
                                                        call, input.subject));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) {
    ASSIGN_OR_RETURN(const Remembered answer, Decode(*repeated));
    return RecordedConsent{answer.time, answer.number};
  }
  if (call.company == nullptr) return Fail(Reason::kNotInPolicy);
  Acknowledgement made;
  made.policy_version = input.policy_version == 0 ? call.company->version()
                                                  : input.policy_version;
  made.kind = input.kind;
  made.channel = input.channel;
  made.evidence = input.evidence;
  made.time = input.time.value_or(call.now);
  Facts facts = grant.facts();
  RETURN_IF_ERROR(CheckAcknowledgement(made, *call.company, facts, call.now));
  const auto& all = facts.said.acknowledgements;
  if (std::ranges::find(all, made) == all.end()) {
    AddAcknowledgement(made, facts.said);
    RETURN_IF_ERROR(services_.facts.Save(attempt, grant, std::move(facts)));
  }
  RETURN_IF_ERROR(services_.requests.Remember(
      attempt, call, Encode({made.time, made.policy_version})));
  return RecordedConsent{made.time, made.policy_version};
}

absl::StatusOr<std::optional<Timestamp>> Consents::Withdraw(
    Attempt& attempt, const Call& call, base::SubjectId subject,
    const std::string& purpose) const {
  ASSIGN_OR_RETURN(AccessGrant grant,
                   AdmitToStatements(services_.gate, attempt, call, subject));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) {
    ASSIGN_OR_RETURN(const Remembered answer, Decode(*repeated));
    return answer.number == 0 ? std::nullopt : std::optional(answer.time);
  }
  const policy::PurposeSpec* spec = services_.catalogue.FindPurpose(purpose);
  if (spec == nullptr) return Fail(Reason::kNotInPolicy);
  Facts facts = grant.facts();
  vault::Withdraw(spec->number, WithdrawalCause::kPerson, call.now, facts.said);
  const auto withdrawn = LastWithdrawal(facts.said, spec->number);
  if (facts.said != grant.facts().said) {
    RETURN_IF_ERROR(services_.facts.Save(attempt, grant, std::move(facts)));
  }
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call,
                                  Encode({withdrawn.value_or(Timestamp()),
                                          withdrawn.has_value() ? 1U : 0U})));
  return withdrawn;
}

absl::StatusOr<Statements> Consents::List(Attempt& attempt, const Call& call,
                                          base::SubjectId subject) const {
  ASSIGN_OR_RETURN(const AccessGrant grant,
                   AdmitToStatements(services_.gate, attempt, call, subject));
  return grant.facts().said;
}

absl::StatusOr<policy::PurposeNumber> Consents::ScopeOf(
    const Call& call, const ObjectionScope& scope) const {
  if (call.company == nullptr) return Fail(Reason::kNotInPolicy);
  if (scope.direct_marketing != scope.purpose.empty()) {
    return Fail(Reason::kValueInvalid);
  }
  if (scope.direct_marketing) return kDirectMarketing;
  const policy::PurposeSpec* purpose =
      services_.catalogue.FindPurpose(scope.purpose);
  if (purpose == nullptr || !call.company->For(purpose->number).in_policy) {
    return Fail(Reason::kNotInPolicy);
  }
  return purpose->number;
}

absl::StatusOr<RecordedObjection> Consents::Object(
    Attempt& attempt, const Call& call, base::SubjectId subject,
    const ObjectionScope& scope) const {
  ASSIGN_OR_RETURN(AccessGrant grant,
                   AdmitToStatements(services_.gate, attempt, call, subject));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) {
    ASSIGN_OR_RETURN(const Remembered answer, Decode(*repeated));
    return RecordedObjection{answer.time,
                             static_cast<ObjectionState>(answer.number)};
  }
  ASSIGN_OR_RETURN(const policy::PurposeNumber purpose, ScopeOf(call, scope));
  const policy::CompanyPolicy& company = *call.company;
  Facts facts = grant.facts();
  Objection objection;
  const auto stands =
      std::ranges::find_if(facts.said.objections, [&](const Objection& of) {
        return of.purpose == purpose && of.state != ObjectionState::kRejected &&
               !IsOvertaken(of, facts.said, company);
      });
  if (stands != facts.said.objections.end()) {
    objection = *stands;
  } else {
    objection.purpose = purpose;
    objection.made = call.now;
    // Nobody needs to decide where there is nothing to decide.
    if (purpose == kDirectMarketing || company.For(purpose).marketing) {
      objection.state = ObjectionState::kUpheld;
      objection.decided = call.now;
    }
    AddObjection(objection, facts.said);
    RETURN_IF_ERROR(services_.facts.Save(attempt, grant, std::move(facts)));
  }
  RETURN_IF_ERROR(services_.requests.Remember(
      attempt, call,
      Encode({objection.made, static_cast<uint32_t>(objection.state)})));
  return RecordedObjection{objection.made, objection.state};
}

absl::StatusOr<Timestamp> Consents::Decide(
    Attempt& attempt, const Call& call,
    const DecideObjectionInput& input) const {
  ASSIGN_OR_RETURN(AccessGrant grant, AdmitToStatements(services_.gate, attempt,
                                                        call, input.subject));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) {
    ASSIGN_OR_RETURN(const Remembered answer, Decode(*repeated));
    return answer.time;
  }
  ASSIGN_OR_RETURN(const policy::PurposeNumber purpose,
                   ScopeOf(call, input.scope));
  if (input.decision == ObjectionState::kRejected &&
      (purpose == kDirectMarketing || call.company->For(purpose).marketing)) {
    return Fail(Reason::kObjectionAbsolute);
  }
  RETURN_IF_ERROR(CheckDecision(input));
  Facts facts = grant.facts();
  bool found = false;
  for (Objection& objection : facts.said.objections) {
    if (objection.purpose != purpose ||
        objection.state != ObjectionState::kOpen) {
      continue;
    }
    found = true;
    objection.state = input.decision;
    objection.ground = input.ground;
    objection.decided = call.now;
    if (input.decision == ObjectionState::kRejected) {
      objection.notice = input.notice;
    }
  }
  if (!found) return Fail(Reason::kRecordNotFound);
  RETURN_IF_ERROR(services_.facts.Save(attempt, grant, std::move(facts)));
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call, Encode({call.now, 0})));
  return call.now;
}

}  // namespace hizo::vault
