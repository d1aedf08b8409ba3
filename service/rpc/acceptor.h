// Acceptor: takes connections and hands them to gRPC, within bounds.
//
// gRPC 1.51's own listener never accepts again once the process has run out of
// file descriptors (CVE-2023-4785), and knows no bound on connections. This one
// keeps a bound for all and for each origin, and a descriptor in reserve, so
// that it can always turn a connection away. It watches each connection by a
// second descriptor of the same socket: it sees its end, with or without a call
// served, and shuts it down if it sends more than its calls account for.
//
// Threads: one of its own between Start and the destructor; the methods from
// one thread.
#ifndef HIZO_SERVICE_RPC_ACCEPTOR_H_
#define HIZO_SERVICE_RPC_ACCEPTOR_H_

#include <grpcpp/server_builder.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "service/rpc/connections.h"
#include "service/rpc/listener.h"
#include "service/rpc/unserved_peers.h"

struct sockaddr_storage;

namespace hizo::rpc {

class Acceptor {
 public:
  using Grpc = grpc::experimental::ExternalConnectionAcceptor;

  struct Options {
    std::string listen;  // as Listener::Open takes it
    std::chrono::milliseconds unacknowledged{20'000};
    // Two descriptors a connection: half of what the process may have is used
    // for connections at most, whatever `limits` says.
    Connections::Limits limits;
  };
  // Listens; accepts nothing yet. kUnavailable if it cannot.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(
      const Options& options);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor();

  int port() const { return listener_.port; }
  Connections& connections() { return connections_; }

  // Begins to accept, after BuildAndStart. `unserved` outlives this; its Tick
  // and `tick` are called about each second.
  void Start(std::unique_ptr<Grpc> grpc, UnservedPeers& unserved,
             std::function<void()> tick);
  // Takes no more connections; goes on watching those that stand.
  void Close();

 private:
  Acceptor(Listener listener, const Connections::Limits& limits);
  absl::Status Prepare();
  void Run();
  void Handle(uint64_t tag, uint32_t events);
  void AcceptFrom(int listening);
  void Take(Descriptor made, const sockaddr_storage& from);
  // Accepts one with the descriptor in reserve, and closes it; false if even
  // that fails.
  bool TurnOneAway(int listening);
  // Has the sockets listened on watched, or not.
  enum class Watch : uint8_t { kOn, kOff };
  void WatchListening(Watch watch);
  void EndConnection(Connections::Number number);
  void Inspect();

  Listener listener_;
  Connections connections_;
  Descriptor epoll_;
  Descriptor wake_;
  Descriptor reserve_;
  std::unique_ptr<Grpc> grpc_;
  UnservedPeers* unserved_ = nullptr;
  std::function<void()> tick_;
  std::atomic<bool> closing_{false};
  std::atomic<bool> stopping_{false};
  // The thread's own.
  bool accepting_ = true;
  std::map<Connections::Number, Descriptor> watched_;
  std::thread thread_;
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_ACCEPTOR_H_
