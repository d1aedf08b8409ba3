#include <utility>

#include "hizo/v1/subject.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {
namespace {

using vault::Attempt;
using vault::Call;

absl::StatusOr<v1::CreateSubjectResponse> Create(
    const vault::Subjects& subjects, Attempt& attempt, const Call& call,
    const v1::CreateSubjectRequest& request) {
  ASSIGN_OR_RETURN(auto records, ToNewRecords(request.records()));
  ASSIGN_OR_RETURN(const vault::CreatedSubject created,
                   subjects.Create(attempt, call, std::move(records)));
  v1::CreateSubjectResponse response;
  response.set_subject(base::ToText(created.subject));
  for (const vault::WrittenRecord& record : created.records) {
    *response.add_records() = FromWritten(record);
  }
  return response;
}

absl::StatusOr<v1::GetSubjectResponse> Get(
    const vault::Subjects& subjects, Attempt& attempt, const Call& call,
    const v1::GetSubjectRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const auto description,
                   subjects.Get(attempt, call, subject));
  return FromDescription(description);
}

absl::StatusOr<v1::CancelAccountResponse> Cancel(
    const vault::Subjects& subjects, Attempt& attempt, const Call& call,
    const v1::CancelAccountRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const base::Timestamp cancelled,
                   subjects.Cancel(attempt, call, subject));
  v1::CancelAccountResponse response;
  *response.mutable_cancel_time() = FromTimestamp(cancelled);
  return response;
}

absl::StatusOr<v1::FindSubjectResponse> Find(
    const vault::Subjects& subjects, Attempt& attempt, const Call& call,
    const v1::FindSubjectRequest& request) {
  const vault::FindSubjectInput input{
      request.key().field(), base::Pii(request.key().value()),
      request.page_size(), request.page_token()};
  ASSIGN_OR_RETURN(const auto page, subjects.Find(attempt, call, input));
  v1::FindSubjectResponse response;
  response.set_subject(base::ToText(page.subjects.front()));
  for (size_t i = 1; i < page.subjects.size(); ++i) {
    response.add_more_subjects(base::ToText(page.subjects[i]));
  }
  response.set_next_page_token(page.next_page_token);
  return response;
}

}  // namespace

absl::Status AddSubjects(const Adder& adder, const vault::Store& store) {
  const vault::Subjects& subjects = store.subjects();
  RETURN_IF_ERROR(
      (adder.Add<v1::CreateSubjectRequest, v1::CreateSubjectResponse>(
          "SubjectService.CreateSubject", Lane::kServe,
          [&subjects](Attempt& attempt, const Call& call, const auto& request) {
            return Create(subjects, attempt, call, request);
          })));
  RETURN_IF_ERROR((adder.Add<v1::GetSubjectRequest, v1::GetSubjectResponse>(
      "SubjectService.GetSubject", Lane::kServe,
      [&subjects](Attempt& attempt, const Call& call, const auto& request) {
        return Get(subjects, attempt, call, request);
      })));
  RETURN_IF_ERROR(
      (adder.Add<v1::CancelAccountRequest, v1::CancelAccountResponse>(
          "SubjectService.CancelAccount", Lane::kServe,
          [&subjects](Attempt& attempt, const Call& call, const auto& request) {
            return Cancel(subjects, attempt, call, request);
          })));
  return adder.Add<v1::FindSubjectRequest, v1::FindSubjectResponse>(
      "SubjectService.FindSubject", Lane::kServe,
      [&subjects](Attempt& attempt, const Call& call, const auto& request) {
        return Find(subjects, attempt, call, request);
      });
}

}  // namespace hizo::rpc
