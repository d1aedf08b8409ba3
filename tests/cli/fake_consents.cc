#include "tests/cli/fake_consents.h"

#include "tests/cli/fake_vault.h"

namespace hizo::test {
namespace {

class Consents final : public v1::ConsentService::Service {
 public:
  explicit Consents(FakeVault& vault) : vault_(vault) {}
  grpc::Status CheckPurpose(grpc::ServerContext*,
                            const v1::CheckPurposeRequest* request,
                            v1::CheckPurposeResponse* response) override {
    return Answer(vault_, vault_.check, *request, *response);
  }
  grpc::Status AcknowledgePolicy(
      grpc::ServerContext*, const v1::AcknowledgePolicyRequest* request,
      v1::AcknowledgePolicyResponse* response) override {
    return Answer(vault_, vault_.acknowledge, *request, *response);
  }
  grpc::Status RecordConsent(grpc::ServerContext*,
                             const v1::RecordConsentRequest* request,
                             v1::RecordConsentResponse* response) override {
    return Answer(vault_, vault_.record_consent, *request, *response);
  }
  grpc::Status WithdrawConsent(grpc::ServerContext*,
                               const v1::WithdrawConsentRequest* request,
                               v1::WithdrawConsentResponse* response) override {
    return Answer(vault_, vault_.withdraw_consent, *request, *response);
  }
  grpc::Status ListConsents(grpc::ServerContext*,
                            const v1::ListConsentsRequest* request,
                            v1::ListConsentsResponse* response) override {
    return Answer(vault_, vault_.list_consents, *request, *response);
  }
  grpc::Status RecordObjection(grpc::ServerContext*,
                               const v1::RecordObjectionRequest* request,
                               v1::RecordObjectionResponse* response) override {
    return Answer(vault_, vault_.record_objection, *request, *response);
  }
  grpc::Status DecideObjection(grpc::ServerContext*,
                               const v1::DecideObjectionRequest* request,
                               v1::DecideObjectionResponse* response) override {
    return Answer(vault_, vault_.decide_objection, *request, *response);
  }

 private:
  FakeVault& vault_;
};

class Restrictions final : public v1::RestrictionService::Service {
 public:
  explicit Restrictions(FakeVault& vault) : vault_(vault) {}
  grpc::Status SetRestriction(grpc::ServerContext*,
                              const v1::SetRestrictionRequest* request,
                              v1::SetRestrictionResponse* response) override {
    return Answer(vault_, vault_.set_restriction, *request, *response);
  }
  grpc::Status LiftRestriction(grpc::ServerContext*,
                               const v1::LiftRestrictionRequest* request,
                               v1::LiftRestrictionResponse* response) override {
    return Answer(vault_, vault_.lift_restriction, *request, *response);
  }
  grpc::Status PlaceLegalHold(grpc::ServerContext*,
                              const v1::PlaceLegalHoldRequest* request,
                              v1::PlaceLegalHoldResponse* response) override {
    return Answer(vault_, vault_.place_hold, *request, *response);
  }
  grpc::Status ReleaseLegalHold(
      grpc::ServerContext*, const v1::ReleaseLegalHoldRequest* request,
      v1::ReleaseLegalHoldResponse* response) override {
    return Answer(vault_, vault_.release_hold, *request, *response);
  }

 private:
  FakeVault& vault_;
};

class Retention final : public v1::RetentionService::Service {
 public:
  explicit Retention(FakeVault& vault) : vault_(vault) {}
  grpc::Status ListDue(grpc::ServerContext*, const v1::ListDueRequest* request,
                       v1::ListDueResponse* response) override {
    vault_.due_requests.push_back(*request);
    const grpc::Status status = vault_.NextStatus();
    if (!status.ok() || vault_.due_pages.empty()) return status;
    *response = vault_.due_pages.front();
    if (vault_.due_pages.size() > 1) vault_.due_pages.pop_front();
    return status;
  }
  grpc::Status RunRetention(grpc::ServerContext*,
                            const v1::RunRetentionRequest* request,
                            v1::RunRetentionResponse* response) override {
    return Answer(vault_, vault_.run_retention, *request, *response);
  }
  grpc::Status MarkLossYear(grpc::ServerContext*,
                            const v1::MarkLossYearRequest* request,
                            v1::MarkLossYearResponse* response) override {
    return Answer(vault_, vault_.loss_year, *request, *response);
  }

 private:
  FakeVault& vault_;
};

}  // namespace

std::unique_ptr<grpc::Service> FakeRetention(FakeVault& vault) {
  return std::make_unique<Retention>(vault);
}

std::unique_ptr<grpc::Service> FakeConsents(FakeVault& vault) {
  return std::make_unique<Consents>(vault);
}

std::unique_ptr<grpc::Service> FakeRestrictions(FakeVault& vault) {
  return std::make_unique<Restrictions>(vault);
}

}  // namespace hizo::test
