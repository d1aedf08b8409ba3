#include "service/rpc/health.h"

#include <chrono>
#include <optional>
#include <utility>

#include "service/rpc/endpoint.h"

namespace hizo::rpc {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// gRPC tells a synchronous call only when asked that its peer has gone.
constexpr std::chrono::seconds kPeerCheckInterval{1};

void NoteCall(const grpc::ServerContext& call, Connections& connections) {
  const auto peer = ParsePeer(call.peer());
  if (peer.has_value()) connections.CallBegan(*peer);
}

}  // namespace

HealthService::HealthService(std::set<std::string> services,
                             Connections& connections)
    : services_([&services] {
        services.insert("");
        return std::move(services);
      }()),
      connections_(connections) {}

void HealthService::Set(State state) {
  const base::MutexLock lock(mutex_);
  state_ = state;
  changed_.notify_all();
}

void HealthService::End() {
  const base::MutexLock lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

grpc::Status HealthService::Check(grpc::ServerContext* context,
                                  const HealthCheckRequest* request,
                                  HealthCheckResponse* response) {
  NoteCall(*context, connections_);
  if (!services_.contains(request->service())) {
    return {grpc::StatusCode::NOT_FOUND, "there is no such service"};
  }
  const base::MutexLock lock(mutex_);
  response->set_status(state_ == State::kServing
                           ? HealthCheckResponse::SERVING
                           : HealthCheckResponse::NOT_SERVING);
  return grpc::Status::OK;
}

grpc::Status HealthService::Watch(
    grpc::ServerContext* context, const HealthCheckRequest* request,
    grpc::ServerWriter<HealthCheckResponse>* writer) {
  NoteCall(*context, connections_);
  const bool known = services_.contains(request->service());
  std::optional<HealthCheckResponse::ServingStatus> told;
  bool peer_listens = true;
  mutex_.lock();
  if (watches_ == kWatchesMax) {
    mutex_.unlock();
    return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watches"};
  }
  ++watches_;
  while (peer_listens) {
    HealthCheckResponse response;
    response.set_status(!known ? HealthCheckResponse::SERVICE_UNKNOWN
                        : state_ == State::kServing
                            ? HealthCheckResponse::SERVING
                            : HealthCheckResponse::NOT_SERVING);
    if (told != response.status()) {
      told = response.status();
      mutex_.unlock();
      peer_listens = writer->Write(response);
      mutex_.lock();
      continue;
    }
    if (ended_) break;
    changed_.wait_for(mutex_, kPeerCheckInterval);
    peer_listens = !context->IsCancelled();
  }
  --watches_;
  mutex_.unlock();
  return {grpc::StatusCode::CANCELLED, "the watch has ended"};
}

}  // namespace hizo::rpc
