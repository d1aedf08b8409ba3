// Classes that are held for a legal claim: what an erasure keeps for it, and
// that its release ends it. Scenario 7 of the requirements.
#include "service/vault/legal_holds.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/root_slot.h"
#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/policy/retention.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using policy::DayFromText;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kLegalClaim;
using test::kTaxAudit;
using test::RowsOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kAnns[] = "ann@example.com";

base::ClaimId ClaimOf(char number) {
  return *base::ClaimId::FromBytes(std::string(base::ClaimId::kSize, number));
}

base::Timestamp At(const std::string& day) {
  return base::Timestamp(DayFromText(day).value());
}

VaultFixture::Options Keeping() {
  VaultFixture::Options options;
  options.amend = test::KeepTransactions;
  return options;
}

class LegalHoldsTest : public ::testing::Test {
 protected:
  LegalHoldsTest() : vault_(Keeping()) {
    vault_.clock().Set(At("2026-12-01"));
    ann_ = NewPerson(vault_, kAnns);
  }

  absl::StatusOr<size_t> Place(const std::string& record_class,
                               base::ClaimId claim) {
    return Place(record_class, claim, FullCall(vault_, Action::kHoldPlace));
  }
  absl::StatusOr<size_t> Place(const std::string& record_class,
                               base::ClaimId claim, const Call& call) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().legal_holds().Place(attempt, call,
                                                {ann_, record_class, claim});
    });
  }
  absl::StatusOr<size_t> Release(const std::string& record_class,
                                 base::ClaimId claim) {
    return Release(record_class, claim, FullCall(vault_, Action::kHoldRelease));
  }
  absl::StatusOr<size_t> Release(const std::string& record_class,
                                 base::ClaimId claim, const Call& call) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().legal_holds().Release(attempt, call,
                                                  {ann_, record_class, claim});
    });
  }
  absl::StatusOr<ShownRecord> Read(const std::string& record_class,
                                   const std::string& field,
                                   policy::PurposeNumber purpose) {
    const Call call = vault_.CallOf(kFull, Action::kRecordGet, purpose);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().records().Get(
          attempt, call,
          {ann_, invoice_, {record_class, {field}, policy::View::kPlain}});
    });
  }
  absl::StatusOr<ShownRecord> ReadName(policy::PurposeNumber purpose) {
    return Read("profile", "full_name", purpose);
  }
  std::string ReceiptText(size_t number) {
    const auto erasure = GetErasure(vault_, ann_);
    if (!erasure.ok() || erasure->receipts.size() <= number) return "none";
    return crypto::OpenNote(erasure->receipts[number],
                            vault_.store().log().verifier_key())
        .value_or("forged");
  }
  void EraseAndSeal() {
    ASSERT_THAT(Erase(vault_, ann_), IsOk());
    ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  }

  VaultFixture vault_;
  SubjectId ann_;
  std::optional<base::RecordId> invoice_;
};

TEST_F(LegalHoldsTest, Scenario7AHoldAgainstAnErasureAndItsRelease) {
  EXPECT_THAT(Place("profile", ClaimOf(1)), IsOkAndHolds(1));
  const auto erasure = Erase(vault_, ann_);
  ASSERT_THAT(erasure, IsOk());
  ASSERT_THAT(erasure->kept, SizeIs(1));
  EXPECT_EQ(erasure->kept[0].until, std::nullopt);
  EXPECT_THAT(erasure->kept[0].holds, ElementsAre(ClaimOf(1)));
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_THAT(Read("account", "email", kLegalClaim),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(ReadName(kService), HasReason(Reason::kLegalHold));
  EXPECT_THAT(ReadName(kTaxAudit), HasReason(Reason::kPurposeNotAllowed));
  EXPECT_THAT(ReadName(kLegalClaim), IsOk());
  EXPECT_THAT(ReceiptText(0),
              HasSubstr("destroyed: account, 32\nkept: profile as long as it "
                        "is held for legal_claim\n"));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  vault_.clock().Set(At("2099-01-01"));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  EXPECT_THAT(ReadName(kLegalClaim), IsOk());

  EXPECT_THAT(Release("profile", ClaimOf(1)), IsOkAndHolds(0));
  EXPECT_THAT(ReadName(kLegalClaim), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_THAT(ReceiptText(1), HasSubstr("destroyed: profile\nkept: none\n"));
  EXPECT_TRUE(VerifyErasure(vault_, ann_)->erased());
  EXPECT_THAT(RowsOf(vault_.keys(), base::kSpaceTerm), IsEmpty());
  EXPECT_THAT(RowsOf(vault_.keys(), base::kSpaceDeks), IsEmpty());
  EXPECT_THAT(Release("profile", ClaimOf(1)),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
}

TEST_F(LegalHoldsTest, AClassIsHeldUntilTheLastClaimIsReleased) {
  EXPECT_THAT(Place("profile", ClaimOf(2)), IsOkAndHolds(1));
  EXPECT_THAT(Place("profile", ClaimOf(1)), IsOkAndHolds(2));
  EXPECT_THAT(Place("profile", ClaimOf(1)), IsOkAndHolds(2));
  EraseAndSeal();
  EXPECT_THAT(Release("profile", ClaimOf(1)), IsOkAndHolds(1));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  EXPECT_THAT(ReadName(kLegalClaim), IsOk());
  EXPECT_THAT(Place("profile", ClaimOf(3)), IsOkAndHolds(2));
  EXPECT_THAT(Release("profile", ClaimOf(1)),
              HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Release("profile", ClaimOf(2)), IsOkAndHolds(1));
  EXPECT_THAT(Release("profile", ClaimOf(3)), IsOkAndHolds(0));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
}

TEST_F(LegalHoldsTest, ReleasedBeforeTheErasureItKeepsNothing) {
  EXPECT_THAT(Place("profile", ClaimOf(1)), IsOkAndHolds(1));
  EXPECT_THAT(Release("profile", ClaimOf(1)), IsOkAndHolds(0));
  EXPECT_THAT(Release("profile", ClaimOf(1)),
              HasReason(Reason::kRecordNotFound));
  const auto erasure = Erase(vault_, ann_);
  ASSERT_THAT(erasure, IsOk());
  EXPECT_THAT(erasure->kept, IsEmpty());
}

TEST_F(LegalHoldsTest, HeldFieldsAreNotDeletedButCorrected) {
  EXPECT_THAT(Place("profile", ClaimOf(1)), IsOkAndHolds(1));
  const Call call = FullCall(vault_, Action::kRecordDeleteFields);
  const auto remove = [&](const char* record_class, const char* field) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().records().DeleteFields(
          attempt, call,
          {ann_, record_class, std::nullopt, {field}, std::nullopt});
    });
  };
  EXPECT_THAT(remove("profile", "note"), HasReason(Reason::kLegalHold));
  EXPECT_THAT(remove("account", "phone"), Not(HasReason(Reason::kLegalHold)));
  EXPECT_THAT(Put(vault_, ann_, RecordOf("profile", {{"full_name", "Bea"}})),
              IsOk());
  EXPECT_THAT(Release("profile", ClaimOf(1)), IsOkAndHolds(0));
  EXPECT_THAT(remove("profile", "note"), Not(HasReason(Reason::kLegalHold)));
}

TEST_F(LegalHoldsTest, AHoldOutlivesTheTermOfTheLaw) {
  const auto written = Put(vault_, ann_, InvoiceOf(5400, "2026-05-10"));
  ASSERT_THAT(written, IsOk());
  invoice_ = written->name.id;
  EraseAndSeal();
  EXPECT_THAT(Place("transaction", ClaimOf(1)), IsOkAndHolds(1));
  EXPECT_THAT(Read("transaction", "amount", kTaxAudit), IsOk());
  EXPECT_THAT(Read("transaction", "amount", kLegalClaim), IsOk());
  EXPECT_THAT(Read("transaction", "amount", kService),
              HasReason(Reason::kRetainedForLaw));
  vault_.clock().Set(At("2034-06-01"));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  EXPECT_THAT(Read("transaction", "amount", kTaxAudit),
              HasReason(Reason::kLegalHold));
  EXPECT_THAT(Read("transaction", "amount", kLegalClaim), IsOk());
  EXPECT_THAT(Release("transaction", ClaimOf(1)), IsOkAndHolds(0));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_TRUE(VerifyErasure(vault_, ann_)->erased());
}

TEST_F(LegalHoldsTest, ALawOutlivesTheHold) {
  ASSERT_THAT(Put(vault_, ann_, InvoiceOf(5400, "2026-05-10")), IsOk());
  EXPECT_THAT(Place("transaction", ClaimOf(1)), IsOkAndHolds(1));
  EraseAndSeal();
  EXPECT_THAT(ReceiptText(0),
              HasSubstr("kept: transaction until 2034-05-31 as long as it is "
                        "held for tax_audit, legal_claim; Tax Act 57-4(6)\n"));
  EXPECT_THAT(Release("transaction", ClaimOf(1)), IsOkAndHolds(0));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  EXPECT_THAT(RowsOf(vault_.keys(), base::kSpaceTerm), SizeIs(1));
  vault_.clock().Set(At("2034-06-01"));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_TRUE(VerifyErasure(vault_, ann_)->erased());
}

TEST_F(LegalHoldsTest, OfTheErasedOnlyWhatIsKeptCanBeHeld) {
  ASSERT_THAT(Put(vault_, ann_, InvoiceOf(5400, "2026-05-10")), IsOk());
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  EXPECT_THAT(Place("profile", ClaimOf(1)), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Release("transaction", ClaimOf(1)),
              HasReason(Reason::kRecordNotFound));
}

// Runs something before the next root is put.
class HookedSlot final : public crypto::RootSlot {
 public:
  HookedSlot(std::unique_ptr<crypto::RootSlot> slot,
             std::function<void()>& before_put)
      : slot_(std::move(slot)), before_put_(before_put) {}
  absl::StatusOr<std::vector<Root>> Read(std::string_view store_id) override {
    return slot_->Read(store_id);
  }
  absl::Status Put(std::string_view store_id, const Root& root) override {
    if (before_put_) std::exchange(before_put_, nullptr)();
    return slot_->Put(store_id, root);
  }
  absl::Status Erase(std::string_view store_id, uint64_t epoch) override {
    return slot_->Erase(store_id, epoch);
  }
  ErasureLevel erasure_level() const override { return slot_->erasure_level(); }

 private:
  std::unique_ptr<crypto::RootSlot> slot_;
  std::function<void()>& before_put_;
};

TEST(LegalHoldsRaceTest, AHoldThatComesDuringTheSealStands) {
  std::function<void()> before_put;
  VaultFixture::Options options = Keeping();
  options.wrap_slot = [&](std::unique_ptr<crypto::RootSlot> slot) {
    return std::make_unique<HookedSlot>(std::move(slot), before_put);
  };
  VaultFixture vault(options);
  vault.clock().Set(At("2026-12-01"));
  const SubjectId ann = NewPerson(vault, kAnns);
  ASSERT_THAT(Put(vault, ann, InvoiceOf(5400, "2026-05-10")), IsOk());
  ASSERT_THAT(Erase(vault, ann), IsOk());
  bool placed = false;
  before_put = [&] {
    const Call call = FullCall(vault, Action::kHoldPlace);
    EXPECT_THAT(vault.Run(call,
                          [&](Attempt& attempt) {
                            return vault.store().legal_holds().Place(
                                attempt, call,
                                {ann, "transaction", ClaimOf(1)});
                          }),
                IsOkAndHolds(1));
    placed = true;
  };
  ASSERT_THAT(vault.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_TRUE(placed);
  const auto erasure = GetErasure(vault, ann);
  ASSERT_THAT(erasure, IsOk());
  EXPECT_EQ(erasure->stage, ErasureStage::kSealed);
  EXPECT_THAT(erasure->kept[0].holds, ElementsAre(ClaimOf(1)));
}

TEST_F(LegalHoldsTest, RefusesWhatCannotBeHeld) {
  EXPECT_THAT(Place("nothing", ClaimOf(1)), HasReason(Reason::kFieldUnknown));
  EXPECT_THAT(Place("credential", ClaimOf(1)),
              HasReason(Reason::kFieldUnknown));
  EXPECT_THAT(Place("profile", base::ClaimId()),
              HasReason(Reason::kValueInvalid));
  ann_ = *SubjectId::FromBytes(std::string(SubjectId::kSize, 'x'));
  EXPECT_THAT(Place("profile", ClaimOf(1)),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(LegalHoldsTest, BoundsTheHoldsOfAPerson) {
  for (size_t i = 0; i < kLegalHoldsMax; ++i) {
    std::string bytes(base::ClaimId::kSize, 'c');
    bytes[0] = static_cast<char>(i);
    ASSERT_THAT(Place("profile", *base::ClaimId::FromBytes(bytes)),
                IsOkAndHolds(i + 1));
  }
  EXPECT_THAT(Place("account", ClaimOf(1)), HasReason(Reason::kTooLarge));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(Place("account", ClaimOf(1)), HasReason(Reason::kTooLarge));
}

TEST_F(LegalHoldsTest, ARepeatedReleaseIsAnsweredAsBefore) {
  EXPECT_THAT(Place("profile", ClaimOf(1)), IsOkAndHolds(1));
  Call call = FullCall(vault_, Action::kHoldRelease);
  call.request = RequestOf(1);
  EXPECT_THAT(Release("profile", ClaimOf(1), call), IsOkAndHolds(0));
  EXPECT_THAT(Release("profile", ClaimOf(1), call), IsOkAndHolds(0));
}

TEST_F(LegalHoldsTest, ACancelledAccountIsHeldAsWell) {
  const Call call = FullCall(vault_, Action::kSubjectCancel);
  ASSERT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().subjects().Cancel(attempt,
                                                                   call, ann_);
                         }),
              IsOk());
  EXPECT_THAT(Place("profile", ClaimOf(1)), IsOkAndHolds(1));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(Place("account", ClaimOf(1)), IsOkAndHolds(1));
  EraseAndSeal();
  EXPECT_THAT(GetErasure(vault_, ann_)->kept, SizeIs(2));
}

// What changed while the erasure could be taken back is as it was changed.
TEST_F(LegalHoldsTest, HoldsOfAnErasureThatIsTakenBackAreThoseOfNow) {
  ASSERT_THAT(Place("profile", ClaimOf(1)), IsOkAndHolds(1));
  ASSERT_THAT(Place("account", ClaimOf(2)), IsOkAndHolds(1));
  ASSERT_THAT(Erase(vault_, ann_, std::chrono::days(7)), IsOk());
  ASSERT_THAT(Place("profile", ClaimOf(3)), IsOkAndHolds(2));
  ASSERT_THAT(Release("account", ClaimOf(2)), IsOkAndHolds(0));
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  ASSERT_THAT(CancelErasure(vault_, ann_), IsOk());
  EXPECT_THAT(ReadName(kService), IsOk());
  EXPECT_THAT(Release("account", ClaimOf(2)),
              HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Release("profile", ClaimOf(3)), IsOkAndHolds(1));
  EXPECT_THAT(Release("profile", ClaimOf(1)), IsOkAndHolds(0));
  // The day of the release looks at them once more, and finds them there.
  vault_.clock().Advance(std::chrono::days(1));
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  EXPECT_THAT(test::RowsOf(vault_.keys(), base::kSpaceTerm), IsEmpty());
  EXPECT_THAT(ReadName(kService), IsOk());
}

}  // namespace
}  // namespace hizo::vault
