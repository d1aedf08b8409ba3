// Client: the vault as `hizo` sees it, over mutual TLS.
//
// Every call waits for its answer at most as long as the configuration says;
// where nobody answers, it is tried again for a moment. A refusal comes back as
// a Failure of kRefused with the vault's reason and field, a missing answer as
// kUnreachable. Threads: all methods may be called concurrently.
#ifndef HIZO_SERVICE_CLI_CLIENT_H_
#define HIZO_SERVICE_CLI_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/cli/config.h"

namespace hizo::v1 {
class BatchGetRecordsRequest;
class BatchGetRecordsResponse;
class ExportBundleRequest;
class ExportBundleResponse;
class ImportBundleRequest;
class ImportBundleResponse;
class TransmitBundleRequest;
class TransmitBundleResponse;
class RegisterRecipientRequest;
class RegisterRecipientResponse;
class RemoveRecipientRequest;
class RemoveRecipientResponse;
class ListRecipientsRequest;
class ListRecipientsResponse;
class CancelAccountRequest;
class CancelAccountResponse;
class CheckPurposeRequest;
class CheckPurposeResponse;
class PlanErasureRequest;
class PlanErasureResponse;
class ExecuteErasureRequest;
class ExecuteErasureResponse;
class CancelErasureRequest;
class CancelErasureResponse;
class GetErasureReceiptRequest;
class GetErasureReceiptResponse;
class VerifyErasedRequest;
class VerifyErasedResponse;
class RecordConsentRequest;
class RecordConsentResponse;
class WithdrawConsentRequest;
class WithdrawConsentResponse;
class ListConsentsRequest;
class ListConsentsResponse;
class RecordObjectionRequest;
class RecordObjectionResponse;
class DecideObjectionRequest;
class DecideObjectionResponse;
class SetRestrictionRequest;
class SetRestrictionResponse;
class LiftRestrictionRequest;
class LiftRestrictionResponse;
class PlaceLegalHoldRequest;
class PlaceLegalHoldResponse;
class ReleaseLegalHoldRequest;
class ReleaseLegalHoldResponse;
class CreateSubjectRequest;
class CreateSubjectResponse;
class DeleteFieldsRequest;
class DeleteFieldsResponse;
class FindSubjectRequest;
class FindSubjectResponse;
class GetCheckpointRequest;
class GetCheckpointResponse;
class AcknowledgePolicyRequest;
class AcknowledgePolicyResponse;
class ActivatePolicyRequest;
class ActivatePolicyResponse;
class ListConflictsRequest;
class ListConflictsResponse;
class ValidatePolicyRequest;
class ValidatePolicyResponse;
class GetEffectivePolicyRequest;
class GetEffectivePolicyResponse;
class GetRecordRequest;
class GetRecordResponse;
class RotateKeysRequest;
class RotateKeysResponse;
class ListDueRequest;
class ListDueResponse;
class RunRetentionRequest;
class RunRetentionResponse;
class MarkLossYearRequest;
class MarkLossYearResponse;
class RunPurgeRequest;
class RunPurgeResponse;
class CreateBackupRequest;
class CreateBackupResponse;
class ListBackupsRequest;
class ListBackupsResponse;
class VerifyBackupRequest;
class VerifyBackupResponse;
class GetStatusRequest;
class GetStatusResponse;
class GetSubjectRequest;
class GetSubjectResponse;
class ImportRecordsRequest;
class ImportRecordsResponse;
class ListRecordsRequest;
class ListRecordsResponse;
class PutRecordRequest;
class PutRecordResponse;
class QueryAuditRequest;
class QueryAuditResponse;
class GetInclusionProofRequest;
class GetInclusionProofResponse;
class GetConsistencyProofRequest;
class GetConsistencyProofResponse;
class ExportAuditRequest;
class ExportAuditResponse;
class GetAccessHistoryRequest;
class GetAccessHistoryResponse;
class GetBreachScopeRequest;
class GetBreachScopeResponse;
class ChangePasswordRequest;
class ChangePasswordResponse;
class ImportPasswordHashRequest;
class ImportPasswordHashResponse;
class RevokeCredentialsRequest;
class RevokeCredentialsResponse;
class GetCredentialStateRequest;
class GetCredentialStateResponse;
class UnlockCredentialsRequest;
class UnlockCredentialsResponse;
class UnlockCallerRequest;
class UnlockCallerResponse;
class RotatePepperRequest;
class RotatePepperResponse;
class SetPasswordRequest;
class SetPasswordResponse;
class VerifyPasswordRequest;
class VerifyPasswordResponse;
}  // namespace hizo::v1

namespace hizo::cli {

class Client {
 public:
  // Reads the certificates; a usage error if one cannot be read. Does not
  // connect yet.
  static absl::StatusOr<std::unique_ptr<Client>> Open(const Config& config);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Fills `response` or fails.
  absl::Status Call(const v1::CreateSubjectRequest& request,
                    v1::CreateSubjectResponse& response);
  absl::Status Call(const v1::GetSubjectRequest& request,
                    v1::GetSubjectResponse& response);
  absl::Status Call(const v1::CancelAccountRequest& request,
                    v1::CancelAccountResponse& response);
  absl::Status Call(const v1::FindSubjectRequest& request,
                    v1::FindSubjectResponse& response);
  absl::Status Call(const v1::PutRecordRequest& request,
                    v1::PutRecordResponse& response);
  absl::Status Call(const v1::GetRecordRequest& request,
                    v1::GetRecordResponse& response);
  absl::Status Call(const v1::ListRecordsRequest& request,
                    v1::ListRecordsResponse& response);
  absl::Status Call(const v1::DeleteFieldsRequest& request,
                    v1::DeleteFieldsResponse& response);
  absl::Status Call(const v1::SetPasswordRequest& request,
                    v1::SetPasswordResponse& response);
  absl::Status Call(const v1::VerifyPasswordRequest& request,
                    v1::VerifyPasswordResponse& response);
  absl::Status Call(const v1::ChangePasswordRequest& request,
                    v1::ChangePasswordResponse& response);
  absl::Status Call(const v1::ImportPasswordHashRequest& request,
                    v1::ImportPasswordHashResponse& response);
  absl::Status Call(const v1::RevokeCredentialsRequest& request,
                    v1::RevokeCredentialsResponse& response);
  absl::Status Call(const v1::GetCredentialStateRequest& request,
                    v1::GetCredentialStateResponse& response);
  absl::Status Call(const v1::UnlockCredentialsRequest& request,
                    v1::UnlockCredentialsResponse& response);
  absl::Status Call(const v1::UnlockCallerRequest& request,
                    v1::UnlockCallerResponse& response);
  absl::Status Call(const v1::RotatePepperRequest& request,
                    v1::RotatePepperResponse& response);
  absl::Status Call(const v1::QueryAuditRequest& request,
                    v1::QueryAuditResponse& response);
  absl::Status Call(const v1::GetCheckpointRequest& request,
                    v1::GetCheckpointResponse& response);
  absl::Status Call(const v1::GetInclusionProofRequest& request,
                    v1::GetInclusionProofResponse& response);
  absl::Status Call(const v1::GetConsistencyProofRequest& request,
                    v1::GetConsistencyProofResponse& response);
  absl::Status Call(const v1::GetAccessHistoryRequest& request,
                    v1::GetAccessHistoryResponse& response);
  absl::Status Call(const v1::GetEffectivePolicyRequest& request,
                    v1::GetEffectivePolicyResponse& response);
  absl::Status Call(const v1::ValidatePolicyRequest& request,
                    v1::ValidatePolicyResponse& response);
  absl::Status Call(const v1::ActivatePolicyRequest& request,
                    v1::ActivatePolicyResponse& response);
  absl::Status Call(const v1::ListConflictsRequest& request,
                    v1::ListConflictsResponse& response);
  absl::Status Call(const v1::AcknowledgePolicyRequest& request,
                    v1::AcknowledgePolicyResponse& response);
  absl::Status Call(const v1::CheckPurposeRequest& request,
                    v1::CheckPurposeResponse& response);
  absl::Status Call(const v1::PlanErasureRequest& request,
                    v1::PlanErasureResponse& response);
  absl::Status Call(const v1::ExecuteErasureRequest& request,
                    v1::ExecuteErasureResponse& response);
  absl::Status Call(const v1::CancelErasureRequest& request,
                    v1::CancelErasureResponse& response);
  absl::Status Call(const v1::GetErasureReceiptRequest& request,
                    v1::GetErasureReceiptResponse& response);
  absl::Status Call(const v1::VerifyErasedRequest& request,
                    v1::VerifyErasedResponse& response);
  absl::Status Call(const v1::RecordConsentRequest& request,
                    v1::RecordConsentResponse& response);
  absl::Status Call(const v1::WithdrawConsentRequest& request,
                    v1::WithdrawConsentResponse& response);
  absl::Status Call(const v1::ListConsentsRequest& request,
                    v1::ListConsentsResponse& response);
  absl::Status Call(const v1::RecordObjectionRequest& request,
                    v1::RecordObjectionResponse& response);
  absl::Status Call(const v1::DecideObjectionRequest& request,
                    v1::DecideObjectionResponse& response);
  absl::Status Call(const v1::SetRestrictionRequest& request,
                    v1::SetRestrictionResponse& response);
  absl::Status Call(const v1::LiftRestrictionRequest& request,
                    v1::LiftRestrictionResponse& response);
  absl::Status Call(const v1::PlaceLegalHoldRequest& request,
                    v1::PlaceLegalHoldResponse& response);
  absl::Status Call(const v1::ReleaseLegalHoldRequest& request,
                    v1::ReleaseLegalHoldResponse& response);
  absl::Status Call(const v1::ListDueRequest& request,
                    v1::ListDueResponse& response);
  absl::Status Call(const v1::RunRetentionRequest& request,
                    v1::RunRetentionResponse& response);
  absl::Status Call(const v1::MarkLossYearRequest& request,
                    v1::MarkLossYearResponse& response);
  absl::Status Call(const v1::RegisterRecipientRequest& request,
                    v1::RegisterRecipientResponse& response);
  absl::Status Call(const v1::RemoveRecipientRequest& request,
                    v1::RemoveRecipientResponse& response);
  absl::Status Call(const v1::ListRecipientsRequest& request,
                    v1::ListRecipientsResponse& response);
  absl::Status Call(const v1::GetStatusRequest& request,
                    v1::GetStatusResponse& response);
  absl::Status Call(const v1::RotateKeysRequest& request,
                    v1::RotateKeysResponse& response);
  absl::Status Call(const v1::RunPurgeRequest& request,
                    v1::RunPurgeResponse& response);
  absl::Status Call(const v1::CreateBackupRequest& request,
                    v1::CreateBackupResponse& response);
  absl::Status Call(const v1::ListBackupsRequest& request,
                    v1::ListBackupsResponse& response);
  absl::Status Call(const v1::VerifyBackupRequest& request,
                    v1::VerifyBackupResponse& response);

  // Gives each message of the answer to `take` as it comes.
  using TakeBatch = std::function<void(const v1::BatchGetRecordsResponse&)>;
  absl::Status BatchGet(const v1::BatchGetRecordsRequest& request,
                        const TakeBatch& take);

  // The same of streams that may be as long as the log: no timeout of theirs is
  // shorter than an hour.
  using TakeExport = std::function<void(const v1::ExportAuditResponse&)>;
  absl::Status ExportAudit(const v1::ExportAuditRequest& request,
                           const TakeExport& take);
  using TakeScope = std::function<void(const v1::GetBreachScopeResponse&)>;
  absl::Status GetBreachScope(const v1::GetBreachScopeRequest& request,
                              const TakeScope& take);
  // Gives each piece of the bundle to `take` as it comes, whose error ends the
  // call. It may take a hundred times as long as another call.
  using TakePiece =
      std::function<absl::Status(const v1::ExportBundleResponse&)>;
  absl::Status ExportBundle(const v1::ExportBundleRequest& request,
                            const TakePiece& take);
  using TakeSent =
      std::function<absl::Status(const v1::TransmitBundleResponse&)>;
  absl::Status TransmitBundle(const v1::TransmitBundleRequest& request,
                              const TakeSent& take);

  // Sends pieces of a bundle; on success `response` has an item for each.
  absl::Status ImportBundle(const std::vector<v1::ImportBundleRequest>& pieces,
                            v1::ImportBundleResponse& response);

  // Sends all of `people` in one stream, which may take ten times as long as
  // another call. On success `response` has one item for each of them.
  absl::Status Import(const std::vector<v1::ImportRecordsRequest>& people,
                      v1::ImportRecordsResponse& response);

 private:
  struct Stubs;
  explicit Client(std::unique_ptr<Stubs> stubs);

  std::unique_ptr<Stubs> stubs_;
};

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_CLIENT_H_
