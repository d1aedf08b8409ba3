#include "service/policy/mask.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "service/policy/utf8.h"

namespace hizo::policy {
namespace {

constexpr std::array kAllMasks = {
    Mask::kNone,     Mask::kEnds,     Mask::kEmail,    Mask::kPhone,
    Mask::kLastFour, Mask::kInitials, Mask::kFirstTwo, Mask::kRegion,
    Mask::kYear,     Mask::kHidden};
constexpr std::array kAllTypes = {
    FieldType::kText,  FieldType::kChoice,    FieldType::kEmail,
    FieldType::kPhone, FieldType::kHandle,    FieldType::kReference,
    FieldType::kDate,  FieldType::kTimestamp, FieldType::kInteger,
    FieldType::kMoney, FieldType::kBoolean,   FieldType::kAddress,
    FieldType::kBytes, FieldType::kJson};

struct Case {
  Mask mask;
  FieldType type;
  const char* text;
  const char* masked;
};
class MaskTest : public ::testing::TestWithParam<Case> {};

TEST_P(MaskTest, ShowsWhatIsDocumented) {
  const Case& c = GetParam();
  EXPECT_EQ(ApplyMask(c.mask, c.type, c.text), c.masked) << c.text;
}

INSTANTIATE_TEST_SUITE_P(
    None, MaskTest,
    ::testing::Values(Case{Mask::kNone, FieldType::kText, "Jane", "Jane"},
                      Case{Mask::kNone, FieldType::kBoolean, "true", "true"},
                      Case{Mask::kNone, FieldType::kText, "", ""}));

INSTANTIATE_TEST_SUITE_P(
    Ends, MaskTest,
    ::testing::Values(Case{Mask::kEnds, FieldType::kHandle, "jane", "j***e"},
                      Case{Mask::kEnds, FieldType::kHandle, "jan", "***"},
                      Case{Mask::kEnds, FieldType::kText, "山田太郎",
                           "山***郎"},
                      Case{Mask::kEnds, FieldType::kText, "😀bc😎", "😀***😎"},
                      Case{Mask::kEnds, FieldType::kBoolean, "true", "***"},
                      Case{Mask::kEnds, FieldType::kChoice, "male", "***"},
                      Case{Mask::kEnds, FieldType::kInteger, "12345", "***"},
                      Case{Mask::kEnds, FieldType::kDate, "1990-04-01", "***"},
                      Case{Mask::kEnds, FieldType::kJson, "[1,2]", "***"}));

INSTANTIATE_TEST_SUITE_P(
    Email, MaskTest,
    ::testing::Values(
        Case{Mask::kEmail, FieldType::kEmail, "jane@example.com",
             "j***@e***.com"},
        Case{Mask::kEmail, FieldType::kEmail, "j@example.co.jp", "***@e***.jp"},
        Case{Mask::kEmail, FieldType::kEmail, "jane.doe+tag@x.org",
             "j***@***.org"},
        Case{Mask::kEmail, FieldType::kEmail, "山田@例え.jp", "山***@例***.jp"},
        Case{Mask::kEmail, FieldType::kEmail, "\"a@b\"@host.net",
             "\"***@h***.net"},
        Case{Mask::kEmail, FieldType::kEmail, "root@localhost", "r***@***"},
        Case{Mask::kEmail, FieldType::kEmail, "no at sign", "***"},
        Case{Mask::kEmail, FieldType::kText, "hi@all.my secrets", "***"}));

INSTANTIATE_TEST_SUITE_P(
    Phone, MaskTest,
    ::testing::Values(
        Case{Mask::kPhone, FieldType::kPhone, "+819012341234", "+81*****1234"},
        Case{Mask::kPhone, FieldType::kPhone, "+12025550123", "+1*****0123"},
        Case{Mask::kPhone, FieldType::kPhone, "+79161234567", "+7*****4567"},
        Case{Mask::kPhone, FieldType::kPhone, "+358401234567", "+358*****4567"},
        Case{Mask::kPhone, FieldType::kPhone, "+35312345678", "+353*****5678"},
        Case{Mask::kPhone, FieldType::kPhone, "+811234567", "***"},
        Case{Mask::kPhone, FieldType::kPhone, "+81123", "***"},
        Case{Mask::kPhone, FieldType::kPhone, "+12", "***"},
        Case{Mask::kPhone, FieldType::kPhone, "090-1234-5678", "***"},
        Case{Mask::kPhone, FieldType::kPhone, "+81 90 1234 1234", "***"},
        Case{Mask::kPhone, FieldType::kText, "+819012341234", "***"}));

INSTANTIATE_TEST_SUITE_P(
    LastFour, MaskTest,
    ::testing::Values(
        Case{Mask::kLastFour, FieldType::kText, "XX004242", "*** 4242"},
        Case{Mask::kLastFour, FieldType::kReference, "一二三四五六七八",
             "*** 五六七八"},
        Case{Mask::kLastFour, FieldType::kText, "X004242", "***"},
        Case{Mask::kLastFour, FieldType::kText, "4242", "***"},
        Case{Mask::kLastFour, FieldType::kMoney, "JPY 12345678", "***"}));

INSTANTIATE_TEST_SUITE_P(
    Initials, MaskTest,
    ::testing::Values(
        Case{Mask::kInitials, FieldType::kText, "John Doe", "J. D***"},
        Case{Mask::kInitials, FieldType::kText, "John R R Tolkien", "J. T***"},
        Case{Mask::kInitials, FieldType::kText, "  John   Doe ", "J. D***"},
        Case{Mask::kInitials, FieldType::kText, "Cher", "C***"},
        Case{Mask::kInitials, FieldType::kText, "山田 太郎", "山. 太***"},
        Case{Mask::kInitials, FieldType::kText, "山田　太郎", "山. 太***"},
        Case{Mask::kInitials, FieldType::kText, "山田太郎", "山***"},
        Case{Mask::kInitials, FieldType::kText, "李 明", "*** ***"},
        Case{Mask::kInitials, FieldType::kText, "李明", "***"},
        Case{Mask::kInitials, FieldType::kText, "J Doe", "*** D***"},
        Case{Mask::kInitials, FieldType::kText, "Élodie Ñu", "É. Ñ***"},
        Case{Mask::kInitials, FieldType::kText, "   ", "***"}));

INSTANTIATE_TEST_SUITE_P(
    FirstTwo, MaskTest,
    ::testing::Values(
        Case{Mask::kFirstTwo, FieldType::kText, "Acme Ltd", "Ac***"},
        Case{Mask::kFirstTwo, FieldType::kText, "株式会社秘蔵", "株式***"},
        Case{Mask::kFirstTwo, FieldType::kText, "Acme", "Ac***"},
        Case{Mask::kFirstTwo, FieldType::kText, "IBM", "***"}));

INSTANTIATE_TEST_SUITE_P(
    Region, MaskTest,
    ::testing::Values(
        Case{Mask::kRegion, FieldType::kAddress, "JP, Tokyo", "JP, Tokyo"},
        Case{Mask::kRegion, FieldType::kAddress, "JP, 東京都", "JP, 東京都"},
        Case{Mask::kRegion, FieldType::kAddress, "JP, ", "JP, "},
        Case{Mask::kRegion, FieldType::kAddress, "JP, Tokyo, Chiyoda 1-1",
             "JP, Tokyo"},
        Case{Mask::kRegion, FieldType::kText, "JP, Tokyo", "***"},
        Case{Mask::kEnds, FieldType::kAddress, "JP, Tokyo", "J***o"}));

INSTANTIATE_TEST_SUITE_P(
    Year, MaskTest,
    ::testing::Values(Case{Mask::kYear, FieldType::kDate, "1990-04-01", "1990"},
                      Case{Mask::kYear, FieldType::kTimestamp, "2024", "2024"},
                      Case{Mask::kYear, FieldType::kTimestamp,
                           "2024-01-01T00:00:00Z", "2024"},
                      Case{Mask::kYear, FieldType::kDate, "199", "***"},
                      Case{Mask::kYear, FieldType::kDate, "19900401", "***"},
                      Case{Mask::kYear, FieldType::kDate, "4 April", "***"},
                      Case{Mask::kYear, FieldType::kText, "1990-04-01",
                           "***"}));

INSTANTIATE_TEST_SUITE_P(
    Hidden, MaskTest,
    ::testing::Values(Case{Mask::kHidden, FieldType::kText, "secret", "***"},
                      Case{Mask::kHidden, FieldType::kText, "", "***"},
                      Case{Mask::kHidden, FieldType::kAddress, "JP, Tokyo",
                           "***"}));

TEST(MaskTest, ShowsNothingOfOneOrTwoCharacters) {
  for (const Mask mask : kAllMasks) {
    if (mask == Mask::kNone) continue;
    for (const FieldType type : kAllTypes) {
      for (const std::string_view text : {"", "a", "ab", "山", "山田", "😀"}) {
        EXPECT_EQ(ApplyMask(mask, type, text), "***") << text;
      }
    }
  }
}

TEST(MaskTest, ShowsNothingOfWhatIsNotUtf8) {
  const std::string cut = std::string("山田太郎様山田太郎様").substr(0, 14);
  for (const Mask mask : kAllMasks) {
    if (mask == Mask::kNone) continue;
    for (const FieldType type : kAllTypes) {
      EXPECT_EQ(ApplyMask(mask, type, cut), "***");
      EXPECT_EQ(ApplyMask(mask, type, "jane@\xff.com"), "***");
    }
  }
}

TEST(MaskTest, NeverSplitsACodePoint) {
  for (const Mask mask : kAllMasks) {
    for (const FieldType type : kAllTypes) {
      const std::string masked =
          ApplyMask(mask, type, "é山😀 ß@日.本 é, 山😀, é山");
      std::string_view rest = masked;
      while (!rest.empty()) {
        const CodePoint first = FirstCodePoint(rest);
        ASSERT_NE(first.value, kNotUtf8) << masked;
        rest.remove_prefix(first.bytes.size());
      }
    }
  }
}

// How many characters of `text`, all different, `masked` has.
size_t Shown(std::string_view text, const std::string& masked) {
  size_t shown = 0;
  for (const char c : text) {
    if (masked.find(c) != std::string::npos) ++shown;
  }
  return shown;
}

TEST(MaskTest, ShowsAtMostHalfOfFreeText) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  for (const Mask mask : {Mask::kEnds, Mask::kLastFour, Mask::kInitials,
                          Mask::kFirstTwo, Mask::kHidden}) {
    for (size_t size = 0; size <= kLetters.size(); ++size) {
      const std::string_view text = kLetters.substr(0, size);
      const std::string masked = ApplyMask(mask, FieldType::kText, text);
      EXPECT_LE(2 * Shown(text, masked), size) << masked;
    }
  }
}

TEST(MaskTest, DoesNotTellTheLength) {
  for (const Mask mask :
       {Mask::kEnds, Mask::kLastFour, Mask::kInitials, Mask::kFirstTwo}) {
    EXPECT_EQ(ApplyMask(mask, FieldType::kText, std::string(8, 'x')),
              ApplyMask(mask, FieldType::kText, std::string(800, 'x')));
  }
}

}  // namespace
}  // namespace hizo::policy
