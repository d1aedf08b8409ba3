#include <algorithm>
#include <utility>

#include "hizo/v1/policy.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"

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
  }
  AddRoles(catalogue, access, tenant.id, response);
  return response;
}

}  // namespace

absl::Status AddPolicies(const Adder& adder, const vault::Store& store) {
  return adder
      .Add<v1::GetEffectivePolicyRequest, v1::GetEffectivePolicyResponse>(
          "PolicyService.GetEffectivePolicy", Lane::kServe,
          [&store, &catalogue = adder.catalogue](
              Attempt& attempt, const Call& call,
              const v1::GetEffectivePolicyRequest&)
              -> absl::StatusOr<v1::GetEffectivePolicyResponse> {
            RETURN_IF_ERROR(store.gate().AdmitStore(attempt, call));
            return Effective(catalogue, store.access(), call.tenant);
          });
}

}  // namespace hizo::rpc
