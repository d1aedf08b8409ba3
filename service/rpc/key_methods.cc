#include "hizo/v1/admin.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {

using vault::Attempt;
using vault::Call;

absl::Status AddKeys(const Adder& adder, const vault::Store& store) {
  const vault::KeyRotations& rotations = store.key_rotations();
  return adder.Add<v1::RotateKeysRequest, v1::RotateKeysResponse>(
      "AdminService.RotateKeys", Lane::kServe,
      [&rotations](Attempt& attempt, const Call& call, const auto& request)
          -> absl::StatusOr<v1::RotateKeysResponse> {
        ASSIGN_OR_RETURN(const auto rotation,
                         rotations.Begin(attempt, call, request.data_keys()));
        v1::RotateKeysResponse response;
        *response.mutable_key_rotation() = FromKeyRotation(rotation);
        return response;
      });
}

}  // namespace hizo::rpc
