// Restoring records from a backup: what comes back, and what must not.
#include "service/vault/restore.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "storage/memory/engine.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::FaultyEngine;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::RowsOf;
using test::StatusIs;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr char kAnns[] = "ann@example.com";
constexpr char kBobs[] = "bob@example.com";
constexpr size_t kAllRows = 10'000;
constexpr char kPassword[] = "correct horse";

void CopyRows(const storage::Reader& from, storage::Engine& to) {
  const auto rows = from.Scan({.from = "", .until = "", .limit = kAllRows});
  ASSERT_THAT(rows, IsOk());
  ASSERT_LT(rows->size(), kAllRows);
  storage::Batch batch;
  for (const storage::Row& row : *rows) batch.Put(row.key, row.value);
  ASSERT_THAT(to.Commit(batch), IsOk());
}
void RemoveRows(storage::Engine& engine) {
  const auto rows = engine.Scan({.from = "", .until = "", .limit = kAllRows});
  ASSERT_THAT(rows, IsOk());
  storage::Batch batch;
  for (const storage::Row& row : *rows) batch.Delete(row.key);
  ASSERT_THAT(engine.Commit(batch), IsOk());
}

class RestoreTest : public ::testing::Test {
 protected:
  void BackUp() {
    backup_ = storage::NewMemoryEngine();
    CopyRows(vault_.data(), *backup_);
  }
  std::unique_ptr<storage::Anchor> Anchor() {
    const auto id = StoreKeys::IdOf(vault_.keys());
    auto anchor = storage::Anchor::Open(vault_.anchor_file(),
                                        std::string(id->bytes()), false);
    EXPECT_THAT(anchor, IsOk());
    return *std::move(anchor);
  }
  absl::StatusOr<RestoreCounts> RestoreInto(storage::Engine& into) {
    vault_.Close();
    return Store::Restore(vault_.Parts(), Anchor(), vault_.Policy(),
                          vault_.clock(), *backup_, into);
  }
  // Restores, and puts the new store in the place of the old one.
  RestoreCounts RestoreAll() {
    const auto into = storage::NewMemoryEngine();
    const auto counts = RestoreInto(*into);
    EXPECT_THAT(counts, IsOk());
    RemoveRows(vault_.data());
    CopyRows(*into, vault_.data());
    EXPECT_THAT(vault_.Reopen(), IsOk());
    return counts.value_or(RestoreCounts());
  }
  TextFields NameOf(SubjectId subject) {
    const auto record = Get(vault_, subject, "profile", {"full_name"});
    EXPECT_THAT(record, IsOk());
    return record.ok() ? TextsOf(*record) : TextFields();
  }
  void Rename(SubjectId subject, const std::string& name) {
    ASSERT_THAT(
        Put(vault_, subject, RecordOf("profile", {{"full_name", name}})),
        IsOk());
  }
  void Pay(SubjectId subject, int64_t yen) {
    ASSERT_THAT(Put(vault_, subject, PaymentOf(yen, vault_.clock().Now())),
                IsOk());
  }
  absl::StatusOr<bool> Verify(SubjectId subject, const std::string& password) {
    const Call call = FullCall(vault_, Action::kCredentialVerify);
    const auto verified = vault_.Run(call, [&](Attempt& attempt) {
      Who who;
      who.subject = subject;
      return vault_.store().credentials().Verify(attempt, call, who,
                                                 base::Pii(password));
    });
    if (!verified.ok()) return verified.status();
    return verified->has_value();
  }
  void SetPassword(SubjectId subject, const std::string& password) {
    const Call call = FullCall(vault_, Action::kCredentialSet);
    ASSERT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().credentials().Set(
                                 attempt, call, subject, base::Pii(password));
                           }),
                IsOk());
  }

  VaultFixture vault_;
  std::unique_ptr<storage::Engine> backup_;
  const SubjectId ann_ = NewPerson(vault_, kAnns);
  const SubjectId bob_ = NewPerson(vault_, kBobs);
};

TEST_F(RestoreTest, BringsBackWhatWasOverwritten) {
  BackUp();
  Rename(ann_, "Wrong");
  Pay(bob_, 300);
  const RestoreCounts counts = RestoreAll();
  EXPECT_THAT(NameOf(ann_), ElementsAre(Pair("full_name", "Ann Other")));
  EXPECT_THAT(Find(vault_, "account.email", kBobs),
              IsOkAndHolds(ElementsAre(bob_)));
  EXPECT_EQ(counts.people, 2);
  EXPECT_EQ(counts.records, 4);
  EXPECT_EQ(counts.without_key, 0);
  EXPECT_EQ(counts.lost_since, 1);
  // And the vault goes on.
  Rename(ann_, "Ann Later");
  EXPECT_THAT(NameOf(ann_), ElementsAre(Pair("full_name", "Ann Later")));
}

TEST_F(RestoreTest, BringsBackWhatWasLost) {
  BackUp();
  vault_.Close();
  for (const storage::Row& row : RowsOf(vault_.data(), base::kSpaceRecord)) {
    test::Remove(vault_.data(), row.key);
  }
  RestoreAll();
  EXPECT_THAT(NameOf(ann_), ElementsAre(Pair("full_name", "Ann Other")));
}

TEST_F(RestoreTest, Scenario5TheErasedStayErased) {
  Pay(ann_, 100);
  BackUp();
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  const RestoreCounts counts = RestoreAll();
  EXPECT_EQ(counts.without_key, 3);
  EXPECT_EQ(counts.people, 1);
  EXPECT_EQ(counts.kept_since, 0);
  EXPECT_EQ(counts.lost_since, 0);
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}),
              HasReason(Reason::kSubjectNotFound));
  const auto check = VerifyErasure(vault_, ann_);
  ASSERT_THAT(check, IsOk());
  EXPECT_TRUE(check->erased());
  EXPECT_THAT(NameOf(bob_), SizeIs(1));
}

TEST_F(RestoreTest, AnErasureThatWaitsForItsSealGoesOn) {
  BackUp();
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  EXPECT_EQ(RestoreAll().without_key, 2);
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  const auto check = VerifyErasure(vault_, ann_);
  ASSERT_THAT(check, IsOk());
  EXPECT_TRUE(check->erased());
}

TEST_F(RestoreTest, DeletedFieldsAndRecordsStayDeleted) {
  ASSERT_THAT(Put(vault_, ann_,
                  RecordOf("profile", {{"full_name", "Ann"}, {"note", "x"}})),
              IsOk());
  BackUp();
  const Call call = FullCall(vault_, Action::kRecordDeleteFields);
  const auto remove = [&](SubjectId subject, std::vector<std::string> fields) {
    ASSERT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             DeleteFieldsInput input;
                             input.subject = subject;
                             input.record_class = "profile";
                             input.fields = fields;
                             return vault_.store().records().DeleteFields(
                                 attempt, call, input);
                           }),
                IsOk());
  };
  remove(ann_, {"note"});
  remove(bob_, {"full_name"});
  const RestoreCounts counts = RestoreAll();
  EXPECT_EQ(counts.kept_since, 2);
  const auto profile = Get(vault_, ann_, "profile", {"full_name", "note"});
  ASSERT_THAT(profile, IsOk());
  EXPECT_THAT(TextsOf(*profile), ElementsAre(Pair("full_name", "Ann")));
  EXPECT_THAT(Get(vault_, bob_, "profile", {"full_name"}),
              HasReason(Reason::kRecordNotFound));
}

// What people are found by is in the keys store, which does not go back.
TEST_F(RestoreTest, PeopleAreFoundByWhatTheyAreFoundByNow) {
  BackUp();
  ASSERT_THAT(
      Put(vault_, ann_, RecordOf("account", {{"email", "new@example.com"}})),
      IsOk());
  const SubjectId carl = NewPerson(vault_, kAnns);
  RestoreAll();
  EXPECT_THAT(Find(vault_, "account.email", "new@example.com"),
              IsOkAndHolds(ElementsAre(ann_)));
  EXPECT_THAT(Find(vault_, "account.email", kAnns),
              IsOkAndHolds(ElementsAre(carl)));
  const auto account = Get(vault_, ann_, "account", {"email"});
  ASSERT_THAT(account, IsOk());
  EXPECT_THAT(TextsOf(*account), ElementsAre(Pair("email", "new@example.com")));
}

TEST_F(RestoreTest, APasswordThatWasReplacedStaysReplaced) {
  SetPassword(ann_, "an old one");
  BackUp();
  SetPassword(ann_, kPassword);
  RestoreAll();
  EXPECT_THAT(Verify(ann_, "an old one"), IsOkAndHolds(false));
  EXPECT_THAT(Verify(ann_, kPassword), IsOkAndHolds(true));
}

TEST_F(RestoreTest, WhoseErasureCanBeTakenBackComesBackWithTheBackup) {
  BackUp();
  ASSERT_THAT(Erase(vault_, ann_, std::chrono::days(7)), IsOk());
  RestoreAll();
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}),
              HasReason(Reason::kSubjectNotFound));
  ASSERT_THAT(CancelErasure(vault_, ann_), IsOk());
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}), IsOk());
  BackUp();
  ASSERT_THAT(Erase(vault_, ann_, std::chrono::days(7)), IsOk());
  vault_.clock().Advance(std::chrono::days(7));
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  RestoreAll();
  EXPECT_THAT(CancelErasure(vault_, ann_), HasReason(Reason::kRecordNotFound));
  EXPECT_TRUE(VerifyErasure(vault_, ann_)->erased());
}

TEST_F(RestoreTest, ACancelledAccountStaysCancelled) {
  BackUp();
  const Call call = FullCall(vault_, Action::kSubjectCancel);
  ASSERT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().subjects().Cancel(attempt,
                                                                   call, ann_);
                         }),
              IsOk());
  RestoreAll();
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}),
              HasReason(Reason::kPurposeNotAllowed));
}

TEST_F(RestoreTest, TheLogTellsWhatCameBackBeforeAnythingElse) {
  BackUp();
  const size_t before = vault_.Events().size();
  const RestoreCounts counts = RestoreAll();
  const auto events = vault_.Events();
  ASSERT_EQ(events.size(), before + 4);
  EXPECT_THAT(std::vector(events.end() - 4, events.end()),
              Each(Field(&audit::Event::action, Action::kBackupRestore)));
  EXPECT_EQ(events[before].records, counts.records);
  EXPECT_EQ(events[before].outcome, audit::Outcome::kAllowed);
  // Once.
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(vault_.Events().size(), before + 4);
  EXPECT_THAT(RowsOf(vault_.data(), base::kSpaceRestore), IsEmpty());
}

TEST_F(RestoreTest, DoesNotOpenUntilTheLogTellsIt) {
  BackUp();
  const auto into = storage::NewMemoryEngine();
  ASSERT_THAT(RestoreInto(*into), IsOk());
  RemoveRows(vault_.data());
  CopyRows(*into, vault_.data());
  vault_.data().FailCommit(1, FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(vault_.OpenWith(Anchor()), HasReason(Reason::kAuditUnavailable));
  EXPECT_THAT(RowsOf(vault_.data(), base::kSpaceRestore), SizeIs(1));
  EXPECT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(vault_.LastEvent().action, Action::kBackupRestore);
}

// Whichever batch fails or is the last one before the end: what is there is
// known to be a part, the store of now is as it was, and another try works.
TEST_F(RestoreTest, IsKnownToBePartialUntilItIsWhole) {
  BackUp();
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  vault_.Close();
  const auto rows =
      vault_.data().Scan({.from = "", .until = "", .limit = kAllRows});
  size_t failures = 0;
  for (size_t nth = 1; nth < 100; ++nth) {
    auto memory = storage::NewMemoryEngine();
    // Beneath the engine that has failed: what the next process finds.
    const storage::Engine& found = *memory;
    FaultyEngine into(std::move(memory));
    into.FailCommit(nth,
                    nth % 2 == 0 ? FaultyEngine::When::kBeforeApplied
                                 : FaultyEngine::When::kAfterApplied,
                    absl::UnknownError("injected"));
    const auto counts = RestoreInto(into);
    if (counts.ok()) break;
    ++failures;
    const auto told = RestoredCounts(found);
    if (told.ok() && told->has_value()) {
      // Only the very last batch makes it whole.
      EXPECT_EQ(nth % 2, 1);
    } else if (told.ok()) {
      EXPECT_THAT(found.Scan({.from = "", .until = "", .limit = 1}),
                  IsOkAndHolds(IsEmpty()));
    } else {
      EXPECT_THAT(told, StatusIs(absl::StatusCode::kFailedPrecondition));
    }
    const auto still =
        vault_.data().Scan({.from = "", .until = "", .limit = kAllRows});
    ASSERT_EQ(still->size(), rows->size());
  }
  EXPECT_GE(failures, 3);
  EXPECT_EQ(RestoreAll().people, 1);
}

TEST_F(RestoreTest, APartDoesNotOpen) {
  BackUp();
  auto memory = storage::NewMemoryEngine();
  const storage::Engine& found = *memory;
  FaultyEngine into(std::move(memory));
  into.FailCommit(2, FaultyEngine::When::kBeforeApplied,
                  absl::UnknownError("injected"));
  ASSERT_FALSE(RestoreInto(into).ok());
  CopyRows(found, vault_.data());
  EXPECT_THAT(std::string(vault_.Reopen().message()),
              HasSubstr("in part only"));
}

TEST_F(RestoreTest, RefusesABackupOfAnotherStoreOrOfAFork) {
  BackUp();
  const auto into = storage::NewMemoryEngine();
  const auto mine = std::move(backup_);
  VaultFixture other;
  NewPerson(other, kAnns);
  backup_ = storage::NewMemoryEngine();
  CopyRows(other.data(), *backup_);
  EXPECT_FALSE(RestoreInto(*into).ok());
  // The same entries but for the last one.
  backup_ = storage::NewMemoryEngine();
  CopyRows(*mine, *backup_);
  const auto entries = RowsOf(*backup_, base::kSpaceAuditEntry);
  storage::Batch batch;
  batch.Put(entries.back().key, entries.front().value);
  ASSERT_THAT(backup_->Commit(batch), IsOk());
  EXPECT_FALSE(RestoreInto(*into).ok());
  EXPECT_THAT(into->Scan({.from = "", .until = "", .limit = 1}),
              IsOkAndHolds(IsEmpty()));
}

TEST_F(RestoreTest, RefusesABackupThatIsNewerThanTheStore) {
  const auto earlier = storage::NewMemoryEngine();
  CopyRows(vault_.data(), *earlier);
  Rename(ann_, "Later");
  BackUp();
  vault_.Close();
  RemoveRows(vault_.data());
  CopyRows(*earlier, vault_.data());
  const auto into = storage::NewMemoryEngine();
  EXPECT_THAT(RestoreInto(*into),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

// Whose deletions could not be read from the log.
TEST_F(RestoreTest, RefusesWithoutATenantThatTheLogTellsOf) {
  BackUp();
  NewPersonOfGlobex(vault_, kAnns);
  policy::AccessSource source = test::VaultAccessSource();
  std::erase_if(source.tenants, [](const policy::TenantSpec& tenant) {
    return tenant.id == kGlobex;
  });
  std::erase_if(source.principals, [](const auto& principal) {
    return principal.tenant == "globex";
  });
  const auto access = policy::AccessTable::Create(source, vault_.catalogue());
  ASSERT_THAT(access, IsOk());
  vault_.Close();
  const auto into = storage::NewMemoryEngine();
  EXPECT_THAT(
      Store::Restore(vault_.Parts(), Anchor(), {vault_.catalogue(), **access},
                     vault_.clock(), *backup_, *into),
      StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(RestoreTest, RefusesDamagedRows) {
  BackUp();
  const auto rows = RowsOf(*backup_, base::kSpaceRecord);
  storage::Batch batch;
  batch.Put(rows.front().key, "x");
  ASSERT_THAT(backup_->Commit(batch), IsOk());
  const auto into = storage::NewMemoryEngine();
  EXPECT_THAT(RestoreInto(*into), StatusIs(absl::StatusCode::kDataLoss));
}

// What the backup has of them opens no more.
TEST_F(RestoreTest, RecordsWhoseClassHasNewKeysStayAsTheyAreNow) {
  Pay(bob_, 100);
  Rename(ann_, "Ann Second");
  BackUp();
  Rename(ann_, "Ann Third");
  Rename(bob_, "Bob Second");
  ASSERT_THAT(vault_.store().Renew(), IsOkAndHolds(2));
  Rename(ann_, "Ann Fourth");
  const RestoreCounts counts = RestoreAll();
  EXPECT_EQ(counts.kept_since, 2);
  EXPECT_EQ(counts.without_key, 0);
  EXPECT_THAT(NameOf(ann_), ElementsAre(Pair("full_name", "Ann Fourth")));
  EXPECT_THAT(NameOf(bob_), ElementsAre(Pair("full_name", "Bob Second")));
  ASSERT_THAT(vault_.store().Renew(), IsOkAndHolds(1));
  EXPECT_THAT(NameOf(ann_), ElementsAre(Pair("full_name", "Ann Fourth")));
}

}  // namespace
}  // namespace hizo::vault
