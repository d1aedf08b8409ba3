#include "service/policy/retention.h"

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

Day KeptUntil(const RetentionSpec& retention, Day fiscal_year_end) {
  const year_month_day after(fiscal_year_end + days(1));
  const year_month_day begins(
      Clipped(after + months(retention.begins_after_months)));
  return Clipped(begins + years(retention.years)) - days(1);
}

}  // namespace hizo::policy
