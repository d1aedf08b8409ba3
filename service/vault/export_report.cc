#include "service/vault/export_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "service/base/reason.h"
#include "service/bundle/json_text.h"
#include "service/bundle/tar.h"

namespace hizo::vault {
namespace {

using base::Reason;
using bundle::Kind;
using policy::FieldSpec;
using Document = nlohmann::ordered_json;

bundle::Column::Shape ShapeOf(policy::FieldType type) {
  switch (type) {
    case policy::FieldType::kMoney:
      return bundle::Column::Shape::kMoney;
    case policy::FieldType::kAddress:
      return bundle::Column::Shape::kAddress;
    default:
      return bundle::Column::Shape::kPlain;
  }
}

std::string_view NameOf(audit::Outcome outcome) {
  switch (outcome) {
    case audit::Outcome::kAllowed:
      return "allowed";
    case audit::Outcome::kDenied:
      return "denied";
    case audit::Outcome::kFailed:
      break;
  }
  return "failed";
}

std::string_view PurposeName(const policy::Catalogue& catalogue,
                             policy::PurposeNumber number) {
  const policy::PurposeSpec* purpose = catalogue.PurposeByNumber(number);
  return purpose == nullptr ? std::string_view() : purpose->name;
}

void AppendMember(std::string_view name, std::string_view text,
                  std::string& out) {
  out.push_back(',');
  bundle::AppendJsonString(name, out);
  out.push_back(':');
  bundle::AppendJsonString(text, out);
}

Document PurposesOf(const policy::Catalogue& catalogue,
                    const policy::PurposeSet& purposes) {
  Document list = Document::array();
  for (const policy::PurposeSpec& purpose : catalogue.purposes()) {
    if (purposes.test(purpose.number)) list.push_back(purpose.name);
  }
  return list;
}

Document RetentionOf(const policy::Catalogue& catalogue,
                     const policy::ClassSpec& spec) {
  Document json;
  if (!spec.retention.has_value()) {
    json["until"] = "the person is erased";
    return json;
  }
  json["law"] = spec.retention->law;
  json["years"] = spec.retention->years;
  json["purposes"] = PurposesOf(catalogue, spec.retention->purposes);
  return json;
}

std::string_view NameOf(Channel channel) {
  switch (channel) {
    case Channel::kWeb:
      return "web";
    case Channel::kApp:
      return "app";
    case Channel::kEmail:
      return "email";
    case Channel::kPhone:
      return "phone";
    case Channel::kPaper:
      return "paper";
    case Channel::kLogin:  // of no consent
    case Channel::kInPerson:
      break;
  }
  return "in_person";
}

std::string_view NameOf(ObjectionState state) {
  switch (state) {
    case ObjectionState::kOpen:
      return "open";
    case ObjectionState::kUpheld:
      return "upheld";
    case ObjectionState::kRejected:
      break;
  }
  return "rejected";
}

std::string_view NameOf(ObjectionGround ground) {
  switch (ground) {
    case ObjectionGround::kNone:
      return "";
    case ObjectionGround::kCompelling:
      return "compelling";
    case ObjectionGround::kLegalClaims:
      return "legal_claims";
    case ObjectionGround::kPublicInterest:
      break;
  }
  return "public_interest";
}

std::string_view NameOf(RestrictionGround ground) {
  switch (ground) {
    case RestrictionGround::kAccuracyContested:
      return "accuracy_contested";
    case RestrictionGround::kUnlawful:
      return "unlawful";
    case RestrictionGround::kNeededForClaims:
      return "needed_for_claims";
    case RestrictionGround::kObjectionPending:
      break;
  }
  return "objection_pending";
}

std::string_view PurposeText(const policy::Catalogue& catalogue,
                             policy::PurposeNumber number) {
  const policy::PurposeSpec* purpose = catalogue.PurposeByNumber(number);
  return purpose == nullptr ? std::string_view() : purpose->text;
}

// Of one that is in the catalogue no more, its number.
std::string NameOrNumber(const policy::Catalogue& catalogue,
                         policy::PurposeNumber number) {
  const std::string_view name = PurposeName(catalogue, number);
  return name.empty() ? "purpose_" + std::to_string(number) : std::string(name);
}

}  // namespace

SeriesPart::SeriesPart(const policy::ClassSpec& spec,
                       const policy::FieldSet& fields,
                       const bundle::About& about)
    : spec_(spec), about_(about) {
  for (const FieldSpec* field : spec.fields) {
    if (!fields.test(field->index)) continue;
    columns_.push_back({field->name, ShapeOf(field->type)});
  }
  table_ = bundle::CsvHead(columns_);
}

void SeriesPart::Add(const bundle::Record& record) {
  bundle::AppendRecordLine(about_, record, lines_);
  bundle::AppendCsvLine(columns_, record, table_);
}

absl::Status SeriesPart::WriteTo(bundle::Writer& writer, size_t number,
                                 std::string& out) const {
  if (lines_.empty()) return absl::OkStatus();
  if (std::max(lines_.size(), table_.size()) > bundle::kMemberSizeMax) {
    return base::Fail(Reason::kTooLarge);
  }
  writer.Add(bundle::PartName(spec_.name, number, "ndjson"), lines_,
             Kind::kSeries, out);
  writer.Add(bundle::PartName(spec_.name, number, "csv"), table_, Kind::kOther,
             out);
  return absl::OkStatus();
}

bundle::PageSeries SeriesPart::NewPageSeries() const {
  bundle::PageSeries series;
  series.record_class = spec_.name;
  for (const bundle::Column& column : columns_) {
    series.fields.push_back(column.name);
  }
  return series;
}

// Written without a document in between: of whoever has a million records, a
// million writes are told of.
void AppendHistoryLine(const policy::Catalogue& catalogue,
                       const audit::Found& found, std::string& out) {
  const audit::Event& event = found.event;
  out.append("{\"sequence\":").append(std::to_string(found.sequence));
  AppendMember("time", bundle::TimeText(event.time), out);
  AppendMember("actor", event.actor, out);
  AppendMember("action", policy::NameOf(event.action), out);
  AppendMember("outcome", NameOf(event.outcome), out);
  AppendMember("purpose", PurposeName(catalogue, event.purpose), out);
  out.append(",\"fields\":[");
  for (const policy::FieldNumber number : event.fields) {
    const FieldSpec* field = catalogue.FieldByNumber(number);
    if (field == nullptr) continue;
    if (out.back() != '[') out.push_back(',');
    bundle::AppendJsonString(field->full_name, out);
  }
  out.append("],\"values_shown\":");
  out.append(event.view == policy::View::kPlain ? "true" : "false");
  if (event.recipient.has_value()) {
    AppendMember("recipient", event.recipient->name, out);
  }
  out.append("}\n");
}

void Readers::Add(const audit::Event& event) {
  const bool gave = event.outcome == audit::Outcome::kAllowed &&
                    event.records > 0 && event.view != policy::View::kNone;
  if (event.action != policy::Action::kExportTransmit) {
    if (gave) callers.insert(event.actor);
    return;
  }
  if (event.outcome != audit::Outcome::kAllowed ||
      !event.recipient.has_value()) {
    return;
  }
  const bool whole = event.recipient->file != decltype(event.recipient->file){};
  recipients[event.recipient->name] += whole ? 1 : 0;
}

bundle::Statements StatementsOf(const policy::Catalogue& catalogue,
                                const Statements& said) {
  bundle::Statements told;
  for (const Consent& consent : said.consents) {
    told.consents.push_back(
        {.purpose = NameOrNumber(catalogue, consent.purpose),
         .text = std::string(PurposeText(catalogue, consent.purpose)),
         .policy_version = consent.policy_version,
         .channel = std::string(NameOf(consent.channel)),
         .evidence = base::ToText(consent.evidence),
         .given = consent.given,
         .withdrawn = consent.withdrawn});
  }
  for (const Objection& objection : said.objections) {
    bundle::Objection one;
    if (objection.purpose != kDirectMarketing) {
      one.purpose = NameOrNumber(catalogue, objection.purpose);
      one.text = PurposeText(catalogue, objection.purpose);
    }
    one.state = NameOf(objection.state);
    one.ground = NameOf(objection.ground);
    one.made = objection.made;
    one.decided = objection.decided;
    told.objections.push_back(std::move(one));
  }
  for (const Restriction& restriction : said.restrictions) {
    told.restrictions.push_back(
        {std::string(NameOf(restriction.ground)), restriction.since});
  }
  return told;
}

std::string AccessReport(const policy::Catalogue& catalogue,
                         const AccessGrant& grant,
                         const policy::FieldSet& fields,
                         const Readers& readers) {
  Document json;
  json["purposes"] = Document::object();
  for (const policy::PurposeSpec& purpose : catalogue.purposes()) {
    json["purposes"][purpose.name] = purpose.text;
  }
  json["classes"] = Document::array();
  const std::vector<policy::ClassNumber> held = grant.HeldClasses();
  for (const policy::ClassSpec& spec : catalogue.classes()) {
    if (std::ranges::find(held, spec.number) == held.end()) continue;
    Document one;
    one["class"] = spec.name;
    one["retention"] = RetentionOf(catalogue, spec);
    one["fields"] = Document::array();
    for (const FieldSpec* field : spec.fields) {
      one["fields"].push_back(
          {{"field", field->name},
           {"shown", fields.test(field->index)},
           {"source", policy::NameOf(field->source)},
           {"purposes", PurposesOf(catalogue, field->purposes)}});
    }
    json["classes"].push_back(std::move(one));
  }
  json["recipients"] = Document::array();
  for (const std::string& caller : readers.callers) {
    json["recipients"].push_back(caller);
  }
  json["sent_to"] = Document::array();
  for (const auto& [name, times] : readers.recipients) {
    json["sent_to"].push_back({{"recipient", name}, {"bundles", times}});
  }
  json["created"] = bundle::TimeText(grant.facts().created);
  return json.dump(1, ' ', false, Document::error_handler_t::replace) + "\n";
}

}  // namespace hizo::vault
