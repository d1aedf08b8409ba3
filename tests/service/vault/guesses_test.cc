#include "service/vault/guesses.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Pii;
using base::Reason;
using base::SubjectId;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::IsOk;
using test::IsOkAndHolds;
using test::kAuthentication;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const base::Timestamp kNow = base::FromMicros(1'700'000'000'000'000);

TEST(WaitUntilTest, ComesAfterTheFreeGuessesAndDoublesUpToItsBound) {
  for (size_t wrong = 0; wrong < kFreeGuesses; ++wrong) {
    EXPECT_EQ(WaitUntil(wrong, kNow, kNow), std::nullopt) << wrong;
  }
  seconds expected = kWaitFirst;
  for (size_t wrong = kFreeGuesses; wrong < 100; ++wrong) {
    EXPECT_EQ(WaitUntil(wrong, kNow, kNow), kNow + expected) << wrong;
    expected = std::min(2 * expected, kWaitMax);
  }
}

TEST(WaitUntilTest, EndsWithItsTime) {
  const auto last = std::chrono::microseconds(1);
  EXPECT_EQ(WaitUntil(kFreeGuesses, kNow - kWaitFirst, kNow), std::nullopt);
  EXPECT_EQ(WaitUntil(kFreeGuesses, kNow - kWaitFirst + last, kNow),
            kNow + last);
}

TEST(WaitUntilTest, IsNoLongerAfterAClockThatWasPutBack) {
  EXPECT_EQ(WaitUntil(100, kNow + hours(24 * 365), kNow), kNow + kWaitMax);
}

class GuessesTest : public ::testing::Test {
 protected:
  GuessesTest() {
    Set(ann_);
    Set(bob_);
  }

  void Set(SubjectId subject) {
    const Call call =
        vault_.CallOf(kFull, Action::kCredentialSet, kAuthentication);
    EXPECT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().credentials().Set(
                                 attempt, call, subject, Pii("right"));
                           }),
                IsOk());
  }
  absl::StatusOr<std::optional<SubjectId>> VerifyIn(
      Attempt& attempt, const Call& call, const std::string& password) {
    return vault_.store().credentials().Verify(attempt, call, {ann_, "", Pii()},
                                               Pii(password));
  }
  Call VerifyCall() {
    return vault_.CallOf(kFull, Action::kCredentialVerify, kAuthentication);
  }
  // Whether it was taken for right.
  bool Verify(const std::string& password) {
    const Call call = VerifyCall();
    const auto verified = vault_.Run(call, [&](Attempt& attempt) {
      return VerifyIn(attempt, call, password);
    });
    EXPECT_THAT(verified, IsOk());
    return verified.ok() && verified->has_value();
  }
  // As many wrong ones, each once it may be tried.
  void Guess(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      vault_.clock().Advance(kWaitMax);
      EXPECT_FALSE(Verify("wrong"));
      EXPECT_EQ(LastReason(), Reason::kPasswordWrong);
    }
  }
  Reason LastReason() { return vault_.LastEvent().reason; }
  // Rows of guesses: all of the class but the hash.
  size_t Rows() {
    const auto rows = vault_.data().Scan(storage::PrefixRange(
        RecordPrefix(kAcme, ann_, policy::kClassCredential),
        storage::kScanLimitMax));
    EXPECT_THAT(rows, IsOk());
    return rows->size() - 1;
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, "ann@example.com");
  const SubjectId bob_ = NewPerson(vault_, "bob@example.com");
};

TEST_F(GuessesTest, LeaveTheRightPasswordAloneAsLongAsTheyAreFew) {
  for (size_t i = 0; i + 1 < kFreeGuesses; ++i) EXPECT_FALSE(Verify("wrong"));
  EXPECT_TRUE(Verify("right"));
}

TEST_F(GuessesTest, MakeEvenTheRightPasswordWait) {
  for (size_t i = 0; i < kFreeGuesses; ++i) EXPECT_FALSE(Verify("wrong"));
  EXPECT_FALSE(Verify("right"));
  EXPECT_EQ(LastReason(), Reason::kLockedOut);
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kFailed);
  vault_.clock().Advance(kWaitFirst);
  EXPECT_TRUE(Verify("right"));
}

TEST_F(GuessesTest, OfOnePersonAreNoOtherPersons) {
  Guess(kFreeGuesses);
  const Call call = VerifyCall();
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().credentials().Verify(
                               attempt, call, {bob_, "", Pii()}, Pii("right"));
                         }),
              IsOkAndHolds(bob_));
}

TEST_F(GuessesTest, AreForgottenWithTheRightPassword) {
  Guess(kFreeGuesses + 2);
  EXPECT_EQ(Rows(), kFreeGuesses + 2);
  vault_.clock().Advance(kWaitMax);
  EXPECT_TRUE(Verify("right"));
  EXPECT_EQ(Rows(), 0U);
  for (size_t i = 0; i + 1 < kFreeGuesses; ++i) EXPECT_FALSE(Verify("wrong"));
  EXPECT_TRUE(Verify("right"));
}

TEST_F(GuessesTest, AreForgottenWithANewPassword) {
  Guess(kFreeGuesses);
  EXPECT_FALSE(Verify("right"));
  Set(ann_);
  EXPECT_EQ(Rows(), 0U);
  EXPECT_TRUE(Verify("right"));
}

TEST_F(GuessesTest, InAWaitMakeItNoLonger) {
  for (size_t i = 0; i < kFreeGuesses; ++i) EXPECT_FALSE(Verify("wrong"));
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(Verify("wrong"));
    EXPECT_EQ(LastReason(), Reason::kLockedOut);
  }
  EXPECT_EQ(Rows(), kFreeGuesses);
  vault_.clock().Advance(kWaitFirst);
  EXPECT_TRUE(Verify("right"));
}

TEST_F(GuessesTest, MakeEachWaitTwiceAsLongUpToTheLongest) {
  Guess(kFreeGuesses - 1);
  seconds wait = kWaitFirst;
  for (int i = 0; i < 15; ++i) {
    vault_.clock().Advance(kWaitMax);
    EXPECT_FALSE(Verify("wrong"));
    vault_.clock().Advance(wait - seconds(1));
    EXPECT_FALSE(Verify("wrong"));
    EXPECT_EQ(LastReason(), Reason::kLockedOut) << i;
    wait = std::min(2 * wait, kWaitMax);
  }
  EXPECT_LE(Rows(), kGuessesKept);
  vault_.clock().Advance(seconds(1));
  EXPECT_TRUE(Verify("right"));
}

TEST_F(GuessesTest, CountForADay) {
  Guess(kFreeGuesses);
  vault_.clock().Advance(kGuessCounts + seconds(1));
  EXPECT_FALSE(Verify("wrong"));
  EXPECT_TRUE(Verify("right"));
}

TEST_F(GuessesTest, OutliveARestart) {
  for (size_t i = 0; i < kFreeGuesses; ++i) EXPECT_FALSE(Verify("wrong"));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_FALSE(Verify("right"));
  EXPECT_EQ(LastReason(), Reason::kLockedOut);
}

TEST_F(GuessesTest, LockNobodyOutForLongerAfterTheClockWasPutBack) {
  Guess(kFreeGuesses + 10);
  vault_.clock().Advance(-minutes(1));
  EXPECT_FALSE(Verify("right"));
  vault_.clock().Advance(2 * kWaitMax);
  EXPECT_TRUE(Verify("right"));
  Guess(kFreeGuesses + 10);
  vault_.clock().Advance(-hours(1000));
  EXPECT_TRUE(Verify("right"));
}

TEST_F(GuessesTest, AtTheSameTimeCountAsManyAndGetFewVerdicts) {
  constexpr size_t kAtOnce = 64;
  struct Begun {
    Call call;
    std::unique_ptr<Attempt> attempt;
  };
  std::vector<Begun> begun;
  size_t verdicts = 0;
  for (size_t i = 0; i < kAtOnce; ++i) {
    Begun each{VerifyCall(), nullptr};
    each.attempt = vault_.NewAttempt(each.call);
    const auto verified = VerifyIn(*each.attempt, each.call, "wrong");
    EXPECT_THAT(verified, IsOkAndHolds(std::nullopt));
    each.attempt->Conclude(verified.status());
    if (each.attempt->event().reason == Reason::kPasswordWrong) ++verdicts;
    begun.push_back(std::move(each));
  }
  EXPECT_EQ(verdicts, kFreeGuesses);
  for (Begun& each : begun) {
    EXPECT_THAT(vault_.Commit(std::move(each.attempt)).status, IsOk());
  }
  EXPECT_EQ(Rows(), kAtOnce);
  // As long a wait as there is.
  vault_.clock().Advance(kWaitMax - seconds(1));
  EXPECT_FALSE(Verify("right"));
  EXPECT_EQ(LastReason(), Reason::kLockedOut);
  vault_.clock().Advance(seconds(1));
  EXPECT_FALSE(Verify("wrong"));
  EXPECT_LE(Rows(), kGuessesKept);
}

TEST_F(GuessesTest, ThatAreOverNoLongerCrowdOthersOut) {
  const Call call = VerifyCall();
  for (int i = 0; i < 20; ++i) {
    auto attempt = vault_.NewAttempt(call);
    // Right, and dropped as one that lost a race is.
    EXPECT_THAT(VerifyIn(*attempt, call, "right"), IsOkAndHolds(ann_));
  }
  EXPECT_TRUE(Verify("right"));
}

TEST_F(GuessesTest, WhoseRowIsDamagedAreNoFreeGuess) {
  EXPECT_FALSE(Verify("wrong"));
  const auto rows = vault_.data().Scan(storage::PrefixRange(
      RecordPrefix(kAcme, ann_, policy::kClassCredential), 10));
  ASSERT_THAT(rows, IsOk());
  ASSERT_THAT(*rows, SizeIs(2));
  std::string damaged = rows->back().value;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  test::Overwrite(vault_.data(), rows->back().key, damaged);
  const Call call = VerifyCall();
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return VerifyIn(attempt, call, "right");
                         }),
              test::HasReason(Reason::kIntegrityFailure));
}

}  // namespace
}  // namespace hizo::vault
