#include "service/rpc/server.h"

#include <grpc/impl/codegen/compression_types.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/method_handler.h>
#include <grpcpp/support/server_interceptor.h>

#include <set>
#include <string_view>
#include <utility>

#include "service/base/status_macros.h"
#include "service/rpc/endpoint.h"

namespace hizo::rpc {
namespace {

constexpr char kReflectionPath[] = "/grpc.reflec";
constexpr int kMetadataBytesMax = 8 * 1024;
// What gRPC takes in of a message, as a multiple of what a message may have: so
// that one somewhat too large is answered like any other refusal.
constexpr size_t kReadFactor = 2;
// A peer may ask whether the server is there this often, and be early so many
// times before its connection is closed.
constexpr int kPingIntervalMinMs = 30'000;
constexpr int kPingStrikesMax = 2;

// Notes calls of reflection, which is gRPC's own; the other services note
// theirs. gRPC knows the peer of a call only once it has begun.
class ReflectionCall final : public grpc::experimental::Interceptor {
 public:
  ReflectionCall(grpc::ServerContextBase& call, Connections& connections)
      : call_(call), connections_(connections) {}
  void Intercept(
      grpc::experimental::InterceptorBatchMethods* methods) override {
    const auto peer = ParsePeer(call_.peer());
    if (peer.has_value()) connections_.CallBegan(*peer);
    methods->Proceed();
  }

 private:
  grpc::ServerContextBase& call_;
  Connections& connections_;
};

class ReflectionCalls final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit ReflectionCalls(Connections& connections)
      : connections_(connections) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    const std::string_view method(info->method());
    if (!method.starts_with(kReflectionPath)) return nullptr;
    return new ReflectionCall(*info->server_context(), connections_);
  }

 private:
  Connections& connections_;
};

// A service by name, so that reflection lists it: gRPC lists those that handle
// a method of their own, and all of Hizo's go to the generic service. The one
// method here has a name that no proto method can have, and is unimplemented.
class NamedService final : public grpc::Service {
 public:
  explicit NamedService(const std::string& service)
      : path_("/" + service + "/-") {
    AddMethod(new grpc::internal::RpcServiceMethod(
        path_.c_str(), grpc::internal::RpcMethod::NORMAL_RPC,
        new grpc::internal::UnknownMethodHandler("")));
  }

 private:
  const std::string path_;  // gRPC keeps the pointer
};

std::set<std::string> ServiceNames(const MethodTable& methods) {
  std::set<std::string> names;
  for (const auto& [path, method] : methods.methods()) {
    names.insert(path.substr(1, path.rfind('/') - 1));
  }
  return names;
}

std::vector<std::unique_ptr<grpc::Service>> NamedServices(
    const MethodTable& methods) {
  std::vector<std::unique_ptr<grpc::Service>> services;
  for (const std::string& name : ServiceNames(methods)) {
    services.push_back(std::make_unique<NamedService>(name));
  }
  return services;
}

void OfferReflection(grpc::ServerBuilder& builder, Connections& connections) {
  std::vector<
      std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
      factories;
  factories.push_back(std::make_unique<ReflectionCalls>(connections));
  builder.experimental().SetInterceptorCreators(std::move(factories));
}

Acceptor::Options AcceptorOptions(const Server::Options& options) {
  const ConnectionLimits& limits = options.connections;
  return {options.listen,
          limits.keepalive_timeout,
          {limits.all, limits.per_address,
           kReadFactor * options.message_bytes_max}};
}

Transport::Options TransportOptions(const Server::Options& options) {
  Transport::Options transport = options.transport;
  transport.message_bytes_max = options.message_bytes_max;
  return transport;
}

void SetConnectionLimits(grpc::ServerBuilder& builder,
                         const ConnectionLimits& limits) {
  const auto set_time = [&builder](const char* name,
                                   std::chrono::milliseconds time) {
    builder.AddChannelArgument(name, static_cast<int>(time.count()));
  };
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             static_cast<int>(limits.streams_max));
  set_time(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, limits.handshake);
  set_time(GRPC_ARG_KEEPALIVE_TIME_MS, limits.keepalive);
  set_time(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, limits.keepalive_timeout);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
      kPingIntervalMinMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kPingStrikesMax);
  set_time(GRPC_ARG_MAX_CONNECTION_IDLE_MS, limits.idle);
  set_time(GRPC_ARG_MAX_CONNECTION_AGE_MS, limits.age);
  set_time(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, limits.age_grace);
}

void SetLimits(grpc::ServerBuilder& builder, size_t message_bytes_max) {
  builder.SetMaxReceiveMessageSize(
      static_cast<int>(kReadFactor * message_bytes_max));
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // What nobody asks, and a timer for each call: dispatch looks at the deadline
  // before it begins, and a caller that gives up resets its stream.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  // The threads of health and reflection, the synchronous services.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
}

}  // namespace

Server::Server(const Parts& parts, const Options& options,
               std::unique_ptr<Acceptor> acceptor)
    : services_(NamedServices(parts.transport.methods)),
      tls_(options.tls, options.reflection ? &parts.access : nullptr),
      unserved_(UnservedPeers::Parts{parts.store, parts.clock,
                                     parts.transport.catalogue.version()}),
      acceptor_(std::move(acceptor)),
      health_(ServiceNames(parts.transport.methods), acceptor_->connections()),
      transport_(parts.transport, TransportOptions(options),
                 acceptor_->connections()) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Parts& parts,
                                                      const Options& options) {
  ASSIGN_OR_RETURN(auto acceptor, Acceptor::Listen(AcceptorOptions(options)));
  grpc::EnableDefaultHealthCheckService(false);
  if (options.reflection) {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  }
  auto server =
      std::unique_ptr<Server>(new Server(parts, options, std::move(acceptor)));
  grpc::ServerBuilder builder;
  SetLimits(builder, options.message_bytes_max);
  SetConnectionLimits(builder, options.connections);
  if (options.reflection) {
    OfferReflection(builder, server->acceptor_->connections());
  }
  auto connections = server->tls_.AddTo(builder);
  for (const auto& service : server->services_) {
    builder.RegisterService(service.get());
  }
  builder.RegisterService(&server->health_);
  server->transport_.Register(builder);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr) {
    return absl::UnavailableError(
        "cannot serve: the certificate and its key do not fit");
  }
  server->transport_.Start();
  server->acceptor_->Start(
      std::move(connections), server->unserved_,
      [&transport = server->transport_] { transport.CancelIdle(); });
  return server;
}

Server::~Server() { Stop(std::chrono::milliseconds(0)); }

void Server::SetServing(Health health) {
  health_.Set(health == Health::kServing ? HealthService::State::kServing
                                         : HealthService::State::kNotServing);
}

void Server::Stop(std::chrono::milliseconds grace) {
  if (server_ == nullptr) return;
  SetServing(Health::kNotServing);
  health_.End();
  acceptor_->Close();
  server_->Shutdown(std::chrono::system_clock::now() + grace);
  transport_.Stop();
  server_.reset();
  acceptor_.reset();
  unserved_.Close();
}

}  // namespace hizo::rpc
