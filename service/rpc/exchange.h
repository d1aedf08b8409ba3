// Exchange: one request, or one item of a stream, and the place its answer
// goes.
//
// Threads: as each method says. Lifetime: whoever serves it owns it, and has it
// answered before it is destroyed.
#ifndef HIZO_SERVICE_RPC_EXCHANGE_H_
#define HIZO_SERVICE_RPC_EXCHANGE_H_

#include <chrono>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "service/base/clock.h"
#include "service/base/reason.h"
#include "service/rpc/method_table.h"

namespace hizo::rpc {

class Exchange {
 public:
  struct Request {
    const Method* method = nullptr;  // nullptr: there is no such method
    std::string actor;               // SPIFFE id; empty if the peer has none
    std::string body;
    base::Timestamp deadline = base::Timestamp::max();
    // kOk, or why the transport knows already that it cannot be served.
    base::Reason refused = base::Reason::kNone;
    // What makes it, as item `index`, instead of the method; nullptr for an
    // item that is none of a sequence. Outlives the exchange.
    Sequence* sequence = nullptr;
    size_t index = 0;
  };
  explicit Exchange(Request request)
      : began_(std::chrono::steady_clock::now()),
        request_(std::move(request)) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  // Called once, on any thread, before the Exchange is destroyed. Must not
  // block.
  virtual void Answer(const absl::Status& status, std::string answer) = 0;
  // Whether nobody waits for the answer any more: then there is no use in
  // beginning. On any thread.
  virtual bool cancelled() const { return false; }

  const Request& request() const { return request_; }
  std::chrono::steady_clock::time_point began() const { return began_; }

 private:
  friend class Dispatch;
  const std::chrono::steady_clock::time_point began_;
  const Request request_;
  int runs_ = 0;
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_EXCHANGE_H_
