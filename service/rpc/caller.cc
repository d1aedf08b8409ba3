#include "service/rpc/caller.h"

namespace hizo::rpc {

std::string PeerSpiffeId(const grpc::AuthContext& context) {
  if (!context.IsPeerAuthenticated()) return {};
  const auto values = context.FindPropertyValues("peer_spiffe_id");
  if (values.size() != 1) return {};
  return {values.front().data(), values.front().size()};
}

}  // namespace hizo::rpc
