#include "service/policy/access_table.h"

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/service/policy/small_catalogue.h"
#include "tests/testing/status_matchers.h"

namespace hizo::policy {
namespace {

using test::IsOk;
using test::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(AccessTableTest, FindsPrincipalsByTheirExactId) {
  const auto catalogue = SmallCatalogue();
  const auto table = SmallAccessTable(*catalogue);
  const Principal* agent = table->Find(kAgent);
  ASSERT_NE(agent, nullptr);
  EXPECT_EQ(agent->spiffe_id, kAgent);
  EXPECT_EQ(agent->tenant, base::TenantId{1});
  EXPECT_THAT(agent->roles, ElementsAre("agent"));
  EXPECT_EQ(table->Find(""), nullptr);
  EXPECT_EQ(table->Find("spiffe://example.org/agen"), nullptr);
  EXPECT_EQ(table->Find("spiffe://example.org/agent/"), nullptr);
  EXPECT_EQ(table->Find("SPIFFE://example.org/agent"), nullptr);
}

TEST(AccessTableTest, FindsTenantsByNumber) {
  const auto catalogue = SmallCatalogue();
  const auto table = SmallAccessTable(*catalogue);
  ASSERT_NE(table->Tenant(base::TenantId{2}), nullptr);
  EXPECT_EQ(table->Tenant(base::TenantId{2})->name, "globex");
  EXPECT_EQ(table->Tenant(base::TenantId::kStore), nullptr);
  EXPECT_EQ(table->Tenant(base::TenantId{3}), nullptr);
  EXPECT_EQ(table->tenants().size(), 2u);
}

TEST(AccessTableTest, FindsRolesByName) {
  const auto catalogue = SmallCatalogue();
  const auto table = SmallAccessTable(*catalogue);
  const Role* clerk = table->FindRole("clerk");
  ASSERT_NE(clerk, nullptr);
  EXPECT_EQ(clerk->name, "clerk");
  EXPECT_EQ(clerk->grants.size(), 1U);
  EXPECT_EQ(table->FindRole("cler"), nullptr);
  EXPECT_EQ(table->roles().size(), 3U);
}

TEST(AccessTableTest, NumbersPrincipalsDensely) {
  const auto catalogue = SmallCatalogue();
  const auto table = SmallAccessTable(*catalogue);
  std::set<size_t> indexes;
  for (const auto& [id, principal] : table->principals()) {
    EXPECT_EQ(principal.spiffe_id, id);
    EXPECT_LT(principal.index, table->principals().size());
    indexes.insert(principal.index);
  }
  EXPECT_EQ(indexes.size(), table->principals().size());
}

TEST(AccessTableTest, TheRoleThatAllowsMostDecidesOnMisses) {
  const auto catalogue = SmallCatalogue();
  AccessSource source = SmallAccessSource();
  source.digest = "abc";
  const auto misses_of_both = [&](std::optional<uint32_t> agent,
                                  std::optional<uint32_t> clerk) {
    source.roles[0].misses_per_minute = agent;
    source.roles[1].misses_per_minute = clerk;
    return (*AccessTable::Create(source, *catalogue))
        ->Find(kBoth)
        ->misses_per_minute;
  };
  EXPECT_EQ(misses_of_both(std::nullopt, std::nullopt), std::nullopt);
  EXPECT_EQ(misses_of_both(5, std::nullopt), 5U);
  EXPECT_EQ(misses_of_both(std::nullopt, 7), 7U);
  EXPECT_EQ(misses_of_both(5, 7), 7U);
  EXPECT_EQ(misses_of_both(0, 7), 0U);  // no limit
  EXPECT_EQ((*AccessTable::Create(source, *catalogue))->digest(), "abc");
}

TEST(AccessTableTest, KnowsTheKindsOfRoles) {
  const auto catalogue = SmallCatalogue();
  const auto table = SmallAccessTable(*catalogue);
  EXPECT_TRUE(table->Find(kOperator)->Is(RoleKind::kAdministrator));
  EXPECT_FALSE(table->Find(kOperator)->Is(RoleKind::kService));
  EXPECT_FALSE(table->Find(kAgent)->Is(RoleKind::kAdministrator));
}

TEST(AccessTableTest, StarIsEveryFieldButInternalOnes) {
  const auto catalogue = SmallCatalogue();
  const auto table = SmallAccessTable(*catalogue);
  const Grant& grant = table->Find(kAgent)->grants.at(0);
  EXPECT_EQ(grant.fields.count(), 4u);
  EXPECT_TRUE((grant.fields & catalogue->internal_fields()).none());
}

TEST(AccessTableTest, StarIsEveryAction) {
  const auto catalogue = SmallCatalogue();
  AccessSource source = SmallAccessSource();
  source.roles[0].grants[0].actions = {"*"};
  const auto table = AccessTable::Create(source, *catalogue);
  ASSERT_THAT(table, IsOk());
  const Grant& grant = (*table)->Find(kAgent)->grants.at(0);
  EXPECT_EQ(grant.actions.count(), static_cast<size_t>(kActionCount - 1));
  EXPECT_FALSE(grant.actions.test(static_cast<size_t>(Action::kNone)));
}

TEST(AccessTableTest, ClassStarIsItsFields) {
  const auto catalogue = SmallCatalogue();
  AccessSource source = SmallAccessSource();
  source.roles[0].grants[0].fields = {"account.*", "profile.note"};
  const auto table = AccessTable::Create(source, *catalogue);
  ASSERT_THAT(table, IsOk());
  EXPECT_EQ((*table)->Find(kAgent)->grants.at(0).fields,
            FieldsOf(*catalogue,
                     {"account.email", "account.handle", "profile.note"}));
}

TEST(AccessTableTest, KeepsGrantsOfTwoRolesApart) {
  const auto catalogue = SmallCatalogue();
  const auto table = SmallAccessTable(*catalogue);
  const Principal* both = table->Find(kBoth);
  ASSERT_EQ(both->grants.size(), 2u);
  EXPECT_FALSE(both->grants[0].plain);
  EXPECT_TRUE(both->grants[1].plain);
  EXPECT_EQ(both->grants[0].purposes, PurposeSet().set(kSupport));
  EXPECT_EQ(both->grants[1].purposes, PurposeSet().set(kBilling));
}

TEST(AccessTableTest, APrincipalWithoutRolesHasNoGrants) {
  const auto catalogue = SmallCatalogue();
  AccessSource source = SmallAccessSource();
  source.principals[0].roles.clear();
  const auto table = AccessTable::Create(source, *catalogue);
  ASSERT_THAT(table, IsOk());
  ASSERT_NE((*table)->Find(kAgent), nullptr);
  EXPECT_TRUE((*table)->Find(kAgent)->grants.empty());
  EXPECT_TRUE((*table)->Find(kAgent)->role_kinds.none());
}

TEST(AccessTableTest, EmptyConfigurationKnowsNobody) {
  const auto catalogue = SmallCatalogue();
  const auto table = AccessTable::Create({}, *catalogue);
  ASSERT_THAT(table, IsOk());
  EXPECT_EQ((*table)->Find(kAgent), nullptr);
}

struct Fault {
  const char* name;
  std::function<void(AccessSource&)> plant;
  const char* text;
};
class AccessFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(AccessFaultTest, IsRefusedByName) {
  const auto catalogue = SmallCatalogue();
  AccessSource source = SmallAccessSource();
  ASSERT_THAT(AccessTable::Create(source, *catalogue), IsOk());
  GetParam().plant(source);
  const auto result = AccessTable::Create(source, *catalogue);
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr(GetParam().text));
}

using Source = AccessSource;
INSTANTIATE_TEST_SUITE_P(
    Each, AccessFaultTest,
    ::testing::Values(
        Fault{"TenantZero",
              [](Source& s) { s.tenants[0].id = base::TenantId::kStore; },
              "tenant `acme` has no number"},
        Fault{"DoubledTenantNumber",
              [](Source& s) { s.tenants[1].id = base::TenantId{1}; },
              "tenant `globex` has another one's number"},
        Fault{"DoubledTenantName",
              [](Source& s) { s.tenants[1].name = "acme"; },
              "tenant `acme` is there twice"},
        Fault{"NamelessTenant", [](Source& s) { s.tenants[0].name.clear(); },
              "a tenant has no name"},
        Fault{"TenantOfNoSuite", [](Source& s) { s.tenants[0].suite = 0; },
              "tenant `acme` has no cipher suite"},
        Fault{"TenantOfAnUnknownSuite",
              [](Source& s) { s.tenants[1].suite = 3; },
              "tenant `globex` has no cipher suite"},
        Fault{"DoubledRole", [](Source& s) { s.roles[1].name = "agent"; },
              "role `agent` is there twice"},
        Fault{"NamelessRole", [](Source& s) { s.roles[0].name.clear(); },
              "a role has no name"},
        Fault{"UnknownAction",
              [](Source& s) { s.roles[0].grants[0].actions = {"record.eat"}; },
              "action `record.eat` does not exist"},
        Fault{"ActionNone",
              [](Source& s) { s.roles[0].grants[0].actions = {"none"}; },
              "action `none` does not exist"},
        Fault{"NoAction",
              [](Source& s) { s.roles[0].grants[0].actions.clear(); },
              "role `agent` has a grant without actions or purposes"},
        Fault{"NoPurpose",
              [](Source& s) { s.roles[0].grants[0].purposes.clear(); },
              "role `agent` has a grant without actions or purposes"},
        Fault{"UnknownPurpose",
              [](Source& s) { s.roles[0].grants[0].purposes = {"fun"}; },
              "purpose `fun` does not exist"},
        Fault{"PurposeStar",
              [](Source& s) { s.roles[0].grants[0].purposes = {"*"}; },
              "purpose `*` does not exist"},
        Fault{"UnknownField",
              [](Source& s) { s.roles[0].grants[0].fields = {"account.x"}; },
              "field `account.x` does not exist"},
        Fault{"UnknownClass",
              [](Source& s) { s.roles[0].grants[0].fields = {"x.*"}; },
              "class `x.*` does not exist"},
        Fault{"InternalField",
              [](Source& s) {
                s.roles[0].grants[0].fields = {"credential.password_hash"};
              },
              "is internal"},
        Fault{"InternalClass",
              [](Source& s) { s.roles[0].grants[0].fields = {"credential.*"}; },
              "is internal"},
        Fault{"UnknownTenant",
              [](Source& s) { s.principals[0].tenant = "initech"; },
              "tenant `initech` does not exist"},
        Fault{"UnknownRole", [](Source& s) { s.principals[0].roles = {"x"}; },
              "role `x` does not exist"},
        Fault{"RoleTwice",
              [](Source& s) {
                s.principals[0].roles = {"agent", "agent"};
              },
              "has a role twice"},
        Fault{"DoubledPrincipal",
              [](Source& s) { s.principals[1].spiffe_id = kAgent; },
              "is there twice"}),
    [](const auto& test) { return test.param.name; });

class SpiffeIdTest : public ::testing::TestWithParam<std::string> {};

TEST_P(SpiffeIdTest, IsRefused) {
  const auto catalogue = SmallCatalogue();
  AccessSource source = SmallAccessSource();
  source.principals[0].spiffe_id = GetParam();
  EXPECT_THAT(AccessTable::Create(source, *catalogue),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

INSTANTIATE_TEST_SUITE_P(
    Malformed, SpiffeIdTest,
    ::testing::Values("", "spiffe://", "spiffe://example.org",
                      "spiffe://example.org/", "spiffe:///path",
                      "spiffe://example.org/a/", "spiffe://example.org//a",
                      "spiffe://example.org/./a", "spiffe://example.org/a/..",
                      "spiffe://Example.org/a", "spiffe://example.org:1/a",
                      "spiffe://user@example.org/a", "spiffe://example.org/a?b",
                      "spiffe://example.org/a#b", "spiffe://example.org/a b",
                      "spiffe://example.org/\xc3\xa9", "SPIFFE://example.org/a",
                      "https://example.org/a", " spiffe://example.org/a",
                      "spiffe://example.org/" + std::string(2028, 'a')));

TEST(AccessTableTest, TakesTheLongestSpiffeId) {
  const auto catalogue = SmallCatalogue();
  AccessSource source = SmallAccessSource();
  source.principals[0].spiffe_id =
      "spiffe://example.org/" + std::string(2027, 'a');
  EXPECT_THAT(AccessTable::Create(source, *catalogue), IsOk());
}

}  // namespace
}  // namespace hizo::policy
