#include "service/bundle/values.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "service/bundle/person.h"

namespace hizo::bundle {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLinesMax = 6;

std::optional<Json> Parse(std::string_view text) {
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

bool HasOnly(const Json& json, std::initializer_list<std::string_view> keys) {
  return std::ranges::all_of(json.items(), [&keys](const auto& item) {
    return std::ranges::find(keys, item.key()) != keys.end();
  });
}

bool IsInteger(const Json& json) {
  if (!json.is_number_integer()) return false;
  return !json.is_number_unsigned() ||
         json.get<uint64_t>() <=
             static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
}

bool IsCode(const Json& json, size_t size) {
  return json.is_string() &&
         json.get_ref<const std::string&>().size() == size &&
         std::ranges::all_of(json.get_ref<const std::string&>(),
                             [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool IsMoney(const Json& json) {
  return json.size() == 2 && json.contains("currency") &&
         json.contains("minor_units") && IsCode(json["currency"], 3) &&
         IsInteger(json["minor_units"]);
}

bool IsAddress(const Json& json) {
  if (!HasOnly(json,
               {"country", "postal_code", "region", "locality", "lines"}) ||
      !json.contains("country") || !IsCode(json["country"], 2)) {
    return false;
  }
  for (const char* key : {"postal_code", "region", "locality"}) {
    if (json.contains(key) && !json[key].is_string()) return false;
  }
  if (!json.contains("lines")) return true;
  const Json& lines = json["lines"];
  return lines.is_array() && lines.size() <= kLinesMax &&
         std::ranges::all_of(lines,
                             [](const Json& line) { return line.is_string(); });
}

bool IsWrapped(const Json& json) {
  if (json.size() != 1) return false;
  const std::string& key = json.begin().key();
  const Json& inner = json.begin().value();
  if (key == "json") return true;
  if (!inner.is_string()) return false;
  if (key == "timestamp") {
    return ParseTimeText(inner.get_ref<const std::string&>()).has_value();
  }
  return key == "base64" || key == "json_text";
}

// How many digits a currency has after the point (ISO 4217).
int DigitsOf(std::string_view currency) {
  constexpr std::string_view kNone[] = {
      "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
      "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"};
  constexpr std::string_view kThree[] = {"BHD", "IQD", "JOD", "KWD",
                                         "LYD", "OMR", "TND"};
  if (std::ranges::find(kNone, currency) != std::end(kNone)) return 0;
  return std::ranges::find(kThree, currency) != std::end(kThree) ? 3 : 2;
}

std::string Amount(int64_t minor_units, std::string_view currency) {
  const auto digits = static_cast<size_t>(DigitsOf(currency));
  const bool negative = minor_units < 0;
  const uint64_t size = negative ? 0 - static_cast<uint64_t>(minor_units)
                                 : static_cast<uint64_t>(minor_units);
  std::string text = std::to_string(size);
  if (digits > 0) {
    if (text.size() <= digits) text.insert(0, digits + 1 - text.size(), '0');
    text.insert(text.size() - digits, 1, '.');
  }
  return negative ? "-" + text : text;
}

// What stands between `start` and `end`, if `text` is that and nothing else.
std::optional<std::string_view> Between(std::string_view text,
                                        std::string_view start,
                                        std::string_view end) {
  if (text.size() < start.size() + end.size() || !text.starts_with(start) ||
      !text.ends_with(end)) {
    return std::nullopt;
  }
  text.remove_prefix(start.size());
  text.remove_suffix(end.size());
  return text;
}

// Money in the vault's own spelling, which a long series has a million of: a
// parser's document takes longer than opening the sealed value. nullopt for
// every other text.
std::optional<MoneyText> PlainMoney(std::string_view text) {
  constexpr std::string_view kMiddle = "\",\"minor_units\":";
  const auto inner = Between(text, "{\"currency\":\"", "}");
  if (!inner.has_value() || inner->size() <= 3 + kMiddle.size() ||
      inner->substr(3, kMiddle.size()) != kMiddle) {
    return std::nullopt;
  }
  const std::string_view currency = inner->substr(0, 3);
  const std::string_view number = inner->substr(3 + kMiddle.size());
  int64_t minor_units = 0;
  const auto [end, error] = std::from_chars(
      number.data(), number.data() + number.size(), minor_units);
  if (error != std::errc() || end != number.data() + number.size() ||
      std::to_string(minor_units) != number ||
      !std::ranges::all_of(currency,
                           [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return std::nullopt;
  }
  return MoneyText{Amount(minor_units, currency), std::string(currency)};
}

}  // namespace

bool IsValue(std::string_view text) {
  const auto json = Parse(text);
  if (!json.has_value()) return false;
  if (json->is_string() || json->is_boolean()) return true;
  if (json->is_number()) return IsInteger(*json);
  return json->is_object() &&
         (IsMoney(*json) || IsAddress(*json) || IsWrapped(*json));
}

bool IsNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

MoneyText MoneyOf(std::string_view text) {
  if (text.empty()) return {};
  if (auto plain = PlainMoney(text)) return *std::move(plain);
  const auto json = Parse(text);
  if (!json.has_value() || !json->is_object() || !IsMoney(*json)) return {};
  MoneyText money;
  money.currency = (*json)["currency"].get<std::string>();
  money.amount = Amount((*json)["minor_units"].get<int64_t>(), money.currency);
  return money;
}

AddressText AddressOf(std::string_view text) {
  if (text.empty()) return {};
  const auto json = Parse(text);
  AddressText address;
  if (!json.has_value() || !json->is_object() || !IsAddress(*json)) {
    return address;
  }
  for (size_t i = 0; i + 1 < kAddressParts.size(); ++i) {
    const std::string key(kAddressParts[i]);
    if (json->contains(key)) {
      address.parts[i] = (*json)[key].get<std::string>();
    }
  }
  if (!json->contains("lines")) return address;
  std::string& lines = address.parts.back();
  for (const Json& line : (*json)["lines"]) {
    if (!lines.empty()) lines.push_back('\n');
    lines.append(line.get<std::string>());
  }
  return address;
}

std::string TextOf(std::string_view text) {
  const auto json = Parse(text);
  if (!json.has_value() || !json->is_string()) return "";
  return json->get<std::string>();
}

std::string DisplayOf(std::string_view text) {
  if (text.empty()) return "";
  // Most values are texts without a character that is written otherwise.
  if (text.find('\\') == std::string_view::npos) {
    if (const auto inner = Between(text, "\"", "\""))
      return std::string(*inner);
    const auto time = Between(text, "{\"timestamp\":\"", "\"}");
    if (time.has_value()) return std::string(*time);
  }
  const auto json = Parse(text);
  if (!json.has_value()) return "";
  if (json->is_string()) return json->get<std::string>();
  if (!json->is_object()) return json->dump();
  if (IsMoney(*json)) {
    const MoneyText money = MoneyOf(text);
    return money.amount + " " + money.currency;
  }
  if (IsAddress(*json)) {
    const AddressText address = AddressOf(text);
    std::string out;
    // As envelopes have it, from the narrow to the wide.
    for (const size_t part : {4U, 3U, 2U, 1U, 0U}) {
      if (address.parts[part].empty()) continue;
      if (!out.empty()) out.push_back('\n');
      out.append(address.parts[part]);
    }
    return out;
  }
  if (!IsWrapped(*json)) return "";
  const Json& inner = json->begin().value();
  if (inner.is_string()) return inner.get<std::string>();
  return inner.dump(1);
}

}  // namespace hizo::bundle
