// What an allowed read leaves in the log, of people who have said things at
// random under policies at random: the policy that decided, its clause, and no
// allowance that what they said speaks against.
#include <random>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/vault/policies.h"
#include "tests/service/vault/company_vault.h"

namespace hizo::vault {
namespace {

using base::Reason;
using policy::PolicySource;

constexpr int kRounds = 150;

class AllowedReadsTest : public CompanyVault {
 protected:
  uint32_t UpTo(uint32_t max) {
    return std::uniform_int_distribution<uint32_t>(0, max)(random_);
  }
  // Something that she says, or that is said of her; it may be refused.
  void SaySomething() {
    const char* const purposes[] = {"service", "support", "marketing",
                                    "billing"};
    const std::string purpose = purposes[UpTo(3)];
    Wait();
    switch (UpTo(6)) {
      case 0:
      case 1:
        Record(ConsentTo(purpose)).IgnoreError();
        break;
      case 2:
        Withdraw(purpose).IgnoreError();
        break;
      case 3:
        Object({.purpose = purpose}).IgnoreError();
        break;
      case 4:
        Restrict(RestrictionGround::kUnlawful).IgnoreError();
        break;
      case 5:
        Lift(RestrictionGround::kUnlawful).IgnoreError();
        break;
      default:
        Accept();
        break;
    }
  }
  void Accept() {
    const Call call = FullCall(vault_, Action::kConsentAcknowledge);
    AcknowledgeInput input;
    input.subject = ann_;
    input.kind = AcknowledgementKind::kAccepted;
    input.evidence = ProofOf('a');
    EXPECT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().consents().Acknowledge(
                                 attempt, call, input);
                           }),
                test::IsOk());
  }
  // The next version, in which something is different.
  void ActivateAnother(uint32_t version) {
    PolicySource source = test::VaultPolicySource();
    source.version = version;
    source.uses[1].basis =
        UpTo(1) == 0 ? policy::Basis::kConsent : policy::Basis::kContract;
    source.uses[UpTo(2)].acceptance_from = UpTo(2) == 0 ? version : 0;
    if (UpTo(2) == 0) source.uses[2].consent_from = version;
    if (UpTo(3) == 0) {
      source.purposes.erase(source.purposes.begin());
      source.uses.erase(source.uses.begin());
    }
    const policy::PolicyTexts texts = vault_.FilesOf(source);
    const Call call = FullCall(vault_, Action::kPolicyActivate);
    // Not for service, which the policy may not have: of no person.
    EXPECT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().policies().Activate(
                                 attempt, call, texts);
                           }),
                test::IsOk());
  }
  // Reads for the purpose, and holds the event against what was said.
  bool ReadAndCheck(policy::PurposeNumber purpose) {
    const Statements said = Said();
    const absl::Status told = ReadFor(purpose);
    const audit::Event event = vault_.LastEvent();
    const auto pin = vault_.store().policies().table().Look(test::kAcme);
    const policy::CompanyPolicy& company = *pin.get();
    const policy::PurposeTerms& terms = company.For(purpose);
    EXPECT_EQ(event.policy_version, company.version());
    EXPECT_EQ(event.policy_digest, company.digest_prefix());
    EXPECT_EQ(event.clause, terms.clause);
    EXPECT_EQ(event.outcome == audit::Outcome::kAllowed, told.ok());
    EXPECT_EQ(event.reason, base::ReasonOf(told));
    if (!told.ok()) return false;
    EXPECT_TRUE(terms.in_policy);
    EXPECT_NE(event.clause, "");
    EXPECT_NE(terms.basis, policy::Basis::kNone);
    if (terms.lawful) return true;
    bool consented = false;
    std::optional<base::Timestamp> last;
    for (const Consent& consent : said.consents) {
      if (consent.purpose != purpose) continue;
      consented = IsInForce(consent, terms);
      last = consent.given;
    }
    EXPECT_TRUE(consented || !terms.needs_consent);
    EXPECT_TRUE(consented || said.restrictions.empty());
    EXPECT_GE(AcceptedVersion(said), terms.acceptance_from);
    for (const Objection& objection : said.objections) {
      if (objection.purpose == purpose) {
        EXPECT_TRUE(consented && *last > objection.made);
      }
    }
    return true;
  }

  std::mt19937 random_{20261127};
};

TEST_F(AllowedReadsTest, EachNamesPolicyAndClauseAndNothingSpeaksAgainstIt) {
  int allowed = 0;
  int refused = 0;
  for (uint32_t round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    if (UpTo(4) == 0) ActivateAnother(4 + round);
    SaySomething();
    for (const policy::PurposeNumber purpose :
         {test::kService, test::kSupport, test::kMarketing, test::kBilling}) {
      ++(ReadAndCheck(purpose) ? allowed : refused);
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(allowed, kRounds / 2);
  EXPECT_GT(refused, kRounds / 2);
}

}  // namespace
}  // namespace hizo::vault
