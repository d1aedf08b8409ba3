// ServerTls: the certificates that the server shows and trusts. They can be
// replaced while it serves: handshakes begun from then on use the new ones,
// connections that stand go on.
//
// It checks nothing but what gRPC checks; a set that gRPC cannot use leaves the
// former one in place. It is also the gate of reflection, because gRPC asks
// both of one object: reflection is for administrators, if it is on.
//
// Threads: Replace may be called concurrently with serving. Lifetime: outlives
// the grpc::Server that it was added to, as the access table outlives it.
#ifndef HIZO_SERVICE_RPC_SERVER_TLS_H_
#define HIZO_SERVICE_RPC_SERVER_TLS_H_

#include <grpc/grpc_security.h>
#include <grpcpp/server_builder.h>

#include <cstdint>
#include <memory>
#include <string>

#include "service/base/mutex.h"
#include "service/policy/access_table.h"

namespace hizo::rpc {

struct TlsFiles {
  std::string certificate;  // PEM text, the chain from the leaf up
  std::string key;          // PEM text
  std::string client_ca;    // PEM text: who signs callers
};

class ServerTls {
 public:
  // Reflection is off where `reflection_for` is nullptr: gRPC offers it as soon
  // as its library is there.
  ServerTls(TlsFiles files, const policy::AccessTable* reflection_for);
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;

  void Replace(TlsFiles files);

  // The way in for connections, which all are served with these certificates;
  // before BuildAndStart.
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> AddTo(
      grpc::ServerBuilder& builder);

 private:
  class Credentials;
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config);
  static void Gate(void* self, grpc_auth_context* context,
                   const grpc_metadata* metadata, size_t count,
                   grpc_process_auth_metadata_done_cb done, void* call);
  bool MayReflect(const grpc_auth_context& context) const;

  const policy::AccessTable* const reflection_for_;
  base::Mutex mutex_;
  TlsFiles files_ HIZO_GUARDED_BY(mutex_);
  uint64_t version_ HIZO_GUARDED_BY(mutex_) = 1;
  uint64_t fetched_ HIZO_GUARDED_BY(mutex_) = 0;
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_SERVER_TLS_H_
