// profile.json, parts of series and tables.
#include "service/bundle/documents.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/bundle/refusal.h"
#include "tests/service/bundle/sample.h"
#include "tests/testing/status_matchers.h"

namespace hizo::bundle {
namespace {

using test::IsOk;
using test::IsOkAndHolds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

MATCHER_P(IsRefusedAs, refusal, "") {
  return RefusalOf(test::StatusOf(arg)) == refusal;
}

void ExpectSame(const std::vector<Record>& read,
                const std::vector<Record>& written) {
  ASSERT_EQ(read.size(), written.size());
  for (size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].record_class, written[i].record_class);
    EXPECT_EQ(read[i].id, written[i].id);
    EXPECT_EQ(read[i].event_time, written[i].event_time);
    ASSERT_EQ(read[i].fields.size(), written[i].fields.size());
    for (size_t j = 0; j < read[i].fields.size(); ++j) {
      EXPECT_EQ(read[i].fields[j].name, written[i].fields[j].name);
      EXPECT_EQ(read[i].fields[j].json.Reveal(),
                written[i].fields[j].json.Reveal());
      EXPECT_EQ(read[i].fields[j].source, written[i].fields[j].source);
    }
  }
}

std::string Line(const Record& record) {
  std::string line;
  AppendRecordLine(SampleAbout(), record, line);
  return line;
}

TEST(ProfileTest, ComesBackByteForByte) {
  const std::vector<Record> records = SampleRecords();
  const auto read =
      ReadProfile(ProfileJson(SampleAbout(), records), kSampleSubject);
  ASSERT_THAT(read, IsOk());
  ExpectSame(*read, records);
}

TEST(ProfileTest, IsEmptyOfNobody) {
  const auto read = ReadProfile(ProfileJson(SampleAbout(), {}), kSampleSubject);
  ASSERT_THAT(read, IsOk());
  EXPECT_TRUE(read->empty());
}

TEST(ProfileTest, IsOfOnePerson) {
  const std::string json = ProfileJson(SampleAbout(), SampleRecords());
  EXPECT_THAT(ReadProfile(json, kOtherSubject),
              IsRefusedAs(Refusal::kOtherPerson));
  EXPECT_THAT(SubjectOf(json), IsOkAndHolds(std::string(kSampleSubject)));
}

TEST(ProfileTest, RefusesAnotherSchema) {
  const std::string json = ProfileJson(SampleAbout(), SampleRecords());
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{
           {"profile-1.json", "profile-2.json"},
           {"\"bundle\":", "\"bundel\":"},
           {"\"records\":", "\"more\":1,\"records\":"},
           {"\"provided\"", "\"inferred\""},
           {"\"age_attestation\":true", "\"age_attestation\":null"},
           {"\"age_attestation\":true", "\"age_attestation\":1.5"},
           {"\"age_attestation\":true", "\"age_attestation\":[1]"},
           {"\"age_attestation\":true", "\"age_attestation\":{\"x\":1}"},
           {"\"age_attestation\":true", "\"Age\":true"},
           {"\"username\":", "\"email\":\"x\",\"username\":"},
           {"\"country\":\"JP\"", "\"country\":\"jp\""}}) {
    const std::string bad = absl::StrReplaceAll(json, {{from, to}});
    ASSERT_NE(bad, json) << from;
    EXPECT_THAT(ReadProfile(bad, kSampleSubject),
                IsRefusedAs(Refusal::kUnknownSchema))
        << to;
  }
}

TEST(ProfileTest, RefusesEveryCut) {
  const std::string json = ProfileJson(SampleAbout(), SampleRecords());
  for (size_t size = 0; size + 1 < json.size(); size += 7) {
    EXPECT_THAT(ReadProfile(json.substr(0, size), kSampleSubject), Not(IsOk()));
  }
}

TEST(ProfileTest, RefusesDepth) {
  const std::string deep =
      R"({"json":)" + std::string(5000, '[') + std::string(5000, ']') + "}";
  std::vector<Record> records(1);
  records[0].record_class = "account";
  records[0].fields.push_back({"registration_info", base::Pii(deep)});
  EXPECT_THAT(ReadProfile(ProfileJson(SampleAbout(), records), kSampleSubject),
              IsRefusedAs(Refusal::kUnknownSchema));
}

TEST(PartTest, ComesBackByteForByte) {
  const std::vector<Record> records = SampleSeries(20);
  std::string lines;
  for (const Record& record : records) {
    AppendRecordLine(SampleAbout(), record, lines);
  }
  const auto read = ReadPart(lines, kSampleSubject);
  ASSERT_THAT(read, IsOk());
  ExpectSame(*read, records);
  EXPECT_THAT(SubjectOf(lines), IsOkAndHolds(std::string(kSampleSubject)));
}

// Of whom some was observed and some worked out.
std::vector<Record> Observed() {
  std::vector<Record> records = SampleRecords();
  records[0].fields[2].source = Source::kObserved;
  records[1].fields[0].source = Source::kDerived;
  return records;
}

TEST(SourcesTest, ComeBack) {
  const std::string json = ProfileJson(SampleAbout(), Observed());
  EXPECT_THAT(json,
              HasSubstr("\"source\":\"provided\",\n\"sources\":{"
                        "\"account.pc_mail_address\":\"observed\","
                        "\"profile.full_name\":\"derived\"},\n\"records\""));
  const auto read = ReadProfile(json, kSampleSubject);
  ASSERT_THAT(read, IsOk());
  ExpectSame(*read, Observed());
  Record invoice = Invoice(1);
  invoice.fields[3].source = Source::kObserved;
  const std::string line = Line(invoice);
  EXPECT_THAT(line, HasSubstr("\"source\":\"provided\",\"sources\":{"
                              "\"payment_at\":\"observed\"},\"fields\""));
  const auto part = ReadPart(line, kSampleSubject);
  ASSERT_THAT(part, IsOk());
  std::vector<Record> written;
  written.push_back(std::move(invoice));
  ExpectSame(*part, written);
}

TEST(SourcesTest, AreOfFieldsThatAreThereAndOtherThanThePerson) {
  const std::string json = ProfileJson(SampleAbout(), Observed());
  Record invoice = Invoice(1);
  invoice.fields[3].source = Source::kObserved;
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{
           {"\"observed\"", "\"provided\""},
           {"\"observed\"", "\"guessed\""},
           {"\"observed\"", "2"},
           {"account.pc_mail_address", "account.mail"},
           {"account.pc_mail_address", "billing.pc_mail_address"},
           {"account.pc_mail_address", "pc_mail_address"},
           {"\"sources\":{", "\"sources\":[{"},
           {"\"sources\":{", "\"sources\":{},\"was\":{"}}) {
    const std::string bad = absl::StrReplaceAll(json, {{from, to}});
    ASSERT_NE(bad, json) << from;
    EXPECT_THAT(ReadProfile(bad, kSampleSubject),
                IsRefusedAs(Refusal::kUnknownSchema))
        << to;
  }
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{
           {"{\"payment_at\":\"observed\"}", "{}"},
           {"{\"payment_at\":\"observed\"}", "[\"payment_at\"]"},
           {"{\"payment_at\":\"observed\"}", "null"},
           {"\"payment_at\":\"observed\"", "\"paid\":\"observed\""},
           {"\"observed\"", "\"provided\""}}) {
    const std::string good = Line(invoice);
    const std::string bad = absl::StrReplaceAll(good, {{from, to}});
    ASSERT_NE(bad, good) << from;
    EXPECT_THAT(ReadPart(bad, kSampleSubject),
                IsRefusedAs(Refusal::kUnknownSchema))
        << to;
  }
}

TEST(PartTest, RefusesALineOfSomebodyElse) {
  const std::string good = Line(Invoice(1));
  const std::string bad =
      absl::StrReplaceAll(good, {{kSampleSubject, kOtherSubject}});
  EXPECT_THAT(ReadPart(good + bad + good, kSampleSubject),
              IsRefusedAs(Refusal::kOtherPerson));
}

TEST(PartTest, RefusesOtherLines) {
  const std::string good = Line(Invoice(1));
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{
           {"\n", ""},
           {"\"record\":", "\"id\":"},
           {"\"event_time\":\"2026", "\"event_time\":\"2026-13"},
           {"Z\"", "+09:00\""},
           {"018f0000", "x18f0000"},
           {"\"fields\":{", "\"fields\":{\"amount\":1,"},
           {"\"class\":\"transaction\"", "\"class\":\"Transaction\""},
           {"\"class\":\"transaction\"", "\"class\":7"},
           {"\"fields\"", "\"extra\":1,\"fields\""}}) {
    const std::string bad = absl::StrReplaceAll(good, {{from, to}});
    ASSERT_NE(bad, good) << from;
    EXPECT_THAT(ReadPart(bad, kSampleSubject),
                IsRefusedAs(Refusal::kUnknownSchema))
        << to;
  }
}

TEST(PartTest, IsOfOneClass) {
  const std::string good = Line(Invoice(1));
  const std::string other = absl::StrReplaceAll(
      good, {{"\"class\":\"transaction\"", "\"class\":\"usage\""}});
  EXPECT_THAT(ReadPart(good + other, kSampleSubject),
              IsRefusedAs(Refusal::kUnknownSchema));
}

TEST(PartTest, IsNamedAfterItsClass) {
  EXPECT_EQ(PartName("transaction", 1, "ndjson"), "transaction-0001.ndjson");
  EXPECT_EQ(PartName("long_name", 12345, "csv"), "long-name-12345.csv");
}

TEST(CsvTest, HasAColumnForEachPart) {
  const std::vector<Column> columns = {{"invoice_number"},
                                       {"amount", Column::Shape::kMoney},
                                       {"at", Column::Shape::kAddress}};
  EXPECT_EQ(CsvHead(columns),
            "record,event_time,invoice_number,amount,amount_currency,"
            "at_country,at_postal_code,at_region,at_locality,at_lines\r\n");
  std::string line;
  AppendCsvLine(columns, Invoice(3), line);
  EXPECT_EQ(line,
            "018f0000-0000-7000-8000-000000000003,2026-05-31T20:26:40Z,INV-3,"
            "1203,JPY,,,,,\r\n");
}

TEST(CsvTest, WritesNoFormula) {
  for (const char* formula :
       {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "|cmd", "%x"}) {
    EXPECT_THAT(CsvCell(formula), StartsWith("\"'")) << formula;
  }
  EXPECT_EQ(CsvCell("=a\"b"), "\"'=a\"\"b\"");
}

TEST(CsvTest, QuotesWhatItMust) {
  EXPECT_EQ(CsvCell("plain"), "plain");
  EXPECT_EQ(CsvCell("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvCell("a\nb"), "\"a\nb\"");
  EXPECT_EQ(CsvCell("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(CsvCell(""), "");
}

TEST(CsvTest, LeavesNumbersNumbers) {
  Record record = Invoice(1);
  record.fields.push_back({"count", base::Pii("-5")});
  const std::vector<Column> columns = {{"count"},
                                       {"refund", Column::Shape::kMoney}};
  std::string line;
  AppendCsvLine(columns, record, line);
  EXPECT_THAT(line, HasSubstr(",-5,-1.05,EUR\r\n"));
}

// The committed schema is what bundles carry.
TEST(SchemaTest, NamesItself) {
  EXPECT_THAT(std::string(ProfileSchema()),
              HasSubstr("https://json-schema.org/draft/2020-12/schema"));
  EXPECT_THAT(std::string(ProfileSchema()), HasSubstr(kProfileSchemaId));
}

}  // namespace
}  // namespace hizo::bundle
