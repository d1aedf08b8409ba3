// DispatchWorld: a Dispatch over a whole vault, with methods that are lambdas
// and exchanges that end in an Inbox instead of a socket.
//
// Threads: Serve and Call may be called concurrently.
#ifndef HIZO_TESTS_SERVICE_RPC_DISPATCH_WORLD_H_
#define HIZO_TESTS_SERVICE_RPC_DISPATCH_WORLD_H_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <latch>
#include <mutex>
#include <optional>
#include <string>

#include "service/base/worker_pool.h"
#include "service/rpc/dispatch.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::rpc {

struct Answered {
  absl::Status status;
  std::string answer;
};

// Inbox takes the answer of one exchange. Alive until it has come.
class Inbox {
 public:
  void Put(Answered answered);
  Answered Wait();
  bool answered() const;
  // Whoever asked has gone.
  void Abandon() { abandoned_ = true; }
  bool abandoned() const { return abandoned_; }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Answered> answered_;
  std::atomic<bool> abandoned_{false};
};

using Run = std::function<absl::StatusOr<std::string>(const Incoming&,
                                                      vault::Attempt&)>;
Method MethodOf(Run run, Lane lane = Lane::kServe);

// Keeps a pool's only thread busy and its queue full until it is destroyed.
class PoolFiller {
 public:
  PoolFiller(base::WorkerPool& pool, size_t queue_max);
  PoolFiller(const PoolFiller&) = delete;
  PoolFiller& operator=(const PoolFiller&) = delete;
  ~PoolFiller();

 private:
  std::latch begun_{1};
  std::latch release_{1};
  std::latch ended_{1};
};

class DispatchWorld {
 public:
  static constexpr size_t kPoolQueueMax = 1;

  // `pace` is the step of the pacer; 0 for none.
  explicit DispatchWorld(
      const test::VaultFixture::Options& options,
      std::chrono::nanoseconds pace = std::chrono::nanoseconds(0));
  DispatchWorld() : DispatchWorld(test::VaultFixture::Options()) {}

  // A call by kFull of `method`, which outlives the answer.
  static Exchange::Request RequestOf(const Method* method);
  void Serve(Exchange::Request request, Inbox& inbox);
  Answered Call(Exchange::Request request);
  // As above, of a method that does `run`.
  Answered Call(Run run);

  test::VaultFixture& vault() { return vault_; }
  // As many misses as this many a minute.
  static constexpr uint32_t kMissesPerMinute = 3;
  base::WorkerPool& passwords() { return passwords_; }
  base::WorkerPool& reruns() { return reruns_; }

 private:
  test::VaultFixture vault_;
  vault::MissLimits limits_;
  base::WorkerPool passwords_;
  base::WorkerPool reruns_;
  Pacer pacer_;
  Dispatch dispatch_;
};

}  // namespace hizo::rpc

#endif  // HIZO_TESTS_SERVICE_RPC_DISPATCH_WORLD_H_
