// A small catalogue and what callers may do with it, for tests of rules.
#ifndef HIZO_TESTS_SERVICE_POLICY_SMALL_CATALOGUE_H_
#define HIZO_TESTS_SERVICE_POLICY_SMALL_CATALOGUE_H_

#include <memory>
#include <string_view>
#include <vector>

#include "service/policy/access_table.h"
#include "service/policy/catalogue.h"

namespace hizo::policy {

inline constexpr PurposeNumber kSupport = 1;
inline constexpr PurposeNumber kBilling = 2;    // outlives the account
inline constexpr PurposeNumber kMarketing = 3;  // granted to nobody
inline constexpr PurposeNumber kOperations = 4;

// Classes account {email, handle}, profile {full_name, note}, credential
// {password_hash}, which is internal. `note` serves billing only.
CatalogueSource SmallCatalogueSource();
std::unique_ptr<const Catalogue> SmallCatalogue();

// Agent sees masks for support, of everything; clerk writes, and sees
// account.email and profile.note plainly, for billing, and cancels accounts;
// operator reads the audit log and the server's state.
inline constexpr char kAgent[] = "spiffe://example.org/agent";
inline constexpr char kClerk[] = "spiffe://example.org/clerk";
inline constexpr char kOperator[] = "spiffe://example.org/operator";
// Has the roles of agent and clerk.
inline constexpr char kBoth[] = "spiffe://example.org/agent-and-clerk";
AccessSource SmallAccessSource();
std::unique_ptr<const AccessTable> SmallAccessTable(const Catalogue& catalogue);

// The set of the fields of these full names, which must exist.
FieldSet FieldsOf(const Catalogue& catalogue,
                  const std::vector<std::string_view>& full_names);

}  // namespace hizo::policy

#endif  // HIZO_TESTS_SERVICE_POLICY_SMALL_CATALOGUE_H_
