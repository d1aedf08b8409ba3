// Retention: how long a law has the records of a class kept after the person
// they are about was erased, and when entries end whoever they are of.
// Calendars only: no clock.
//
//   fiscal year ends 2027-03-31, begins two months after, seven years
//   -> the term begins 2027-06-01, its last day is 2034-05-31
//   an entry of 2027-01-10 that ends after 90 days
//   -> is there until 2027-04-09
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_POLICY_RETENTION_H_
#define HIZO_SERVICE_POLICY_RETENTION_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "service/base/clock.h"
#include "service/policy/catalogue.h"

namespace hizo::policy {

using Day = std::chrono::sys_days;

// "2034-05-31"; nullopt for what is no day.
std::optional<Day> DayFromText(std::string_view text);
std::string ToText(Day day);
// The day in UTC.
Day DayOf(base::Timestamp time);
// As it is stored: days since 1970-01-01.
inline uint32_t NumberOf(Day day) {
  return static_cast<uint32_t>(day.time_since_epoch().count());
}
inline Day DayFromNumber(uint32_t number) {
  return Day(std::chrono::days(static_cast<int32_t>(number)));
}

// The last day of the fiscal year that `day` lies in.
Day FiscalYearEnd(const RetentionSpec& retention, Day day);
// The last day on which records of that fiscal year are kept; `loss`: it was
// marked as one of a loss.
Day KeptUntil(const RetentionSpec& retention, Day fiscal_year_end,
              bool loss = false);

// Entries of a class that end together are of one period: those of a day, or of
// a fiscal year. It goes by its last day, as it is stored: 20270110; 0 is none.
uint32_t PeriodOf(Day last);
std::optional<Day> LastDayOf(uint32_t period);

// What of an entry tells its period.
struct EntryDates {
  std::optional<Day> event;  // a series' entry has one
  Day written;
  std::optional<Day> dated;  // by the field that the retention names
  bool marked = false;
  std::optional<int64_t> limit;  // days
};
// The last day of the period of an entry; nullopt for one that does not end. An
// entry with a limit of its own is of an earlier period, or a later one if it
// is marked and ends after the others.
std::optional<Day> PeriodFor(const ClassSpec& spec, const EntryDates& entry);
// The first day on which entries of the period, which end by `spec`, are there
// no more.
Day EndOf(const ClassSpec& spec, Day last, bool loss = false);

}  // namespace hizo::policy

#endif  // HIZO_SERVICE_POLICY_RETENTION_H_
