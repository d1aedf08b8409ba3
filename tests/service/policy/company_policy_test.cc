#include "service/policy/company_policy.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/service/policy/small_catalogue.h"

namespace hizo::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Support on a contract, marketing on consent; accounts are kept.
PolicySource GoodSource() {
  PolicySource source;
  source.profile_id = "small";
  source.where = "o:1";
  source.version = 7;
  source.digest = "c0ffee";
  PolicySource::Purpose support;
  support.id = "help";
  support.clause = "2.1";
  support.where = "p:3";
  support.marketing = false;
  PolicySource::Purpose offers = support;
  offers.id = "marketing";
  offers.clause = "2.2";
  offers.marketing = true;
  source.purposes = {support, offers};
  source.classes = {{"account", "1", true}};
  source.uses = {{"help", "o:5", {"support"}, Basis::kContract},
                 {"marketing", "o:6", {}, Basis::kConsent}};
  return source;
}

class CompanyPolicyTest : public ::testing::Test {
 protected:
  std::unique_ptr<const CompanyPolicy> Make(const PolicySource& source) const {
    auto made = CompanyPolicy::Create(source, *catalogue_);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *std::move(made) : nullptr;
  }
  std::string ErrorOf(const PolicySource& source) const {
    const auto made = CompanyPolicy::Create(source, *catalogue_);
    EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(made.status().message());
  }
  std::vector<std::string> Conflicts(const PolicySource& source) const {
    std::vector<std::string> ids;
    for (const Conflict& conflict :
         CompanyPolicy::ConflictsOf(source, *catalogue_)) {
      EXPECT_FALSE(conflict.text.empty());
      ids.push_back(conflict.id);
    }
    return ids;
  }

  const std::unique_ptr<const Catalogue> catalogue_ = SmallCatalogue();
};

TEST_F(CompanyPolicyTest, SaysFromWhichVersionOnConsentsCount) {
  PolicySource source = GoodSource();
  EXPECT_EQ(Make(source)->For(kMarketing).consent_from, 0U);
  source.uses[1].consent_from = 7;
  EXPECT_EQ(Make(source)->For(kMarketing).consent_from, 7U);
  EXPECT_EQ(Make(source)->For(kSupport).consent_from, 0U);
  // Of a version that is yet to come nobody can have consented.
  source.uses[1].consent_from = 8;
  EXPECT_THAT(ErrorOf(source), HasSubstr("o:6"));
  source.uses[1].consent_from = 0;
  source.uses[0].consent_from = 7;
  EXPECT_THAT(ErrorOf(source),
              HasSubstr("consents to `help` cannot count from version 7"));
}

TEST_F(CompanyPolicyTest, ShortensItsDigestAndBoundsClauses) {
  PolicySource source = GoodSource();
  EXPECT_EQ(Make(source)->digest_prefix(), 0xC0FFEEU);
  source.digest = "ffffffffffffffff0123";
  EXPECT_EQ(Make(source)->digest_prefix(), UINT64_MAX);
  source.digest = "no digits";
  EXPECT_EQ(Make(source)->digest_prefix(), 0U);
  source.purposes[0].clause = std::string(kClauseSizeMax, 'c');
  EXPECT_EQ(Make(source)->For(kSupport).clause.size(), kClauseSizeMax);
  source.purposes[0].clause += 'c';
  EXPECT_THAT(ErrorOf(source), HasSubstr("`help` is too long"));
}

TEST_F(CompanyPolicyTest, CompilesWhatWasSaid) {
  const auto policy = Make(GoodSource());
  ASSERT_NE(policy, nullptr);
  EXPECT_EQ(policy->profile_id(), "small");
  EXPECT_EQ(policy->version(), 7U);
  EXPECT_EQ(policy->digest(), "c0ffee");
  EXPECT_THAT(policy->conflicts(), IsEmpty());
  const PurposeTerms& support = policy->For(kSupport);
  EXPECT_TRUE(support.in_policy);
  EXPECT_EQ(support.id, "help");
  EXPECT_EQ(support.clause, "2.1");
  EXPECT_EQ(support.basis, Basis::kContract);
  EXPECT_FALSE(support.needs_consent);
  const PurposeTerms& marketing = policy->For(kMarketing);
  EXPECT_TRUE(marketing.in_policy);  // of the same name
  EXPECT_TRUE(marketing.needs_consent);
}

TEST_F(CompanyPolicyTest, SilenceIsNotAllowed) {
  const auto policy = Make(GoodSource());
  ASSERT_NE(policy, nullptr);
  for (const PurposeNumber purpose :
       {PurposeNumber{0}, kBilling, PurposeNumber{63}, PurposeNumber{64},
        PurposeNumber{65535}}) {
    EXPECT_FALSE(policy->For(purpose).in_policy) << purpose;
    EXPECT_EQ(policy->For(purpose).basis, Basis::kNone);
  }
  EXPECT_FALSE(policy->undeclared_fields().test(
      catalogue_->FindField("account.email")->index));
  EXPECT_TRUE(policy->undeclared_fields().test(
      catalogue_->FindField("profile.note")->index));
}

TEST_F(CompanyPolicyTest, AnUnsaidMarketingIsTakenForMarketing) {
  PolicySource source = GoodSource();
  source.purposes[0].marketing.reset();
  EXPECT_THAT(Conflicts(source), ElementsAre("MARKETING_WITHOUT_CONSENT:help"));
  source.accepted = {{"MARKETING_WITHOUT_CONSENT:help", "o:9"}};
  const auto policy = Make(source);
  ASSERT_NE(policy, nullptr);
  EXPECT_TRUE(policy->For(kSupport).marketing);
  EXPECT_TRUE(policy->For(kSupport).needs_consent);
}

TEST_F(CompanyPolicyTest, WhatIsSentOnRequestNeedsConsentOnAnyBasis) {
  PolicySource source = GoodSource();
  source.purposes[0].express_request = true;
  EXPECT_TRUE(Make(source)->For(kSupport).needs_consent);
}

TEST_F(CompanyPolicyTest, TheProfilesBasisIsNotTheOperatorsToChange) {
  PolicySource source = GoodSource();
  source.purposes[0].basis = Basis::kLegitimateInterest;
  EXPECT_EQ(ErrorOf(source),
            "o:5: the policy states another legal basis for `help`");
  source.uses[0].basis = Basis::kLegitimateInterest;
  EXPECT_EQ(Make(source)->For(kSupport).basis, Basis::kLegitimateInterest);
  source.uses[0].basis = Basis::kNone;
  EXPECT_EQ(Make(source)->For(kSupport).basis, Basis::kLegitimateInterest);
}

TEST_F(CompanyPolicyTest, APurposeIsServedOnce) {
  PolicySource source = GoodSource();
  source.uses[1].serves = {"support"};
  EXPECT_EQ(ErrorOf(source),
            "o:6: purpose `support` is already served by `help`");
  source.uses[1].serves = {"marketing", "marketing"};
  EXPECT_THAT(ErrorOf(source), HasSubstr("already served by `marketing`"));
  source = GoodSource();
  source.purposes.push_back(source.purposes[0]);
  EXPECT_EQ(ErrorOf(source), "p:3: purpose `help` stands here twice");
}

TEST_F(CompanyPolicyTest, NamesMustBeThere) {
  PolicySource source = GoodSource();
  source.uses[0].id = "helping";
  EXPECT_THAT(ErrorOf(source), HasSubstr("no purpose `helping`"));
  source = GoodSource();
  source.uses[0].serves = {"gossip"};
  EXPECT_THAT(ErrorOf(source), HasSubstr("no purpose `gossip`"));
  source = GoodSource();
  source.more_classes = {{"rights", "o:8"}};
  EXPECT_EQ(ErrorOf(source), "o:8: the catalogue has no class `rights`");
  source = GoodSource();
  source.goes_with_them = {{"rights", "o:8"}};
  EXPECT_EQ(ErrorOf(source), "o:8: the catalogue has no class `rights`");
}

// A policy may name classes that this catalogue keeps nothing in.
TEST_F(CompanyPolicyTest, ClassesThatAreNotKeptAreNoConflict) {
  PolicySource source = GoodSource();
  source.classes.push_back({"api_usage", "1.2", false});
  EXPECT_THAT(Conflicts(source), IsEmpty());
  EXPECT_NE(Make(source), nullptr);
}

TEST_F(CompanyPolicyTest, TheOperatorMayKeepMoreClasses) {
  PolicySource source = GoodSource();
  source.more_classes = {{"profile", "o:8"}};
  const auto policy = Make(source);
  ASSERT_NE(policy, nullptr);
  EXPECT_FALSE(policy->undeclared_fields().test(
      catalogue_->FindField("profile.note")->index));
}

TEST_F(CompanyPolicyTest, ALawAllowsWhatThePolicyDoesNot) {
  PolicySource source = GoodSource();
  source.required_by_law = {{"billing", "Tax Act 1", "o:8"}};
  const PurposeTerms billing = Make(source)->For(kBilling);
  EXPECT_TRUE(billing.lawful);
  EXPECT_EQ(billing.basis, Basis::kLegalObligation);
  EXPECT_EQ(billing.clause, "Tax Act 1");
  source.required_by_law = {{"support", "Tax Act 1", "o:8"}};
  EXPECT_EQ(ErrorOf(source),
            "o:8: purpose `support` is the policy's, as "
            "`help`");
  source.required_by_law = {{"gossip", "Tax Act 1", "o:8"}};
  EXPECT_THAT(ErrorOf(source), HasSubstr("no purpose `gossip`"));
}

TEST_F(CompanyPolicyTest, TheStatutesComeBeforeThePolicy) {
  PolicySource source = GoodSource();
  source.always_allowed = {"support", "not_in_this_catalogue"};
  const PurposeTerms support = Make(source)->For(kSupport);
  EXPECT_TRUE(support.lawful);
  EXPECT_EQ(support.clause, "statutory overlay");
  EXPECT_EQ(support.basis, Basis::kLegalObligation);
}

TEST_F(CompanyPolicyTest, ListsWhatIsLeftOpen) {
  PolicySource source = GoodSource();
  source.uses.clear();
  source.classes[0].retention_stated = false;
  source.ended_mechanisms = {"privacy_shield"};
  EXPECT_THAT(Conflicts(source),
              ElementsAre("BASIS_UNSET:help", "BASIS_UNSET:marketing",
                          "RETENTION_UNSET:account",
                          "TRANSFER_MECHANISM_INVALID:privacy_shield"));
  source.goes_with_them = {{"account", "o:8"}};
  EXPECT_THAT(Conflicts(source), ::testing::SizeIs(3));
}

TEST_F(CompanyPolicyTest, ConflictsAreAcceptedOneByOne) {
  PolicySource source = GoodSource();
  source.classes[0].retention_stated = false;
  EXPECT_THAT(ErrorOf(source),
              HasSubstr("o:1: nobody has accepted RETENTION_UNSET:account"));
  source.accepted = {{"RETENTION_UNSET:account", "o:9"}};
  EXPECT_EQ(Make(source)->conflicts().size(), 1U);
  source.accepted.push_back({"RETENTION_UNSET:profile", "o:10"});
  EXPECT_EQ(ErrorOf(source),
            "o:10: there is no conflict RETENTION_UNSET:profile to accept");
}

TEST(BasisTest, NamesAreReadAndWritten) {
  for (const char* name : {"consent", "contract", "legitimate_interest",
                           "legal_obligation", "vital_interests"}) {
    const auto basis = BasisFromName(name);
    ASSERT_TRUE(basis.has_value()) << name;
    EXPECT_EQ(NameOf(*basis), name);
  }
  EXPECT_EQ(BasisFromName("contract_or_precontract"), Basis::kContract);
  EXPECT_EQ(BasisFromName("none"), std::nullopt);
  EXPECT_EQ(BasisFromName(""), std::nullopt);
  EXPECT_EQ(NameOf(Basis::kNone), "none");
}

}  // namespace
}  // namespace hizo::policy
