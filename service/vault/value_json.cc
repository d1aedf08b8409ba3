#include "service/vault/value_json.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "service/bundle/json_text.h"
#include "service/bundle/person.h"
#include "service/bundle/values.h"

namespace hizo::vault {
namespace {

using base::Pii;
using bundle::AppendJsonString;
using Document = nlohmann::ordered_json;

// A document as it stands, if reading and writing it again changes no byte.
void AppendDocument(std::string_view text, std::string& out) {
  const Document parsed =
      Document::parse(text.begin(), text.end(), nullptr, false);
  if (!parsed.is_discarded() && bundle::IsStrictJson(text) &&
      parsed.dump() == text) {
    out.append("{\"json\":").append(text).append("}");
    return;
  }
  out.append("{\"json_text\":");
  AppendJsonString(text, out);
  out.push_back('}');
}

struct ToText {
  std::string& out;

  void Part(std::string_view key, std::string_view text) const {
    if (text.empty()) return;
    out.push_back(',');
    AppendJsonString(key, out);
    out.push_back(':');
    AppendJsonString(text, out);
  }

  void operator()(const Text& value) const {
    AppendJsonString(value.text.Reveal(), out);
  }
  void operator()(int64_t value) const { out.append(std::to_string(value)); }
  void operator()(bool value) const { out.append(value ? "true" : "false"); }
  void operator()(const Money& value) const {
    out.append("{\"currency\":");
    AppendJsonString(value.currency, out);
    out.append(",\"minor_units\":")
        .append(std::to_string(value.minor_units))
        .append("}");
  }
  void operator()(const Address& value) const {
    out.append("{\"country\":");
    AppendJsonString(value.country, out);
    Part("postal_code", value.postal_code.Reveal());
    Part("region", value.region.Reveal());
    Part("locality", value.locality.Reveal());
    if (!value.lines.empty()) {
      out.append(",\"lines\":[");
      for (const Pii& line : value.lines) {
        if (out.back() != '[') out.push_back(',');
        AppendJsonString(line.Reveal(), out);
      }
      out.push_back(']');
    }
    out.push_back('}');
  }
  void operator()(base::Timestamp value) const {
    out.append("{\"timestamp\":");
    AppendJsonString(bundle::TimeText(value), out);
    out.push_back('}');
  }
  void operator()(const Blob& value) const {
    const std::string_view bytes = value.bytes.Reveal();
    out.append("{\"base64\":");
    AppendJsonString(absl::Base64Escape({bytes.data(), bytes.size()}), out);
    out.push_back('}');
  }
  void operator()(const Json& value) const {
    AppendDocument(value.document.Reveal(), out);
  }
};

Address AddressFrom(const Document& json) {
  const auto part = [&json](const char* key) {
    return Pii(json.contains(key) ? json[key].get<std::string>() : "");
  };
  Address address;
  address.country = json["country"].get<std::string>();
  address.postal_code = part("postal_code");
  address.region = part("region");
  address.locality = part("locality");
  if (!json.contains("lines")) return address;
  for (const Document& line : json["lines"]) {
    address.lines.emplace_back(line.get<std::string>());
  }
  return address;
}

std::optional<Value> FromObject(const Document& json) {
  if (json.contains("currency")) {
    return Money{json["currency"].get<std::string>(),
                 json["minor_units"].get<int64_t>()};
  }
  if (json.contains("country")) return AddressFrom(json);
  const std::string& key = json.begin().key();
  const Document& inner = json.begin().value();
  if (key == "json") return Json{Pii(inner.dump())};
  const auto& text = inner.get_ref<const std::string&>();
  if (key == "json_text") return Json{Pii(text)};
  if (key == "timestamp") return *bundle::ParseTimeText(text);
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes)) return std::nullopt;
  return Blob{Pii(std::move(bytes))};
}

}  // namespace

Pii ValueToJson(const Value& value) {
  std::string out;
  std::visit(ToText{out}, value);
  return Pii(std::move(out));
}

std::optional<Value> ValueFromJson(std::string_view text) {
  if (!bundle::IsValue(text)) return std::nullopt;
  const Document json =
      Document::parse(text.begin(), text.end(), nullptr, false);
  std::optional<Value> value;
  if (json.is_string()) {
    value = Text{Pii(json.get<std::string>())};
  } else if (json.is_boolean()) {
    value = json.get<bool>();
  } else if (json.is_number()) {
    value = json.get<int64_t>();
  } else {
    value = FromObject(json);
  }
  // One spelling of each value.
  if (value.has_value() && ValueToJson(*value).Reveal() != text) {
    return std::nullopt;
  }
  return value;
}

}  // namespace hizo::vault
