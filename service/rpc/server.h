// Server: gRPC over mutual TLS, with health and reflection beside Hizo's own
// services.
//
// Only peers with a certificate of the configured authority get through the
// handshake; who they are is decided per call. Who gets no call served is
// counted, and the counts go into the audit log. Compression is off: a small
// message that inflates to a large one would get past every bound on sizes.
// Headers, streams, pings and the life of a connection are bounded.
//
// Threads: Start, SetServing and Stop from one thread; the rest from any.
#ifndef HIZO_SERVICE_RPC_SERVER_H_
#define HIZO_SERVICE_RPC_SERVER_H_

#include <grpcpp/server.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/policy/access_table.h"
#include "service/rpc/acceptor.h"
#include "service/rpc/health.h"
#include "service/rpc/method_table.h"
#include "service/rpc/server_tls.h"
#include "service/rpc/transport.h"
#include "service/rpc/unserved_peers.h"
#include "service/vault/store.h"

namespace hizo::rpc {

// How many connections there may be, and what each may do for how long.
struct ConnectionLimits {
  size_t all = 1024;
  size_t per_address = 256;
  size_t streams_max = 128;  // calls under way at once on one connection
  std::chrono::milliseconds handshake{5'000};
  // The server asks after so long a silence, and closes if no answer comes.
  std::chrono::milliseconds keepalive{60'000};
  std::chrono::milliseconds keepalive_timeout{20'000};
  std::chrono::milliseconds idle{900'000};   // without a call
  std::chrono::milliseconds age{3'600'000};  // then it takes no more calls
  std::chrono::milliseconds age_grace{300'000};
};

class Server {
 public:
  struct Options {
    std::string listen;  // "127.0.0.1:7443"; port 0 picks one
    TlsFiles tls;
    bool reflection = false;
    size_t message_bytes_max = 4 * 1024 * 1024;
    ConnectionLimits connections;
    Transport::Options transport;
  };
  struct Parts {
    Transport::Parts transport;
    const policy::AccessTable& access;
    vault::Store& store;
    const base::Clock& clock;
  };

  // kUnavailable if the address cannot be listened on or the certificates
  // cannot be used. Serves as soon as it returns; reports NOT_SERVING until
  // SetServing(kServing).
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Parts& parts,
                                                       const Options& options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  enum class Health { kServing, kNotServing };
  void SetServing(Health health);
  int port() const { return acceptor_->port(); }
  // Handshakes begun from now on use these; connections that stand go on.
  void ReplaceTls(TlsFiles files) { tls_.Replace(std::move(files)); }

  // Reports NOT_SERVING, takes no new calls, gives those under way `grace` to
  // finish, then ends.
  void Stop(std::chrono::milliseconds grace);

 private:
  Server(const Parts& parts, const Options& options,
         std::unique_ptr<Acceptor> acceptor);
  // Known to gRPC by address until it has ended.
  std::vector<std::unique_ptr<grpc::Service>> services_;
  ServerTls tls_;
  UnservedPeers unserved_;
  std::unique_ptr<Acceptor> acceptor_;
  HealthService health_;
  Transport transport_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_SERVER_H_
