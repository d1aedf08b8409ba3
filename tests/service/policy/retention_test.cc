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

ClassSpec Ending(unsigned days) {
  ClassSpec spec;
  spec.series = true;
  spec.ends.emplace().days = days;
  return spec;
}

ClassSpec EndingWithRetention() {
  ClassSpec spec = Ending(0);
  spec.retention = Japans();
  spec.retention->loss_years = 10;
  return spec;
}

EntryDates EntryOf(const char* event, const char* written) {
  EntryDates entry;
  entry.event = DayOf(event);
  entry.written = DayOf(written);
  return entry;
}

// The dates of the requirements that concern how long something is kept: the
// last second on which it is there, and the first on which it is not.
TEST(RetentionTest, KeepsToTheDatesOfTheRequirements) {
  struct Case {
    const char* what;
    ClassSpec spec;
    const char* day;  // of the entry, or of its invoice
    bool loss;
    const char* gone_from;
  };
  const Case cases[] = {
      {"D20", Ending(90), "2027-01-10", false, "2027-04-10"},
      {"D20, a leap day ends it", Ending(90), "2027-12-01", false,
       "2028-02-29"},
      {"D20, written on a leap day", Ending(90), "2028-02-29", false,
       "2028-05-29"},
      {"D20, a year without one", Ending(90), "2026-12-01", false,
       "2027-03-01"},
      {"D17", EndingWithRetention(), "2026-05-10", false, "2034-06-01"},
      {"D17, the year's last day", EndingWithRetention(), "2027-03-31", false,
       "2034-06-01"},
      {"D17, the next year's first", EndingWithRetention(), "2027-04-01", false,
       "2035-06-01"},
      {"D17, a year of a loss", EndingWithRetention(), "2026-05-10", true,
       "2037-06-01"},
  };
  for (const Case& of : cases) {
    SCOPED_TRACE(of.what);
    EntryDates entry = EntryOf(of.day, of.day);
    if (of.spec.retention.has_value()) entry.dated = DayOf(of.day);
    const auto last = PeriodFor(of.spec, entry);
    ASSERT_TRUE(last.has_value());
    const Day gone = EndOf(of.spec, *last, of.loss);
    EXPECT_EQ(ToText(gone), of.gone_from);
    const base::Timestamp due{DayOf(of.gone_from)};
    const auto is_gone = [&](base::Timestamp now) {
      return policy::DayOf(now) >= gone;
    };
    EXPECT_FALSE(is_gone(due - std::chrono::seconds(1)));
    EXPECT_TRUE(is_gone(due));
    EXPECT_TRUE(is_gone(due + std::chrono::seconds(1)));
  }
}

TEST(RetentionTest, CountsFromTheEventOrFromItsWriting) {
  ClassSpec spec = Ending(90);
  const EntryDates entry = EntryOf("2027-01-10", "2027-01-12");
  EXPECT_EQ(PeriodFor(spec, entry), DayOf("2027-01-10"));
  spec.ends->from_writing = true;
  EXPECT_EQ(PeriodFor(spec, entry), DayOf("2027-01-12"));
  spec.ends.reset();
  EXPECT_EQ(PeriodFor(spec, entry), std::nullopt);
}

TEST(RetentionTest, AMarkKeepsAnEntryUpToItsOwnLimit) {
  const ClassSpec spec = Ending(30);
  EntryDates entry = EntryOf("2027-01-01", "2027-01-01");
  const auto end = [&] {
    const auto last = PeriodFor(spec, entry);
    return last.has_value() ? ToText(EndOf(spec, *last)) : "never";
  };
  EXPECT_EQ(end(), "2027-01-31");
  entry.limit = 20;
  EXPECT_EQ(end(), "2027-01-21");
  entry.limit = 40;
  EXPECT_EQ(end(), "2027-01-31");
  entry.marked = true;
  EXPECT_EQ(end(), "2027-02-10");
  entry.limit = 20;
  EXPECT_EQ(end(), "2027-01-21");
  entry.limit = -5;
  EXPECT_EQ(end(), "2027-01-01");
  entry.limit.reset();
  EXPECT_EQ(end(), "never");
}

TEST(RetentionTest, APeriodGoesByItsLastDay) {
  EXPECT_EQ(PeriodOf(DayOf("2027-01-10")), 20270110U);
  EXPECT_EQ(LastDayOf(20280229), DayOf("2028-02-29"));
  for (const uint32_t none : {0U, 20270229U, 20271301U, 99U, 4294967295U}) {
    EXPECT_EQ(LastDayOf(none), std::nullopt) << none;
  }
  // Times beyond what can be named end with the first and the last that can.
  EntryDates entry;
  entry.event = Day(std::chrono::days(-100'000'000));
  EXPECT_EQ(PeriodOf(*PeriodFor(Ending(90), entry)), 10101U);
  entry.event = Day(std::chrono::days(100'000'000));
  EXPECT_EQ(PeriodOf(*PeriodFor(Ending(90), entry)), 99991231U);
}

}  // namespace
}  // namespace hizo::policy
