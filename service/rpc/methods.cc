#include "service/rpc/methods.h"

#include <utility>

#include "hizo/v1/audit.pb.h"
#include "hizo/v1/credential.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {
namespace {

using base::Fail;
using base::Pii;
using base::Reason;
using vault::Attempt;
using vault::Call;

absl::StatusOr<v1::SetPasswordResponse> SetPassword(
    const vault::Credentials& credentials, Attempt& attempt, const Call& call,
    const v1::SetPasswordRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  RETURN_IF_ERROR(
      credentials.Set(attempt, call, subject, Pii(request.password())));
  return v1::SetPasswordResponse();
}

absl::StatusOr<v1::VerifyPasswordResponse> VerifyPassword(
    const vault::Credentials& credentials, Attempt& attempt, const Call& call,
    const v1::VerifyPasswordRequest& request) {
  vault::Who who;
  ASSIGN_OR_RETURN(who.subject,
                   ToOptionalId<base::SubjectId>(request.subject()));
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

absl::Status AddCredentials(const Adder& adder,
                            const vault::Credentials& credentials) {
  RETURN_IF_ERROR((adder.Add<v1::SetPasswordRequest, v1::SetPasswordResponse>(
      "CredentialService.SetPassword", Lane::kPassword,
      [&credentials](Attempt& attempt, const Call& call, const auto& request) {
        return SetPassword(credentials, attempt, call, request);
      })));
  return adder.Add<v1::VerifyPasswordRequest, v1::VerifyPasswordResponse>(
      "CredentialService.VerifyPassword", Lane::kPassword,
      [&credentials](Attempt& attempt, const Call& call, const auto& request) {
        return VerifyPassword(credentials, attempt, call, request);
      });
}

absl::Status AddAudits(const Adder& adder, const vault::Audits& audits) {
  const policy::Catalogue& catalogue = adder.catalogue;
  RETURN_IF_ERROR((adder.Add<v1::QueryAuditRequest, v1::QueryAuditResponse>(
      "AuditService.QueryAudit", Lane::kServe,
      [&audits, &catalogue](Attempt& attempt, const Call& call,
                            const v1::QueryAuditRequest& request)
          -> absl::StatusOr<v1::QueryAuditResponse> {
        ASSIGN_OR_RETURN(const auto input, ToAuditQuery(request));
        ASSIGN_OR_RETURN(const auto page, audits.Query(attempt, call, input));
        v1::QueryAuditResponse response;
        for (const vault::ShownEvent& event : page.events) {
          *response.add_events() = FromEvent(event, catalogue);
        }
        response.set_next_page_token(page.next_page_token);
        return response;
      })));
  return adder.Add<v1::GetCheckpointRequest, v1::GetCheckpointResponse>(
      "AuditService.GetCheckpoint", Lane::kServe,
      [&audits](Attempt& attempt, const Call& call,
                const v1::GetCheckpointRequest&)
          -> absl::StatusOr<v1::GetCheckpointResponse> {
        ASSIGN_OR_RETURN(const auto checkpoint,
                         audits.GetCheckpoint(attempt, call));
        v1::GetCheckpointResponse response;
        response.set_checkpoint(checkpoint.note);
        response.set_verifier_key(checkpoint.verifier_key);
        return response;
      });
}

absl::Status AddAdmin(const Adder& adder, const vault::AccessGate& gate,
                      ReadStatus read_status) {
  return adder.Add<v1::GetStatusRequest, v1::GetStatusResponse>(
      "AdminService.GetStatus", Lane::kServe,
      [&gate, read_status = std::move(read_status)](
          Attempt& attempt, const Call& call, const v1::GetStatusRequest&)
          -> absl::StatusOr<v1::GetStatusResponse> {
        RETURN_IF_ERROR(gate.AdmitStore(attempt, call));
        return read_status();
      });
}

}  // namespace

absl::StatusOr<MethodTable> MakeMethods(const vault::Store& store,
                                        const policy::Catalogue& catalogue,
                                        ReadStatus read_status) {
  MethodTable table;
  const Adder adder{table, catalogue};
  RETURN_IF_ERROR(AddSubjects(adder, store));
  RETURN_IF_ERROR(AddRecords(adder, store));
  RETURN_IF_ERROR(AddPolicies(adder, store));
  RETURN_IF_ERROR(AddConsents(adder, store));
  RETURN_IF_ERROR(AddErasures(adder, store));
  RETURN_IF_ERROR(AddCredentials(adder, store.credentials()));
  RETURN_IF_ERROR(AddAudits(adder, store.audits()));
  RETURN_IF_ERROR(AddAdmin(adder, store.gate(), std::move(read_status)));
  RETURN_IF_ERROR(table.CheckComplete());
  return table;
}

}  // namespace hizo::rpc
