#include "hizo/v1/erasure.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {
namespace {

using vault::Attempt;
using vault::Call;

absl::StatusOr<v1::PlanErasureResponse> Plan(
    const vault::Erasures& erasures, Attempt& attempt, const Call& call,
    const v1::PlanErasureRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const auto plan, erasures.Plan(attempt, call, subject));
  v1::PlanErasureResponse response;
  for (const vault::ErasurePlan::Class& planned : plan.classes) {
    v1::PlannedClass& added = *response.add_classes();
    if (planned.spec != nullptr) added.set_record_class(planned.spec->name);
    added.set_records(static_cast<int32_t>(planned.records));
  }
  response.set_index_shards(static_cast<int32_t>(plan.index_shards));
  return response;
}

absl::StatusOr<v1::ExecuteErasureResponse> Execute(
    const vault::Erasures& erasures, Attempt& attempt, const Call& call,
    const v1::ExecuteErasureRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const auto erasure,
                   erasures.Execute(attempt, call, subject));
  v1::ExecuteErasureResponse response;
  response.set_state(static_cast<v1::ErasureState>(erasure.stage));
  *response.mutable_accept_time() = FromTimestamp(erasure.accepted);
  return response;
}

absl::StatusOr<v1::GetErasureReceiptResponse> Get(
    const vault::Erasures& erasures, std::string_view verifier_key,
    Attempt& attempt, const Call& call,
    const v1::GetErasureReceiptRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const auto erasure, erasures.Get(attempt, call, subject));
  v1::GetErasureReceiptResponse response;
  response.set_state(static_cast<v1::ErasureState>(erasure.stage));
  *response.mutable_accept_time() = FromTimestamp(erasure.accepted);
  response.set_receipt(erasure.receipt);
  response.set_verifier_key(std::string(verifier_key));
  return response;
}

absl::StatusOr<v1::VerifyErasedResponse> Verify(
    const vault::Erasures& erasures, Attempt& attempt, const Call& call,
    const v1::VerifyErasedRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const auto check, erasures.Verify(attempt, call, subject));
  v1::VerifyErasedResponse response;
  response.set_erased(check.erased());
  response.set_keys_gone(check.keys_gone);
  response.set_records_gone(check.records_gone);
  response.set_receipt_valid(check.receipt_valid);
  return response;
}

}  // namespace

absl::Status AddErasures(const Adder& adder, const vault::Store& store) {
  const vault::Erasures& erasures = store.erasures();
  RETURN_IF_ERROR((adder.Add<v1::PlanErasureRequest, v1::PlanErasureResponse>(
      "ErasureService.PlanErasure", Lane::kServe,
      [&erasures](Attempt& attempt, const Call& call, const auto& request) {
        return Plan(erasures, attempt, call, request);
      })));
  RETURN_IF_ERROR(
      (adder.Add<v1::ExecuteErasureRequest, v1::ExecuteErasureResponse>(
          "ErasureService.ExecuteErasure", Lane::kServe,
          [&erasures](Attempt& attempt, const Call& call, const auto& request) {
            return Execute(erasures, attempt, call, request);
          })));
  RETURN_IF_ERROR(
      (adder.Add<v1::GetErasureReceiptRequest, v1::GetErasureReceiptResponse>(
          "ErasureService.GetErasureReceipt", Lane::kServe,
          [&store](Attempt& attempt, const Call& call, const auto& request) {
            return Get(store.erasures(), store.log().verifier_key(), attempt,
                       call, request);
          })));
  return adder.Add<v1::VerifyErasedRequest, v1::VerifyErasedResponse>(
      "ErasureService.VerifyErased", Lane::kServe,
      [&erasures](Attempt& attempt, const Call& call, const auto& request) {
        return Verify(erasures, attempt, call, request);
      });
}

}  // namespace hizo::rpc
