#include <optional>
#include <string>
#include <utility>

#include "hizo/v1/consent.pb.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {
namespace {

using vault::Attempt;
using vault::Call;
using vault::Channel;
using vault::ObjectionGround;
using vault::ObjectionState;

absl::StatusOr<v1::CheckPurposeResponse> Check(
    const vault::Consents& consents, Attempt& attempt, const Call& call,
    const v1::CheckPurposeRequest& request) {
  vault::CheckPurposeInput input;
  ASSIGN_OR_RETURN(input.subject,
                   ToOptionalId<base::SubjectId>(request.subject()));
  const auto action =
      policy::ActionFromNumber(static_cast<uint32_t>(request.checked_action()));
  if (!action.has_value() || *action == policy::Action::kNone) {
    return base::Fail(base::Reason::kValueInvalid);
  }
  input.action = *action;
  input.purpose = request.checked_purpose();
  input.fields.assign(request.fields().begin(), request.fields().end());
  input.view = ToView(request.view());
  input.role = request.role();
  ASSIGN_OR_RETURN(const policy::Decision decision,
                   consents.Check(attempt, call, input));
  v1::CheckPurposeResponse response;
  response.set_allowed(decision.allowed);
  response.set_reason(static_cast<v1::Reason>(decision.reason));
  response.set_rule(std::string(decision.rule));
  if (decision.terms != nullptr && decision.terms->in_policy) {
    response.set_policy_purpose(decision.terms->id);
    response.set_clause(decision.terms->clause);
    response.set_basis(std::string(policy::NameOf(decision.terms->basis)));
  }
  if (call.company != nullptr) {
    response.set_policy_version(static_cast<int32_t>(call.company->version()));
  }
  return response;
}

absl::StatusOr<v1::RecordConsentResponse> Record(
    const vault::Consents& consents, Attempt& attempt, const Call& call,
    const v1::RecordConsentRequest& request) {
  vault::RecordConsentInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  input.purpose = request.consent_purpose();
  ASSIGN_OR_RETURN(input.channel, ToEnum(request.channel(), Channel::kWeb,
                                         Channel::kInPerson));
  ASSIGN_OR_RETURN(const auto evidence,
                   ToOptionalId<base::EvidenceId>(request.evidence()));
  input.evidence = evidence.value_or(base::EvidenceId());
  if (request.has_give_time()) {
    ASSIGN_OR_RETURN(input.given, ToTimestamp(request.give_time()));
  }
  if (request.policy_version() < 0) {
    return base::Fail(base::Reason::kValueInvalid);
  }
  input.policy_version = static_cast<uint32_t>(request.policy_version());
  ASSIGN_OR_RETURN(const vault::RecordedConsent recorded,
                   consents.Record(attempt, call, input));
  v1::RecordConsentResponse response;
  *response.mutable_give_time() = FromTimestamp(recorded.given);
  response.set_policy_version(static_cast<int32_t>(recorded.policy_version));
  return response;
}

absl::StatusOr<v1::AcknowledgePolicyResponse> Acknowledge(
    const vault::Consents& consents, Attempt& attempt, const Call& call,
    const v1::AcknowledgePolicyRequest& request) {
  vault::AcknowledgeInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(input.kind,
                   ToEnum(request.kind(), vault::AcknowledgementKind::kNotified,
                          vault::AcknowledgementKind::kAccepted));
  ASSIGN_OR_RETURN(input.channel,
                   ToEnum(request.channel(), Channel::kWeb, Channel::kLogin));
  ASSIGN_OR_RETURN(const auto evidence,
                   ToOptionalId<base::EvidenceId>(request.evidence()));
  input.evidence = evidence.value_or(base::EvidenceId());
  if (request.has_acknowledge_time()) {
    ASSIGN_OR_RETURN(input.time, ToTimestamp(request.acknowledge_time()));
  }
  if (request.policy_version() < 0) {
    return base::Fail(base::Reason::kValueInvalid);
  }
  input.policy_version = static_cast<uint32_t>(request.policy_version());
  ASSIGN_OR_RETURN(const vault::RecordedConsent made,
                   consents.Acknowledge(attempt, call, input));
  v1::AcknowledgePolicyResponse response;
  *response.mutable_acknowledge_time() = FromTimestamp(made.given);
  response.set_policy_version(static_cast<int32_t>(made.policy_version));
  return response;
}

absl::StatusOr<v1::WithdrawConsentResponse> Withdraw(
    const vault::Consents& consents, Attempt& attempt, const Call& call,
    const v1::WithdrawConsentRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(
      const auto withdrawn,
      consents.Withdraw(attempt, call, subject, request.consent_purpose()));
  v1::WithdrawConsentResponse response;
  if (withdrawn.has_value()) {
    *response.mutable_withdraw_time() = FromTimestamp(*withdrawn);
  }
  return response;
}

// Empty for one that this catalogue no longer has.
std::string PurposeName(const policy::Catalogue& catalogue,
                        policy::PurposeNumber number) {
  const policy::PurposeSpec* purpose = catalogue.PurposeByNumber(number);
  return purpose == nullptr ? "" : purpose->name;
}

v1::Consent FromConsent(const policy::Catalogue& catalogue,
                        const policy::CompanyPolicy* company,
                        const vault::Consent& from) {
  v1::Consent consent;
  consent.set_consent_purpose(PurposeName(catalogue, from.purpose));
  consent.set_policy_version(static_cast<int32_t>(from.policy_version));
  consent.set_channel(static_cast<v1::Channel>(from.channel));
  consent.set_evidence(base::ToText(from.evidence));
  *consent.mutable_give_time() = FromTimestamp(from.given);
  if (from.withdrawn.has_value()) {
    *consent.mutable_withdraw_time() = FromTimestamp(*from.withdrawn);
  }
  consent.set_withdrawal_cause(static_cast<v1::WithdrawalCause>(from.cause));
  consent.set_in_force(company != nullptr &&
                       vault::IsInForce(from, company->For(from.purpose)));
  return consent;
}

v1::Objection FromObjection(const policy::Catalogue& catalogue,
                            const vault::Objection& from) {
  v1::Objection objection;
  objection.set_objected_purpose(PurposeName(catalogue, from.purpose));
  objection.set_direct_marketing(from.purpose == vault::kDirectMarketing);
  objection.set_state(static_cast<v1::ObjectionState>(from.state));
  objection.set_ground(static_cast<v1::ObjectionGround>(from.ground));
  *objection.mutable_object_time() = FromTimestamp(from.made);
  if (from.decided.has_value()) {
    *objection.mutable_decide_time() = FromTimestamp(*from.decided);
  }
  if (!from.notice.is_nil()) {
    objection.set_notice(base::ToText(from.notice));
  }
  return objection;
}

absl::StatusOr<v1::ListConsentsResponse> List(
    const policy::Catalogue& catalogue, const vault::Consents& consents,
    Attempt& attempt, const Call& call,
    const v1::ListConsentsRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const vault::Statements said,
                   consents.List(attempt, call, subject));
  const policy::CompanyPolicy* company = call.company;
  v1::ListConsentsResponse response;
  for (const vault::Consent& consent : said.consents) {
    *response.add_consents() = FromConsent(catalogue, company, consent);
  }
  for (const vault::Objection& objection : said.objections) {
    *response.add_objections() = FromObjection(catalogue, objection);
  }
  for (const vault::Restriction& from : said.restrictions) {
    v1::Restriction& restriction = *response.add_restrictions();
    restriction.set_ground(static_cast<v1::RestrictionGround>(from.ground));
    *restriction.mutable_set_time() = FromTimestamp(from.since);
  }
  for (const vault::Acknowledgement& from : said.acknowledgements) {
    v1::Acknowledgement& made = *response.add_acknowledgements();
    made.set_policy_version(static_cast<int32_t>(from.policy_version));
    made.set_kind(static_cast<v1::AcknowledgementKind>(from.kind));
    made.set_channel(static_cast<v1::Channel>(from.channel));
    made.set_evidence(base::ToText(from.evidence));
    *made.mutable_acknowledge_time() = FromTimestamp(from.time);
  }
  if (company != nullptr) {
    response.set_policy_version(static_cast<int32_t>(company->version()));
  }
  return response;
}

template <typename Request>
vault::ObjectionScope ToScope(const Request& request) {
  return {request.objected_purpose(), request.direct_marketing()};
}

absl::StatusOr<v1::RecordObjectionResponse> Object(
    const vault::Consents& consents, Attempt& attempt, const Call& call,
    const v1::RecordObjectionRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const vault::RecordedObjection recorded,
                   consents.Object(attempt, call, subject, ToScope(request)));
  v1::RecordObjectionResponse response;
  *response.mutable_object_time() = FromTimestamp(recorded.made);
  response.set_state(static_cast<v1::ObjectionState>(recorded.state));
  return response;
}

absl::StatusOr<v1::DecideObjectionResponse> Decide(
    const vault::Consents& consents, Attempt& attempt, const Call& call,
    const v1::DecideObjectionRequest& request) {
  vault::DecideObjectionInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  input.scope = ToScope(request);
  ASSIGN_OR_RETURN(input.decision,
                   ToEnum(request.decision(), ObjectionState::kOpen,
                          ObjectionState::kRejected));
  ASSIGN_OR_RETURN(input.ground,
                   ToEnum(request.ground(), ObjectionGround::kNone,
                          ObjectionGround::kPublicInterest));
  ASSIGN_OR_RETURN(const auto notice,
                   ToOptionalId<base::EvidenceId>(request.notice()));
  input.notice = notice.value_or(base::EvidenceId());
  ASSIGN_OR_RETURN(const base::Timestamp decided,
                   consents.Decide(attempt, call, input));
  v1::DecideObjectionResponse response;
  *response.mutable_decide_time() = FromTimestamp(decided);
  return response;
}

absl::Status AddObjections(const Adder& adder,
                           const vault::Consents& consents) {
  RETURN_IF_ERROR(
      (adder.Add<v1::RecordObjectionRequest, v1::RecordObjectionResponse>(
          "ConsentService.RecordObjection", Lane::kServe,
          [&consents](Attempt& attempt, const Call& call, const auto& request) {
            return Object(consents, attempt, call, request);
          })));
  return adder.Add<v1::DecideObjectionRequest, v1::DecideObjectionResponse>(
      "ConsentService.DecideObjection", Lane::kServe,
      [&consents](Attempt& attempt, const Call& call, const auto& request) {
        return Decide(consents, attempt, call, request);
      });
}

}  // namespace

absl::Status AddConsents(const Adder& adder, const vault::Store& store) {
  const vault::Consents& consents = store.consents();
  RETURN_IF_ERROR(
      (adder.Add<v1::RecordConsentRequest, v1::RecordConsentResponse>(
          "ConsentService.RecordConsent", Lane::kServe,
          [&consents](Attempt& attempt, const Call& call, const auto& request) {
            return Record(consents, attempt, call, request);
          })));
  RETURN_IF_ERROR(
      (adder.Add<v1::WithdrawConsentRequest, v1::WithdrawConsentResponse>(
          "ConsentService.WithdrawConsent", Lane::kServe,
          [&consents](Attempt& attempt, const Call& call, const auto& request) {
            return Withdraw(consents, attempt, call, request);
          })));
  RETURN_IF_ERROR((adder.Add<v1::ListConsentsRequest, v1::ListConsentsResponse>(
      "ConsentService.ListConsents", Lane::kServe,
      [&consents, &catalogue = adder.catalogue](
          Attempt& attempt, const Call& call, const auto& request) {
        return List(catalogue, consents, attempt, call, request);
      })));
  RETURN_IF_ERROR(AddObjections(adder, consents));
  RETURN_IF_ERROR(
      (adder.Add<v1::AcknowledgePolicyRequest, v1::AcknowledgePolicyResponse>(
          "ConsentService.AcknowledgePolicy", Lane::kServe,
          [&consents](Attempt& attempt, const Call& call, const auto& request) {
            return Acknowledge(consents, attempt, call, request);
          })));
  return adder.Add<v1::CheckPurposeRequest, v1::CheckPurposeResponse>(
      "ConsentService.CheckPurpose", Lane::kServe,
      [&consents](Attempt& attempt, const Call& call, const auto& request) {
        return Check(consents, attempt, call, request);
      });
}

}  // namespace hizo::rpc
