#include "service/policy/catalogue.h"

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/service/policy/small_catalogue.h"
#include "tests/testing/status_matchers.h"

namespace hizo::policy {
namespace {

using test::IsOk;
using test::StatusIs;
using ::testing::HasSubstr;

TEST(CatalogueTest, FindsByNameAndNumber) {
  const auto catalogue = SmallCatalogue();
  EXPECT_EQ(catalogue->version(), 3u);
  const ClassSpec* profile = catalogue->FindClass("profile");
  ASSERT_NE(profile, nullptr);
  EXPECT_EQ(catalogue->ClassByNumber(2), profile);
  const FieldSpec* name = catalogue->FindField(*profile, "full_name");
  ASSERT_NE(name, nullptr);
  EXPECT_EQ(name->full_name, "profile.full_name");
  EXPECT_EQ(catalogue->FindField("profile.full_name"), name);
  EXPECT_EQ(catalogue->FieldByNumber(201), name);
  EXPECT_EQ(catalogue->FindPurpose("billing"),
            catalogue->PurposeByNumber(kBilling));
  EXPECT_NE(catalogue->FindPurpose("billing"), nullptr);
}

TEST(CatalogueTest, FindsNothingThatIsNotThere) {
  const auto catalogue = SmallCatalogue();
  const ClassSpec& account = *catalogue->FindClass("account");
  EXPECT_EQ(catalogue->FindClass("Account"), nullptr);
  EXPECT_EQ(catalogue->ClassByNumber(0), nullptr);
  EXPECT_EQ(catalogue->ClassByNumber(3), nullptr);
  EXPECT_EQ(catalogue->FindField(account, "full_name"), nullptr);
  EXPECT_EQ(catalogue->FindField("full_name"), nullptr);
  EXPECT_EQ(catalogue->FindField("account.full_name"), nullptr);
  EXPECT_EQ(catalogue->FindField("account."), nullptr);
  EXPECT_EQ(catalogue->FindField(""), nullptr);
  EXPECT_EQ(catalogue->FieldByNumber(0), nullptr);
  EXPECT_EQ(catalogue->FieldByNumber(999), nullptr);
  EXPECT_EQ(catalogue->FindPurpose(""), nullptr);
  EXPECT_EQ(catalogue->PurposeByNumber(0), nullptr);
  EXPECT_EQ(catalogue->PurposeByNumber(64), nullptr);
}

TEST(CatalogueTest, OrdersFieldsByNumberAndCountsThemDensely) {
  const auto catalogue = SmallCatalogue();
  size_t index = 0;
  FieldNumber previous = 0;
  for (const FieldSpec& field : catalogue->fields()) {
    EXPECT_EQ(field.index, index++);
    EXPECT_GT(field.number, previous);
    previous = field.number;
  }
  const ClassSpec& account = *catalogue->FindClass("account");
  ASSERT_EQ(account.fields.size(), 2u);
  EXPECT_EQ(account.fields[0]->name, "email");
  EXPECT_EQ(account.fields[1]->name, "handle");
}

TEST(CatalogueTest, KnowsInternalFields) {
  const auto catalogue = SmallCatalogue();
  EXPECT_EQ(catalogue->internal_fields(),
            FieldsOf(*catalogue, {"credential.password_hash"}));
}

TEST(CatalogueTest, KnowsTheFieldsOfAPurpose) {
  const auto catalogue = SmallCatalogue();
  EXPECT_EQ(
      catalogue->FieldsFor(kMarketing),
      FieldsOf(*catalogue, {"account.email", "account.handle",
                            "profile.full_name", "credential.password_hash"}));
  EXPECT_TRUE(catalogue->FieldsFor(kOperations).none());
  EXPECT_TRUE(catalogue->FieldsFor(0).none());
  EXPECT_TRUE(catalogue->FieldsFor(64).none());
  EXPECT_TRUE(catalogue->FieldsFor(UINT16_MAX).none());
}

TEST(CatalogueTest, TakesTheLargestNumbers) {
  CatalogueSource source = SmallCatalogueSource();
  source.purposes.push_back({63, "last", ""});
  source.classes.push_back({});
  source.classes.back().number = 63;
  source.classes.back().name = "last";
  source.fields.push_back(source.fields[0]);
  source.fields.back().number = 65534;
  source.fields.back().class_number = 63;
  source.fields.back().size_max = kFieldSizeMax;
  EXPECT_THAT(Catalogue::Create(source), IsOk());
}

TEST(CatalogueTest, AllowsOneNameInTwoClasses) {
  CatalogueSource source = SmallCatalogueSource();
  source.fields[0].name = "email";
  const auto catalogue = Catalogue::Create(source);
  ASSERT_THAT(catalogue, IsOk());
  EXPECT_NE((*catalogue)->FindField("profile.email"),
            (*catalogue)->FindField("account.email"));
}

// Profiles, dated and kept for billing.
RetentionSpec& KeepProfiles(CatalogueSource& source) {
  FieldSpec dated = source.fields[0];
  dated.number = 203;
  dated.name = "dated";
  dated.type = FieldType::kDate;
  dated.required = true;
  source.fields.push_back(dated);
  RetentionSpec& retention = source.classes[0].retention.emplace();
  retention.law = "An act";
  retention.year_ends_month = 12;
  retention.year_ends_day = 31;
  retention.years = 7;
  retention.dated_by = "dated";
  retention.purposes.set(kBilling);
  return retention;
}

TEST(CatalogueTest, KnowsWhatALawHasKept) {
  CatalogueSource source = SmallCatalogueSource();
  KeepProfiles(source);
  const auto catalogue = Catalogue::Create(source);
  ASSERT_THAT(catalogue, IsOk());
  const auto& kept = (*catalogue)->FindClass("profile")->retention;
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->years, 7U);
  EXPECT_FALSE((*catalogue)->FindClass("account")->retention.has_value());
}

// Profiles as a series whose entries end after so many days.
EndSpec& EndProfiles(CatalogueSource& source, unsigned days) {
  source.classes[0].series = true;
  for (FieldSpec& field : source.fields) {
    if (field.class_number != source.classes[0].number) continue;
    field.searchable = false;
    field.unique = false;
  }
  EndSpec& ends = source.classes[0].ends.emplace();
  ends.days = days;
  return ends;
}

TEST(CatalogueTest, KnowsWhenEntriesEnd) {
  CatalogueSource source = SmallCatalogueSource();
  EndProfiles(source, 90);
  auto catalogue = Catalogue::Create(source);
  ASSERT_THAT(catalogue, IsOk());
  EXPECT_EQ((*catalogue)->FindClass("profile")->ends->days, 90U);
  EXPECT_FALSE((*catalogue)->FindClass("account")->ends.has_value());
  KeepProfiles(source).loss_years = 10;
  source.classes[0].retention->loss_law = "Another act";
  EndProfiles(source, 0);
  EXPECT_THAT(Catalogue::Create(source), IsOk());
}

struct Fault {
  const char* name;
  std::function<void(CatalogueSource&)> plant;
  const char* text;
};
class CatalogueFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(CatalogueFaultTest, IsRefusedByName) {
  CatalogueSource source = SmallCatalogueSource();
  ASSERT_THAT(Catalogue::Create(source), IsOk());
  GetParam().plant(source);
  const auto result = Catalogue::Create(source);
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr(GetParam().text));
}

using Source = CatalogueSource;
INSTANTIATE_TEST_SUITE_P(
    Each, CatalogueFaultTest,
    ::testing::Values(
        Fault{"DoubledFieldNumber", [](Source& s) { s.fields[0].number = 201; },
              "has another one's number"},
        Fault{"EndOfNoSeries",
              [](Source& s) {
                EndProfiles(s, 90);
                s.classes[0].series = false;
              },
              "the end of class `profile` is of a class that is no series"},
        Fault{"EndInNoTime", [](Source& s) { EndProfiles(s, 0); },
              "is neither after days nor that of a retention"},
        Fault{"EndInAges", [](Source& s) { EndProfiles(s, 36'501); },
              "is over 36,500 days away"},
        Fault{"EndBeforeALawsTerm",
              [](Source& s) {
                KeepProfiles(s);
                EndProfiles(s, 90);
              },
              "is after days, though a law has the class kept"},
        Fault{"EndOfARetentionThatIsMarked",
              [](Source& s) {
                KeepProfiles(s);
                EndProfiles(s, 0).marked_by = "dated";
              },
              "is that of a retention and no other"},
        Fault{"EndMarkedByNoBoolean",
              [](Source& s) { EndProfiles(s, 90).marked_by = "note"; },
              "is marked by a field that is no boolean"},
        Fault{"EndLimitedByNoInteger",
              [](Source& s) { EndProfiles(s, 90).limited_by = "nothing"; },
              "is limited by a field that is no integer"},
        Fault{"LossYearsThatAreShorter",
              [](Source& s) {
                KeepProfiles(s).loss_years = 6;
                s.classes[0].retention->loss_law = "Another act";
              },
              "has years of a loss that are kept shorter"},
        Fault{"LossYearsOfNoLaw",
              [](Source& s) { KeepProfiles(s).loss_years = 10; },
              "names no law for years of a loss"},
        Fault{"RetentionOfNoLaw",
              [](Source& s) { KeepProfiles(s).law.clear(); },
              "the retention of class `profile` names no law"},
        Fault{"RetentionOfALawOfTwoLines",
              [](Source& s) { KeepProfiles(s).law = "a\nkept: none"; },
              "names no law"},
        Fault{"RetentionWithoutEnd",
              [](Source& s) { KeepProfiles(s).years = 0; },
              "is not of 1 to 100 years"},
        Fault{"RetentionForAges",
              [](Source& s) { KeepProfiles(s).years = 101; },
              "is not of 1 to 100 years"},
        Fault{"RetentionThatBeginsLate",
              [](Source& s) { KeepProfiles(s).begins_after_months = 13; },
              "from at most 12 months on"},
        Fault{"RetentionOfNoMonth",
              [](Source& s) { KeepProfiles(s).year_ends_month = 13; },
              "has a fiscal year without an end"},
        Fault{"RetentionOfNoDay",
              [](Source& s) { KeepProfiles(s).year_ends_day = 0; },
              "has a fiscal year without an end"},
        Fault{"RetentionForNothing",
              [](Source& s) { KeepProfiles(s).purposes.reset(); },
              "the retention of class `profile` has no purpose"},
        Fault{"RetentionForWhatIsNot",
              [](Source& s) { KeepProfiles(s).purposes.set(63); },
              "has a purpose that does not exist"},
        Fault{"RetentionDatedByText",
              [](Source& s) { KeepProfiles(s).dated_by = "note"; },
              "is not dated by a date that records must have"},
        Fault{"RetentionDatedByWhatMayBeMissing",
              [](Source& s) {
                KeepProfiles(s);
                s.fields.back().required = false;
              },
              "is not dated by a date that records must have"},
        Fault{"RetentionOfWhatIsInternal",
              [](Source& s) {
                KeepProfiles(s);
                s.classes[0].internal = true;
              },
              "is of a class that is internal"},
        Fault{"ZeroFieldNumber", [](Source& s) { s.fields[0].number = 0; },
              "field `note` has no number"},
        Fault{"DoubledFieldName",
              [](Source& s) { s.fields[0].name = "full_name"; },
              "field `full_name` is there twice"},
        Fault{"EmptyFieldName", [](Source& s) { s.fields[0].name.clear(); },
              "is not a name"},
        Fault{"DottedFieldName", [](Source& s) { s.fields[0].name = "a.b"; },
              "field `a.b` is not a name"},
        Fault{"StarredClassName", [](Source& s) { s.classes[0].name = "*"; },
              "class `*` is not a name"},
        Fault{"UpperCasePurpose", [](Source& s) { s.purposes[0].name = "Ops"; },
              "purpose `Ops` is not a name"},
        Fault{"LongName",
              [](Source& s) { s.fields[0].name = std::string(65, 'a'); },
              "is not a name"},
        Fault{"FieldOfNoClass", [](Source& s) { s.fields[0].class_number = 9; },
              "field `note` is of no class"},
        Fault{"FieldOfClassZero",
              [](Source& s) { s.fields[0].class_number = 0; },
              "field `note` is of no class"},
        // The number of a record's event time.
        Fault{"TooBigFieldNumber",
              [](Source& s) { s.fields[0].number = 65535; },
              "field `note` has too big a number"},
        Fault{"SearchableInASeries",
              [](Source& s) { s.classes[1].series = true; },
              "class `account` is a series and has a field that is searchable"},
        Fault{"SearchableText",
              [](Source& s) { s.fields[0].searchable = true; },
              "field `note` is of a type that cannot be searched"},
        Fault{"UniqueButNotSearchable",
              [](Source& s) { s.fields[3].unique = true; },
              "field `handle` is unique but not searchable"},
        Fault{"NoPurpose", [](Source& s) { s.fields[0].purposes.reset(); },
              "field `note` has no purpose"},
        Fault{"UnknownPurpose", [](Source& s) { s.fields[0].purposes.set(60); },
              "field `note` has a purpose that does not exist"},
        Fault{"PurposeZero", [](Source& s) { s.fields[0].purposes.set(0); },
              "field `note` has a purpose that does not exist"},
        Fault{"ChoiceWithoutChoices",
              [](Source& s) { s.fields[0].type = FieldType::kChoice; },
              "field `note` must have choices"},
        Fault{"TextWithChoices", [](Source& s) { s.fields[0].choices = {"a"}; },
              "field `note` must have choices"},
        Fault{"TextWithoutRoom", [](Source& s) { s.fields[0].size_max = 0; },
              "field `note` has no room"},
        Fault{"TooBigText",
              [](Source& s) { s.fields[0].size_max = kFieldSizeMax + 1; },
              "field `note` is too big"},
        Fault{"PortableButDerived",
              [](Source& s) {
                s.fields[0].export_kind = Export::kPortable;
                s.fields[0].source = policy::Source::kDerived;
              },
              "field `note` is portable, though derived"},
        Fault{"PortableButOfInterestOnly",
              [](Source& s) {
                s.fields[0].export_kind = Export::kPortable;
                s.fields[0].interest_only = true;
              },
              "or of interest only"},
        Fault{"ClassWithoutFields", [](Source& s) { s.fields.pop_back(); },
              "class `credential` has no fields"},
        Fault{"DoubledClassNumber", [](Source& s) { s.classes[1].number = 2; },
              "has another one's number"},
        Fault{"DoubledClassName",
              [](Source& s) { s.classes[1].name = "profile"; },
              "class `profile` is there twice"},
        Fault{"ZeroClassNumber", [](Source& s) { s.classes[0].number = 0; },
              "class `profile` has no number"},
        Fault{"ClassNumberOfFacts",
              [](Source& s) {
                s.classes[0].number = kClassFacts;
                s.fields[0].class_number = kClassFacts;
                s.fields[1].class_number = kClassFacts;
              },
              "has the number of the facts"},
        Fault{"TooBigClassNumber",
              [](Source& s) {
                s.classes[0].number = 64;
                s.fields[0].class_number = 64;
                s.fields[1].class_number = 64;
              },
              "class `profile` has too big a number"},
        Fault{"DoubledPurposeNumber",
              [](Source& s) { s.purposes[0].number = kBilling; },
              "has another one's number"},
        Fault{"DoubledPurposeName",
              [](Source& s) { s.purposes[0].name = "billing"; },
              "purpose `billing` is there twice"},
        Fault{"ZeroPurpose", [](Source& s) { s.purposes[0].number = 0; },
              "purpose `operations` has no number"},
        Fault{"TooBigPurpose", [](Source& s) { s.purposes[0].number = 64; },
              "purpose `operations` has too big a number"},
        Fault{"TooManyFields",
              [](Source& s) {
                while (s.fields.size() <= kFieldsMax) {
                  s.fields.push_back(s.fields[0]);
                }
              },
              "more than 256 fields"}),
    [](const auto& test) { return test.param.name; });

TEST(CatalogueTest, WhatIsObservedMayBePortable) {
  CatalogueSource source = SmallCatalogueSource();
  source.fields[0].export_kind = Export::kPortable;
  source.fields[0].source = policy::Source::kObserved;
  source.fields[1].export_kind = Export::kAccessOnly;
  source.fields[1].source = policy::Source::kDerived;
  source.fields[1].interest_only = true;
  EXPECT_THAT(Catalogue::Create(std::move(source)), IsOk());
}

TEST(CatalogueTest, NamesSources) {
  EXPECT_EQ(NameOf(policy::Source::kProvided), "provided");
  EXPECT_EQ(NameOf(policy::Source::kObserved), "observed");
  EXPECT_EQ(NameOf(policy::Source::kDerived), "derived");
}

TEST(CatalogueTest, RefusesAnEmptyClassList) {
  CatalogueSource source = SmallCatalogueSource();
  source.classes.clear();
  EXPECT_THAT(Catalogue::Create(std::move(source)),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace hizo::policy
