// Transport: every method's bytes in and out, over gRPC's completion queues.
//
// One generic service receives all methods, so that dispatch sees every call
// that a peer can make, known or not, well-formed or not. The number of calls
// served at once is fixed when it starts: each has a slot, and a call that
// finds none waits in its connection. Nothing here understands a message.
//
// Threads: Start and Stop from one thread. Lifetime: the dispatch and methods
// outlive it.
#ifndef HIZO_SERVICE_RPC_TRANSPORT_H_
#define HIZO_SERVICE_RPC_TRANSPORT_H_

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server_builder.h>

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "service/base/mutex.h"
#include "service/policy/catalogue.h"
#include "service/rpc/connections.h"
#include "service/rpc/dispatch.h"
#include "service/rpc/method_table.h"

namespace hizo::rpc {

class Transport {
 public:
  struct Options {
    size_t threads = 2;
    size_t calls_max = 1024;  // served at once
    size_t stream_messages_max = 10'000;
    size_t stream_window = 64;  // items of one stream in work at once
  };
  struct Parts {
    const MethodTable& methods;
    Dispatch& dispatch;
    const policy::Catalogue& catalogue;
  };
  // `connections` is told what comes over each, and outlives it.
  Transport(const Parts& parts, const Options& options,
            Connections& connections);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  ~Transport();

  // Adds the service and its queues to the builder, before BuildAndStart.
  void Register(grpc::ServerBuilder& builder);
  // Begins to serve, after BuildAndStart.
  void Start();
  // Ends, after grpc::Server::Shutdown returned: waits until every call is
  // answered, then joins the threads.
  void Stop();

 private:
  class Slot;
  class Item;
  void Poll(grpc::ServerCompletionQueue& queue);

  const Parts parts_;
  const Options options_;
  Connections& connections_;
  grpc::AsyncGenericService service_;
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues_;
  std::vector<std::thread> threads_;
  base::Mutex mutex_;
  base::Condition changed_;
  size_t slots_ HIZO_GUARDED_BY(mutex_) = 0;
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_TRANSPORT_H_
