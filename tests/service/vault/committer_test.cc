#include "service/vault/committer.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/log.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::Committed;
using test::FaultyEngine;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::Pending;
using test::Stored;
using ::testing::ElementsAre;
using When = FaultyEngine::When;

class CommitterTest : public ::testing::Test {
 protected:
  explicit CommitterTest(const Committer::Options& options = {})
      : vault_({VaultFixture::Engines::kMemory, options}) {}

  std::unique_ptr<Attempt> NewAttempt() {
    return vault_.NewAttempt(FullCall(vault_, Action::kRecordPut));
  }
  std::unique_ptr<Attempt> DataWrite(const std::string& key,
                                     const std::string& value) {
    auto attempt = NewAttempt();
    attempt->data().Put(key, value);
    attempt->Withhold("answer");
    attempt->Conclude(absl::OkStatus());
    return attempt;
  }
  std::unique_ptr<Attempt> KeysWrite(const std::string& key,
                                     const std::string& value) {
    auto attempt = DataWrite(key, value);
    attempt->keys().Put(key, value);
    return attempt;
  }
  Committed Commit(std::unique_ptr<Attempt> attempt) {
    return vault_.Commit(std::move(attempt));
  }
  Committer& committer() { return vault_.store().committer(); }
  std::optional<std::string> InData(const std::string& key) {
    return *vault_.data().Get(key);
  }
  std::optional<std::string> InKeys(const std::string& key) {
    return *vault_.keys().Get(key);
  }

  VaultFixture vault_;
};

TEST_F(CommitterTest, MakesWritesAndTheirEventDurableInOneBatch) {
  const size_t commits = vault_.data().commits();
  const Committed committed = Commit(DataWrite("key", "value"));
  EXPECT_THAT(committed.status, IsOk());
  EXPECT_TRUE(committed.receipt);
  EXPECT_EQ(committed.answer, "answer");
  EXPECT_EQ(vault_.data().commits(), commits + 1);
  EXPECT_EQ(Stored(vault_.data(), "key"), "value");
  EXPECT_EQ(vault_.Events().size(), 1);
}

TEST_F(CommitterTest, RecordsAnAttemptThatWritesNothing) {
  auto attempt = NewAttempt();
  attempt->Conclude(base::Fail(Reason::kRecordNotFound));
  EXPECT_THAT(Commit(std::move(attempt)).status, IsOk());
  EXPECT_EQ(vault_.Events().size(), 1);
}

TEST_F(CommitterTest, WritesKeysBeforeData) {
  std::optional<std::string> keys_by_then;
  std::optional<std::string> data_by_then;
  vault_.data().BeforeCommit([&] {
    keys_by_then = InKeys("key");
    data_by_then = InData("key");
  });
  EXPECT_THAT(Commit(KeysWrite("key", "value")).status, IsOk());
  EXPECT_EQ(keys_by_then, "value");
  EXPECT_EQ(data_by_then, std::nullopt);
}

TEST_F(CommitterTest, LeavesTheKeysStoreAloneWhereNoKeyIsWritten) {
  const size_t commits = vault_.keys().commits();
  EXPECT_THAT(Commit(DataWrite("key", "value")).status, IsOk());
  EXPECT_EQ(vault_.keys().commits(), commits);
}

TEST_F(CommitterTest, TakesWhatGatheredWhileTheDiskWasBusyInOneBatch) {
  HeldDisk disk(vault_.data());
  Pending first;
  vault_.Submit(DataWrite("first", "value"), first);
  disk.AwaitReached();
  std::vector<Pending> others(20);
  for (size_t i = 0; i < others.size(); ++i) {
    vault_.Submit(DataWrite("key" + std::to_string(i), "value"), others[i]);
  }
  EXPECT_EQ(committer().queued(), others.size());
  const size_t commits = vault_.data().commits();
  disk.Release();
  EXPECT_THAT(first.Wait().status, IsOk());
  for (Pending& other : others) EXPECT_THAT(other.Wait().status, IsOk());
  EXPECT_EQ(vault_.data().commits(), commits + 1);
  EXPECT_EQ(vault_.Events().size(), others.size() + 1);
  EXPECT_EQ(committer().queued(), 0);
}

// The undo row holds what a batch of keys replaces, and is one value.
TEST_F(CommitterTest, TakesNoMoreKeyWritesAtOnceThanCanBeUndone) {
  constexpr size_t kWrites = 3000;
  const std::string row(4096, 'x');
  storage::Batch rows;
  for (size_t i = 0; i < kWrites; ++i) rows.Put("k" + std::to_string(i), row);
  ASSERT_THAT(vault_.keys().Commit(rows), IsOk());
  HeldDisk disk(vault_.data());
  Pending first;
  vault_.Submit(DataWrite("first", "value"), first);
  disk.AwaitReached();
  std::vector<Pending> others(kWrites);
  for (size_t i = 0; i < kWrites; ++i) {
    vault_.Submit(KeysWrite("k" + std::to_string(i), row), others[i]);
  }
  disk.Release();
  EXPECT_THAT(first.Wait().status, IsOk());
  for (Pending& other : others) EXPECT_THAT(other.Wait().status, IsOk());
  EXPECT_TRUE(committer().healthy());
}

// One Attempt may have many: only the next batch takes the one after it.
TEST_F(CommitterTest, CountsTheKeyWritesOfEachAttempt) {
  const std::string row(4096, 'x');
  HeldDisk disk(vault_.data());
  Pending first;
  vault_.Submit(DataWrite("first", "value"), first);
  disk.AwaitReached();
  std::vector<Pending> others(4);
  for (size_t i = 0; i < others.size(); ++i) {
    auto attempt = NewAttempt();
    for (int j = 0; j < 1000; ++j) {
      const std::string key = std::to_string(i) + "/" + std::to_string(j);
      test::Overwrite(vault_.keys(), key, row);
      attempt->keys().Put(key, row);
    }
    attempt->Conclude(absl::OkStatus());
    vault_.Submit(std::move(attempt), others[i]);
  }
  const size_t commits = vault_.data().commits();
  disk.Release();
  for (Pending& other : others) EXPECT_THAT(other.Wait().status, IsOk());
  EXPECT_EQ(vault_.data().commits(), commits + 2);
}

TEST_F(CommitterTest, KeepsTheOrderOfSubmissionWithinABatch) {
  HeldDisk disk(vault_.data());
  Pending first;
  vault_.Submit(DataWrite("first", "value"), first);
  disk.AwaitReached();
  std::vector<Pending> others(3);
  for (size_t i = 0; i < others.size(); ++i) {
    vault_.Submit(DataWrite("key", std::to_string(i)), others[i]);
  }
  disk.Release();
  for (Pending& other : others) EXPECT_THAT(other.Wait().status, IsOk());
  EXPECT_EQ(Stored(vault_.data(), "key"), "2");
}

TEST_F(CommitterTest, ReleasesNothingBeforeItIsDurable) {
  HeldDisk disk(vault_.data());
  Pending pending;
  vault_.Submit(DataWrite("key", "value"), pending);
  disk.AwaitReached();
  EXPECT_FALSE(pending.done());
  disk.Release();
  EXPECT_EQ(pending.Wait().answer, "answer");
}

TEST_F(CommitterTest, RefusesWhatReliedOnARowThatHasChanged) {
  auto reader = NewAttempt();
  ASSERT_THAT(reader->Read(vault_.data(), "key"), IsOk());
  reader->Withhold("answer from the past");
  ASSERT_THAT(Commit(DataWrite("key", "new")).status, IsOk());
  const Committed committed = Commit(std::move(reader));
  EXPECT_THAT(committed.status, HasReason(Reason::kConflict));
  EXPECT_FALSE(committed.receipt);
  EXPECT_EQ(committed.answer, "");
  EXPECT_EQ(vault_.Events().size(), 1);
}

TEST_F(CommitterTest, RefusesWhatReliedOnARowWithoutReadingIt) {
  auto attempt = NewAttempt();
  attempt->ReliesOn("key");
  ASSERT_THAT(Commit(DataWrite("key", "new")).status, IsOk());
  EXPECT_THAT(Commit(std::move(attempt)).status, HasReason(Reason::kConflict));
}

TEST_F(CommitterTest, RefusesWhatReliedOnARowThatWasDeleted) {
  ASSERT_THAT(Commit(DataWrite("key", "value")).status, IsOk());
  auto reader = NewAttempt();
  ASSERT_THAT(reader->Read(vault_.data(), "key"), IsOk());
  auto deletes = NewAttempt();
  deletes->data().Delete("key");
  ASSERT_THAT(Commit(std::move(deletes)).status, IsOk());
  EXPECT_THAT(Commit(std::move(reader)).status, HasReason(Reason::kConflict));
}

TEST_F(CommitterTest, RefusesWhatReliedOnAKeyThatHasChanged) {
  auto reader = NewAttempt();
  ASSERT_THAT(reader->Read(vault_.keys(), "key"), IsOk());
  ASSERT_THAT(Commit(KeysWrite("key", "new")).status, IsOk());
  EXPECT_THAT(Commit(std::move(reader)).status, HasReason(Reason::kConflict));
}

TEST_F(CommitterTest, RefusesWhatScannedARangeThatHasChanged) {
  const auto scan = [this](std::string_view name) {
    auto attempt = NewAttempt();
    EXPECT_THAT(
        attempt->Scan(vault_.data(), storage::PrefixRange("k", 9), name),
        IsOk());
    return attempt;
  };
  auto reader = scan("range");
  auto elsewhere = scan("other range");
  auto writer = DataWrite("key", "value");
  writer->AlsoChanges("range");
  ASSERT_THAT(Commit(std::move(writer)).status, IsOk());
  EXPECT_THAT(Commit(std::move(reader)).status, HasReason(Reason::kConflict));
  EXPECT_THAT(Commit(std::move(elsewhere)).status, IsOk());
}

TEST_F(CommitterTest, AcceptsWhatReliedOnRowsThatStayed) {
  auto reader = NewAttempt();
  ASSERT_THAT(reader->Read(vault_.data(), "key"), IsOk());
  ASSERT_THAT(Commit(DataWrite("another", "new")).status, IsOk());
  EXPECT_THAT(Commit(std::move(reader)).status, IsOk());
}

TEST_F(CommitterTest, AcceptsWhatWritesTheRowThatItReliedOn) {
  auto attempt = NewAttempt();
  ASSERT_THAT(attempt->Read(vault_.data(), "key"), IsOk());
  attempt->data().Put("key", "value");
  EXPECT_THAT(Commit(std::move(attempt)).status, IsOk());
}

TEST_F(CommitterTest, RefusesWhatReliedOnARowOfAnEarlierAttemptInItsBatch) {
  HeldDisk disk(vault_.data());
  Pending first;
  vault_.Submit(DataWrite("first", "value"), first);
  disk.AwaitReached();
  const auto rival = [this](const std::string& value) {
    auto attempt = NewAttempt();
    attempt->ReliesOn("key");
    attempt->data().Put("key", value);
    return attempt;
  };
  Pending winner;
  Pending loser;
  vault_.Submit(rival("winner"), winner);
  vault_.Submit(rival("loser"), loser);
  disk.Release();
  EXPECT_THAT(winner.Wait().status, IsOk());
  EXPECT_THAT(loser.Wait().status, HasReason(Reason::kConflict));
  EXPECT_EQ(Stored(vault_.data(), "key"), "winner");
  EXPECT_EQ(vault_.Events().size(), 2);
}

TEST_F(CommitterTest, TellsOfALostRaceOnlyWhenTheWinnerCanBeSeen) {
  HeldDisk disk(vault_.data());
  Pending first;
  vault_.Submit(DataWrite("first", "value"), first);
  disk.AwaitReached();
  const auto rival = [this](const std::string& value) {
    auto attempt = NewAttempt();
    attempt->ReliesOn("key");
    attempt->data().Put("key", value);
    return attempt;
  };
  Pending winner;
  Pending loser;
  vault_.Submit(rival("winner"), winner);
  // What the loser's second run begins with, on the spot.
  std::unique_ptr<Attempt> again;
  const Committer::Done tell = loser.Done();
  vault_.store().committer().Submit(
      rival("loser"),
      [&](std::unique_ptr<Attempt> attempt, const Committer::Result& result) {
        again = NewAttempt();
        EXPECT_THAT(again->Read(vault_.data(), "key"),
                    IsOkAndHolds(std::optional<std::string>("winner")));
        again->data().Put("key", "again");
        tell(std::move(attempt), result);
      });
  disk.Release();
  EXPECT_THAT(loser.Wait().status, HasReason(Reason::kConflict));
  EXPECT_THAT(winner.Wait().status, IsOk());
  EXPECT_THAT(Commit(std::move(again)).status, IsOk());
  EXPECT_EQ(Stored(vault_.data(), "key"), "again");
}

TEST_F(CommitterTest, RefusesWhatDecidedWhileARivalWasBeingWritten) {
  // Decides between the rival's decision and the end of its commit: what it
  // read is the past by the time that it is submitted.
  std::unique_ptr<Attempt> late;
  vault_.data().BeforeCommit([&] {
    late = NewAttempt();
    EXPECT_THAT(late->Read(vault_.data(), "key"),
                IsOkAndHolds(std::optional<std::string>()));
    late->data().Put("key", "late");
  });
  ASSERT_THAT(Commit(DataWrite("key", "rival")).status, IsOk());
  EXPECT_THAT(Commit(std::move(late)).status, HasReason(Reason::kConflict));
  EXPECT_EQ(Stored(vault_.data(), "key"), "rival");
}

TEST_F(CommitterTest, AcceptsWhatDecidedAfterTheRivalWasWritten) {
  ASSERT_THAT(Commit(DataWrite("key", "rival")).status, IsOk());
  auto next = NewAttempt();
  EXPECT_THAT(next->Read(vault_.data(), "key"),
              IsOkAndHolds(std::optional<std::string>("rival")));
  EXPECT_THAT(Commit(std::move(next)).status, IsOk());
}

// A key whose version stands in the same place of the table.
std::string SharesPlaceWith(std::string_view key) {
  constexpr VersionToken kPlaces = VersionToken{1} << 20;
  for (int i = 0;; ++i) {
    std::string other = "other" + std::to_string(i);
    if (TokenOf(other) % kPlaces == TokenOf(key) % kPlaces) return other;
  }
}

TEST_F(CommitterTest, MissesNoChangeThatSharesItsPlaceWithLaterOnes) {
  const std::string other = SharesPlaceWith("key");
  auto reader = NewAttempt();
  reader->ReliesOn("key");
  ASSERT_THAT(Commit(DataWrite("key", "new")).status, IsOk());
  ASSERT_THAT(Commit(DataWrite(other, "new")).status, IsOk());
  EXPECT_THAT(Commit(std::move(reader)).status, HasReason(Reason::kConflict));
  auto later = NewAttempt();
  later->ReliesOn("key");
  later->ReliesOn(other);
  EXPECT_THAT(Commit(std::move(later)).status, IsOk());
}

TEST_F(CommitterTest, ReleasesNothingWhenTheDataCannotBeWritten) {
  vault_.data().FailCommit(1, When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  const Committed committed = Commit(DataWrite("key", "value"));
  EXPECT_THAT(committed.status, HasReason(Reason::kAuditUnavailable));
  EXPECT_FALSE(committed.receipt);
  EXPECT_EQ(committed.answer, "");
  EXPECT_EQ(InData("key"), std::nullopt);
  EXPECT_EQ(vault_.Events().size(), 0);
}

TEST_F(CommitterTest, WritesNoDataWhenTheKeysCannotBeWritten) {
  vault_.keys().FailCommit(1, When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  const size_t commits = vault_.data().commits();
  EXPECT_THAT(Commit(KeysWrite("key", "value")).status,
              HasReason(Reason::kAuditUnavailable));
  EXPECT_EQ(vault_.data().commits(), commits);
  EXPECT_EQ(InData("key"), std::nullopt);
}

TEST_F(CommitterTest, GoesOnOnceAFullDiskHasSpaceAgain) {
  vault_.data().FailCommit(1, When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  vault_.keys().FailCommit(1, When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(Commit(DataWrite("key", "value")).status,
              HasReason(Reason::kAuditUnavailable));
  EXPECT_THAT(Commit(KeysWrite("key", "value")).status,
              HasReason(Reason::kAuditUnavailable));
  EXPECT_TRUE(committer().healthy());
  EXPECT_THAT(Commit(KeysWrite("key", "value")).status, IsOk());
  EXPECT_EQ(Stored(vault_.data(), "key"), "value");
  EXPECT_EQ(vault_.Events().size(), 1);
  EXPECT_THAT(vault_.Reopen(), IsOk());
}

TEST_F(CommitterTest, RefusesEverythingAfterAnUnknownOutcome) {
  for (const When when : {When::kBeforeApplied, When::kAfterApplied}) {
    vault_.data().FailCommit(1, when, absl::UnknownError("injected"));
    const Committed committed = Commit(DataWrite("key", "value"));
    EXPECT_THAT(committed.status, HasReason(Reason::kOutcomeUnknown));
    EXPECT_FALSE(committed.receipt);
    EXPECT_FALSE(committer().healthy());
    const size_t commits = vault_.data().commits();
    EXPECT_THAT(Commit(DataWrite("key", "later")).status,
                HasReason(Reason::kAuditUnavailable));
    EXPECT_EQ(vault_.data().commits(), commits);
    ASSERT_THAT(vault_.Reopen(), IsOk());
    EXPECT_TRUE(committer().healthy());
  }
  // The first never happened, the second did, and the log knows.
  EXPECT_EQ(Stored(vault_.data(), "key"), "value");
  EXPECT_EQ(vault_.Events().size(), 1);
}

TEST_F(CommitterTest, RefusesEverythingAfterTheKeysOutcomeIsUnknown) {
  vault_.keys().FailCommit(1, When::kAfterApplied,
                           absl::UnknownError("injected"));
  EXPECT_THAT(Commit(KeysWrite("key", "value")).status,
              HasReason(Reason::kOutcomeUnknown));
  EXPECT_EQ(InData("key"), std::nullopt);
  EXPECT_FALSE(committer().healthy());
  EXPECT_THAT(Commit(DataWrite("key", "later")).status,
              HasReason(Reason::kAuditUnavailable));
}

TEST_F(CommitterTest, RefusesEverythingOnceSomebodyElseWroteTheLog) {
  vault_.data().BeforeCommit([this] {
    const auto rows = test::RowsOf(vault_.data(), base::kSpaceAuditHead);
    test::Overwrite(vault_.data(), std::string(1, base::kSpaceAuditHead),
                    rows.empty() ? "rival" : rows.front().value + "rival");
  });
  EXPECT_THAT(Commit(DataWrite("key", "value")).status,
              HasReason(Reason::kAuditUnavailable));
  EXPECT_EQ(InData("key"), std::nullopt);
  EXPECT_FALSE(committer().healthy());
}

TEST_F(CommitterTest, TellsEveryAttemptOfABatchThatItFailed) {
  HeldDisk disk(vault_.data());
  Pending first;
  vault_.Submit(DataWrite("first", "value"), first);
  disk.AwaitReached();
  std::vector<Pending> others(3);
  for (Pending& other : others) {
    vault_.Submit(DataWrite("key", "value"), other);
  }
  vault_.data().FailCommit(1, When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  disk.Release();
  EXPECT_THAT(first.Wait().status, IsOk());
  for (Pending& other : others) {
    EXPECT_THAT(other.Wait().status, HasReason(Reason::kAuditUnavailable));
  }
}

TEST_F(CommitterTest, FinishesWhatItAcceptedBeforeItEnds) {
  HeldDisk disk(vault_.data());
  std::vector<Pending> pending(5);
  for (size_t i = 0; i < pending.size(); ++i) {
    vault_.Submit(DataWrite("key" + std::to_string(i), "value"), pending[i]);
  }
  disk.AwaitReached();
  std::thread closer([this] { vault_.Close(); });
  disk.Release();
  closer.join();
  for (Pending& each : pending) {
    ASSERT_TRUE(each.done());
    EXPECT_THAT(each.Wait().status, IsOk());
  }
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(vault_.Events().size(), pending.size());
}

// Room for one Attempt or for one as large as the second below.
struct SmallQueueTest : CommitterTest,
                        ::testing::WithParamInterface<Committer::Options> {
  SmallQueueTest() : CommitterTest(GetParam()) {}
};

TEST_P(SmallQueueTest, RefusesAtOnceWhatTheQueueHasNoRoomFor) {
  HeldDisk disk(vault_.data());
  std::vector<Pending> accepted(2);
  vault_.Submit(DataWrite("first", "value"), accepted[0]);
  disk.AwaitReached();
  vault_.Submit(DataWrite("second", std::string(10'000, 'v')), accepted[1]);
  Pending refused;
  vault_.Submit(DataWrite("third", "value"), refused);
  ASSERT_TRUE(refused.done());
  EXPECT_THAT(refused.Wait().status, HasReason(Reason::kOverloaded));
  disk.Release();
  for (Pending& each : accepted) EXPECT_THAT(each.Wait().status, IsOk());
  EXPECT_EQ(InData("third"), std::nullopt);
  EXPECT_THAT(Commit(DataWrite("third", "value")).status, IsOk());
}

INSTANTIATE_TEST_SUITE_P(Each, SmallQueueTest,
                         ::testing::Values(Committer::Options{.queue_max = 1},
                                           Committer::Options{
                                               .queue_bytes_max = 10'000}));

}  // namespace
}  // namespace hizo::vault
