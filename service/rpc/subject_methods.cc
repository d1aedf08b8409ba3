#include "hizo/v1/subject.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {

using base::Pii;
using vault::Attempt;
using vault::Call;

absl::Status AddSubjects(const Adder& adder, const vault::Store& store) {
  const vault::Subjects& subjects = store.subjects();
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
  RETURN_IF_ERROR(
      (adder.Add<v1::CancelAccountRequest, v1::CancelAccountResponse>(
          "SubjectService.CancelAccount", Lane::kServe,
          [&subjects](Attempt& attempt, const Call& call,
                      const v1::CancelAccountRequest& request)
              -> absl::StatusOr<v1::CancelAccountResponse> {
            ASSIGN_OR_RETURN(const auto subject,
                             ToId<base::SubjectId>(request.subject()));
            ASSIGN_OR_RETURN(const base::Timestamp cancelled,
                             subjects.Cancel(attempt, call, subject));
            v1::CancelAccountResponse response;
            *response.mutable_cancel_time() = FromTimestamp(cancelled);
            return response;
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

}  // namespace hizo::rpc
