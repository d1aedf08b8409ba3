#include "service/rpc/server.h"

#include <grpc/impl/codegen/compression_types.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/method_handler.h>
#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/server_credentials.h>

#include <set>
#include <utility>

#include "service/rpc/caller.h"

namespace hizo::rpc {
namespace {

constexpr int kMetadataBytesMax = 8 * 1024;
constexpr int kStreamsPerConnectionMax = 256;
constexpr int kHandshakeTimeoutMs = 5'000;

// Lets reflection through for administrators only; says nothing to the rest.
class ReflectionGate final : public grpc::AuthMetadataProcessor {
 public:
  // `access` is nullptr where reflection is off: gRPC offers it as soon as its
  // library is there.
  explicit ReflectionGate(const policy::AccessTable* access)
      : access_(access) {}
  bool IsBlocking() const override { return false; }
  grpc::Status Process(const InputMetadata& metadata,
                       grpc::AuthContext* context, OutputMetadata* /*consumed*/,
                       OutputMetadata* /*response*/) override {
    const auto path = metadata.find(":path");
    if (path == metadata.end() || !path->second.starts_with("/grpc.reflec")) {
      return grpc::Status::OK;
    }
    if (access_ == nullptr) {
      return {grpc::StatusCode::UNIMPLEMENTED, "reflection is off"};
    }
    const policy::Principal* principal = access_->Find(PeerSpiffeId(*context));
    if (principal != nullptr &&
        principal->Is(policy::RoleKind::kAdministrator)) {
      return grpc::Status::OK;
    }
    return {grpc::StatusCode::PERMISSION_DENIED,
            "reflection is for administrators"};
  }

 private:
  const policy::AccessTable* const access_;
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

std::shared_ptr<grpc::ServerCredentials> Credentials(
    const TlsFiles& tls, const policy::AccessTable* reflection_for) {
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls.client_ca;
  options.pem_key_cert_pairs.push_back({tls.key, tls.certificate});
  auto credentials = grpc::SslServerCredentials(options);
  credentials->SetAuthMetadataProcessor(
      std::make_shared<ReflectionGate>(reflection_for));
  return credentials;
}

void SetLimits(grpc::ServerBuilder& builder, size_t message_bytes_max) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(message_bytes_max));
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             kStreamsPerConnectionMax);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // The threads of health and reflection, the synchronous services.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
}

}  // namespace

Server::Server(const Parts& parts, const Options& options)
    : services_(NamedServices(parts.transport.methods)),
      health_(ServiceNames(parts.transport.methods)),
      transport_(parts.transport, options.transport) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Parts& parts,
                                                      const Options& options) {
  grpc::EnableDefaultHealthCheckService(false);
  if (options.reflection) {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  }
  auto server = std::unique_ptr<Server>(new Server(parts, options));
  grpc::ServerBuilder builder;
  SetLimits(builder, options.message_bytes_max);
  builder.AddListeningPort(
      options.listen,
      Credentials(options.tls, options.reflection ? &parts.access : nullptr),
      &server->port_);
  for (const auto& service : server->services_) {
    builder.RegisterService(service.get());
  }
  builder.RegisterService(&server->health_);
  server->transport_.Register(builder);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || server->port_ == 0) {
    return absl::UnavailableError(
        "cannot listen: the address is taken, or the certificate and its key "
        "do not fit");
  }
  server->transport_.Start();
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
  server_->Shutdown(std::chrono::system_clock::now() + grace);
  transport_.Stop();
  server_.reset();
}

}  // namespace hizo::rpc
