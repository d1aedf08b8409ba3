#include "tests/cli/fake_vault.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "tests/cli/fake_consents.h"
#include "tests/cli/tls_files.h"

namespace hizo::test {
namespace {

std::string Slurp(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::shared_ptr<grpc::ServerCredentials> ServerTls(
    const std::filesystem::path& directory) {
  grpc::SslServerCredentialsOptions tls(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = Slurp(directory / "ca.pem");
  tls.pem_key_cert_pairs.push_back(
      {Slurp(directory / "server.key"), Slurp(directory / "server.pem")});
  return grpc::SslServerCredentials(tls);
}

// Answers one call with all messages of a stream.
template <typename Request, typename Response>
grpc::Status AnswerStream(FakeVault& vault,
                          Exchange<Request, std::vector<Response>>& exchange,
                          const Request& request,
                          grpc::ServerWriter<Response>& writer) {
  exchange.request = request;
  for (const Response& message : exchange.response) writer.Write(message);
  return vault.NextStatus();
}

// Answers one call with the next page.
template <typename Request, typename Response>
grpc::Status AnswerPage(FakeVault& vault, std::vector<Request>& requests,
                        std::deque<Response>& pages, const Request& request,
                        Response& response) {
  requests.push_back(request);
  if (!pages.empty()) {
    response = pages.front();
    pages.pop_front();
  }
  return vault.NextStatus();
}

}  // namespace

class FakeVault::Subjects final : public v1::SubjectService::Service {
 public:
  explicit Subjects(FakeVault& vault) : vault_(vault) {}
  grpc::Status CreateSubject(grpc::ServerContext*,
                             const v1::CreateSubjectRequest* request,
                             v1::CreateSubjectResponse* response) override {
    return Answer(vault_, vault_.create_subject, *request, *response);
  }
  grpc::Status GetSubject(grpc::ServerContext*,
                          const v1::GetSubjectRequest* request,
                          v1::GetSubjectResponse* response) override {
    return Answer(vault_, vault_.get_subject, *request, *response);
  }
  grpc::Status CancelAccount(grpc::ServerContext*,
                             const v1::CancelAccountRequest* request,
                             v1::CancelAccountResponse* response) override {
    return Answer(vault_, vault_.cancel_account, *request, *response);
  }
  grpc::Status FindSubject(grpc::ServerContext*,
                           const v1::FindSubjectRequest* request,
                           v1::FindSubjectResponse* response) override {
    return Answer(vault_, vault_.find_subject, *request, *response);
  }

 private:
  FakeVault& vault_;
};

class FakeVault::Records final : public v1::RecordService::Service {
 public:
  explicit Records(FakeVault& vault) : vault_(vault) {}
  grpc::Status PutRecord(grpc::ServerContext*,
                         const v1::PutRecordRequest* request,
                         v1::PutRecordResponse* response) override {
    return Answer(vault_, vault_.put_record, *request, *response);
  }
  grpc::Status GetRecord(grpc::ServerContext*,
                         const v1::GetRecordRequest* request,
                         v1::GetRecordResponse* response) override {
    return Answer(vault_, vault_.get_record, *request, *response);
  }
  grpc::Status ListRecords(grpc::ServerContext*,
                           const v1::ListRecordsRequest* request,
                           v1::ListRecordsResponse* response) override {
    return AnswerPage(vault_, vault_.list_requests, vault_.record_pages,
                      *request, *response);
  }
  grpc::Status DeleteFields(grpc::ServerContext*,
                            const v1::DeleteFieldsRequest* request,
                            v1::DeleteFieldsResponse* response) override {
    return Answer(vault_, vault_.delete_fields, *request, *response);
  }
  grpc::Status BatchGetRecords(
      grpc::ServerContext*, const v1::BatchGetRecordsRequest* request,
      grpc::ServerWriter<v1::BatchGetRecordsResponse>* writer) override {
    vault_.batch_requests.push_back(*request);
    if (!vault_.batches.empty()) {
      for (const auto& message : vault_.batches.front()) writer->Write(message);
      vault_.batches.pop_front();
    }
    return vault_.NextStatus();
  }
  grpc::Status ImportRecords(
      grpc::ServerContext*,
      grpc::ServerReader<v1::ImportRecordsRequest>* reader,
      v1::ImportRecordsResponse* response) override {
    {
      const std::lock_guard lock(vault_.mutex_);
      ++vault_.streams;
    }
    v1::ImportRecordsRequest request;
    while (reader->Read(&request)) {
      *response->add_items() = vault_.Import(request);
    }
    return vault_.NextStatus();
  }

 private:
  FakeVault& vault_;
};

class FakeVault::Credentials final : public v1::CredentialService::Service {
 public:
  explicit Credentials(FakeVault& vault) : vault_(vault) {}
  grpc::Status SetPassword(grpc::ServerContext*,
                           const v1::SetPasswordRequest* request,
                           v1::SetPasswordResponse* response) override {
    return Answer(vault_, vault_.set_password, *request, *response);
  }
  grpc::Status VerifyPassword(grpc::ServerContext*,
                              const v1::VerifyPasswordRequest* request,
                              v1::VerifyPasswordResponse* response) override {
    return Answer(vault_, vault_.verify_password, *request, *response);
  }
  grpc::Status ChangePassword(grpc::ServerContext*,
                              const v1::ChangePasswordRequest* request,
                              v1::ChangePasswordResponse* response) override {
    return Answer(vault_, vault_.change_password, *request, *response);
  }
  grpc::Status ImportPasswordHash(
      grpc::ServerContext*, const v1::ImportPasswordHashRequest* request,
      v1::ImportPasswordHashResponse* response) override {
    return Answer(vault_, vault_.import_hash, *request, *response);
  }
  grpc::Status RevokeCredentials(
      grpc::ServerContext*, const v1::RevokeCredentialsRequest* request,
      v1::RevokeCredentialsResponse* response) override {
    return Answer(vault_, vault_.revoke, *request, *response);
  }
  grpc::Status GetCredentialState(
      grpc::ServerContext*, const v1::GetCredentialStateRequest* request,
      v1::GetCredentialStateResponse* response) override {
    return Answer(vault_, vault_.credential_state, *request, *response);
  }
  grpc::Status UnlockCredentials(
      grpc::ServerContext*, const v1::UnlockCredentialsRequest* request,
      v1::UnlockCredentialsResponse* response) override {
    return Answer(vault_, vault_.unlock, *request, *response);
  }
  grpc::Status UnlockCaller(grpc::ServerContext*,
                            const v1::UnlockCallerRequest* request,
                            v1::UnlockCallerResponse* response) override {
    return Answer(vault_, vault_.unlock_caller, *request, *response);
  }
  grpc::Status RotatePepper(grpc::ServerContext*,
                            const v1::RotatePepperRequest* request,
                            v1::RotatePepperResponse* response) override {
    return Answer(vault_, vault_.rotate_pepper, *request, *response);
  }

 private:
  FakeVault& vault_;
};

class FakeVault::Audits final : public v1::AuditService::Service {
 public:
  explicit Audits(FakeVault& vault) : vault_(vault) {}
  grpc::Status QueryAudit(grpc::ServerContext*,
                          const v1::QueryAuditRequest* request,
                          v1::QueryAuditResponse* response) override {
    return AnswerPage(vault_, vault_.audit_requests, vault_.audit_pages,
                      *request, *response);
  }
  grpc::Status GetCheckpoint(grpc::ServerContext*,
                             const v1::GetCheckpointRequest* request,
                             v1::GetCheckpointResponse* response) override {
    return Answer(vault_, vault_.checkpoint, *request, *response);
  }
  grpc::Status GetInclusionProof(
      grpc::ServerContext*, const v1::GetInclusionProofRequest* request,
      v1::GetInclusionProofResponse* response) override {
    return Answer(vault_, vault_.inclusion, *request, *response);
  }
  grpc::Status GetConsistencyProof(
      grpc::ServerContext*, const v1::GetConsistencyProofRequest* request,
      v1::GetConsistencyProofResponse* response) override {
    return Answer(vault_, vault_.consistency, *request, *response);
  }
  grpc::Status ExportAudit(
      grpc::ServerContext*, const v1::ExportAuditRequest* request,
      grpc::ServerWriter<v1::ExportAuditResponse>* writer) override {
    return AnswerStream(vault_, vault_.audit_export, *request, *writer);
  }
  grpc::Status GetBreachScope(
      grpc::ServerContext*, const v1::GetBreachScopeRequest* request,
      grpc::ServerWriter<v1::GetBreachScopeResponse>* writer) override {
    return AnswerStream(vault_, vault_.breach, *request, *writer);
  }
  grpc::Status GetAccessHistory(
      grpc::ServerContext*, const v1::GetAccessHistoryRequest* request,
      v1::GetAccessHistoryResponse* response) override {
    return AnswerPage(vault_, vault_.history_requests, vault_.history_pages,
                      *request, *response);
  }

 private:
  FakeVault& vault_;
};

class FakeVault::Admins final : public v1::AdminService::Service {
 public:
  explicit Admins(FakeVault& vault) : vault_(vault) {}
  grpc::Status GetStatus(grpc::ServerContext*,
                         const v1::GetStatusRequest* request,
                         v1::GetStatusResponse* response) override {
    return Answer(vault_, vault_.status, *request, *response);
  }
  grpc::Status RotateKeys(grpc::ServerContext*,
                          const v1::RotateKeysRequest* request,
                          v1::RotateKeysResponse* response) override {
    return Answer(vault_, vault_.rotate_keys, *request, *response);
  }
  grpc::Status RunPurge(grpc::ServerContext*,
                        const v1::RunPurgeRequest* request,
                        v1::RunPurgeResponse* response) override {
    return Answer(vault_, vault_.run_purge, *request, *response);
  }
  grpc::Status CreateBackup(grpc::ServerContext*,
                            const v1::CreateBackupRequest* request,
                            v1::CreateBackupResponse* response) override {
    return Answer(vault_, vault_.create_backup, *request, *response);
  }
  grpc::Status VerifyBackup(grpc::ServerContext*,
                            const v1::VerifyBackupRequest* request,
                            v1::VerifyBackupResponse* response) override {
    return Answer(vault_, vault_.verify_backup, *request, *response);
  }
  grpc::Status ListBackups(grpc::ServerContext*,
                           const v1::ListBackupsRequest* /*request*/,
                           v1::ListBackupsResponse* response) override {
    const grpc::Status status = vault_.NextStatus();
    if (!status.ok() || vault_.backup_lists.empty()) return status;
    *response = vault_.backup_lists.front();
    if (vault_.backup_lists.size() > 1) vault_.backup_lists.pop_front();
    return status;
  }

 private:
  FakeVault& vault_;
};

class FakeVault::Policies final : public v1::PolicyService::Service {
 public:
  explicit Policies(FakeVault& vault) : vault_(vault) {}
  grpc::Status GetEffectivePolicy(
      grpc::ServerContext*, const v1::GetEffectivePolicyRequest* request,
      v1::GetEffectivePolicyResponse* response) override {
    return Answer(vault_, vault_.policy, *request, *response);
  }
  grpc::Status ValidatePolicy(grpc::ServerContext*,
                              const v1::ValidatePolicyRequest* request,
                              v1::ValidatePolicyResponse* response) override {
    return Answer(vault_, vault_.validate_policy, *request, *response);
  }
  grpc::Status ActivatePolicy(grpc::ServerContext*,
                              const v1::ActivatePolicyRequest* request,
                              v1::ActivatePolicyResponse* response) override {
    return Answer(vault_, vault_.activate_policy, *request, *response);
  }
  grpc::Status ListConflicts(grpc::ServerContext*,
                             const v1::ListConflictsRequest* request,
                             v1::ListConflictsResponse* response) override {
    return Answer(vault_, vault_.conflicts, *request, *response);
  }

 private:
  FakeVault& vault_;
};

class FakeVault::Erasures final : public v1::ErasureService::Service {
 public:
  explicit Erasures(FakeVault& vault) : vault_(vault) {}
  grpc::Status PlanErasure(grpc::ServerContext*,
                           const v1::PlanErasureRequest* request,
                           v1::PlanErasureResponse* response) override {
    return Answer(vault_, vault_.plan_erasure, *request, *response);
  }
  grpc::Status ExecuteErasure(grpc::ServerContext*,
                              const v1::ExecuteErasureRequest* request,
                              v1::ExecuteErasureResponse* response) override {
    return Answer(vault_, vault_.execute_erasure, *request, *response);
  }
  grpc::Status CancelErasure(grpc::ServerContext*,
                             const v1::CancelErasureRequest* request,
                             v1::CancelErasureResponse* response) override {
    return Answer(vault_, vault_.cancel_erasure, *request, *response);
  }
  grpc::Status GetErasureReceipt(
      grpc::ServerContext*, const v1::GetErasureReceiptRequest* request,
      v1::GetErasureReceiptResponse* response) override {
    return Answer(vault_, vault_.erasure_receipt, *request, *response);
  }
  grpc::Status VerifyErased(grpc::ServerContext*,
                            const v1::VerifyErasedRequest* request,
                            v1::VerifyErasedResponse* response) override {
    return Answer(vault_, vault_.verify_erased, *request, *response);
  }

 private:
  FakeVault& vault_;
};

class FakeVault::Exports final : public v1::ExportService::Service {
 public:
  explicit Exports(FakeVault& vault) : vault_(vault) {}
  grpc::Status ExportBundle(
      grpc::ServerContext*, const v1::ExportBundleRequest* request,
      grpc::ServerWriter<v1::ExportBundleResponse>* writer) override {
    vault_.bundle_request = *request;
    if (vault_.make_bundle) vault_.pieces = vault_.make_bundle(*request);
    for (const v1::ExportBundleResponse& piece : vault_.pieces) {
      writer->Write(piece);
    }
    return vault_.NextStatus();
  }
  grpc::Status TransmitBundle(
      grpc::ServerContext*, const v1::TransmitBundleRequest* request,
      grpc::ServerWriter<v1::TransmitBundleResponse>* writer) override {
    return AnswerStream(vault_, vault_.transmit, *request, *writer);
  }
  grpc::Status RegisterRecipient(
      grpc::ServerContext*, const v1::RegisterRecipientRequest* request,
      v1::RegisterRecipientResponse* response) override {
    return Answer(vault_, vault_.register_recipient, *request, *response);
  }
  grpc::Status RemoveRecipient(grpc::ServerContext*,
                               const v1::RemoveRecipientRequest* request,
                               v1::RemoveRecipientResponse* response) override {
    return Answer(vault_, vault_.remove_recipient, *request, *response);
  }
  grpc::Status ListRecipients(grpc::ServerContext*,
                              const v1::ListRecipientsRequest* request,
                              v1::ListRecipientsResponse* response) override {
    return Answer(vault_, vault_.recipients, *request, *response);
  }
  grpc::Status ImportBundle(grpc::ServerContext*,
                            grpc::ServerReader<v1::ImportBundleRequest>* reader,
                            v1::ImportBundleResponse* response) override {
    v1::ImportBundleRequest piece;
    while (reader->Read(&piece)) {
      vault_.imported_pieces.push_back(piece);
      v1::ImportBundleItem& item = *response->add_items();
      if (vault_.piece_items.empty()) continue;
      item = vault_.piece_items.front();
      vault_.piece_items.pop_front();
    }
    return vault_.NextStatus();
  }

 private:
  FakeVault& vault_;
};

FakeVault::FakeVault() {
  WriteTlsFiles(directory_.path());
  services_.push_back(std::make_unique<Subjects>(*this));
  services_.push_back(std::make_unique<Records>(*this));
  services_.push_back(std::make_unique<Credentials>(*this));
  services_.push_back(std::make_unique<Audits>(*this));
  services_.push_back(std::make_unique<Admins>(*this));
  services_.push_back(std::make_unique<Policies>(*this));
  services_.push_back(FakeConsents(*this));
  services_.push_back(std::make_unique<Erasures>(*this));
  services_.push_back(FakeRestrictions(*this));
  services_.push_back(FakeRetention(*this));
  services_.push_back(std::make_unique<Exports>(*this));
  grpc::ServerBuilder builder;
  int port = 0;
  int other_port = 0;
  // Numbers and not names: gRPC's resolver leaks, which ASan would report.
  builder.AddListeningPort("127.0.0.1:0", ServerTls(directory_.path()), &port);
  builder.AddListeningPort("127.0.0.2:0", ServerTls(directory_.path()),
                           &other_port);
  for (const auto& service : services_) builder.RegisterService(service.get());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) throw std::runtime_error("the fake does not start");
  address_ = "127.0.0.1:" + std::to_string(port);
  unnamed_address_ = "127.0.0.2:" + std::to_string(other_port);
}

FakeVault::~FakeVault() { server_->Shutdown(std::chrono::system_clock::now()); }

std::string FakeVault::File(const std::string& name) const {
  return directory_.path() / name;
}

std::vector<std::string> FakeVault::Flags() const {
  return {"--address", address_,           "--ca",      File("ca.pem"),
          "--cert",    File("client.pem"), "--key",     File("client.key"),
          "--purpose", "support",          "--timeout", "30s"};
}

grpc::Status FakeVault::NextStatus() {
  const std::lock_guard lock(mutex_);
  if (statuses.empty()) return grpc::Status::OK;
  grpc::Status next = statuses.front();
  statuses.pop_front();
  return next;
}

v1::ImportStatus FakeVault::Import(const v1::ImportRecordsRequest& request) {
  const std::lock_guard lock(mutex_);
  v1::ImportStatus item;
  if (judge) item = judge(request);
  if (item.reason() != v1::REASON_UNSPECIFIED) return item;
  const std::string& id = request.context().request_id();
  item.set_subject("subject-of-" + id);
  item.set_repeated_request(std::ranges::find(imported, id) != imported.end());
  if (!item.repeated_request()) imported.push_back(id);
  return item;
}

}  // namespace hizo::test
