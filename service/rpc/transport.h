// Transport: every method's bytes in and out, over gRPC's completion queues.
//
// One generic service receives all methods, so that dispatch sees every call
// that a peer can make, known or not, well-formed or not. The number of calls
// served at once is fixed when it starts: each has a slot, and a call that
// finds none waits in its connection. A caller holds only so many of them, and
// none for longer than the calls' idle time without a byte moving. Nothing here
// understands a message.
//
// Threads: Start and Stop from one thread, CancelIdle from any. Lifetime: the
// dispatch and methods outlive it.
#ifndef HIZO_SERVICE_RPC_TRANSPORT_H_
#define HIZO_SERVICE_RPC_TRANSPORT_H_

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <thread>
#include <vector>

#include "service/base/mutex.h"
#include "service/policy/catalogue.h"
#include "service/rpc/caller_load.h"
#include "service/rpc/connections.h"
#include "service/rpc/dispatch.h"
#include "service/rpc/method_table.h"

namespace hizo::rpc {

class Transport {
 public:
  struct Options {
    size_t threads = 2;
    size_t calls_max = 1024;        // served at once
    size_t calls_per_caller = 256;  // of these
    // A call whose peer neither sends nor takes anything for so long is ended.
    std::chrono::milliseconds idle{30'000};
    // A larger message is refused as a call, as far as gRPC takes it in.
    size_t message_bytes_max = size_t{1} << 20;
    size_t stream_messages_max = 10'000;
    size_t stream_window = 64;  // items of one stream in work at once
    // Called by a thread that had nothing to do for kIdle; not if empty.
    std::function<void()> when_idle = nullptr;
  };
  static constexpr std::chrono::seconds kIdle{1};
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
  // Ends calls that wait for their peer for too long. To be called now and
  // then.
  void CancelIdle();

 private:
  class Slot;
  class Item;
  struct Waiting {
    Slot* slot;
    std::chrono::steady_clock::time_point since;
  };
  void Poll(grpc::ServerCompletionQueue& queue);

  const Parts parts_;
  const Options options_;
  Connections& connections_;
  CallerLoad load_;
  grpc::AsyncGenericService service_;
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues_;
  std::vector<std::thread> threads_;
  base::Mutex mutex_;
  base::Condition changed_;
  size_t slots_ HIZO_GUARDED_BY(mutex_) = 0;
  base::Mutex waiting_mutex_;
  // Slots that wait for their peer, longest first.
  std::list<Waiting> waiting_ HIZO_GUARDED_BY(waiting_mutex_);
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_TRANSPORT_H_
