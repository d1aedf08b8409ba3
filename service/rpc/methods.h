// Methods: each call of the API, joined to its use case.
//
// Threads: called once, at start.
#ifndef HIZO_SERVICE_RPC_METHODS_H_
#define HIZO_SERVICE_RPC_METHODS_H_

#include <functional>

#include "absl/status/statusor.h"
#include "hizo/v1/admin.pb.h"
#include "service/policy/catalogue.h"
#include "service/rpc/method_table.h"
#include "service/vault/store.h"

namespace hizo::rpc {

// What GetStatus tells; asked at each call.
using ReadStatus = std::function<v1::GetStatusResponse()>;

// The table of all methods; kInternal if one is missing or says nothing of its
// action. `store` and `catalogue` outlive the table.
absl::StatusOr<MethodTable> MakeMethods(const vault::Store& store,
                                        const policy::Catalogue& catalogue,
                                        ReadStatus read_status);

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_METHODS_H_
