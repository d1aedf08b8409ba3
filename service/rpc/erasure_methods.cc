#include <chrono>
#include <string>
#include <vector>

#include "hizo/v1/erasure.pb.h"
#include "service/base/status_macros.h"
#include "service/policy/retention.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"
#include "service/vault/kept.h"

namespace hizo::rpc {
namespace {

using vault::Attempt;
using vault::Call;

// By the catalogue of now, as reads are decided.
v1::KeptClass FromKept(const policy::Catalogue& catalogue,
                       const vault::KeptClass& kept) {
  v1::KeptClass shown;
  const policy::ClassSpec* spec = catalogue.ClassByNumber(kept.class_number);
  if (spec != nullptr) shown.set_record_class(spec->name);
  if (kept.until.has_value()) shown.set_until(policy::ToText(*kept.until));
  shown.set_law(vault::LawOf(catalogue, kept));
  for (const std::string& purpose : vault::PurposesOf(catalogue, kept)) {
    shown.add_purposes(purpose);
  }
  shown.set_held(!kept.holds.empty());
  return shown;
}

template <typename Response>
void AddKept(const policy::Catalogue& catalogue,
             const std::vector<vault::KeptClass>& all, Response& response) {
  for (const vault::KeptClass& kept : all) {
    *response.add_kept() = FromKept(catalogue, kept);
  }
}

template <typename Response>
void AddGrace(const vault::Erasure& erasure, Response& response) {
  if (!erasure.grace_until.has_value()) return;
  *response.mutable_grace_until_time() = FromTimestamp(*erasure.grace_until);
}

v1::ErasureState StateOf(const vault::Erasure& erasure) {
  if (erasure.stage != vault::ErasureStage::kSealed) {
    return v1::ERASURE_STATE_ACCEPTED;
  }
  return erasure.kept.empty() ? v1::ERASURE_STATE_SEALED
                              : v1::ERASURE_STATE_SEALED_IN_PART;
}

absl::StatusOr<v1::PlanErasureResponse> Plan(
    const policy::Catalogue& catalogue, const vault::Erasures& erasures,
    Attempt& attempt, const Call& call, const v1::PlanErasureRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const auto plan, erasures.Plan(attempt, call, subject));
  v1::PlanErasureResponse response;
  for (const vault::ErasurePlan::Class& planned : plan.classes) {
    v1::PlannedClass& added = *response.add_classes();
    if (planned.spec != nullptr) added.set_record_class(planned.spec->name);
    added.set_records(static_cast<int32_t>(planned.records));
    added.set_fate(planned.kept.has_value() ? v1::CLASS_FATE_KEEP
                                            : v1::CLASS_FATE_SHRED);
    if (planned.kept.has_value()) {
      *added.mutable_kept() = FromKept(catalogue, *planned.kept);
    }
  }
  response.set_index_shards(static_cast<int32_t>(plan.index_shards));
  return response;
}

absl::StatusOr<v1::ExecuteErasureResponse> Execute(
    const policy::Catalogue& catalogue, const vault::Erasures& erasures,
    Attempt& attempt, const Call& call,
    const v1::ExecuteErasureRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const auto erasure,
                   erasures.Execute(attempt, call, subject,
                                    std::chrono::days(request.grace_days())));
  v1::ExecuteErasureResponse response;
  response.set_state(StateOf(erasure));
  *response.mutable_accept_time() = FromTimestamp(erasure.accepted);
  AddGrace(erasure, response);
  AddKept(catalogue, erasure.kept, response);
  return response;
}

absl::StatusOr<v1::CancelErasureResponse> Cancel(
    const vault::Erasures& erasures, Attempt& attempt, const Call& call,
    const v1::CancelErasureRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  RETURN_IF_ERROR(erasures.Cancel(attempt, call, subject));
  return v1::CancelErasureResponse();
}

absl::StatusOr<v1::GetErasureReceiptResponse> Get(
    const policy::Catalogue& catalogue, const vault::Erasures& erasures,
    std::string_view verifier_key, Attempt& attempt, const Call& call,
    const v1::GetErasureReceiptRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const auto erasure, erasures.Get(attempt, call, subject));
  v1::GetErasureReceiptResponse response;
  response.set_state(StateOf(erasure));
  *response.mutable_accept_time() = FromTimestamp(erasure.accepted);
  for (const std::string& receipt : erasure.receipts) {
    if (response.receipt().empty()) {
      response.set_receipt(receipt);
    } else {
      response.add_addenda(receipt);
    }
  }
  AddGrace(erasure, response);
  AddKept(catalogue, erasure.kept, response);
  response.set_verifier_key(std::string(verifier_key));
  return response;
}

absl::StatusOr<v1::VerifyErasedResponse> Verify(
    const policy::Catalogue& catalogue, const vault::Erasures& erasures,
    Attempt& attempt, const Call& call,
    const v1::VerifyErasedRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const auto check, erasures.Verify(attempt, call, subject));
  v1::VerifyErasedResponse response;
  response.set_erased(check.erased());
  response.set_keys_gone(check.keys_gone);
  response.set_records_gone(check.records_gone);
  response.set_receipt_valid(check.receipts_valid);
  AddKept(catalogue, check.kept, response);
  return response;
}

}  // namespace

absl::Status AddErasures(const Adder& adder, const vault::Store& store) {
  const policy::Catalogue& catalogue = adder.catalogue;
  const vault::Erasures& erasures = store.erasures();
  RETURN_IF_ERROR((adder.Add<v1::PlanErasureRequest, v1::PlanErasureResponse>(
      "ErasureService.PlanErasure", Lane::kServe,
      [&catalogue, &erasures](Attempt& attempt, const Call& call,
                              const auto& request) {
        return Plan(catalogue, erasures, attempt, call, request);
      })));
  RETURN_IF_ERROR(
      (adder.Add<v1::ExecuteErasureRequest, v1::ExecuteErasureResponse>(
          "ErasureService.ExecuteErasure", Lane::kServe,
          [&catalogue, &erasures](Attempt& attempt, const Call& call,
                                  const auto& request) {
            return Execute(catalogue, erasures, attempt, call, request);
          })));
  RETURN_IF_ERROR(
      (adder.Add<v1::CancelErasureRequest, v1::CancelErasureResponse>(
          "ErasureService.CancelErasure", Lane::kServe,
          [&erasures](Attempt& attempt, const Call& call, const auto& request) {
            return Cancel(erasures, attempt, call, request);
          })));
  RETURN_IF_ERROR(
      (adder.Add<v1::GetErasureReceiptRequest, v1::GetErasureReceiptResponse>(
          "ErasureService.GetErasureReceipt", Lane::kServe,
          [&catalogue, &store](Attempt& attempt, const Call& call,
                               const auto& request) {
            return Get(catalogue, store.erasures(), store.log().verifier_key(),
                       attempt, call, request);
          })));
  return adder.Add<v1::VerifyErasedRequest, v1::VerifyErasedResponse>(
      "ErasureService.VerifyErased", Lane::kServe,
      [&catalogue, &erasures](Attempt& attempt, const Call& call,
                              const auto& request) {
        return Verify(catalogue, erasures, attempt, call, request);
      });
}

}  // namespace hizo::rpc
