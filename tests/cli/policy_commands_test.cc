// What is in force, and what it would say.
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fake_vault.h"

namespace hizo::cli {
namespace {

using ::hizo::test::CliRun;
using ::hizo::test::RunCli;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kSubject[] = "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10";

class PolicyCommandsTest : public ::testing::Test {
 protected:
  CliRun Run(std::vector<std::string> arguments) {
    return RunCli(vault_, std::move(arguments));
  }

  test::FakeVault vault_;
};

TEST_F(PolicyCommandsTest, PolicyEffectiveShowsWhatIsInForce) {
  v1::GetEffectivePolicyResponse& policy = vault_.policy.response;
  policy.set_catalogue_version(2);
  policy.set_catalogue_sha256("c0ffee");
  policy.mutable_tenant()->set_name("acme");
  v1::PolicyPurpose& purpose = *policy.add_purposes();
  purpose.set_name("billing");
  purpose.set_text("Charging.");
  purpose.set_outlives_account(true);
  v1::PolicyClass& of = *policy.add_classes();
  of.set_name("account");
  v1::PolicyField& field = *of.add_fields();
  field.set_name("email");
  field.set_type(v1::FIELD_TYPE_EMAIL);
  field.set_masking(v1::FIELD_MASKING_LAST_FOUR);
  field.set_export_kind(v1::FIELD_EXPORT_PORTABLE);
  field.set_unique(true);
  field.set_searchable(true);
  field.add_purposes("billing");
  v1::PolicyRole& role = *policy.add_roles();
  role.set_name("clerk");
  v1::PolicyGrant& grant = *role.add_grants();
  grant.add_actions(v1::ACTION_RECORD_BATCH_GET);
  grant.add_purposes("billing");
  grant.add_fields("account.email");
  grant.set_plain(true);
  const CliRun run = Run({"policy", "effective"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("catalogue version  2\n"),
                             HasSubstr("catalogue sha256   c0ffee\n"),
                             HasSubstr("billing  goes on"),
                             HasSubstr("account.email  EMAIL  LAST_FOUR  "
                                       "PORTABLE  unique, searchable  billing"),
                             HasSubstr("clerk  plain  record.batch_get  "
                                       "billing   account.email")));
  EXPECT_EQ(vault_.policy.request.context().purpose(), "support");
  EXPECT_THAT(Run({"policy", "effective", "--json"}).out,
              HasSubstr(R"("type":"EMAIL")"));
}

TEST_F(PolicyCommandsTest, PolicyCheckDescribesTheCallAndShowsTheRule) {
  vault_.check.response.set_reason(v1::REASON_PURPOSE_NOT_ALLOWED);
  vault_.check.response.set_rule("purpose-granted");
  const CliRun run = Run({"policy", "check", "record.batch_get", "billing",
                          "--fields", "account.email,profile.full_name",
                          "--role", "clerk", "--subject", kSubject, "--plain"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out,
            "allowed  no\n"
            "reason   PURPOSE_NOT_ALLOWED\n"
            "rule     purpose-granted\n");
  const v1::CheckPurposeRequest& request = vault_.check.request;
  EXPECT_EQ(request.checked_action(), v1::ACTION_RECORD_BATCH_GET);
  EXPECT_EQ(request.checked_purpose(), "billing");
  EXPECT_THAT(request.fields(),
              ElementsAre("account.email", "profile.full_name"));
  EXPECT_EQ(request.role(), "clerk");
  EXPECT_EQ(request.subject(), kSubject);
  EXPECT_EQ(request.view(), v1::VIEW_PLAIN);
  vault_.check.response.set_allowed(true);
  vault_.check.response.set_rule("granted");
  EXPECT_EQ(Run({"policy", "check", "record.get", "billing"}).out,
            "allowed  yes\nrule     granted\n");
  vault_.check.response.set_clause("3.A.2");
  vault_.check.response.set_basis("consent");
  EXPECT_EQ(Run({"policy", "check", "record.get", "billing"}).out,
            "allowed  yes\nrule     granted\nclause   3.A.2\n"
            "basis    consent\n");
  EXPECT_EQ(Run({"policy", "check", "record.steal", "billing"}).exit, 2);
}

}  // namespace
}  // namespace hizo::cli
