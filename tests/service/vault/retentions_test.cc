// What is due, runs that a call begins, and years of a loss.
#include "service/vault/retentions.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::RecordId;
using base::SubjectId;
using policy::DayFromText;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kLegalClaim;
using test::kTaxAudit;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kLossLaw[] = "Tax Act, years of a loss";

base::Timestamp At(const std::string& day) {
  return base::Timestamp(DayFromText(day).value());
}

class RetentionsTest : public ::testing::Test {
 protected:
  RetentionsTest() : vault_(OptionsOf()) {
    vault_.clock().Set(At("2026-12-01"));
    ann_ = NewPerson(vault_, "ann@example.com");
    bob_ = NewPerson(vault_, "bob@example.com");
  }

  static VaultFixture::Options OptionsOf() {
    VaultFixture::Options options;
    options.amend = [](policy::CatalogueSource& source) {
      test::KeepTransactions(source);
      source.classes[3].ends.emplace();
      source.classes[3].retention->loss_years = 10;
      source.classes[3].retention->loss_law = kLossLaw;
      test::LogUsage(source);
    };
    options.company = test::VaultPolicySource();
    options.company->classes.push_back({"usage", "1", true});
    options.company->classes[1].retention_stated = false;  // profile
    options.company->accepted.push_back(
        {"RETENTION_UNSET:profile", "operator:8"});
    return options;
  }

  RecordId Log(SubjectId subject) {
    NewRecord record = RecordOf("usage", {{"endpoint", "/v1/chat"}});
    record.event_time = vault_.clock().Now();
    const auto written = Put(vault_, subject, std::move(record));
    EXPECT_THAT(written, IsOk());
    return written->name.id;
  }
  RecordId Invoice(SubjectId subject, const std::string& day) {
    const auto written = Put(vault_, subject, InvoiceOf(5400, day));
    EXPECT_THAT(written, IsOk());
    return written->name.id;
  }
  absl::StatusOr<ShownRecord> ReadInvoice(RecordId id,
                                          policy::PurposeNumber purpose) {
    const Call call = vault_.CallOf(kFull, Action::kRecordGet, purpose);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().records().Get(
          attempt, call,
          {ann_, id, {"transaction", {"amount"}, policy::View::kPlain}});
    });
  }
  absl::StatusOr<DuePage> Due(Retentions::DueInput input = {},
                              std::string_view actor = kFull) {
    const Call call = vault_.CallOf(actor, Action::kRetentionList, kService);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().retentions().ListDue(attempt, call, input);
    });
  }
  // "class state entries", of everything that is due.
  std::vector<std::string> DueTexts(Retentions::DueInput input = {}) {
    const auto page = Due(input);
    EXPECT_THAT(page, IsOk());
    std::vector<std::string> texts;
    if (!page.ok()) return texts;
    for (const DueEntries& due : page->due) {
      texts.push_back(due.record_class + " " +
                      std::to_string(static_cast<int>(due.state)) + " " +
                      (due.ended ? policy::ToText(*due.ended) : "-") + " " +
                      std::to_string(due.entries));
    }
    return texts;
  }
  absl::StatusOr<RetentionRun> Begin(
      std::optional<base::Timestamp> as_of = std::nullopt) {
    const Call call = vault_.CallOf(kFull, Action::kRetentionRun, kService);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().retentions().Begin(attempt, call, as_of);
    });
  }
  // One that is over; what came of it.
  RetentionRun Run(std::optional<base::Timestamp> as_of = std::nullopt) {
    EXPECT_THAT(Begin(as_of), IsOk());
    while (vault_.store().retentions().busy()) std::this_thread::yield();
    const auto page = Due();
    EXPECT_TRUE(page.ok() && page->run.has_value());
    return page.ok() ? page->run.value_or(RetentionRun()) : RetentionRun();
  }
  absl::StatusOr<LossYear> Mark(const std::string& year_ends,
                                const std::string& of = "transaction",
                                std::string_view actor = kFull) {
    const Call call =
        vault_.CallOf(actor, Action::kRetentionMarkLoss, kService);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().retentions().MarkLossYear(attempt, call, of,
                                                      year_ends);
    });
  }
  void Hold(SubjectId subject) {
    const Call call = vault_.CallOf(kFull, Action::kHoldPlace, kLegalClaim);
    const auto claim = *base::ClaimId::FromBytes(std::string(16, '\x4a'));
    EXPECT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().legal_holds().Place(
                                 attempt, call, {subject, "usage", claim});
                           }),
                IsOk());
  }
  absl::Status Restrict(SubjectId subject) {
    const Call call = FullCall(vault_, Action::kRestrictionSet);
    return vault_
        .Run(call,
             [&](Attempt& attempt) {
               return vault_.store().restrictions().Set(
                   attempt, call, subject, RestrictionGround::kNeededForClaims);
             })
        .status();
  }
  absl::Status Lift(SubjectId subject) {
    const Call call = FullCall(vault_, Action::kRestrictionLift);
    const auto notice = *base::EvidenceId::FromBytes(std::string(16, '\x4b'));
    return vault_
        .Run(call,
             [&](Attempt& attempt) {
               return vault_.store().restrictions().Lift(
                   attempt, call, subject, RestrictionGround::kNeededForClaims,
                   notice);
             })
        .status();
  }

  VaultFixture vault_;
  SubjectId ann_;
  SubjectId bob_;
};

TEST_F(RetentionsTest, ListsWhatIsDueAndWhatNobodyHasSaid) {
  EXPECT_THAT(DueTexts(), ElementsAre("profile 4 - 0"));
  Log(ann_);
  Log(ann_);
  Log(bob_);
  Hold(bob_);
  vault_.clock().Advance(std::chrono::days(90) - std::chrono::seconds(1));
  EXPECT_THAT(DueTexts(), SizeIs(1));
  Retentions::DueInput in_a_second;
  in_a_second.as_of = vault_.clock().Now() + std::chrono::seconds(1);
  const auto expected = ::testing::UnorderedElementsAre(
      "profile 4 - 0", "usage 1 2027-03-01 2", "usage 3 2027-03-01 1");
  EXPECT_THAT(DueTexts(in_a_second), expected);
  vault_.clock().Advance(std::chrono::seconds(1));
  EXPECT_THAT(DueTexts(), expected);
  EXPECT_EQ(vault_.LastEvent().records, 3U);
}

TEST_F(RetentionsTest, Scenario17ShowsWhatARestrictionHasKept) {
  Log(ann_);
  ASSERT_THAT(Restrict(ann_), IsOk());
  vault_.clock().Set(At("2027-03-01"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(DueTexts(), Contains("usage 2 2027-03-01 1"));
    const RetentionRun run = Run();
    EXPECT_EQ(run.counts.entries, 0U);
    EXPECT_EQ(run.counts.held, 1U);
  }
  ASSERT_THAT(Lift(ann_), IsOk());
  EXPECT_THAT(DueTexts(), Contains("usage 1 2027-03-01 1"));
  EXPECT_EQ(Run().counts.entries, 1U);
  EXPECT_THAT(DueTexts(), SizeIs(1));
}

TEST_F(RetentionsTest, ListsPageByPage) {
  for (int i = 0; i < 3; ++i) {
    Log(ann_);
    Log(bob_);
    vault_.clock().Advance(std::chrono::days(1));
  }
  Invoice(ann_, "2020-05-10");
  vault_.clock().Set(At("2035-01-01"));
  Retentions::DueInput input;
  input.page_size = 2;
  std::vector<std::string> all;
  size_t pages = 0;
  do {
    const auto page = Due(input);
    ASSERT_THAT(page, IsOk());
    ASSERT_LE(page->due.size(), 2U);
    for (const DueEntries& due : page->due) all.push_back(due.record_class);
    input.page_token = page->next_page_token;
    ++pages;
  } while (!input.page_token.empty());
  EXPECT_THAT(all, SizeIs(8));
  EXPECT_GE(pages, 4U);
  input.page_token = "forged";
  EXPECT_THAT(Due(input), HasReason(Reason::kPageTokenInvalid));
  input.page_token.clear();
  input.page_size = -1;
  EXPECT_THAT(Due(input), HasReason(Reason::kValueInvalid));
}

TEST_F(RetentionsTest, ARunEndsWhatWasOverThenAndIsWrittenDown) {
  Log(ann_);
  vault_.clock().Advance(std::chrono::days(1));
  Log(ann_);
  vault_.clock().Set(At("2027-06-01"));
  EXPECT_THAT(Begin(vault_.clock().Now() + std::chrono::seconds(1)),
              HasReason(Reason::kValueInvalid));
  RetentionRun run = Run(At("2027-03-01"));
  EXPECT_EQ(run.counts, (PeriodEnds::Counts{1, 1, 0}));
  EXPECT_EQ(run.as_of, At("2027-03-01"));
  EXPECT_TRUE(run.ended.has_value());
  EXPECT_EQ(run.reason, Reason::kNone);
  run = Run();
  EXPECT_EQ(run.counts, (PeriodEnds::Counts{1, 1, 0}));
  size_t written = 0;
  for (const audit::Event& event : vault_.Events()) {
    if (event.action == Action::kRetentionRun && event.actor == kOwnActor) {
      EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
      EXPECT_EQ(event.records, 1U);
      ++written;
    }
  }
  EXPECT_EQ(written, 2U);
}

TEST_F(RetentionsTest, ARunThatFailsSaysSoAndTheNextGoesOn) {
  Log(ann_);
  vault_.clock().Set(At("2027-06-01"));
  // Behind the call itself, and what erasures ask for.
  vault_.data().FailCommit(2, test::FaultyEngine::When::kBeforeApplied,
                           absl::UnavailableError("no disk"));
  EXPECT_THAT(Begin(), IsOk());
  while (vault_.store().retentions().busy()) std::this_thread::yield();
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(Run().counts.entries + Run().counts.entries, 1U);
}

TEST_F(RetentionsTest, EndsNothingOfAnotherTenant) {
  const SubjectId eve = NewPersonOfGlobex(vault_, "eve@example.com");
  NewRecord record = RecordOf("usage", {{"endpoint", "/v1/chat"}});
  record.event_time = vault_.clock().Now();
  const Call call =
      vault_.CallOf(test::kOtherFull, Action::kRecordPut, kService);
  PutRecordInput input;
  input.subject = eve;
  input.record = std::move(record);
  ASSERT_THAT(Put(vault_, call, std::move(input)), IsOk());
  vault_.clock().Set(At("2027-06-01"));
  EXPECT_EQ(Run().counts.entries, 0U);
  EXPECT_THAT(DueTexts(), SizeIs(1));
  const auto of_globex = Due({}, test::kOtherFull);
  ASSERT_THAT(of_globex, IsOk());
  EXPECT_FALSE(of_globex->run.has_value());
  // Without a policy: every class that has no end, and the entry.
  EXPECT_THAT(of_globex->due, SizeIs(4));
}

TEST_F(RetentionsTest, TheFirstWritersOfADayDoNotMeet) {
  const Call call = FullCall(vault_, Action::kRecordPut);
  std::vector<std::unique_ptr<Attempt>> attempts;
  for (const SubjectId subject : {ann_, bob_}) {
    // Each has a key of the class already: only the day's is made.
    Log(subject);
  }
  vault_.clock().Advance(std::chrono::days(1));
  std::vector<RecordId> ids;
  for (const SubjectId subject : {ann_, bob_}) {
    attempts.push_back(vault_.NewAttempt(call));
    PutRecordInput input;
    input.subject = subject;
    input.record = RecordOf("usage", {{"endpoint", "/v1/chat"}});
    input.record.event_time = vault_.clock().Now();
    const auto written =
        vault_.store().records().Put(*attempts.back(), call, std::move(input));
    ASSERT_THAT(written, IsOk());
    ids.push_back(written->name.id);
    attempts.back()->Conclude(absl::OkStatus());
  }
  for (auto& attempt : attempts) {
    EXPECT_THAT(vault_.Commit(std::move(attempt)).status, IsOk());
  }
  EXPECT_THAT(Get(vault_, ann_, "usage", {"endpoint"}, ids[0]), IsOk());
  EXPECT_THAT(Get(vault_, bob_, "usage", {"endpoint"}, ids[1]), IsOk());
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(Get(vault_, ann_, "usage", {"endpoint"}, ids[0]), IsOk());
  EXPECT_THAT(Get(vault_, bob_, "usage", {"endpoint"}, ids[1]), IsOk());
}

TEST_F(RetentionsTest, NobodyDoesSoWithoutAGrant) {
  EXPECT_THAT(Due({}, test::kClerk), HasReason(Reason::kCallerNotEntitled));
  EXPECT_THAT(Mark("2027-03-31", "transaction", test::kClerk),
              HasReason(Reason::kCallerNotEntitled));
  const Call call =
      vault_.CallOf(test::kClerk, Action::kRetentionRun, kService);
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().retentions().Begin(
                               attempt, call, std::nullopt);
                         }),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_FALSE(vault_.store().retentions().busy());
}

TEST_F(RetentionsTest, Scenario3KeepsTheErasedLongerForAYearOfALoss) {
  const RecordId invoice = Invoice(ann_, "2026-05-10");
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  vault_.clock().Set(At("2034-05-31"));
  const auto marked = Mark("2027-03-31");
  ASSERT_THAT(marked, IsOk());
  EXPECT_EQ(policy::ToText(marked->until), "2037-05-31");
  EXPECT_EQ(vault_.LastEvent().clause, kLossLaw);
  const auto erasure = GetErasure(vault_, ann_);
  ASSERT_THAT(erasure, IsOk());
  EXPECT_EQ(erasure->kept[0].until, DayFromText("2037-05-31"));
  for (const char* day : {"2034-06-01", "2037-05-31"}) {
    vault_.clock().Set(At(day) + std::chrono::hours(23));
    EXPECT_EQ(Run().people, 0U);
    EXPECT_THAT(ReadInvoice(invoice, kTaxAudit), IsOk()) << day;
  }
  vault_.clock().Set(At("2037-06-01"));
  EXPECT_THAT(ReadInvoice(invoice, kTaxAudit),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(Run().people, 1U);
  EXPECT_THAT(GetErasure(vault_, ann_)->kept, IsEmpty());
  // Marked again it is the same, and nothing comes back.
  EXPECT_THAT(Mark("2027-03-31"), IsOk());
  EXPECT_THAT(ReadInvoice(invoice, kTaxAudit),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(RetentionsTest, Scenario3MarksNoYearThatIsGone) {
  const RecordId invoice = Invoice(ann_, "2026-05-10");
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  vault_.clock().Set(At("2034-06-01"));
  EXPECT_THAT(Mark("2027-03-31"), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(ReadInvoice(invoice, kTaxAudit),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(RetentionsTest, AYearOfALossKeepsInvoicesOfThoseWhoAreThere) {
  const RecordId invoice = Invoice(ann_, "2026-05-10");
  const RecordId other = Invoice(ann_, "2027-04-01");
  ASSERT_THAT(Mark("2027-03-31"), IsOk());
  vault_.clock().Set(At("2035-06-01"));
  EXPECT_EQ(Run().counts.entries, 1U);
  EXPECT_THAT(ReadInvoice(invoice, kTaxAudit), IsOk());
  EXPECT_THAT(ReadInvoice(other, kTaxAudit),
              HasReason(Reason::kRecordNotFound));
  vault_.clock().Set(At("2037-06-01"));
  EXPECT_THAT(ReadInvoice(invoice, kTaxAudit),
              HasReason(Reason::kRecordNotFound));
  EXPECT_EQ(Run().counts.entries, 1U);
}

TEST_F(RetentionsTest, AnEarlierYearOfALossOutlastsALaterOne) {
  Invoice(ann_, "2026-05-10");
  Invoice(ann_, "2027-05-10");
  ASSERT_THAT(Mark("2027-03-31"), IsOk());
  auto erasure = Erase(vault_, ann_);
  ASSERT_THAT(erasure, IsOk());
  ASSERT_THAT(erasure->kept, SizeIs(1));
  EXPECT_EQ(erasure->kept[0].until, DayFromText("2037-05-31"));
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  erasure = GetErasure(vault_, ann_);
  EXPECT_THAT(crypto::OpenNote(erasure->receipts[0],
                               vault_.store().log().verifier_key())
                  .value_or("forged"),
              HasSubstr("transaction until 2037-05-31 for tax_audit; " +
                        std::string(kLossLaw)));
}

TEST_F(RetentionsTest, MarksOnlyYearsThatThereAre) {
  for (const char* day : {"2027-03-30", "2027-02-29", "", "2027"}) {
    EXPECT_THAT(Mark(day), HasReason(Reason::kValueInvalid)) << day;
  }
  for (const char* of : {"usage", "profile", "nothing", ""}) {
    EXPECT_THAT(Mark("2027-03-31", of), HasReason(Reason::kFieldUnknown)) << of;
  }
  EXPECT_THAT(Mark("2018-03-31"), HasReason(Reason::kRecordNotFound));
}

}  // namespace
}  // namespace hizo::vault
