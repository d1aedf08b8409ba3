// Server: gRPC over mutual TLS, with health and reflection beside Hizo's own
// services.
//
// Only peers with a certificate of the configured authority get through the
// handshake; who they are is decided per call. Reflection is for
// administrators. Compression is off: a small message that inflates to a large
// one would get past every bound on sizes.
//
// Threads: Start, SetServing and Stop from one thread.
#ifndef HIZO_SERVICE_RPC_SERVER_H_
#define HIZO_SERVICE_RPC_SERVER_H_

#include <grpcpp/server.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "service/policy/access_table.h"
#include "service/rpc/health.h"
#include "service/rpc/method_table.h"
#include "service/rpc/transport.h"

namespace hizo::rpc {

struct TlsFiles {
  std::string certificate;  // PEM text, the chain from the leaf up
  std::string key;          // PEM text
  std::string client_ca;    // PEM text: who signs callers
};

class Server {
 public:
  struct Options {
    std::string listen;  // "127.0.0.1:7443"; port 0 picks one
    TlsFiles tls;
    bool reflection = false;
    size_t message_bytes_max = 4 * 1024 * 1024;
    Transport::Options transport;
  };
  struct Parts {
    Transport::Parts transport;
    const policy::AccessTable& access;
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
  int port() const { return port_; }

  // Reports NOT_SERVING, takes no new calls, gives those under way `grace` to
  // finish, then ends.
  void Stop(std::chrono::milliseconds grace);

 private:
  explicit Server(const Parts& parts, const Options& options);
  // Known to gRPC by address until it has ended.
  std::vector<std::unique_ptr<grpc::Service>> services_;
  HealthService health_;
  Transport transport_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_SERVER_H_
