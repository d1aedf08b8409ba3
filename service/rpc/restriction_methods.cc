#include "hizo/v1/restriction.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {
namespace {

using vault::Attempt;
using vault::Call;
using vault::RestrictionGround;

absl::StatusOr<RestrictionGround> ToGround(v1::RestrictionGround ground) {
  return ToEnum(ground, RestrictionGround::kAccuracyContested,
                RestrictionGround::kObjectionPending);
}

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

absl::StatusOr<v1::SetRestrictionResponse> Set(
    const vault::Restrictions& restrictions, Attempt& attempt, const Call& call,
    const v1::SetRestrictionRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const RestrictionGround ground, ToGround(request.ground()));
  ASSIGN_OR_RETURN(const base::Timestamp since,
                   restrictions.Set(attempt, call, subject, ground));
  v1::SetRestrictionResponse response;
  *response.mutable_set_time() = FromTimestamp(since);
  return response;
}

absl::StatusOr<v1::LiftRestrictionResponse> Lift(
    const vault::Restrictions& restrictions, Attempt& attempt, const Call& call,
    const v1::LiftRestrictionRequest& request) {
  ASSIGN_OR_RETURN(const auto subject,
                   ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(const RestrictionGround ground, ToGround(request.ground()));
  ASSIGN_OR_RETURN(const auto notice,
                   ToOptionalId<base::EvidenceId>(request.notice()));
  ASSIGN_OR_RETURN(const size_t left,
                   restrictions.Lift(attempt, call, subject, ground,
                                     notice.value_or(base::EvidenceId())));
  v1::LiftRestrictionResponse response;
  response.set_grounds(static_cast<int32_t>(left));
  return response;
}

absl::Status AddHolds(const Adder& adder, const vault::LegalHolds& holds) {
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

}  // namespace

absl::Status AddRestrictions(const Adder& adder, const vault::Store& store) {
  const vault::Restrictions& restrictions = store.restrictions();
  RETURN_IF_ERROR(AddHolds(adder, store.legal_holds()));
  RETURN_IF_ERROR(
      (adder.Add<v1::SetRestrictionRequest, v1::SetRestrictionResponse>(
          "RestrictionService.SetRestriction", Lane::kServe,
          [&restrictions](Attempt& attempt, const Call& call,
                          const auto& request) {
            return Set(restrictions, attempt, call, request);
          })));
  return adder.Add<v1::LiftRestrictionRequest, v1::LiftRestrictionResponse>(
      "RestrictionService.LiftRestriction", Lane::kServe,
      [&restrictions](Attempt& attempt, const Call& call, const auto& request) {
        return Lift(restrictions, attempt, call, request);
      });
}

}  // namespace hizo::rpc
