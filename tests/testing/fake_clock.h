// FakeClock: a clock that only tests move.
//
// Threads: all methods may be called concurrently.
#ifndef HIZO_TESTS_TESTING_FAKE_CLOCK_H_
#define HIZO_TESTS_TESTING_FAKE_CLOCK_H_

#include <atomic>
#include <chrono>
#include <cstdint>

#include "service/base/clock.h"

namespace hizo::test {

class FakeClock final : public base::Clock {
 public:
  // Begins at an arbitrary time that is not 0, so that a time never set shows.
  FakeClock() : FakeClock(base::FromMicros(1'700'000'000'000'000)) {}
  explicit FakeClock(base::Timestamp now) : micros_(base::ToMicros(now)) {}

  base::Timestamp Now() const override {
    return base::FromMicros(micros_.load());
  }
  void Set(base::Timestamp now) { micros_.store(base::ToMicros(now)); }
  // Backwards too, with a negative `by`.
  void Advance(std::chrono::microseconds by) { micros_.fetch_add(by.count()); }

 private:
  std::atomic<int64_t> micros_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_FAKE_CLOCK_H_
