// Objections, what is decided of them, and restrictions.
#include <chrono>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
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
using test::kSupport;
using test::kTaxAudit;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const ObjectionScope kToSupport{.purpose = "support",
                                .direct_marketing = false};
const ObjectionScope kToOffers{.purpose = "marketing",
                               .direct_marketing = false};
const ObjectionScope kToMarketing{.purpose = "", .direct_marketing = true};

DecideObjectionInput Upheld(const ObjectionScope& scope) {
  DecideObjectionInput input;
  input.scope = scope;
  return input;
}

DecideObjectionInput Rejected(const ObjectionScope& scope) {
  DecideObjectionInput input;
  input.scope = scope;
  input.decision = ObjectionState::kRejected;
  input.ground = ObjectionGround::kCompelling;
  input.notice = ProofOf('n');
  return input;
}

using ObjectionsTest = CompanyVault;

// Scenario 18.
TEST_F(ObjectionsTest, Scenario18AnObjectionClosesUntilItIsRejected) {
  ASSERT_THAT(ReadFor(kSupport), IsOk());
  const auto objection = Object(kToSupport);
  ASSERT_THAT(objection, IsOk());
  EXPECT_EQ(objection->state, ObjectionState::kOpen);
  EXPECT_EQ(objection->made, vault_.clock().Now());
  EXPECT_THAT(ReadFor(kSupport), HasReason(Reason::kObjected));
  EXPECT_EQ(Check("support").rule, "not-objected-to");
  EXPECT_THAT(ReadFor(kService), IsOk());
  Wait();
  DecideObjectionInput untold = Rejected(kToSupport);
  untold.notice = {};
  EXPECT_THAT(Decide(untold), HasReason(Reason::kEvidenceMissing));
  EXPECT_THAT(ReadFor(kSupport), HasReason(Reason::kObjected));
  EXPECT_THAT(Decide(Rejected(kToSupport)), IsOkAndHolds(vault_.clock().Now()));
  EXPECT_THAT(ReadFor(kSupport), IsOk());
  const Statements said = Said();
  ASSERT_THAT(said.objections, SizeIs(1));
  EXPECT_EQ(said.objections[0].state, ObjectionState::kRejected);
  EXPECT_EQ(said.objections[0].ground, ObjectionGround::kCompelling);
  EXPECT_EQ(said.objections[0].notice, ProofOf('n'));
  EXPECT_EQ(said.objections[0].decided, vault_.clock().Now());
}

TEST_F(ObjectionsTest, AnObjectionThatIsUpheldClosesForGood) {
  ASSERT_THAT(Object(kToSupport), IsOk());
  EXPECT_THAT(Decide(Upheld(kToSupport)), IsOk());
  EXPECT_THAT(ReadFor(kSupport), HasReason(Reason::kObjected));
  // It is decided, and nobody decides it otherwise.
  EXPECT_THAT(Decide(Rejected(kToSupport)), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Decide(Upheld(kToSupport)), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(ReadFor(kSupport), HasReason(Reason::kObjected));
}

TEST_F(ObjectionsTest, WhoWasRejectedMayObjectAgain) {
  ASSERT_THAT(Object(kToSupport), IsOk());
  ASSERT_THAT(Decide(Rejected(kToSupport)), IsOk());
  Wait();
  EXPECT_EQ(Object(kToSupport)->state, ObjectionState::kOpen);
  EXPECT_THAT(ReadFor(kSupport), HasReason(Reason::kObjected));
  EXPECT_THAT(Said().objections, SizeIs(2));
}

TEST_F(ObjectionsTest, ObjectingAgainChangesNothing) {
  const auto first = Object(kToSupport);
  Wait();
  EXPECT_EQ(Object(kToSupport)->made, first->made);
  EXPECT_THAT(vault_.LastEvent().writes, IsEmpty());
  EXPECT_THAT(Said().objections, SizeIs(1));
}

// Scenario 19.
TEST_F(ObjectionsTest, Scenario19NobodyRejectsAnObjectionToDirectMarketing) {
  ASSERT_THAT(Record(ConsentTo("marketing")), IsOk());
  ASSERT_THAT(ReadFor(kMarketing), IsOk());
  // As such, or to a purpose that is.
  for (const ObjectionScope& scope : {kToMarketing, kToOffers}) {
    const auto objection = Object(scope);
    ASSERT_THAT(objection, IsOk());
    EXPECT_EQ(objection->state, ObjectionState::kUpheld);
    EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kObjected));
    EXPECT_THAT(Decide(Rejected(scope)), HasReason(Reason::kObjectionAbsolute));
    EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kObjected));
  }
  // It takes the consent back as far as its effect goes, and no further.
  EXPECT_FALSE(Said().consents[0].withdrawn.has_value());
  EXPECT_THAT(ReadFor(kService), IsOk());
}

TEST_F(ObjectionsTest, WhoAgreesToMarketingLaterMayObjectAgain) {
  ASSERT_THAT(Object(kToMarketing), IsOk());
  // One from before it opens nothing.
  RecordConsentInput before = ConsentTo("marketing");
  before.given = vault_.clock().Now();
  Wait();
  ASSERT_THAT(Record(before), IsOk());
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kObjected));
  ASSERT_THAT(Record(ConsentTo("marketing")), IsOk());
  EXPECT_THAT(ReadFor(kMarketing), IsOk());
  Wait();
  EXPECT_EQ(Object(kToMarketing)->made, vault_.clock().Now());
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kObjected));
  EXPECT_THAT(Said().objections, SizeIs(2));
}

TEST_F(ObjectionsTest, NothingIsObjectedToThatNobodyKnows) {
  EXPECT_THAT(Object({}), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Object({.purpose = "support", .direct_marketing = true}),
              HasReason(Reason::kValueInvalid));
  for (const char* purpose : {"curiosity", "*", "security_audit"}) {
    EXPECT_THAT(Object({.purpose = purpose}), HasReason(Reason::kNotInPolicy));
    EXPECT_THAT(Decide(Upheld({.purpose = purpose})),
                HasReason(Reason::kNotInPolicy));
  }
  EXPECT_THAT(Decide(Upheld(kToSupport)), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Decide(Upheld({})), HasReason(Reason::kValueInvalid));
}

TEST_F(ObjectionsTest, ADecisionSaysWhatTheLawAsksFor) {
  ASSERT_THAT(Object(kToSupport), IsOk());
  DecideObjectionInput input = Rejected(kToSupport);
  input.ground = ObjectionGround::kNone;
  EXPECT_THAT(Decide(input), HasReason(Reason::kValueInvalid));
  input = Upheld(kToSupport);
  input.ground = ObjectionGround::kCompelling;
  EXPECT_THAT(Decide(input), HasReason(Reason::kValueInvalid));
  input = Upheld(kToSupport);
  input.decision = ObjectionState::kOpen;
  EXPECT_THAT(Decide(input), HasReason(Reason::kValueInvalid));
  EXPECT_EQ(Said().objections[0].state, ObjectionState::kOpen);
}

TEST_F(ObjectionsTest, ALawAsksNobody) {
  ASSERT_THAT(Object({.purpose = "billing"}), IsOk());
  ASSERT_THAT(Restrict(RestrictionGround::kUnlawful), IsOk());
  const Call call = vault_.CallOf(kFull, Action::kSubjectGet, kTaxAudit);
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().subjects().Get(attempt, call,
                                                                ann_);
                         }),
              IsOk());
}

TEST_F(ObjectionsTest, ARepeatedRequestHasOneEffect) {
  Call object = FullCall(vault_, Action::kConsentObject);
  object.request = RequestOf(1);
  Call decide = FullCall(vault_, Action::kConsentDecide);
  decide.request = RequestOf(2);
  const auto made = Object(object, kToSupport);
  const auto decided = Decide(decide, Rejected(kToSupport));
  ASSERT_THAT(decided, IsOk());
  Wait();
  EXPECT_EQ(Object(object, kToSupport)->made, made->made);
  EXPECT_EQ(Object(object, kToSupport)->state, ObjectionState::kOpen);
  EXPECT_EQ(Decide(decide, Rejected(kToSupport)), decided);
  EXPECT_THAT(Said().objections, SizeIs(1));
  EXPECT_THAT(ReadFor(kSupport), IsOk());
}

TEST_F(ObjectionsTest, AReadThatWasDecidedBeforeLosesToTheObjection) {
  const Call call = vault_.CallOf(kFull, Action::kRecordGet, kSupport);
  auto late = vault_.NewAttempt(call);
  ASSERT_THAT(ReadIn(*late, call), IsOk());
  ASSERT_THAT(Object(kToSupport), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(late)).status,
              HasReason(Reason::kConflict));
}

using RestrictionsTest = CompanyVault;

// Scenario 16.
TEST_F(RestrictionsTest, Scenario16OnlyConsentAndLawGoOn) {
  ASSERT_THAT(Record(ConsentTo("marketing")), IsOk());
  EXPECT_THAT(Record(ConsentTo("support")),
              HasReason(Reason::kConsentNotNeeded));
  EXPECT_THAT(Restrict(RestrictionGround::kAccuracyContested),
              IsOkAndHolds(vault_.clock().Now()));
  EXPECT_THAT(ReadFor(kService), HasReason(Reason::kProcessingRestricted));
  EXPECT_THAT(ReadFor(kSupport), HasReason(Reason::kProcessingRestricted));
  EXPECT_EQ(Check("service").rule, "not-restricted");
  // What she has consented to and not taken back.
  EXPECT_THAT(ReadFor(kMarketing), IsOk());
  // Now she may consent to what needs none otherwise, but not to a law.
  EXPECT_THAT(Record(ConsentTo("support")), IsOk());
  EXPECT_THAT(ReadFor(kSupport), IsOk());
  EXPECT_THAT(Record(ConsentTo("billing")),
              HasReason(Reason::kConsentNotNeeded));
  ASSERT_THAT(Withdraw("support"), IsOk());
  EXPECT_THAT(ReadFor(kSupport), HasReason(Reason::kProcessingRestricted));

  EXPECT_THAT(Lift(RestrictionGround::kAccuracyContested, {}),
              HasReason(Reason::kEvidenceMissing));
  EXPECT_THAT(ReadFor(kService), HasReason(Reason::kProcessingRestricted));
  EXPECT_THAT(Lift(RestrictionGround::kAccuracyContested), IsOkAndHolds(0));
  EXPECT_THAT(ReadFor(kService), IsOk());
  // Support rests on an interest again, whatever was withdrawn.
  EXPECT_THAT(ReadFor(kSupport), IsOk());
}

TEST_F(RestrictionsTest, EachGroundIsLiftedByItself) {
  const base::Timestamp since = vault_.clock().Now();
  ASSERT_THAT(Restrict(RestrictionGround::kNeededForClaims), IsOk());
  Wait();
  ASSERT_THAT(Restrict(RestrictionGround::kUnlawful), IsOk());
  // Again changes nothing.
  EXPECT_THAT(Restrict(RestrictionGround::kNeededForClaims),
              IsOkAndHolds(since));
  EXPECT_THAT(vault_.LastEvent().writes, IsEmpty());
  EXPECT_THAT(Said().restrictions, SizeIs(2));
  EXPECT_THAT(Lift(RestrictionGround::kUnlawful), IsOkAndHolds(1));
  EXPECT_THAT(Lift(RestrictionGround::kUnlawful),
              HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(ReadFor(kService), HasReason(Reason::kProcessingRestricted));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(ReadFor(kService), HasReason(Reason::kProcessingRestricted));
  EXPECT_THAT(Lift(RestrictionGround::kNeededForClaims), IsOkAndHolds(0));
  EXPECT_THAT(ReadFor(kService), IsOk());
}

TEST_F(RestrictionsTest, NothingIsWrittenOrDeletedMeanwhile) {
  ASSERT_THAT(Restrict(RestrictionGround::kNeededForClaims), IsOk());
  EXPECT_THAT(
      Put(vault_, ann_, RecordOf("profile", {{"full_name", "Ann Else"}})),
      HasReason(Reason::kProcessingRestricted));
  const Call call = FullCall(vault_, Action::kRecordDeleteFields);
  EXPECT_THAT(
      vault_.Run(call,
                 [&](Attempt& attempt) {
                   return vault_.store().records().DeleteFields(
                       attempt, call,
                       {ann_, "profile", std::nullopt, {"note"}, std::nullopt});
                 }),
      HasReason(Reason::kProcessingRestricted));
}

// Of several people under one number, one who is restricted is left out; who
// is looked for alone, the caller is told why not.
TEST_F(RestrictionsTest, OnePersonsRestrictionHidesNobodyElse) {
  constexpr char kNumber[] = "+81312345678";
  const auto with_number = [&] {
    return Create(vault_, RecordsOf(RecordOf("account", {{"phone", kNumber}})))
        ->subject;
  };
  const base::SubjectId bob = with_number();
  ann_ = with_number();
  ASSERT_THAT(Restrict(RestrictionGround::kUnlawful), IsOk());
  EXPECT_THAT(Find(vault_, "account.phone", kNumber),
              IsOkAndHolds(::testing::ElementsAre(bob)));
  ann_ = bob;
  ASSERT_THAT(Restrict(RestrictionGround::kUnlawful), IsOk());
  EXPECT_THAT(Find(vault_, "account.phone", kNumber),
              HasReason(Reason::kProcessingRestricted));
  ASSERT_THAT(Lift(RestrictionGround::kUnlawful), IsOk());
  EXPECT_THAT(Find(vault_, "account.phone", kNumber),
              IsOkAndHolds(::testing::ElementsAre(bob)));
}

// Scenario 17, as far as there are timers: none destroys anything of somebody
// who is there. An erasure is what the person asks for.
TEST_F(RestrictionsTest, Scenario17ATimerDestroysNothingAndAnErasureGoesOn) {
  ASSERT_THAT(Restrict(RestrictionGround::kNeededForClaims), IsOk());
  vault_.clock().Advance(std::chrono::days(4000));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  EXPECT_THAT(ReadFor(kService), HasReason(Reason::kProcessingRestricted));
  EXPECT_THAT(Erase(vault_, ann_), IsOk());
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_TRUE(VerifyErasure(vault_, ann_)->erased());
}

TEST_F(RestrictionsTest, ARepeatedRequestHasOneEffect) {
  Call set = FullCall(vault_, Action::kRestrictionSet);
  set.request = RequestOf(1);
  Call lift = FullCall(vault_, Action::kRestrictionLift);
  lift.request = RequestOf(1);
  const auto since = Restrict(set, RestrictionGround::kUnlawful);
  ASSERT_THAT(Lift(lift, RestrictionGround::kUnlawful, ProofOf('n')),
              IsOkAndHolds(0));
  Wait();
  EXPECT_EQ(Restrict(set, RestrictionGround::kUnlawful), since);
  EXPECT_THAT(ReadFor(kService), IsOk());
  EXPECT_THAT(Lift(lift, RestrictionGround::kUnlawful, ProofOf('n')),
              IsOkAndHolds(0));
}

TEST_F(RestrictionsTest, WhoMayNotOrIsNotThereIsRefused) {
  const auto by = [&](std::string_view actor, Action action) {
    return vault_.CallOf(actor, action, kSupport);
  };
  EXPECT_THAT(Restrict(by(kMaskedOnly, Action::kRestrictionSet),
                       RestrictionGround::kUnlawful),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_THAT(Lift(by(kMaskedOnly, Action::kRestrictionLift),
                   RestrictionGround::kUnlawful, ProofOf('n')),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_THAT(Object(by(kMaskedOnly, Action::kConsentObject), kToSupport),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_THAT(
      Decide(by(kMaskedOnly, Action::kConsentDecide), Upheld(kToSupport)),
      HasReason(Reason::kCallerNotEntitled));
  ann_ = NewSubjectId();
  EXPECT_THAT(Restrict(RestrictionGround::kUnlawful),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Lift(RestrictionGround::kUnlawful),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Object(kToSupport), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Decide(Upheld(kToSupport)), HasReason(Reason::kSubjectNotFound));
}

TEST_F(RestrictionsTest, WithoutAPolicyNothingIsPromised) {
  ann_ = NewPersonOfGlobex(vault_, "gil@example.com");
  const auto other = [&](Action action) {
    return vault_.CallOf(test::kOtherFull, action, kService);
  };
  EXPECT_THAT(
      Restrict(other(Action::kRestrictionSet), RestrictionGround::kUnlawful),
      HasReason(Reason::kNotInPolicy));
  EXPECT_THAT(Object(other(Action::kConsentObject), kToMarketing),
              HasReason(Reason::kNotInPolicy));
}

TEST_F(RestrictionsTest, AReadThatWasDecidedBeforeLosesToTheRestriction) {
  const Call call = FullCall(vault_, Action::kRecordGet);
  auto late = vault_.NewAttempt(call);
  ASSERT_THAT(ReadIn(*late, call), IsOk());
  ASSERT_THAT(Restrict(RestrictionGround::kUnlawful), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(late)).status,
              HasReason(Reason::kConflict));
}

}  // namespace
}  // namespace hizo::vault
