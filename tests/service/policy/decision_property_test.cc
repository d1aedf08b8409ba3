// What an allowance implies, of people, policies and callers at random: one
// basis, a purpose of the policy, nothing that the person has said against it,
// and a clause to name.
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/policy/decision.h"
#include "tests/service/policy/small_catalogue.h"

namespace hizo::policy {
namespace {

using base::Reason;

constexpr int kPolicies = 300;
constexpr int kCallsPerPolicy = 1000;
constexpr uint32_t kVersionMax = 5;

class Dice {
 public:
  explicit Dice(uint32_t seed) : random_(seed) {}
  uint32_t UpTo(uint32_t max) {
    return std::uniform_int_distribution<uint32_t>(0, max)(random_);
  }
  bool Flip() { return UpTo(1) == 1; }
  bool Rarely() { return UpTo(7) == 0; }
  template <size_t kBits>
  std::bitset<kBits> Some(std::bitset<kBits> of) {
    for (size_t i = 0; i < kBits; ++i) {
      if (Flip()) of.reset(i);
    }
    return of;
  }

 private:
  std::mt19937 random_;
};

constexpr Basis kBases[] = {Basis::kNone,
                            Basis::kConsent,
                            Basis::kContract,
                            Basis::kLegitimateInterest,
                            Basis::kLegalObligation,
                            Basis::kVitalInterests};

PolicySource RandomSource(const Catalogue& catalogue, Dice& dice) {
  PolicySource source;
  source.profile_id = "random";
  source.where = source.version_where = "operator:1";
  source.version = 1 + dice.UpTo(kVersionMax - 1);
  source.digest = "c0ffee";
  for (const PurposeSpec& spec : catalogue.purposes()) {
    if (dice.Rarely()) continue;  // it has no place in it
    if (dice.Rarely()) {
      source.required_by_law.push_back({spec.name, "a law", "operator:2"});
      continue;
    }
    PolicySource::Purpose purpose;
    purpose.id = spec.name;
    purpose.clause = "clause of " + spec.name;
    purpose.where = "profile:1";
    if (!dice.Rarely()) purpose.marketing = dice.Rarely();
    purpose.anonymised_only = dice.Rarely();
    purpose.express_request = dice.Rarely();
    purpose.basis = kBases[dice.UpTo(std::size(kBases) - 1)];
    PolicySource::Use use;
    use.id = purpose.id;
    use.where = "operator:3";
    const bool consents = purpose.basis == Basis::kConsent ||
                          purpose.marketing.value_or(true) ||
                          purpose.express_request;
    if (consents && dice.Flip()) use.consent_from = source.version;
    if (dice.Rarely()) use.acceptance_from = 1 + dice.UpTo(source.version - 1);
    source.purposes.push_back(std::move(purpose));
    source.uses.push_back(std::move(use));
  }
  for (const char* name : {"account", "profile", "credential"}) {
    if (!dice.Rarely()) source.classes.push_back({name, "1", dice.Flip()});
  }
  for (const Conflict& conflict :
       CompanyPolicy::ConflictsOf(source, catalogue)) {
    source.accepted.push_back({conflict.id, "operator:4", "dpo", "random"});
  }
  return source;
}

SubjectFacts RandomFacts(Dice& dice) {
  SubjectFacts facts;
  facts.state = static_cast<SubjectState>(1 + dice.UpTo(2));
  const ClassSet classes = ClassSet().set(1).set(2);
  if (facts.state == SubjectState::kRetained) {
    facts.retained = dice.Some(classes);
  }
  if (dice.Rarely()) facts.held = dice.Some(classes);
  const PurposeSet purposes =
      PurposeSet().set(kMarketing).set(kSupport).set(kBilling);
  facts.consented = dice.Some(purposes);
  facts.withdrawn = dice.Some(purposes & ~facts.consented);
  if (dice.Rarely()) facts.objected = dice.Some(purposes);
  facts.restricted = dice.Rarely();
  facts.minor = dice.Rarely();
  facts.accepted_version = dice.UpTo(kVersionMax);
  return facts;
}

class DecisionPropertyTest : public ::testing::Test {
 protected:
  // What holds of a use of somebody's data that was allowed.
  void ExpectLawful(const Access& access, const Decision& decision) {
    ASSERT_NE(access.principal, nullptr);
    ASSERT_NE(decision.terms, nullptr);
    const PurposeTerms& terms = *decision.terms;
    EXPECT_TRUE(terms.in_policy);
    EXPECT_FALSE(terms.clause.empty());
    EXPECT_FALSE(terms.anonymised_only);
    EXPECT_NE(terms.basis, Basis::kNone);
    EXPECT_TRUE(!terms.lawful || terms.basis == Basis::kLegalObligation);
    EXPECT_TRUE((access.fields & ~GrantedFields(*access.principal,
                                                access.action, access.purpose))
                    .none());
    EXPECT_TRUE(
        (access.fields & ~catalogue_->FieldsFor(access.purpose)).none());
    EXPECT_TRUE((access.fields & catalogue_->internal_fields()).none());
    if (!terms.lawful) {
      EXPECT_TRUE((access.fields & access.company->undeclared_fields()).none());
    }
    if (access.subject != nullptr) ExpectNothingSaid(access, terms);
  }
  void ExpectNothingSaid(const Access& access, const PurposeTerms& terms) {
    const SubjectFacts& facts = *access.subject;
    const bool consented = facts.consented.test(access.purpose);
    ClassSet classes;
    for (const FieldSpec& field : catalogue_->fields()) {
      if (access.fields.test(field.index)) classes.set(field.class_number);
    }
    if (access.action == Action::kRecordDeleteFields) {
      EXPECT_TRUE((classes & facts.held).none());
    }
    if (facts.state == SubjectState::kRetained) {
      EXPECT_TRUE(
          (classes & ~RetainedFor(*catalogue_, facts, access.purpose)).none());
    }
    if (terms.lawful) return;
    if (terms.needs_consent) {
      EXPECT_TRUE(consented);
      EXPECT_FALSE(facts.withdrawn.test(access.purpose));
    }
    if (access.action == Action::kSubjectCancel) return;
    if (terms.basis != Basis::kLegalObligation || terms.marketing) {
      EXPECT_FALSE(facts.minor);
      EXPECT_FALSE(facts.objected.test(access.purpose));
    }
    EXPECT_TRUE(!facts.restricted || consented);
    EXPECT_GE(facts.accepted_version, terms.acceptance_from);
  }
  FieldSet RandomFields(Dice& dice) const {
    FieldSet fields;
    for (const FieldSpec& field : catalogue_->fields()) {
      if (dice.UpTo(3) == 0) fields.set(field.index);
    }
    return fields;
  }

  const std::unique_ptr<const Catalogue> catalogue_ = SmallCatalogue();
  const std::unique_ptr<const AccessTable> access_ =
      SmallAccessTable(*catalogue_);
};

TEST_F(DecisionPropertyTest, WhatIsAllowedIsLawful) {
  const Principal* const principals[] = {
      nullptr, access_->Find(kAgent), access_->Find(kClerk),
      access_->Find(kOperator), access_->Find(kBoth)};
  Dice dice(20261127);
  std::map<Reason, int> told;
  for (int i = 0; i < kPolicies; ++i) {
    SCOPED_TRACE(i);
    const auto company =
        CompanyPolicy::Create(RandomSource(*catalogue_, dice), *catalogue_);
    ASSERT_TRUE(company.ok()) << company.status();
    for (int j = 0; j < kCallsPerPolicy; ++j) {
      const SubjectFacts facts = RandomFacts(dice);
      Access access;
      access.principal = principals[dice.UpTo(std::size(principals) - 1)];
      access.action = static_cast<Action>(dice.UpTo(kActionCount - 1));
      // Of reads more than of all others.
      if (dice.Flip()) access.action = Action::kRecordGet;
      access.purpose = static_cast<PurposeNumber>(dice.UpTo(5));
      access.purpose_known = access.purpose != 0 || dice.Flip();
      access.fields = RandomFields(dice);
      access.view = static_cast<View>(dice.UpTo(2));
      access.subject = dice.Rarely() ? nullptr : &facts;
      access.company = company->get();
      const Decision decision = Decide(*catalogue_, access, base::Timestamp());
      EXPECT_EQ(decision.allowed, decision.reason == Reason::kNone);
      ++told[decision.reason];
      if (decision.allowed && ConcernsSubject(access.action)) {
        ExpectLawful(access, decision);
      }
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
  }
  // Each of these was met, or the property was not put to the test.
  for (const Reason reason :
       {Reason::kNone, Reason::kPurposeNotAllowed, Reason::kLegalBasisMissing,
        Reason::kConsentRequired, Reason::kConsentWithdrawn, Reason::kObjected,
        Reason::kProcessingRestricted, Reason::kAgeNotEligible,
        Reason::kPolicyReconsentRequired}) {
    EXPECT_GT(told[reason], 50) << base::NameOf(reason);
  }
}

}  // namespace
}  // namespace hizo::policy
