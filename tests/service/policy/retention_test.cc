#include "service/policy/retention.h"

#include <string>

#include "gtest/gtest.h"

namespace hizo::policy {
namespace {

Day DayOf(const char* text) { return DayFromText(text).value(); }

RetentionSpec Japans() {
  RetentionSpec retention;
  retention.year_ends_month = 3;
  retention.year_ends_day = 31;
  retention.begins_after_months = 2;
  retention.years = 7;
  return retention;
}

std::string UntilOf(const RetentionSpec& retention, const char* day) {
  return ToText(KeptUntil(retention, FiscalYearEnd(retention, DayOf(day))));
}

TEST(RetentionTest, CountsFromTwoMonthsAfterTheFiscalYear) {
  EXPECT_EQ(UntilOf(Japans(), "2026-05-10"), "2034-05-31");
  RetentionSpec loss_year = Japans();
  loss_year.years = 10;
  EXPECT_EQ(UntilOf(loss_year, "2026-05-10"), "2037-05-31");
}

TEST(RetentionTest, TheLastDayOfAYearBelongsToIt) {
  EXPECT_EQ(ToText(FiscalYearEnd(Japans(), DayOf("2027-03-31"))), "2027-03-31");
  EXPECT_EQ(ToText(FiscalYearEnd(Japans(), DayOf("2027-04-01"))), "2028-03-31");
  EXPECT_EQ(UntilOf(Japans(), "2027-03-31"), "2034-05-31");
  EXPECT_EQ(UntilOf(Japans(), "2027-04-01"), "2035-05-31");
}

TEST(RetentionTest, FebruaryEndsWhenItEnds) {
  RetentionSpec retention = Japans();
  retention.year_ends_month = 2;
  retention.year_ends_day = 29;
  EXPECT_EQ(ToText(FiscalYearEnd(retention, DayOf("2027-02-28"))),
            "2027-02-28");
  EXPECT_EQ(ToText(FiscalYearEnd(retention, DayOf("2027-03-01"))),
            "2028-02-29");
  EXPECT_EQ(UntilOf(retention, "2027-03-01"), "2035-04-30");
}

TEST(RetentionTest, ATermWithoutAPauseBeginsTheDayAfter) {
  RetentionSpec retention = Japans();
  retention.year_ends_month = 12;
  retention.begins_after_months = 0;
  EXPECT_EQ(UntilOf(retention, "2026-12-31"), "2033-12-31");
  EXPECT_EQ(UntilOf(retention, "2027-01-01"), "2034-12-31");
}

TEST(RetentionTest, ReadsDaysAndNothingElse) {
  EXPECT_EQ(ToText(DayOf("2024-02-29")), "2024-02-29");
  EXPECT_EQ(ToText(DayOf("0999-01-01")), "0999-01-01");
  for (const char* text :
       {"", "2023-02-29", "2024-13-01", "2024-00-10", "2024-1-01", "2024/01/01",
        "2024-01-32", "20240101", "2024-01-01 ", "-024-01-01", "2024-+1-01"}) {
    EXPECT_FALSE(DayFromText(text).has_value()) << text;
  }
}

TEST(RetentionTest, StoresDaysAsNumbers) {
  EXPECT_EQ(NumberOf(DayOf("1970-01-02")), 1u);
  for (const char* text : {"1969-12-31", "2034-05-31"}) {
    EXPECT_EQ(DayFromNumber(NumberOf(DayOf(text))), DayOf(text));
  }
  EXPECT_EQ(ToText(policy::DayOf(base::Timestamp(DayOf("2034-06-01")) -
                                 std::chrono::microseconds(1))),
            "2034-05-31");
}

}  // namespace
}  // namespace hizo::policy
