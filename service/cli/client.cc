#include "service/cli/client.h"

#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/error_details.h>

#include <algorithm>
#include <chrono>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/client_stubs.h"
#include "service/cli/failure.h"
#include "service/cli/input.h"

namespace hizo::cli {
namespace {

constexpr size_t kPemBytesMax = 1024 * 1024;
constexpr int kStreamTimeoutFactor = 10;
constexpr int kMessageBytesMax = 16 * 1024 * 1024;
constexpr char kDomain[] = "hizo";
// Harmless for writes, too: their request id is chosen before the first try.
constexpr char kServiceConfig[] = R"({"methodConfig": [{
  "name": [{}],
  "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.1s",
    "maxBackoff": "2s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]})";

// Finds the reason that the vault gave; false if the status is not its own.
bool TakeDetails(const grpc::Status& status, Failure& failure) {
  google::rpc::Status details;
  if (!grpc::ExtractErrorDetails(status, &details).ok()) return false;
  bool found = false;
  for (const auto& detail : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    if (detail.UnpackTo(&info) && info.domain() == kDomain) {
      found = true;
      failure.reason = info.reason();
      const auto field = info.metadata().find("field");
      if (field != info.metadata().end()) failure.field = field->second;
    } else if (detail.UnpackTo(&bad) && bad.field_violations_size() > 0) {
      failure.field = bad.field_violations(0).field();
    }
  }
  return found;
}

absl::Status CheckAnswered(int items, int asked) {
  if (items == asked) return absl::OkStatus();
  return Fail({.exit = ExitCode::kRefused,
               .text = "the vault did not answer for every line",
               .reason = {},
               .field = {}});
}

}  // namespace

absl::Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  Failure failure;
  failure.text = status.error_message();
  if (TakeDetails(status, failure)) return Fail(failure);
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE ||
      status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    failure.exit = ExitCode::kUnreachable;
    failure.text = "no answer from the vault: " + failure.text;
  }
  return Fail(failure);
}

Client::Client(std::unique_ptr<Stubs> stubs) : stubs_(std::move(stubs)) {}
Client::~Client() = default;

absl::StatusOr<std::unique_ptr<Client>> Client::Open(const Config& config) {
  // What gRPC would write to stderr comes back as the call's status; and it
  // writes values.
  gpr_set_log_function([](gpr_log_func_args*) {});
  grpc::SslCredentialsOptions tls;
  ASSIGN_OR_RETURN(tls.pem_root_certs, ReadFile(config.ca, kPemBytesMax));
  ASSIGN_OR_RETURN(tls.pem_cert_chain, ReadFile(config.cert, kPemBytesMax));
  ASSIGN_OR_RETURN(tls.pem_private_key, ReadFile(config.key, kPemBytesMax));
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(kServiceConfig);
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  const auto channel = grpc::CreateCustomChannel(
      config.address, grpc::SslCredentials(tls), arguments);
  return std::unique_ptr<Client>(
      new Client(std::make_unique<Stubs>(channel, config.timeout)));
}

absl::Status Client::Call(const v1::CreateSubjectRequest& request,
                          v1::CreateSubjectResponse& response) {
  return stubs_->Call(stubs_->subject, &v1::SubjectService::Stub::CreateSubject,
                      request, response);
}

absl::Status Client::Call(const v1::GetSubjectRequest& request,
                          v1::GetSubjectResponse& response) {
  return stubs_->Call(stubs_->subject, &v1::SubjectService::Stub::GetSubject,
                      request, response);
}

absl::Status Client::Call(const v1::CancelAccountRequest& request,
                          v1::CancelAccountResponse& response) {
  return stubs_->Call(stubs_->subject, &v1::SubjectService::Stub::CancelAccount,
                      request, response);
}

absl::Status Client::Call(const v1::FindSubjectRequest& request,
                          v1::FindSubjectResponse& response) {
  return stubs_->Call(stubs_->subject, &v1::SubjectService::Stub::FindSubject,
                      request, response);
}

absl::Status Client::Call(const v1::PutRecordRequest& request,
                          v1::PutRecordResponse& response) {
  return stubs_->Call(stubs_->record, &v1::RecordService::Stub::PutRecord,
                      request, response);
}

absl::Status Client::Call(const v1::GetRecordRequest& request,
                          v1::GetRecordResponse& response) {
  return stubs_->Call(stubs_->record, &v1::RecordService::Stub::GetRecord,
                      request, response);
}

absl::Status Client::Call(const v1::ListRecordsRequest& request,
                          v1::ListRecordsResponse& response) {
  return stubs_->Call(stubs_->record, &v1::RecordService::Stub::ListRecords,
                      request, response);
}

absl::Status Client::Call(const v1::DeleteFieldsRequest& request,
                          v1::DeleteFieldsResponse& response) {
  return stubs_->Call(stubs_->record, &v1::RecordService::Stub::DeleteFields,
                      request, response);
}

absl::Status Client::Call(const v1::SetPasswordRequest& request,
                          v1::SetPasswordResponse& response) {
  return stubs_->Call(stubs_->credential,
                      &v1::CredentialService::Stub::SetPassword, request,
                      response);
}

absl::Status Client::Call(const v1::VerifyPasswordRequest& request,
                          v1::VerifyPasswordResponse& response) {
  return stubs_->Call(stubs_->credential,
                      &v1::CredentialService::Stub::VerifyPassword, request,
                      response);
}

absl::Status Client::Call(const v1::ChangePasswordRequest& request,
                          v1::ChangePasswordResponse& response) {
  return stubs_->Call(stubs_->credential,
                      &v1::CredentialService::Stub::ChangePassword, request,
                      response);
}

absl::Status Client::Call(const v1::ImportPasswordHashRequest& request,
                          v1::ImportPasswordHashResponse& response) {
  return stubs_->Call(stubs_->credential,
                      &v1::CredentialService::Stub::ImportPasswordHash, request,
                      response);
}

absl::Status Client::Call(const v1::RevokeCredentialsRequest& request,
                          v1::RevokeCredentialsResponse& response) {
  return stubs_->Call(stubs_->credential,
                      &v1::CredentialService::Stub::RevokeCredentials, request,
                      response);
}

absl::Status Client::Call(const v1::GetCredentialStateRequest& request,
                          v1::GetCredentialStateResponse& response) {
  return stubs_->Call(stubs_->credential,
                      &v1::CredentialService::Stub::GetCredentialState, request,
                      response);
}

absl::Status Client::Call(const v1::UnlockCredentialsRequest& request,
                          v1::UnlockCredentialsResponse& response) {
  return stubs_->Call(stubs_->credential,
                      &v1::CredentialService::Stub::UnlockCredentials, request,
                      response);
}

absl::Status Client::Call(const v1::UnlockCallerRequest& request,
                          v1::UnlockCallerResponse& response) {
  return stubs_->Call(stubs_->credential,
                      &v1::CredentialService::Stub::UnlockCaller, request,
                      response);
}

absl::Status Client::Call(const v1::RotatePepperRequest& request,
                          v1::RotatePepperResponse& response) {
  return stubs_->Call(stubs_->credential,
                      &v1::CredentialService::Stub::RotatePepper, request,
                      response);
}

absl::Status Client::Call(const v1::QueryAuditRequest& request,
                          v1::QueryAuditResponse& response) {
  return stubs_->Call(stubs_->audit, &v1::AuditService::Stub::QueryAudit,
                      request, response);
}

absl::Status Client::Call(const v1::GetCheckpointRequest& request,
                          v1::GetCheckpointResponse& response) {
  return stubs_->Call(stubs_->audit, &v1::AuditService::Stub::GetCheckpoint,
                      request, response);
}

absl::Status Client::Call(const v1::GetInclusionProofRequest& request,
                          v1::GetInclusionProofResponse& response) {
  return stubs_->Call(stubs_->audit, &v1::AuditService::Stub::GetInclusionProof,
                      request, response);
}

absl::Status Client::Call(const v1::GetConsistencyProofRequest& request,
                          v1::GetConsistencyProofResponse& response) {
  return stubs_->Call(stubs_->audit,
                      &v1::AuditService::Stub::GetConsistencyProof, request,
                      response);
}

absl::Status Client::Call(const v1::GetAccessHistoryRequest& request,
                          v1::GetAccessHistoryResponse& response) {
  return stubs_->Call(stubs_->audit, &v1::AuditService::Stub::GetAccessHistory,
                      request, response);
}

absl::Status Client::Call(const v1::GetEffectivePolicyRequest& request,
                          v1::GetEffectivePolicyResponse& response) {
  return stubs_->Call(stubs_->policy,
                      &v1::PolicyService::Stub::GetEffectivePolicy, request,
                      response);
}

absl::Status Client::Call(const v1::PlanErasureRequest& request,
                          v1::PlanErasureResponse& response) {
  return stubs_->Call(stubs_->erasure, &v1::ErasureService::Stub::PlanErasure,
                      request, response);
}

absl::Status Client::Call(const v1::ExecuteErasureRequest& request,
                          v1::ExecuteErasureResponse& response) {
  return stubs_->Call(stubs_->erasure,
                      &v1::ErasureService::Stub::ExecuteErasure, request,
                      response);
}

absl::Status Client::Call(const v1::CancelErasureRequest& request,
                          v1::CancelErasureResponse& response) {
  return stubs_->Call(stubs_->erasure, &v1::ErasureService::Stub::CancelErasure,
                      request, response);
}

absl::Status Client::Call(const v1::GetErasureReceiptRequest& request,
                          v1::GetErasureReceiptResponse& response) {
  return stubs_->Call(stubs_->erasure,
                      &v1::ErasureService::Stub::GetErasureReceipt, request,
                      response);
}

absl::Status Client::Call(const v1::VerifyErasedRequest& request,
                          v1::VerifyErasedResponse& response) {
  return stubs_->Call(stubs_->erasure, &v1::ErasureService::Stub::VerifyErased,
                      request, response);
}

absl::Status Client::Call(const v1::GetStatusRequest& request,
                          v1::GetStatusResponse& response) {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::GetStatus,
                      request, response);
}

absl::Status Client::Call(const v1::RotateKeysRequest& request,
                          v1::RotateKeysResponse& response) {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::RotateKeys,
                      request, response);
}

absl::Status Client::Call(const v1::RunPurgeRequest& request,
                          v1::RunPurgeResponse& response) {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::RunPurge, request,
                      response);
}

absl::Status Client::Call(const v1::CreateBackupRequest& request,
                          v1::CreateBackupResponse& response) {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::CreateBackup,
                      request, response);
}

absl::Status Client::Call(const v1::ListBackupsRequest& request,
                          v1::ListBackupsResponse& response) {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::ListBackups,
                      request, response);
}

absl::Status Client::Call(const v1::VerifyBackupRequest& request,
                          v1::VerifyBackupResponse& response) {
  return stubs_->Call(stubs_->admin, &v1::AdminService::Stub::VerifyBackup,
                      request, response);
}

absl::Status Client::BatchGet(const v1::BatchGetRecordsRequest& request,
                              const TakeBatch& take) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       stubs_->timeout * kStreamTimeoutFactor);
  const auto stream = stubs_->record.BatchGetRecords(&context, request);
  v1::BatchGetRecordsResponse message;
  int items = 0;
  while (stream->Read(&message)) {
    take(message);
    items += message.items_size();
  }
  RETURN_IF_ERROR(ToStatus(stream->Finish()));
  return CheckAnswered(items, request.records_size());
}

absl::Status Client::ExportAudit(const v1::ExportAuditRequest& request,
                                 const TakeExport& take) {
  return stubs_->Stream<v1::ExportAuditResponse>(
      [&](auto& context) {
        return stubs_->audit.ExportAudit(&context, request);
      },
      take);
}

absl::Status Client::GetBreachScope(const v1::GetBreachScopeRequest& request,
                                    const TakeScope& take) {
  return stubs_->Stream<v1::GetBreachScopeResponse>(
      [&](auto& context) {
        return stubs_->audit.GetBreachScope(&context, request);
      },
      take);
}

absl::Status Client::ImportBundle(
    const std::vector<v1::ImportBundleRequest>& pieces,
    v1::ImportBundleResponse& response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       stubs_->timeout * kStreamTimeoutFactor);
  const auto stream = stubs_->exports.ImportBundle(&context, &response);
  for (const v1::ImportBundleRequest& piece : pieces) {
    if (!stream->Write(piece)) break;  // Finish says why
  }
  stream->WritesDone();
  RETURN_IF_ERROR(ToStatus(stream->Finish()));
  return CheckAnswered(response.items_size(), static_cast<int>(pieces.size()));
}

absl::Status Client::Import(const std::vector<v1::ImportRecordsRequest>& people,
                            v1::ImportRecordsResponse& response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       stubs_->timeout * kStreamTimeoutFactor);
  const auto stream = stubs_->record.ImportRecords(&context, &response);
  for (const v1::ImportRecordsRequest& person : people) {
    if (!stream->Write(person)) break;  // Finish says why
  }
  stream->WritesDone();
  RETURN_IF_ERROR(ToStatus(stream->Finish()));
  return CheckAnswered(response.items_size(), static_cast<int>(people.size()));
}

}  // namespace hizo::cli
