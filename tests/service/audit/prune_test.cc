#include "service/audit/prune.h"

#include <optional>
#include <string>
#include <vector>

#include "crypto/merkle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/export.h"
#include "service/audit/proofs.h"
#include "service/audit/query.h"
#include "service/audit/tree.h"
#include "service/base/keyspace.h"
#include "tests/service/audit/test_log.h"
#include "tests/testing/status_matchers.h"

namespace hizo::audit {
namespace {

using std::chrono::seconds;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Four full tiles and a part of one, a hundred entries each second.
constexpr uint64_t kSize = 1100;
constexpr uint64_t kPruned = 512;

class PruneTest : public ::testing::Test {
 protected:
  PruneTest() { log_.Append(kSize); }

  absl::Status PruneTo(uint64_t until) {
    storage::Batch batch;
    const absl::Status status = Prune(log_.engine(), until, batch);
    return status.ok() ? log_.engine().Commit(batch) : status;
  }
  size_t Rows(char space) const {
    const auto rows = log_.engine().Scan(
        storage::PrefixRange(std::string(1, space), storage::kScanLimitMax));
    EXPECT_THAT(rows, IsOk());
    return rows->size();
  }
  std::vector<uint64_t> Sequences(const Filter& filter, Order order) const {
    std::vector<uint64_t> sequences;
    std::optional<uint64_t> from;
    do {
      const auto page = Query(log_.engine(), kSize, filter, order, from, 100);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      for (const Found& found : page->events) {
        sequences.push_back(found.sequence);
      }
      from = page->next;
    } while (from.has_value());
    return sequences;
  }
  TestLog log_;
};

TEST_F(PruneTest, NothingIsPrunedAtFirst) {
  EXPECT_THAT(PrunedIn(log_.engine()), IsOkAndHolds(0U));
}

TEST_F(PruneTest, TakesEntriesIndexesAndSummariesAndLeavesTheTree) {
  const size_t tiles = Rows(base::kSpaceAuditTile);
  ASSERT_THAT(PruneTo(kPruned), IsOk());
  EXPECT_THAT(PrunedIn(log_.engine()), IsOkAndHolds(kPruned));
  EXPECT_EQ(Rows(base::kSpaceAuditEntry), kSize - kPruned);
  EXPECT_EQ(Rows(base::kSpaceAuditByActor), kSize - kPruned);
  EXPECT_EQ(Rows(base::kSpaceAuditSummary), 2);
  EXPECT_EQ(Rows(base::kSpaceAuditTile), tiles);
  EXPECT_TRUE(log_.IsSound());
}

TEST_F(PruneTest, GoesOnWhereItIs) {
  ASSERT_THAT(PruneTo(256), IsOk());
  ASSERT_THAT(PruneTo(kPruned), IsOk());
  ASSERT_THAT(PruneTo(256), IsOk());  // nothing comes back
  EXPECT_THAT(PrunedIn(log_.engine()), IsOkAndHolds(kPruned));
  EXPECT_EQ(Rows(base::kSpaceAuditEntry), kSize - kPruned);
}

TEST_F(PruneTest, RefusesAPartOfATile) {
  EXPECT_THAT(PruneTo(kPruned + 1),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(PrunedIn(log_.engine()), IsOkAndHolds(0U));
}

TEST_F(PruneTest, RefusesATileThatIsNotFull) {
  EXPECT_THAT(PruneTo(1280), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(Rows(base::kSpaceAuditEntry), kSize);
}

TEST_F(PruneTest, DoesNotHelpWhatWasChangedToDisappear) {
  log_.Overwrite(EntryKey(300), log_.Stored(EntryKey(301)));
  EXPECT_THAT(PruneTo(kPruned), StatusIs(absl::StatusCode::kDataLoss));
  log_.Remove(EntryKey(300));
  EXPECT_THAT(PruneTo(kPruned), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(PruneTo(256), IsOk());
}

TEST_F(PruneTest, ADamagedCountIsRefused) {
  for (const std::string& row :
       {std::string(), std::string(9, '\1'), std::string(10, '\0'),
        std::string("\1\0\0\0\0\0\0\0\1", 9)}) {
    log_.Overwrite(PrunedKey(), row);
    EXPECT_THAT(PrunedIn(log_.engine()), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(
        Query(log_.engine(), kSize, {}, Order::kOldestFirst, std::nullopt, 10),
        StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST_F(PruneTest, QueriesBeginBehindIt) {
  Filter of_actor;
  of_actor.actor = EventOf(1).actor;
  Filter of_subject;
  of_subject.subject = EventOf(1).subject;
  Filter since;
  since.start = kStart;
  for (const Filter& filter : {Filter(), of_actor, of_subject, since}) {
    const auto before = Sequences(filter, Order::kOldestFirst);
    std::vector<uint64_t> expected;
    for (const uint64_t sequence : before) {
      if (sequence >= kPruned) expected.push_back(sequence);
    }
    TestLog pruned;
    pruned.Append(kSize);
    storage::Batch batch;
    ASSERT_THAT(Prune(pruned.engine(), kPruned, batch), IsOk());
    ASSERT_THAT(pruned.engine().Commit(batch), IsOk());
    std::vector<uint64_t> found;
    std::optional<uint64_t> from;
    do {
      const auto page =
          Query(pruned.engine(), kSize, filter, Order::kOldestFirst, from, 100);
      ASSERT_THAT(page, IsOk());
      for (const Found& one : page->events) found.push_back(one.sequence);
      from = page->next;
    } while (from.has_value());
    EXPECT_EQ(found, expected);
  }
}

TEST_F(PruneTest, APageThatGoesOnWithinItIsEmpty) {
  ASSERT_THAT(PruneTo(kPruned), IsOk());
  const auto newest =
      Query(log_.engine(), kSize, {}, Order::kNewestFirst, 100, 10);
  ASSERT_THAT(newest, IsOk());
  EXPECT_THAT(newest->events, IsEmpty());
  EXPECT_FALSE(newest->next.has_value());
  const auto oldest =
      Query(log_.engine(), kSize, {}, Order::kOldestFirst, 100, 10);
  ASSERT_THAT(oldest, IsOk());
  EXPECT_EQ(oldest->events.front().sequence, kPruned);
}

TEST_F(PruneTest, OnlyFullTilesOfOlderEntriesArePrunable) {
  const auto second = [](int of) { return kStart + seconds(of); };
  // The batches of the first three seconds have 300 entries.
  const auto at = PrunableBefore(log_.engine(), kSize, second(3));
  ASSERT_THAT(at, IsOk());
  EXPECT_EQ(*at % kTileWidth, 0);
  EXPECT_LE(*at, 400);
  EXPECT_THAT(PrunableBefore(log_.engine(), kSize, second(-5)),
              IsOkAndHolds(0U));
  EXPECT_THAT(PrunableBefore(log_.engine(), kSize, second(1000)),
              IsOkAndHolds(1024U));
  ASSERT_THAT(PruneTo(kPruned), IsOk());
  EXPECT_THAT(PrunableBefore(log_.engine(), kSize, second(-5)),
              IsOkAndHolds(kPruned));
}

TEST_F(PruneTest, OldProofsHoldAndNewOnesCanBeMade) {
  const auto edge = log_.log().edge();
  const auto root = edge.Root();
  const auto leaf = crypto::LeafHash(log_.Stored(EntryKey(77)));
  const auto before = InclusionProof(log_.engine(), edge, kSize, 77);
  const auto older = ConsistencyProof(log_.engine(), edge, kSize, 300);
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(older, IsOk());
  const auto root_of_300 = TreeReader(log_.engine()).RootAt(300);
  ASSERT_THAT(root_of_300, IsOk());
  ASSERT_THAT(PruneTo(kPruned), IsOk());
  EXPECT_THAT(TreeReader(log_.engine()).RootAt(300),
              IsOkAndHolds(*root_of_300));
  EXPECT_THAT(InclusionProof(log_.engine(), edge, kSize, 77),
              IsOkAndHolds(*before));
  EXPECT_THAT(ConsistencyProof(log_.engine(), edge, kSize, 300),
              IsOkAndHolds(*older));
  EXPECT_EQ(log_.log().head().root, root);
  EXPECT_NE(leaf, root);
}

TEST_F(PruneTest, AHeadOfBeforeIsContinued) {
  const auto root_of_300 = TreeReader(log_.engine()).RootAt(300);
  ASSERT_THAT(root_of_300, IsOk());
  ASSERT_THAT(PruneTo(kPruned), IsOk());
  EXPECT_THAT(Extends(log_.engine(), 300, *root_of_300), IsOkAndHolds(true));
  EXPECT_THAT(Extends(log_.engine(), 301, *root_of_300), IsOkAndHolds(false));
}

TEST_F(PruneTest, WhatIsGoneBehindItIsMissed) {
  ASSERT_THAT(PruneTo(kPruned), IsOk());
  log_.Remove(EntryKey(600));
  EXPECT_FALSE(log_.IsSound());
}

TEST_F(PruneTest, AChangedTileOfPrunedEntriesIsFound) {
  ASSERT_THAT(PruneTo(kPruned), IsOk());
  std::string tile = log_.Stored(TileKey(0, 1));
  tile[40] = static_cast<char>(tile[40] ^ 1);
  log_.Overwrite(TileKey(0, 1), tile);
  EXPECT_FALSE(log_.IsSound());
}

TEST_F(PruneTest, IsOpenedAndGrowsOn) {
  ASSERT_THAT(PruneTo(1024), IsOk());
  ASSERT_THAT(log_.Reopen(), IsOk());
  log_.Append(300);
  ASSERT_THAT(log_.Reopen(), IsOk());
  EXPECT_TRUE(log_.IsSound());
}

TEST_F(PruneTest, LeavesTheHashesOfWhatIsGone) {
  const auto leaf = crypto::LeafHash(log_.Stored(EntryKey(10)));
  ASSERT_THAT(PruneTo(kPruned), IsOk());
  const auto tile =
      ExportTile(log_.engine(), kSize, {0, 256}, EventOf(10).tenant);
  ASSERT_THAT(tile, IsOk());
  ASSERT_THAT(tile->entries, SizeIs(256));
  EXPECT_EQ(tile->entries[10].form, ExportedEntry::Form::kGone);
  EXPECT_EQ(tile->hashes[10], leaf);
}

TEST_F(PruneTest, WhatSaysThatItWasPrunedIsShownToEveryTenant) {
  Event event;
  event.actor = "hizod";
  event.action = policy::Action::kAuditPrune;
  event.outcome = Outcome::kAllowed;
  event.reason = base::Reason::kNone;
  event.records = 2;
  log_.AppendEvents({event});
  const auto tile = ExportTile(log_.engine(), kSize + 1, {kSize, kSize + 1},
                               base::TenantId{77});
  ASSERT_THAT(tile, IsOk());
  EXPECT_EQ(tile->entries[0].form, ExportedEntry::Form::kEntry);
  event.action = policy::Action::kStoreTidy;
  log_.AppendEvents({event});
  const auto other = ExportTile(log_.engine(), kSize + 2,
                                {kSize + 1, kSize + 2}, base::TenantId{77});
  ASSERT_THAT(other, IsOk());
  EXPECT_EQ(other->entries[0].form, ExportedEntry::Form::kLeaf);
}

}  // namespace
}  // namespace hizo::audit
