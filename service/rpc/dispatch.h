// Dispatch: the one path of every call.
//
// An Exchange is one request, or one item of a stream, and the place its answer
// goes. Dispatch finds out who asks, runs the method's use case, and hands the
// Attempt to the committer whatever came of it; the answer goes out when the
// committer says that it is durable. A call that lost a race is run once more.
// That a password is not right is told at a time that does not depend on why.
//
// No call leaves without an event: identity unknown, method unknown, bytes
// that are no message and a queue that is full are Attempts too.
//
// Threads: Serve may be called concurrently. Lifetime: what the constructor is
// given outlives it; every Exchange has been answered before it is destroyed.
#ifndef HIZO_SERVICE_RPC_DISPATCH_H_
#define HIZO_SERVICE_RPC_DISPATCH_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "service/base/clock.h"
#include "service/base/worker_pool.h"
#include "service/policy/access_table.h"
#include "service/policy/catalogue.h"
#include "service/rpc/exchange.h"
#include "service/rpc/method_table.h"
#include "service/rpc/pacer.h"
#include "service/vault/committer.h"
#include "service/vault/miss_limits.h"
#include "service/vault/policy_table.h"

namespace hizo::rpc {

class Dispatch {
 public:
  struct Parts {
    const policy::Catalogue& catalogue;
    const policy::AccessTable& access;
    const vault::PolicyTable& policies;
    const base::Clock& clock;
    vault::Committer& committer;
    vault::MissLimits& limits;
    base::WorkerPool& passwords;  // for Lane::kPassword
    base::WorkerPool& reruns;     // for calls that lost a race
    Pacer& pacer;                 // for passwords that are not right
  };
  explicit Dispatch(const Parts& parts) : parts_(parts) {}

  void Serve(std::unique_ptr<Exchange> exchange);

 private:
  // Runs the use case on this thread and hands over to the committer.
  void Run(std::unique_ptr<Exchange> exchange);
  // Has `exchange` run on `pool`, or answers `if_full`.
  void RunOn(base::WorkerPool& pool, std::unique_ptr<Exchange> exchange,
             const absl::Status& if_full);
  // Refuses at once a password that would not be through in time.
  void RunPassword(std::unique_ptr<Exchange> exchange);
  void CountMiss(const Exchange::Request& request);
  absl::Status Execute(const Exchange& exchange, vault::Attempt& attempt);
  void Submit(std::unique_ptr<Exchange> exchange,
              std::unique_ptr<vault::Attempt> attempt);
  void Finish(std::unique_ptr<Exchange> exchange,
              std::unique_ptr<vault::Attempt> attempt,
              const vault::Committer::Result& result);
  std::unique_ptr<vault::Attempt> NewAttempt(const Exchange& exchange) const;
  void Refuse(std::unique_ptr<Exchange> exchange, const absl::Status& why);

  const Parts parts_;
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_DISPATCH_H_
