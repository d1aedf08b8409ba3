#include "service/cli/values.h"

#include <google/protobuf/util/time_util.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/record.pb.h"
#include "service/cli/failure.h"
#include "tests/testing/status_matchers.h"

namespace hizo::cli {
namespace {

using ::hizo::test::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// The value of `json` as the only field of a record; KIND_NOT_SET if refused.
v1::Value ValueOf(const std::string& json) {
  v1::NewRecord record;
  if (!ParseFields("{\"f\":" + json + "}", record).ok()) return {};
  return record.fields(0).value();
}

Failure FieldsFailure(const std::string& json) {
  v1::NewRecord record;
  record.set_record_class("profile");
  const absl::Status status = ParseFields(json, record);
  EXPECT_THAT(status, Not(IsOk()));
  return FailureOf(status);
}

Failure PersonFailure(const std::string& json) {
  v1::ImportRecordsRequest request;
  const absl::Status status = ParsePerson(json, *request.mutable_records());
  EXPECT_THAT(status, Not(IsOk()));
  return FailureOf(status);
}

TEST(ValuesTest, TakesTextWithEveryScript) {
  EXPECT_EQ(ValueOf(R"("佐藤 花子 \u0645 Zoë")").text(), "佐藤 花子 م Zoë");
  EXPECT_EQ(ValueOf("\"\"").kind_case(), v1::Value::kText);
}

TEST(ValuesTest, TakesIntegersToTheLastOne) {
  EXPECT_EQ(ValueOf("9223372036854775807").integer(), INT64_MAX);
  EXPECT_EQ(ValueOf("-9223372036854775808").integer(), INT64_MIN);
  EXPECT_EQ(ValueOf("0").kind_case(), v1::Value::kInteger);
}

TEST(ValuesTest, RefusesNumbersThatAreNotIntegers) {
  for (const char* json : {"9223372036854775808", "-9223372036854775809",
                           "18446744073709551616", "1.0", "1e3", "-0.5"}) {
    EXPECT_EQ(ValueOf(json).kind_case(), v1::Value::KIND_NOT_SET) << json;
  }
}

TEST(ValuesTest, TakesBooleans) {
  EXPECT_TRUE(ValueOf("true").boolean());
  EXPECT_EQ(ValueOf("false").kind_case(), v1::Value::kBoolean);
}

TEST(ValuesTest, TakesMoney) {
  const v1::Value value = ValueOf(R"({"currency":"JPY","minor_units":-1234})");
  EXPECT_EQ(value.money().currency(), "JPY");
  EXPECT_EQ(value.money().minor_units(), -1234);
}

TEST(ValuesTest, RefusesMoneyThatIsNotOne) {
  for (const char* json :
       {R"({"currency":"JPY"})", R"({"currency":"JPY","minor_units":1.5})",
        R"({"currency":"JPY","minor_units":"1"})",
        R"({"currency":392,"minor_units":1})",
        R"({"currency":"JPY","minor_units":1,"more":1})"}) {
    EXPECT_EQ(ValueOf(json).kind_case(), v1::Value::KIND_NOT_SET) << json;
  }
}

TEST(ValuesTest, TakesAddresses) {
  const v1::Address address =
      ValueOf(R"({"country":"JP","postal_code":"100-0001","region":"東京都",
                  "locality":"千代田区","lines":["丸の内1-1","203号室"]})")
          .address();
  EXPECT_EQ(address.country(), "JP");
  EXPECT_EQ(address.postal_code(), "100-0001");
  EXPECT_EQ(address.region(), "東京都");
  EXPECT_EQ(address.locality(), "千代田区");
  EXPECT_THAT(address.lines(), ElementsAre("丸の内1-1", "203号室"));
  EXPECT_EQ(ValueOf(R"({"country":"FR"})").address().lines_size(), 0);
}

TEST(ValuesTest, RefusesAddressesThatAreNotOne) {
  for (const char* json :
       {R"({"country":1})", R"({"country":"JP","lines":"one"})",
        R"({"country":"JP","lines":[1]})", R"({"country":"JP","city":"x"})",
        R"({"country":"JP","region":null})"}) {
    EXPECT_EQ(ValueOf(json).kind_case(), v1::Value::KIND_NOT_SET) << json;
  }
}

TEST(ValuesTest, TakesTimestampsInAnyZone) {
  EXPECT_EQ(
      ValueOf(R"({"timestamp":"2026-05-10T09:00:00+09:00"})")
          .timestamp()
          .seconds(),
      ValueOf(R"({"timestamp":"2026-05-10T00:00:00Z"})").timestamp().seconds());
  EXPECT_EQ(ValueOf(R"({"timestamp":"2026-05-10"})").kind_case(),
            v1::Value::KIND_NOT_SET);
  EXPECT_EQ(ValueOf(R"({"timestamp":1778371200})").kind_case(),
            v1::Value::KIND_NOT_SET);
}

TEST(ValuesTest, TakesBytes) {
  EXPECT_EQ(ValueOf(R"({"base64":"AAEC"})").blob(), std::string("\0\1\2", 3));
  EXPECT_EQ(ValueOf(R"({"base64":"A*=="})").kind_case(),
            v1::Value::KIND_NOT_SET);
}

TEST(ValuesTest, KeepsAJsonDocumentAsItIs) {
  EXPECT_EQ(ValueOf(R"({"json":{"b":[1,null,"é"],"a":1.5}})").json(),
            R"({"b":[1,null,"é"],"a":1.5})");
  EXPECT_EQ(ValueOf(R"({"json":null})").json(), "null");
}

TEST(ValuesTest, RefusesWhatIsNoValue) {
  for (const char* json : {"null", "[]", "[\"a\"]", "{}", R"({"xml":"a"})",
                           R"({"base64":"AA==","json":1})"}) {
    EXPECT_EQ(ValueOf(json).kind_case(), v1::Value::KIND_NOT_SET) << json;
  }
}

TEST(ValuesTest, NamesTheFieldAndNeverTheValue) {
  const Failure failure =
      FieldsFailure(R"({"full_name":["hanako@example.com"]})");
  EXPECT_EQ(failure.exit, ExitCode::kUsage);
  EXPECT_EQ(failure.reason, "VALUE_INVALID");
  EXPECT_EQ(failure.field, "profile.full_name");
  EXPECT_THAT(failure.text, Not(HasSubstr("hanako")));
}

TEST(ValuesTest, DoesNotRepeatANameThatIsNone) {
  const Failure failure = FieldsFailure(R"({"hanako@example.com":"x"})");
  EXPECT_EQ(failure.field, "profile");
  EXPECT_THAT(failure.text, Not(HasSubstr("hanako")));
  PersonFailure(R"({"Profile":{"f":"x"}})");
  PersonFailure(R"({"":{"f":"x"}})");
}

TEST(ValuesTest, RefusesAKeyGivenTwice) {
  EXPECT_THAT(FieldsFailure(R"({"a":"1","a":"2"})").text, HasSubstr("twice"));
  EXPECT_THAT(
      PersonFailure(R"({"profile":{"a":"1"},"profile":{"b":"2"}})").text,
      HasSubstr("twice"));
  EXPECT_THAT(PersonFailure(R"({"profile":{"a":{"json":{"k":1,"k":1}}}})").text,
              HasSubstr("twice"));
}

TEST(ValuesTest, AllowsAKeyAgainInAnotherObject) {
  v1::ImportRecordsRequest request;
  EXPECT_THAT(ParsePerson(R"({"profile":{"a":"1"},"account":{"a":"2"}})",
                          *request.mutable_records()),
              IsOk());
}

TEST(ValuesTest, RefusesDeepNesting) {
  const std::string deep =
      std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_THAT(FieldsFailure("{\"f\":{\"json\":" + deep + "}}").text,
              HasSubstr("deep"));
}

TEST(ValuesTest, RefusesWhatIsNotAJsonObject) {
  for (const std::string json :
       {"", "{", "[]", "\"x\"", "null", "{} {}", "{'a':1}"}) {
    EXPECT_EQ(FieldsFailure(json).exit, ExitCode::kUsage) << json;
  }
  FieldsFailure("{\"a\":\"\xff\"}");  // not UTF-8
}

TEST(ValuesTest, ReadsAPersonWithSingleRecordsAndSeries) {
  v1::ImportRecordsRequest request;
  ASSERT_THAT(ParsePerson(R"({"profile":{"full_name":"A","n":1},
          "transaction":[{"event_time":"2026-05-10T00:00:00Z","fields":{"x":"1"}},
                         {"event_time":"2026-06-10T00:00:00Z","fields":{}}]})",
                          *request.mutable_records()),
              IsOk());
  ASSERT_EQ(request.records_size(), 3);
  EXPECT_EQ(request.records(0).record_class(), "profile");
  EXPECT_EQ(request.records(0).fields(0).name(), "full_name");
  EXPECT_EQ(request.records(0).fields(1).value().integer(), 1);
  EXPECT_FALSE(request.records(0).has_event_time());
  EXPECT_EQ(request.records(1).record_class(), "transaction");
  EXPECT_EQ(google::protobuf::util::TimeUtil::ToString(
                request.records(2).event_time()),
            "2026-06-10T00:00:00Z");
}

TEST(ValuesTest, RefusesPersonsOfAnotherForm) {
  PersonFailure("{}");
  PersonFailure(R"({"profile":"A"})");
  PersonFailure(R"({"transaction":["A"]})");
  PersonFailure(R"({"transaction":[{"fields":{}}]})");
  PersonFailure(R"({"transaction":[{"event_time":"2026-05-10T00:00:00Z"}]})");
  PersonFailure(R"({"transaction":[{"event_time":5,"fields":{}}]})");
  PersonFailure(
      R"({"transaction":[{"event_time":"2026-05-10T00:00:00Z","fields":{},"x":1}]})");
  EXPECT_EQ(
      PersonFailure(R"({"transaction":[{"event_time":"May","fields":{}}]})")
          .field,
      "transaction");
}

TEST(ValuesTest, ReadsTimesAndDates) {
  google::protobuf::Timestamp date;
  google::protobuf::Timestamp time;
  ASSERT_THAT(ParseTime("2026-05-10", date), IsOk());
  ASSERT_THAT(ParseTime("2026-05-10T00:00:00Z", time), IsOk());
  EXPECT_EQ(date.seconds(), time.seconds());
  for (const char* text : {"", "yesterday", "2026-13-01", "2026-05-10 09:00"}) {
    EXPECT_THAT(ParseTime(text, time), Not(IsOk())) << text;
  }
}

TEST(ValuesTest, SplitsALookupAtItsFirstEqualsSign) {
  v1::LookupKey key;
  ASSERT_THAT(ParseLookup("account.email=a=b@example.com", key), IsOk());
  EXPECT_EQ(key.field(), "account.email");
  EXPECT_EQ(key.value(), "a=b@example.com");
  EXPECT_THAT(ParseLookup("hanako@example.com", key), Not(IsOk()));
  EXPECT_THAT(ParseLookup("=a@example.com", key), Not(IsOk()));
}

}  // namespace
}  // namespace hizo::cli
