#include "service/cli/output.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "hizo/v1/audit.pb.h"
#include "hizo/v1/record.pb.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(DisplayWidthTest, CountsColumnsAndNotBytes) {
  EXPECT_EQ(DisplayWidth(""), 0U);
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("Zoë"), 3U);
  EXPECT_EQ(DisplayWidth("佐藤"), 4U);
  EXPECT_EQ(DisplayWidth("ｶﾅ"), 2U);
  EXPECT_EQ(DisplayWidth("ＡＢ"), 4U);
  EXPECT_EQ(DisplayWidth("한국"), 4U);
}

TEST(DisplayWidthTest, GivesCombiningMarksNoColumn) {
  EXPECT_EQ(DisplayWidth("e\u0301"), 1U);
  EXPECT_EQ(DisplayWidth("葛\U000E0100"), 2U);
}

TEST(DisplayWidthTest, DoesNotDependOnTheLocaleOfTheProcess) {
  ASSERT_NE(setlocale(LC_ALL, "C"), nullptr);
  EXPECT_EQ(DisplayWidth("佐藤"), 4U);
}

TEST(PrintableTest, KeepsWritingOfAllKinds) {
  for (const std::string text :
       {"plain", "佐藤 花子", "नमस्ते", "שלום", "مرحبا", "สวัสดี", "a\u200db"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(PrintableTest, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(Printable("\x1b[2Jgone"), "\\u{001B}[2Jgone");
  EXPECT_EQ(Printable("a\nb\tc\rd"), "a\\u{000A}b\\u{0009}c\\u{000D}d");
  EXPECT_EQ(Printable("\u009b31m"), "\\u{009B}31m");
  EXPECT_EQ(Printable(std::string("a\0b", 3)), "a\\u{0000}b");
  EXPECT_EQ(Printable("\x7f"), "\\u{007F}");
}

TEST(PrintableTest, EscapesMarksThatTurnWritingAround) {
  EXPECT_EQ(Printable("a\u202egnp.exe"), "a\\u{202E}gnp.exe");
  EXPECT_EQ(Printable("\u2066x\u2069"), "\\u{2066}x\\u{2069}");
}

TEST(PrintableTest, EscapesMalformedBytesOneByOne) {
  EXPECT_EQ(Printable("a\xff\xfe"), "a\\xFF\\xFE");
  EXPECT_EQ(Printable("\xe4\xbd"), "\\xE4\\xBD");  // a cut-off kanji
  EXPECT_EQ(Printable("\xc0\xaf"), "\\xC0\\xAF");  // overlong
}

TEST(TableTest, AlignsColumnsByDisplayWidth) {
  Table table({"NAME", "CITY"});
  table.Add({"佐藤 花子", "東京"});
  table.Add({"Zoë", "Paris"});
  EXPECT_EQ(table.Text(),
            "NAME       CITY\n"
            "佐藤 花子  東京\n"
            "Zoë        Paris\n");
}

TEST(TableTest, PrintsNoHeaderThatIsEmpty) {
  Table table({"", ""});
  table.Add({"version", "1"});
  EXPECT_EQ(table.Text(), "version  1\n");
}

TEST(TableTest, KeepsARowOnOneLine) {
  Table table({"A", "B"});
  table.Add({"x\ny", "z"});
  EXPECT_EQ(table.Text(),
            "A           B\n"
            "x\\u{000A}y  z\n");
}

TEST(TableTest, LeavesNoSpaceAtTheEndOfALine) {
  Table table({"A", "B"});
  table.Add({"1", ""});
  EXPECT_EQ(table.Text(), "A  B\n1\n");
}

v1::Field& AddField(v1::Record& record, const std::string& name) {
  v1::Field& field = *record.add_fields();
  field.set_name(name);
  return field;
}

TEST(JsonTextTest, WritesARecordAsAnImportTakesIt) {
  v1::Record record;
  record.set_record_class("profile");
  record.set_record_id("id");
  record.set_etag("e");
  AddField(record, "name").mutable_value()->set_text("佐\"藤\n");
  AddField(record, "count").mutable_value()->set_integer(INT64_MAX);
  AddField(record, "yes").mutable_value()->set_boolean(true);
  v1::Money& money = *AddField(record, "paid").mutable_value()->mutable_money();
  money.set_currency("JPY");
  money.set_minor_units(-5);
  v1::Address& address =
      *AddField(record, "home").mutable_value()->mutable_address();
  address.set_country("JP");
  address.add_lines("1-1");
  AddField(record, "at").mutable_value()->mutable_timestamp()->set_seconds(0);
  AddField(record, "raw").mutable_value()->set_blob(std::string("\0\1\2", 3));
  AddField(record, "doc").mutable_value()->set_json(R"({"b":1,"a":[]})");
  EXPECT_EQ(
      JsonText(record),
      R"({"record_class":"profile","record_id":"id","event_time":null,)"
      R"("etag":"e","fields":{"name":"佐\"藤\n","count":9223372036854775807,)"
      R"("yes":true,"paid":{"currency":"JPY","minor_units":-5},)"
      R"("home":{"country":"JP","lines":["1-1"]},)"
      R"("at":{"timestamp":"1970-01-01T00:00:00Z"},)"
      R"("raw":{"base64":"AAEC"},"doc":{"json":{"b":1,"a":[]}}},"masked":[]})");
}

TEST(JsonTextTest, WritesValuesThatAnImportReadsBack) {
  v1::NewRecord read;
  ASSERT_TRUE(
      ParseFields(R"({"a":"佐藤","b":-7,"c":false,"d":{"currency":"USD",)"
                  R"("minor_units":5},"e":{"country":"FR","lines":["1","2"]},)"
                  R"("f":{"timestamp":"2026-05-10T00:00:00Z"},)"
                  R"("g":{"base64":"/+8="},"h":{"json":[1,{"k":null}]}})",
                  read)
          .ok());
  v1::Record record;
  *record.mutable_fields() = read.fields();
  const std::string json = JsonText(record);
  const size_t begin = json.find("\"fields\":") + 9;
  v1::NewRecord again;
  ASSERT_TRUE(
      ParseFields(json.substr(begin, json.find(",\"masked\"") - begin), again)
          .ok());
  EXPECT_EQ(again.SerializeAsString(), read.SerializeAsString());
}

TEST(JsonTextTest, NamesMaskedFieldsAndTheTimeOfAnEvent) {
  v1::Record record;
  record.mutable_event_time()->set_seconds(1);
  v1::Field& field = AddField(record, "name");
  field.mutable_value()->set_text("h***o");
  field.set_masked(true);
  const std::string json = JsonText(record);
  EXPECT_THAT(json, HasSubstr(R"("event_time":"1970-01-01T00:00:01Z")"));
  EXPECT_THAT(json, HasSubstr(R"("masked":["name"])"));
}

TEST(JsonTextTest, WritesEveryFieldOfAMessageAndShortEnums) {
  v1::AuditEvent event;
  event.set_sequence(7);
  event.mutable_time()->set_seconds(1);
  event.set_action(v1::ACTION_RECORD_GET);
  event.set_outcome(v1::OUTCOME_DENIED);
  event.set_reason(v1::REASON_CALLER_NOT_ENTITLED);
  event.add_fields("profile.full_name");
  event.set_view(v1::VIEW_PLAIN);
  EXPECT_EQ(
      JsonText(event),
      R"({"sequence":7,"time":"1970-01-01T00:00:01Z","actor":"",)"
      R"("action":"RECORD_GET","outcome":"DENIED",)"
      R"("reason":"CALLER_NOT_ENTITLED","purpose":"","subject_reference":"",)"
      R"("fields":["profile.full_name"],"view":"PLAIN","records":0,)"
      R"("request_id":"","subject":"","policy_version":0,)"
      R"("policy_sha256_prefix":"","clause":"","recipient":null})");
}

TEST(JsonTextTest, SaysNullForAMessageThatIsNotThere) {
  EXPECT_THAT(JsonText(v1::GetStatusResponse()),
              HasSubstr(R"("start_time":null)"));
}

TEST(JsonTextTest, WritesNestedMessages) {
  v1::PutRecordResponse response;
  response.mutable_record()->set_record_class("profile");
  EXPECT_EQ(
      JsonText(response),
      R"({"record":{"record_class":"profile","record_id":"","etag":""}})");
}

TEST(JsonTextTest, StaysOneLineOfValidJsonWhateverAValueHolds) {
  v1::Record record;
  AddField(record, "name").mutable_value()->set_blob("\xff");
  AddField(record, "doc").mutable_value()->set_json("{broken");
  const std::string json = JsonText(record);
  EXPECT_THAT(json, Not(HasSubstr("\n")));
  EXPECT_THAT(json, Not(HasSubstr("broken")));
}

TEST(JsonTextTest, WritesMembersInTheirOrder) {
  EXPECT_EQ(JsonText({{"line", int64_t{3}}, {"fate", "refused"}}),
            R"({"line":3,"fate":"refused"})");
}

TEST(EnumNameTest, LeavesOutThePrefixAndKeepsUnknownNumbers) {
  EXPECT_EQ(EnumName(*v1::Action_descriptor(), v1::ACTION_SUBJECT_FIND),
            "SUBJECT_FIND");
  EXPECT_EQ(EnumName(*v1::Outcome_descriptor(), 0), "UNSPECIFIED");
  EXPECT_EQ(EnumName(*v1::Reason_descriptor(), 9999), "9999");
}

TEST(JsonTextTest, KeepsEnumNumbersThatANewerVaultSends) {
  v1::AuditEvent event;
  event.set_action(static_cast<v1::Action>(9999));
  EXPECT_THAT(JsonText(event), HasSubstr(R"("action":"9999")"));
}

TEST(DisplayTextTest, ShowsValuesAsPeopleReadThem) {
  v1::Value value;
  value.set_text("text");
  EXPECT_EQ(DisplayText(value), "text");
  value.set_integer(-3);
  EXPECT_EQ(DisplayText(value), "-3");
  value.set_boolean(false);
  EXPECT_EQ(DisplayText(value), "false");
  value.mutable_money()->set_currency("USD");
  value.mutable_money()->set_minor_units(1234);
  EXPECT_EQ(DisplayText(value), "USD 1234 (minor units)");
  v1::Address& address = *value.mutable_address();
  address.set_country("FR");
  address.set_locality("Paris");
  address.add_lines("1 rue A");
  EXPECT_EQ(DisplayText(value), "1 rue A, Paris, FR");
  value.mutable_timestamp()->set_seconds(0);
  EXPECT_EQ(DisplayText(value), "1970-01-01T00:00:00Z");
  value.set_blob("1234");
  EXPECT_EQ(DisplayText(value), "4 bytes");
  value.set_json("[1]");
  EXPECT_EQ(DisplayText(value), "[1]");
}

TEST(JoinTest, PutsSeparatorsBetween) {
  EXPECT_EQ(Join(std::vector<std::string>{"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(Join(std::vector<std::string>{}, ", "), "");
}

}  // namespace
}  // namespace hizo::cli
