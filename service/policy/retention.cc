#include "service/policy/retention.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace hizo::policy {
namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::year;
using std::chrono::year_month_day;
using std::chrono::years;

// What does not exist ends with its month: a year after February 29, too.
Day Clipped(year_month_day date) {
  if (!date.ok()) date = date.year() / date.month() / std::chrono::last;
  return Day(date);
}

std::optional<unsigned> Number(std::string_view text) {
  unsigned number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

std::string Padded(unsigned number, size_t width) {
  std::string text = std::to_string(number);
  return text.insert(0, width - std::min(width, text.size()), '0');
}

}  // namespace

std::optional<Day> DayFromText(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
    return std::nullopt;
  }
  const auto y = Number(text.substr(0, 4));
  const auto m = Number(text.substr(5, 2));
  const auto d = Number(text.substr(8, 2));
  if (!y || !m || !d) return std::nullopt;
  const year_month_day date(year(static_cast<int>(*y)), std::chrono::month(*m),
                            std::chrono::day(*d));
  if (!date.ok()) return std::nullopt;
  return Day(date);
}

std::string ToText(Day day) {
  const year_month_day date(day);
  return Padded(static_cast<unsigned>(static_cast<int>(date.year())), 4) + "-" +
         Padded(static_cast<unsigned>(date.month()), 2) + "-" +
         Padded(static_cast<unsigned>(date.day()), 2);
}

Day DayOf(base::Timestamp time) { return std::chrono::floor<days>(time); }

Day FiscalYearEnd(const RetentionSpec& retention, Day day) {
  const year of = year_month_day(day).year();
  const std::chrono::month month(retention.year_ends_month);
  const std::chrono::day last(retention.year_ends_day);
  const Day end = Clipped({of, month, last});
  return day <= end ? end : Clipped({of + years(1), month, last});
}

Day KeptUntil(const RetentionSpec& retention, Day fiscal_year_end, bool loss) {
  const unsigned term = loss && retention.loss_years != 0 ? retention.loss_years
                                                          : retention.years;
  const year_month_day after(fiscal_year_end + days(1));
  const year_month_day begins(
      Clipped(after + months(retention.begins_after_months)));
  return Clipped(begins + years(term)) - days(1);
}

uint32_t PeriodOf(Day last) {
  const year_month_day date(last);
  return static_cast<uint32_t>(static_cast<int>(date.year())) * 10'000 +
         static_cast<unsigned>(date.month()) * 100 +
         static_cast<unsigned>(date.day());
}

std::optional<Day> LastDayOf(uint32_t period) {
  const year_month_day date(year(static_cast<int>(period / 10'000)),
                            std::chrono::month(period / 100 % 100),
                            std::chrono::day(period % 100));
  if (period > 99'991'231 || !date.ok()) return std::nullopt;
  return Day(date);
}

namespace {

// Times beyond what a period can be named by are of its first or last.
Day Nameable(Day day) {
  constexpr Day kFirst = year(1) / 1 / 1;
  constexpr Day kLast = year(9999) / 12 / 31;
  return std::clamp(day, kFirst, kLast);
}

}  // namespace

std::optional<Day> PeriodFor(const ClassSpec& spec, const EntryDates& entry) {
  if (!spec.ends.has_value()) return std::nullopt;
  const EndSpec& ends = *spec.ends;
  if (ends.days == 0) {
    const auto date = entry.dated.has_value() ? entry.dated : entry.event;
    if (!date.has_value()) return std::nullopt;
    return Nameable(FiscalYearEnd(*spec.retention, *date));
  }
  const Day day = ends.from_writing || !entry.event.has_value() ? entry.written
                                                                : *entry.event;
  if (entry.limit.has_value()) {
    const auto limit = std::clamp<int64_t>(*entry.limit, 0, kEndDaysMax);
    if (entry.marked || limit < ends.days) {
      return Nameable(day + days(limit) - days(ends.days));
    }
  }
  if (entry.marked) return std::nullopt;
  return Nameable(day);
}

Day EndOf(const ClassSpec& spec, Day last, bool loss) {
  if (spec.ends->days == 0)
    return KeptUntil(*spec.retention, last, loss) + days(1);
  return last + days(spec.ends->days);
}

}  // namespace hizo::policy
