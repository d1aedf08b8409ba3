// Consents that are written down, withdrawn and listed, and what they open.
#include <chrono>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/company_vault.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kBilling;
using test::kMarketing;
using test::kMaskedOnly;
using test::kNobody;
using test::kOtherFull;
using test::kSupport;
using test::Stored;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

constexpr char kOffers[] = "marketing";

using RecordedConsentsTest = CompanyVault;

TEST_F(RecordedConsentsTest, AConsentOpensItsPurposeAndIsKeptAsItWasGiven) {
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kConsentRequired));
  RecordConsentInput input = ConsentTo(kOffers);
  input.channel = Channel::kPhone;
  const auto recorded = Record(input);
  ASSERT_THAT(recorded, IsOk());
  EXPECT_EQ(recorded->given, vault_.clock().Now());
  EXPECT_EQ(recorded->policy_version, 3U);
  EXPECT_THAT(ReadFor(kMarketing), IsOk());
  EXPECT_TRUE(Check(kOffers).allowed);
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(ReadFor(kMarketing), IsOk());
  const Statements said = Said();
  ASSERT_THAT(said.consents, SizeIs(1));
  EXPECT_EQ(said.consents[0].purpose, kMarketing);
  EXPECT_EQ(said.consents[0].channel, Channel::kPhone);
  EXPECT_EQ(said.consents[0].evidence, ProofOf('e'));
  EXPECT_EQ(said.consents[0].policy_version, 3U);
  EXPECT_FALSE(said.consents[0].withdrawn.has_value());
}

TEST_F(RecordedConsentsTest, TheEventNamesThePersonAndTheNewFacts) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.action, Action::kConsentRecord);
  EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
  EXPECT_TRUE(event.subject.has_value());
  ASSERT_THAT(event.writes, SizeIs(1));
  EXPECT_EQ(event.writes[0].class_number, policy::kClassFacts);
  EXPECT_EQ(event.writes[0].version, 2U);
}

// Scenario 24: the log shows which version decided each read.
TEST_F(RecordedConsentsTest, EachEventNamesThePolicyThatDecidedAndItsClause) {
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kConsentRequired));
  audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.policy_version, 3U);
  EXPECT_EQ(event.policy_digest, 0xC0FFEEU);
  EXPECT_EQ(event.clause, "2.3");
  policy::PolicySource next = test::VaultPolicySource();
  next.version = 4;
  next.digest = "abcdef0123456789ffff";
  ASSERT_THAT(vault_.ReopenUnder(next), IsOk());
  EXPECT_THAT(ReadFor(kService), IsOk());
  event = vault_.LastEvent();
  EXPECT_EQ(event.policy_version, 4U);
  EXPECT_EQ(event.policy_digest, 0xABCDEF0123456789U);
  EXPECT_EQ(event.clause, "2.1");
  EXPECT_THAT(ReadFor(test::kSecurityAudit),
              HasReason(Reason::kPurposeNotAllowed));
  EXPECT_EQ(vault_.LastEvent().clause, "");
  // What is no use of anybody's data has no clause.
  Said();
  EXPECT_EQ(vault_.LastEvent().policy_version, 4U);
  EXPECT_EQ(vault_.LastEvent().clause, "");
}

TEST_F(RecordedConsentsTest, ATenantWithoutAPolicyHasNoneInItsEvents) {
  ann_ = NewPersonOfGlobex(vault_, "gil@example.com");
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.policy_version, 0U);
  EXPECT_EQ(event.policy_digest, 0U);
  EXPECT_EQ(event.clause, "");
}

TEST_F(RecordedConsentsTest, NoConsentIsTakenForWhatThePolicyHasNoPlaceFor) {
  for (const char* purpose : {"curiosity", "", "*", "security_audit"}) {
    EXPECT_THAT(Record(ConsentTo(purpose)), HasReason(Reason::kNotInPolicy))
        << purpose;
  }
  // A contract, a legitimate interest, a law.
  for (const char* purpose : {"service", "support", "billing"}) {
    EXPECT_THAT(Record(ConsentTo(purpose)),
                HasReason(Reason::kConsentNotNeeded))
        << purpose;
  }
  EXPECT_THAT(Said().consents, IsEmpty());
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kConsentRequired));
}

TEST_F(RecordedConsentsTest, NoConsentIsTakenWithoutWhatProvesIt) {
  RecordConsentInput input = ConsentTo(kOffers);
  input.evidence = {};
  EXPECT_THAT(Record(input), HasReason(Reason::kEvidenceMissing));
  EXPECT_THAT(Said().consents, IsEmpty());
}

TEST_F(RecordedConsentsTest, NoConsentIsTakenOfAVersionOrTimeYetToCome) {
  RecordConsentInput input = ConsentTo(kOffers);
  input.policy_version = 4;
  EXPECT_THAT(Record(input), HasReason(Reason::kValueInvalid));
  input = ConsentTo(kOffers);
  input.given = vault_.clock().Now() + std::chrono::microseconds(1);
  EXPECT_THAT(Record(input), HasReason(Reason::kValueInvalid));
  input.given = base::Timestamp();
  EXPECT_THAT(Record(input), HasReason(Reason::kValueInvalid));
  input.given = vault_.clock().Now();
  input.policy_version = 1;
  EXPECT_THAT(Record(input), IsOk());
  EXPECT_EQ(Said().consents[0].policy_version, 1U);
}

TEST_F(RecordedConsentsTest, WhatWasBroughtInLaterUndoesNoWithdrawal) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  Wait();
  const base::Timestamp withdrawn = vault_.clock().Now();
  ASSERT_THAT(Withdraw(kOffers), IsOk());
  Wait();
  RecordConsentInput old = ConsentTo(kOffers);
  old.given = withdrawn;
  EXPECT_THAT(Record(old), HasReason(Reason::kConsentWithdrawn));
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kConsentWithdrawn));
  old.given = withdrawn + std::chrono::microseconds(1);
  EXPECT_THAT(Record(old), IsOk());
  EXPECT_THAT(ReadFor(kMarketing), IsOk());
}

TEST_F(RecordedConsentsTest, WithdrawingClosesFromTheNextAnswerOn) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  Wait();
  EXPECT_THAT(Withdraw(kOffers), IsOkAndHolds(Optional(vault_.clock().Now())));
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kConsentWithdrawn));
  EXPECT_EQ(Check(kOffers).reason, Reason::kConsentWithdrawn);
  EXPECT_EQ(Check(kOffers).rule, "consent-not-withdrawn");
  // Nothing else is closed, and the history stays.
  EXPECT_THAT(ReadFor(kService), IsOk());
  const Statements said = Said();
  ASSERT_THAT(said.consents, SizeIs(1));
  EXPECT_EQ(said.consents[0].withdrawn, vault_.clock().Now());
  EXPECT_EQ(said.consents[0].cause, WithdrawalCause::kPerson);
}

TEST_F(RecordedConsentsTest, WithdrawingIsAlwaysPossible) {
  EXPECT_THAT(Withdraw(kOffers), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(vault_.LastEvent().writes, IsEmpty());
  EXPECT_THAT(Withdraw("service"), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(Withdraw("curiosity"), HasReason(Reason::kNotInPolicy));
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  // Of whom nothing else may be done.
  ASSERT_THAT(Restrict(RestrictionGround::kUnlawful), IsOk());
  ASSERT_THAT(Object({.purpose = "", .direct_marketing = true}), IsOk());
  const base::Timestamp first = vault_.clock().Now();
  EXPECT_THAT(Withdraw(kOffers), IsOkAndHolds(Optional(first)));
  Wait();
  // Again tells when it was.
  EXPECT_THAT(Withdraw(kOffers), IsOkAndHolds(Optional(first)));
  ASSERT_THAT(Cancel(), IsOk());
  EXPECT_THAT(Withdraw(kOffers), IsOkAndHolds(Optional(first)));
}

// A policy that has dropped the purpose does not keep anybody from taking back
// what they once said.
TEST_F(RecordedConsentsTest, WithdrawingNeedsNoPolicyThatHasThePurpose) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  policy::PolicySource without = test::VaultPolicySource();
  without.purposes.pop_back();
  without.uses.pop_back();
  ASSERT_THAT(vault_.ReopenUnder(without), IsOk());
  EXPECT_THAT(Record(ConsentTo(kOffers)), HasReason(Reason::kNotInPolicy));
  EXPECT_THAT(Withdraw(kOffers), IsOkAndHolds(Optional(vault_.clock().Now())));
  ASSERT_THAT(vault_.ReopenUnder(test::VaultPolicySource()), IsOk());
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kConsentWithdrawn));
}

TEST_F(RecordedConsentsTest, ARepeatedRequestIsHarmless) {
  Call call = FullCall(vault_, Action::kConsentRecord);
  call.request = RequestOf(1);
  call.body = "body";
  const auto first = Record(call, ConsentTo(kOffers));
  ASSERT_THAT(first, IsOk());
  Wait();
  Call withdrawal = FullCall(vault_, Action::kConsentWithdraw);
  withdrawal.request = RequestOf(1);
  const auto withdrawn = Withdraw(withdrawal, kOffers);
  ASSERT_THAT(withdrawn, IsOk());
  Wait();
  // The same answer, and no new consent.
  Call again = FullCall(vault_, Action::kConsentRecord);
  again.request = RequestOf(1);
  again.body = "body";
  const auto second = Record(again, ConsentTo(kOffers));
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->given, first->given);
  EXPECT_EQ(second->policy_version, first->policy_version);
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kConsentWithdrawn));
  EXPECT_EQ(Withdraw(withdrawal, kOffers), withdrawn);
  EXPECT_THAT(Said().consents, SizeIs(1));
  again.body = "another body";
  EXPECT_THAT(Record(again, ConsentTo(kOffers)),
              HasReason(Reason::kRequestIdReused));
}

TEST_F(RecordedConsentsTest, TheSameConsentTwiceIsOne) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  EXPECT_THAT(Record(ConsentTo(kOffers)), IsOk());
  EXPECT_THAT(vault_.LastEvent().writes, IsEmpty());
  EXPECT_THAT(Said().consents, SizeIs(1));
  Wait();
  EXPECT_THAT(Record(ConsentTo(kOffers)), IsOk());
  EXPECT_THAT(Said().consents, SizeIs(2));
}

TEST_F(RecordedConsentsTest, SayingItAThousandTimesKeepsTheFactsSmall) {
  for (int i = 0; i < 200; ++i) {
    Wait();
    ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
    ASSERT_THAT(Withdraw(kOffers), IsOk());
  }
  EXPECT_THAT(Said().consents, SizeIs(kConsentsMax));
  EXPECT_LT(Stored(vault_.data(), FactsKey(kAcme, ann_)).size(), 4096U);
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kConsentWithdrawn));
}

TEST_F(RecordedConsentsTest, WhoIsNotThereHasSaidNothing) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  ann_ = NewSubjectId();
  EXPECT_THAT(Record(ConsentTo(kOffers)), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Withdraw(kOffers), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(List(FullCall(vault_, Action::kConsentList)),
              HasReason(Reason::kSubjectNotFound));
}

// Of another tenant, nobody of this one is there.
TEST_F(RecordedConsentsTest, AnotherTenantFindsNobodyAndHasNoPolicy) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  const auto other = [&](Action action) {
    return vault_.CallOf(kOtherFull, action, kService);
  };
  EXPECT_THAT(List(other(Action::kConsentList)),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Withdraw(other(Action::kConsentWithdraw), kOffers),
              HasReason(Reason::kSubjectNotFound));
  ann_ = NewPersonOfGlobex(vault_, "gil@example.com");
  EXPECT_THAT(Record(other(Action::kConsentRecord), ConsentTo(kOffers)),
              HasReason(Reason::kNotInPolicy));
  EXPECT_THAT(List(other(Action::kConsentList)), IsOk());
}

TEST_F(RecordedConsentsTest, WhoWasErasedIsGoneWithAllTheySaid) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  for (int sealed = 0; sealed < 2; ++sealed) {
    EXPECT_THAT(Record(ConsentTo(kOffers)),
                HasReason(Reason::kSubjectNotFound));
    EXPECT_THAT(Withdraw(kOffers), HasReason(Reason::kSubjectNotFound));
    EXPECT_THAT(List(FullCall(vault_, Action::kConsentList)),
                HasReason(Reason::kSubjectNotFound));
    ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  }
}

TEST_F(RecordedConsentsTest, AnErasureThatIsTakenBackBringsThemBack) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  const Statements before = Said();
  ASSERT_THAT(Erase(vault_, ann_, std::chrono::days(5)), IsOk());
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kSubjectNotFound));
  ASSERT_THAT(CancelErasure(vault_, ann_), IsOk());
  EXPECT_EQ(Said(), before);
  EXPECT_THAT(ReadFor(kMarketing), IsOk());
}

TEST_F(RecordedConsentsTest, WhoMayNotIsRefusedWhateverThereIs) {
  for (const char* actor : {kNobody, kMaskedOnly}) {
    const auto by = [&](Action action) {
      return vault_.CallOf(actor, action, kSupport);
    };
    EXPECT_THAT(Record(by(Action::kConsentRecord), ConsentTo("curiosity")),
                HasReason(Reason::kCallerNotEntitled));
    EXPECT_THAT(Withdraw(by(Action::kConsentWithdraw), kOffers),
                HasReason(Reason::kCallerNotEntitled));
    EXPECT_THAT(List(by(Action::kConsentList)),
                HasReason(Reason::kCallerNotEntitled));
  }
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
}

// The heart of it: what was decided before the withdrawal and is committed
// after it is not answered.
TEST_F(RecordedConsentsTest, AReadThatWasDecidedBeforeLosesToTheWithdrawal) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  const Call call = vault_.CallOf(kFull, Action::kRecordGet, kMarketing);
  auto late = vault_.NewAttempt(call);
  ASSERT_THAT(ReadIn(*late, call), IsOk());
  ASSERT_THAT(Withdraw(kOffers), IsOk());
  test::Committed committed = vault_.Commit(std::move(late));
  EXPECT_THAT(committed.status, HasReason(Reason::kConflict));
  EXPECT_FALSE(committed.receipt);
}

TEST_F(RecordedConsentsTest, OfTwoChangesAtOnceOneIsDoneAgain) {
  const Call call = FullCall(vault_, Action::kConsentRecord);
  auto late = vault_.NewAttempt(call);
  ASSERT_THAT(vault_.store().consents().Record(*late, call, ConsentTo(kOffers)),
              IsOk());
  ASSERT_THAT(Object({.purpose = "", .direct_marketing = true}), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(late)).status,
              HasReason(Reason::kConflict));
  EXPECT_THAT(Said().consents, IsEmpty());
  EXPECT_THAT(Said().objections, SizeIs(1));
}

TEST_F(RecordedConsentsTest, ChangesNothingWhenTheDiskIsFull) {
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(Record(ConsentTo(kOffers)), HasReason(Reason::kAuditUnavailable));
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kConsentRequired));
}

// Scenario 14.
TEST_F(RecordedConsentsTest, Scenario14EndingTheAccountWithdrawsInOneWrite) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  const Call call = vault_.CallOf(kFull, Action::kRecordGet, kMarketing);
  auto late = vault_.NewAttempt(call);
  ASSERT_THAT(ReadIn(*late, call), IsOk());
  Wait();
  ASSERT_THAT(Cancel(), IsOk());
  EXPECT_THAT(vault_.LastEvent().writes, SizeIs(1));
  EXPECT_THAT(vault_.Commit(std::move(late)).status,
              HasReason(Reason::kConflict));
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kConsentWithdrawn));
  EXPECT_THAT(ReadFor(kService), HasReason(Reason::kPurposeNotAllowed));
  EXPECT_THAT(ReadFor(kBilling), IsOk());  // goes on, and needs no consent
  const Statements said = Said();
  EXPECT_EQ(said.consents[0].withdrawn, vault_.clock().Now());
  EXPECT_EQ(said.consents[0].cause, WithdrawalCause::kAccountCancelled);
  Wait();
  EXPECT_THAT(Record(ConsentTo(kOffers)),
              HasReason(Reason::kPurposeNotAllowed));
}

TEST_F(RecordedConsentsTest, WhereThePolicyIsSilentTheAccountAloneCloses) {
  policy::PolicySource silent = test::VaultPolicySource();
  silent.cancelling_withdraws = false;
  ASSERT_THAT(vault_.ReopenUnder(silent), IsOk());
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  ASSERT_THAT(Cancel(), IsOk());
  EXPECT_FALSE(Said().consents[0].withdrawn.has_value());
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kPurposeNotAllowed));
}

// Scenario 24, as far as consents go.
TEST_F(RecordedConsentsTest, Scenario24APolicyMaySayThatPeopleAreAskedAgain) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  policy::PolicySource next = test::VaultPolicySource();
  next.version = 4;
  ASSERT_THAT(vault_.ReopenUnder(next), IsOk());
  EXPECT_THAT(ReadFor(kMarketing), IsOk());
  next.version = 5;
  next.uses[2].consent_from = 5;
  ASSERT_THAT(vault_.ReopenUnder(next), IsOk());
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kConsentRequired));
  EXPECT_THAT(ReadFor(kService), IsOk());
  Wait();
  EXPECT_EQ(Record(ConsentTo(kOffers))->policy_version, 5U);
  EXPECT_THAT(ReadFor(kMarketing), IsOk());
}

}  // namespace
}  // namespace hizo::vault
