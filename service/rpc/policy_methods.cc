#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "hizo/v1/policy.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {
namespace {

using vault::Attempt;
using vault::Call;

// The proto's enums begin with one that is never sent.
template <typename To, typename From>
To FromEnum(From value) {
  return static_cast<To>(static_cast<int>(value) + 1);
}

void AddPurposes(const policy::Catalogue& catalogue,
                 const policy::PurposeSet& purposes,
                 google::protobuf::RepeatedPtrField<std::string>& names) {
  for (const policy::PurposeSpec& purpose : catalogue.purposes()) {
    if (purposes.test(purpose.number)) *names.Add() = purpose.name;
  }
}

v1::PolicyField FromField(const policy::Catalogue& catalogue,
                          const policy::FieldSpec& spec) {
  v1::PolicyField field;
  field.set_number(spec.number);
  field.set_name(spec.name);
  field.set_type(FromEnum<v1::FieldType>(spec.type));
  field.set_sensitivity_level(static_cast<v1::Sensitivity>(spec.sensitivity));
  field.set_masking(FromEnum<v1::FieldMasking>(spec.mask));
  field.set_export_kind(FromEnum<v1::FieldExport>(spec.export_kind));
  AddPurposes(catalogue, spec.purposes, *field.mutable_purposes());
  field.set_required(spec.required);
  field.set_unique(spec.unique);
  field.set_searchable(spec.searchable);
  field.set_size_max(static_cast<int64_t>(spec.size_max));
  for (const std::string& choice : spec.choices) field.add_choices(choice);
  return field;
}

v1::PolicyGrant FromGrant(const policy::Catalogue& catalogue,
                          const policy::Grant& from) {
  v1::PolicyGrant grant;
  for (int i = 1; i < policy::kActionCount; ++i) {
    if (from.actions.test(static_cast<size_t>(i))) {
      grant.add_actions(static_cast<v1::Action>(i));
    }
  }
  AddPurposes(catalogue, from.purposes, *grant.mutable_purposes());
  for (const policy::FieldSpec& field : catalogue.fields()) {
    if (from.fields.test(field.index)) grant.add_fields(field.full_name);
  }
  grant.set_plain(from.plain);
  return grant;
}

// The roles that callers of the tenant have.
void AddRoles(const policy::Catalogue& catalogue,
              const policy::AccessTable& access, base::TenantId tenant,
              v1::GetEffectivePolicyResponse& response) {
  for (const auto& [name, role] : access.roles()) {
    v1::PolicyRole shown;
    for (const auto& [id, principal] : access.principals()) {
      const bool has =
          std::ranges::find(principal.roles, name) != principal.roles.end();
      if (has && principal.tenant == tenant) shown.add_principals(id);
    }
    if (shown.principals().empty()) continue;
    shown.set_name(name);
    shown.set_kind(FromEnum<v1::RoleKind>(role.kind));
    shown.set_text(role.text);
    for (const policy::Grant& grant : role.grants) {
      *shown.add_grants() = FromGrant(catalogue, grant);
    }
    *response.add_roles() = std::move(shown);
  }
}

v1::GetEffectivePolicyResponse Effective(const policy::Catalogue& catalogue,
                                         const policy::AccessTable& access,
                                         const policy::TenantSpec& tenant) {
  v1::GetEffectivePolicyResponse response;
  response.set_catalogue_version(catalogue.version());
  response.set_catalogue_sha256(catalogue.digest());
  response.set_access_sha256(access.digest());
  response.mutable_tenant()->set_number(static_cast<int64_t>(tenant.id));
  response.mutable_tenant()->set_name(tenant.name);
  response.mutable_tenant()->set_default_region(tenant.default_region);
  for (const policy::PurposeSpec& purpose : catalogue.purposes()) {
    v1::PolicyPurpose& shown = *response.add_purposes();
    shown.set_number(purpose.number);
    shown.set_name(purpose.name);
    shown.set_text(purpose.text);
    shown.set_outlives_account(purpose.outlives_account);
  }
  for (const policy::ClassSpec& spec : catalogue.classes()) {
    v1::PolicyClass& shown = *response.add_classes();
    shown.set_number(spec.number);
    shown.set_name(spec.name);
    shown.set_series(spec.series);
    shown.set_internal(spec.internal);
    for (const policy::FieldSpec* field : spec.fields) {
      *shown.add_fields() = FromField(catalogue, *field);
    }
    if (!spec.retention.has_value()) continue;
    shown.set_retention_law(spec.retention->law);
    shown.set_retention_years(static_cast<int32_t>(spec.retention->years));
    AddPurposes(catalogue, spec.retention->purposes,
                *shown.mutable_retention_purposes());
  }
  AddRoles(catalogue, access, tenant.id, response);
  return response;
}

v1::CompanyPolicy FromCompany(const policy::Catalogue& catalogue,
                              const policy::CompanyPolicy& from,
                              const std::optional<vault::Activation>& by) {
  v1::CompanyPolicy company;
  company.set_profile_id(from.profile_id());
  company.set_version(static_cast<int64_t>(from.version()));
  company.set_sha256(from.digest());
  company.set_origin(v1::POLICY_ORIGIN_FILES);
  if (by.has_value()) {
    company.set_origin(v1::POLICY_ORIGIN_ACTIVATED);
    company.set_activated_by(by->actor);
    *company.mutable_activate_time() = FromTimestamp(by->time);
  }
  for (const policy::PurposeSpec& purpose : catalogue.purposes()) {
    const policy::PurposeTerms& terms = from.For(purpose.number);
    if (!terms.in_policy) continue;
    v1::PolicyTerms& shown = *company.add_terms();
    shown.set_purpose(purpose.name);
    shown.set_policy_purpose(terms.id);
    shown.set_clause(terms.clause);
    shown.set_basis(std::string(policy::NameOf(terms.basis)));
    shown.set_lawful(terms.lawful);
    shown.set_consent(terms.needs_consent);
    shown.set_marketing(terms.marketing);
    shown.set_anonymised_only(terms.anonymised_only);
    shown.set_consent_from_version(static_cast<int64_t>(terms.consent_from));
    shown.set_acceptance_from_version(
        static_cast<int64_t>(terms.acceptance_from));
  }
  for (const policy::ClassSpec& spec : catalogue.classes()) {
    if (from.declared_classes().test(spec.number)) {
      company.add_classes(spec.name);
    }
  }
  for (const policy::LegalTerm& from_term : from.legal_terms()) {
    v1::PolicyLegalTerm& term = *company.add_legal_terms();
    term.set_name(from_term.name);
    term.set_days(static_cast<int64_t>(from_term.days));
  }
  return company;
}

v1::PolicyConflict FromConflict(const policy::Conflict& from) {
  v1::PolicyConflict conflict;
  conflict.set_id(from.id);
  conflict.set_text(from.text);
  conflict.set_accepted(from.accepted);
  conflict.set_accepted_by(from.by);
  conflict.set_because(from.because);
  return conflict;
}

// "operator:12: what is wrong"; without a line where all of the file is.
v1::PolicyProblem FromProblem(const std::string& from) {
  constexpr std::pair<std::string_view, v1::PolicyFile> kFiles[] = {
      {"profile", v1::POLICY_FILE_PROFILE},
      {"statutory", v1::POLICY_FILE_STATUTORY},
      {"operator", v1::POLICY_FILE_OPERATOR}};
  v1::PolicyProblem problem;
  std::string_view rest = from;
  for (const auto& [name, file] : kFiles) {
    if (!rest.starts_with(name) || rest.size() == name.size() ||
        rest[name.size()] != ':') {
      continue;
    }
    problem.set_file(file);
    rest.remove_prefix(name.size() + 1);
    int32_t line = 0;
    const auto read =
        std::from_chars(rest.data(), rest.data() + rest.size(), line);
    if (line > 0 && read.ptr != rest.data() + rest.size() && *read.ptr == ':') {
      problem.set_line(line);
      rest.remove_prefix(static_cast<size_t>(read.ptr - rest.data()) + 1);
    }
    break;
  }
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  problem.set_text(std::string(rest));
  return problem;
}

policy::PolicyTexts ToTexts(const v1::PolicyFiles& files) {
  return {files.profile(), files.statutory(), files.overlay()};
}

absl::StatusOr<v1::ValidatePolicyResponse> Validate(
    const vault::Policies& policies, Attempt& attempt, const Call& call,
    const v1::ValidatePolicyRequest& request) {
  ASSIGN_OR_RETURN(const vault::PolicyVerdict verdict,
                   policies.Validate(attempt, call, ToTexts(request.files())));
  v1::ValidatePolicyResponse response;
  response.set_refusal(static_cast<v1::Reason>(verdict.refusal));
  for (const std::string& problem : verdict.problems) {
    *response.add_problems() = FromProblem(problem);
  }
  response.set_profile_id(verdict.profile_id);
  response.set_version(static_cast<int64_t>(verdict.version));
  response.set_sha256(verdict.digest);
  for (const policy::Conflict& conflict : verdict.conflicts) {
    *response.add_conflicts() = FromConflict(conflict);
  }
  for (const policy::PolicyChange& from : verdict.changes) {
    v1::PolicyChange& change = *response.add_changes();
    change.set_kind(static_cast<v1::PolicyChangeKind>(from.kind));
    change.set_name(from.name);
    change.set_before(from.before);
    change.set_after(from.after);
  }
  return response;
}

absl::StatusOr<v1::ActivatePolicyResponse> Activate(
    const vault::Policies& policies, Attempt& attempt, const Call& call,
    const v1::ActivatePolicyRequest& request) {
  ASSIGN_OR_RETURN(const vault::ActivatedPolicy activated,
                   policies.Activate(attempt, call, ToTexts(request.files())));
  v1::ActivatePolicyResponse response;
  response.set_version(static_cast<int64_t>(activated.version));
  response.set_sha256(activated.digest);
  response.set_changed(activated.changed);
  return response;
}

absl::StatusOr<v1::ListConflictsResponse> ListConflicts(
    const vault::Policies& policies, Attempt& attempt, const Call& call,
    const v1::ListConflictsRequest&) {
  ASSIGN_OR_RETURN(const auto conflicts, policies.Conflicts(attempt, call));
  v1::ListConflictsResponse response;
  for (const policy::Conflict& conflict : conflicts) {
    *response.add_conflicts() = FromConflict(conflict);
  }
  return response;
}

template <typename Request, typename Response>
absl::Status AddOne(const Adder& adder, const vault::Policies& policies,
                    std::string_view name,
                    absl::StatusOr<Response> (*use)(const vault::Policies&,
                                                    Attempt&, const Call&,
                                                    const Request&)) {
  return adder.Add<Request, Response>(
      name, Lane::kServe,
      [&policies, use](Attempt& attempt, const Call& call,
                       const Request& request) {
        return use(policies, attempt, call, request);
      });
}

absl::Status AddEffective(const Adder& adder, const vault::Store& store) {
  return adder
      .Add<v1::GetEffectivePolicyRequest, v1::GetEffectivePolicyResponse>(
          "PolicyService.GetEffectivePolicy", Lane::kServe,
          [&store, &catalogue = adder.catalogue](
              Attempt& attempt, const Call& call,
              const v1::GetEffectivePolicyRequest&)
              -> absl::StatusOr<v1::GetEffectivePolicyResponse> {
            RETURN_IF_ERROR(store.gate().AdmitStore(attempt, call));
            auto response = Effective(catalogue, store.access(), call.tenant);
            // The same as the call was decided by, or the call is run again.
            const auto pin =
                store.policies().table().InForce(attempt, call.tenant.id);
            if (pin.get() != nullptr) {
              *response.mutable_company_policy() =
                  FromCompany(catalogue, *pin.get(), pin.activation());
            }
            return response;
          });
}

}  // namespace

absl::Status AddPolicies(const Adder& adder, const vault::Store& store) {
  const vault::Policies& policies = store.policies();
  RETURN_IF_ERROR(AddEffective(adder, store));
  RETURN_IF_ERROR(
      AddOne(adder, policies, "PolicyService.ValidatePolicy", &Validate));
  RETURN_IF_ERROR(
      AddOne(adder, policies, "PolicyService.ActivatePolicy", &Activate));
  return AddOne(adder, policies, "PolicyService.ListConflicts", &ListConflicts);
}

}  // namespace hizo::rpc
