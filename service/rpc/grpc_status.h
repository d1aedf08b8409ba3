// From Hizo's errors to gRPC's: the reason's code and fixed text, with
// google.rpc.ErrorInfo{reason, domain "hizo"} and, for a field at fault, its
// name from the catalogue as metadata; where it says when to repeat the call,
// with google.rpc.RetryInfo. Nothing else gets out.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_RPC_GRPC_STATUS_H_
#define HIZO_SERVICE_RPC_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "service/policy/catalogue.h"

namespace hizo::rpc {

grpc::Status ToGrpcStatus(const absl::Status& status,
                          const policy::Catalogue& catalogue);

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_GRPC_STATUS_H_
