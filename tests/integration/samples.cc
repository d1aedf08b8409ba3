#include "tests/integration/samples.h"

#include <stdexcept>

#include "hizo/v1/consent.pb.h"
#include "hizo/v1/export.pb.h"
#include "hizo/v1/restriction.pb.h"
#include "tests/integration/requests.h"

namespace hizo::test {
namespace {

constexpr char kNotice[] = "3f1e7b7c-94f4-4b57-9d0a-5a0a2a7c1b11";

template <typename Request>
Request About(const std::string& subject) {
  Request request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  request.set_subject(subject);
  return request;
}

template <typename Response, typename Request>
void Do(const Peer& peer, const Request& request) {
  const auto done = peer.Ask<Response>(request);
  if (!done.ok()) throw std::runtime_error(done.status().ToString());
}

std::string NewCompany() { return "company-" + NewUuid(); }

std::string RegisteredCompany(const Peer& peer) {
  const std::string company = NewCompany();
  Do<v1::RegisterRecipientResponse>(peer, RegisterRequest(company));
  return company;
}

}  // namespace

std::map<std::string, Sample> ConsentSamples(const Peer& peer,
                                             const std::string& name,
                                             const std::string& subject) {
  const auto restriction =
      RestrictionRequest<v1::SetRestrictionRequest>(subject);
  Do<v1::SetRestrictionResponse>(peer, restriction);
  auto objection = About<v1::RecordObjectionRequest>(subject);
  objection.set_objected_purpose("service_improvement");
  Do<v1::RecordObjectionResponse>(peer, objection);
  auto decision = About<v1::DecideObjectionRequest>(subject);
  decision.set_objected_purpose("service_improvement");
  decision.set_decision(v1::OBJECTION_STATE_UPHELD);
  auto withdrawal = About<v1::WithdrawConsentRequest>(subject);
  withdrawal.set_consent_purpose("communications_marketing");
  auto told = About<v1::AcknowledgePolicyRequest>(subject);
  told.set_kind(v1::ACKNOWLEDGEMENT_KIND_NOTIFIED);
  told.set_channel(v1::CHANNEL_EMAIL);
  told.set_evidence(kNotice);
  auto lift = RestrictionRequest<v1::LiftRestrictionRequest>(subject);
  lift.set_notice(kNotice);
  return {
      {"RecordConsent",
       SampleOf(name, ConsentRequest(subject, "communications_marketing"))},
      {"WithdrawConsent", SampleOf(name, withdrawal)},
      {"ListConsents", SampleOf(name, About<v1::ListConsentsRequest>(subject))},
      {"RecordObjection", SampleOf(name, objection)},
      {"DecideObjection", SampleOf(name, decision)},
      {"AcknowledgePolicy", SampleOf(name, told)},
      {"SetRestriction", SampleOf(name, restriction)},
      {"LiftRestriction", SampleOf(name, lift)},
  };
}

std::map<std::string, Sample> PolicySamples(const std::string& company) {
  const std::string name = "acme/operator";
  v1::GetEffectivePolicyRequest effective;
  *effective.mutable_context() = ContextFor("operations");
  v1::ListConflictsRequest conflicts;
  *conflicts.mutable_context() = ContextFor("operations");
  return {
      {"GetEffectivePolicy", SampleOf(name, effective)},
      {"ListConflicts", SampleOf(name, conflicts)},
      {"ValidatePolicy",
       SampleOf(name, PolicyRequest<v1::ValidatePolicyRequest>(company))},
      {"ActivatePolicy",
       SampleOf(name, PolicyRequest<v1::ActivatePolicyRequest>(company))},
  };
}

std::map<std::string, Sample> ExportSamples(const Peer& peer,
                                            const std::string& name,
                                            const std::string& subject) {
  v1::RemoveRecipientRequest removal;
  *removal.mutable_context() = ContextFor(kRightsPurpose);
  removal.mutable_context()->set_request_id(NewUuid());
  removal.set_name(RegisteredCompany(peer));
  v1::ListRecipientsRequest list;
  *list.mutable_context() = ContextFor(kRightsPurpose);
  return {
      {"ExportBundle", SampleOf(name, ExportRequest(subject))},
      {"ImportBundle", SampleOf(name, PieceRequest(peer))},
      {"TransmitBundle",
       SampleOf(name, TransmitRequest(subject, RegisteredCompany(peer)))},
      {"RegisterRecipient", SampleOf(name, RegisterRequest(NewCompany()))},
      {"RemoveRecipient", SampleOf(name, removal)},
      {"ListRecipients", SampleOf(name, list)},
  };
}

}  // namespace hizo::test
