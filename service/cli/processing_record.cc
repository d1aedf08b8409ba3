#include "service/cli/processing_record.h"

#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "hizo/v1/export.pb.h"
#include "hizo/v1/policy.pb.h"
#include "service/cli/history_page.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

using google::protobuf::util::TimeUtil;
using Effective = v1::GetEffectivePolicyResponse;

constexpr char kNothing[] = "-";

std::string OrNothing(std::string text) {
  return text.empty() ? kNothing : text;
}

// The tenant has no policy that leaves the class out.
bool IsKept(const Effective& policy, const v1::PolicyClass& of) {
  if (of.internal()) return false;
  if (!policy.has_company_policy()) return true;
  const auto& kept = policy.company_policy().classes();
  return std::find(kept.begin(), kept.end(), of.name()) != kept.end();
}

// Of a field, those that are in the policy.
std::string PurposesOf(const Effective& policy, const v1::PolicyField& field) {
  if (!policy.has_company_policy()) return Join(field.purposes(), ", ");
  std::set<std::string> in_policy;
  for (const v1::PolicyTerms& terms : policy.company_policy().terms()) {
    in_policy.insert(terms.purpose());
  }
  std::vector<std::string> names;
  for (const std::string& name : field.purposes()) {
    if (in_policy.contains(name)) names.push_back(name);
  }
  return Join(names, ", ");
}

RecordSection ControllerSection(const Effective& policy,
                                const Controller& controller,
                                const google::protobuf::Timestamp& made) {
  RecordSection section{"Controller (a)", {}, RecordTable{{"What", "Who"}, {}}};
  auto& rows = section.table->rows;
  rows.push_back({"Controller", controller.name.empty() ? policy.tenant().name()
                                                        : controller.name});
  rows.push_back({"Contact and data protection officer",
                  controller.contact.empty()
                      ? "not known to the vault: to be filled in"
                      : controller.contact});
  if (policy.has_company_policy()) {
    const v1::CompanyPolicy& company = policy.company_policy();
    rows.push_back({"Privacy policy", company.profile_id() + ", version " +
                                          std::to_string(company.version()) +
                                          ", SHA-256 " + company.sha256()});
  } else {
    rows.push_back({"Privacy policy", "none is in force: roles alone decide"});
  }
  rows.push_back({"Catalogue", "version " +
                                   std::to_string(policy.catalogue_version()) +
                                   ", SHA-256 " + policy.catalogue_sha256()});
  rows.push_back({"Made", TimeUtil::ToString(made)});
  return section;
}

RecordSection PurposeSection(const Effective& policy) {
  RecordSection section{"Purposes (b)", {}, std::nullopt};
  std::map<std::string, std::string> texts;
  for (const v1::PolicyPurpose& purpose : policy.purposes()) {
    texts[purpose.name()] = purpose.text();
  }
  RecordTable table{{"Purpose", "What it is", "Of the policy", "Clause or law",
                     "Legal basis", "Needs consent"},
                    {}};
  if (!policy.has_company_policy()) {
    section.paragraphs.emplace_back(
        "No privacy policy is in force, so that no legal basis is known.");
    for (const auto& [name, text] : texts) {
      table.rows.push_back(
          {name, text, kNothing, kNothing, kNothing, kNothing});
    }
  }
  for (const v1::PolicyTerms& terms : policy.company_policy().terms()) {
    table.rows.push_back({terms.purpose(), texts[terms.purpose()],
                          terms.policy_purpose(), terms.clause(), terms.basis(),
                          terms.consent() ? "yes" : "no"});
  }
  section.table = std::move(table);
  return section;
}

RecordSection CategorySection(const Effective& policy) {
  RecordSection section{"Categories of people and of data (c)",
                        {"People: whoever has, or had, an account of " +
                         policy.tenant().name() + "."},
                        RecordTable{{"Class", "Fields"}, {}}};
  for (const v1::PolicyClass& of : policy.classes()) {
    if (!IsKept(policy, of)) continue;
    std::vector<std::string> names;
    for (const v1::PolicyField& field : of.fields()) {
      names.push_back(field.name());
    }
    section.table->rows.push_back({of.name(), OrNothing(Join(names, ", "))});
  }
  return section;
}

RecordSection RoleSection(const Effective& policy) {
  RecordSection section{
      "Who uses the data",
      {},
      RecordTable{{"Role", "What it does", "Who", "Purposes"}, {}}};
  for (const v1::PolicyRole& role : policy.roles()) {
    std::set<std::string> purposes;
    for (const v1::PolicyGrant& grant : role.grants()) {
      purposes.insert(grant.purposes().begin(), grant.purposes().end());
    }
    section.table->rows.push_back({role.name(), OrNothing(role.text()),
                                   Join(role.principals(), ", "),
                                   Join(purposes, ", ")});
  }
  return section;
}

RecordSection RecipientSection(const v1::ListRecipientsResponse* recipients) {
  RecordSection section{"Recipients (d)", {}, std::nullopt};
  section.paragraphs.emplace_back(
      "The vault hands data to the roles above, to the people themselves, and, "
      "at a person's word, to those who are registered here. What a company's "
      "services pass on themselves it does not know.");
  if (recipients == nullptr) {
    section.paragraphs.emplace_back(
        "Who is registered is not shown to the caller who made this record.");
    return section;
  }
  RecordTable table{{"Recipient", "Kind", "Agreement"}, {}};
  for (const v1::Recipient& of : recipients->recipients()) {
    table.rows.push_back({of.name(),
                          EnumName(*v1::RecipientKind_descriptor(), of.kind()),
                          of.agreement()});
  }
  if (table.rows.empty()) {
    section.paragraphs.emplace_back("Nobody is registered.");
  } else {
    section.table = std::move(table);
  }
  return section;
}

RecordSection TransferSection() {
  return {"Transfers to third countries (e)",
          {"Not known to the vault: where it and its callers run, and what "
           "mechanism a transfer rests on, is to be filled in."},
          std::nullopt};
}

RecordSection TimeSection(const Effective& policy) {
  RecordSection section{
      "Time limits (f)",
      {"Whoever is erased is erased at once, in every copy, but for what a law "
       "has kept. The rest is kept as long as the person is there."},
      RecordTable{{"What", "How long", "Why", "Used only for"}, {}}};
  for (const v1::PolicyClass& of : policy.classes()) {
    if (!IsKept(policy, of)) continue;
    if (of.retention_law().empty()) {
      section.table->rows.push_back(
          {of.name(), "until erasure", kNothing, kNothing});
      continue;
    }
    section.table->rows.push_back(
        {of.name(),
         std::to_string(of.retention_years()) + " years after the fiscal year",
         of.retention_law(), Join(of.retention_purposes(), ", ")});
  }
  for (const v1::PolicyLegalTerm& term :
       policy.company_policy().legal_terms()) {
    section.table->rows.push_back({term.name(),
                                   std::to_string(term.days()) + " days",
                                   "files of the policy", kNothing});
  }
  return section;
}

RecordSection SecuritySection() {
  return {
      "Security (g)",
      {"Each field is sealed by itself under a key of its person and class; "
       "erasure destroys keys. Callers are known by their certificates and "
       "see what role and purpose allow, masked unless values are granted. "
       "Every call is written into a signed, append-only log before it is "
       "answered. Passwords are kept as bcrypt hashes, which no call "
       "returns."},
      std::nullopt};
}

// The roles whose grants name the field, that read it plainly or masked.
std::string ReadersOf(const Effective& policy, const std::string& field,
                      bool plain) {
  std::vector<std::string> names;
  for (const v1::PolicyRole& role : policy.roles()) {
    const bool reads = std::any_of(
        role.grants().begin(), role.grants().end(), [&](const auto& grant) {
          return grant.plain() == plain &&
                 std::find(grant.fields().begin(), grant.fields().end(),
                           field) != grant.fields().end();
        });
    if (reads) names.push_back(role.name());
  }
  return Join(names, ", ");
}

RecordSection MapSection(const Effective& policy) {
  RecordSection section{"Map of the data", {}, std::nullopt};
  RecordTable table{{"Field", "Type", "Sensitivity", "Taken away by the person",
                     "Purposes", "Plain for", "Masked for"},
                    {}};
  for (const v1::PolicyClass& of : policy.classes()) {
    if (!IsKept(policy, of)) continue;
    for (const v1::PolicyField& field : of.fields()) {
      const std::string name = of.name() + '.' + field.name();
      table.rows.push_back(
          {name, EnumName(*v1::FieldType_descriptor(), field.type()),
           EnumName(*v1::Sensitivity_descriptor(), field.sensitivity_level()),
           EnumName(*v1::FieldExport_descriptor(), field.export_kind()),
           OrNothing(PurposesOf(policy, field)),
           OrNothing(ReadersOf(policy, name, true)),
           OrNothing(ReadersOf(policy, name, false))});
    }
  }
  section.table = std::move(table);
  return section;
}

// One cell or line, in which nothing is markup.
std::string MarkdownText(std::string_view text) {
  constexpr std::string_view kMarks = "\\`*_{}[]<>#|~&";
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == '\t') {
      out.push_back(' ');
      continue;
    }
    if (kMarks.find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

std::string MarkdownRow(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += ' ' + MarkdownText(cell) + " |";
  return line + '\n';
}

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>)";
constexpr std::string_view kStyle = R"(</title>
<style>
:root { color-scheme: light dark; }
body { margin: 2rem auto; padding: 0 1rem; max-width: 72rem;
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { border: 1px solid #8888; padding: .25rem .5rem; text-align: left;
  vertical-align: top; }
tr { break-inside: avoid; }
</style>
</head>
<body>
)";

std::string HtmlRow(const std::vector<std::string>& cells,
                    std::string_view tag) {
  std::string line = "<tr>";
  for (const std::string& cell : cells) {
    line.append("<").append(tag).append(">");
    line.append(HtmlText(cell));
    line.append("</").append(tag).append(">");
  }
  return line + "</tr>\n";
}

}  // namespace

ProcessingRecord MakeProcessingRecord(
    const v1::GetEffectivePolicyResponse& policy,
    const v1::ListRecipientsResponse* recipients, const Controller& controller,
    const google::protobuf::Timestamp& made) {
  return {"Record of processing of " + policy.tenant().name(),
          {ControllerSection(policy, controller, made), PurposeSection(policy),
           CategorySection(policy), RoleSection(policy),
           RecipientSection(recipients), TransferSection(), TimeSection(policy),
           SecuritySection(), MapSection(policy)}};
}

std::string MarkdownOf(const ProcessingRecord& record) {
  std::string text = "# " + MarkdownText(record.title) + "\n";
  for (const RecordSection& section : record.sections) {
    text += "\n## " + MarkdownText(section.title) + "\n";
    for (const std::string& paragraph : section.paragraphs) {
      text += "\n" + MarkdownText(paragraph) + "\n";
    }
    if (!section.table.has_value()) continue;
    text += "\n" + MarkdownRow(section.table->header) + "|";
    for (size_t i = 0; i < section.table->header.size(); ++i) text += "---|";
    text += "\n";
    for (const auto& row : section.table->rows) text += MarkdownRow(row);
  }
  return text;
}

std::string HtmlOf(const ProcessingRecord& record) {
  std::string text(kHead);
  text.append(HtmlText(record.title)).append(kStyle);
  text += "<h1>" + HtmlText(record.title) + "</h1>\n";
  for (const RecordSection& section : record.sections) {
    text += "<h2>" + HtmlText(section.title) + "</h2>\n";
    for (const std::string& paragraph : section.paragraphs) {
      text += "<p>" + HtmlText(paragraph) + "</p>\n";
    }
    if (!section.table.has_value()) continue;
    text += "<table>\n" + HtmlRow(section.table->header, "th");
    for (const auto& row : section.table->rows) text += HtmlRow(row, "td");
    text += "</table>\n";
  }
  return text + "</body>\n</html>\n";
}

}  // namespace hizo::cli
