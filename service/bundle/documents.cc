#include "service/bundle/documents.h"

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "service/base/ids.h"
#include "service/base/status_macros.h"
#include "service/bundle/json_text.h"
#include "service/bundle/refusal.h"
#include "service/bundle/tar.h"
#include "service/bundle/values.h"

namespace hizo::bundle {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kSource[] = "provided";
constexpr size_t kNameMax = 64;
constexpr std::string_view kSchema = R"schema({
 "$schema": "https://json-schema.org/draft/2020-12/schema",
 "$id": "https://hizo.example/schema/profile-1.json",
 "title": "profile.json of a Hizo bundle; a line of an .ndjson is $defs/record",
 "type": "object",
 "required": ["schema", "bundle", "subject", "source", "records"],
 "additionalProperties": false,
 "properties": {
  "schema": {"const": "https://hizo.example/schema/profile-1.json"},
  "bundle": {"$ref": "#/$defs/uuid"},
  "subject": {"$ref": "#/$defs/uuid"},
  "source": {"$ref": "#/$defs/source"},
  "sources": {
   "type": "object",
   "minProperties": 1,
   "propertyNames": {"type": "string", "pattern": "^[a-z0-9_]{1,64}[.][a-z0-9_]{1,64}$"},
   "additionalProperties": {"$ref": "#/$defs/other_source"}
  },
  "records": {
   "type": "object",
   "propertyNames": {"$ref": "#/$defs/name"},
   "additionalProperties": {"$ref": "#/$defs/fields"}
  }
 },
 "$defs": {
  "uuid": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
  "name": {"type": "string", "pattern": "^[a-z0-9_]{1,64}$"},
  "time": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?Z$"},
  "source": {"description": "where values came from that `sources` does not name", "enum": ["provided"]},
  "other_source": {"enum": ["observed", "derived"]},
  "record": {
   "type": "object",
   "required": ["subject", "class", "record", "event_time", "source", "fields"],
   "additionalProperties": false,
   "properties": {
    "subject": {"$ref": "#/$defs/uuid"},
    "class": {"$ref": "#/$defs/name"},
    "record": {"$ref": "#/$defs/uuid"},
    "event_time": {"$ref": "#/$defs/time"},
    "source": {"$ref": "#/$defs/source"},
    "sources": {
     "type": "object",
     "minProperties": 1,
     "propertyNames": {"$ref": "#/$defs/name"},
     "additionalProperties": {"$ref": "#/$defs/other_source"}
    },
    "fields": {"$ref": "#/$defs/fields"}
   }
  },
  "fields": {
   "type": "object",
   "propertyNames": {"$ref": "#/$defs/name"},
   "additionalProperties": {"$ref": "#/$defs/value"}
  },
  "value": {
   "oneOf": [
    {"type": "string"},
    {"type": "integer"},
    {"type": "boolean"},
    {"type": "object", "required": ["currency", "minor_units"], "additionalProperties": false,
     "properties": {"currency": {"type": "string", "pattern": "^[A-Z]{3}$"}, "minor_units": {"type": "integer"}}},
    {"type": "object", "required": ["country"], "additionalProperties": false,
     "properties": {"country": {"type": "string", "pattern": "^[A-Z]{2}$"}, "postal_code": {"type": "string"},
      "region": {"type": "string"}, "locality": {"type": "string"},
      "lines": {"type": "array", "maxItems": 6, "items": {"type": "string"}}}},
    {"type": "object", "required": ["timestamp"], "additionalProperties": false,
     "properties": {"timestamp": {"$ref": "#/$defs/time"}}},
    {"type": "object", "required": ["base64"], "additionalProperties": false,
     "properties": {"base64": {"type": "string", "contentEncoding": "base64"}}},
    {"type": "object", "required": ["json"], "additionalProperties": false, "properties": {"json": true}},
    {"type": "object", "required": ["json_text"], "additionalProperties": false,
     "properties": {"json_text": {"type": "string", "contentMediaType": "application/json"}}}
   ]
  }
 }
}
)schema";

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kNameMax &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

void AppendFields(const Record& record, std::string& out) {
  out.push_back('{');
  for (const Field& field : record.fields) {
    if (out.back() != '{') out.push_back(',');
    AppendJsonString(field.name, out);
    out.push_back(':');
    out.append(field.json.Reveal());
  }
  out.push_back('}');
}

// Appends, as members of an object that `out` ends with, each field of `record`
// that did not come from the person.
void AppendSources(const Record& record, std::string_view prefix,
                   std::string& out) {
  for (const Field& field : record.fields) {
    if (field.source == Source::kProvided) continue;
    out.push_back(out.empty() ? '{' : ',');
    AppendJsonString(std::string(prefix) + field.name, out);
    out.push_back(':');
    AppendJsonString(NameOf(field.source), out);
  }
}

// What `source` says of all values, and what does not hold of some.
void AppendSourceMembers(std::string_view sources, std::string_view between,
                         std::string& out) {
  AppendJsonString(kSource, out);
  if (sources.empty()) return;
  out.append(between).append("\"sources\":").append(sources).push_back('}');
}

// Notes in `record` what `sources` says of its fields; how many it named, or
// nullopt if it says what nobody here writes.
std::optional<size_t> TakeSources(const Json& sources, std::string_view prefix,
                                  Record& record) {
  size_t named = 0;
  for (Field& field : record.fields) {
    const auto found = sources.find(std::string(prefix) + field.name);
    if (found == sources.end()) continue;
    if (!found->is_string()) return std::nullopt;
    const auto source = SourceFromName(found->get_ref<const std::string&>());
    if (!source.has_value() || *source == Source::kProvided) {
      return std::nullopt;
    }
    field.source = *source;
    ++named;
  }
  return named;
}

// Takes `sources` out of a document: an object that is not empty. No object if
// there is none; nullopt for anything else.
std::optional<Json> TakeOutSources(Json& json) {
  if (!json.is_object() || !json.contains("sources")) return Json::object();
  Json sources = std::move(json["sources"]);
  json.erase("sources");
  if (!sources.is_object() || sources.empty()) return std::nullopt;
  return sources;
}

bool HasExactly(const Json& json,
                std::initializer_list<std::string_view> keys) {
  return json.is_object() && json.size() == keys.size() &&
         std::ranges::all_of(keys, [&json](std::string_view key) {
           return json.contains(std::string(key));
         });
}

bool IsText(const Json& json, std::string_view text) {
  return json.is_string() && json.get_ref<const std::string&>() == text;
}

// The fields of an object; false if one is none.
bool TakeFields(const Json& json, Record& record) {
  if (!json.is_object()) return false;
  for (const auto& item : json.items()) {
    if (!IsName(item.key()) || !IsValue(item.value().dump())) return false;
    record.fields.push_back({item.key(), base::Pii(item.value().dump())});
  }
  return true;
}

absl::StatusOr<Record> ReadLine(std::string_view line,
                                std::string_view subject) {
  if (!IsStrictJson(line)) return Refuse(Refusal::kUnknownSchema);
  Json json = Json::parse(line.begin(), line.end(), nullptr, false);
  const auto sources = TakeOutSources(json);
  if (!sources.has_value() ||
      !HasExactly(json, {"subject", "class", "record", "event_time", "source",
                         "fields"}) ||
      !json["subject"].is_string() || !json["class"].is_string() ||
      !json["record"].is_string() || !json["event_time"].is_string() ||
      !IsText(json["source"], kSource)) {
    return Refuse(Refusal::kUnknownSchema);
  }
  if (!IsText(json["subject"], subject)) return Refuse(Refusal::kOtherPerson);
  Record record;
  record.record_class = json["class"].get<std::string>();
  record.id = json["record"].get<std::string>();
  record.event_time = ParseTimeText(json["event_time"].get<std::string>());
  if (!IsName(record.record_class) || !record.event_time.has_value() ||
      !base::ParseId<base::RecordId>(record.id).has_value() ||
      !TakeFields(json["fields"], record) ||
      TakeSources(*sources, "", record) != sources->size()) {
    return Refuse(Refusal::kUnknownSchema);
  }
  return record;
}

void AppendCell(std::string_view text, std::string& out) {
  // OWASP: these begin a formula, or hide that one begins.
  constexpr std::string_view kFormula = "=+-@\t\r\n|%";
  const bool formula =
      !text.empty() && kFormula.find(text.front()) != std::string_view::npos;
  if (!formula && text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out.append(text);
    return;
  }
  out.push_back('"');
  if (formula) out.push_back('\'');
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace

std::string ProfileJson(const About& about, std::span<const Record> records) {
  std::string out = "{\"schema\":";
  AppendJsonString(kProfileSchemaId, out);
  out.append(",\n\"bundle\":");
  AppendJsonString(about.id, out);
  out.append(",\n\"subject\":");
  AppendJsonString(about.subject, out);
  std::string sources;
  for (const Record& record : records) {
    AppendSources(record, record.record_class + ".", sources);
  }
  out.append(",\n\"source\":");
  AppendSourceMembers(sources, ",\n", out);
  out.append(",\n\"records\":{");
  for (const Record& record : records) {
    if (out.back() != '{') out.append(",");
    out.append("\n");
    AppendJsonString(record.record_class, out);
    out.push_back(':');
    AppendFields(record, out);
  }
  out.append("}}\n");
  return out;
}

std::string PartName(std::string_view record_class, size_t number,
                     std::string_view kind) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "-%04zu.", number);
  std::string name(record_class);
  std::ranges::replace(name, '_', '-');
  return name + digits + std::string(kind);
}

void AppendRecordLine(const About& about, const Record& record,
                      std::string& out) {
  out.append("{\"subject\":");
  AppendJsonString(about.subject, out);
  out.append(",\"class\":");
  AppendJsonString(record.record_class, out);
  out.append(",\"record\":");
  AppendJsonString(record.id, out);
  out.append(",\"event_time\":");
  AppendJsonString(TimeText(record.event_time.value_or(base::Timestamp())),
                   out);
  std::string sources;
  AppendSources(record, "", sources);
  out.append(",\"source\":");
  AppendSourceMembers(sources, ",", out);
  out.append(",\"fields\":");
  AppendFields(record, out);
  out.append("}\n");
}

std::string CsvHead(std::span<const Column> columns) {
  std::string out = "record,event_time";
  for (const Column& column : columns) {
    if (column.shape == Column::Shape::kMoney) {
      out += "," + column.name + "," + column.name + "_currency";
    } else if (column.shape == Column::Shape::kAddress) {
      for (const std::string_view part : kAddressParts) {
        out += "," + column.name + "_" + std::string(part);
      }
    } else {
      out += "," + column.name;
    }
  }
  return out + "\r\n";
}

std::string CsvCell(std::string_view text) {
  std::string out;
  AppendCell(text, out);
  return out;
}

void AppendCsvLine(std::span<const Column> columns, const Record& record,
                   std::string& out) {
  out.append(record.id).append(",");
  out.append(TimeText(record.event_time.value_or(base::Timestamp())));
  for (const Column& column : columns) {
    const auto field =
        std::ranges::find(record.fields, column.name, &Field::name);
    const std::string_view json =
        field == record.fields.end() ? "" : field->json.Reveal();
    if (column.shape == Column::Shape::kMoney) {
      const MoneyText money = MoneyOf(json);
      out.append(",").append(money.amount);  // a number, if it is negative too
      out.push_back(',');
      AppendCell(money.currency, out);
    } else if (column.shape == Column::Shape::kAddress) {
      const AddressText address = AddressOf(json);
      for (const std::string& part : address.parts) {
        out.push_back(',');
        AppendCell(part, out);
      }
    } else {
      out.push_back(',');
      if (IsNumber(json)) {
        out.append(json);
      } else {
        AppendCell(DisplayOf(json), out);
      }
    }
  }
  out.append("\r\n");
}

absl::StatusOr<std::string> SubjectOf(std::string_view content) {
  const std::string_view line = content.substr(0, content.find('\n'));
  const std::string_view document = IsStrictJson(line) ? line : content;
  if (!IsStrictJson(document)) return Refuse(Refusal::kUnknownSchema);
  const Json json =
      Json::parse(document.begin(), document.end(), nullptr, false);
  if (!json.is_object() || !json.contains("subject") ||
      !json["subject"].is_string()) {
    return Refuse(Refusal::kUnknownSchema);
  }
  return json["subject"].get<std::string>();
}

absl::StatusOr<std::vector<Record>> ReadProfile(std::string_view json,
                                                std::string_view subject) {
  if (!IsStrictJson(json)) return Refuse(Refusal::kUnknownSchema);
  Json profile = Json::parse(json.begin(), json.end(), nullptr, false);
  const auto sources = TakeOutSources(profile);
  if (!sources.has_value() ||
      !HasExactly(profile,
                  {"schema", "bundle", "subject", "source", "records"}) ||
      !IsText(profile["schema"], kProfileSchemaId) ||
      !profile["bundle"].is_string() || !profile["subject"].is_string() ||
      !IsText(profile["source"], kSource) || !profile["records"].is_object()) {
    return Refuse(Refusal::kUnknownSchema);
  }
  if (!IsText(profile["subject"], subject)) {
    return Refuse(Refusal::kOtherPerson);
  }
  std::vector<Record> records;
  size_t named = 0;
  for (const auto& item : profile["records"].items()) {
    Record record;
    record.record_class = item.key();
    if (!IsName(record.record_class) || !TakeFields(item.value(), record)) {
      return Refuse(Refusal::kUnknownSchema);
    }
    const auto of_it = TakeSources(*sources, item.key() + ".", record);
    if (!of_it.has_value()) return Refuse(Refusal::kUnknownSchema);
    named += *of_it;
    records.push_back(std::move(record));
  }
  if (named != sources->size()) return Refuse(Refusal::kUnknownSchema);
  return records;
}

absl::StatusOr<std::vector<Record>> ReadPart(std::string_view ndjson,
                                             std::string_view subject) {
  std::vector<Record> records;
  while (!ndjson.empty()) {
    const size_t end = ndjson.find('\n');
    if (end == std::string_view::npos) return Refuse(Refusal::kUnknownSchema);
    ASSIGN_OR_RETURN(Record record, ReadLine(ndjson.substr(0, end), subject));
    if (!records.empty() &&
        records.front().record_class != record.record_class) {
      return Refuse(Refusal::kUnknownSchema);
    }
    records.push_back(std::move(record));
    ndjson.remove_prefix(end + 1);
  }
  return records;
}

std::string_view ProfileSchema() { return kSchema; }

}  // namespace hizo::bundle
