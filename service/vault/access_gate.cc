#include "service/vault/access_gate.h"

#include <algorithm>
#include <utility>

#include "crypto/random.h"
#include "service/base/status_macros.h"

namespace hizo::vault {

using base::Reason;

policy::Decision AccessGate::Judge(const Call& call, const Ask& ask,
                                   const Facts* facts) const {
  const policy::CompanyPolicy* company = call.company;
  std::optional<policy::SubjectFacts> subject;
  if (facts != nullptr) subject = SubjectFor(*facts, company);
  return policy::Decide(catalogue_,
                        {.principal = &call.principal,
                         .action = call.action,
                         .purpose = call.purpose,
                         .purpose_known = call.purpose_known,
                         .fields = ask.fields,
                         .view = ask.view,
                         .subject = subject.has_value() ? &*subject : nullptr,
                         .company = company},
                        call.now);
}

absl::Status AccessGate::MayAsk(Attempt& attempt, const Call& call,
                                const Ask& ask) const {
  const policy::Decision decision = Judge(call, ask, nullptr);
  if (decision.allowed || decision.reason == Reason::kSubjectNotFound) {
    return absl::OkStatus();
  }
  return Decide(attempt, call, ask, nullptr);
}

absl::Status AccessGate::Decide(Attempt& attempt, const Call& call,
                                const Ask& ask, const Facts* facts) const {
  audit::Event& event = attempt.event();
  event.fields.reserve(ask.fields.count());
  for (const policy::FieldSpec& field : catalogue_.fields()) {
    if (ask.fields.test(field.index)) event.fields.push_back(field.number);
  }
  std::ranges::sort(event.fields);
  event.view = ask.view;
  // Of somebody who was erased it may have ended.
  if (facts != nullptr && !facts->audit_reference.is_nil()) {
    event.subject = facts->audit_reference;
  }

  const policy::Decision decision = Judge(call, ask, facts);
  if (decision.tells_of_person) attempt.NoteMiss();
  if (call.company != nullptr) {
    event.policy_version = call.company->version();
    event.policy_digest = call.company->digest_prefix();
  }
  event.clause = decision.terms == nullptr ? "" : decision.terms->clause;
  if (!decision.allowed) {
    // That nobody is there is no refusal: the caller was allowed to ask.
    event.outcome = decision.reason == Reason::kSubjectNotFound
                        ? audit::Outcome::kFailed
                        : audit::Outcome::kDenied;
    event.reason = decision.reason;
    return base::Fail(decision.reason);
  }
  event.outcome = audit::Outcome::kAllowed;
  event.reason = Reason::kNone;
  return absl::OkStatus();
}

absl::Status AccessGate::Load(Attempt& attempt, base::Timestamp now,
                              SubjectKeys& keys,
                              std::optional<Facts>& facts) const {
  ASSIGN_OR_RETURN(keys,
                   user_keys_.Read(attempt, keys.tenant(), keys.subject()));
  ASSIGN_OR_RETURN(facts, facts_.Load(attempt, keys, now));
  return absl::OkStatus();
}

absl::StatusOr<AccessGrant> AccessGate::Admit(Attempt& attempt,
                                              const Call& call,
                                              const Ask& ask) const {
  if (!ask.subject.has_value()) {
    RETURN_IF_ERROR(Decide(attempt, call, ask, nullptr));
    return base::Fail(Reason::kInternal);  // no rule lets nobody through
  }
  const bool creates = policy::CreatesSubject(call.action);
  SubjectKeys keys = user_keys_.Fresh(call.tenant.id, *ask.subject);
  std::optional<Facts> facts;
  const absl::Status loaded =
      creates ? absl::OkStatus() : Load(attempt, call.now, keys, facts);
  const absl::Status decided =
      Decide(attempt, call, ask, facts.has_value() ? &*facts : nullptr);
  // Who may not ask is not told either that somebody's rows are damaged.
  if (attempt.event().outcome != audit::Outcome::kDenied) {
    RETURN_IF_ERROR(loaded);
  }
  RETURN_IF_ERROR(decided);
  if (!creates && !facts.has_value()) {
    // An action that is not about people as such, asked about nobody.
    attempt.NoteMiss();
    attempt.event().outcome = audit::Outcome::kFailed;
    return base::Fail(Reason::kSubjectNotFound);
  }
  if (creates) {
    facts.emplace();
    facts->created = call.now;
    facts->audit_reference = *base::AuditReference::FromBytes(
        crypto::RandomBytes(base::AuditReference::kSize));
    attempt.event().subject = facts->audit_reference;
  }
  AccessGrant grant(std::move(keys), *std::move(facts));
  grant.fields_ = ask.fields;
  grant.view_ = ask.view;
  grant.now_ = call.now;
  grant.catalogue_ = &catalogue_;
  const policy::PurposeSpec* purpose = catalogue_.PurposeByNumber(call.purpose);
  grant.for_holds_ = purpose != nullptr && purpose->for_holds;
  grant.classes_ = ask.classes;
  for (const policy::FieldSpec& field : catalogue_.fields()) {
    if (ask.fields.test(field.index)) grant.classes_.set(field.class_number);
  }
  if (creates) grant.classes_.set(policy::kClassFacts);
  const policy::SubjectFacts& subject = grant.facts_.subject;
  if (subject.state == policy::SubjectState::kRetained) {
    grant.classes_ &= policy::RetainedFor(catalogue_, subject, call.purpose);
  }
  return grant;
}

absl::StatusOr<policy::Decision> AccessGate::Foresee(
    Attempt& attempt, const Call& call, const Ask& ask,
    const Call& would_be) const {
  std::optional<Facts> facts;
  absl::Status loaded;
  if (ask.subject.has_value()) {
    SubjectKeys keys = user_keys_.Fresh(call.tenant.id, *ask.subject);
    loaded = Load(attempt, call.now, keys, facts);
  }
  const Facts* person = facts.has_value() ? &*facts : nullptr;
  Ask nothing_shown = ask;
  nothing_shown.view = policy::View::kNone;
  RETURN_IF_ERROR(Decide(attempt, call, nothing_shown, person));
  RETURN_IF_ERROR(loaded);
  const Facts anybody{};
  const policy::Decision decision =
      Judge(would_be, ask, ask.subject.has_value() ? person : &anybody);
  if (decision.tells_of_person) attempt.NoteMiss();
  return decision;
}

absl::Status AccessGate::AdmitStore(Attempt& attempt, const Call& call) const {
  return Decide(attempt, call, Ask{}, nullptr);
}

absl::Status AccessGate::Refuse(Attempt& attempt, Reason reason) {
  attempt.event().outcome = audit::Outcome::kDenied;
  attempt.event().reason = reason;
  return base::Fail(reason);
}

}  // namespace hizo::vault
