#include "crypto/random.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "tests/testing/refused_random.h"

namespace hizo::crypto {
namespace {

TEST(RandomTest, GivesAsManyBytesAsAskedFor) {
  EXPECT_EQ(RandomBytes(0), "");
  EXPECT_EQ(RandomBytes(1).size(), 1u);
  EXPECT_EQ(RandomBytes(1000).size(), 1000u);
}

TEST(RandomTest, NeverRepeats) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(RandomBytes(16));
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(RandomTest, FillsEveryByteOfTheSpan) {
  // A byte that is never written stays zero in all of 64 rounds.
  std::array<uint8_t, 300> touched = {};
  for (int round = 0; round < 64; ++round) {
    std::array<uint8_t, 300> bytes = {};
    FillRandom(bytes);
    for (size_t i = 0; i < bytes.size(); ++i) touched[i] |= bytes[i];
  }
  for (size_t i = 0; i < touched.size(); ++i) EXPECT_NE(touched[i], 0) << i;
}

TEST(RandomTest, LeavesWhatIsOutsideTheSpan) {
  std::array<uint8_t, 48> bytes = {};
  FillRandom(std::span(bytes).subspan(16, 16));
  for (const size_t i : {0u, 15u, 32u, 47u}) EXPECT_EQ(bytes[i], 0) << i;
}

TEST(RandomTest, TheSystemHasASource) { EXPECT_TRUE(CheckRandomSource().ok()); }

// In processes of their own: what is refused is not given back.

TEST(RandomDeathTest, SaysThatTheSystemHasNone) {
  const auto check = [] {
    test::RefuseRandom();
    const bool refused = absl::IsFailedPrecondition(CheckRandomSource());
    std::exit(refused ? 0 : 1);
  };
  EXPECT_EXIT(check(), testing::ExitedWithCode(0), "");
}

TEST(RandomDeathTest, EndsTheProcessRatherThanGoOnWithoutRandomBytes) {
  const auto go_on = [](auto draw) {
    draw();
    test::RefuseRandom();
    draw();
    std::exit(0);
  };
  EXPECT_EXIT(go_on([] { RandomBytes(16); }), testing::KilledBySignal(SIGABRT),
              "");
  EXPECT_EXIT(go_on([] {
                std::array<uint8_t, 16> bytes{};
                FillRandom(bytes);
              }),
              testing::KilledBySignal(SIGABRT), "");
}

}  // namespace
}  // namespace hizo::crypto
