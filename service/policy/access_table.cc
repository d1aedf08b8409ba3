#include "service/policy/access_table.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/base/status_macros.h"

namespace hizo::policy {
namespace {

constexpr std::string_view kSpiffeScheme = "spiffe://";
constexpr size_t kSpiffeIdSizeMax = 2048;
constexpr uint32_t kSuiteMax = 2;
constexpr std::string_view kDomainLetters =
    "abcdefghijklmnopqrstuvwxyz0123456789.-_";
constexpr std::string_view kPathLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

using Roles = std::map<std::string, Role, std::less<>>;

absl::Status Broken(const std::string& kind, const std::string& name,
                    const std::string& rule) {
  return absl::InvalidArgumentError(absl::StrCat(kind, " `", name, "` ", rule));
}

bool IsMadeOf(std::string_view text, std::string_view letters) {
  return !text.empty() &&
         text.find_first_not_of(letters) == std::string_view::npos;
}

// SPIFFE-ID.md 2: spiffe://trust-domain/segment/segment...
bool IsSpiffeId(std::string_view id) {
  if (!id.starts_with(kSpiffeScheme) || id.size() > kSpiffeIdSizeMax) {
    return false;
  }
  id.remove_prefix(kSpiffeScheme.size());
  size_t slash = id.find('/');
  if (slash == std::string_view::npos) return false;
  if (!IsMadeOf(id.substr(0, slash), kDomainLetters)) return false;
  while (slash != std::string_view::npos) {
    id.remove_prefix(slash + 1);
    slash = id.find('/');
    const std::string_view segment = id.substr(0, slash);
    if (!IsMadeOf(segment, kPathLetters)) return false;
    if (segment == "." || segment == "..") return false;
  }
  return true;
}

absl::Status AddActions(const std::string& name, Grant& grant) {
  if (name == "*") {
    for (size_t i = 1; i < kActionCount; ++i) grant.actions.set(i);
    return absl::OkStatus();
  }
  const std::optional<Action> action = ActionFromName(name);
  if (!action.has_value() || *action == Action::kNone) {
    return Broken("action", name, "does not exist");
  }
  grant.actions.set(static_cast<size_t>(*action));
  return absl::OkStatus();
}

absl::Status AddFields(const std::string& name, const Catalogue& catalogue,
                       Grant& grant) {
  constexpr std::string_view kAllOfClass = ".*";
  if (name == "*") {
    for (const FieldSpec& field : catalogue.fields()) {
      grant.fields.set(field.index);
    }
    grant.fields &= ~catalogue.internal_fields();
    return absl::OkStatus();
  }
  FieldSet named;
  if (name.ends_with(kAllOfClass)) {
    const ClassSpec* of =
        catalogue.FindClass(name.substr(0, name.size() - kAllOfClass.size()));
    if (of == nullptr) return Broken("class", name, "does not exist");
    for (const FieldSpec* field : of->fields) named.set(field->index);
  } else {
    const FieldSpec* field = catalogue.FindField(name);
    if (field == nullptr) return Broken("field", name, "does not exist");
    named.set(field->index);
  }
  if ((named & catalogue.internal_fields()).any()) {
    return Broken("field", name, "is internal and cannot be granted");
  }
  grant.fields |= named;
  return absl::OkStatus();
}

absl::StatusOr<Grant> CompileGrant(const AccessSource::GrantSource& source,
                                   const Catalogue& catalogue) {
  Grant grant;
  grant.plain = source.plain;
  for (const std::string& name : source.actions) {
    RETURN_IF_ERROR(AddActions(name, grant));
  }
  for (const std::string& name : source.purposes) {
    const PurposeSpec* purpose = catalogue.FindPurpose(name);
    if (purpose == nullptr) return Broken("purpose", name, "does not exist");
    grant.purposes.set(purpose->number);
  }
  for (const std::string& name : source.fields) {
    RETURN_IF_ERROR(AddFields(name, catalogue, grant));
  }
  return grant;
}

absl::StatusOr<Roles> CompileRoles(const AccessSource& source,
                                   const Catalogue& catalogue) {
  Roles roles;
  for (const AccessSource::RoleSource& role_source : source.roles) {
    if (role_source.name.empty()) {
      return absl::InvalidArgumentError("a role has no name");
    }
    Role role;
    role.name = role_source.name;
    role.kind = role_source.kind;
    role.text = role_source.text;
    role.misses_per_minute = role_source.misses_per_minute;
    for (const AccessSource::GrantSource& grant_source : role_source.grants) {
      ASSIGN_OR_RETURN(Grant grant, CompileGrant(grant_source, catalogue));
      if (grant.actions.none() || grant.purposes.none()) {
        return Broken("role", role_source.name,
                      "has a grant without actions or purposes");
      }
      role.grants.push_back(grant);
    }
    if (!roles.emplace(role_source.name, std::move(role)).second) {
      return Broken("role", role_source.name, "is there twice");
    }
  }
  return roles;
}

absl::Status CheckTenants(const std::vector<TenantSpec>& tenants) {
  std::set<base::TenantId> ids;
  std::set<std::string> names;
  for (const TenantSpec& tenant : tenants) {
    if (tenant.name.empty()) {
      return absl::InvalidArgumentError("a tenant has no name");
    }
    if (tenant.id == base::TenantId::kStore) {
      return Broken("tenant", tenant.name, "has no number");
    }
    if (!ids.insert(tenant.id).second) {
      return Broken("tenant", tenant.name, "has another one's number");
    }
    if (!names.insert(tenant.name).second) {
      return Broken("tenant", tenant.name, "is there twice");
    }
    if (tenant.suite < 1 || tenant.suite > kSuiteMax) {
      return Broken("tenant", tenant.name, "has no cipher suite: 1 or 2");
    }
  }
  return absl::OkStatus();
}

// 0 is no limit at all.
std::optional<uint32_t> LooserOf(std::optional<uint32_t> one,
                                 std::optional<uint32_t> other) {
  if (!one.has_value() || !other.has_value()) return one ? one : other;
  return *one == 0 || *other == 0 ? 0 : std::max(*one, *other);
}

absl::StatusOr<Principal> CompilePrincipal(
    const AccessSource::PrincipalSource& source,
    const std::vector<TenantSpec>& tenants, const Roles& roles) {
  if (!IsSpiffeId(source.spiffe_id)) {
    return Broken("principal", source.spiffe_id, "is not a SPIFFE id");
  }
  const auto tenant =
      std::ranges::find(tenants, source.tenant, &TenantSpec::name);
  if (tenant == tenants.end()) {
    return Broken("tenant", source.tenant, "does not exist");
  }
  Principal principal;
  principal.spiffe_id = source.spiffe_id;
  principal.tenant = tenant->id;
  for (const std::string& name : source.roles) {
    const auto role = roles.find(name);
    if (role == roles.end()) return Broken("role", name, "does not exist");
    if (std::ranges::find(principal.roles, name) != principal.roles.end()) {
      return Broken("principal", source.spiffe_id, "has a role twice");
    }
    principal.roles.push_back(name);
    principal.misses_per_minute =
        LooserOf(principal.misses_per_minute, role->second.misses_per_minute);
    principal.role_kinds.set(static_cast<size_t>(role->second.kind));
    principal.grants.insert(principal.grants.end(), role->second.grants.begin(),
                            role->second.grants.end());
  }
  return principal;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const AccessTable>> AccessTable::Create(
    const AccessSource& source, const Catalogue& catalogue) {
  RETURN_IF_ERROR(CheckTenants(source.tenants));
  std::unique_ptr<AccessTable> table(new AccessTable());
  ASSIGN_OR_RETURN(table->roles_, CompileRoles(source, catalogue));
  table->digest_ = source.digest;
  table->tenants_ = source.tenants;
  for (const AccessSource::PrincipalSource& principal_source :
       source.principals) {
    ASSIGN_OR_RETURN(
        Principal principal,
        CompilePrincipal(principal_source, table->tenants_, table->roles_));
    principal.index = table->principals_.size();
    const std::string& id = principal_source.spiffe_id;
    if (!table->principals_.emplace(id, std::move(principal)).second) {
      return Broken("principal", id, "is there twice");
    }
  }
  return table;
}

const Principal* AccessTable::Find(std::string_view spiffe_id) const {
  const auto found = principals_.find(spiffe_id);
  return found == principals_.end() ? nullptr : &found->second;
}

const Role* AccessTable::FindRole(std::string_view name) const {
  const auto found = roles_.find(name);
  return found == roles_.end() ? nullptr : &found->second;
}

const TenantSpec* AccessTable::Tenant(base::TenantId id) const {
  const auto found = std::ranges::find(tenants_, id, &TenantSpec::id);
  return found == tenants_.end() ? nullptr : &*found;
}

}  // namespace hizo::policy
