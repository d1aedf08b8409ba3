#include "service/rpc/pacer.h"

#include <algorithm>
#include <utility>

namespace hizo::rpc {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

Pacer::Pacer(nanoseconds step) : step_(step) {
  if (step_.count() > 0) thread_ = std::thread([this] { Run(); });
}

Pacer::~Pacer() {
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

nanoseconds Pacer::StepFor(nanoseconds hash) {
  return std::clamp<nanoseconds>(2 * hash, kStepMin, kStepMax);
}

Pacer::Time Pacer::NextStep(Time began, Time now, nanoseconds step) {
  const nanoseconds passed = std::max<nanoseconds>(now - began, nanoseconds(0));
  return began + (passed / step + 1) * step;
}

void Pacer::Answer(std::unique_ptr<Exchange> exchange,
                   const absl::Status& status, std::string answer) {
  if (step_.count() == 0) return exchange->Answer(status, std::move(answer));
  const Time at = NextStep(exchange->began(), steady_clock::now(), step_);
  {
    const base::MutexLock lock(mutex_);
    held_.emplace(at, Held{std::move(exchange), status, std::move(answer)});
  }
  changed_.notify_all();
}

std::optional<Pacer::Held> Pacer::AwaitNext() {
  const base::MutexLock lock(mutex_);
  for (;;) {
    if (held_.empty()) {
      if (stopping_) return std::nullopt;
      changed_.wait(mutex_);
      continue;
    }
    const Time first = held_.begin()->first;
    if (stopping_ || first <= steady_clock::now()) {
      return std::move(held_.extract(held_.begin()).mapped());
    }
    changed_.wait_until(mutex_, first);
  }
}

void Pacer::Run() {
  while (auto next = AwaitNext()) {
    next->exchange->Answer(next->status, std::move(next->answer));
  }
}

}  // namespace hizo::rpc
