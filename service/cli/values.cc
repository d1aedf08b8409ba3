#include "service/cli/values.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "absl/strings/escaping.h"
#include "hizo/v1/value.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/failure.h"

namespace hizo::cli {
namespace {

using Json = nlohmann::ordered_json;
using google::protobuf::util::TimeUtil;

constexpr int kDepthMax = 32;
constexpr size_t kNameBytesMax = 64;

// Names come from people, too: what is not formed like one is not repeated.
bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

absl::Status ValueError(const std::string& field, const char* text) {
  return Fail({.exit = ExitCode::kUsage,
               .text = text,
               .reason = "VALUE_INVALID",
               .field = field});
}

absl::StatusOr<Json> ParseJson(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  bool repeated = false;
  bool deep = false;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    deep = deep || depth > kDepthMax;
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key) {
      repeated =
          !keys.back().insert(parsed.get<std::string>()).second || repeated;
    }
    return !deep;
  };
  Json json = Json::parse(text.begin(), text.end(), watch,
                          /*allow_exceptions=*/false);
  if (deep) return UsageError("the JSON is nested too deeply");
  if (repeated) return UsageError("the JSON has a key twice in one object");
  if (!json.is_object()) return UsageError("this is not a JSON object");
  return json;
}

// The string of `json` under `key`, empty if absent; false if it is another
// kind.
bool TakeText(const Json& json, const char* key, std::string& text) {
  if (!json.contains(key)) return true;
  if (!json[key].is_string()) return false;
  text = json[key].get<std::string>();
  return true;
}

bool HasOnly(const Json& json, std::initializer_list<std::string_view> keys) {
  return std::ranges::all_of(json.items(), [&](const auto& item) {
    return std::ranges::find(keys, item.key()) != keys.end();
  });
}

bool ParseInteger(const Json& json, int64_t& number) {
  if (!json.is_number_integer()) return false;
  if (json.is_number_unsigned() &&
      json.get<uint64_t>() >
          static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return false;
  }
  number = json.get<int64_t>();
  return true;
}

bool ParseMoney(const Json& json, v1::Money& money) {
  int64_t minor_units = 0;
  if (!HasOnly(json, {"currency", "minor_units"}) ||
      !TakeText(json, "currency", *money.mutable_currency()) ||
      !json.contains("minor_units") ||
      !ParseInteger(json["minor_units"], minor_units)) {
    return false;
  }
  money.set_minor_units(minor_units);
  return true;
}

bool ParseAddress(const Json& json, v1::Address& address) {
  if (!HasOnly(json,
               {"country", "postal_code", "region", "locality", "lines"}) ||
      !TakeText(json, "country", *address.mutable_country()) ||
      !TakeText(json, "postal_code", *address.mutable_postal_code()) ||
      !TakeText(json, "region", *address.mutable_region()) ||
      !TakeText(json, "locality", *address.mutable_locality())) {
    return false;
  }
  if (!json.contains("lines")) return true;
  if (!json["lines"].is_array()) return false;
  for (const Json& line : json["lines"]) {
    if (!line.is_string()) return false;
    address.add_lines(line.get<std::string>());
  }
  return true;
}

bool ParseObject(const Json& json, v1::Value& value) {
  if (json.contains("currency"))
    return ParseMoney(json, *value.mutable_money());
  if (json.contains("country")) {
    return ParseAddress(json, *value.mutable_address());
  }
  if (json.size() != 1) return false;
  const std::string& key = json.begin().key();
  const Json& inner = json.begin().value();
  if (key == "json") {
    value.set_json(inner.dump());
    return true;
  }
  if (!inner.is_string()) return false;
  const std::string text = inner.get<std::string>();
  if (key == "timestamp") {
    return TimeUtil::FromString(text, value.mutable_timestamp());
  }
  return key == "base64" && absl::Base64Unescape(text, value.mutable_blob());
}

bool ParseValue(const Json& json, v1::Value& value) {
  switch (json.type()) {
    case Json::value_t::string:
      value.set_text(json.get<std::string>());
      return true;
    case Json::value_t::boolean:
      value.set_boolean(json.get<bool>());
      return true;
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned: {
      int64_t number = 0;
      const bool fits = ParseInteger(json, number);
      value.set_integer(number);
      return fits;
    }
    case Json::value_t::object:
      return ParseObject(json, value);
    default:
      return false;
  }
}

absl::Status AddFields(const Json& json, v1::NewRecord& record) {
  if (!json.is_object()) {
    return ValueError(record.record_class(), "fields are not a JSON object");
  }
  for (const auto& item : json.items()) {
    if (!IsName(item.key())) {
      return ValueError(record.record_class(),
                        "a name of a field is not one: a-z, 0-9 and _");
    }
    v1::Field& field = *record.add_fields();
    field.set_name(item.key());
    if (!ParseValue(item.value(), *field.mutable_value())) {
      return ValueError(record.record_class() + '.' + item.key(),
                        "not a value that Hizo knows");
    }
  }
  return absl::OkStatus();
}

absl::Status AddSeries(const Json& json, const std::string& record_class,
                       google::protobuf::RepeatedPtrField<v1::NewRecord>& out) {
  for (const Json& item : json) {
    v1::NewRecord& record = *out.Add();
    record.set_record_class(record_class);
    std::string time;
    if (!item.is_object() || !HasOnly(item, {"event_time", "fields"}) ||
        !item.contains("fields") || !TakeText(item, "event_time", time)) {
      return ValueError(record_class, R"(not {"event_time":..,"fields":{..}})");
    }
    if (!TimeUtil::FromString(time, record.mutable_event_time())) {
      return ValueError(record_class, "event_time is not RFC 3339");
    }
    RETURN_IF_ERROR(AddFields(item["fields"], record));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ParsePerson(
    std::string_view json,
    google::protobuf::RepeatedPtrField<v1::NewRecord>& records) {
  ASSIGN_OR_RETURN(const Json person, ParseJson(json));
  if (person.empty()) return UsageError("this person has no records");
  for (const auto& item : person.items()) {
    if (!IsName(item.key())) {
      return UsageError("a name of a class is not one: a-z, 0-9 and _");
    }
    if (item.value().is_array()) {
      RETURN_IF_ERROR(AddSeries(item.value(), item.key(), records));
      continue;
    }
    v1::NewRecord& record = *records.Add();
    record.set_record_class(item.key());
    RETURN_IF_ERROR(AddFields(item.value(), record));
  }
  return absl::OkStatus();
}

absl::Status ParseFields(std::string_view json, v1::NewRecord& record) {
  ASSIGN_OR_RETURN(const Json fields, ParseJson(json));
  return AddFields(fields, record);
}

absl::Status ParseTime(const std::string& text,
                       google::protobuf::Timestamp& time) {
  if (TimeUtil::FromString(text, &time) ||
      TimeUtil::FromString(text + "T00:00:00Z", &time)) {
    return absl::OkStatus();
  }
  return UsageError("not a time such as 2026-05-10T09:30:00Z or 2026-05-10");
}

absl::Status ParseLookup(const std::string& text, v1::LookupKey& key) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return UsageError("not of the form FIELD=VALUE");
  }
  key.set_field(text.substr(0, equals));
  key.set_value(text.substr(equals + 1));
  return absl::OkStatus();
}

}  // namespace hizo::cli
