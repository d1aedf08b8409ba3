// Pacer: lets answers go only at whole steps of time after their calls came.
//
// Whether a password is wrong, somebody has none, has to wait or is nobody at
// all takes different reads and writes, by microseconds, or by milliseconds
// where a row lies on the disk. The step is longer than all of that together,
// so nearly every such answer leaves exactly one step after its call, whatever
// was behind it. No thread waits meanwhile.
//
// Threads: Answer may be called concurrently. Lifetime: at its end whatever it
// still holds is answered at once.
#ifndef HIZO_SERVICE_RPC_PACER_H_
#define HIZO_SERVICE_RPC_PACER_H_

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "service/base/mutex.h"
#include "service/rpc/exchange.h"

namespace hizo::rpc {

class Pacer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // A step of 0 answers everything at once.
  explicit Pacer(std::chrono::nanoseconds step);
  Pacer(const Pacer&) = delete;
  Pacer& operator=(const Pacer&) = delete;
  ~Pacer();

  // The step for hashes that take `hash`: twice that, so that the work around
  // one fits in, but from kStepMin to kStepMax.
  static std::chrono::nanoseconds StepFor(std::chrono::nanoseconds hash);
  static constexpr std::chrono::milliseconds kStepMin{20};
  static constexpr std::chrono::seconds kStepMax{2};
  // The first whole step after `began` that lies after `now`.
  static Time NextStep(Time began, Time now, std::chrono::nanoseconds step);

  // Answers `exchange` at its next step.
  void Answer(std::unique_ptr<Exchange> exchange, const absl::Status& status,
              std::string answer);

 private:
  struct Held {
    std::unique_ptr<Exchange> exchange;
    absl::Status status;
    std::string answer;
  };
  // nullopt once nothing is held and the end has come.
  std::optional<Held> AwaitNext();
  void Run();

  const std::chrono::nanoseconds step_;
  base::Mutex mutex_;
  base::Condition changed_;
  // By when; as many as there are calls.
  std::multimap<Time, Held> held_ HIZO_GUARDED_BY(mutex_);
  bool stopping_ HIZO_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_PACER_H_
