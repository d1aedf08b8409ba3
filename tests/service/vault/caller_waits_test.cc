#include "service/vault/caller_waits.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Pii;
using base::Reason;
using base::SubjectId;
using std::chrono::hours;
using std::chrono::seconds;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kAuthentication;
using test::kNobody;
using test::kOtherFull;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint32_t kPerMinute = 6;

class CallerWaitsTest : public ::testing::Test {
 protected:
  CallerWaitsTest() {
    vault_.passwords().misses_per_minute = kPerMinute;
    EXPECT_THAT(vault_.Reopen(), IsOk());
  }

  // By kFull, with a person of their own each: nobody has to wait for theirs.
  absl::Status Guess(const char* actor = kFull) {
    const Call call =
        vault_.CallOf(actor, Action::kCredentialVerify, kAuthentication);
    return vault_
        .Run(call,
             [&](Attempt& attempt) {
               return vault_.store().credentials().Verify(
                   attempt, call, {NewSubjectId(), "", Pii()}, Pii("wrong"));
             })
        .status();
  }
  // How many wrong ones the caller has before it has to wait.
  uint32_t Spend() {
    uint32_t guesses = 0;
    while (guesses < 1000 && Guess().ok()) ++guesses;
    return guesses;
  }
  // How long it has to wait.
  seconds Wait(const char* actor = kFull) {
    return base::RetryAfterOf(Guess(actor));
  }
  absl::StatusOr<seconds> Unlock(const std::string& caller,
                                 const char* actor = kFull) {
    const Call call =
        vault_.CallOf(actor, Action::kCredentialUnlockCaller, kAuthentication);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().credentials().UnlockCaller(attempt, call, caller);
    });
  }
  auto Waiting() {
    return *vault_.store().credentials().WaitingCallers(vault_.clock().Now());
  }

  VaultFixture vault_;
};

TEST_F(CallerWaitsTest, LetACallerBeWrongAMinutesWorthAtOnce) {
  EXPECT_EQ(Spend(), kPerMinute);
  EXPECT_THAT(Guess(), HasReason(Reason::kRateLimited));
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
  EXPECT_EQ(vault_.LastEvent().reason, Reason::kRateLimited);
  EXPECT_EQ(Wait(), kCallerWaitFirst);
}

TEST_F(CallerWaitsTest, LetItGoOnWithHalfOfThem) {
  Spend();
  vault_.clock().Advance(kCallerWaitFirst);
  EXPECT_EQ(Spend(), kPerMinute / 2);
}

TEST_F(CallerWaitsTest, GrowEachTimeAndAreBounded) {
  seconds expected = kCallerWaitFirst;
  for (int i = 0; i < 10; ++i) {
    EXPECT_GT(Spend(), 0U);
    EXPECT_EQ(Wait(), expected) << i;
    vault_.clock().Advance(expected);
    expected = std::min(2 * expected, kCallerWaitMax);
  }
  EXPECT_EQ(expected, kCallerWaitMax);
}

TEST_F(CallerWaitsTest, AreShortAgainAfterAnHourWithoutOne) {
  Spend();
  vault_.clock().Advance(kCallerWaitFirst);
  Spend();
  EXPECT_EQ(Wait(), 2 * kCallerWaitFirst);
  vault_.clock().Advance(kCallerWaitCounts + seconds(1));
  EXPECT_EQ(Spend(), kPerMinute);
  EXPECT_EQ(Wait(), kCallerWaitFirst);
}

TEST_F(CallerWaitsTest, OutliveARestartWithAllThatLedToThem) {
  for (uint32_t i = 0; i + 1 < kPerMinute; ++i) ASSERT_THAT(Guess(), IsOk());
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(Spend(), 1U);
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(Wait(), kCallerWaitFirst);
  vault_.clock().Advance(kCallerWaitFirst);
  Spend();
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(Wait(), 2 * kCallerWaitFirst);
}

TEST_F(CallerWaitsTest, OfOneCallerAreNoOthers) {
  Spend();
  EXPECT_THAT(Guess(kOtherFull), IsOk());
  EXPECT_THAT(Waiting(), SizeIs(1));
  EXPECT_EQ(Waiting().front().caller, kFull);
  EXPECT_EQ(Waiting().front().until, vault_.clock().Now() + kCallerWaitFirst);
}

TEST_F(CallerWaitsTest, TakeEvenTheRightPasswordNot) {
  const SubjectId ann = NewPerson(vault_, "ann@example.com");
  const Call set =
      vault_.CallOf(kFull, Action::kCredentialSet, kAuthentication);
  ASSERT_THAT(vault_.Run(set,
                         [&](Attempt& attempt) {
                           return vault_.store().credentials().Set(
                               attempt, set, ann, Pii("right"));
                         }),
              IsOk());
  const Call call =
      vault_.CallOf(kFull, Action::kCredentialVerify, kAuthentication);
  const auto verify = [&] {
    return vault_.Run(call, [&](Attempt& attempt) {
      Call now = call;
      now.now = vault_.clock().Now();
      return vault_.store().credentials().Verify(attempt, now, {ann, "", Pii()},
                                                 Pii("right"));
    });
  };
  Spend();
  EXPECT_THAT(verify(), HasReason(Reason::kRateLimited));
  vault_.clock().Advance(kCallerWaitFirst);
  EXPECT_THAT(verify(), IsOkAndHolds(ann));
}

TEST_F(CallerWaitsTest, AreForgottenOnDemand) {
  Spend();
  EXPECT_THAT(Unlock(kFull), IsOkAndHolds(kCallerWaitFirst));
  EXPECT_THAT(Waiting(), IsEmpty());
  EXPECT_EQ(Spend(), kPerMinute);
  ASSERT_THAT(Unlock(kFull), IsOk());
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(Spend(), kPerMinute);
  EXPECT_EQ(Wait(), kCallerWaitFirst);
  EXPECT_THAT(Unlock(kOtherFull), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Unlock("spiffe://acme.example/nobody-knows"),
              HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Unlock(kFull, kNobody), HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(Wait(), kCallerWaitFirst);
}

// The answer leaves before the attempt ends.
TEST_F(CallerWaitsTest, AreForgottenBeforeTheAttemptEnds) {
  Spend();
  const Call call =
      vault_.CallOf(kFull, Action::kCredentialUnlockCaller, kAuthentication);
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           const auto left =
                               vault_.store().credentials().UnlockCaller(
                                   attempt, call, kFull);
                           EXPECT_THAT(Waiting(), IsEmpty());
                           return left;
                         }),
              IsOkAndHolds(kCallerWaitFirst));
}

TEST_F(CallerWaitsTest, StayWhereForgettingThemCouldNotBeRecorded) {
  Spend();
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::UnavailableError("no"));
  EXPECT_THAT(Unlock(kFull), ::testing::Not(IsOk()));
  EXPECT_EQ(Waiting().size(), 1U);
}

TEST_F(CallerWaitsTest, DoNotReachBackFromAClockThatWasWrong) {
  vault_.clock().Advance(hours(24 * 365));
  Spend();
  vault_.clock().Advance(-hours(24 * 365));
  EXPECT_EQ(Spend(), kPerMinute);
}

TEST_F(CallerWaitsTest, AreNoneWhereThereIsNoLimit) {
  vault_.passwords().misses_per_minute = 0;
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(Spend(), 1000U);
  EXPECT_THAT(test::RowsOf(vault_.data(), base::kSpaceCallerWait), IsEmpty());
}

TEST_F(CallerWaitsTest, NameNobodyInTheirRows) {
  ASSERT_THAT(Guess(), IsOk());
  const auto rows = test::RowsOf(vault_.data(), base::kSpaceCallerWait);
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].key.find("acme"), std::string::npos);
  test::Overwrite(vault_.data(), rows[0].key, "damaged");
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(Guess(), HasReason(Reason::kIntegrityFailure));
}

}  // namespace
}  // namespace hizo::vault
