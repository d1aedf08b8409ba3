#include "crypto/random.h"

#include <array>
#include <set>
#include <string>

#include "gtest/gtest.h"

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

}  // namespace
}  // namespace hizo::crypto
