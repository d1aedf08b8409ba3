#include "hizo/v1/admin.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {

using vault::Attempt;
using vault::Call;

absl::Status AddPurges(const Adder& adder, const vault::Store& store) {
  vault::Purges& purges = store.purges();
  return adder.Add<v1::RunPurgeRequest, v1::RunPurgeResponse>(
      "AdminService.RunPurge", Lane::kServe,
      [&purges](Attempt& attempt, const Call& call,
                const auto&) -> absl::StatusOr<v1::RunPurgeResponse> {
        ASSIGN_OR_RETURN(const auto purge, purges.Begin(attempt, call));
        v1::RunPurgeResponse response;
        *response.mutable_purge() = FromPurge(purge);
        return response;
      });
}

}  // namespace hizo::rpc
