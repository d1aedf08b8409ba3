#include "service/bundle/values.h"

#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/bundle/json_text.h"
#include "service/bundle/person.h"

namespace hizo::bundle {
namespace {

TEST(ValuesTest, TakesEveryKind) {
  for (const char* value :
       {R"("")", R"("text")", "0", "-9223372036854775808",
        "9223372036854775807", "true", "false",
        R"({"currency":"JPY","minor_units":1})", R"({"country":"JP"})",
        R"({"country":"JP","lines":["a","b","c","d","e","f"]})",
        R"({"timestamp":"2026-05-10T09:30:00Z"})", R"({"base64":"AAE="})",
        R"({"json":null})", R"({"json":[1,{"a":2.5}]})",
        R"({"json_text":"{ }"})"}) {
    EXPECT_TRUE(IsValue(value)) << value;
  }
}

TEST(ValuesTest, TakesNothingElse) {
  for (const char* value :
       {"",
        "null",
        "1.5",
        "1e3",
        "9223372036854775808",
        "[]",
        "{}",
        "x",
        R"({"currency":"JPY"})",
        R"({"currency":"jpy","minor_units":1})",
        R"({"currency":"JPY","minor_units":1.5})",
        R"({"currency":"JPY","minor_units":1,"x":1})",
        R"({"country":"JPN"})",
        R"({"country":"JP","city":"x"})",
        R"({"country":"JP","lines":"x"})",
        R"({"country":"JP","lines":[1]})",
        R"({"country":"JP","lines":["","","","","","",""]})",
        R"({"timestamp":"yesterday"})",
        R"({"timestamp":1})",
        R"({"base64":1})",
        R"({"json":1,"x":2})",
        R"("a" "b")"}) {
    EXPECT_FALSE(IsValue(value)) << value;
  }
}

TEST(ValuesTest, WritesMoneyInItsCurrencysUnit) {
  const auto amount = [](const std::string& currency,
                         const std::string& units) {
    return MoneyOf(R"({"currency":")" + currency + R"(","minor_units":)" +
                   units + "}")
        .amount;
  };
  EXPECT_EQ(amount("JPY", "1200"), "1200");
  EXPECT_EQ(amount("USD", "1234"), "12.34");
  EXPECT_EQ(amount("USD", "5"), "0.05");
  EXPECT_EQ(amount("USD", "-5"), "-0.05");
  EXPECT_EQ(amount("USD", "0"), "0.00");
  EXPECT_EQ(amount("KWD", "1234"), "1.234");
  EXPECT_EQ(amount("USD", "-9223372036854775808"), "-92233720368547758.08");
  EXPECT_EQ(MoneyOf(R"("text")").amount, "");
}

TEST(ValuesTest, ShowsAddressesFromTheNarrowToTheWide) {
  EXPECT_EQ(DisplayOf(R"({"country":"JP","postal_code":"100-0001",)"
                      R"("locality":"C","lines":["1-1","3F"]})"),
            "1-1\n3F\nC\n100-0001\nJP");
  EXPECT_TRUE(AddressOf("true").empty());
}

TEST(ValuesTest, ShowsWhatIsWrapped) {
  EXPECT_EQ(DisplayOf(R"({"timestamp":"2026-05-10T09:30:00Z"})"),
            "2026-05-10T09:30:00Z");
  EXPECT_EQ(DisplayOf(R"({"json_text":"{ }"})"), "{ }");
  EXPECT_EQ(DisplayOf(R"({"json":[]})"), "[]");
  EXPECT_EQ(DisplayOf("true"), "true");
  EXPECT_EQ(DisplayOf("12"), "12");
  EXPECT_EQ(DisplayOf("no json"), "");
}

TEST(TimeTextTest, ComesBack) {
  for (const int64_t micros :
       {int64_t{0}, int64_t{1'790'000'000'123'456},
        int64_t{1'790'000'000'100'000}, int64_t{-1'000'000}}) {
    const base::Timestamp time = base::FromMicros(micros);
    EXPECT_EQ(ParseTimeText(TimeText(time)), time);
  }
  EXPECT_EQ(TimeText(base::FromMicros(500'000)), "1970-01-01T00:00:00.5Z");
}

// What was written by hand for speed is what the library writes.
TEST(TimeTextTest, IsTheLibrarysAtEveryMoment) {
  constexpr int64_t kDay = 86'400'000'000;
  int64_t state = 12345;
  for (int i = 0; i < 20'000; ++i) {
    // A congruence of Knuth's, over the years 900 to 10,400.
    state = static_cast<int64_t>(static_cast<uint64_t>(state) *
                                     6364136223846793005U +
                                 1442695040888963407U);
    int64_t micros = state % (kDay * 365 * 4750) + kDay * 365 * 3680;
    if (i % 3 == 0) micros -= micros % 1'000'000;
    if (i % 3 == 1) micros -= micros % 1'000;
    EXPECT_EQ(
        TimeText(base::FromMicros(micros)),
        absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixMicros(micros),
                         absl::UTCTimeZone()));
  }
}

// Money in another spelling than the vault's is money all the same; what is
// none has no amount.
TEST(ValuesTest, KnowsMoneyInEverySpelling) {
  for (const char* value : {R"({"currency":"EUR","minor_units":-105})",
                            R"({ "currency": "EUR", "minor_units": -105 })",
                            R"({"minor_units":-105,"currency":"EUR"})",
                            R"({"currency":"\u0045UR","minor_units":-105})"}) {
    EXPECT_EQ(MoneyOf(value).amount, "-1.05") << value;
    EXPECT_EQ(MoneyOf(value).currency, "EUR") << value;
  }
  for (const char* value :
       {R"({"currency":"EUR","minor_units":})",
        R"({"currency":"EUR","minor_units":1}})",
        R"({"currency":"EUR","minor_units":01})",
        R"({"currency":"EUR","minor_units":+1})",
        R"({"currency":"EUR","minor_units":9223372036854775808})",
        R"({"currency":"eur","minor_units":1})",
        R"({"currency":"EURO","minor_units":1})", R"({"currency":"EUR"})", "{}",
        ""}) {
    EXPECT_EQ(MoneyOf(value).amount, "") << value;
  }
}

TEST(TimeTextTest, HasOneSpelling) {
  for (const char* text :
       {"", "2026-05-10", "2026-05-10T09:30:00", "2026-05-10T09:30:00+00:00",
        "2026-05-10T09:30:00.0Z", "2026-05-10T09:30:00.1234567Z",
        " 2026-05-10T09:30:00Z", "2026-02-30T09:30:00Z", "infinite-future"}) {
    EXPECT_EQ(ParseTimeText(text), std::nullopt) << text;
  }
}

TEST(JsonTextTest, WritesEveryByteThatTextMayHave) {
  EXPECT_EQ(JsonString("a\"b\\c\n\t\r\b\f\x01\x1f\x7f"),
            "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001f\x7f\"");
  EXPECT_EQ(JsonString("\xe7\xa7\x98"), "\"\xe7\xa7\x98\"");
}

TEST(JsonTextTest, IsStrict) {
  EXPECT_TRUE(IsStrictJson(R"({"a":{"b":1},"c":{"b":1}})"));
  EXPECT_FALSE(IsStrictJson(R"({"a":1,"a":2})"));
  EXPECT_FALSE(IsStrictJson(R"({"x":[{"a":1,"a":2}]})"));
  EXPECT_FALSE(IsStrictJson("{} {}"));
  EXPECT_FALSE(IsStrictJson("{'a':1}"));
  EXPECT_FALSE(IsStrictJson("// comment\n{}"));
  EXPECT_FALSE(IsStrictJson("\"\xff\""));
  EXPECT_FALSE(IsStrictJson(""));
  EXPECT_FALSE(IsStrictJson(std::string(100'000, '[')));
}

}  // namespace
}  // namespace hizo::bundle
