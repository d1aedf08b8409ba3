// Retention: how long a law has the records of a class kept after the person
// they are about was erased. Calendars only: no clock.
//
//   fiscal year ends 2027-03-31, begins two months after, seven years
//   -> the term begins 2027-06-01, its last day is 2034-05-31
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
// The last day on which records of that fiscal year are kept.
Day KeptUntil(const RetentionSpec& retention, Day fiscal_year_end);

}  // namespace hizo::policy

#endif  // HIZO_SERVICE_POLICY_RETENTION_H_
