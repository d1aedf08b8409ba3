#include "crypto/normalise.h"

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using std::string_literals::operator""s;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;

using Texts = std::vector<std::string>;

std::string Repeat(int times, const std::string& text) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

void ExpectRefused(
    const std::function<absl::StatusOr<std::string>(std::string_view)>& kind,
    const Texts& texts) {
  for (const std::string& text : texts) {
    const absl::StatusOr<std::string> result = kind(text);
    EXPECT_THAT(result, StatusIs(StatusCode::kInvalidArgument)) << text;
    // An error must never carry the value.
    if (text.size() > 3) {
      EXPECT_EQ(std::string(result.status().message()).find(text),
                std::string::npos);
    }
  }
}

TEST(NormaliseTextTest, ComposesAndKeepsTheRest) {
  EXPECT_THAT(NormaliseText(""), IsOkAndHolds(""s));
  EXPECT_THAT(NormaliseText(" Plain\ttext \n"),
              IsOkAndHolds(" Plain\ttext \n"s));
  EXPECT_THAT(NormaliseText("e\u0301"), IsOkAndHolds("\u00e9"s));
  EXPECT_THAT(NormaliseText("\u212b"), IsOkAndHolds("\u00c5"s));
  EXPECT_THAT(NormaliseText("\u1112\u1161\u11ab"), IsOkAndHolds("\ud55c"s));
  // NFC, not NFKC: what people tell apart stays apart.
  EXPECT_THAT(NormaliseText("\ufb01\uff21\u00b2"),
              IsOkAndHolds("\ufb01\uff21\u00b2"s));
  EXPECT_THAT(NormaliseText("\U0001f9d1"), IsOkAndHolds("\U0001f9d1"s));
}

TEST(NormaliseTextTest, OrdersMarksInOneWay) {
  EXPECT_EQ(*NormaliseText("a\u0323\u0307"), *NormaliseText("a\u0307\u0323"));
}

TEST(NormaliseTextTest, RefusesWhatIsNotText) {
  ExpectRefused(NormaliseText, {"nul\0inside"s, "\xff", "\xc3", "\xc0\xaf",
                                "a\x80z", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                "\xe2\x82", std::string(5 * 1024 * 1024, 'x')});
}

TEST(NormaliseEmailTest, GivesOneSpelling) {
  const std::pair<std::string, std::string> cases[] = {
      {"ada@example.com", "ada@example.com"},
      {"  Ada.Lovelace@EXAMPLE.Com\t\n", "ada.lovelace@example.com"},
      {"\u3000ada@example.com\u00a0", "ada@example.com"},
      // Dots and tags are another person's address for all we know.
      {"a.d.a+tag@gmail.com", "a.d.a+tag@gmail.com"},
      {"ada@example.com.", "ada@example.com"},
      {"ada@example\u3002com\u3002", "ada@example.com"},
      {"ada@b\u00fccher.example", "ada@xn--bcher-kva.example"},
      {"ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"},
      {"ada@B\u00dcCHER.example", "ada@xn--bcher-kva.example"},
      {"ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"},
      {"ada@fa\u00df.de", "ada@xn--fa-hia.de"},
      {"ada@\u65e5\u672c\u8a9e.jp", "ada@xn--wgv71a119e.jp"},
      // Full-width, as a Japanese keyboard types them.
      {"\uff21\uff24\uff21\uff20\uff45\uff58\uff0e\uff43\uff4f\uff4d",
       "ada@ex.com"},
      {"\uff11\uff12\uff13@example.com", "123@example.com"},
      {"Jose\u0301@example.com", "jos\u00e9@example.com"},
      {"JOS\u00c9@example.com", "jos\u00e9@example.com"},
      {"!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"},
      {"\u7530\u4e2d@example.jp", "\u7530\u4e2d@example.jp"}};
  for (const auto& [text, expected] : cases) {
    EXPECT_THAT(NormaliseEmail(text), IsOkAndHolds(expected)) << text;
    EXPECT_THAT(NormaliseEmail(expected), IsOkAndHolds(expected)) << expected;
  }
}

TEST(NormaliseEmailTest, LowersTheTurkishLettersAsEverywhereElse) {
  EXPECT_THAT(NormaliseEmail("I@example.com"), IsOkAndHolds("i@example.com"s));
  EXPECT_THAT(NormaliseEmail("\u0130@example.com"),
              IsOkAndHolds("i\u0307@example.com"s));
  EXPECT_THAT(NormaliseEmail("\u0131@example.com"),
              IsOkAndHolds("\u0131@example.com"s));
}

TEST(NormaliseEmailTest, RefusesWhatIsNoAddress) {
  const std::string label(63, 'd');
  ExpectRefused(NormaliseEmail,
                {"",
                 " ",
                 "ada",
                 "@example.com",
                 "ada@",
                 "ada@@example.com",
                 "a@b@example.com",
                 "ada@localhost",
                 "ada@.",
                 "ada@.com",
                 "ada@example..com",
                 "ada@example.com..",
                 "ada@-example.com",
                 "ada@exa_mple.com",
                 "ada@[127.0.0.1]",
                 "ada@exam ple.com",
                 "ada@xn--a.com",
                 "ada@" + std::string(64, 'd') + ".com",
                 ".ada@example.com",
                 "ada.@example.com",
                 "a..da@example.com",
                 "a da@example.com",
                 "\"a da\"@example.com",
                 "Ada <ada@example.com>",
                 "ada,eve@example.com",
                 "ada;@example.com",
                 "a\0da@example.com"s,
                 "ada@example\0.com"s,
                 "a\nda@example.com",
                 "a\u200bda@example.com",  // zero-width space
                 "a\u202eda@example.com",  // right-to-left override
                 "a\u3000da@example.com",  // becomes a space
                 "ada\xff@example.com",
                 std::string(65, 'a') + "@example.com",
                 Repeat(33, "\u00e9") + "@example.com",
                 "ada@" + Repeat(4, label + ".") + "com"});
}

TEST(NormaliseEmailTest, TakesTheLongestAddress) {
  const std::string longest = std::string(64, 'a') + "@" +
                              Repeat(2, std::string(63, 'd') + ".") +
                              std::string(57, 'e') + ".com";
  ASSERT_EQ(longest.size(), 254u);
  EXPECT_THAT(NormaliseEmail(longest), IsOkAndHolds(longest));
  ExpectRefused(NormaliseEmail, {longest + "x", longest + "xxx"});
}

TEST(NormalisePhoneTest, GivesE164) {
  struct Case {
    std::string text;
    std::string region;
    std::string expected;
  };
  const Case cases[] = {
      {"+15555550100", "", "+15555550100"},
      {"+1 (555) 555-0100", "", "+15555550100"},
      {" +1.555.555.0100 ", "JP", "+15555550100"},
      {"(555) 555-0100", "US", "+15555550100"},
      {"1 555 555 0100", "US", "+15555550100"},
      {"+44 (0)20 7946 0958", "", "+442079460958"},
      {"020 7946 0958", "GB", "+442079460958"},
      {"0044 20 7946 0958", "DE", "+442079460958"},
      {"030/123456", "DE", "+4930123456"},
      {"06 1234 5678", "IT", "+390612345678"},
      // Full-width, as a Japanese keyboard types it.
      {"\uff0b\uff18\uff11\uff08\uff13\uff09\uff11\uff12\uff13\uff14\uff0d"
       "\uff15\uff16\uff17\uff18",
       "", "+81312345678"},
      {"090\u30fc1234\u30fc5678", "JP", "+819012345678"},
      {"\uff10\uff19\uff10\u22121234\u22125678", "JP", "+819012345678"},
      // Arabic-Indic digits, and the marks that an address book adds.
      {"\u0660\u0661\u0660 1234 5678", "EG", "+201012345678"},
      {"\u202a+1\u00a0555\u2011555\u20110100\u202c", "", "+15555550100"}};
  for (const Case& tested : cases) {
    EXPECT_THAT(NormalisePhone(tested.text, tested.region),
                IsOkAndHolds(tested.expected))
        << tested.text;
    EXPECT_THAT(NormalisePhone(tested.expected, ""),
                IsOkAndHolds(tested.expected));
  }
}

TEST(NormalisePhoneTest, RefusesWhatIsNoNumber) {
  const auto american = [](std::string_view text) {
    return NormalisePhone(text, "US");
  };
  ExpectRefused(american, {"",
                           " ",
                           "+",
                           "-",
                           "1",
                           "12",
                           "555-0100",
                           "555 555 010",
                           "+1 555 555 01000",
                           "1-800-FLOWERS",
                           "+1 555 555 0100 x7",
                           "call +1 555 555 0100",
                           "+1 555 555 0100 or so",
                           "tel:+15555550100",
                           "+1+5555550100",
                           "1+5555550100",
                           "++15555550100",
                           "+15555550100;ext=1",
                           "555*555*0100",
                           "+15555550100\0"s,
                           "\xff+15555550100",
                           "+999 123456789",
                           "+0 555 555 0100",
                           std::string(40, '5'),
                           std::string(100'000, '5'),
                           "+15555550100,+15555550101"});
}

TEST(NormalisePhoneTest, RefusesATrunkPrefixThatIsLeft) {
  // One would be dropped at each reading, and each time another number left.
  EXPECT_THAT(NormalisePhone("+49 00 30 123456", ""),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(NormalisePhoneTest, RefusesMoreThanFifteenDigits) {
  EXPECT_THAT(NormalisePhone("032321/04351/043", "DE"), IsOk());
  EXPECT_THAT(NormalisePhone("032321/04351/04356", "DE"),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(NormalisePhoneTest, NationalFormsNeedARegion) {
  for (const char* const region : {"", "ZZ", "QQ", "us", "USA", "\xff"}) {
    EXPECT_THAT(NormalisePhone("(555) 555-0100", region),
                StatusIs(StatusCode::kInvalidArgument))
        << region;
  }
}

TEST(NormalisePhoneTest, PrintsNothing) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  for (const char* const text : {"+999 1234", "0123456789", "+1 555", "5"}) {
    EXPECT_FALSE(NormalisePhone(text, "QQ").ok());
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(NormaliseHandleTest, GivesOneSpelling) {
  const std::pair<std::string, std::string> cases[] = {
      {"ada", "ada"},
      {"Ada_Lovelace-1.x", "ada_lovelace-1.x"},
      {"\uff21\uff24\uff21\uff11", "ada1"},
      {"Jose\u0301", "jos\u00e9"},
      {"TI\u0307TLE", "ti\u0307tle"},
      {"STRASSE", "strasse"},
      {"stra\u00dfe", "stra\u00dfe"},
      {"\u7530\u4e2d", "\u7530\u4e2d"},
      {"\uff76\uff9e", "\u30ac"},  // half-width ka and voicing mark
      {"\u0928\u0940\u0932", "\u0928\u0940\u0932"},
      {std::string(64, 'x'), std::string(64, 'x')},
      {Repeat(64, "\u7530"), Repeat(64, "\u7530")}};
  for (const auto& [text, expected] : cases) {
    EXPECT_THAT(NormaliseHandle(text), IsOkAndHolds(expected)) << text;
    EXPECT_THAT(NormaliseHandle(expected), IsOkAndHolds(expected)) << expected;
  }
}

TEST(NormaliseHandleTest, RefusesWhatIsNoHandle) {
  ExpectRefused(NormaliseHandle, {"",
                                  " ",
                                  "a b",
                                  " ada",
                                  "ada ",
                                  "a@b",
                                  "a+b",
                                  "a/b",
                                  "a\0b"s,
                                  "a\nb",
                                  "\xff",
                                  "\u0301a",
                                  "a\u200bb",
                                  "a\u00adb",
                                  "\ufb01sh",
                                  "x\u00b2",
                                  "\u2460",
                                  "a\U0001f600",
                                  "\U0001d41a\U0001d41d",
                                  "\u3000",
                                  std::string(65, 'x'),
                                  Repeat(65, "\u7530"),
                                  std::string(100'000, 'x')});
}

TEST(NormaliseReferenceTest, TrimsAndKeepsTheRest) {
  EXPECT_THAT(NormaliseReference("  User #42 \n"), IsOkAndHolds("User #42"s));
  EXPECT_THAT(NormaliseReference("e\u0301\uff21"),
              IsOkAndHolds("\u00e9\uff21"s));
  EXPECT_THAT(NormaliseReference(std::string(128, 'x')),
              IsOkAndHolds(std::string(128, 'x')));
}

TEST(NormaliseReferenceTest, RefusesTooLongEmptyOrControl) {
  ExpectRefused(NormaliseReference,
                {"", " ", "\u3000\n", "a\nb", "a\0b"s, "a\u0085b",
                 "a\x7f"
                 "b",
                 "\xff", std::string(129, 'x'), Repeat(43, "\u7530"),
                 std::string(100'000, 'x')});
}

std::string PasswordOf(std::string_view text) {
  const absl::StatusOr<Secret> password = NormalisePassword(text);
  EXPECT_THAT(password, IsOk());
  return password.ok() ? std::string(password->Expose()) : "";
}

TEST(NormalisePasswordTest, ComposesAndKeepsTheRest) {
  EXPECT_EQ(PasswordOf(" plain  "), " plain  ");
  EXPECT_EQ(PasswordOf("a\0b"s), "a\0b"s);
  EXPECT_EQ(PasswordOf("\u00e9\0\n"s), "\u00e9\0\n"s);
  EXPECT_EQ(PasswordOf("e\u0301"), "\u00e9");
  EXPECT_EQ(PasswordOf("\uff21\ufb01"), "\uff21\ufb01");
  EXPECT_EQ(PasswordOf("\U0001f511"), "\U0001f511");
}

TEST(NormalisePasswordTest, BoundsTheLengthAfterComposing) {
  const std::string composed = Repeat(2048, "\u00e9");
  EXPECT_EQ(PasswordOf(std::string(4096, 'x')), std::string(4096, 'x'));
  EXPECT_EQ(PasswordOf(Repeat(2048, "e\u0301")), composed);
  // Three letters of an old script each for one syllable.
  EXPECT_EQ(PasswordOf(Repeat(1365, "\u1112\u1161\u11ab")),
            Repeat(1365, "\ud55c"));
  for (const std::string& text :
       {""s, std::string(4097, 'x'), Repeat(2049, "e\u0301"), composed + "x",
        Repeat(1366, "\u1112\u1161\u11ab"), std::string(100'000, 'x'),
        Repeat(100'000, "\u00e9"), "\xff"s, "\u00e9\xed\xa0\x80"s}) {
    EXPECT_THAT(NormalisePassword(text),
                StatusIs(StatusCode::kInvalidArgument));
  }
}

TEST(NormalisePasswordTest, LeavesNothingInTheSlab) {
  const size_t before = GetSlabStatus().used_bytes;
  EXPECT_EQ(PasswordOf("e\u0301"), "\u00e9");
  EXPECT_FALSE(NormalisePassword("\xff").ok());
  EXPECT_EQ(GetSlabStatus().used_bytes, before);
}

TEST(NormaliseTest, ThreadsMayShareTheLibraries) {
  const auto work = [] {
    for (int i = 0; i < 50; ++i) {
      EXPECT_THAT(NormalisePhone("(555) 555-0100", "US"), IsOk());
      EXPECT_THAT(NormaliseEmail("a@b\u00fccher.example"), IsOk());
    }
  };
  const std::jthread other(work);
  work();
}

}  // namespace
}  // namespace hizo::crypto
