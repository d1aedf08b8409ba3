#include "service/vault/value_json.h"

#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/bundle/values.h"

namespace hizo::vault {
namespace {

using base::Pii;
using std::string_literals::operator""s;

std::vector<Value> Values() {
  std::vector<Value> values;
  for (const std::string& text :
       {""s, "text"s, "\"quoted\" \\ \n\t\r\x01"s, "秘蔵"s, "\x7f"s}) {
    values.emplace_back(Text{Pii(text)});
  }
  values.emplace_back(int64_t{0});
  values.emplace_back(std::numeric_limits<int64_t>::min());
  values.emplace_back(std::numeric_limits<int64_t>::max());
  values.emplace_back(true);
  values.emplace_back(false);
  values.emplace_back(Money{"JPY", -1200});
  Address address;
  address.country = "JP";
  values.emplace_back(std::move(address));
  Address full;
  full.country = "JP";
  full.postal_code = Pii("100-0001");
  full.region = Pii("東京都");
  full.locality = Pii("千代田区");
  full.lines.emplace_back("1-1");
  full.lines.emplace_back("");
  values.emplace_back(std::move(full));
  values.emplace_back(base::FromMicros(1'790'000'000'123'456));
  values.emplace_back(Blob{Pii("\0\xff\x80"s)});
  values.emplace_back(Blob{Pii("")});
  for (const std::string& document :
       {R"({"a":1,"b":[true,null,"x"]})"s, R"({ "a" : 1 })"s, "1.0"s, "1e3"s,
        "[]"s, "\"text\""s, R"({"b":1,"a":2})"s, R"({"a":1,"a":2})"s,
        R"("A")"s}) {
    values.emplace_back(Json{Pii(document)});
  }
  return values;
}

TEST(ValueJsonTest, EveryValueComesBackByteForByte) {
  for (const Value& value : Values()) {
    const Pii json = ValueToJson(value);
    EXPECT_TRUE(bundle::IsValue(json.Reveal())) << json.Reveal();
    const std::optional<Value> back = ValueFromJson(json.Reveal());
    ASSERT_TRUE(back.has_value()) << json.Reveal();
    EXPECT_EQ(EncodeValue(*back, Source::kProvided).Reveal(),
              EncodeValue(value, Source::kProvided).Reveal())
        << json.Reveal();
  }
}

TEST(ValueJsonTest, IsOneLine) {
  for (const Value& value : Values()) {
    EXPECT_EQ(ValueToJson(value).Reveal().find('\n'), std::string_view::npos);
  }
}

TEST(ValueJsonTest, HasOneSpelling) {
  for (const char* other :
       {R"("\u0061")", " 1", "01", "-0",
        R"({"minor_units":1,"currency":"JPY"})",
        R"({"country":"JP","region":""})", R"({"country":"JP","lines":[]})",
        R"({"json_text":"[]"})", R"({"json": []})", R"({"base64":"AA"})",
        R"({"base64":"!"})", "null", "{}", "[1]", ""}) {
    EXPECT_FALSE(ValueFromJson(other).has_value()) << other;
  }
}

}  // namespace
}  // namespace hizo::vault
