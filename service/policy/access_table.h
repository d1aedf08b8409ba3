// AccessTable: who may do what, compiled from the operator's configuration.
//
// A principal is a client certificate's SPIFFE id. It belongs to one tenant and
// has roles; a role is a list of grants; a grant allows some actions on some
// fields for some purposes, masked or plain. What no grant allows is denied.
// Threads: const methods may be called concurrently. Lifetime: pointers to
// principals live as long as the table.
#ifndef HIZO_SERVICE_POLICY_ACCESS_TABLE_H_
#define HIZO_SERVICE_POLICY_ACCESS_TABLE_H_

#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/ids.h"
#include "service/policy/action.h"
#include "service/policy/catalogue.h"
#include "service/policy/company_policy.h"

namespace hizo::policy {

enum class RoleKind : uint8_t {
  kService,
  kPrivacyOfficer,
  kErasureOfficer,
  kAuditor,
  kAdministrator,
};

// Grant: all of its parts must match at once.
struct Grant {
  std::bitset<kActionCount> actions;  // by number
  PurposeSet purposes;
  FieldSet fields;
  bool plain = false;  // values, and not only masks
};

struct Role {
  std::string name;
  RoleKind kind = RoleKind::kService;
  std::vector<Grant> grants;
  // What such a caller does, one sentence for the people whose data it uses;
  // may be empty.
  std::string text;
  // How many answers a minute that nobody is there, or somebody is whom the
  // caller may not have; 0 is no limit, nothing what the store's setting says.
  std::optional<uint32_t> misses_per_minute;
};

struct Principal {
  size_t index = 0;  // dense: 0 to AccessTable::principals().size() - 1
  std::string spiffe_id;
  base::TenantId tenant = base::TenantId::kStore;
  std::vector<std::string> roles;
  std::bitset<8> role_kinds;                  // by RoleKind
  std::vector<Grant> grants;                  // of all roles
  std::optional<uint32_t> misses_per_minute;  // of the role that allows most
  bool Is(RoleKind kind) const {
    return role_kinds.test(static_cast<size_t>(kind));
  }
};

// Where the parts of a tenant's policy were read from (company_policy.h).
struct PolicyFiles {
  std::string profile;
  std::string statutory;
  std::string overlay;  // the operator's
};

struct TenantSpec {
  base::TenantId id = base::TenantId::kStore;  // 1 and up; stored
  std::string name;
  std::string default_region;  // for national phone numbers; may be empty
  // Number of the cipher suite of what is written for it, crypto/FORMAT.md 1.
  uint32_t suite = 1;
  std::optional<PolicyFiles> policy_files = std::nullopt;
  // What they say; nullptr where there are none. Which policy is in force is
  // for vault::PolicyTable to say. Lives longer than whatever names this
  // tenant.
  const CompanyPolicy* policy_of_files = nullptr;
};

// What a table is made from: names as the operator wrote them. In `fields`,
// "*" is every field that is not internal, "profile.*" a class's.
struct AccessSource {
  struct GrantSource {
    std::vector<std::string> actions;  // names, or "*"
    std::vector<std::string> purposes;
    std::vector<std::string> fields;
    bool plain = false;
  };
  struct RoleSource {
    std::string name;
    RoleKind kind = RoleKind::kService;
    std::vector<GrantSource> grants;
    std::optional<uint32_t> misses_per_minute = std::nullopt;
    std::string text = {};
  };
  struct PrincipalSource {
    std::string spiffe_id;
    std::string tenant;
    std::vector<std::string> roles;
  };
  std::string digest;  // SHA-256 in hex of the file that it was read from
  std::vector<TenantSpec> tenants;
  std::vector<RoleSource> roles;
  std::vector<PrincipalSource> principals;
};

class AccessTable {
 public:
  // kInvalidArgument, naming what is wrong, for unknown or doubled names, ids
  // that are no SPIFFE id (spiffe://domain/path), tenants numbered 0.
  static absl::StatusOr<std::unique_ptr<const AccessTable>> Create(
      const AccessSource& source, const Catalogue& catalogue);

  // nullptr for a caller that is not configured.
  const Principal* Find(std::string_view spiffe_id) const;
  const TenantSpec* Tenant(base::TenantId id) const;
  const std::vector<TenantSpec>& tenants() const { return tenants_; }
  // By name; nullptr for a role that is not configured.
  const Role* FindRole(std::string_view name) const;
  const std::map<std::string, Role, std::less<>>& roles() const {
    return roles_;
  }
  const std::map<std::string, Principal, std::less<>>& principals() const {
    return principals_;
  }
  const std::string& digest() const { return digest_; }

 private:
  AccessTable() = default;
  std::string digest_;
  std::vector<TenantSpec> tenants_;
  std::map<std::string, Role, std::less<>> roles_;
  std::map<std::string, Principal, std::less<>> principals_;
};

}  // namespace hizo::policy

#endif  // HIZO_SERVICE_POLICY_ACCESS_TABLE_H_
