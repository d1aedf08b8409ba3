// The calls of Client about consents, restrictions, holds and retention.
#include "service/cli/client.h"
#include "service/cli/client_stubs.h"

namespace hizo::cli {

absl::Status Client::Call(const v1::RecordConsentRequest& request,
                          v1::RecordConsentResponse& response) {
  return stubs_->Call(stubs_->consent, &v1::ConsentService::Stub::RecordConsent,
                      request, response);
}

absl::Status Client::Call(const v1::WithdrawConsentRequest& request,
                          v1::WithdrawConsentResponse& response) {
  return stubs_->Call(stubs_->consent,
                      &v1::ConsentService::Stub::WithdrawConsent, request,
                      response);
}

absl::Status Client::Call(const v1::ListConsentsRequest& request,
                          v1::ListConsentsResponse& response) {
  return stubs_->Call(stubs_->consent, &v1::ConsentService::Stub::ListConsents,
                      request, response);
}

absl::Status Client::Call(const v1::RecordObjectionRequest& request,
                          v1::RecordObjectionResponse& response) {
  return stubs_->Call(stubs_->consent,
                      &v1::ConsentService::Stub::RecordObjection, request,
                      response);
}

absl::Status Client::Call(const v1::DecideObjectionRequest& request,
                          v1::DecideObjectionResponse& response) {
  return stubs_->Call(stubs_->consent,
                      &v1::ConsentService::Stub::DecideObjection, request,
                      response);
}

absl::Status Client::Call(const v1::SetRestrictionRequest& request,
                          v1::SetRestrictionResponse& response) {
  return stubs_->Call(stubs_->restriction,
                      &v1::RestrictionService::Stub::SetRestriction, request,
                      response);
}

absl::Status Client::Call(const v1::LiftRestrictionRequest& request,
                          v1::LiftRestrictionResponse& response) {
  return stubs_->Call(stubs_->restriction,
                      &v1::RestrictionService::Stub::LiftRestriction, request,
                      response);
}

absl::Status Client::Call(const v1::PlaceLegalHoldRequest& request,
                          v1::PlaceLegalHoldResponse& response) {
  return stubs_->Call(stubs_->restriction,
                      &v1::RestrictionService::Stub::PlaceLegalHold, request,
                      response);
}

absl::Status Client::Call(const v1::ReleaseLegalHoldRequest& request,
                          v1::ReleaseLegalHoldResponse& response) {
  return stubs_->Call(stubs_->restriction,
                      &v1::RestrictionService::Stub::ReleaseLegalHold, request,
                      response);
}

absl::Status Client::Call(const v1::CheckPurposeRequest& request,
                          v1::CheckPurposeResponse& response) {
  return stubs_->Call(stubs_->consent, &v1::ConsentService::Stub::CheckPurpose,
                      request, response);
}

absl::Status Client::Call(const v1::ListDueRequest& request,
                          v1::ListDueResponse& response) {
  return stubs_->Call(stubs_->retention, &v1::RetentionService::Stub::ListDue,
                      request, response);
}

absl::Status Client::Call(const v1::RunRetentionRequest& request,
                          v1::RunRetentionResponse& response) {
  return stubs_->Call(stubs_->retention,
                      &v1::RetentionService::Stub::RunRetention, request,
                      response);
}

absl::Status Client::Call(const v1::MarkLossYearRequest& request,
                          v1::MarkLossYearResponse& response) {
  return stubs_->Call(stubs_->retention,
                      &v1::RetentionService::Stub::MarkLossYear, request,
                      response);
}

}  // namespace hizo::cli
