// Addresses that nobody is to advertise to, beyond the erasure of who had them.
#include "service/vault/suppressions.h"

#include <string>
#include <vector>

#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "tests/service/vault/company_vault.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kMarketing;
using test::RowsOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kAnns[] = "ann@example.com";

class SuppressionsTest : public CompanyVault {
 protected:
  std::vector<storage::Row> Rows() {
    return RowsOf(vault_.data(), base::kSpaceSuppression);
  }
  void ObjectAndErase() {
    ASSERT_THAT(Object({"", true}), IsOk());
    EraseAnn();
  }
  void EraseAnn() {
    ASSERT_THAT(Erase(vault_, ann_), IsOk());
    ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
    Wait();
  }
  std::string ReceiptText() {
    const auto erasure = GetErasure(vault_, ann_);
    if (!erasure.ok() || erasure->receipts.empty()) return "none";
    return crypto::OpenNote(erasure->receipts[0],
                            vault_.store().log().verifier_key())
        .value_or("forged");
  }
  void ConsentAgain() {
    Wait();
    ASSERT_THAT(Record(ConsentTo("marketing")), IsOk());
  }
};

TEST_F(SuppressionsTest, Scenario20OnlyAHashOutlivesAnErasure) {
  ObjectAndErase();
  ASSERT_THAT(Rows(), SizeIs(1));
  EXPECT_THAT(Rows()[0].key + Rows()[0].value, Not(HasSubstr("ann")));
  EXPECT_THAT(Rows()[0].key, Not(HasSubstr(std::string(ann_.bytes()))));
  EXPECT_THAT(ReceiptText(), HasSubstr("kept: none\nsuppressed: 1 as keyed "
                                       "hashes, so that nobody advertises"));
  // An import with the same address, however it is written: for marketing
  // nobody comes in, and who comes in otherwise is not advertised to.
  const auto import_for = [&](policy::PurposeNumber purpose) {
    const Call call = vault_.CallOf(kFull, Action::kRecordImport, purpose);
    return Create(
        vault_, call,
        RecordsOf(RecordOf("account", {{"email", "ANN@Example.COM"}})));
  };
  EXPECT_THAT(import_for(kMarketing), HasReason(Reason::kConsentRequired));
  const auto imported = import_for(kService);
  ASSERT_THAT(imported, IsOk());
  ann_ = imported->subject;
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kObjected));
  EXPECT_THAT(ReadFor(kService), IsOk());
}

TEST_F(SuppressionsTest,
       Scenario6SomebodyNewIsClosedToMarketingUntilTheyOptIn) {
  ObjectAndErase();
  const SubjectId erased = ann_;
  ann_ = NewPerson(vault_, kAnns);
  EXPECT_NE(ann_, erased);
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kObjected));
  EXPECT_THAT(ReadFor(kService), IsOk());
  ASSERT_THAT(Said().objections, SizeIs(1));
  EXPECT_EQ(Said().objections[0].purpose, kDirectMarketing);
  ConsentAgain();
  EXPECT_THAT(ReadFor(kMarketing), IsOk());
  EXPECT_THAT(Rows(), IsEmpty());
  // Whoever wanted it in the end leaves nothing behind.
  EraseAnn();
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_THAT(ReceiptText(), Not(HasSubstr("suppressed")));
}

TEST_F(SuppressionsTest, WhoEndedTheirConsentIsRememberedToo) {
  ASSERT_THAT(Record(ConsentTo("marketing")), IsOk());
  Wait();
  ASSERT_THAT(Withdraw("marketing"), IsOk());
  EraseAnn();
  EXPECT_THAT(Rows(), SizeIs(1));
}

TEST_F(SuppressionsTest, NobodyElseLeavesAnything) {
  const SubjectId silent = ann_;
  EraseAnn();
  EXPECT_THAT(Rows(), IsEmpty());
  ann_ = NewPerson(vault_, "willing@example.com");
  ASSERT_THAT(Record(ConsentTo("marketing")), IsOk());
  EraseAnn();
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_NE(ann_, silent);
}

TEST_F(SuppressionsTest, AddressesAreRememberedByKindAndNotByField) {
  PutRecordInput input;
  input.subject = ann_;
  input.record = RecordOf("account", {{"phone", "090-1234-5678"}});
  input.update_mask = {"phone"};
  ASSERT_THAT(
      Put(vault_, FullCall(vault_, Action::kRecordPut), std::move(input)),
      IsOk());
  ObjectAndErase();
  EXPECT_THAT(Rows(), SizeIs(2));
  ann_ = NewPerson(vault_, "other@example.com");
  EXPECT_THAT(Said().objections, IsEmpty());
  input = PutRecordInput();
  input.subject = ann_;
  input.record = RecordOf("account", {{"phone", "+81 90 1234 5678"}});
  input.update_mask = {"phone"};
  ASSERT_THAT(
      Put(vault_, FullCall(vault_, Action::kRecordPut), std::move(input)),
      IsOk());
  EXPECT_THAT(Said().objections, SizeIs(1));
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kObjected));
}

TEST_F(SuppressionsTest, AnotherTenantKnowsNothingOfIt) {
  ObjectAndErase();
  NewPersonOfGlobex(vault_, kAnns);
  EXPECT_THAT(Rows(), SizeIs(1));
}

TEST_F(SuppressionsTest, AnErasureThatIsTakenBackLeavesTheObjection) {
  ASSERT_THAT(Object({"", true}), IsOk());
  ASSERT_THAT(Erase(vault_, ann_, std::chrono::days(7)), IsOk());
  ASSERT_THAT(CancelErasure(vault_, ann_), IsOk());
  EXPECT_THAT(ReadFor(kMarketing), HasReason(Reason::kObjected));
  ConsentAgain();
  EXPECT_THAT(ReadFor(kMarketing), IsOk());
  EXPECT_THAT(Rows(), IsEmpty());
}

}  // namespace
}  // namespace hizo::vault
