#include "service/app/access_file.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/service/app/temp_folder.h"

namespace hizo::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kGood[] = R"(tenants:
  acme: {number: 1, default_region: NO}
  zenith: {number: 4294967295, suite: 2}
roles:
  support:
    kind: service
    grants:
      - actions: [record.get, subject.find]
        purposes: [support]
        fields: ["profile.*", account.email]
        plain: true
      - {actions: [subject.get], purposes: [support, billing]}
  auditor: {kind: auditor, grants: []}
principals:
  spiffe://hizo.example/acme/desk: {tenant: acme, roles: [support, auditor]}
)";

absl::StatusOr<policy::AccessSource> Read(const std::string& text) {
  const TempFolder folder;
  return ReadAccess(folder.Write("a.yaml", text));
}

std::string ErrorOf(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  const absl::StatusOr<policy::AccessSource> source =
      Read(text.replace(at, from.size(), to));
  EXPECT_EQ(source.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(source.status().message());
}

TEST(ReadAccessTest, ReadsHowOftenARoleMayMiss) {
  const auto unset = Read(kGood);
  ASSERT_TRUE(unset.ok()) << unset.status();
  EXPECT_EQ(unset->roles[0].misses_per_minute, std::nullopt);
  std::string text = kGood;
  const std::string from = "kind: service";
  const auto set = Read(text.replace(text.find(from), from.size(),
                                     from + "\n    misses_per_minute: 0"));
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->roles[0].misses_per_minute, 0U);
  EXPECT_EQ(set->roles[1].misses_per_minute, std::nullopt);
  EXPECT_THAT(ErrorOf(from, from + "\n    misses_per_minute: often"),
              HasSubstr("a.yaml:7"));
}

// SHA-256 of the bytes, as sha256sum tells it.
TEST(ReadAccessTest, TellsWhichFileItRead) {
  const auto source = Read(kGood);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->digest.size(), 64U);
  EXPECT_EQ(Read(kGood)->digest, source->digest);
  EXPECT_NE(Read(std::string(kGood) + "\n")->digest, source->digest);
}

TEST(ReadAccessTest, ReadsTenantsRolesAndPrincipals) {
  const absl::StatusOr<policy::AccessSource> source = Read(kGood);
  ASSERT_TRUE(source.ok()) << source.status();
  ASSERT_EQ(source->tenants.size(), 2U);
  EXPECT_EQ(source->tenants[0].name, "acme");
  EXPECT_EQ(source->tenants[0].id, base::TenantId{1});
  EXPECT_EQ(source->tenants[0].default_region, "NO");  // Norway, and no boolean
  EXPECT_EQ(source->tenants[1].default_region, "");
  EXPECT_EQ(source->tenants[0].suite, 1U);
  EXPECT_EQ(source->tenants[1].suite, 2U);
  ASSERT_EQ(source->principals.size(), 1U);
  EXPECT_EQ(source->principals[0].spiffe_id, "spiffe://hizo.example/acme/desk");
  EXPECT_EQ(source->principals[0].tenant, "acme");
  EXPECT_THAT(source->principals[0].roles, ElementsAre("support", "auditor"));
}

TEST(ReadAccessTest, ReadsGrantsAndTheirDefaults) {
  const absl::StatusOr<policy::AccessSource> source = Read(kGood);
  ASSERT_TRUE(source.ok()) << source.status();
  ASSERT_EQ(source->roles.size(), 2U);
  EXPECT_EQ(source->roles[0].kind, policy::RoleKind::kService);
  EXPECT_EQ(source->roles[1].kind, policy::RoleKind::kAuditor);
  EXPECT_THAT(source->roles[1].grants, IsEmpty());
  ASSERT_EQ(source->roles[0].grants.size(), 2U);
  const auto& first = source->roles[0].grants[0];
  EXPECT_THAT(first.actions, ElementsAre("record.get", "subject.find"));
  EXPECT_THAT(first.purposes, ElementsAre("support"));
  EXPECT_THAT(first.fields, ElementsAre("profile.*", "account.email"));
  EXPECT_TRUE(first.plain);
  const auto& second = source->roles[0].grants[1];
  EXPECT_THAT(second.fields, IsEmpty());
  EXPECT_FALSE(second.plain);  // values are granted only where it says so
}

TEST(ReadAccessTest, NamesFileLineAndKeyOfAnUnknownKey) {
  EXPECT_THAT(ErrorOf("plain: true", "plane: true"),
              HasSubstr("a.yaml:11: unknown key `plane`"));
  EXPECT_THAT(ErrorOf("default_region", "region"),
              HasSubstr("a.yaml:2: unknown key `region`"));
  EXPECT_THAT(ErrorOf("{tenant: acme,", "{company: acme,"),
              HasSubstr("a.yaml:15: unknown key `company`"));
  EXPECT_THAT(ErrorOf("tenants:", "users: {}\ntenants:"),
              HasSubstr("a.yaml:1: unknown key `users`"));
}

TEST(ReadAccessTest, RefusesWrongTypes) {
  EXPECT_THAT(ErrorOf("number: 1", "number: x"),
              HasSubstr("wanted a whole number from 0 to 4294967295"));
  EXPECT_THAT(ErrorOf("4294967295", "4294967296"),
              HasSubstr("wanted a whole number"));
  EXPECT_THAT(ErrorOf("suite: 2", "suite: aes"),
              HasSubstr("a.yaml:3: wanted a whole number"));
  EXPECT_THAT(ErrorOf("kind: service", "kind: root"),
              HasSubstr("a.yaml:6: wanted one of service privacy_officer"));
  EXPECT_THAT(ErrorOf("purposes: [support]", "purposes: support"),
              HasSubstr("a.yaml:9: wanted a list of texts"));
  EXPECT_THAT(ErrorOf("grants: []", "grants: {}"),
              HasSubstr("a.yaml:13: wanted a list"));
  EXPECT_THAT(ErrorOf("plain: true", "plain: yes"),
              HasSubstr("a.yaml:11: wanted true or false"));
  EXPECT_THAT(ErrorOf("grants: []", "grants: [all]"),
              HasSubstr("wanted `key: value` pairs"));
}

TEST(ReadAccessTest, RefusesMissingParts) {
  EXPECT_THAT(ErrorOf("    kind: service\n", ""),
              HasSubstr("a.yaml:5: `kind` is missing"));
  EXPECT_THAT(ErrorOf("tenant: acme, ", ""),
              HasSubstr("a.yaml:15: `tenant` is missing"));
  EXPECT_THAT(ErrorOf(", purposes: [support, billing]", ""),
              HasSubstr("a.yaml:12: `purposes` is missing"));
  EXPECT_EQ(Read("tenants: {}\nroles: {}\n").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ReadAccessTest, RefusesDoubledNamesWithTheirLine) {
  EXPECT_THAT(ErrorOf("zenith", "acme"),
              HasSubstr(":3: this key stands twice"));
  EXPECT_THAT(ErrorOf("auditor: {", "support: {"),
              HasSubstr(":13: this key stands twice"));
}

TEST(ReadAccessTest, TellsAMissingFile) {
  const TempFolder folder;
  EXPECT_EQ(ReadAccess(folder.path() / "none").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hizo::app
