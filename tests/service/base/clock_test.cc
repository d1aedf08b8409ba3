#include "service/base/clock.h"

#include <chrono>

#include "gtest/gtest.h"

namespace hizo::base {
namespace {

using std::chrono::microseconds;
using std::chrono::system_clock;

TEST(ClockTest, MicrosGoThereAndBack) {
  for (const int64_t micros : {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{1},
                               int64_t{1'700'000'000'123'456}, INT64_MAX}) {
    EXPECT_EQ(ToMicros(FromMicros(micros)), micros);
  }
}

TEST(ClockTest, CountsFromTheEpochOfUtc) {
  const Timestamp epoch = FromMicros(0);
  EXPECT_EQ(std::chrono::floor<std::chrono::days>(epoch),
            std::chrono::sys_days(std::chrono::year(1970) / 1 / 1));
  EXPECT_EQ(ToMicros(epoch + std::chrono::seconds(2)), 2'000'000);
}

TEST(ClockTest, KeepsTheOrderOfTimes) {
  EXPECT_LT(FromMicros(-1), FromMicros(0));
  EXPECT_LT(FromMicros(0), FromMicros(1));
}

TEST(ClockTest, SystemClockTellsTheSystemsTime) {
  const SystemClock clock;
  // Microseconds cut off the system's nanoseconds: never later, at most one
  // earlier.
  const auto before = system_clock::now();
  const Timestamp now = clock.Now();
  const auto after = system_clock::now();
  EXPECT_GT(now + microseconds(1), before);
  EXPECT_LE(now, after);
}

}  // namespace
}  // namespace hizo::base
