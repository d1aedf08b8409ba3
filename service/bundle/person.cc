#include "service/bundle/person.h"

#include <chrono>

#include "absl/time/time.h"

namespace hizo::bundle {
namespace {

constexpr char kTimeForm[] = "%Y-%m-%dT%H:%M:%E*SZ";

// `digits` decimal digits of `number`, from `at` on.
void PutDigits(std::string& out, size_t at, unsigned digits, unsigned number) {
  for (size_t i = at + digits; i-- > at; number /= 10) {
    out[i] = static_cast<char>('0' + number % 10);
  }
}

// As kTimeForm has it, of a year with four digits.
std::string PlainTimeText(std::chrono::year_month_day day,
                          std::chrono::hh_mm_ss<std::chrono::microseconds> of) {
  std::string out = "0000-00-00T00:00:00";
  PutDigits(out, 0, 4, static_cast<unsigned>(static_cast<int>(day.year())));
  PutDigits(out, 5, 2, static_cast<unsigned>(day.month()));
  PutDigits(out, 8, 2, static_cast<unsigned>(day.day()));
  PutDigits(out, 11, 2, static_cast<unsigned>(of.hours().count()));
  PutDigits(out, 14, 2, static_cast<unsigned>(of.minutes().count()));
  PutDigits(out, 17, 2, static_cast<unsigned>(of.seconds().count()));
  const auto micros = static_cast<unsigned>(of.subseconds().count());
  if (micros != 0) {
    out.append(".000000");
    PutDigits(out, 20, 6, micros);
    out.resize(out.find_last_not_of('0') + 1);
  }
  out.push_back('Z');
  return out;
}

}  // namespace

// Each record has one or two: the library's way takes a microsecond for each.
std::string TimeText(base::Timestamp time) {
  using std::chrono::days;
  const std::chrono::sys_time<std::chrono::microseconds> at(
      std::chrono::microseconds(base::ToMicros(time)));
  const auto midnight = std::chrono::floor<days>(at);
  const std::chrono::year_month_day day(midnight);
  if (day.year() >= std::chrono::year(1000) &&
      day.year() <= std::chrono::year(9999)) {
    return PlainTimeText(day, std::chrono::hh_mm_ss(at - midnight));
  }
  return absl::FormatTime(kTimeForm, absl::FromUnixMicros(base::ToMicros(time)),
                          absl::UTCTimeZone());
}

std::optional<base::Timestamp> ParseTimeText(std::string_view text) {
  absl::Time time;
  if (!absl::ParseTime(kTimeForm, {text.data(), text.size()}, &time, nullptr)) {
    return std::nullopt;
  }
  const base::Timestamp parsed = base::FromMicros(absl::ToUnixMicros(time));
  if (TimeText(parsed) != text) return std::nullopt;
  return parsed;
}

std::string_view NameOf(Selection selection) {
  return selection == Selection::kAccess ? "access" : "portability";
}

std::string_view NameOf(Source source) {
  switch (source) {
    case Source::kProvided:
      return "provided";
    case Source::kObserved:
      return "observed";
    case Source::kDerived:
      break;
  }
  return "derived";
}

std::optional<Source> SourceFromName(std::string_view name) {
  for (const Source source :
       {Source::kProvided, Source::kObserved, Source::kDerived}) {
    if (NameOf(source) == name) return source;
  }
  return std::nullopt;
}

}  // namespace hizo::bundle
