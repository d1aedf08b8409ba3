#include "service/vault/erasures.h"

#include <set>
#include <string>
#include <vector>

#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::RowsOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kAnns[] = "ann@example.com";
constexpr char kBobs[] = "bob@example.com";

class ErasuresTest : public ::testing::Test {
 protected:
  absl::StatusOr<ErasurePlan> Plan(SubjectId subject) {
    const Call call = FullCall(vault_, Action::kErasurePlan);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().erasures().Plan(attempt, call, subject);
    });
  }
  void ExpectGone(SubjectId subject, const std::string& email) {
    EXPECT_THAT(Get(vault_, subject, "profile", {"full_name"}),
                HasReason(Reason::kSubjectNotFound));
    EXPECT_THAT(Find(vault_, "account.email", email),
                HasReason(Reason::kSubjectNotFound));
    EXPECT_THAT(
        Put(vault_, subject, RecordOf("profile", {{"full_name", "Again"}})),
        HasReason(Reason::kSubjectNotFound));
  }
  void ExpectThere(SubjectId subject, const std::string& email) {
    EXPECT_THAT(Get(vault_, subject, "profile", {"full_name"}), IsOk());
    EXPECT_THAT(Find(vault_, "account.email", email),
                IsOkAndHolds(ElementsAre(subject)));
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, kAnns);
  const SubjectId bob_ = NewPerson(vault_, kBobs);
};

TEST_F(ErasuresTest, NobodyFindsThePersonFromTheAcknowledgementOn) {
  const auto erasure = Erase(vault_, ann_);
  ASSERT_THAT(erasure, IsOk());
  EXPECT_EQ(erasure->stage, ErasureStage::kAccepted);
  EXPECT_THAT(erasure->receipts, IsEmpty());
  EXPECT_EQ(vault_.store().store_keys().epoch(), 1);
  ExpectGone(ann_, kAnns);
  ExpectThere(bob_, kBobs);
  EXPECT_THAT(vault_.store().WaitingErasures(), IsOkAndHolds(1));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  ExpectGone(ann_, kAnns);
  ExpectThere(bob_, kBobs);
}

TEST_F(ErasuresTest, AReturningPersonIsSomebodyNewBeforeTheSealAndAfter) {
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  const SubjectId before = NewPerson(vault_, kAnns);
  EXPECT_NE(before, ann_);
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  ExpectThere(before, kAnns);
  ASSERT_THAT(Erase(vault_, before), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  const SubjectId after = NewPerson(vault_, kAnns);
  ExpectThere(after, kAnns);
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(std::set({ann_, before, after}).size(), 3);
}

TEST_F(ErasuresTest, ASealLeavesNothingOfThePersonAndEverythingOfOthers) {
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_EQ(vault_.store().store_keys().epoch(), 2);
  for (const char space : {base::kSpaceFence, base::kSpaceDeks}) {
    for (const auto& row : RowsOf(vault_.keys(), space)) {
      EXPECT_THAT(row.key, Not(HasSubstr(std::string(ann_.bytes()))));
    }
  }
  for (const char space : {base::kSpaceRecord, base::kSpaceFacts}) {
    for (const auto& row : RowsOf(vault_.data(), space)) {
      EXPECT_THAT(row.key, Not(HasSubstr(std::string(ann_.bytes()))));
    }
  }
  EXPECT_THAT(RowsOf(vault_.keys(), base::kSpaceIndex), SizeIs(1));
  ExpectGone(ann_, kAnns);
  ExpectThere(bob_, kBobs);
  ASSERT_THAT(vault_.Reopen(), IsOk());
  ExpectGone(ann_, kAnns);
  ExpectThere(bob_, kBobs);
  const SubjectId carol = NewPerson(vault_, "carol@example.com");
  ExpectThere(carol, "carol@example.com");
}

TEST_F(ErasuresTest, EveryShardThatThePersonWasEverInIsReKeyed) {
  ASSERT_THAT(
      Put(vault_, ann_, RecordOf("account", {{"email", "second@example.com"}})),
      IsOk());
  std::set<std::string> before;
  for (const auto& row : RowsOf(vault_.keys(), base::kSpaceLeafKey)) {
    before.insert(row.value);
  }
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  size_t replaced = 0;
  for (const auto& row : RowsOf(vault_.keys(), base::kSpaceLeafKey)) {
    if (!before.contains(row.value)) ++replaced;
  }
  EXPECT_GE(replaced, 2);
  for (const std::string email : {kAnns, "second@example.com"}) {
    EXPECT_THAT(Find(vault_, "account.email", email),
                HasReason(Reason::kSubjectNotFound));
  }
}

TEST_F(ErasuresTest, ErasesOnceHoweverOftenItIsAsked) {
  const auto first = Erase(vault_, ann_);
  ASSERT_THAT(first, IsOk());
  vault_.clock().Advance(std::chrono::hours(1));
  const auto second = Erase(vault_, ann_);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->accepted, first->accepted);
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  const auto third = Erase(vault_, ann_);
  ASSERT_THAT(third, IsOk());
  EXPECT_EQ(third->stage, ErasureStage::kSealed);
  EXPECT_EQ(third->accepted, first->accepted);
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  EXPECT_EQ(vault_.store().store_keys().epoch(), 2);
}

TEST_F(ErasuresTest, TheReceiptIsSignedAndNamesNothingOfThePerson) {
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  const auto erasure = GetErasure(vault_, ann_);
  ASSERT_THAT(erasure, IsOk());
  ASSERT_THAT(erasure->receipts, SizeIs(1));
  const std::string& receipt = erasure->receipts.front();
  const auto text =
      crypto::OpenNote(receipt, vault_.store().log().verifier_key());
  ASSERT_THAT(text, IsOk());
  EXPECT_THAT(*text, HasSubstr("subject: " + base::ToText(ann_) + "\n"));
  EXPECT_THAT(*text, HasSubstr("key_epoch: 2\n"));
  EXPECT_THAT(*text, HasSubstr("root_slots: 1\n"));
  EXPECT_THAT(*text, HasSubstr("destroyed: account, profile, 32\n"));
  EXPECT_THAT(*text, HasSubstr("kept: none\n"));
  EXPECT_THAT(*text, HasSubstr("part: 1\n"));
  EXPECT_THAT(*text, Not(HasSubstr("ann@")));
  std::string forged = receipt;
  forged.replace(forged.find("epoch: 2"), 8, "epoch: 1");
  EXPECT_THAT(crypto::OpenNote(forged, vault_.store().log().verifier_key()),
              Not(IsOk()));
}

TEST_F(ErasuresTest, VerifyingSaysWhatIsLeft) {
  EXPECT_THAT(VerifyErasure(vault_, ann_), HasReason(Reason::kRecordNotFound));
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  auto check = VerifyErasure(vault_, ann_);
  ASSERT_THAT(check, IsOk());
  EXPECT_FALSE(check->keys_gone);
  EXPECT_FALSE(check->records_gone);
  EXPECT_FALSE(check->receipts_valid);
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  check = VerifyErasure(vault_, ann_);
  ASSERT_THAT(check, IsOk());
  EXPECT_TRUE(check->erased());
  EXPECT_THAT(VerifyErasure(vault_, SubjectId()),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(ErasuresTest, APlanCountsAndChangesNothing) {
  const auto plan = Plan(ann_);
  ASSERT_THAT(plan, IsOk());
  ASSERT_THAT(plan->classes, SizeIs(3));
  EXPECT_EQ(plan->classes[0].spec->name, "account");
  EXPECT_EQ(plan->classes[0].records, 1);
  EXPECT_EQ(plan->classes[2].number, policy::kClassFacts);
  EXPECT_EQ(plan->index_shards, 1);
  ExpectThere(ann_, kAnns);
  EXPECT_THAT(GetErasure(vault_, ann_), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Plan(SubjectId()), HasReason(Reason::kSubjectNotFound));
}

TEST_F(ErasuresTest, NobodyOfAnotherTenantCanEraseOrLook) {
  const Call call =
      vault_.CallOf(test::kOtherFull, Action::kErasureExecute, kService);
  const auto erase = [&](Attempt& attempt) {
    return vault_.store().erasures().Execute(attempt, call, ann_, {});
  };
  EXPECT_THAT(vault_.Run(call, erase), HasReason(Reason::kSubjectNotFound));
  ExpectThere(ann_, kAnns);
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  EXPECT_THAT(vault_.Run(call, erase), HasReason(Reason::kSubjectNotFound));
}

TEST_F(ErasuresTest, WhoMayNotEraseIsToldNothing) {
  const Call call =
      vault_.CallOf(test::kClerk, Action::kErasureExecute, test::kBilling);
  for (const SubjectId subject : {ann_, SubjectId()}) {
    EXPECT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().erasures().Execute(
                                 attempt, call, subject, {});
                           }),
                HasReason(Reason::kCallerNotEntitled));
  }
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().erasures().Execute(
                               attempt, call, ann_, {});
                         }),
              HasReason(Reason::kCallerNotEntitled));
}

TEST_F(ErasuresTest, IntentAndEndAreInTheLogUnderThePersonsReference) {
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  const audit::Event intent = vault_.LastEvent();
  EXPECT_EQ(intent.action, Action::kErasureExecute);
  EXPECT_EQ(intent.outcome, audit::Outcome::kAllowed);
  ASSERT_TRUE(intent.subject.has_value());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  const audit::Event end = vault_.LastEvent();
  EXPECT_EQ(end.action, Action::kErasureFinish);
  EXPECT_EQ(end.actor, "hizod");
  EXPECT_EQ(end.subject, intent.subject);
  EXPECT_EQ(end.records, 2);
}

TEST_F(ErasuresTest, ErasesManyInOneSealAndPeopleWithManyRecords) {
  std::vector<SubjectId> people;
  for (int i = 0; i < 150; ++i) {
    people.push_back(
        NewPerson(vault_, "p" + std::to_string(i) + "@example.com"));
  }
  for (int i = 0; i < 1100; ++i) {
    ASSERT_THAT(Put(vault_, people[0], PaymentOf(i, vault_.clock().Now())),
                IsOk());
  }
  for (int i = 0; i < 140; ++i) ASSERT_THAT(Erase(vault_, people[i]), IsOk());
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(140));
  EXPECT_EQ(vault_.store().store_keys().epoch(), 3);
  for (int i = 0; i < 150; ++i) {
    const std::string email = "p" + std::to_string(i) + "@example.com";
    if (i < 140) {
      ExpectGone(people[i], email);
      EXPECT_TRUE(VerifyErasure(vault_, people[i])->erased());
    } else {
      ExpectThere(people[i], email);
    }
  }
}

// One seal wraps anew what the fences of the next ones hold: so many people
// share buckets.
TEST_F(ErasuresTest, ErasesAThousandInSealsThatMeetEachOther) {
  constexpr size_t kPeople = 1000;
  std::vector<SubjectId> people;
  for (size_t i = 0; i < 2 * kPeople; ++i) {
    people.push_back(
        NewPerson(vault_, "p" + std::to_string(i) + "@example.com"));
  }
  for (size_t i = 0; i < kPeople; ++i) {
    ASSERT_THAT(Erase(vault_, people[i]), IsOk());
  }
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(kPeople));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  for (size_t i = 0; i < 2 * kPeople; ++i) {
    const std::string email = "p" + std::to_string(i) + "@example.com";
    if (i < kPeople) {
      ExpectGone(people[i], email);
    } else {
      ExpectThere(people[i], email);
    }
  }
}

TEST(ErasuresInSuitesTest, SealsStoresOfEitherSuiteAndOfBoth) {
  using crypto::Suite;
  const std::pair<Suite, Suite> both[] = {
      {crypto::kAesSuite, crypto::kAesSuite},
      {crypto::kFirstSuite, crypto::kAesSuite}};
  for (const auto& [store, tenant] : both) {
    VaultFixture::Options options;
    options.store_suite = store;
    options.tenant_suite = tenant;
    VaultFixture vault(options);
    const SubjectId ann = NewPerson(vault, kAnns);
    const SubjectId bob = NewPerson(vault, kBobs);
    ASSERT_THAT(Erase(vault, ann), IsOk());
    ASSERT_THAT(vault.store().FinishErasures(), IsOkAndHolds(1));
    ASSERT_THAT(vault.Reopen(), IsOk());
    EXPECT_TRUE(VerifyErasure(vault, ann)->erased());
    EXPECT_THAT(Get(vault, bob, "profile", {"full_name"}), IsOk());
    EXPECT_THAT(Find(vault, "account.email", kBobs),
                IsOkAndHolds(ElementsAre(bob)));
    EXPECT_THAT(Find(vault, "account.email", kAnns),
                HasReason(Reason::kSubjectNotFound));
  }
}

// A tenant's suite changes: shards that are made anew are of the new one.
TEST(ErasuresInSuitesTest, AShardMadeAnewIsOfTheTenantsSuiteOfNow) {
  VaultFixture vault;
  const SubjectId ann = NewPerson(vault, kAnns);
  const SubjectId bob = NewPerson(vault, kBobs);
  ASSERT_THAT(vault.ReopenInSuite(crypto::kAesSuite), IsOk());
  ASSERT_THAT(Erase(vault, ann), IsOk());
  ASSERT_THAT(vault.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_THAT(Find(vault, "account.email", kBobs),
              IsOkAndHolds(ElementsAre(bob)));
  const SubjectId again = NewPerson(vault, kAnns);
  EXPECT_THAT(Find(vault, "account.email", kAnns),
              IsOkAndHolds(ElementsAre(again)));
}

// A store from before leaves were listed by bucket gets the list at its start.
TEST(ErasuresInOldStoresTest, LeavesAreListedAtTheNextStart) {
  VaultFixture vault;
  const SubjectId ann = NewPerson(vault, kAnns);
  const SubjectId bob = NewPerson(vault, kBobs);
  for (const auto& row : RowsOf(vault.keys(), base::kSpaceLeafByBucket)) {
    test::Remove(vault.keys(), row.key);
  }
  ASSERT_THAT(Erase(vault, ann), IsOk());
  EXPECT_THAT(vault.store().FinishErasures(), Not(IsOk()));
  ASSERT_THAT(vault.Reopen(), IsOk());
  EXPECT_THAT(vault.store().FinishErasures(), IsOkAndHolds(1));
  ASSERT_THAT(vault.Reopen(), IsOk());
  EXPECT_THAT(Get(vault, bob, "profile", {"full_name"}), IsOk());
}

}  // namespace
}  // namespace hizo::vault
