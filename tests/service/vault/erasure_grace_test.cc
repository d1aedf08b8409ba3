// Erasures that can be taken back: what is so at once, what comes back, and
// that it is final when the grace is over, whoever races it.
#include "service/vault/erasure_grace.h"

#include <chrono>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/query.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/data_check.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using std::chrono::days;
using std::chrono::hours;
using test::FaultyEngine;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::RowsOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kAnns[] = "ann@example.com";
constexpr char kPassword[] = "correct horse";
constexpr days kGrace{14};

class ErasureGraceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(
        Put(vault_, ann_, RecordOf("profile", {{"full_name", "Ann Other"}})),
        IsOk());
    const Call call = FullCall(vault_, Action::kCredentialSet);
    ASSERT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().credentials().Set(
                                 attempt, call, ann_, base::Pii(kPassword));
                           }),
                IsOk());
  }
  bool Verify() {
    const Call call = FullCall(vault_, Action::kCredentialVerify);
    const auto verified = vault_.Run(call, [&](Attempt& attempt) {
      Who who;
      who.subject = ann_;
      return vault_.store().credentials().Verify(attempt, call, who,
                                                 base::Pii(kPassword));
    });
    return verified.ok() && verified->has_value();
  }
  uint64_t WrongRows() {
    const auto& store = vault_.store();
    const auto verdict =
        DataCheck({vault_.keys(), vault_.data(), store.store_keys(),
                   vault_.Policy().access, store.log().head().size})
            .Run();
    EXPECT_THAT(verdict, IsOk());
    return verdict.ok() ? verdict->wrong : 1;
  }
  auto Name() { return Get(vault_, ann_, "profile", {"full_name"}); }
  void ExpectGone() {
    EXPECT_THAT(Name(), HasReason(Reason::kSubjectNotFound));
    EXPECT_THAT(Find(vault_, "account.email", kAnns),
                HasReason(Reason::kSubjectNotFound));
    EXPECT_FALSE(Verify());
  }
  void ExpectThere() {
    EXPECT_THAT(Name(), IsOk());
    EXPECT_THAT(Find(vault_, "account.email", kAnns),
                IsOkAndHolds(ElementsAre(ann_)));
    EXPECT_TRUE(Verify());
    EXPECT_THAT(
        Put(vault_, ann_, RecordOf("profile", {{"full_name", "Ann Other"}})),
        IsOk());
  }
  absl::Status Cancel() { return CancelErasure(vault_, ann_); }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, kAnns);
};

TEST_F(ErasureGraceTest, NobodyFindsThePersonMeanwhile) {
  const auto erasure = Erase(vault_, ann_, kGrace);
  ASSERT_THAT(erasure, IsOk());
  EXPECT_EQ(erasure->grace_until, vault_.clock().Now() + kGrace);
  EXPECT_EQ(erasure->stage, ErasureStage::kAccepted);
  ExpectGone();
  EXPECT_THAT(vault_.store().WaitingErasures(), IsOkAndHolds(0));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  EXPECT_EQ(vault_.store().store_keys().epoch(), 1);
  ASSERT_THAT(vault_.Reopen(), IsOk());
  ExpectGone();
  EXPECT_THAT(GetErasure(vault_, ann_)->receipts, IsEmpty());
}

TEST_F(ErasureGraceTest, WhatIsTakenBackIsAsBefore) {
  ASSERT_THAT(Erase(vault_, ann_, kGrace), IsOk());
  vault_.clock().Advance(kGrace - hours(1));
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  ASSERT_THAT(Cancel(), IsOk());
  ExpectThere();
  EXPECT_THAT(GetErasure(vault_, ann_), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Cancel(), HasReason(Reason::kRecordNotFound));
  vault_.clock().Advance(days(1000));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  ExpectThere();
  EXPECT_THAT(RowsOf(vault_.keys(), base::kSpaceFence), IsEmpty());
  // No older row of theirs has been put back, says the log.
  EXPECT_EQ(WrongRows(), 0);
}

TEST_F(ErasureGraceTest, ItIsFinalWhenTheGraceIsOver) {
  ASSERT_THAT(Erase(vault_, ann_, kGrace), IsOk());
  vault_.clock().Advance(kGrace - std::chrono::microseconds(1));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  vault_.clock().Advance(std::chrono::microseconds(1));
  EXPECT_THAT(Cancel(), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  ExpectGone();
  const auto check = VerifyErasure(vault_, ann_);
  ASSERT_THAT(check, IsOk());
  EXPECT_TRUE(check->erased());
  EXPECT_EQ(GetErasure(vault_, ann_)->grace_until, std::nullopt);
  EXPECT_THAT(Cancel(), HasReason(Reason::kRecordNotFound));
}

// The event by which it became final names the person and nobody who asked.
TEST_F(ErasureGraceTest, TheEndOfTheGraceIsInTheLog) {
  ASSERT_THAT(Erase(vault_, ann_, kGrace), IsOk());
  const audit::Event asked = vault_.LastEvent();
  vault_.clock().Advance(kGrace);
  const uint64_t before = vault_.store().log().head().size;
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  const auto page = audit::Query(vault_.data(), before + 2, {},
                                 audit::Order::kOldestFirst, before, 10);
  ASSERT_THAT(page, IsOk());
  ASSERT_THAT(page->events, SizeIs(2));
  const audit::Event& end = page->events[0].event;
  EXPECT_EQ(end.action, Action::kErasureExecute);
  EXPECT_EQ(end.actor, "hizod");
  EXPECT_EQ(end.subject, asked.subject);
  EXPECT_EQ(page->events[1].event.action, Action::kErasureFinish);
}

TEST_F(ErasureGraceTest, AddressesStayTheirsUntilItIsOver) {
  ASSERT_THAT(Erase(vault_, ann_, kGrace), IsOk());
  EXPECT_THAT(
      Create(vault_, RecordsOf(RecordOf("account", {{"email", kAnns}}))),
      HasReason(Reason::kAlreadyExists));
  vault_.clock().Advance(kGrace);
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  const SubjectId again = NewPerson(vault_, kAnns);
  EXPECT_NE(again, ann_);
  EXPECT_THAT(Find(vault_, "account.email", kAnns),
              IsOkAndHolds(ElementsAre(again)));
}

TEST_F(ErasureGraceTest, AskingAgainCutsItAndNeverMakesItLonger) {
  const auto first = Erase(vault_, ann_, kGrace);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(Erase(vault_, ann_, kErasureGraceMax)->grace_until,
            first->grace_until);
  const auto cut = Erase(vault_, ann_, days(2));
  ASSERT_THAT(cut, IsOk());
  EXPECT_EQ(cut->grace_until, vault_.clock().Now() + days(2));
  EXPECT_EQ(GetErasure(vault_, ann_)->grace_until, cut->grace_until);
  const auto now = Erase(vault_, ann_, days(0));
  ASSERT_THAT(now, IsOk());
  EXPECT_EQ(now->grace_until, std::nullopt);
  EXPECT_EQ(now->accepted, first->accepted);
  EXPECT_THAT(Cancel(), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
}

TEST_F(ErasureGraceTest, RefusesAGraceThatIsNone) {
  for (const days bad : {days(-1), kErasureGraceMax + days(1)}) {
    EXPECT_THAT(Erase(vault_, ann_, bad), HasReason(Reason::kValueInvalid));
  }
  ExpectThere();
  ASSERT_THAT(Erase(vault_, ann_, kErasureGraceMax), IsOk());
  EXPECT_THAT(Erase(vault_, ann_, days(-1)), HasReason(Reason::kValueInvalid));
}

TEST_F(ErasureGraceTest, OnlyWhoMayTakesItBack) {
  ASSERT_THAT(Erase(vault_, ann_, kGrace), IsOk());
  const auto as = [&](const char* actor, policy::PurposeNumber purpose) {
    const Call call = vault_.CallOf(actor, Action::kErasureCancel, purpose);
    return vault_
        .Run(call,
             [&](Attempt& attempt) -> absl::StatusOr<bool> {
               const auto done =
                   vault_.store().erasures().Cancel(attempt, call, ann_);
               return done.ok() ? absl::StatusOr<bool>(true) : done;
             })
        .status();
  };
  EXPECT_THAT(as(test::kClerk, test::kBilling),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_THAT(as(test::kOtherFull, kService),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(CancelErasure(vault_, SubjectId()),
              HasReason(Reason::kSubjectNotFound));
  ExpectGone();
}

TEST_F(ErasureGraceTest, ASealOfOthersLeavesItAsItIs) {
  ASSERT_THAT(Erase(vault_, ann_, kGrace), IsOk());
  for (int i = 0; i < 40; ++i) {
    const SubjectId other =
        NewPerson(vault_, "other" + std::to_string(i) + "@example.com");
    ASSERT_THAT(Erase(vault_, other), IsOk());
  }
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(40));
  ExpectGone();
  ASSERT_THAT(Cancel(), IsOk());
  ExpectThere();
}

// A hundred thousand people may be in grace, and there is a look each second.
TEST_F(ErasureGraceTest, WhoIsInGraceIsNotReadAgainBeforeItIsOver) {
  const SubjectId eve = NewPerson(vault_, "eve@example.com");
  const auto reads_of_a_look = [this] {
    const size_t before = vault_.keys().reads();
    EXPECT_THAT(vault_.store().FinishErasures(), IsOk());
    return vault_.keys().reads() - before;
  };
  ASSERT_THAT(Erase(vault_, ann_, std::chrono::days(30)), IsOk());
  const size_t first = reads_of_a_look();
  EXPECT_LT(reads_of_a_look(), first);
  // Whoever comes meanwhile is seen at once,
  ASSERT_THAT(Erase(vault_, eve), IsOk());
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_EQ(GetErasure(vault_, ann_)->stage, ErasureStage::kAccepted);
  EXPECT_LT(reads_of_a_look(), first);
  // and the end as well, to the second.
  vault_.clock().Advance(std::chrono::days(30) - std::chrono::seconds(1));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  vault_.clock().Advance(std::chrono::seconds(1));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
}

TEST_F(ErasureGraceTest, WhatWasReplacedBeforeDiesInOldCopiesAllTheSame) {
  ASSERT_THAT(
      Put(vault_, ann_, RecordOf("profile", {{"full_name", "Ann Second"}})),
      IsOk());
  ASSERT_THAT(vault_.store().WaitingRenewals(), IsOkAndHolds(Gt(0U)));
  ASSERT_THAT(Erase(vault_, ann_, kGrace), IsOk());
  ASSERT_THAT(vault_.store().Renew(), IsOk());
  ASSERT_THAT(Cancel(), IsOk());
  EXPECT_THAT(vault_.store().WaitingRenewals(), IsOkAndHolds(Gt(0U)));
  ASSERT_THAT(vault_.store().Renew(), IsOk());
  ExpectThere();
}

TEST_F(ErasureGraceTest, EveryFailingCommitLeavesOneOfBoth) {
  for (const bool of_keys : {true, false}) {
    for (const auto when : {FaultyEngine::When::kBeforeApplied,
                            FaultyEngine::When::kAfterApplied}) {
      ASSERT_THAT(Erase(vault_, ann_, kGrace), IsOk());
      FaultyEngine& engine = of_keys ? vault_.keys() : vault_.data();
      engine.FailCommit(1, when, absl::DataLossError("injected"));
      const absl::Status cancelled = Cancel();
      ASSERT_THAT(vault_.Reopen(), IsOk());
      const bool there = Name().ok();
      EXPECT_TRUE(there || !cancelled.ok());
      if (!there) {
        ExpectGone();
        ASSERT_THAT(Cancel(), IsOk());
      }
      ExpectThere();
    }
  }
}

// Whatever the order, the person is whole or gone, and one answer says which.
TEST_F(ErasureGraceTest, TakingBackAtTheLastMomentRacesTheEnd) {
  for (int round = 0; round < 20; ++round) {
    const std::string email = "racer" + std::to_string(round) + "@example.com";
    const SubjectId racer = NewPerson(vault_, email);
    ASSERT_THAT(Erase(vault_, racer, days(1)), IsOk());
    vault_.clock().Advance(days(1) - std::chrono::microseconds(1));
    absl::Status cancelled;
    {
      std::jthread canceller([&] { cancelled = CancelErasure(vault_, racer); });
      vault_.clock().Advance(std::chrono::microseconds(1));
      EXPECT_THAT(vault_.store().FinishErasures(), IsOk());
    }
    ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
    if (cancelled.ok()) {
      EXPECT_THAT(Find(vault_, "account.email", email),
                  IsOkAndHolds(ElementsAre(racer)));
    } else {
      // Behind dispatch the second is run again and gets the first.
      EXPECT_THAT(cancelled, AnyOf(HasReason(Reason::kRecordNotFound),
                                   HasReason(Reason::kConflict)));
      EXPECT_TRUE(VerifyErasure(vault_, racer)->erased());
    }
  }
}

}  // namespace
}  // namespace hizo::vault
