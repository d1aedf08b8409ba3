#include "service/rpc/server_tls.h"

#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpcpp/security/server_credentials.h>

#include <string_view>
#include <utility>

#include "service/rpc/caller.h"

namespace hizo::rpc {
namespace {

using FromDescriptor = grpc::ServerBuilder::experimental_type;

std::string_view TextOf(const grpc_slice& slice) {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)),
          GRPC_SLICE_LENGTH(slice)};
}

}  // namespace

// What gRPC's C++ side knows of the above: its own credentials can be given
// certificates once only, or watch files that they trust blindly.
class ServerTls::Credentials final : public grpc::ServerCredentials {
 public:
  explicit Credentials(ServerTls& tls)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
                &ServerTls::Fetch, &tls))) {
    grpc_auth_metadata_processor gate{};
    gate.process = &ServerTls::Gate;
    gate.state = &tls;
    grpc_server_credentials_set_auth_metadata_processor(credentials_, gate);
  }
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  ~Credentials() override { grpc_server_credentials_release(credentials_); }

  // The gate above is the only one.
  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& /*other*/) override {}

 private:
  int AddPortToServer(const std::string& address,
                      grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

ServerTls::ServerTls(TlsFiles files, const policy::AccessTable* reflection_for)
    : reflection_for_(reflection_for), files_(std::move(files)) {}

void ServerTls::Replace(TlsFiles files) {
  const base::MutexLock lock(mutex_);
  files_ = std::move(files);
  ++version_;
}

std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor>
ServerTls::AddTo(grpc::ServerBuilder& builder) {
  return builder.experimental().AddExternalConnectionAcceptor(
      FromDescriptor::ExternalConnectionType::FROM_FD,
      std::make_shared<Credentials>(*this));
}

grpc_ssl_certificate_config_reload_status ServerTls::Fetch(
    void* self, grpc_ssl_server_certificate_config** config) {
  ServerTls& tls = *static_cast<ServerTls*>(self);
  const base::MutexLock lock(tls.mutex_);
  if (tls.fetched_ == tls.version_) {
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  }
  tls.fetched_ = tls.version_;
  const grpc_ssl_pem_key_cert_pair pair{tls.files_.key.c_str(),
                                        tls.files_.certificate.c_str()};
  *config = grpc_ssl_server_certificate_config_create(
      tls.files_.client_ca.c_str(), &pair, 1);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

bool ServerTls::MayReflect(const grpc_auth_context& context) const {
  const policy::Principal* principal =
      reflection_for_->Find(PeerSpiffeId(context));
  return principal != nullptr &&
         principal->Is(policy::RoleKind::kAdministrator);
}

void ServerTls::Gate(void* self, grpc_auth_context* context,
                     const grpc_metadata* metadata, size_t count,
                     grpc_process_auth_metadata_done_cb done, void* call) {
  const ServerTls& tls = *static_cast<const ServerTls*>(self);
  grpc_status_code code = GRPC_STATUS_OK;
  const char* text = nullptr;
  for (size_t i = 0; i < count; ++i) {
    if (TextOf(metadata[i].key) != ":path" ||
        !TextOf(metadata[i].value).starts_with("/grpc.reflec")) {
      continue;
    }
    if (tls.reflection_for_ == nullptr) {
      code = GRPC_STATUS_UNIMPLEMENTED;
      text = "reflection is off";
    } else if (!tls.MayReflect(*context)) {
      code = GRPC_STATUS_PERMISSION_DENIED;
      text = "reflection is for administrators";
    }
  }
  done(call, nullptr, 0, nullptr, 0, code, text);
}

}  // namespace hizo::rpc
