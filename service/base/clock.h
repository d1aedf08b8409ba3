// Clock: where time comes from, so that tests can move it.
//
// Threads: Now may be called concurrently.
#ifndef HIZO_SERVICE_BASE_CLOCK_H_
#define HIZO_SERVICE_BASE_CLOCK_H_

#include <chrono>
#include <cstdint>

namespace hizo::base {

// Microseconds since 1970-01-01 UTC, without leap seconds.
using Timestamp = std::chrono::time_point<std::chrono::system_clock,
                                          std::chrono::microseconds>;

inline int64_t ToMicros(Timestamp time) {
  return time.time_since_epoch().count();
}
inline Timestamp FromMicros(int64_t micros) {
  return Timestamp(std::chrono::microseconds(micros));
}

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp Now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
  }
};

}  // namespace hizo::base

#endif  // HIZO_SERVICE_BASE_CLOCK_H_
