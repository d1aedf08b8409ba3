// A vault that says what a test tells it to, over real mutual TLS on localhost.
//
// Remembers the last request of each kind. Lifetime: serves until destroyed.
// Threads: set members only between calls; gRPC's threads use them during one.
#ifndef HIZO_TESTS_CLI_FAKE_VAULT_H_
#define HIZO_TESTS_CLI_FAKE_VAULT_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hizo/v1/admin.grpc.pb.h"
#include "hizo/v1/audit.grpc.pb.h"
#include "hizo/v1/consent.grpc.pb.h"
#include "hizo/v1/credential.grpc.pb.h"
#include "hizo/v1/erasure.grpc.pb.h"
#include "hizo/v1/export.grpc.pb.h"
#include "hizo/v1/policy.grpc.pb.h"
#include "hizo/v1/record.grpc.pb.h"
#include "hizo/v1/restriction.grpc.pb.h"
#include "hizo/v1/retention.grpc.pb.h"
#include "hizo/v1/subject.grpc.pb.h"
#include "tests/testing/scratch_directory.h"

namespace hizo::test {

// The status of a refusal as the vault sends it.
grpc::Status Refusal(grpc::StatusCode code, const std::string& reason,
                     const std::string& field = "",
                     const std::string& domain = "hizo");

// Exchange is one method: what was asked last, what is answered.
template <typename Request, typename Response>
struct Exchange {
  Request request;
  Response response;
};

class FakeVault {
 public:
  using Judge =
      std::function<v1::ImportStatus(const v1::ImportRecordsRequest&)>;

  FakeVault();
  ~FakeVault();
  FakeVault(const FakeVault&) = delete;
  FakeVault& operator=(const FakeVault&) = delete;

  // host:port
  const std::string& address() const { return address_; }
  // Another that reaches it but that its certificate does not name.
  const std::string& unnamed_address() const { return unnamed_address_; }
  // The file of this name: ca.pem, client.key, ... or one that does not exist.
  std::string File(const std::string& name) const;
  // Flags of `hizo` with which it reaches this vault.
  std::vector<std::string> Flags() const;

  // Takes the next of `statuses`, or OK.
  grpc::Status NextStatus();

  std::deque<grpc::Status> statuses;
  Exchange<v1::CreateSubjectRequest, v1::CreateSubjectResponse> create_subject;
  Exchange<v1::GetSubjectRequest, v1::GetSubjectResponse> get_subject;
  Exchange<v1::CancelAccountRequest, v1::CancelAccountResponse> cancel_account;
  Exchange<v1::FindSubjectRequest, v1::FindSubjectResponse> find_subject;
  Exchange<v1::PutRecordRequest, v1::PutRecordResponse> put_record;
  Exchange<v1::GetRecordRequest, v1::GetRecordResponse> get_record;
  Exchange<v1::DeleteFieldsRequest, v1::DeleteFieldsResponse> delete_fields;
  Exchange<v1::SetPasswordRequest, v1::SetPasswordResponse> set_password;
  Exchange<v1::VerifyPasswordRequest, v1::VerifyPasswordResponse>
      verify_password;
  Exchange<v1::ChangePasswordRequest, v1::ChangePasswordResponse>
      change_password;
  Exchange<v1::ImportPasswordHashRequest, v1::ImportPasswordHashResponse>
      import_hash;
  Exchange<v1::RevokeCredentialsRequest, v1::RevokeCredentialsResponse> revoke;
  Exchange<v1::GetCredentialStateRequest, v1::GetCredentialStateResponse>
      credential_state;
  Exchange<v1::UnlockCredentialsRequest, v1::UnlockCredentialsResponse> unlock;
  Exchange<v1::UnlockCallerRequest, v1::UnlockCallerResponse> unlock_caller;
  Exchange<v1::RotatePepperRequest, v1::RotatePepperResponse> rotate_pepper;
  Exchange<v1::GetCheckpointRequest, v1::GetCheckpointResponse> checkpoint;
  Exchange<v1::GetInclusionProofRequest, v1::GetInclusionProofResponse>
      inclusion;
  Exchange<v1::GetConsistencyProofRequest, v1::GetConsistencyProofResponse>
      consistency;
  // Streams: the request, and the messages of the answer.
  Exchange<v1::ExportAuditRequest, std::vector<v1::ExportAuditResponse>>
      audit_export;
  Exchange<v1::GetBreachScopeRequest, std::vector<v1::GetBreachScopeResponse>>
      breach;
  std::deque<v1::GetAccessHistoryResponse> history_pages;
  std::vector<v1::GetAccessHistoryRequest> history_requests;
  Exchange<v1::GetStatusRequest, v1::GetStatusResponse> status;
  Exchange<v1::RotateKeysRequest, v1::RotateKeysResponse> rotate_keys;
  Exchange<v1::RunPurgeRequest, v1::RunPurgeResponse> run_purge;
  Exchange<v1::RunRetentionRequest, v1::RunRetentionResponse> run_retention;
  Exchange<v1::MarkLossYearRequest, v1::MarkLossYearResponse> loss_year;
  // Answered in turn, the last one again and again.
  std::deque<v1::ListDueResponse> due_pages;
  std::vector<v1::ListDueRequest> due_requests;
  Exchange<v1::CreateBackupRequest, v1::CreateBackupResponse> create_backup;
  Exchange<v1::VerifyBackupRequest, v1::VerifyBackupResponse> verify_backup;
  // Answered in turn, the last one again and again.
  std::deque<v1::ListBackupsResponse> backup_lists;
  Exchange<v1::GetEffectivePolicyRequest, v1::GetEffectivePolicyResponse>
      policy;
  Exchange<v1::ValidatePolicyRequest, v1::ValidatePolicyResponse>
      validate_policy;
  Exchange<v1::ActivatePolicyRequest, v1::ActivatePolicyResponse>
      activate_policy;
  Exchange<v1::ListConflictsRequest, v1::ListConflictsResponse> conflicts;
  Exchange<v1::AcknowledgePolicyRequest, v1::AcknowledgePolicyResponse>
      acknowledge;
  Exchange<v1::CheckPurposeRequest, v1::CheckPurposeResponse> check;
  Exchange<v1::PlanErasureRequest, v1::PlanErasureResponse> plan_erasure;
  Exchange<v1::ExecuteErasureRequest, v1::ExecuteErasureResponse>
      execute_erasure;
  Exchange<v1::CancelErasureRequest, v1::CancelErasureResponse> cancel_erasure;
  Exchange<v1::GetErasureReceiptRequest, v1::GetErasureReceiptResponse>
      erasure_receipt;
  Exchange<v1::VerifyErasedRequest, v1::VerifyErasedResponse> verify_erased;
  Exchange<v1::RecordConsentRequest, v1::RecordConsentResponse> record_consent;
  Exchange<v1::WithdrawConsentRequest, v1::WithdrawConsentResponse>
      withdraw_consent;
  Exchange<v1::ListConsentsRequest, v1::ListConsentsResponse> list_consents;
  Exchange<v1::RecordObjectionRequest, v1::RecordObjectionResponse>
      record_objection;
  Exchange<v1::DecideObjectionRequest, v1::DecideObjectionResponse>
      decide_objection;
  Exchange<v1::SetRestrictionRequest, v1::SetRestrictionResponse>
      set_restriction;
  Exchange<v1::LiftRestrictionRequest, v1::LiftRestrictionResponse>
      lift_restriction;
  Exchange<v1::PlaceLegalHoldRequest, v1::PlaceLegalHoldResponse> place_hold;
  Exchange<v1::ReleaseLegalHoldRequest, v1::ReleaseLegalHoldResponse>
      release_hold;
  // The pieces of every bundle; the last request for one.
  std::vector<v1::ExportBundleResponse> pieces;
  v1::ExportBundleRequest bundle_request;
  // Makes the pieces, if set, from the request.
  std::function<std::vector<v1::ExportBundleResponse>(
      const v1::ExportBundleRequest&)>
      make_bundle;
  // The same of a transmission.
  Exchange<v1::TransmitBundleRequest, std::vector<v1::TransmitBundleResponse>>
      transmit;
  Exchange<v1::RegisterRecipientRequest, v1::RegisterRecipientResponse>
      register_recipient;
  Exchange<v1::RemoveRecipientRequest, v1::RemoveRecipientResponse>
      remove_recipient;
  Exchange<v1::ListRecipientsRequest, v1::ListRecipientsResponse> recipients;
  // What came of each piece of a bundle in turn; the pieces.
  std::deque<v1::ImportBundleItem> piece_items;
  std::vector<v1::ImportBundleRequest> imported_pieces;
  // Pages, answered in turn; the requests for them.
  std::deque<v1::ListRecordsResponse> record_pages;
  std::vector<v1::ListRecordsRequest> list_requests;
  // Messages of the answer to each batch in turn; the requests for them.
  std::deque<std::vector<v1::BatchGetRecordsResponse>> batches;
  std::vector<v1::BatchGetRecordsRequest> batch_requests;
  std::deque<v1::QueryAuditResponse> audit_pages;
  std::vector<v1::QueryAuditRequest> audit_requests;
  // What becomes of a person of an import, called one at a time; by default
  // `imported` decides: a request id that is there is a repetition.
  Judge judge;
  std::vector<std::string> imported;
  int streams = 0;

 private:
  class Subjects;
  class Records;
  class Credentials;
  class Audits;
  class Admins;
  class Policies;
  class Erasures;
  class Exports;

  v1::ImportStatus Import(const v1::ImportRecordsRequest& request);

  std::mutex mutex_;
  ScratchDirectory directory_;
  std::string address_;
  std::string unnamed_address_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
};

// Answers one call of an exchange.
template <typename Request, typename Response>
grpc::Status Answer(FakeVault& vault, Exchange<Request, Response>& exchange,
                    const Request& request, Response& response) {
  exchange.request = request;
  response = exchange.response;
  return vault.NextStatus();
}

// How a run of `hizo` went.
struct CliRun {
  int exit = -1;
  std::string out;
  std::string err;
};
// Runs `hizo` in this process.
CliRun RunCli(std::vector<std::string> arguments, const std::string& in = "");
CliRun RunCli(const FakeVault& vault, std::vector<std::string> arguments,
              const std::string& in = "");

}  // namespace hizo::test

#endif  // HIZO_TESTS_CLI_FAKE_VAULT_H_
