// The calls of Client about a company's policy.
#include "service/cli/client.h"
#include "service/cli/client_stubs.h"

namespace hizo::cli {

absl::Status Client::Call(const v1::ValidatePolicyRequest& request,
                          v1::ValidatePolicyResponse& response) {
  return stubs_->Call(stubs_->policy, &v1::PolicyService::Stub::ValidatePolicy,
                      request, response);
}

absl::Status Client::Call(const v1::ActivatePolicyRequest& request,
                          v1::ActivatePolicyResponse& response) {
  return stubs_->Call(stubs_->policy, &v1::PolicyService::Stub::ActivatePolicy,
                      request, response);
}

absl::Status Client::Call(const v1::ListConflictsRequest& request,
                          v1::ListConflictsResponse& response) {
  return stubs_->Call(stubs_->policy, &v1::PolicyService::Stub::ListConflicts,
                      request, response);
}

absl::Status Client::Call(const v1::AcknowledgePolicyRequest& request,
                          v1::AcknowledgePolicyResponse& response) {
  return stubs_->Call(stubs_->consent,
                      &v1::ConsentService::Stub::AcknowledgePolicy, request,
                      response);
}

}  // namespace hizo::cli
