#include "crypto/padding.h"

#include <optional>
#include <string>

#include "crypto/record_cipher.h"
#include "gtest/gtest.h"

namespace hizo::crypto {
namespace {

using std::string_literals::operator""s;

std::string Padded(std::string text) {
  const size_t size = PaddedSize(text.size());
  text.push_back(kPadMark);
  text.resize(size, '\0');
  return text;
}

TEST(PaddingTest, ShortTextsFillBlocksOf32) {
  EXPECT_EQ(PaddedSize(0), 32u);
  EXPECT_EQ(PaddedSize(31), 32u);
  EXPECT_EQ(PaddedSize(32), 64u);
  EXPECT_EQ(PaddedSize(223), 224u);
  EXPECT_EQ(PaddedSize(255), 256u);
}

TEST(PaddingTest, LongTextsFollowPadme) {  // sizes by PURBs, PETS 2019
  EXPECT_EQ(PaddedSize(256), 272u);
  EXPECT_EQ(PaddedSize(271), 272u);
  EXPECT_EQ(PaddedSize(272), 288u);
  EXPECT_EQ(PaddedSize(511), 512u);
  EXPECT_EQ(PaddedSize(512), 544u);
  EXPECT_EQ(PaddedSize(65535), 65536u);
  EXPECT_EQ(PaddedSize(65536), 67584u);
}

TEST(PaddingTest, CostsAtMostTwelvePercentOfALongText) {
  for (size_t size = 256; size <= kFieldPlaintextMax; ++size) {
    const size_t padded = PaddedSize(size);
    ASSERT_GT(padded, size);
    ASSERT_GE(padded, PaddedSize(size - 1));
    ASSERT_LE(100 * (padded - size - 1), 12 * size) << size;
  }
}

TEST(PaddingTest, IsRemovedAgain) {
  for (size_t size = 0; size < 1500; ++size) {
    ASSERT_EQ(UnpaddedSize(Padded(std::string(size, 'x'))), size);
    ASSERT_EQ(UnpaddedSize(Padded(std::string(size, '\0'))), size);
    ASSERT_EQ(UnpaddedSize(Padded(std::string(size, kPadMark))), size);
  }
}

TEST(PaddingTest, RefusesWhatPaddingDoesNotMake) {
  EXPECT_EQ(UnpaddedSize(""), std::nullopt);
  EXPECT_EQ(UnpaddedSize(std::string(32, '\0')), std::nullopt);
  EXPECT_EQ(UnpaddedSize(std::string(32, 'x')), std::nullopt);
  EXPECT_EQ(UnpaddedSize("x\x80"s), std::nullopt);
  EXPECT_EQ(UnpaddedSize(Padded("x") + "\0"s), std::nullopt);
  EXPECT_EQ(UnpaddedSize(Padded("x") + std::string(32, '\0')), std::nullopt);
  EXPECT_EQ(UnpaddedSize(Padded("x").substr(0, 31)), std::nullopt);
}

}  // namespace
}  // namespace hizo::crypto
