#include "tests/bench/measure.h"

#include <unistd.h>

#include <stdexcept>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hizo::bench {
namespace {

using ::testing::DoubleEq;
using ::testing::Each;
using ::testing::Gt;
using ::testing::SizeIs;

// Another process than any that could be running.
constexpr int kNoProcess = -1;

TEST(PercentileTest, IsTheValueAtThatRankInAnyOrder) {
  EXPECT_THAT(Percentile({5, 1, 4, 2, 3}, 0.5), DoubleEq(3));
  EXPECT_THAT(Percentile({5, 1, 4, 2, 3}, 0.0), DoubleEq(1));
}

TEST(PercentileTest, StaysWithinTheValues) {
  EXPECT_THAT(Percentile({1, 2}, 1.0), DoubleEq(2));
  EXPECT_THAT(Percentile({7}, 0.99), DoubleEq(7));
  EXPECT_THAT(Percentile({}, 0.5), DoubleEq(0));
}

TEST(MedianOfTest, TakesEachMemberByItself) {
  const Sample median =
      MedianOf({{1, 30, 0, 0, 0}, {2, 10, 0, 0, 0}, {9, 20, 0, 0, 0}});
  EXPECT_THAT(median.per_second, DoubleEq(2));
  EXPECT_THAT(median.p50_us, DoubleEq(20));
}

TEST(SampleOfTest, CountsCallsPerSecond) {
  const Sample sample = SampleOf({10, 20, 30, 40}, 2);
  EXPECT_THAT(sample.per_second, DoubleEq(2));
  EXPECT_THAT(sample.p50_us, DoubleEq(30));
  EXPECT_THAT(sample.p99_us, DoubleEq(40));
}

TEST(AlternateTest, TakesTurnsSoThatNoiseMeetsBoth) {
  std::string order;
  const auto samples = Alternate({[&order] {
                                    order += 'c';
                                    return Sample{1, 0, 0, 0, 0};
                                  },
                                  [&order] {
                                    order += 't';
                                    return Sample{2, 0, 0, 0, 0};
                                  }});
  EXPECT_EQ(order, "ctctct");
  ASSERT_THAT(samples, SizeIs(2));
  EXPECT_THAT(samples[0].per_second, DoubleEq(1));
  EXPECT_THAT(samples[1].per_second, DoubleEq(2));
}

TEST(RepeatTest, CallsFromEachThreadAndCountsThemAll) {
  constexpr size_t kThreads = 3;
  std::vector<size_t> calls(kThreads, 0);
  const Sample sample =
      Repeat({kThreads, 0.02}, [&calls](size_t thread, size_t turn) {
        EXPECT_EQ(turn, calls.at(thread));
        ++calls.at(thread);
      });
  EXPECT_THAT(calls, Each(Gt(0U)));
  EXPECT_GT(sample.per_second, 0);
}

TEST(RepeatTest, PassesOnWhatAThreadThrows) {
  EXPECT_THROW(
      Repeat({2, 1}, [](size_t, size_t) { throw std::runtime_error("x"); }),
      std::runtime_error);
}

TEST(FillerTest, IsTheSameForTheSameSeedOnly) {
  EXPECT_EQ(Filler(3, 40), Filler(3, 40));
  EXPECT_NE(Filler(3, 40), Filler(4, 40));
  EXPECT_THAT(Filler(3, 40), SizeIs(40));
  EXPECT_EQ(Filler(3, 0), "");
}

TEST(CpuSecondsTest, GrowsWithWorkDone) {
  const double before = CpuSeconds(getpid());
  constexpr size_t kTurnsMax = 100'000;
  double after = before;
  for (size_t turn = 0; turn < kTurnsMax && after == before; ++turn) {
    EXPECT_THAT(Filler(turn, 1000), SizeIs(1000));
    after = CpuSeconds(getpid());
  }
  EXPECT_GT(after, before);
}

TEST(CpuSecondsTest, ThrowsForAProcessThatHasEnded) {
  EXPECT_THROW(CpuSeconds(kNoProcess), std::runtime_error);
  EXPECT_THROW(ResidentBytes(kNoProcess), std::runtime_error);
}

TEST(ResidentBytesTest, CountsTheProgramItself) {
  EXPECT_GT(ResidentBytes(getpid()), 100'000);
}

}  // namespace
}  // namespace hizo::bench
