#include "service/app/access_file.h"

#include <limits>
#include <string>
#include <utility>

#include "service/app/yaml_reader.h"
#include "service/base/status_macros.h"

namespace hizo::app {
namespace {

using policy::AccessSource;
using policy::RoleKind;

constexpr std::pair<std::string_view, RoleKind> kRoleKinds[] = {
    {"service", RoleKind::kService},
    {"privacy_officer", RoleKind::kPrivacyOfficer},
    {"erasure_officer", RoleKind::kErasureOfficer},
    {"auditor", RoleKind::kAuditor},
    {"administrator", RoleKind::kAdministrator},
};

constexpr uint32_t kUnset = std::numeric_limits<uint32_t>::max();

// Relative paths start from the folder of the access file.
absl::Status ReadPolicyFiles(const YamlValue& item,
                             const std::filesystem::path& folder,
                             policy::TenantSpec& tenant) {
  policy::PolicyFiles files;
  YamlMap map(item);
  map.Required("profile", files.profile)
      .Required("statutory", files.statutory)
      .Required("operator", files.overlay);
  RETURN_IF_ERROR(map.Finish());
  for (std::string* file : {&files.profile, &files.statutory, &files.overlay}) {
    *file = (folder / *file).string();
  }
  tenant.policy_files = std::move(files);
  return absl::OkStatus();
}

absl::Status ReadTenant(const YamlValue& item,
                        const std::filesystem::path& folder,
                        AccessSource& source) {
  policy::TenantSpec tenant;
  tenant.name = item.key;
  uint32_t number = 0;
  YamlMap map(item);
  map.Required("number", number)
      .Optional("default_region", tenant.default_region)
      .Optional("suite", tenant.suite);
  const YamlValue* files = map.OptionalMap("policy");
  RETURN_IF_ERROR(map.Finish());
  if (files != nullptr) {
    RETURN_IF_ERROR(ReadPolicyFiles(*files, folder, tenant));
  }
  tenant.id = base::TenantId{number};
  source.tenants.push_back(std::move(tenant));
  return absl::OkStatus();
}

absl::Status ReadRole(const YamlValue& item, AccessSource& source) {
  AccessSource::RoleSource role;
  role.name = item.key;
  YamlMap map(item);
  uint32_t misses = kUnset;
  map.RequiredName<RoleKind>("kind", kRoleKinds, role.kind)
      .Optional("text", role.text)
      .Optional("misses_per_minute", misses);
  const std::span<const YamlValue> grants = map.List("grants");
  RETURN_IF_ERROR(map.Finish());
  if (misses != kUnset) role.misses_per_minute = misses;
  for (const YamlValue& grant_item : grants) {
    AccessSource::GrantSource grant;
    YamlMap grant_map(grant_item);
    grant_map.Required("actions", grant.actions)
        .Required("purposes", grant.purposes)
        .Optional("fields", grant.fields)
        .Optional("plain", grant.plain);
    RETURN_IF_ERROR(grant_map.Finish());
    role.grants.push_back(std::move(grant));
  }
  source.roles.push_back(std::move(role));
  return absl::OkStatus();
}

absl::Status ReadPrincipal(const YamlValue& item, AccessSource& source) {
  AccessSource::PrincipalSource principal;
  principal.spiffe_id = item.key;
  YamlMap map(item);
  map.Required("tenant", principal.tenant).Required("roles", principal.roles);
  RETURN_IF_ERROR(map.Finish());
  source.principals.push_back(std::move(principal));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AccessSource> ReadAccess(const std::filesystem::path& file) {
  ASSIGN_OR_RETURN(const YamlFile read, ReadYamlFile(file));
  AccessSource source;
  source.digest = read.digest;
  YamlMap map(read.root);
  const std::span<const YamlValue> tenants = map.Map("tenants");
  const std::span<const YamlValue> roles = map.Map("roles");
  const std::span<const YamlValue> principals = map.Map("principals");
  RETURN_IF_ERROR(map.Finish());
  for (const YamlValue& item : tenants) {
    RETURN_IF_ERROR(ReadTenant(item, file.parent_path(), source));
  }
  for (const YamlValue& item : roles) RETURN_IF_ERROR(ReadRole(item, source));
  for (const YamlValue& item : principals) {
    RETURN_IF_ERROR(ReadPrincipal(item, source));
  }
  return source;
}

}  // namespace hizo::app
