#include "service/policy/utf8.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace hizo::policy {
namespace {

struct Case {
  std::string_view text;
  char32_t value;
  size_t size;
};
class FirstCodePointTest : public ::testing::TestWithParam<Case> {};

TEST_P(FirstCodePointTest, DecodesOrTakesOneByte) {
  const CodePoint first = FirstCodePoint(GetParam().text);
  EXPECT_EQ(first.value, GetParam().value);
  EXPECT_EQ(first.bytes, GetParam().text.substr(0, GetParam().size));
}

INSTANTIATE_TEST_SUITE_P(
    Valid, FirstCodePointTest,
    ::testing::Values(
        Case{"a", 'a', 1}, Case{"ab", 'a', 1}, Case{"\x7f", 0x7F, 1},
        Case{"\xc2\x80", 0x80, 2}, Case{"\xdf\xbf", 0x7FF, 2},
        Case{"\xe0\xa0\x80", 0x800, 3}, Case{"\xe5\xb1\xb1x", 0x5C71, 3},
        Case{"\xed\x9f\xbf", 0xD7FF, 3}, Case{"\xee\x80\x80", 0xE000, 3},
        Case{"\xef\xbf\xbf", 0xFFFF, 3}, Case{"\xf0\x90\x80\x80", 0x10000, 4},
        Case{"\xf4\x8f\xbf\xbf", 0x10FFFF, 4}));

INSTANTIATE_TEST_SUITE_P(
    Malformed, FirstCodePointTest,
    ::testing::Values(
        Case{"\x80", kNotUtf8, 1}, Case{"\xbf", kNotUtf8, 1},
        Case{"\xc0\x80", kNotUtf8, 1}, Case{"\xc1\xbf", kNotUtf8, 1},
        Case{"\xc2", kNotUtf8, 1}, Case{"\xc2x", kNotUtf8, 1},
        Case{"\xe0\x80\x80", kNotUtf8, 1}, Case{"\xe0\x9f\xbf", kNotUtf8, 1},
        Case{"\xed\xa0\x80", kNotUtf8, 1}, Case{"\xed\xbf\xbf", kNotUtf8, 1},
        Case{"\xe5\xb1", kNotUtf8, 1}, Case{"\xe5\xb1x", kNotUtf8, 1},
        Case{"\xf0\x8f\xbf\xbf", kNotUtf8, 1},
        Case{"\xf4\x90\x80\x80", kNotUtf8, 1},
        Case{"\xf5\x80\x80\x80", kNotUtf8, 1}, Case{"\xff", kNotUtf8, 1}));

TEST(Utf8Test, EveryCodePointIsTakenWhole) {
  for (char32_t value = 0x80; value <= 0x10FFFF; value += 0x3F) {
    if (value >= 0xD800 && value <= 0xDFFF) continue;
    std::string text;
    if (value >= 0x10000) {
      text.push_back(static_cast<char>(0xF0 | value >> 18));
      text.push_back(static_cast<char>(0x80 | (value >> 12 & 0x3F)));
      text.push_back(static_cast<char>(0x80 | (value >> 6 & 0x3F)));
    } else if (value >= 0x800) {
      text.push_back(static_cast<char>(0xE0 | value >> 12));
      text.push_back(static_cast<char>(0x80 | (value >> 6 & 0x3F)));
    } else {
      text.push_back(static_cast<char>(0xC0 | value >> 6));
    }
    text.push_back(static_cast<char>(0x80 | (value & 0x3F)));
    EXPECT_EQ(FirstCodePoint(text + "x").value, value);
    EXPECT_EQ(FirstCodePoint(text + "x").bytes, text);
    EXPECT_EQ(FirstCodePoint(text.substr(0, text.size() - 1)).value, kNotUtf8);
  }
}

TEST(Utf8Test, WalksThroughAnyBytesToTheEnd) {
  std::string text;
  for (int byte = 0; byte < 256; ++byte)
    text.push_back(static_cast<char>(byte));
  std::string walked;
  std::string_view rest = text;
  while (!rest.empty()) {
    const CodePoint first = FirstCodePoint(rest);
    walked.append(first.bytes);
    rest.remove_prefix(first.bytes.size());
  }
  EXPECT_EQ(walked, text);
}

}  // namespace
}  // namespace hizo::policy
