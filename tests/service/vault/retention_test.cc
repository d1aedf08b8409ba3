// Classes that a law has kept after their person was erased: what stays, for
// what, until when, and that it goes in the end. Scenario 1 of the
// requirements, and what must not happen around it.
#include "service/policy/retention.h"

#include <future>
#include <set>
#include <string>
#include <thread>
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
using policy::DayFromText;
using policy::SubjectState;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kBilling;
using test::kTaxAudit;
using test::RowsOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kAnns[] = "ann@example.com";
constexpr policy::ClassNumber kTransaction = 4;

base::Timestamp At(const std::string& day) {
  return base::Timestamp(DayFromText(day).value());
}

VaultFixture::Options Keeping() {
  VaultFixture::Options options;
  options.amend = test::KeepTransactions;
  return options;
}

class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() : vault_(Keeping()) {
    vault_.clock().Set(At("2026-12-01"));
    ann_ = NewPerson(vault_, kAnns);
    invoice_ = *PutInvoice("2026-05-10");
  }

  absl::StatusOr<base::RecordId> PutInvoice(const std::string& day) {
    const auto written = Put(vault_, ann_, InvoiceOf(5400, day));
    if (!written.ok()) return written.status();
    return written->name.id;
  }
  absl::StatusOr<ShownRecord> ReadInvoice(policy::PurposeNumber purpose) {
    const Call call = vault_.CallOf(kFull, Action::kRecordGet, purpose);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().records().Get(
          attempt, call,
          {ann_, invoice_, {"transaction", {"amount"}, policy::View::kPlain}});
    });
  }
  absl::StatusOr<SubjectDescription> Describe(policy::PurposeNumber purpose) {
    const Call call = vault_.CallOf(kFull, Action::kSubjectGet, purpose);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().subjects().Get(attempt, call, ann_);
    });
  }
  absl::StatusOr<ErasurePlan> Plan() {
    const Call call = FullCall(vault_, Action::kErasurePlan);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().erasures().Plan(attempt, call, ann_);
    });
  }
  std::string ReceiptText(size_t number) {
    const auto erasure = GetErasure(vault_, ann_);
    if (!erasure.ok() || erasure->receipts.size() <= number) return "none";
    return crypto::OpenNote(erasure->receipts[number],
                            vault_.store().log().verifier_key())
        .value_or("forged");
  }
  std::set<char> SpacesWithAnn() {
    std::set<char> spaces;
    for (const char space :
         {base::kSpaceFence, base::kSpaceDeks, base::kSpaceTerm,
          base::kSpaceRecord, base::kSpaceFacts}) {
      for (const storage::Reader* store :
           {static_cast<storage::Reader*>(&vault_.keys()),
            static_cast<storage::Reader*>(&vault_.data())}) {
        for (const auto& row : RowsOf(*store, space)) {
          if (row.key.find(ann_.bytes()) != std::string::npos) {
            spaces.insert(space);
          }
        }
      }
    }
    return spaces;
  }

  VaultFixture vault_;
  SubjectId ann_;
  base::RecordId invoice_;
};

TEST_F(RetentionTest, SignsNobodyInWhoWasErasedInPart) {
  const auto call_of = [&](Action action) {
    return vault_.CallOf(kFull, action, test::kAuthentication);
  };
  const Call set = call_of(Action::kCredentialSet);
  ASSERT_THAT(vault_.Run(set,
                         [&](Attempt& attempt) {
                           return vault_.store().credentials().Set(
                               attempt, set, ann_, base::Pii("right"));
                         }),
              IsOk());
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  const Who by_id{ann_, "", base::Pii()};
  const Who by_email{std::nullopt, "account.email", base::Pii(kAnns)};
  for (const bool finished : {false, true}) {
    if (finished) {
      ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
    }
    for (const Who* who : {&by_id, &by_email}) {
      const Call call = call_of(Action::kCredentialVerify);
      EXPECT_THAT(vault_.Run(call,
                             [&](Attempt& attempt) {
                               return vault_.store().credentials().Verify(
                                   attempt, call, *who, base::Pii("right"));
                             }),
                  IsOkAndHolds(std::nullopt));
      EXPECT_EQ(vault_.LastEvent().reason, base::Reason::kSubjectNotFound);
    }
  }
}

TEST_F(RetentionTest, Scenario1DeletesAPersonWithALiveTaxRecord) {
  const auto plan = Plan();
  ASSERT_THAT(plan, IsOk());
  ASSERT_THAT(plan->classes, SizeIs(4));  // and the facts
  EXPECT_FALSE(plan->classes[0].kept.has_value());
  EXPECT_FALSE(plan->classes[1].kept.has_value());
  EXPECT_EQ(plan->classes[2].number, kTransaction);
  ASSERT_TRUE(plan->classes[2].kept.has_value());
  EXPECT_EQ(plan->classes[2].kept->until, DayFromText("2034-05-31"));
  EXPECT_FALSE(plan->classes[3].kept.has_value());

  auto erasure = Erase(vault_, ann_);
  ASSERT_THAT(erasure, IsOk());
  ASSERT_THAT(erasure->kept, SizeIs(1));
  EXPECT_EQ(erasure->kept[0].class_number, kTransaction);
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Find(vault_, "account.email", kAnns),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(ReadInvoice(kBilling), HasReason(Reason::kRetainedForLaw));
  EXPECT_THAT(ReadInvoice(kService), HasReason(Reason::kRetainedForLaw));
  EXPECT_THAT(ReadInvoice(kTaxAudit), IsOk());
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kAllowed);
  const auto described = Describe(kTaxAudit);
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ(described->state, SubjectState::kRetained);
  ASSERT_THAT(described->classes, SizeIs(1));
  EXPECT_EQ(described->classes[0].spec->number, kTransaction);
  EXPECT_THAT(ReceiptText(0),
              HasSubstr("part: 1\naccepted_at: 2026-12-01T00:00:00.000000Z\n"));
  EXPECT_THAT(ReceiptText(0), HasSubstr("destroyed: account, profile, 32\n"
                                        "kept: transaction until 2034-05-31 "
                                        "for tax_audit; Tax Act 57-4(6)\n"));

  vault_.clock().Set(At("2034-06-01") - std::chrono::seconds(1));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
  EXPECT_THAT(ReadInvoice(kTaxAudit), IsOk());

  vault_.clock().Set(At("2034-06-01"));
  // From the first second of the day on, whenever the run comes.
  EXPECT_THAT(ReadInvoice(kTaxAudit), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_THAT(ReadInvoice(kTaxAudit), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(SpacesWithAnn(), IsEmpty());
  erasure = GetErasure(vault_, ann_);
  ASSERT_THAT(erasure, IsOk());
  EXPECT_EQ(erasure->stage, ErasureStage::kSealed);
  EXPECT_THAT(erasure->kept, IsEmpty());
  EXPECT_THAT(erasure->receipts, SizeIs(2));
  EXPECT_THAT(ReceiptText(1),
              HasSubstr("part: 2\naccepted_at: 2034-06-01T00:00:00.000000Z\n"));
  EXPECT_THAT(ReceiptText(1), HasSubstr("destroyed: transaction\n"
                                        "kept: none\n"));
  const auto check = VerifyErasure(vault_, ann_);
  ASSERT_THAT(check, IsOk());
  EXPECT_TRUE(check->erased());
  EXPECT_THAT(check->kept, IsEmpty());
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(0));
}

TEST_F(RetentionTest, KeepsUntilTheLatestInvoicesTermEnds) {
  ASSERT_THAT(PutInvoice("2019-01-01"), IsOk());
  ASSERT_THAT(PutInvoice("2026-11-30"), IsOk());
  vault_.clock().Set(At("2027-04-02"));
  ASSERT_THAT(PutInvoice("2027-04-01"), IsOk());
  const auto erasure = Erase(vault_, ann_);
  ASSERT_THAT(erasure, IsOk());
  ASSERT_THAT(erasure->kept, SizeIs(1));
  EXPECT_EQ(erasure->kept[0].until, DayFromText("2035-05-31"));
}

TEST_F(RetentionTest, DestroysWhatNoLawHasKeptAnyMore) {
  vault_.clock().Set(At("2034-06-01"));
  const auto erasure = Erase(vault_, ann_);
  ASSERT_THAT(erasure, IsOk());
  EXPECT_THAT(erasure->kept, IsEmpty());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_THAT(SpacesWithAnn(), IsEmpty());
}

TEST_F(RetentionTest, ThePurposeLockHoldsFromTheAcknowledgementOn) {
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  EXPECT_THAT(ReadInvoice(kBilling), HasReason(Reason::kRetainedForLaw));
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
  EXPECT_THAT(ReadInvoice(kTaxAudit), IsOk());
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}),
              HasReason(Reason::kSubjectNotFound));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(ReadInvoice(kBilling), HasReason(Reason::kRetainedForLaw));
  EXPECT_THAT(ReadInvoice(kTaxAudit), IsOk());
}

TEST_F(RetentionTest, NothingIsWrittenToWhomIsErasedInPart) {
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  EXPECT_THAT(PutInvoice("2026-12-01"), HasReason(Reason::kRetainedForLaw));
  PutRecordInput input;
  input.subject = ann_;
  input.record_id = invoice_;
  input.record = InvoiceOf(1, "2026-12-01");
  EXPECT_THAT(Put(vault_, vault_.CallOf(kFull, Action::kRecordPut, kTaxAudit),
                  std::move(input)),
              HasReason(Reason::kRetainedForLaw));
  EXPECT_THAT(Put(vault_, ann_, RecordOf("profile", {{"full_name", "Again"}})),
              HasReason(Reason::kSubjectNotFound));
  const Call cancel = vault_.CallOf(kFull, Action::kSubjectCancel, kTaxAudit);
  EXPECT_THAT(vault_.Run(cancel,
                         [&](Attempt& attempt) {
                           return vault_.store().subjects().Cancel(
                               attempt, cancel, ann_);
                         }),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Plan(), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Describe(kService), HasReason(Reason::kRetainedForLaw));
}

TEST_F(RetentionTest, AReturningPersonIsSomebodyNew) {
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  const SubjectId before = NewPerson(vault_, kAnns);
  EXPECT_NE(before, ann_);
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_THAT(Find(vault_, "account.email", kAnns),
              IsOkAndHolds(ElementsAre(before)));
  EXPECT_THAT(ReadInvoice(kTaxAudit), IsOk());
}

TEST_F(RetentionTest, VerifyingTellsWhatIsKeptFromWhatIsLeft) {
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  auto check = VerifyErasure(vault_, ann_);
  ASSERT_THAT(check, IsOk());
  EXPECT_FALSE(check->keys_gone);
  EXPECT_FALSE(check->records_gone);
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  check = VerifyErasure(vault_, ann_);
  ASSERT_THAT(check, IsOk());
  EXPECT_TRUE(check->erased());
  EXPECT_THAT(check->kept, SizeIs(1));
  EXPECT_EQ(SpacesWithAnn(),
            (std::set{base::kSpaceDeks, base::kSpaceTerm, base::kSpaceRecord}));
}

// One seal is refused and the process ends, at either of the two erasures.
TEST_F(RetentionTest, GoesOnAfterACrashInEitherPart) {
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  vault_.keys().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::UnknownError("the disk"));
  EXPECT_THAT(vault_.store().FinishErasures(), Not(IsOk()));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(ReadInvoice(kTaxAudit), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_THAT(ReadInvoice(kTaxAudit), IsOk());
  vault_.clock().Set(At("2034-06-01"));
  vault_.data().FailCommit(1, test::FaultyEngine::When::kAfterApplied,
                           absl::UnknownError("the disk"));
  EXPECT_THAT(vault_.store().FinishErasures(), Not(IsOk()));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_THAT(SpacesWithAnn(), IsEmpty());
  EXPECT_THAT(GetErasure(vault_, ann_)->receipts, SizeIs(2));
}

// An operator who takes the law out of the catalogue: nobody reads it any more,
// and it goes on the day that was promised.
TEST_F(RetentionTest, WithoutTheLawNobodyReadsWhatIsKept) {
  policy::CatalogueSource source = test::VaultCatalogueSource();
  test::KeepTransactions(source);
  source.classes[3].retention.reset();
  const auto lawless = policy::Catalogue::Create(std::move(source));
  ASSERT_THAT(lawless, IsOk());
  policy::SubjectFacts kept{.state = SubjectState::kRetained};
  kept.retained.set(kTransaction);
  EXPECT_TRUE(policy::RetainedFor(vault_.catalogue(), kept, kTaxAudit)
                  .test(kTransaction));
  EXPECT_TRUE(policy::RetainedFor(vault_.catalogue(), kept, kBilling).none());
  EXPECT_TRUE(policy::RetainedFor(**lawless, kept, kTaxAudit).none());
}

// An invoice is either there before the erasure, and kept, or refused.
TEST_F(RetentionTest, AnInvoiceThatRacesTheErasureIsKeptOrRefused) {
  std::vector<base::RecordId> written;
  std::thread writer([&] {
    for (int i = 0; i < 200; ++i) {
      const auto id = PutInvoice("2027-05-01");
      if (id.ok()) {
        written.push_back(*id);
      } else if (base::ReasonOf(id.status()) != Reason::kConflict) {
        EXPECT_THAT(id, HasReason(Reason::kRetainedForLaw));
        return;
      }
    }
  });
  absl::StatusOr<Erasure> erasure = Erase(vault_, ann_);
  while (base::ReasonOf(erasure.status()) == Reason::kConflict) {
    erasure = Erase(vault_, ann_);
  }
  writer.join();
  ASSERT_THAT(erasure, IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_EQ(erasure->kept[0].until,
            DayFromText(written.empty() ? "2034-05-31" : "2035-05-31"));
  for (const base::RecordId& id : written) {
    invoice_ = id;
    EXPECT_THAT(ReadInvoice(kTaxAudit), IsOk());
  }
}

TEST_F(RetentionTest, ManyTermsEndInOneRun) {
  std::vector<SubjectId> people;
  for (int i = 0; i < 300; ++i) {
    people.push_back(
        NewPerson(vault_, "p" + std::to_string(i) + "@example.com"));
    ASSERT_THAT(Put(vault_, people.back(),
                    InvoiceOf(i, i % 2 == 0 ? "2026-05-10" : "2027-05-10")),
                IsOk());
    ASSERT_THAT(Erase(vault_, people.back()), IsOk());
  }
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(300));
  vault_.clock().Set(At("2034-06-01"));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(150));
  vault_.clock().Set(At("2040-01-01"));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(150));
  EXPECT_THAT(RowsOf(vault_.keys(), base::kSpaceTerm), IsEmpty());
}

}  // namespace
}  // namespace hizo::vault
