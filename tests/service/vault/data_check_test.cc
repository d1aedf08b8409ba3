#include "service/vault/data_check.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/policies.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::SubjectId;
using test::IsOk;
using test::kAcme;
using test::StatusIs;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using What = DataFinding::What;

class DataCheckTest : public ::testing::Test {
 protected:
  DataVerdict Check() {
    const auto& store = vault_.store();
    auto verdict = DataCheck({vault_.keys(), vault_.data(), store.store_keys(),
                              *access(), store.log().head().size})
                       .Run();
    EXPECT_THAT(verdict, IsOk());
    return verdict.ok() ? *std::move(verdict) : DataVerdict();
  }
  const policy::AccessTable* access() { return &vault_.Policy().access; }
  std::string ProfileKey() {
    const auto rows = vault_.data().Scan(
        storage::PrefixRange(RecordPrefix(kAcme, ann_, 2), 9));
    EXPECT_THAT(*rows, SizeIs(1));
    return rows->front().key;
  }
  void WriteProfile(const std::string& name) {
    EXPECT_THAT(Put(vault_, ann_, RecordOf("profile", {{"full_name", name}})),
                IsOk());
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, "ann@example.com");
  const SubjectId bob_ = NewPersonOfGlobex(vault_, "bob@example.com");
};

TEST_F(DataCheckTest, FindsNothingWrongInAStoreThatWasUsed) {
  WriteProfile("Ann Married");
  EXPECT_THAT(Put(vault_, ann_, RecordOf("billing", {{"card_last4", "4242"}})),
              IsOk());
  NewPerson(vault_, "eve@example.com");
  const DataVerdict verdict = Check();
  EXPECT_THAT(verdict.findings, IsEmpty());
  EXPECT_EQ(verdict.wrong, 0U);
  EXPECT_EQ(verdict.people, 3U);
  EXPECT_EQ(verdict.rows, 10U);  // facts, account, profile each; billing
}

TEST_F(DataCheckTest, FindsAnOlderRowThatWasPutBack) {
  const std::string key = ProfileKey();
  const std::string older = test::Stored(vault_.data(), key);
  WriteProfile("Ann Married");
  const uint64_t entry = vault_.store().log().head().size - 1;
  test::Overwrite(vault_.data(), key, older);
  // A read does not notice.
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}), IsOk());
  const DataVerdict verdict = Check();
  ASSERT_THAT(verdict.findings, SizeIs(1));
  const DataFinding& finding = verdict.findings[0];
  EXPECT_EQ(finding.what, What::kOther);
  EXPECT_EQ(finding.class_number, 2);
  EXPECT_EQ(finding.entry, entry);
}

// Of the class that has new keys, an older row does not even open.
TEST_F(DataCheckTest, FindsNothingWrongAfterARenewalAndARowOfBefore) {
  WriteProfile("Ann Married");
  const std::string older = test::Stored(vault_.data(), ProfileKey());
  EXPECT_THAT(vault_.store().Renew(), test::IsOkAndHolds(1));
  EXPECT_THAT(Check().findings, IsEmpty());
  test::Overwrite(vault_.data(), ProfileKey(), older);
  EXPECT_THAT(Check().findings, SizeIs(1));
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}),
              test::HasReason(base::Reason::kIntegrityFailure));
}

TEST_F(DataCheckTest, FindsOlderFactsThatWerePutBack) {
  const std::string key = FactsKey(kAcme, ann_);
  const std::string older = test::Stored(vault_.data(), key);
  const Call call = FullCall(vault_, Action::kSubjectCancel);
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().subjects().Cancel(attempt,
                                                                   call, ann_);
                         }),
              IsOk());
  EXPECT_THAT(Check().findings, IsEmpty());
  test::Overwrite(vault_.data(), key, older);
  const DataVerdict verdict = Check();
  ASSERT_THAT(verdict.findings, SizeIs(1));
  EXPECT_EQ(verdict.findings[0].class_number, policy::kClassFacts);
}

TEST_F(DataCheckTest, FindsARowThatIsMissing) {
  test::Remove(vault_.data(), ProfileKey());
  const DataVerdict verdict = Check();
  ASSERT_THAT(verdict.findings, SizeIs(1));
  EXPECT_EQ(verdict.findings[0].what, What::kMissing);
  EXPECT_EQ(verdict.findings[0].entry, 0U);
}

TEST_F(DataCheckTest, FindsARowThatWasNeverWritten) {
  const std::string row = test::Stored(vault_.data(), ProfileKey());
  test::Overwrite(vault_.data(), ProfileKey(), row);
  storage::Batch batch;
  batch.Put(RecordKey(kAcme, ann_, 3, base::RecordId()), row);
  ASSERT_THAT(vault_.data().Commit(batch), IsOk());
  const DataVerdict verdict = Check();
  ASSERT_THAT(verdict.findings, SizeIs(1));
  EXPECT_EQ(verdict.findings[0].what, What::kUnknown);
  EXPECT_FALSE(verdict.findings[0].entry.has_value());
}

TEST_F(DataCheckTest, FindsARowThatIsCutOrNoRow) {
  test::Overwrite(vault_.data(), ProfileKey(), "short");
  EXPECT_THAT(Check().findings, SizeIs(1));
}

TEST_F(DataCheckTest, FindsNothingWrongOfTheErased) {
  EXPECT_THAT(Erase(vault_, ann_), IsOk());
  EXPECT_THAT(Check().findings, IsEmpty());
  EXPECT_THAT(vault_.store().FinishErasures(), IsOk());
  const DataVerdict verdict = Check();
  EXPECT_THAT(verdict.findings, IsEmpty());
  EXPECT_EQ(verdict.people, 1U);
}

TEST_F(DataCheckTest, TellsOfAHundredAndCountsAll) {
  for (int i = 0; i < 110; ++i) {
    NewPerson(vault_, std::to_string(i) + "@example.com");
  }
  for (const auto& row : test::RowsOf(vault_.data(), base::kSpaceFacts)) {
    test::Overwrite(vault_.data(), row.key, "damaged");
  }
  const DataVerdict verdict = Check();
  EXPECT_THAT(verdict.findings, SizeIs(DataCheck::kFindingsMax));
  EXPECT_EQ(verdict.wrong, 112U);
}

TEST_F(DataCheckTest, ADamagedLogIsAnError) {
  test::Overwrite(vault_.data(),
                  test::RowsOf(vault_.data(), base::kSpaceAuditEntry)[0].key,
                  "damaged");
  EXPECT_THAT(
      DataCheck({vault_.keys(), vault_.data(), vault_.store().store_keys(),
                 *access(), vault_.store().log().head().size})
          .Run(),
      StatusIs(absl::StatusCode::kDataLoss));
}

class PolicyCheckTest : public DataCheckTest {
 protected:
  uint64_t Activate(uint32_t version) {
    const Call call = FullCall(vault_, Action::kPolicyActivate);
    EXPECT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().policies().Activate(
                                 attempt, call,
                                 test::VaultPolicyTexts(version));
                           }),
                IsOk());
    return vault_.store().log().head().size - 1;
  }
  // What is wrong, all of it with the policy of acme.
  std::vector<PolicyFinding> Wrong() {
    const DataVerdict verdict = Check();
    EXPECT_THAT(verdict.findings, IsEmpty());
    EXPECT_EQ(verdict.wrong, verdict.policies.size());
    for (const PolicyFinding& of : verdict.policies) {
      EXPECT_EQ(of.tenant, kAcme);
    }
    return verdict.policies;
  }
  const std::string key_ = PolicyKey(kAcme);
};

TEST_F(PolicyCheckTest, TheOneThatWasActivatedLastIsRight) {
  EXPECT_THAT(Wrong(), IsEmpty());
  Activate(4);
  Activate(5);
  NewPerson(vault_, "eve@example.com");
  EXPECT_THAT(Wrong(), IsEmpty());
}

TEST_F(PolicyCheckTest, FindsAnOlderOneThatWasPutBack) {
  Activate(4);
  const std::string older = test::Stored(vault_.data(), key_);
  const uint64_t entry = Activate(5);
  test::Overwrite(vault_.data(), key_, older);
  // A start does not notice.
  ASSERT_THAT(vault_.Reopen(), IsOk());
  const auto wrong = Wrong();
  ASSERT_THAT(wrong, SizeIs(1));
  EXPECT_EQ(wrong[0].what, What::kOther);
  EXPECT_EQ(wrong[0].entry, entry);
}

TEST_F(PolicyCheckTest, FindsOneThatIsGone) {
  const uint64_t entry = Activate(4);
  test::Remove(vault_.data(), key_);
  const auto wrong = Wrong();
  ASSERT_THAT(wrong, SizeIs(1));
  EXPECT_EQ(wrong[0].what, What::kMissing);
  EXPECT_EQ(wrong[0].entry, entry);
}

TEST_F(PolicyCheckTest, FindsOneThatNobodyActivated) {
  test::Overwrite(vault_.data(), key_, "anything");
  const auto wrong = Wrong();
  ASSERT_THAT(wrong, SizeIs(1));
  EXPECT_EQ(wrong[0].what, What::kUnknown);
  EXPECT_EQ(wrong[0].entry, std::nullopt);
}

TEST_F(PolicyCheckTest, ARefusedActivationIsNone) {
  Activate(5);
  const Call call = FullCall(vault_, Action::kPolicyActivate);
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().policies().Activate(
                               attempt, call, test::VaultPolicyTexts(4));
                         }),
              test::HasReason(base::Reason::kPolicyConflict));
  EXPECT_THAT(Wrong(), IsEmpty());
}

}  // namespace
}  // namespace hizo::vault
