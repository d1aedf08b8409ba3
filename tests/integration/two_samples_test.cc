#include "tests/integration/two_samples.h"

#include <random>

#include "gtest/gtest.h"

namespace hizo::test {
namespace {

constexpr size_t kSize = 10000;

std::vector<double> Normal(std::mt19937& random, double mean, double deviation,
                           size_t size = kSize) {
  std::normal_distribution<double> distribution(mean, deviation);
  std::vector<double> values;
  for (size_t i = 0; i < size; ++i) values.push_back(distribution(random));
  return values;
}

TEST(KolmogorovSmirnovTest, AgreesWithSmallCasesByHand) {
  // Distance 1: nothing overlaps.
  EXPECT_DOUBLE_EQ(KolmogorovSmirnov({1, 2}, {3, 4}), 1);
  EXPECT_DOUBLE_EQ(KolmogorovSmirnov({1, 2, 3}, {3, 2, 1}), 0);
  // After 1: 1/2 of one, none of the other.
  EXPECT_DOUBLE_EQ(KolmogorovSmirnov({1, 3}, {2, 3}), 0.5);
}

TEST(MannWhitneyTest, AgreesWithSmallCasesByHand) {
  EXPECT_DOUBLE_EQ(MannWhitney({1, 4}, {2, 3}), 0);
  EXPECT_DOUBLE_EQ(MannWhitney({1, 1}, {1, 1}), 0);
  // Ranks 1 + 2 = 3, mean 5, variance 5/3.
  EXPECT_NEAR(MannWhitney({1, 2}, {3, 4}), -1.549193, 1e-6);
  EXPECT_NEAR(MannWhitney({3, 4}, {1, 2}), 1.549193, 1e-6);
}

TEST(TwoSamplesTest, SeeNothingWhereThereIsNothing) {
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    const auto a = Normal(random, 100, 5);
    const auto b = Normal(random, 100, 5);
    EXPECT_LT(KolmogorovSmirnov(a, b), 2.7);
    EXPECT_LT(std::abs(MannWhitney(a, b)), 4.89);
  }
}

// The power that the timing tests claim: with 10,000 values each, a shift of
// 0.1 standard deviations is beyond what one of 1,000 equal pairs shows.
TEST(TwoSamplesTest, SeeAShiftOfATenthOfADeviation) {
  std::mt19937 random(2);
  int seen = 0;
  for (int i = 0; i < 100; ++i) {
    const auto a = Normal(random, 100, 5);
    const auto b = Normal(random, 100.5, 5);
    if (KolmogorovSmirnov(a, b) > 1.95 || MannWhitney(a, b) < -3.29) ++seen;
  }
  EXPECT_GE(seen, 99);
}

TEST(TwoSamplesTest, SeeAnotherSpreadAroundTheSameMiddle) {
  std::mt19937 random(3);
  EXPECT_GT(KolmogorovSmirnov(Normal(random, 100, 5), Normal(random, 100, 6)),
            1.95);
}

}  // namespace
}  // namespace hizo::test
