// HealthService: whether the server takes calls, as grpc.health.v1 asks it.
//
// gRPC's own health service brings threads that poll every connection beside
// ours: they take events that they must then hand over, at the cost of every
// call. This one is synchronous: one thread for all checks, one more for each
// watch, of which there are few.
//
// Tells nothing about anybody, so its calls are not audited. Threads: every
// method may be called concurrently. Lifetime: outlives the server that it is
// registered with.
#ifndef HIZO_SERVICE_RPC_HEALTH_H_
#define HIZO_SERVICE_RPC_HEALTH_H_

#include <set>
#include <string>

#include "grpc/health/v1/health.grpc.pb.h"
#include "service/base/mutex.h"
#include "service/rpc/connections.h"

namespace hizo::rpc {

class HealthService final : public grpc::health::v1::Health::Service {
 public:
  static constexpr int kWatchesMax = 8;

  // Knows `services`, and "" for the server as a whole; none serves yet.
  // `connections` is told of calls, and outlives it.
  HealthService(std::set<std::string> services, Connections& connections);

  enum class State { kNotServing, kServing };
  // Of every service; watches are told.
  void Set(State state);
  // Tells what there is to tell, and ends every watch.
  void End();

  // NOT_FOUND for a service that is not known.
  grpc::Status Check(grpc::ServerContext* context,
                     const grpc::health::v1::HealthCheckRequest* request,
                     grpc::health::v1::HealthCheckResponse* response) override;
  // SERVICE_UNKNOWN, and no end, for one that is not known;
  // RESOURCE_EXHAUSTED beyond kWatchesMax.
  grpc::Status Watch(grpc::ServerContext* context,
                     const grpc::health::v1::HealthCheckRequest* request,
                     grpc::ServerWriter<grpc::health::v1::HealthCheckResponse>*
                         writer) override;

 private:
  const std::set<std::string> services_;
  Connections& connections_;
  base::Mutex mutex_;
  base::Condition changed_;
  State state_ HIZO_GUARDED_BY(mutex_) = State::kNotServing;
  bool ended_ HIZO_GUARDED_BY(mutex_) = false;
  int watches_ HIZO_GUARDED_BY(mutex_) = 0;
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_HEALTH_H_
