#include <string>
#include <utility>

#include "hizo/v1/credential.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {
namespace {

using base::Fail;
using base::Pii;
using base::Reason;
using base::SubjectId;
using vault::Attempt;
using vault::Call;
using vault::Credentials;

v1::CredentialState FromState(const vault::CredentialState& state) {
  v1::CredentialState out;
  out.set_has_password(state.has_password);
  out.set_wrong_guesses(static_cast<int32_t>(state.wrong_guesses));
  if (state.wait_until.has_value()) {
    *out.mutable_wait_until_time() = FromTimestamp(*state.wait_until);
  }
  return out;
}

absl::StatusOr<v1::SetPasswordResponse> Set(
    const Credentials& credentials, Attempt& attempt, const Call& call,
    const v1::SetPasswordRequest& request) {
  ASSIGN_OR_RETURN(const auto subject, ToId<SubjectId>(request.subject()));
  RETURN_IF_ERROR(
      credentials.Set(attempt, call, subject, Pii(request.password())));
  return v1::SetPasswordResponse();
}

absl::StatusOr<v1::VerifyPasswordResponse> Verify(
    const Credentials& credentials, Attempt& attempt, const Call& call,
    const v1::VerifyPasswordRequest& request) {
  vault::Who who;
  ASSIGN_OR_RETURN(who.subject, ToOptionalId<SubjectId>(request.subject()));
  who.field = request.key().field();
  who.value = Pii(request.key().value());
  if (!who.subject.has_value() && who.field.empty()) {
    return Fail(Reason::kValueInvalid);
  }
  ASSIGN_OR_RETURN(
      const auto verified,
      credentials.Verify(attempt, call, who, Pii(request.password())));
  v1::VerifyPasswordResponse response;
  response.set_verified(verified.has_value());
  if (verified.has_value()) response.set_subject(base::ToText(*verified));
  return response;
}

absl::StatusOr<v1::ChangePasswordResponse> Change(
    const Credentials& credentials, Attempt& attempt, const Call& call,
    const v1::ChangePasswordRequest& request) {
  ASSIGN_OR_RETURN(const auto subject, ToId<SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(
      const bool changed,
      credentials.Change(attempt, call, subject, Pii(request.password()),
                         Pii(request.new_password())));
  v1::ChangePasswordResponse response;
  response.set_changed(changed);
  return response;
}

absl::StatusOr<v1::ImportPasswordHashResponse> Import(
    const Credentials& credentials, Attempt& attempt, const Call& call,
    const v1::ImportPasswordHashRequest& request) {
  ASSIGN_OR_RETURN(const auto subject, ToId<SubjectId>(request.subject()));
  RETURN_IF_ERROR(
      credentials.Import(attempt, call, subject, Pii(request.hash())));
  return v1::ImportPasswordHashResponse();
}

absl::StatusOr<v1::RevokeCredentialsResponse> Revoke(
    const Credentials& credentials, Attempt& attempt, const Call& call,
    const v1::RevokeCredentialsRequest& request) {
  ASSIGN_OR_RETURN(const auto subject, ToId<SubjectId>(request.subject()));
  RETURN_IF_ERROR(credentials.Revoke(attempt, call, subject));
  return v1::RevokeCredentialsResponse();
}

absl::StatusOr<v1::GetCredentialStateResponse> GetState(
    const Credentials& credentials, Attempt& attempt, const Call& call,
    const v1::GetCredentialStateRequest& request) {
  ASSIGN_OR_RETURN(const auto subject, ToId<SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const auto state, credentials.Get(attempt, call, subject));
  v1::GetCredentialStateResponse response;
  *response.mutable_state() = FromState(state);
  return response;
}

absl::StatusOr<v1::UnlockCredentialsResponse> Unlock(
    const Credentials& credentials, Attempt& attempt, const Call& call,
    const v1::UnlockCredentialsRequest& request) {
  ASSIGN_OR_RETURN(const auto subject, ToId<SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const auto state,
                   credentials.Unlock(attempt, call, subject));
  v1::UnlockCredentialsResponse response;
  *response.mutable_state() = FromState(state);
  return response;
}

absl::StatusOr<v1::UnlockCallerResponse> UnlockCaller(
    const Credentials& credentials, Attempt& attempt, const Call& call,
    const v1::UnlockCallerRequest& request) {
  ASSIGN_OR_RETURN(const auto left,
                   credentials.UnlockCaller(attempt, call, request.caller()));
  v1::UnlockCallerResponse response;
  response.set_seconds_left(static_cast<int32_t>(left.count()));
  return response;
}

absl::StatusOr<v1::RotatePepperResponse> RotatePepper(
    const Credentials& credentials, Attempt& attempt, const Call& call,
    const v1::RotatePepperRequest& /*request*/) {
  ASSIGN_OR_RETURN(const uint32_t pepper,
                   credentials.RotatePepper(attempt, call));
  v1::RotatePepperResponse response;
  response.set_pepper(static_cast<int32_t>(pepper));
  return response;
}

// Joins a function as above to its method.
template <typename Request, typename Response>
absl::Status Join(const Adder& adder, const Credentials& credentials,
                  std::string_view name, Lane lane,
                  absl::StatusOr<Response> (*use_case)(const Credentials&,
                                                       Attempt&, const Call&,
                                                       const Request&)) {
  return adder.Add<Request, Response>(
      "CredentialService." + std::string(name), lane,
      [&credentials, use_case](Attempt& attempt, const Call& call,
                               const Request& request) {
        return use_case(credentials, attempt, call, request);
      });
}

}  // namespace

absl::Status AddCredentials(const Adder& adder, const vault::Store& store) {
  const Credentials& of = store.credentials();
  RETURN_IF_ERROR(Join(adder, of, "SetPassword", Lane::kPassword, &Set));
  RETURN_IF_ERROR(Join(adder, of, "VerifyPassword", Lane::kPassword, &Verify));
  RETURN_IF_ERROR(Join(adder, of, "ChangePassword", Lane::kPassword, &Change));
  RETURN_IF_ERROR(Join(adder, of, "ImportPasswordHash", Lane::kServe, &Import));
  RETURN_IF_ERROR(Join(adder, of, "RevokeCredentials", Lane::kServe, &Revoke));
  RETURN_IF_ERROR(
      Join(adder, of, "GetCredentialState", Lane::kServe, &GetState));
  RETURN_IF_ERROR(Join(adder, of, "UnlockCredentials", Lane::kServe, &Unlock));
  RETURN_IF_ERROR(Join(adder, of, "UnlockCaller", Lane::kServe, &UnlockCaller));
  return Join(adder, of, "RotatePepper", Lane::kServe, &RotatePepper);
}

}  // namespace hizo::rpc
