// Values in their JSON spelling, taken apart for people and tables.
//
//   text, e-mail, phone, date, choice  "..."
//   integer, boolean                   12, true
//   money      {"currency":"JPY","minor_units":1200}
//   address    {"country":"JP","postal_code":..,"region":..,"locality":..,
//               "lines":[..]}, empty parts left out
//   timestamp  {"timestamp":"2026-05-10T09:30:00Z"}
//   bytes      {"base64":"..."}
//   json       {"json":...}, or {"json_text":"..."} where that would not come
//              back byte for byte
// Everything here takes a value that IsValue takes; what is of another kind
// than asked for is empty. Threads: all functions may be called concurrently.
#ifndef HIZO_SERVICE_BUNDLE_VALUES_H_
#define HIZO_SERVICE_BUNDLE_VALUES_H_

#include <array>
#include <string>
#include <string_view>

namespace hizo::bundle {

bool IsValue(std::string_view json);
bool IsNumber(std::string_view json);

struct MoneyText {
  std::string amount;  // in the currency's unit: 12.34; or yen: 1234
  std::string currency;
};
MoneyText MoneyOf(std::string_view json);

inline constexpr std::array<std::string_view, 5> kAddressParts = {
    "country", "postal_code", "region", "locality", "lines"};
struct AddressText {
  std::array<std::string, 5> parts;  // as kAddressParts; lines by line breaks
  bool empty() const { return parts[0].empty(); }
};
AddressText AddressOf(std::string_view json);

// A text's own characters, "" for another kind.
std::string TextOf(std::string_view json);
// Any value as people read it; an address has line breaks.
std::string DisplayOf(std::string_view json);

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_VALUES_H_
