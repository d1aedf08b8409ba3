// Entries that end by themselves: until when they are there, for whom they
// stay, and that no copy of them opens afterwards.
#include "service/vault/period_ends.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/data_check.h"
#include "service/vault/row_keys.h"
#include "storage/memory/engine.h"
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
using test::kBilling;
using test::kLegalClaim;
using test::RowsOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Counts = PeriodEnds::Counts;

constexpr policy::ClassNumber kTransaction = 4;
constexpr policy::ClassNumber kUsage = 8;
constexpr std::chrono::seconds kSecond{1};

base::Timestamp At(const std::string& day) {
  return base::Timestamp(DayFromText(day).value());
}

class PeriodEndsTest : public ::testing::Test {
 protected:
  PeriodEndsTest() : vault_(OptionsOf()) {
    vault_.clock().Set(At("2027-01-10") + std::chrono::hours(15));
    ann_ = NewPerson(vault_, "ann@example.com");
    bob_ = NewPerson(vault_, "bob@example.com");
  }

  static void Amend(policy::CatalogueSource& source) {
    test::KeepTransactions(source);
    source.classes[3].ends.emplace();  // with the term of the law
    source.classes[3].retention->loss_years = 10;
    source.classes[3].retention->loss_law = "Tax Act, years of a loss";
    test::LogUsage(source);
  }
  static VaultFixture::Options OptionsOf() {
    VaultFixture::Options options;
    options.amend = Amend;
    options.company = test::VaultPolicySource();
    options.company->classes.push_back({"usage", "1", true});
    return options;
  }

  NewRecord CallOfNow(const std::string& endpoint = "/v1/chat") {
    NewRecord record = RecordOf("usage", {{"endpoint", endpoint}});
    record.event_time = vault_.clock().Now();
    return record;
  }
  RecordId Log(SubjectId subject, NewRecord record) {
    const auto written = Put(vault_, subject, std::move(record));
    EXPECT_THAT(written, IsOk());
    return written.ok() ? written->name.id : RecordId();
  }
  RecordId Log(SubjectId subject) { return Log(subject, CallOfNow()); }
  absl::StatusOr<ShownRecord> Read(SubjectId subject, RecordId id,
                                   policy::PurposeNumber purpose = kService,
                                   const std::string& record_class = "usage",
                                   const std::string& field = "endpoint") {
    const Call call = vault_.CallOf(kFull, Action::kRecordGet, purpose);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().records().Get(
          attempt, call,
          {subject, id, {record_class, {field}, policy::View::kPlain}});
    });
  }
  absl::StatusOr<RecordPage> List(SubjectId subject, size_t page_size) {
    const Call call = FullCall(vault_, Action::kRecordList);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().records().List(
          attempt, call,
          {subject,
           {"usage", {"endpoint"}, policy::View::kPlain},
           static_cast<int32_t>(page_size),
           ""});
    });
  }
  absl::StatusOr<Counts> End() {
    return vault_.store().EndPeriods(vault_.clock().Now(), nullptr);
  }
  absl::StatusOr<size_t> Change(Action action, SubjectId subject) {
    const Call call = vault_.CallOf(kFull, action, kLegalClaim);
    const LegalHoldInput input{subject, "usage", Claim()};
    return vault_.Run(call, [&](Attempt& attempt) {
      const LegalHolds& holds = vault_.store().legal_holds();
      return action == Action::kHoldPlace ? holds.Place(attempt, call, input)
                                          : holds.Release(attempt, call, input);
    });
  }
  void Hold(SubjectId subject) {
    EXPECT_THAT(Change(Action::kHoldPlace, subject), IsOkAndHolds(1));
  }
  void Release(SubjectId subject) {
    EXPECT_THAT(Change(Action::kHoldRelease, subject), IsOkAndHolds(0));
  }
  static base::ClaimId Claim() {
    return *base::ClaimId::FromBytes(std::string(16, '\x4a'));
  }
  void Restrict(SubjectId subject) {
    const Call call = FullCall(vault_, Action::kRestrictionSet);
    EXPECT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().restrictions().Set(
                                 attempt, call, subject,
                                 RestrictionGround::kAccuracyContested);
                           }),
                IsOk());
  }
  // Nothing in the store is other than the log says.
  void ExpectWhole() {
    const auto verdict =
        DataCheck({vault_.keys(), vault_.data(), vault_.store().store_keys(),
                   vault_.Policy().access, vault_.store().log().head().size})
            .Run();
    ASSERT_THAT(verdict, IsOk());
    EXPECT_EQ(verdict->wrong, 0U);
  }
  std::string RowKey(SubjectId subject, RecordId id) {
    return RecordKey(test::kAcme, subject, kUsage, id);
  }
  // How many entries are noted under their periods.
  size_t Ends() {
    const auto rows = RowsOf(vault_.data(), base::kSpaceEntryEnd);
    return static_cast<size_t>(std::ranges::count_if(rows, [](const auto& row) {
      return ParseEntryEndKey(row.key).has_value();
    }));
  }
  bool HasLeaf(policy::ClassNumber number, uint32_t period) {
    return vault_.keys()
        .Get(StoreKeys::LeafKey(PeriodLeaf(test::kAcme, number, period)))
        ->has_value();
  }

  VaultFixture vault_;
  SubjectId ann_;
  SubjectId bob_;
};

TEST_F(PeriodEndsTest, AnEntryIsThereUntilTheLastSecondOfItsTime) {
  struct Case {
    const char* written;
    const char* ends;
  };
  for (const Case& of :
       {Case{"2027-01-10", "2027-04-10"}, Case{"2027-12-01", "2028-02-29"},
        Case{"2028-02-29", "2028-05-29"}}) {
    vault_.clock().Set(At(of.written) + std::chrono::hours(23));
    const RecordId id = Log(ann_);
    vault_.clock().Set(At(of.ends) - kSecond);
    EXPECT_THAT(End(), IsOk());
    EXPECT_THAT(Read(ann_, id), IsOk()) << of.written;
    // Whether or not anything has run.
    for (const auto after : {0 * kSecond, kSecond}) {
      vault_.clock().Set(At(of.ends) + after);
      EXPECT_THAT(Read(ann_, id), HasReason(Reason::kRecordNotFound));
      EXPECT_THAT(Read(ann_, id, kLegalClaim),
                  HasReason(Reason::kRecordNotFound));
    }
    EXPECT_THAT(End(), IsOk());
    EXPECT_THAT(Read(ann_, id), HasReason(Reason::kRecordNotFound));
  }
}

TEST_F(PeriodEndsTest, ARunEndsTheEntriesOfEverybodyAndNoOthers) {
  const RecordId first = Log(ann_);
  const RecordId second = Log(ann_);
  const RecordId bobs = Log(bob_);
  vault_.clock().Advance(std::chrono::days(1));
  const RecordId later = Log(ann_);
  EXPECT_EQ(Ends(), 4U);
  vault_.clock().Set(At("2027-04-10"));
  const size_t events = vault_.Events().size();
  EXPECT_THAT(End(), IsOkAndHolds(Counts{1, 3, 0}));
  EXPECT_FALSE(HasLeaf(kUsage, 20270110));
  EXPECT_TRUE(HasLeaf(kUsage, 20270111));
  for (const auto& [who, id] :
       {std::pair(ann_, first), {ann_, second}, {bob_, bobs}}) {
    EXPECT_THAT(vault_.data().Get(RowKey(who, id)), IsOkAndHolds(std::nullopt));
  }
  EXPECT_THAT(Read(ann_, later), IsOk());
  // An event for each person, which names what is not there any more.
  const auto all = vault_.Events();
  std::vector<size_t> writes;
  for (size_t i = events; i < all.size(); ++i) {
    if (all[i].action != Action::kRetentionExpire) continue;
    EXPECT_TRUE(all[i].subject.has_value());
    writes.push_back(all[i].writes.size());
  }
  EXPECT_THAT(writes, ::testing::UnorderedElementsAre(2, 1));
  EXPECT_THAT(End(), IsOkAndHolds(Counts{}));
  ExpectWhole();
}

TEST_F(PeriodEndsTest, NoOlderCopyOfAnEndedEntryOpens) {
  const RecordId id = Log(ann_);
  const std::string key = RowKey(ann_, id);
  const std::string row = test::Stored(vault_.data(), key);
  const std::string leaf_key =
      StoreKeys::LeafKey(PeriodLeaf(test::kAcme, kUsage, 20270110));
  const std::string leaf = test::Stored(vault_.keys(), leaf_key);
  vault_.clock().Set(At("2027-04-10"));
  EXPECT_THAT(End(), IsOkAndHolds(Counts{1, 1, 0}));
  // The day comes again, with the row, and with the row and the wrapped key.
  vault_.clock().Set(At("2027-01-10"));
  test::Overwrite(vault_.data(), key, row);
  EXPECT_THAT(Read(ann_, id), HasReason(Reason::kRecordNotFound));
  test::Overwrite(vault_.keys(), leaf_key, leaf);
  EXPECT_THAT(Read(ann_, id), HasReason(Reason::kIntegrityFailure));
}

TEST_F(PeriodEndsTest, AnEntryNeedsThePersonsKeyToo) {
  const RecordId id = Log(ann_);
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_TRUE(HasLeaf(kUsage, 20270110));
  EXPECT_THAT(Read(ann_, id), HasReason(Reason::kSubjectNotFound));
  // With the person went the row that would have had it end.
  EXPECT_EQ(Ends(), 0U);
}

TEST_F(PeriodEndsTest, Scenario8KeepsHeldCallsForTheClaimAndEndsTheRest) {
  const RecordId first = Log(ann_);
  const RecordId second = Log(ann_);
  const RecordId rest = Log(bob_);
  vault_.clock().Advance(std::chrono::days(80));
  Hold(ann_);
  vault_.clock().Set(At("2027-04-10"));
  for (const bool ended : {false, true}) {
    if (ended) {
      EXPECT_THAT(End(), IsOkAndHolds(Counts{1, 1, 2}));
    }
    for (const RecordId id : {first, second}) {
      EXPECT_THAT(Read(ann_, id, kLegalClaim), IsOk());
      EXPECT_THAT(Read(ann_, id), HasReason(Reason::kRecordNotFound));
    }
    EXPECT_THAT(Read(bob_, rest, kLegalClaim),
                HasReason(Reason::kRecordNotFound));
  }
  EXPECT_FALSE(HasLeaf(kUsage, 20270110));
  EXPECT_THAT(End(), IsOkAndHolds(Counts{0, 0, 2}));
  ExpectWhole();
  const std::string held = test::Stored(vault_.data(), RowKey(ann_, first));

  Release(ann_);
  EXPECT_THAT(Read(ann_, first, kLegalClaim),
              HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(End(), IsOkAndHolds(Counts{0, 2, 0}));
  EXPECT_THAT(vault_.data().Get(RowKey(ann_, first)),
              IsOkAndHolds(std::nullopt));
  // Under the person's key alone it lay: that is another one from here on.
  EXPECT_THAT(vault_.store().Renew(), IsOkAndHolds(1));
  test::Overwrite(vault_.data(), RowKey(ann_, first), held);
  Hold(ann_);
  EXPECT_THAT(Read(ann_, first, kLegalClaim),
              HasReason(Reason::kIntegrityFailure));
}

TEST_F(PeriodEndsTest, Scenario17EndsNothingOfWhomDataAreOnlyKept) {
  const RecordId id = Log(ann_);
  Log(bob_);
  Restrict(ann_);
  vault_.clock().Set(At("2027-04-10"));
  EXPECT_THAT(End(), IsOkAndHolds(Counts{1, 1, 1}));
  EXPECT_THAT(vault_.data().Get(RowKey(ann_, id)),
              IsOkAndHolds(Not(std::nullopt)));
  EXPECT_THAT(Read(ann_, id), Not(IsOk()));
  ExpectWhole();
}

TEST_F(PeriodEndsTest, AHeldClassOfAnErasedPersonStaysUntilItIsReleased) {
  const RecordId id = Log(ann_);
  Hold(ann_);
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  vault_.clock().Set(At("2027-04-10"));
  EXPECT_THAT(End(), IsOkAndHolds(Counts{1, 0, 1}));
  EXPECT_THAT(Read(ann_, id, kLegalClaim), IsOk());
  Release(ann_);
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_THAT(Read(ann_, id, kLegalClaim), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(End(), IsOk());
  EXPECT_EQ(Ends(), 0U);
}

TEST_F(PeriodEndsTest, RefusesWhatHasEndedAlready) {
  NewRecord old = CallOfNow();
  old.event_time = At("2026-10-12") + std::chrono::hours(23);
  EXPECT_THAT(Put(vault_, ann_, std::move(old)),
              HasReason(Reason::kValueInvalid));
  NewRecord last = CallOfNow();
  last.event_time = At("2026-10-13");
  EXPECT_THAT(Read(ann_, Log(ann_, std::move(last))), IsOk());
}

TEST_F(PeriodEndsTest, AnInvoiceOfSomebodyWhoIsThereEndsWithItsTerm) {
  const RecordId id = Log(ann_, InvoiceOf(5400, "2026-05-10"));
  const RecordId next = Log(ann_, InvoiceOf(5400, "2027-04-01"));
  const auto read = [&](RecordId of) {
    return Read(ann_, of, kBilling, "transaction", "amount");
  };
  vault_.clock().Set(At("2034-06-01") - kSecond);
  EXPECT_THAT(End(), IsOkAndHolds(Counts{}));
  EXPECT_THAT(read(id), IsOk());
  vault_.clock().Set(At("2034-06-01"));
  EXPECT_THAT(read(id), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(End(), IsOkAndHolds(Counts{1, 1, 0}));
  EXPECT_FALSE(HasLeaf(kTransaction, 20270331));
  EXPECT_THAT(read(next), IsOk());
}

TEST_F(PeriodEndsTest, AnInvoiceOfAnotherYearIsOfAnotherPeriod) {
  const RecordId id = Log(ann_, InvoiceOf(5400, "2026-05-10"));
  PutRecordInput input;
  input.subject = ann_;
  input.record = InvoiceOf(5400, "2027-05-10");
  input.record_id = id;
  ASSERT_THAT(
      Put(vault_, FullCall(vault_, Action::kRecordPut), std::move(input)),
      IsOk());
  vault_.clock().Set(At("2034-06-01"));
  EXPECT_THAT(End(), IsOkAndHolds(Counts{1, 0, 0}));
  EXPECT_THAT(Read(ann_, id, kBilling, "transaction", "amount"), IsOk());
  vault_.clock().Set(At("2035-06-01"));
  EXPECT_THAT(End(), IsOkAndHolds(Counts{1, 1, 0}));
}

TEST_F(PeriodEndsTest, Scenario10KeepsWhatIsMarkedAndNothingBeyondItsLimit) {
  const auto with = [&](bool marked, std::optional<int64_t> days) {
    NewRecord record = CallOfNow();
    record.fields.push_back({"marked", Value(marked)});
    if (days.has_value()) record.fields.push_back({"days", Value(*days)});
    return Log(ann_, std::move(record));
  };
  const RecordId marked = with(true, std::nullopt);
  const RecordId unmarked = with(false, std::nullopt);
  const RecordId limited = with(true, 20);
  const RecordId limited_late = with(true, 100);
  const RecordId unmarked_late = with(false, 100);
  const auto there = [&] {
    std::vector<bool> is;
    for (const RecordId id :
         {marked, unmarked, limited, limited_late, unmarked_late}) {
      is.push_back(Read(ann_, id).ok());
    }
    return is;
  };
  for (const bool runs : {false, true}) {
    const auto at = [&](int days, std::chrono::seconds by) {
      vault_.clock().Set(At("2027-01-10") + std::chrono::days(days) + by);
      if (!runs) return;
      EXPECT_THAT(End(), IsOk());
    };
    at(20, -kSecond);
    EXPECT_THAT(there(), ElementsAre(true, true, true, true, true));
    at(20, 0 * kSecond);
    EXPECT_THAT(there(), ElementsAre(true, true, false, true, true));
    at(90, 0 * kSecond);
    EXPECT_THAT(there(), ElementsAre(true, false, false, true, false));
    at(100, kSecond);
    EXPECT_THAT(there(), ElementsAre(true, false, false, false, false));
  }
}

TEST_F(PeriodEndsTest, ListsPagesWithoutWhatHasEnded) {
  for (int i = 0; i < 5; ++i) Log(ann_);
  vault_.clock().Set(At("2027-04-09"));
  Log(ann_, CallOfNow("/v2"));
  vault_.clock().Set(At("2027-04-10"));
  auto page = List(ann_, 2);
  ASSERT_THAT(page, IsOk());
  ASSERT_THAT(page->records, SizeIs(1));
  EXPECT_THAT(page->next_page_token, IsEmpty());
  vault_.clock().Set(At("2028-01-01"));
  page = List(ann_, 2);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->records, IsEmpty());
  EXPECT_THAT(page->next_page_token, IsEmpty());
}

TEST_F(PeriodEndsTest, ACorrectedEntryKeepsItsPeriodUnderNewKeys) {
  const RecordId id = Log(ann_);
  PutRecordInput input;
  input.subject = ann_;
  input.record = CallOfNow("/v1/corrected");
  input.record_id = id;
  ASSERT_THAT(
      Put(vault_, FullCall(vault_, Action::kRecordPut), std::move(input)),
      IsOk());
  EXPECT_THAT(vault_.store().Renew(), IsOkAndHolds(1));
  EXPECT_THAT(Read(ann_, id), IsOk());
  ExpectWhole();
  vault_.clock().Set(At("2027-04-10"));
  EXPECT_THAT(End(), IsOkAndHolds(Counts{1, 1, 0}));
}

TEST_F(PeriodEndsTest, EntriesOfBeforeTheirClassWasToEndEndToo) {
  const auto without = [](policy::CatalogueSource& source) {
    Amend(source);
    source.classes.back().ends.reset();
  };
  ASSERT_THAT(vault_.ReopenAmended(without), IsOk());
  EXPECT_THAT(End(), IsOk());
  const RecordId old = Log(ann_);
  vault_.clock().Advance(std::chrono::days(40));
  const RecordId id = Log(ann_);
  vault_.clock().Set(At("2027-04-10"));
  EXPECT_THAT(Read(ann_, old), IsOk());
  const std::string older = test::Stored(vault_.data(), RowKey(ann_, id));

  ASSERT_THAT(vault_.ReopenAmended(Amend), IsOk());
  EXPECT_THAT(Read(ann_, old), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Read(ann_, id), IsOk());
  EXPECT_THAT(End(), IsOkAndHolds(Counts{0, 1, 0}));
  EXPECT_TRUE(HasLeaf(kUsage, 20270219));
  EXPECT_THAT(Read(ann_, id), IsOk());
  ExpectWhole();
  EXPECT_THAT(vault_.store().Renew(), IsOkAndHolds(1));
  const std::string now = test::Stored(vault_.data(), RowKey(ann_, id));
  test::Overwrite(vault_.data(), RowKey(ann_, id), older);
  EXPECT_THAT(Read(ann_, id), HasReason(Reason::kIntegrityFailure));
  test::Overwrite(vault_.data(), RowKey(ann_, id), now);
  vault_.clock().Set(At("2027-05-20"));
  EXPECT_THAT(End(), IsOkAndHolds(Counts{1, 1, 0}));
}

TEST_F(PeriodEndsTest, ARunThatFailedIsGoneOnWith) {
  std::vector<RecordId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(Log(i == 0 ? bob_ : ann_));
  vault_.clock().Set(At("2027-04-10"));
  // The first: whether there is a second depends on who shares a batch.
  for (int run = 0; run < 2; ++run) {
    vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                             absl::UnavailableError("no disk"));
    EXPECT_THAT(End(), Not(IsOk())) << run;
    ASSERT_THAT(vault_.Reopen(), IsOk());
    for (const RecordId id : ids) {
      EXPECT_THAT(Read(ann_, id), HasReason(Reason::kRecordNotFound));
    }
  }
  EXPECT_TRUE(HasLeaf(kUsage, 20270110));
  EXPECT_THAT(End(), IsOk());
  EXPECT_FALSE(HasLeaf(kUsage, 20270110));
  EXPECT_EQ(Ends(), 0U);
  ExpectWhole();
}

TEST_F(PeriodEndsTest, AnEndedEntryDoesNotComeBackFromABackup) {
  const RecordId ended = Log(ann_);
  vault_.clock().Advance(std::chrono::days(1));
  const RecordId there = Log(ann_);
  const auto backup = storage::NewMemoryEngine();
  storage::Batch rows;
  const auto all = vault_.data().Scan({.from = "", .until = "", .limit = 9999});
  for (const storage::Row& row : *all) rows.Put(row.key, row.value);
  ASSERT_THAT(backup->Commit(rows), IsOk());
  vault_.clock().Set(At("2027-04-10"));
  EXPECT_THAT(End(), IsOkAndHolds(Counts{1, 1, 0}));
  const auto id = StoreKeys::IdOf(vault_.keys());
  vault_.Close();
  auto anchor = storage::Anchor::Open(vault_.anchor_file(),
                                      std::string(id->bytes()), false);
  const auto into = storage::NewMemoryEngine();
  const auto counts =
      Store::Restore(vault_.Parts(), *std::move(anchor), vault_.Policy(),
                     vault_.clock(), *backup, *into);
  ASSERT_THAT(counts, IsOk());
  EXPECT_EQ(counts->without_key, 1U);
  EXPECT_THAT(into->Get(RowKey(ann_, ended)), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(into->Get(RowKey(ann_, there)), IsOkAndHolds(Not(std::nullopt)));
  EXPECT_THAT(
      into->Get(EntryEndKey(test::kAcme, kUsage, 20270111, ann_, there)),
      IsOkAndHolds(Not(std::nullopt)));
}

}  // namespace
}  // namespace hizo::vault
