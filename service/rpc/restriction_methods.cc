#include "hizo/v1/restriction.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {
namespace {

using vault::Attempt;
using vault::Call;

template <typename Request>
absl::StatusOr<vault::LegalHoldInput> ToInput(const Request& request) {
  vault::LegalHoldInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(input.claim, ToId<base::ClaimId>(request.claim()));
  input.record_class = request.record_class();
  return input;
}

template <typename Response>
Response FromHolds(size_t holds) {
  Response response;
  response.set_holds(static_cast<int32_t>(holds));
  return response;
}

}  // namespace

absl::Status AddRestrictions(const Adder& adder, const vault::Store& store) {
  const vault::LegalHolds& holds = store.legal_holds();
  RETURN_IF_ERROR(
      (adder.Add<v1::PlaceLegalHoldRequest, v1::PlaceLegalHoldResponse>(
          "RestrictionService.PlaceLegalHold", Lane::kServe,
          [&holds](Attempt& attempt, const Call& call, const auto& request)
              -> absl::StatusOr<v1::PlaceLegalHoldResponse> {
            ASSIGN_OR_RETURN(const auto input, ToInput(request));
            ASSIGN_OR_RETURN(const size_t held,
                             holds.Place(attempt, call, input));
            return FromHolds<v1::PlaceLegalHoldResponse>(held);
          })));
  return adder.Add<v1::ReleaseLegalHoldRequest, v1::ReleaseLegalHoldResponse>(
      "RestrictionService.ReleaseLegalHold", Lane::kServe,
      [&holds](Attempt& attempt, const Call& call, const auto& request)
          -> absl::StatusOr<v1::ReleaseLegalHoldResponse> {
        ASSIGN_OR_RETURN(const auto input, ToInput(request));
        ASSIGN_OR_RETURN(const size_t held,
                         holds.Release(attempt, call, input));
        return FromHolds<v1::ReleaseLegalHoldResponse>(held);
      });
}

}  // namespace hizo::rpc
