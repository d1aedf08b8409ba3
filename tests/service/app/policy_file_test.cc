#include "service/app/policy_file.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/app/access_file.h"
#include "service/app/catalogue_file.h"
#include "service/app/policy_schema.h"
#include "service/app/yaml_reader.h"
#include "tests/service/app/temp_folder.h"

namespace hizo::app {
namespace {

using policy::Basis;
using policy::CompanyPolicy;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::filesystem::path kPolicies =
    std::filesystem::path(HIZO_SOURCE_DIR) / "deploy/policies";

std::string TextOf(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::unique_ptr<const policy::Catalogue> ShippedCatalogue() {
  auto source = ReadCatalogue(kPolicies.parent_path() / "catalogue.yaml");
  EXPECT_TRUE(source.ok()) << source.status();
  auto made = policy::Catalogue::Create(*std::move(source));
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

// Copies of the three files of a company, changed before they are read.
class PolicyFileTest : public ::testing::Test {
 protected:
  enum class Part { kProfile, kStatutory, kOperator };

  void Use(const std::string& company) {
    texts_[0] = TextOf(kPolicies / (company + ".yaml"));
    texts_[1] = TextOf(kPolicies / "statutory_overlay.yaml");
    texts_[2] = TextOf(kPolicies / "operator" / (company + ".yaml"));
  }
  void SetUp() override { Use("i7relay"); }
  void Change(Part part, const std::string& from, const std::string& to) {
    std::string& text = texts_[static_cast<size_t>(part)];
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  }
  absl::StatusOr<policy::PolicySource> Read() const {
    return ReadPolicy({folder_.Write("profile.yaml", texts_[0]).string(),
                       folder_.Write("statutory.yaml", texts_[1]).string(),
                       folder_.Write("operator.yaml", texts_[2]).string()});
  }
  absl::StatusOr<std::unique_ptr<const CompanyPolicy>> Make() const {
    auto source = Read();
    if (!source.ok()) return source.status();
    return CompanyPolicy::Create(*source, *catalogue_);
  }
  // What the files are refused with after a change; nothing if they are not.
  std::string ErrorAfter(Part part, const std::string& from,
                         const std::string& to) {
    Use("i7relay");
    Change(part, from, to);
    const auto made = Make();
    EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(made.status().message());
  }
  const policy::PurposeTerms& Terms(const CompanyPolicy& policy,
                                    const std::string& purpose) const {
    return policy.For(catalogue_->FindPurpose(purpose)->number);
  }

  const TempFolder folder_;
  const std::unique_ptr<const policy::Catalogue> catalogue_ =
      ShippedCatalogue();
  std::string texts_[3];
};

TEST_F(PolicyFileTest, AllFiveAreGoodAsTheyAreShipped) {
  std::string digests;
  for (const char* company : {"i7relay", "iotone", "ipro", "ijgn", "imd"}) {
    Use(company);
    const auto made = Make();
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ((*made)->profile_id(), company);
    EXPECT_EQ((*made)->version(), 1U);
    EXPECT_EQ((*made)->digest().size(), 64U);
    EXPECT_EQ(digests.find((*made)->digest()), std::string::npos);
    digests += (*made)->digest();
    EXPECT_EQ((*made)->cancelling_withdraws(),
              std::string(company) == "iotone");
  }
}

TEST_F(PolicyFileTest, ReadsWhatTheProfileSaysAndNothingElse) {
  const auto source = Read();
  ASSERT_TRUE(source.ok()) << source.status();
  ASSERT_EQ(source->purposes.size(), 8U);
  EXPECT_EQ(source->purposes[5].id, "communications_marketing");
  EXPECT_EQ(source->purposes[5].clause, "2");
  EXPECT_EQ(source->purposes[5].marketing, true);
  EXPECT_EQ(source->purposes[5].basis, Basis::kNone);
  EXPECT_TRUE(source->purposes[7].anonymised_only);
  ASSERT_EQ(source->classes.size(), 9U);  // two are null
  EXPECT_EQ(source->classes[0].name, "account");
  EXPECT_FALSE(source->classes[0].retention_stated);
  EXPECT_TRUE(source->ended_mechanisms.empty());
  EXPECT_EQ(source->always_allowed.size(), 4U);
}

TEST_F(PolicyFileTest, ThePrivacyShieldOfIotoneHasEndedAndItsClausesHaveNot) {
  Use("iotone");
  const auto source = Read();
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_THAT(source->ended_mechanisms,
              ::testing::ElementsAre("eu_us_privacy_shield",
                                     "swiss_us_privacy_shield"));
}

TEST_F(PolicyFileTest, SilenceOnMarketingIsNoAnswer) {
  Use("imd");
  const auto made = Make();
  ASSERT_TRUE(made.ok()) << made.status();
  const policy::PurposeTerms& terms = Terms(**made, "communications_marketing");
  EXPECT_EQ(terms.id, "related_information");
  EXPECT_EQ(terms.clause, "P-3");
  EXPECT_TRUE(terms.marketing);
  EXPECT_TRUE(terms.needs_consent);
}

TEST_F(PolicyFileTest, TheDigestIsOfAllThree) {
  const auto before = Read();
  ASSERT_TRUE(before.ok()) << before.status();
  for (std::string& text : texts_) {
    text += "# read again\n";
    const auto after = Read();
    ASSERT_TRUE(after.ok()) << after.status();
    EXPECT_NE(after->digest, before->digest);
    text.resize(text.size() - 13);
  }
  EXPECT_EQ(Read()->digest, before->digest);
}

TEST_F(PolicyFileTest, RefusesWhatIsNoProfile) {
  EXPECT_THAT(ErrorAfter(Part::kProfile, "schema_version: 1", "x: 1"),
              AllOf(HasSubstr("profile.yaml:2"), HasSubstr("unknown key `x`")));
  EXPECT_THAT(
      ErrorAfter(Part::kProfile, "schema_version: 1", "schema_version: 2"),
      HasSubstr("schema_version is 1"));
  EXPECT_THAT(ErrorAfter(Part::kProfile, "content_licence: null\n", ""),
              HasSubstr("`content_licence` is missing"));
  EXPECT_THAT(
      ErrorAfter(Part::kProfile, "profile_id: i7relay", "profile_id: null"),
      HasSubstr("`profile_id` is missing"));
  EXPECT_THAT(ErrorAfter(Part::kProfile, "purposes:\n", "purposes: [\n"),
              HasSubstr("profile.yaml:"));
}

TEST_F(PolicyFileTest, RefusesAMisspeltKeyAnywhere) {
  EXPECT_THAT(ErrorAfter(Part::kProfile, "opt_out: true", "optout: true"),
              AllOf(HasSubstr("profile.yaml:20"), HasSubstr("`optout`")));
  EXPECT_THAT(ErrorAfter(Part::kProfile, "withdrawable: true", "revocable: 1"),
              HasSubstr("unknown key `revocable`"));
  EXPECT_THAT(ErrorAfter(Part::kProfile, "advance_notice: true", "notice: 1"),
              HasSubstr("unknown key `notice`"));
  EXPECT_THAT(ErrorAfter(Part::kStatutory, "pause:", "paused:"),
              AllOf(HasSubstr("statutory.yaml:"), HasSubstr("`paused`")));
  EXPECT_THAT(ErrorAfter(Part::kOperator, "version: 1\npur", "rev: 1\npur"),
              HasSubstr("unknown key `rev`"));
  EXPECT_THAT(ErrorAfter(Part::kOperator, "legal_basis:", "basis:"),
              AllOf(HasSubstr("operator.yaml:"), HasSubstr("`basis`")));
}

TEST_F(PolicyFileTest, RefusesClassesAndFieldsThatNoPolicyHas) {
  EXPECT_THAT(
      ErrorAfter(Part::kProfile, "  account: {fields", "  accounts: {fields"),
      HasSubstr("`accounts`"));
  EXPECT_THAT(
      ErrorAfter(Part::kProfile, "[username, email]", "[username, shoe_size]"),
      HasSubstr("there is no field `shoe_size`"));
  EXPECT_THAT(ErrorAfter(Part::kProfile, "[username, email]", "username"),
              HasSubstr("wanted a list"));
}

TEST_F(PolicyFileTest, RefusesAPartWithoutItsClause) {
  EXPECT_THAT(ErrorAfter(Part::kProfile,
                         "marketing: true, opt_out: true, legal_basis: null, "
                         "clause: \"2\"",
                         "marketing: true, opt_out: true, clause: null"),
              HasSubstr("`clause` is missing"));
  EXPECT_THAT(ErrorAfter(Part::kProfile, "collected: provided, clause: \"1.1\"",
                         "collected: provided"),
              HasSubstr("`clause` is missing"));
}

TEST_F(PolicyFileTest, RefusesDurationsThatAreNone) {
  for (const char* wrong :
       {"P90", "90D", "P0X", "PT", "P", "P10BD", "P9999999D", "PT7Y", "P-1D"}) {
    EXPECT_THAT(ErrorAfter(Part::kProfile, "P90D", wrong),
                HasSubstr("wanted a duration"))
        << wrong;
  }
}

TEST_F(PolicyFileTest, RefusesTruthsAndBasesThatAreNone) {
  EXPECT_THAT(ErrorAfter(Part::kProfile, "marketing: false", "marketing: no"),
              HasSubstr("wanted true or false"));
  EXPECT_THAT(
      ErrorAfter(Part::kProfile, "legal_basis: null", "legal_basis: habit"),
      HasSubstr("this is no legal basis"));
  EXPECT_THAT(
      ErrorAfter(Part::kOperator, "legal_basis: contract", "legal_basis: none"),
      HasSubstr("this is no legal basis"));
}

TEST_F(PolicyFileTest, ReadsFromWhichVersionOnConsentsCount) {
  EXPECT_EQ(Read()->uses[5].consent_from, 0U);
  Change(Part::kOperator, "communications_marketing: {",
         "communications_marketing: {consent_from_version: 1, ");
  const auto source = Read();
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->uses[5].id, "communications_marketing");
  EXPECT_EQ(source->uses[5].consent_from, 1U);
  EXPECT_THAT(
      ErrorAfter(Part::kOperator, "communications_marketing: {",
                 "communications_marketing: {consent_from_version: soon, "),
      HasSubstr("operator.yaml:"));
}

TEST_F(PolicyFileTest, RefusesWhatNobodyAnswersFor) {
  EXPECT_THAT(ErrorAfter(Part::kOperator, "by: privacy officer, ", ""),
              AllOf(HasSubstr("operator.yaml:9"), HasSubstr("`by`")));
  EXPECT_THAT(ErrorAfter(Part::kOperator, "because: \"Nobody is", "why: \"No"),
              HasSubstr("unknown key `why`"));
  EXPECT_THAT(ErrorAfter(Part::kOperator, "law: \"Consumption", "by: \"C"),
              HasSubstr("twice"));
}

TEST_F(PolicyFileTest, RefusesAnOverlayOfAnotherPolicy) {
  EXPECT_THAT(
      ErrorAfter(Part::kOperator, "profile_id: i7relay", "profile_id: imd"),
      HasSubstr("an overlay of `imd`, and not of `i7relay`"));
  EXPECT_THAT(ErrorAfter(Part::kOperator, "version: 1\npur", "version: 0\npur"),
              HasSubstr("versions begin with 1"));
  EXPECT_THAT(ErrorAfter(Part::kStatutory, "kind: statutory_overlay",
                         "kind: operator_overlay"),
              HasSubstr("wanted kind statutory_overlay"));
}

TEST_F(PolicyFileTest, RefusesHugeAndMissingFiles) {
  texts_[0] += std::string(kYamlSizeMax, '#');
  EXPECT_THAT(std::string(Read().status().message()),
              HasSubstr("larger than 1 MiB"));
  EXPECT_EQ(ReadPolicy({"/nowhere.yaml", "", ""}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(PolicyFileTest, RefusesWhatTheFilesDoNotAgreeOn) {
  EXPECT_THAT(ErrorAfter(Part::kOperator, "  billing: {legal",
                         "  credit_scoring: {legal"),
              HasSubstr("the policy has no purpose `credit_scoring`"));
  EXPECT_THAT(
      ErrorAfter(Part::kOperator, "serves: [security]", "serves: [secrecy]"),
      HasSubstr("the catalogue has no purpose `secrecy`"));
  EXPECT_THAT(
      ErrorAfter(Part::kOperator, "serves: [security]", "serves: [billing]"),
      HasSubstr("`billing` is already served by `security`"));
  EXPECT_THAT(
      ErrorAfter(Part::kOperator, "  tax_audit: {law", "  billing: {law"),
      HasSubstr("`billing` is the policy's"));
  EXPECT_THAT(
      ErrorAfter(Part::kOperator, "  tax_audit: {law", "  tithes: {law"),
      HasSubstr("the catalogue has no purpose `tithes`"));
}

// The access file names a tenant's files, from its own folder.
TEST_F(PolicyFileTest, ATenantNamesItsPolicy) {
  ASSERT_TRUE(Read().ok());  // writes the files
  const std::string tenant =
      "tenants:\n  acme:\n    number: 1\n    policy:\n"
      "      profile: profile.yaml\n      statutory: statutory.yaml\n"
      "      operator: operator.yaml\n  zenith: {number: 2}\n"
      "roles: {}\nprincipals: {}\n";
  auto access = ReadAccess(folder_.Write("access.yaml", tenant));
  ASSERT_TRUE(access.ok()) << access.status();
  const auto policies = CompilePolicies(*catalogue_, *access);
  ASSERT_TRUE(policies.ok()) << policies.status();
  EXPECT_EQ(policies->size(), 1U);
  ASSERT_NE(access->tenants[0].policy_of_files, nullptr);
  EXPECT_EQ(access->tenants[0].policy_of_files->profile_id(), "i7relay");
  EXPECT_EQ(access->tenants[1].policy_of_files, nullptr);
  const auto table = policy::AccessTable::Create(*access, *catalogue_);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ((*table)->Tenant(base::TenantId{1})->policy_of_files,
            access->tenants[0].policy_of_files);

  folder_.Write("operator.yaml", "schema_version: 1\n");
  EXPECT_EQ(CompilePolicies(*catalogue_, *access).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(PolicyFileTest, ATenantNamesAllThreeOrNone) {
  const auto access = ReadAccess(
      folder_.Write("access.yaml",
                    "tenants:\n  acme: {number: 1, policy: {profile: p.yaml}}\n"
                    "roles: {}\nprincipals: {}\n"));
  EXPECT_THAT(std::string(access.status().message()),
              AllOf(HasSubstr("access.yaml:2"), HasSubstr("`statutory`")));
}

TEST(PolicySchemaTest, KnowsNamesAsAWholeOnly) {
  EXPECT_TRUE(IsPolicyField("email"));
  EXPECT_TRUE(IsPolicyField("api_request_content"));
  EXPECT_TRUE(IsPolicyClass("device_log_cookie"));
  for (const char* none : {"", "mail", "email ", "email full_name", "Email"}) {
    EXPECT_FALSE(IsPolicyField(none)) << none;
    EXPECT_FALSE(IsPolicyClass(none)) << none;
  }
}

}  // namespace
}  // namespace hizo::app
