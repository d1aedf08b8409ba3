// Who calls: the SPIFFE id in the client certificate, and nothing else.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_RPC_CALLER_H_
#define HIZO_SERVICE_RPC_CALLER_H_

#include <grpc/grpc_security.h>
#include <grpcpp/security/auth_context.h>

#include <string>

namespace hizo::rpc {

// The peer's SPIFFE id; empty if it has none or is not authenticated.
std::string PeerSpiffeId(const grpc::AuthContext& context);
std::string PeerSpiffeId(const grpc_auth_context& context);

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_CALLER_H_
