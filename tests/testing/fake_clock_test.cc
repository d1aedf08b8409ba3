#include "tests/testing/fake_clock.h"

#include <chrono>

#include "gtest/gtest.h"
#include "service/base/clock.h"

namespace hizo::test {
namespace {

using std::chrono::hours;

TEST(FakeClockTest, StandsStill) {
  const FakeClock clock;
  EXPECT_EQ(clock.Now(), clock.Now());
  EXPECT_NE(base::ToMicros(clock.Now()), 0);
}

TEST(FakeClockTest, MovesForthAndBack) {
  FakeClock clock(base::FromMicros(0));
  clock.Advance(hours(1));
  EXPECT_EQ(base::ToMicros(clock.Now()), 3'600'000'000);
  clock.Advance(-hours(2));
  EXPECT_EQ(base::ToMicros(clock.Now()), -3'600'000'000);
}

TEST(FakeClockTest, IsSetToATime) {
  FakeClock clock;
  clock.Set(base::FromMicros(42));
  EXPECT_EQ(clock.Now(), base::FromMicros(42));
}

}  // namespace
}  // namespace hizo::test
