#include "service/app/catalogue_file.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/service/app/temp_folder.h"

namespace hizo::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kGood[] = R"(version: 7
purposes:
  support: {number: 2, text: "Helping."}
  billing: {number: 3, text: "Charging.", outlives_account: true}
classes:
  profile:
    number: 2
    fields:
      full_name: {number: 201, type: text, sensitivity: contact,
        mask: initials, export: portable, purposes: [support], required: true}
      plan: {number: 202, type: choice, sensitivity: personal, mask: none,
        export: access_only, purposes: [support, billing],
        choices: [small, large], size_max: 9}
  invoice:
    number: 4
    series: true
    fields:
      number: {number: 401, type: reference, sensitivity: financial,
        mask: last_four, export: never, purposes: [billing], unique: true,
        searchable: true}
  secret:
    number: 5
    internal: true
    fields:
      hash: {number: 501, type: bytes, sensitivity: credential, mask: hidden,
        export: never, purposes: [support]}
)";

absl::StatusOr<policy::CatalogueSource> Read(const std::string& text) {
  const TempFolder folder;
  return ReadCatalogue(folder.Write("c.yaml", text));
}

// kGood with `from` replaced by `to`.
std::string Changed(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<policy::CatalogueSource> source = Read(text);
  EXPECT_EQ(source.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(source.status().message());
}

TEST(ReadCatalogueTest, ReadsPurposesClassesAndFields) {
  const absl::StatusOr<policy::CatalogueSource> source = Read(kGood);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->version, 7U);
  ASSERT_EQ(source->purposes.size(), 2U);
  EXPECT_EQ(source->purposes[1].name, "billing");
  EXPECT_EQ(source->purposes[1].number, 3);
  EXPECT_EQ(source->purposes[1].text, "Charging.");
  EXPECT_TRUE(source->purposes[1].outlives_account);
  EXPECT_FALSE(source->purposes[0].outlives_account);
  EXPECT_EQ(source->digest.size(), 64U);
  ASSERT_EQ(source->classes.size(), 3U);
  EXPECT_FALSE(source->classes[0].series);
  EXPECT_TRUE(source->classes[1].series);
  EXPECT_FALSE(source->classes[1].internal);
  EXPECT_TRUE(source->classes[2].internal);
  EXPECT_EQ(source->fields.size(), 4U);
}

TEST(ReadCatalogueTest, ReadsEverythingThatAFieldSays) {
  const absl::StatusOr<policy::CatalogueSource> source = Read(kGood);
  ASSERT_TRUE(source.ok()) << source.status();
  const policy::FieldSpec& plan = source->fields[1];
  EXPECT_EQ(plan.number, 202);
  EXPECT_EQ(plan.class_number, 2);
  EXPECT_EQ(plan.name, "plan");
  EXPECT_EQ(plan.type, policy::FieldType::kChoice);
  EXPECT_EQ(plan.sensitivity, policy::Sensitivity::kPersonal);
  EXPECT_EQ(plan.mask, policy::Mask::kNone);
  EXPECT_EQ(plan.export_kind, policy::Export::kAccessOnly);
  EXPECT_TRUE(plan.purposes.test(2));
  EXPECT_TRUE(plan.purposes.test(3));
  EXPECT_EQ(plan.purposes.count(), 2U);
  EXPECT_EQ(plan.size_max, 9U);
  EXPECT_THAT(plan.choices, ElementsAre("small", "large"));
  EXPECT_FALSE(plan.required);
  EXPECT_TRUE(source->fields[0].required);
  EXPECT_EQ(source->fields[0].size_max, 4096U);
  EXPECT_TRUE(source->fields[2].unique);
  EXPECT_TRUE(source->fields[2].searchable);
}

TEST(ReadCatalogueTest, ReadsWhereValuesComeFrom) {
  const absl::StatusOr<policy::CatalogueSource> source =
      Read(Changed("required: true",
                   "required: true, source: observed, interest_only: true"));
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->fields[0].source, policy::Source::kObserved);
  EXPECT_TRUE(source->fields[0].interest_only);
  EXPECT_EQ(source->fields[1].source, policy::Source::kProvided);
  EXPECT_FALSE(source->fields[1].interest_only);
  EXPECT_THAT(
      ErrorOf(Changed("required: true", "required: true, source: guessed")),
      HasSubstr("wanted one of provided observed derived"));
  EXPECT_THAT(ErrorOf(Changed("required: true",
                              "required: true, interest_only: often")),
              HasSubstr("wanted true or false"));
}

TEST(ReadCatalogueTest, ReadsWhenEntriesEnd) {
  const auto ends_of = [](const std::string& ends) {
    const auto source =
        Read(Changed("series: true", "series: true\n    ends: " + ends));
    EXPECT_TRUE(source.ok()) << source.status();
    return source->classes[1].ends.value();
  };
  policy::EndSpec ends = ends_of("{after_days: 90}");
  EXPECT_EQ(ends.days, 90U);
  EXPECT_FALSE(ends.from_writing);
  ends = ends_of(
      "{after_days: 30, from: writing, marked_by: kept, limited_by: days}");
  EXPECT_TRUE(ends.from_writing);
  EXPECT_EQ(ends.marked_by, "kept");
  EXPECT_EQ(ends.limited_by, "days");
  EXPECT_EQ(ends_of("{with_retention: true}").days, 0U);
  EXPECT_FALSE(Read(kGood)->classes[1].ends.has_value());
}

TEST(ReadCatalogueTest, RefusesEndsThatAreNone) {
  const auto error_of = [](const std::string& ends) {
    return ErrorOf(Changed("series: true", "series: true\n    ends: " + ends));
  };
  for (const char* ends :
       {"{}", "{after_days: 0}", "{after_days: 1, with_retention: true}",
        "{with_retention: false}"}) {
    EXPECT_THAT(error_of(ends), HasSubstr("ends either after_days")) << ends;
  }
  EXPECT_THAT(error_of("{after_days: 1, from: birth}"),
              HasSubstr("wanted one of event writing"));
  EXPECT_THAT(error_of("{after_days: -1}"), HasSubstr("wanted a whole number"));
  EXPECT_THAT(error_of("{after_weeks: 1}"), HasSubstr("after_weeks"));
}

TEST(ReadCatalogueTest, NamesFileLineAndKeyOfAnUnknownKey) {
  const TempFolder folder;
  const std::filesystem::path file =
      folder.Write("c.yaml", Changed("required: true", "needed: true"));
  EXPECT_EQ(ReadCatalogue(file).status().message(),
            file.string() + ":10: unknown key `needed`");
  EXPECT_THAT(ErrorOf(Changed("series:", "serial:")),
              HasSubstr(":16: unknown key `serial`"));
  EXPECT_THAT(ErrorOf(Changed("version: 7", "version: 7\nextra: 1")),
              HasSubstr(":2: unknown key `extra`"));
  EXPECT_THAT(ErrorOf(Changed("text: \"Helping.\"", "txt: x")),
              HasSubstr(":3: unknown key `txt`"));
}

TEST(ReadCatalogueTest, RefusesNamesThatMeanNothing) {
  EXPECT_THAT(ErrorOf(Changed("type: text", "type: string")),
              HasSubstr("wanted one of text choice email"));
  EXPECT_THAT(ErrorOf(Changed("mask: initials", "mask: Initials")),
              HasSubstr("wanted one of none ends"));
  EXPECT_THAT(ErrorOf(Changed("sensitivity: contact", "sensitivity: high")),
              HasSubstr("wanted one of technical"));
  EXPECT_THAT(ErrorOf(Changed("export: portable", "export: true")),
              HasSubstr("wanted one of portable"));
  EXPECT_THAT(ErrorOf(Changed("[support]", "[suport]")),
              HasSubstr(":9: there is no purpose `suport`"));
}

TEST(ReadCatalogueTest, RefusesWrongTypesAndNumbersOutOfBounds) {
  EXPECT_THAT(ErrorOf(Changed("number: 201", "number: one")),
              HasSubstr("wanted a whole number from 0 to 65535"));
  EXPECT_THAT(ErrorOf(Changed("number: 201", "number: 65536")),
              HasSubstr("wanted a whole number"));
  EXPECT_THAT(ErrorOf(Changed("series: true", "series: 1")),
              HasSubstr("wanted true or false"));
  EXPECT_THAT(ErrorOf(Changed("[small, large]", "small")),
              HasSubstr("wanted a list of texts"));
  for (const char* number : {"number: 0", "number: 64"}) {
    EXPECT_THAT(ErrorOf(Changed("number: 2", number)),
                HasSubstr("a purpose's number is 1 to 63"));
  }
}

TEST(ReadCatalogueTest, RefusesMissingParts) {
  EXPECT_THAT(ErrorOf(Changed("version: 7\n", "")),
              HasSubstr("`version` is missing"));
  EXPECT_THAT(ErrorOf(Changed(", purposes: [support], required", ", required")),
              HasSubstr(":9: `purposes` is missing"));
  EXPECT_THAT(ErrorOf("version: 1\npurposes: {}\n"),
              HasSubstr("`classes` is missing"));
  EXPECT_THAT(ErrorOf("version: 1\npurposes: []\nclasses: {}\n"),
              HasSubstr(":2: wanted `key: value` pairs"));
}

TEST(ReadCatalogueTest, RefusesDoubledNamesWithTheirLine) {
  EXPECT_THAT(ErrorOf(Changed("billing: {", "support: {")),
              HasSubstr(":4: this key stands twice"));
  EXPECT_THAT(ErrorOf(Changed("plan: {", "full_name: {")),
              HasSubstr(":11: this key stands twice"));
}

TEST(ReadCatalogueTest, TellsAMissingFile) {
  const TempFolder folder;
  EXPECT_EQ(ReadCatalogue(folder.path() / "none").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hizo::app
