#include "tests/integration/role_questions.h"

#include <utility>

#include "hizo/v1/admin.pb.h"
#include "hizo/v1/consent.pb.h"
#include "hizo/v1/erasure.pb.h"
#include "hizo/v1/export.pb.h"
#include "hizo/v1/policy.pb.h"
#include "hizo/v1/restriction.pb.h"
#include "tests/integration/requests.h"

namespace hizo::test {
namespace {

template <typename Request>
Question About(std::string variant, Request (*request)(const Person&)) {
  return {std::move(variant), true, [request](const Person& person) {
            return std::make_shared<Request>(request(person));
          }};
}
template <typename Request>
Question OfTheStore(std::string variant, Request (*request)(const Person&)) {
  Question question = About(std::move(variant), request);
  question.about_a_person = false;
  return question;
}

v1::GetRecordRequest NameOf(const Person& person) {
  return GetRequest(person.subject, "profile", {"full_name"});
}

v1::ListRecordsRequest ListOf(const Person& person) {
  v1::ListRecordsRequest request;
  request.set_subject(person.subject);
  request.set_record_class("profile");
  request.mutable_read_mask()->add_paths("full_name");
  return request;
}

v1::BatchGetRecordsRequest BatchOf(const Person& person) {
  return BatchRequest({person.subject}, "profile", {"full_name"});
}

v1::QueryAuditRequest LogOf(const Person& person) {
  v1::QueryAuditRequest request;
  request.set_subject(person.subject);
  request.set_page_size(1);
  return request;
}

void AddSubjects(Questions& questions) {
  questions["CreateSubject"] = {OfTheStore(
      "", +[](const Person& person) {
        return CreateRequest(person.email, "Ann Other");
      })};
  questions["GetSubject"] = {About(
      "",
      +[](const Person& person) { return SubjectRequest(person.subject); })};
  questions["CancelAccount"] = {About(
      "", +[](const Person& person) {
        v1::CancelAccountRequest request;
        request.set_subject(person.subject);
        return request;
      })};
  questions["FindSubject"] = {About(
      "", +[](const Person& person) { return FindRequest(person.email); })};
}

void AddRecords(Questions& questions) {
  questions["PutRecord"] = {About(
      "", +[](const Person& person) {
        return PutRequest(person.subject,
                          RecordOf("profile", {{"full_name", "Ann Other"}}));
      })};
  questions["GetRecord"] = {About(
                                "masked",
                                +[](const Person& person) {
                                  v1::GetRecordRequest request = NameOf(person);
                                  request.set_view(v1::VIEW_MASKED);
                                  return request;
                                }),
                            About("plain", &NameOf)};
  questions["ListRecords"] = {About("masked", &ListOf),
                              About(
                                  "plain", +[](const Person& person) {
                                    v1::ListRecordsRequest request =
                                        ListOf(person);
                                    request.set_view(v1::VIEW_PLAIN);
                                    return request;
                                  })};
  questions["BatchGetRecords"] = {About(
                                      "masked",
                                      +[](const Person& person) {
                                        v1::BatchGetRecordsRequest request =
                                            BatchOf(person);
                                        request.set_view(v1::VIEW_MASKED);
                                        return request;
                                      }),
                                  About("plain", &BatchOf)};
  questions["DeleteFields"] = {About(
      "", +[](const Person& person) {
        v1::DeleteFieldsRequest request;
        request.set_subject(person.subject);
        request.set_record_class("profile");
        request.mutable_delete_mask()->add_paths("company_name");
        return request;
      })};
  questions["ImportRecords"] = {OfTheStore(
      "", +[](const Person& person) {
        return ImportRequest(person.email, "Ann Other");
      })};
}

template <typename Request>
Request Of(const Person& person) {
  Request request;
  request.set_subject(person.subject);
  return request;
}

void AddCredentials(Questions& questions) {
  questions["ChangePassword"] = {About(
      "", +[](const Person& person) {
        return ChangeRequest(person.subject, kMatrixPassword, kMatrixPassword);
      })};
  questions["ImportPasswordHash"] = {About(
      "",
      +[](const Person& person) { return ImportHashRequest(person.subject); })};
  questions["RevokeCredentials"] = {
      About("", &Of<v1::RevokeCredentialsRequest>)};
  questions["GetCredentialState"] = {
      About("", &Of<v1::GetCredentialStateRequest>)};
  questions["UnlockCredentials"] = {
      About("", &Of<v1::UnlockCredentialsRequest>)};
  questions["UnlockCaller"] = {OfTheStore(
      "", +[](const Person&) {
        v1::UnlockCallerRequest request;
        request.set_caller("spiffe://hizo.example/acme/login");
        return request;
      })};
  questions["RotatePepper"] = {OfTheStore(
      "", +[](const Person&) { return v1::RotatePepperRequest(); })};
}

void AddTheRest(Questions& questions) {
  questions["SetPassword"] = {About(
      "", +[](const Person& person) {
        return PasswordRequest(person.subject, kMatrixPassword);
      })};
  questions["VerifyPassword"] = {
      About(
          "id",
          +[](const Person& person) {
            return VerifyRequest(person.subject, kMatrixPassword);
          }),
      About(
          "e-mail", +[](const Person& person) {
            v1::VerifyPasswordRequest request;
            request.mutable_key()->set_field("account.email");
            request.mutable_key()->set_value(person.email);
            request.set_password(kMatrixPassword);
            return request;
          })};
  AddCredentials(questions);
  questions["CheckPurpose"] = {About(
      "", +[](const Person& person) {
        v1::CheckPurposeRequest request;
        request.set_subject(person.subject);
        request.set_checked_action(v1::ACTION_RECORD_GET);
        request.set_checked_purpose(kSupportPurpose);
        request.add_fields("profile.full_name");
        return request;
      })};
  questions["GetEffectivePolicy"] = {OfTheStore(
      "", +[](const Person&) { return v1::GetEffectivePolicyRequest(); })};
  questions["GetStatus"] = {OfTheStore(
      "", +[](const Person&) { return v1::GetStatusRequest(); })};
  questions["RotateKeys"] = {OfTheStore(
      "", +[](const Person&) { return v1::RotateKeysRequest(); })};
  questions["RunPurge"] = {OfTheStore(
      "", +[](const Person&) { return v1::RunPurgeRequest(); })};
  questions["ListDue"] = {OfTheStore(
      "", +[](const Person&) { return v1::ListDueRequest(); })};
  questions["RunRetention"] = {OfTheStore(
      "", +[](const Person&) { return v1::RunRetentionRequest(); })};
  questions["MarkLossYear"] = {OfTheStore(
      "none", +[](const Person&) { return v1::MarkLossYearRequest(); })};
  questions["CreateBackup"] = {OfTheStore(
      "", +[](const Person&) { return v1::CreateBackupRequest(); })};
  questions["ListBackups"] = {OfTheStore(
      "", +[](const Person&) { return v1::ListBackupsRequest(); })};
  questions["VerifyBackup"] = {OfTheStore(
      "none", +[](const Person&) { return v1::VerifyBackupRequest(); })};
}

void AddErasures(Questions& questions) {
  questions["PlanErasure"] = {About("", &Of<v1::PlanErasureRequest>)};
  questions["ExecuteErasure"] = {About("", &Of<v1::ExecuteErasureRequest>)};
  questions["CancelErasure"] = {About("", &Of<v1::CancelErasureRequest>)};
  questions["GetErasureReceipt"] = {
      About("", &Of<v1::GetErasureReceiptRequest>)};
  questions["VerifyErased"] = {About("", &Of<v1::VerifyErasedRequest>)};
}

template <typename Request>
Request OfHold(const Person& person) {
  Request request;
  request.set_subject(person.subject);
  request.set_record_class("account");
  request.set_claim("0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2");
  return request;
}

v1::RecordConsentRequest ConsentOf(const Person& person) {
  return ConsentRequest(person.subject, "communications_marketing");
}

// Of a store without policies, which has no place for what people say: whoever
// may write it down is told so.
void AddConsents(Questions& questions) {
  questions["RecordConsent"] = {About("", &ConsentOf)};
  questions["WithdrawConsent"] = {About("", &Of<v1::WithdrawConsentRequest>)};
  questions["ListConsents"] = {About("", &Of<v1::ListConsentsRequest>)};
  questions["RecordObjection"] = {About("", &Of<v1::RecordObjectionRequest>)};
  questions["DecideObjection"] = {About(
      "", +[](const Person& person) {
        auto request = Of<v1::DecideObjectionRequest>(person);
        request.set_decision(v1::OBJECTION_STATE_UPHELD);
        return request;
      })};
  questions["SetRestriction"] = {About(
      "", +[](const Person& person) {
        return RestrictionRequest<v1::SetRestrictionRequest>(person.subject);
      })};
  questions["LiftRestriction"] = {About(
      "", +[](const Person& person) {
        return RestrictionRequest<v1::LiftRestrictionRequest>(person.subject);
      })};
}

void AddRestrictions(Questions& questions) {
  questions["PlaceLegalHold"] = {About("", &OfHold<v1::PlaceLegalHoldRequest>)};
  questions["ReleaseLegalHold"] = {
      About("", &OfHold<v1::ReleaseLegalHoldRequest>)};
  questions["ExportBundle"] = {About(
      "", +[](const Person& who) { return ExportRequest(who.subject); })};
  questions["ImportBundle"] = {OfTheStore(
      "empty", +[](const Person&) { return v1::ImportBundleRequest(); })};
}

void AddPolicies(Questions& questions) {
  questions["ListConflicts"] = {OfTheStore(
      "", +[](const Person&) { return v1::ListConflictsRequest(); })};
  questions["ValidatePolicy"] = {OfTheStore(
      "empty", +[](const Person&) { return v1::ValidatePolicyRequest(); })};
  questions["ActivatePolicy"] = {OfTheStore(
      "empty", +[](const Person&) { return v1::ActivatePolicyRequest(); })};
  questions["AcknowledgePolicy"] = {About(
      "", +[](const Person& person) {
        auto request = Of<v1::AcknowledgePolicyRequest>(person);
        request.set_kind(v1::ACKNOWLEDGEMENT_KIND_NOTIFIED);
        request.set_channel(v1::CHANNEL_EMAIL);
        return request;
      })};
}

void AddRecipients(Questions& questions) {
  questions["RegisterRecipient"] = {
      OfTheStore(
          "", +[](const Person&) { return RegisterRequest("matrix-company"); }),
      OfTheStore(
          "unsafe", +[](const Person&) {
            v1::RegisterRecipientRequest request =
                RegisterRequest("matrix-company");
            request.mutable_recipient()->set_key("age1");
            return request;
          })};
  questions["ListRecipients"] = {OfTheStore(
      "", +[](const Person&) { return v1::ListRecipientsRequest(); })};
  questions["RemoveRecipient"] = {OfTheStore(
      "none", +[](const Person&) {
        v1::RemoveRecipientRequest request;
        request.set_name("nobody");
        return request;
      })};
  questions["TransmitBundle"] = {About(
      "unknown", +[](const Person& who) {
        return TransmitRequest(who.subject, "nobody");
      })};
}

void AddAudits(Questions& questions) {
  questions["QueryAudit"] = {About("person", &LogOf),
                             OfTheStore(
                                 "all", +[](const Person&) {
                                   v1::QueryAuditRequest request;
                                   request.set_page_size(1);
                                   return request;
                                 })};
  questions["GetCheckpoint"] = {OfTheStore(
      "", +[](const Person&) { return v1::GetCheckpointRequest(); })};
  // Beyond the end: the first entry may be of either tenant.
  questions["GetInclusionProof"] = {OfTheStore(
      "none", +[](const Person&) {
        v1::GetInclusionProofRequest request;
        request.set_sequence(1'000'000'000);
        return request;
      })};
  questions["GetConsistencyProof"] = {OfTheStore(
      "", +[](const Person&) { return GrowthRequest(); })};
  questions["ExportAudit"] = {OfTheStore(
      "", +[](const Person&) { return ExportRequest(1); })};
  questions["GetAccessHistory"] = {About(
      "", +[](const Person& person) {
        v1::GetAccessHistoryRequest request = HistoryRequest(person.subject);
        request.set_page_size(1);
        return request;
      })};
  questions["GetBreachScope"] = {OfTheStore(
      "", +[](const Person&) {
        v1::GetBreachScopeRequest request;
        request.set_actor("spiffe://hizo.example/acme/nobody");
        return request;
      })};
}

}  // namespace

Person Nobody() { return {NewUuid(), NewUuid() + "@example.com"}; }

Questions AllQuestions() {
  Questions questions;
  AddSubjects(questions);
  AddRecords(questions);
  AddTheRest(questions);
  AddAudits(questions);
  AddErasures(questions);
  AddRestrictions(questions);
  AddConsents(questions);
  AddRecipients(questions);
  AddPolicies(questions);
  return questions;
}

}  // namespace hizo::test
