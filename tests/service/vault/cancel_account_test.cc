#include <chrono>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/credentials.h"
#include "service/vault/row_keys.h"
#include "service/vault/subjects.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kAuthentication;
using test::kBilling;
using test::kNobody;
using test::kSupport;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kEmail[] = "ann@example.com";

class CancelAccountTest : public ::testing::Test {
 protected:
  absl::StatusOr<base::Timestamp> Cancel(const Call& call, SubjectId subject) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().subjects().Cancel(attempt, call, subject);
    });
  }
  absl::StatusOr<base::Timestamp> CancelAnn() {
    return Cancel(FullCall(vault_, Action::kSubjectCancel), ann_);
  }
  absl::Status ReadFor(policy::PurposeNumber purpose) {
    const Call call = vault_.CallOf(kFull, Action::kRecordGet, purpose);
    return vault_
        .Run(call,
             [&](Attempt& attempt) {
               return vault_.store().records().Get(
                   attempt, call,
                   {ann_,
                    std::nullopt,
                    {"profile", {"full_name"}, policy::View::kPlain}});
             })
        .status();
  }
  absl::StatusOr<std::optional<SubjectId>> SignIn(const std::string& email) {
    const Call call =
        vault_.CallOf(kFull, Action::kCredentialVerify, kAuthentication);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().credentials().Verify(
          attempt, call, {std::nullopt, "account.email", base::Pii(email)},
          base::Pii("password"));
    });
  }
  absl::Status SetPassword() {
    const Call call =
        vault_.CallOf(kFull, Action::kCredentialSet, kAuthentication);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().credentials().Set(attempt, call, ann_,
                                              base::Pii("password"));
    });
  }
  absl::StatusOr<std::vector<SubjectId>> FindFor(policy::PurposeNumber purpose,
                                                 const std::string& field,
                                                 const std::string& value) {
    return Find(vault_, vault_.CallOf(kFull, Action::kSubjectFind, purpose),
                field, value);
  }
  absl::StatusOr<SubjectDescription> Describe() {
    const Call call = vault_.CallOf(kFull, Action::kSubjectGet, kBilling);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().subjects().Get(attempt, call, ann_);
    });
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, kEmail);
};

TEST_F(CancelAccountTest, TellsWhenAndKeepsIt) {
  const base::Timestamp now = vault_.clock().Now();
  EXPECT_THAT(CancelAnn(), IsOkAndHolds(now));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  const auto described = Describe();
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ(described->state, policy::SubjectState::kCancelled);
  EXPECT_EQ(described->cancelled, now);
}

TEST_F(CancelAccountTest, ADescriptionOfAnAccountThatStandsHasNoTime) {
  const auto described = Describe();
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ(described->state, policy::SubjectState::kActive);
  EXPECT_FALSE(described->cancelled.has_value());
}

TEST_F(CancelAccountTest, WritesTheFactsAndNothingElse) {
  const std::string facts_key = FactsKey(kAcme, ann_);
  const std::string profile_key = RecordKey(kAcme, ann_, 2, {});
  const std::string facts = test::Stored(vault_.data(), facts_key);
  const std::string profile = test::Stored(vault_.data(), profile_key);
  ASSERT_THAT(CancelAnn(), IsOk());
  EXPECT_NE(test::Stored(vault_.data(), facts_key), facts);
  EXPECT_EQ(test::Stored(vault_.data(), profile_key), profile);
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.action, Action::kSubjectCancel);
  EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
  ASSERT_THAT(event.writes, SizeIs(1));
  EXPECT_EQ(event.writes[0].class_number, policy::kClassFacts);
}

TEST_F(CancelAccountTest, AgainIsTheSameAndWritesNothing) {
  const auto first = CancelAnn();
  vault_.clock().Advance(std::chrono::hours(48));
  const std::string facts = test::Stored(vault_.data(), FactsKey(kAcme, ann_));
  EXPECT_THAT(CancelAnn(), IsOkAndHolds(*first));
  EXPECT_EQ(test::Stored(vault_.data(), FactsKey(kAcme, ann_)), facts);
  EXPECT_THAT(vault_.LastEvent().writes, IsEmpty());
}

TEST_F(CancelAccountTest, ARequestIdIsForOneBody) {
  Call call = FullCall(vault_, Action::kSubjectCancel);
  call.request = RequestOf(1);
  call.body = "ann";
  const auto first = Cancel(call, ann_);
  EXPECT_THAT(Cancel(call, ann_), IsOkAndHolds(*first));
  call.body = "bob";
  EXPECT_THAT(Cancel(call, NewPerson(vault_, "bob@example.com")),
              HasReason(Reason::kRequestIdReused));
}

TEST_F(CancelAccountTest, EndsEveryPurposeThatNeedsTheAccount) {
  ASSERT_THAT(ReadFor(kSupport), IsOk());
  ASSERT_THAT(CancelAnn(), IsOk());
  for (const policy::PurposeNumber purpose : {kService, kSupport}) {
    EXPECT_THAT(ReadFor(purpose), HasReason(Reason::kPurposeNotAllowed));
    EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
  }
  EXPECT_THAT(Put(vault_, ann_, RecordOf("profile", {{"full_name", "A"}})),
              HasReason(Reason::kPurposeNotAllowed));
  EXPECT_THAT(ReadFor(kBilling), IsOk());
}

TEST_F(CancelAccountTest, EndsSigningInWithTheAnswerForNobody) {
  ASSERT_THAT(SetPassword(), IsOk());
  ASSERT_THAT(SignIn(kEmail), IsOkAndHolds(std::optional(ann_)));
  ASSERT_THAT(CancelAnn(), IsOk());
  EXPECT_THAT(SignIn(kEmail), IsOkAndHolds(std::nullopt));
  EXPECT_EQ(vault_.LastEvent().reason, Reason::kSubjectNotFound);
  EXPECT_THAT(SignIn("eve@example.com"), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(SetPassword(), HasReason(Reason::kPurposeNotAllowed));
}

TEST_F(CancelAccountTest, IsNotFoundAnyMoreButForWhatGoesOn) {
  ASSERT_THAT(CancelAnn(), IsOk());
  EXPECT_THAT(FindFor(kService, "account.email", kEmail),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(FindFor(kBilling, "account.email", kEmail),
              IsOkAndHolds(ElementsAre(ann_)));
}

TEST_F(CancelAccountTest, OthersWithTheSameValueAreStillFound) {
  const std::string phone = "+81312345678";
  std::vector<SubjectId> people;
  for (int i = 0; i < 3; ++i) {
    people.push_back(
        Create(vault_, RecordsOf(RecordOf("account", {{"phone", phone}})))
            ->subject);
  }
  ASSERT_THAT(Cancel(FullCall(vault_, Action::kSubjectCancel), people[1]),
              IsOk());
  const size_t before = vault_.Events().size();
  EXPECT_THAT(
      FindFor(kService, "account.phone", phone),
      IsOkAndHolds(::testing::UnorderedElementsAre(people[0], people[2])));
  // Everybody who was looked at has an event.
  EXPECT_THAT(vault_.Events(), SizeIs(before + 3));
}

TEST_F(CancelAccountTest, KeepsTheAddressTaken) {
  ASSERT_THAT(CancelAnn(), IsOk());
  EXPECT_THAT(
      Create(vault_, RecordsOf(RecordOf("account", {{"email", kEmail}}))),
      HasReason(Reason::kAlreadyExists));
}

TEST_F(CancelAccountTest, AReadThatBeganBeforeLosesAgainstIt) {
  const Call call = FullCall(vault_, Action::kRecordGet);
  auto late = vault_.NewAttempt(call);
  ASSERT_THAT(vault_.store().records().Get(
                  *late, call,
                  {ann_,
                   std::nullopt,
                   {"profile", {"full_name"}, policy::View::kPlain}}),
              IsOk());
  ASSERT_THAT(CancelAnn(), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(late)).status,
              HasReason(Reason::kConflict));
}

TEST_F(CancelAccountTest, ChangesNothingWhenTheDiskIsFull) {
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(CancelAnn(), HasReason(Reason::kAuditUnavailable));
  EXPECT_THAT(ReadFor(kService), IsOk());
}

TEST_F(CancelAccountTest, IsRefusedToWhoMayNotAndForWhoIsNotThere) {
  EXPECT_THAT(
      Cancel(vault_.CallOf(kNobody, Action::kSubjectCancel, kService), ann_),
      HasReason(Reason::kCallerNotEntitled));
  EXPECT_THAT(Cancel(FullCall(vault_, Action::kSubjectCancel), NewSubjectId()),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(
      Cancel(vault_.CallOf(test::kOtherFull, Action::kSubjectCancel, kService),
             ann_),
      HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(ReadFor(kService), IsOk());
}

}  // namespace
}  // namespace hizo::vault
