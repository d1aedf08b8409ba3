// hizo policy ...: what is in force, and what it would say.
#include <google/protobuf/util/time_util.h>

#include <CLI/CLI.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "hizo/v1/consent.pb.h"
#include "hizo/v1/policy.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

using google::protobuf::util::TimeUtil;

// What a field is marked with, in a few words.
std::string MarksOf(const v1::PolicyField& field) {
  std::vector<std::string> marks;
  if (field.required()) marks.emplace_back("required");
  if (field.unique()) marks.emplace_back("unique");
  if (field.searchable()) marks.emplace_back("searchable");
  return Join(marks, ", ");
}

// `record.get`, as configuration writes it, of RECORD_GET.
std::string ActionName(int action) {
  std::string name =
      absl::AsciiStrToLower(EnumName(*v1::Action_descriptor(), action));
  const size_t end_of_noun = name.find('_');
  if (end_of_noun != std::string::npos) name[end_of_noun] = '.';
  return name;
}

std::string ActionNames(const v1::PolicyGrant& grant) {
  std::vector<std::string> names;
  for (const int action : grant.actions()) names.push_back(ActionName(action));
  return Join(names, ", ");
}

class PolicyEffective : public Command {
 public:
  explicit PolicyEffective(CLI::App&) {}

  absl::Status Run(Session& session) override {
    v1::GetEffectivePolicyRequest request;
    session.Fill(*request.mutable_context());
    v1::GetEffectivePolicyResponse policy;
    RETURN_IF_ERROR(session.client.Call(request, policy));
    session.Print(policy, Heading(policy) + '\n' + Company(policy) +
                              Purposes(policy) + '\n' + Fields(policy) + '\n' +
                              Roles(policy));
    return absl::OkStatus();
  }

 private:
  static std::string Heading(const v1::GetEffectivePolicyResponse& policy) {
    Table table({"", ""});
    table.Add({"tenant", policy.tenant().name()});
    table.Add(
        {"catalogue version", std::to_string(policy.catalogue_version())});
    table.Add({"catalogue sha256", policy.catalogue_sha256()});
    table.Add({"access sha256", policy.access_sha256()});
    if (policy.has_company_policy()) {
      const v1::CompanyPolicy& company = policy.company_policy();
      table.Add({"policy", company.profile_id()});
      table.Add({"policy version", std::to_string(company.version())});
      table.Add({"policy sha256", company.sha256()});
      table.Add(
          {"policy from", company.origin() == v1::POLICY_ORIGIN_ACTIVATED
                              ? company.activated_by() + ", " +
                                    TimeUtil::ToString(company.activate_time())
                              : "the configured files"});
    }
    return table.Text();
  }
  // What one of its purposes asks for, in a few words.
  static std::string Asks(const v1::PolicyTerms& terms) {
    std::vector<std::string> words;
    const auto from = [](int64_t version) {
      return " of version " + std::to_string(version) + " on";
    };
    if (terms.lawful()) words.emplace_back("nothing: a law");
    if (terms.consent()) {
      words.push_back("consent" + (terms.consent_from_version() > 0
                                       ? from(terms.consent_from_version())
                                       : std::string()));
    }
    if (terms.acceptance_from_version() > 0) {
      words.push_back("acceptance" + from(terms.acceptance_from_version()));
    }
    if (terms.anonymised_only()) words.emplace_back("anonymised only");
    return Join(words, ", ");
  }
  static std::string Company(const v1::GetEffectivePolicyResponse& policy) {
    if (!policy.has_company_policy()) return "";
    Table table({"PURPOSE", "OF THE POLICY", "CLAUSE", "BASIS", "ASKS FOR"});
    for (const v1::PolicyTerms& terms : policy.company_policy().terms()) {
      table.Add({terms.purpose(), terms.policy_purpose(), terms.clause(),
                 terms.basis(), Asks(terms)});
    }
    return table.Text() + '\n';
  }
  static std::string Purposes(const v1::GetEffectivePolicyResponse& policy) {
    Table table({"PURPOSE", "AFTER CANCELLATION", "WHAT IT IS"});
    for (const v1::PolicyPurpose& purpose : policy.purposes()) {
      table.Add({purpose.name(),
                 purpose.outlives_account() ? "goes on" : "ends",
                 purpose.text()});
    }
    return table.Text();
  }
  static std::string Fields(const v1::GetEffectivePolicyResponse& policy) {
    Table table({"FIELD", "TYPE", "MASK", "EXPORT", "MARKS", "PURPOSES"});
    for (const v1::PolicyClass& of : policy.classes()) {
      for (const v1::PolicyField& field : of.fields()) {
        table.Add({of.name() + '.' + field.name(),
                   EnumName(*v1::FieldType_descriptor(), field.type()),
                   EnumName(*v1::FieldMasking_descriptor(), field.masking()),
                   EnumName(*v1::FieldExport_descriptor(), field.export_kind()),
                   MarksOf(field), Join(field.purposes(), ", ")});
      }
    }
    return table.Text();
  }
  static std::string Roles(const v1::GetEffectivePolicyResponse& policy) {
    Table table({"ROLE", "VIEW", "ACTIONS", "PURPOSES", "FIELDS"});
    for (const v1::PolicyRole& role : policy.roles()) {
      for (const v1::PolicyGrant& grant : role.grants()) {
        table.Add({role.name(), grant.plain() ? "plain" : "masked",
                   ActionNames(grant), Join(grant.purposes(), ", "),
                   Join(grant.fields(), ", ")});
      }
    }
    return table.Text();
  }
};

class PolicyCheck : public Command {
 public:
  explicit PolicyCheck(CLI::App& app) {
    app.add_option("action", action_, "What would be done, such as record.get")
        ->required();
    app.add_option("for", purpose_, "The purpose it would be done for")
        ->required();
    app.add_option("--fields", fields_,
                   "Full names of the fields it would touch, class.a,class.b")
        ->delimiter(',')
        ->allow_extra_args(false);
    app.add_option("--subject", subject_,
                   "UUID of the person; else anybody whose account is open");
    app.add_option("--role", role_,
                   "Name of the role that would do it; else the caller's own");
    app.add_flag("--plain", plain_, "It would show values, not masks");
  }

  absl::Status Run(Session& session) override {
    v1::CheckPurposeRequest request;
    session.Fill(*request.mutable_context());
    v1::Action action = v1::ACTION_UNSPECIFIED;
    if (!v1::Action_Parse("ACTION_" + absl::AsciiStrToUpper(absl::StrReplaceAll(
                                          action_, {{".", "_"}})),
                          &action)) {
      return UsageError("there is no such action; see hizo policy effective");
    }
    request.set_checked_action(action);
    request.set_checked_purpose(purpose_);
    for (const std::string& field : fields_) request.add_fields(field);
    request.set_subject(subject_);
    request.set_role(role_);
    request.set_view(plain_ ? v1::VIEW_PLAIN : v1::VIEW_MASKED);
    v1::CheckPurposeResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    Table table({"", ""});
    table.Add({"allowed", response.allowed() ? "yes" : "no"});
    if (!response.allowed()) {
      table.Add(
          {"reason", EnumName(*v1::Reason_descriptor(), response.reason())});
    }
    table.Add({"rule", response.rule()});
    if (!response.clause().empty()) {
      table.Add({"clause", response.clause()});
      table.Add({"basis", response.basis()});
    }
    session.Print(response, table.Text());
    return absl::OkStatus();
  }

 private:
  std::string action_;
  std::string purpose_;
  std::vector<std::string> fields_;
  std::string subject_;
  std::string role_;
  bool plain_ = false;
};

}  // namespace

void AddPolicyCommands(CommandLine& line) {
  CLI::App& group =
      line.Group({"policy", "What is in force, and what it would say",
                  "  hizo policy effective\n"
                  "  hizo policy check record.get support "
                  "--fields profile.full_name"});
  line.Add<PolicyEffective>(
      group, {"effective", "Catalogue, purposes, roles and grants in force",
              "  hizo policy effective\n"
              "  hizo policy effective --json"});
  line.Add<PolicyCheck>(
      group,
      {"check", "Whether a call would be allowed, and which rule decides",
       "  hizo policy check record.get communications_marketing "
       "--fields profile.full_name,account.email --role support\n"
       "  hizo policy check record.get billing --fields account.email --plain "
       "--subject 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10"});
  AddPolicyFileCommands(line, group);
  AddPolicyRecordCommand(line, group);
}

}  // namespace hizo::cli
