#include "service/rpc/methods.h"

#include <utility>

#include "hizo/v1/audit.pb.h"
#include "hizo/v1/credential.pb.h"
#include "hizo/v1/record.pb.h"
#include "hizo/v1/subject.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {
namespace {

using base::Fail;
using base::Pii;
using base::Reason;
using vault::Attempt;
using vault::Call;

struct Adder {
  MethodTable& table;
  const policy::Catalogue& catalogue;

  template <typename Request, typename Response, typename UseCase>
  absl::Status Add(std::string_view name, Lane lane, UseCase use_case) const {
    Method method;
    method.lane = lane;
    method.run = Unary<Request, Response>(catalogue, std::move(use_case));
    return table.Add(name, std::move(method));
  }
};

absl::Status AddSubjects(const Adder& adder, const vault::Subjects& subjects) {
  RETURN_IF_ERROR(
      (adder.Add<v1::CreateSubjectRequest, v1::CreateSubjectResponse>(
          "SubjectService.CreateSubject", Lane::kServe,
          [&subjects](Attempt& attempt, const Call& call,
                      const v1::CreateSubjectRequest& request)
              -> absl::StatusOr<v1::CreateSubjectResponse> {
            ASSIGN_OR_RETURN(auto records, ToNewRecords(request.records()));
            ASSIGN_OR_RETURN(
                const vault::CreatedSubject created,
                subjects.Create(attempt, call, std::move(records)));
            v1::CreateSubjectResponse response;
            response.set_subject(base::ToText(created.subject));
            for (const vault::WrittenRecord& record : created.records) {
              *response.add_records() = FromWritten(record);
            }
            return response;
          })));
  RETURN_IF_ERROR((adder.Add<v1::GetSubjectRequest, v1::GetSubjectResponse>(
      "SubjectService.GetSubject", Lane::kServe,
      [&subjects](Attempt& attempt, const Call& call,
                  const v1::GetSubjectRequest& request)
          -> absl::StatusOr<v1::GetSubjectResponse> {
        ASSIGN_OR_RETURN(const auto subject,
                         ToId<base::SubjectId>(request.subject()));
        ASSIGN_OR_RETURN(const auto description,
                         subjects.Get(attempt, call, subject));
        return FromDescription(description);
      })));
  return adder.Add<v1::FindSubjectRequest, v1::FindSubjectResponse>(
      "SubjectService.FindSubject", Lane::kServe,
      [&subjects](Attempt& attempt, const Call& call,
                  const v1::FindSubjectRequest& request)
          -> absl::StatusOr<v1::FindSubjectResponse> {
        ASSIGN_OR_RETURN(const auto found,
                         subjects.Find(attempt, call, request.key().field(),
                                       Pii(request.key().value())));
        v1::FindSubjectResponse response;
        response.set_subject(base::ToText(found.front()));
        for (size_t i = 1; i < found.size(); ++i) {
          response.add_more_subjects(base::ToText(found[i]));
        }
        return response;
      });
}

absl::StatusOr<v1::PutRecordResponse> Put(const vault::Records& records,
                                          Attempt& attempt, const Call& call,
                                          const v1::PutRecordRequest& request) {
  vault::PutRecordInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(input.record, ToNewRecord(request.record()));
  ASSIGN_OR_RETURN(input.record_id,
                   ToOptionalId<base::RecordId>(request.record_id()));
  if (request.has_update_mask()) {
    input.update_mask.emplace(request.update_mask().paths().begin(),
                              request.update_mask().paths().end());
  }
  if (!request.etag().empty()) input.etag = request.etag();
  ASSIGN_OR_RETURN(const auto written,
                   records.Put(attempt, call, std::move(input)));
  v1::PutRecordResponse response;
  *response.mutable_record() = FromWritten(written);
  return response;
}

absl::StatusOr<v1::GetRecordResponse> Get(const vault::Records& records,
                                          Attempt& attempt, const Call& call,
                                          const v1::GetRecordRequest& request) {
  vault::GetRecordInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(input.record_id,
                   ToOptionalId<base::RecordId>(request.record_id()));
  input.selection =
      ToSelection(request.record_class(), request.read_mask(), request.view());
  ASSIGN_OR_RETURN(const auto shown, records.Get(attempt, call, input));
  v1::GetRecordResponse response;
  *response.mutable_record() = FromShown(shown);
  return response;
}

absl::StatusOr<v1::ListRecordsResponse> List(
    const vault::Records& records, Attempt& attempt, const Call& call,
    const v1::ListRecordsRequest& request) {
  vault::ListRecordsInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  input.selection =
      ToSelection(request.record_class(), request.read_mask(), request.view());
  input.page_size = request.page_size();
  input.page_token = request.page_token();
  ASSIGN_OR_RETURN(const auto page, records.List(attempt, call, input));
  v1::ListRecordsResponse response;
  for (const vault::ShownRecord& record : page.records) {
    *response.add_records() = FromShown(record);
  }
  response.set_next_page_token(page.next_page_token);
  return response;
}

absl::StatusOr<v1::ImportStatus> ImportOne(
    const vault::Subjects& subjects, Attempt& attempt, const Call& call,
    const v1::ImportRecordsRequest& request) {
  ASSIGN_OR_RETURN(auto records, ToNewRecords(request.records()));
  ASSIGN_OR_RETURN(const vault::CreatedSubject created,
                   subjects.Create(attempt, call, std::move(records)));
  v1::ImportStatus status;
  status.set_subject(base::ToText(created.subject));
  status.set_repeated_request(created.repeated);
  *status.mutable_commit_time() = FromTimestamp(call.now);
  return status;
}

std::string SummariseImport(const policy::Catalogue& catalogue,
                            const std::vector<ItemResult>& items) {
  v1::ImportRecordsResponse response;
  for (const ItemResult& item : items) {
    v1::ImportStatus& status = *response.add_items();
    if (item.status.ok()) {
      status.ParseFromString(item.answer);
      continue;
    }
    status.set_reason(static_cast<v1::Reason>(base::ReasonOf(item.status)));
    const auto* field = catalogue.FieldByNumber(base::FieldOf(item.status));
    if (field != nullptr) status.set_field(field->full_name);
  }
  return response.SerializeAsString();
}

absl::Status AddRecords(const Adder& adder, const vault::Store& store) {
  const vault::Records& records = store.records();
  RETURN_IF_ERROR((adder.Add<v1::PutRecordRequest, v1::PutRecordResponse>(
      "RecordService.PutRecord", Lane::kServe,
      [&records](Attempt& attempt, const Call& call, const auto& request) {
        return Put(records, attempt, call, request);
      })));
  RETURN_IF_ERROR((adder.Add<v1::GetRecordRequest, v1::GetRecordResponse>(
      "RecordService.GetRecord", Lane::kServe,
      [&records](Attempt& attempt, const Call& call, const auto& request) {
        return Get(records, attempt, call, request);
      })));
  RETURN_IF_ERROR((adder.Add<v1::ListRecordsRequest, v1::ListRecordsResponse>(
      "RecordService.ListRecords", Lane::kServe,
      [&records](Attempt& attempt, const Call& call, const auto& request) {
        return List(records, attempt, call, request);
      })));
  const vault::Subjects& subjects = store.subjects();
  const policy::Catalogue& catalogue = adder.catalogue;
  Method method;
  method.run = Unary<v1::ImportRecordsRequest, v1::ImportStatus>(
      catalogue,
      [&subjects](Attempt& attempt, const Call& call, const auto& request) {
        return ImportOne(subjects, attempt, call, request);
      });
  method.summarise = [&catalogue](const std::vector<ItemResult>& items) {
    return SummariseImport(catalogue, items);
  };
  return adder.table.Add("RecordService.ImportRecords", std::move(method));
}

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
  RETURN_IF_ERROR(AddSubjects(adder, store.subjects()));
  RETURN_IF_ERROR(AddRecords(adder, store));
  RETURN_IF_ERROR(AddCredentials(adder, store.credentials()));
  RETURN_IF_ERROR(AddAudits(adder, store.audits()));
  RETURN_IF_ERROR(AddAdmin(adder, store.gate(), std::move(read_status)));
  RETURN_IF_ERROR(table.CheckComplete());
  return table;
}

}  // namespace hizo::rpc
