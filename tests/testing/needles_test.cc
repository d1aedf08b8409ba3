#include "tests/testing/needles.h"

#include <stdexcept>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hizo::test {
namespace {

using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kText[] = "Qwrtpsdfghjk";

std::string Around(const std::string& bytes) {
  return std::string(1000, '\0') + "x" + bytes + std::string(5, 'y');
}

TEST(NeedlesTest, FindsBytesWhereverTheyAre) {
  Needles needles;
  needles.Add("it", "a\0b needle"s);
  EXPECT_THAT(needles.FindIn("a\0b needle"s), ElementsAre("it"));
  EXPECT_THAT(needles.FindIn(Around("a\0b needle"s)), ElementsAre("it"));
  EXPECT_THAT(needles.FindIn("...a\0b needle"s), ElementsAre("it"));
}

TEST(NeedlesTest, DoesNotFindWhatIsNotThere) {
  Needles needles;
  needles.Add("it", "a long needle");
  EXPECT_THAT(needles.FindIn(""), IsEmpty());
  EXPECT_THAT(needles.FindIn("a long"), IsEmpty());
  EXPECT_THAT(needles.FindIn("a long needl"), IsEmpty());
  EXPECT_THAT(needles.FindIn(Around("a long needlE")), IsEmpty());
}

TEST(NeedlesTest, TellsWhichOnesItFound) {
  Needles needles;
  needles.Add("first", "same start: one");
  needles.Add("second", "same start: two");
  needles.Add("third", "same start");
  EXPECT_THAT(needles.FindIn("same start: two"),
              ElementsAre("second", "third"));
}

TEST(NeedlesTest, FindsATextInEveryForm) {
  Needles needles;
  needles.AddText("it", kText);
  for (const std::string& form :
       {"Qwrtpsdfghjk"s, "qwrtpsdfghjk"s, "QWRTPSDFGHJK"s,
        "q\0w\0r\0t\0p\0s\0d\0f\0g\0h\0j\0k\0"s,   // UTF-16
        "7073646667686a6b"s, "7177727470736466"s,  // hexadecimal
        "7073646667686A6B"s,
        "UXdydHBzZGZnaGpr"s,             // base64
        "IFF3cnRwc2RmZ2hqaw=="s,         // of " Qwrtpsdfghjk"
        "ICBRd3J0cHNkZmdoamsgIA=="s}) {  // of "  Qwrtpsdfghjk  "
    EXPECT_THAT(needles.FindIn(Around(form)), ElementsAre("it")) << form;
  }
}

TEST(NeedlesTest, FindsWhatIsLeftOfAText) {
  Needles needles;
  needles.AddText("it", kText);
  EXPECT_THAT(needles.FindIn(Around("Qwrtpsdf")), ElementsAre("it"));
  EXPECT_THAT(needles.FindIn(Around("tpsdfghj")), ElementsAre("it"));
  EXPECT_THAT(needles.FindIn(Around("psdfghjk")), ElementsAre("it"));
  EXPECT_THAT(needles.FindIn(Around("wrtpsdf")), IsEmpty());
}

TEST(NeedlesTest, RefusesNeedlesThatAnythingMayContain) {
  Needles needles;
  EXPECT_THROW(needles.Add("it", "seven.."), std::invalid_argument);
  EXPECT_THAT(needles.FindIn("seven.."), IsEmpty());
}

}  // namespace
}  // namespace hizo::test
