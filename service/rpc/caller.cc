#include "service/rpc/caller.h"

namespace hizo::rpc {
namespace {

constexpr char kSpiffeId[] = "peer_spiffe_id";

}  // namespace

std::string PeerSpiffeId(const grpc::AuthContext& context) {
  if (!context.IsPeerAuthenticated()) return {};
  const auto values = context.FindPropertyValues(kSpiffeId);
  if (values.size() != 1) return {};
  return {values.front().data(), values.front().size()};
}

std::string PeerSpiffeId(const grpc_auth_context& context) {
  if (grpc_auth_context_peer_is_authenticated(&context) == 0) return {};
  grpc_auth_property_iterator values =
      grpc_auth_context_find_properties_by_name(&context, kSpiffeId);
  const grpc_auth_property* first = grpc_auth_property_iterator_next(&values);
  if (first == nullptr ||
      grpc_auth_property_iterator_next(&values) != nullptr) {
    return {};
  }
  return {first->value, first->value_length};
}

}  // namespace hizo::rpc
