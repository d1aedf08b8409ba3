// What a company's policy adds to grants.
#include <memory>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "service/base/clock.h"
#include "service/base/reason.h"
#include "service/policy/decision.h"
#include "tests/service/policy/small_catalogue.h"

namespace hizo::policy {
namespace {

using base::Reason;

// Support on a contract, billing on a law, marketing on consent; operations
// are not in it. Accounts are kept, profiles are not.
PolicySource SmallSource() {
  PolicySource source;
  source.profile_id = "small";
  source.version = 1;
  PolicySource::Purpose support;
  support.id = "support";
  support.clause = "2.1";
  support.marketing = false;
  PolicySource::Purpose marketing = support;
  marketing.id = "marketing";
  marketing.clause = "2.2";
  marketing.marketing = true;
  source.purposes = {support, marketing};
  source.classes = {{"account", "1", true}};
  source.uses = {{"support", "o:1", {}, Basis::kContract},
                 {"marketing", "o:2", {}, Basis::kConsent}};
  source.required_by_law = {{"billing", "Tax Act 1", "o:3"}};
  return source;
}

class CompanyRulesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    principal_ = *table_->Find(kAgent);
    principal_.grants[0].purposes.set();
    principal_.grants[0].actions.set();
    Compile(SmallSource());
  }
  void Compile(const PolicySource& source) {
    auto made = CompanyPolicy::Create(source, *catalogue_);
    ASSERT_TRUE(made.ok()) << made.status();
    company_ = *std::move(made);
  }
  Access Reading(PurposeNumber purpose) const {
    return {.principal = &principal_,
            .action = Action::kRecordGet,
            .purpose = purpose,
            .purpose_known = true,
            .fields = FieldsOf(*catalogue_, {"account.email"}),
            .view = View::kMasked,
            .subject = &person_,
            .company = company_.get()};
  }
  Decision Answer(const Access& access) const {
    return Decide(*catalogue_, access, base::FromMicros(0));
  }
  void ExpectRefused(const Access& access, Reason reason,
                     std::string_view rule) const {
    const Decision decision = Answer(access);
    EXPECT_FALSE(decision.allowed);
    EXPECT_EQ(decision.reason, reason);
    EXPECT_EQ(decision.rule, rule);
  }

  const std::unique_ptr<const Catalogue> catalogue_ = SmallCatalogue();
  const std::unique_ptr<const AccessTable> table_ =
      SmallAccessTable(*catalogue_);
  std::unique_ptr<const CompanyPolicy> company_;
  Principal principal_;
  SubjectFacts person_{};
};

TEST_F(CompanyRulesTest, AllowsWhatThePolicyHasAndShowsTheClause) {
  const Decision decision = Answer(Reading(kSupport));
  ASSERT_TRUE(decision.allowed);
  ASSERT_NE(decision.terms, nullptr);
  EXPECT_EQ(decision.terms->clause, "2.1");
  EXPECT_EQ(decision.terms->basis, Basis::kContract);
}

TEST_F(CompanyRulesTest, WithoutAPolicyGrantsAloneDecide) {
  person_.minor = person_.restricted = true;
  person_.objected.set();
  person_.withdrawn.set();
  for (const PurposeNumber purpose :
       {kSupport, kBilling, kMarketing, kOperations}) {
    Access access = Reading(purpose);
    if ((access.fields & ~catalogue_->FieldsFor(purpose)).any()) continue;
    access.company = nullptr;
    const Decision decision = Answer(access);
    EXPECT_TRUE(decision.allowed) << purpose << decision.rule;
    EXPECT_EQ(decision.terms, nullptr);
  }
}

TEST_F(CompanyRulesTest, RefusesPurposesThatAreNotInThePolicy) {
  Access access = Reading(kOperations);
  access.fields.reset();
  ExpectRefused(access, Reason::kPurposeNotAllowed, "purpose-in-policy");
  EXPECT_FALSE(Answer(access).tells_of_person);
  // Of people only: the log is read for operations all the same.
  access.action = Action::kAuditQuery;
  EXPECT_TRUE(Answer(access).allowed);
}

TEST_F(CompanyRulesTest, APolicyWidensNoGrant) {
  Access access = Reading(kSupport);
  const Principal nobody;
  access.principal = &nobody;
  ExpectRefused(access, Reason::kCallerNotEntitled, "action-granted");
}

TEST_F(CompanyRulesTest, RefusesClassesThatThePolicyDoesNotName) {
  Access access = Reading(kSupport);
  access.fields = FieldsOf(*catalogue_, {"account.email", "profile.full_name"});
  ExpectRefused(access, Reason::kPurposeNotAllowed, "policy-names-classes");
}

TEST_F(CompanyRulesTest, RefusesSinglePeopleForStatistics) {
  PolicySource source = SmallSource();
  source.purposes[0].anonymised_only = true;
  Compile(source);
  ExpectRefused(Reading(kSupport), Reason::kPurposeNotAllowed,
                "only-anonymised");
}

TEST_F(CompanyRulesTest, RefusesWithoutALegalBasis) {
  PolicySource source = SmallSource();
  source.uses[0].basis = Basis::kNone;
  source.accepted = {{"BASIS_UNSET:support", "o:9"}};
  Compile(source);
  ExpectRefused(Reading(kSupport), Reason::kLegalBasisMissing, "legal-basis");
  EXPECT_FALSE(Answer(Reading(kSupport)).tells_of_person);
}

TEST_F(CompanyRulesTest, ConsentOpensAndItsWithdrawalCloses) {
  ExpectRefused(Reading(kMarketing), Reason::kConsentRequired, "consent-given");
  EXPECT_TRUE(Answer(Reading(kMarketing)).tells_of_person);
  person_.consented.set(kMarketing);
  EXPECT_TRUE(Answer(Reading(kMarketing)).allowed);
  person_.consented.reset();
  person_.withdrawn.set(kMarketing);
  ExpectRefused(Reading(kMarketing), Reason::kConsentWithdrawn,
                "consent-not-withdrawn");
  // Facts that contradict themselves are the stricter of both.
  person_.consented.set(kMarketing);
  ExpectRefused(Reading(kMarketing), Reason::kConsentWithdrawn,
                "consent-not-withdrawn");
}

// Ending the account may have been what withdrew it: then that is the reason.
TEST_F(CompanyRulesTest, OfWhoHasLeftTheWithdrawalIsToldFirst) {
  person_.state = SubjectState::kCancelled;
  ExpectRefused(Reading(kMarketing), Reason::kPurposeNotAllowed,
                "purpose-outlives-account");
  person_.withdrawn.set(kMarketing);
  ExpectRefused(Reading(kMarketing), Reason::kConsentWithdrawn,
                "consent-not-withdrawn");
}

// Scenario 21: the second basis goes on.
TEST_F(CompanyRulesTest, Scenario21WithdrawingClosesNoOtherPurpose) {
  person_.withdrawn.set(kMarketing);
  EXPECT_TRUE(Answer(Reading(kSupport)).allowed);
}

TEST_F(CompanyRulesTest, ConsentToAnotherPurposeOpensNothing) {
  person_.consented.set(kSupport);
  ExpectRefused(Reading(kMarketing), Reason::kConsentRequired, "consent-given");
}

TEST_F(CompanyRulesTest, NobodyIsCreatedForWhatTheyCouldNotConsentTo) {
  Access access = Reading(kMarketing);
  access.action = Action::kSubjectCreate;
  access.subject = nullptr;
  ExpectRefused(access, Reason::kConsentRequired, "consent-given");
  access.purpose = kSupport;
  EXPECT_TRUE(Answer(access).allowed);
}

TEST_F(CompanyRulesTest, WhoIsNotThereIsNotToldFromTheRules) {
  Access access = Reading(kMarketing);
  access.subject = nullptr;
  ExpectRefused(access, Reason::kSubjectNotFound, "subject-exists");
}

TEST_F(CompanyRulesTest, AnObjectionClosesItsPurpose) {
  person_.objected.set(kSupport);
  ExpectRefused(Reading(kSupport), Reason::kObjected, "not-objected-to");
  person_.consented.set(kMarketing);
  EXPECT_TRUE(Answer(Reading(kMarketing)).allowed);
  // Also against a consent that was given.
  person_.objected.set(kMarketing);
  ExpectRefused(Reading(kMarketing), Reason::kObjected, "not-objected-to");
}

// There is no right to object to what a law asks for (GDPR 21(1)), nor does it
// ask how old somebody is; kept apart it stays.
TEST_F(CompanyRulesTest, AnObligationIsMetAgainstAnObjection) {
  PolicySource source = SmallSource();
  source.uses[0].basis = Basis::kLegalObligation;
  Compile(source);
  person_.objected.set(kSupport);
  person_.minor = true;
  EXPECT_TRUE(Answer(Reading(kSupport)).allowed);
  person_.restricted = true;
  ExpectRefused(Reading(kSupport), Reason::kProcessingRestricted,
                "not-restricted");
}

TEST_F(CompanyRulesTest, NoBasisMakesMarketingAnObligation) {
  PolicySource source = SmallSource();
  source.uses[1].basis = Basis::kLegalObligation;
  source.accepted = {{"MARKETING_WITHOUT_CONSENT:marketing", "o:9"}};
  Compile(source);
  person_.consented.set(kMarketing);
  EXPECT_TRUE(Answer(Reading(kMarketing)).allowed);
  person_.objected.set(kMarketing);
  ExpectRefused(Reading(kMarketing), Reason::kObjected, "not-objected-to");
}

// Scenario 16, as far as rules go.
TEST_F(CompanyRulesTest, Scenario16ARestrictionLeavesOnlyConsent) {
  person_.restricted = true;
  ExpectRefused(Reading(kMarketing), Reason::kProcessingRestricted,
                "not-restricted");
  ExpectRefused(Reading(kSupport), Reason::kProcessingRestricted,
                "not-restricted");
  person_.consented.set(kSupport);
  EXPECT_TRUE(Answer(Reading(kSupport)).allowed);
}

TEST_F(CompanyRulesTest, NothingIsDoneWithMinors) {
  person_.minor = true;
  person_.consented.set(kSupport);
  ExpectRefused(Reading(kSupport), Reason::kAgeNotEligible, "old-enough");
}

TEST_F(CompanyRulesTest, NothingKeepsAnybodyFromEndingTheirAccount) {
  person_.minor = person_.restricted = true;
  person_.objected.set();
  Access access = Reading(kSupport);
  access.action = Action::kSubjectCancel;
  access.fields.reset();
  EXPECT_TRUE(Answer(access).allowed);
  access.action = Action::kSubjectGet;
  ExpectRefused(access, Reason::kAgeNotEligible, "old-enough");
}

TEST_F(CompanyRulesTest, ALawAsksNobody) {
  person_.minor = person_.restricted = true;
  person_.objected.set();
  person_.withdrawn.set();
  const Decision decision = Answer(Reading(kBilling));
  EXPECT_TRUE(decision.allowed) << decision.rule;
  EXPECT_EQ(decision.terms->clause, "Tax Act 1");
  EXPECT_EQ(decision.terms->basis, Basis::kLegalObligation);
}

// Whatever is asked, what is allowed has a purpose of the policy, a basis, and
// nothing that the person said against it.
TEST_F(CompanyRulesTest, AllowImpliesEverythingThatThePolicyAsksFor) {
  size_t allowed = 0;
  for (uint32_t number = 0; number < kActionCount; ++number) {
    for (PurposeNumber purpose = 0; purpose < 6; ++purpose) {
      for (unsigned facts = 0; facts < 32; ++facts) {
        person_ = {};
        person_.consented.set(purpose, (facts & 1) != 0);
        person_.withdrawn.set(purpose, (facts & 2) != 0);
        person_.objected.set(purpose, (facts & 4) != 0);
        person_.restricted = (facts & 8) != 0;
        person_.minor = (facts & 16) != 0;
        Access access = Reading(purpose);
        access.action = *ActionFromNumber(number);
        const Decision decision = Answer(access);
        if (!decision.allowed || !ConcernsSubject(access.action)) continue;
        ++allowed;
        const PurposeTerms& terms = *decision.terms;
        EXPECT_TRUE(terms.in_policy);
        EXPECT_NE(terms.basis, Basis::kNone);
        EXPECT_FALSE(terms.clause.empty());
        EXPECT_FALSE(terms.anonymised_only);
        if (terms.lawful || access.action == Action::kSubjectCancel) continue;
        if (terms.basis != Basis::kLegalObligation || terms.marketing) {
          EXPECT_FALSE(person_.minor);
          EXPECT_FALSE(person_.objected.test(purpose));
        }
        EXPECT_TRUE(!person_.restricted || person_.consented.test(purpose));
        EXPECT_TRUE(!terms.needs_consent || (person_.consented.test(purpose) &&
                                             !person_.withdrawn.test(purpose)));
      }
    }
  }
  EXPECT_GT(allowed, 100U);
}

}  // namespace
}  // namespace hizo::policy
