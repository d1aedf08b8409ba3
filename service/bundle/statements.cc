#include "service/bundle/statements.h"

#include <nlohmann/json.hpp>

#include "service/bundle/page_text.h"

namespace hizo::bundle {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = R"schema({
 "$schema": "https://json-schema.org/draft/2020-12/schema",
 "$id": "https://hizo.example/schema/consents-1.json",
 "title": "consents.json of a Hizo bundle",
 "type": "object",
 "required": ["schema", "bundle", "subject", "consents", "objections", "restrictions"],
 "additionalProperties": false,
 "properties": {
  "schema": {"const": "https://hizo.example/schema/consents-1.json"},
  "bundle": {"$ref": "#/$defs/uuid"},
  "subject": {"$ref": "#/$defs/uuid"},
  "consents": {"type": "array", "items": {"$ref": "#/$defs/consent"}},
  "objections": {"type": "array", "items": {"$ref": "#/$defs/objection"}},
  "restrictions": {"type": "array", "items": {"$ref": "#/$defs/restriction"}}
 },
 "$defs": {
  "uuid": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
  "name": {"type": "string", "pattern": "^[a-z0-9_]{1,64}$"},
  "time": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?Z$"},
  "consent": {
   "type": "object",
   "required": ["purpose", "text", "policy_version", "channel", "evidence", "given"],
   "additionalProperties": false,
   "properties": {
    "purpose": {"$ref": "#/$defs/name"},
    "text": {"type": "string"},
    "policy_version": {"type": "integer"},
    "channel": {"$ref": "#/$defs/name"},
    "evidence": {"$ref": "#/$defs/uuid"},
    "given": {"$ref": "#/$defs/time"},
    "withdrawn": {"$ref": "#/$defs/time"}
   }
  },
  "objection": {
   "description": "without `purpose`: to direct marketing as such",
   "type": "object",
   "required": ["state", "made"],
   "additionalProperties": false,
   "properties": {
    "purpose": {"$ref": "#/$defs/name"},
    "text": {"type": "string"},
    "state": {"enum": ["open", "upheld", "rejected"]},
    "ground": {"$ref": "#/$defs/name"},
    "made": {"$ref": "#/$defs/time"},
    "decided": {"$ref": "#/$defs/time"}
   }
  },
  "restriction": {
   "type": "object",
   "required": ["ground", "since"],
   "additionalProperties": false,
   "properties": {"ground": {"$ref": "#/$defs/name"}, "since": {"$ref": "#/$defs/time"}}
  }
 }
}
)schema";

Json JsonOf(const Consent& consent) {
  Json json;
  json["purpose"] = consent.purpose;
  json["text"] = consent.text;
  json["policy_version"] = consent.policy_version;
  json["channel"] = consent.channel;
  json["evidence"] = consent.evidence;
  json["given"] = TimeText(consent.given);
  if (consent.withdrawn.has_value()) {
    json["withdrawn"] = TimeText(*consent.withdrawn);
  }
  return json;
}

Json JsonOf(const Objection& objection) {
  Json json = Json::object();
  if (!objection.purpose.empty()) {
    json["purpose"] = objection.purpose;
    json["text"] = objection.text;
  }
  json["state"] = objection.state;
  if (!objection.ground.empty()) json["ground"] = objection.ground;
  json["made"] = TimeText(objection.made);
  if (objection.decided.has_value()) {
    json["decided"] = TimeText(*objection.decided);
  }
  return json;
}

Json JsonOf(const Restriction& restriction) {
  Json json;
  json["ground"] = restriction.ground;
  json["since"] = TimeText(restriction.since);
  return json;
}

template <typename Said>
Json ListOf(const std::vector<Said>& all) {
  Json list = Json::array();
  for (const Said& one : all) list.push_back(JsonOf(one));
  return list;
}

void AppendWhen(std::string_view english, std::string_view japanese,
                base::Timestamp time, std::string& out) {
  AppendBoth(english, japanese, out);
  out.append(": ").append(ShownTime(TimeText(time))).append("\n");
}

// A purpose, by name and in a sentence.
void BeginEntry(const std::string& purpose, const std::string& text,
                std::string& out) {
  out.append("<dt>");
  AppendLabel(purpose, out);
  out.append("</dt><dd>");
  if (text.empty()) return;
  AppendEscaped(text, out);
  out.append("\n");
}

void Append(const Consent& consent, std::string& out) {
  BeginEntry(consent.purpose, consent.text, out);
  AppendWhen("You agreed", "同意", consent.given, out);
  if (consent.withdrawn.has_value()) {
    AppendWhen("Withdrawn", "撤回", *consent.withdrawn, out);
  }
  out.append("</dd>\n");
}

void Append(const Objection& objection, std::string& out) {
  BeginEntry(objection.purpose.empty() ? "direct_marketing" : objection.purpose,
             objection.text, out);
  AppendWhen("You objected", "異議", objection.made, out);
  if (objection.decided.has_value()) {
    const bool upheld = objection.state == "upheld";
    AppendWhen(upheld ? "Upheld" : "Rejected", upheld ? "認容" : "却下",
               *objection.decided, out);
  }
  out.append("</dd>\n");
}

void Append(const Restriction& restriction, std::string& out) {
  out.append("<dt>");
  AppendBoth("Only kept", "利用の制限", out);
  out.append("</dt><dd>");
  AppendLabel(restriction.ground, out);
  out.append("\n");
  AppendWhen("Since", "開始", restriction.since, out);
  out.append("</dd>\n");
}

template <typename Said>
void AppendAll(const std::vector<Said>& all, std::string& out) {
  for (const Said& one : all) Append(one, out);
}

}  // namespace

std::string ConsentsJson(const About& about, const Statements& said) {
  Json json;
  json["schema"] = kConsentsSchemaId;
  json["bundle"] = about.id;
  json["subject"] = about.subject;
  json["consents"] = ListOf(said.consents);
  json["objections"] = ListOf(said.objections);
  json["restrictions"] = ListOf(said.restrictions);
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string_view ConsentsSchema() { return kSchema; }

void AppendStatements(const Statements& said, std::string& out) {
  if (said.consents.empty() && said.objections.empty() &&
      said.restrictions.empty()) {
    return;
  }
  out.append("<section><h2>");
  AppendBoth("What you have agreed and objected to", "同意と異議", out);
  out.append("</h2><dl>\n");
  AppendAll(said.consents, out);
  AppendAll(said.objections, out);
  AppendAll(said.restrictions, out);
  out.append("</dl></section>\n");
}

}  // namespace hizo::bundle
