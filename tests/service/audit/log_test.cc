#include "service/audit/log.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/tree.h"
#include "tests/service/audit/test_log.h"
#include "tests/testing/status_matchers.h"

namespace hizo::audit {
namespace {

using std::chrono::seconds;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;

// All rows of an engine, to see whether anything changed.
std::vector<std::pair<std::string, std::string>> RowsOf(
    const storage::Engine& engine) {
  const absl::StatusOr<std::vector<storage::Row>> scanned =
      engine.Scan({.from = "", .until = "", .limit = storage::kScanLimitMax});
  EXPECT_THAT(scanned, IsOk());
  std::vector<std::pair<std::string, std::string>> rows;
  for (const storage::Row& row : *scanned) {
    rows.emplace_back(row.key, row.value);
  }
  return rows;
}

TEST(LogTest, AnEmptyStoreGivesAnEmptyLog) {
  TestLog test;
  EXPECT_EQ(test.log().head().size, 0u);
  EXPECT_EQ(test.log().head().root, TreeEdge().Root());
  EXPECT_TRUE(test.log().head().checkpoint.empty());
  EXPECT_TRUE(test.IsSound());
}

TEST(LogTest, AppendsWithoutGaps) {
  TestLog test;
  test.Append(3, 2);
  EXPECT_EQ(test.log().head().size, 3u);
  for (uint64_t i = 0; i < 3; ++i) {
    const absl::StatusOr<Event> event = Decode(test.Stored(EntryKey(i)));
    ASSERT_THAT(event, IsOk());
    EXPECT_EQ(event->records, i);
  }
  EXPECT_TRUE(test.IsSound());
}

TEST(LogTest, ReopensAsItWas) {
  for (const uint64_t size : {1UL, 255UL, 256UL, 257UL, 600UL}) {
    TestLog test;
    test.Append(size);
    const absl::StatusOr<std::unique_ptr<Log>> again = test.Reopen();
    ASSERT_THAT(again, IsOk());
    const Head before = test.log().head();
    const Head after = (*again)->head();
    EXPECT_EQ(after.size, size);
    EXPECT_EQ(after.root, before.root);
    EXPECT_EQ(after.time, before.time);
    EXPECT_EQ(after.checkpoint, before.checkpoint);
    EXPECT_TRUE(test.IsSound());
  }
}

TEST(LogTest, GoesOnAfterReopening) {
  TestLog once;
  once.Append(700);
  TestLog test;
  test.Append(300);
  const absl::StatusOr<std::unique_ptr<Log>> again = test.Reopen();
  ASSERT_THAT(again, IsOk());
  std::vector<Event> events;
  for (uint64_t i = 300; i < 700; ++i) events.push_back(EventOf(i));
  for (size_t i = 0; i < events.size(); i += 100) {
    std::vector<Event*> batch;
    for (size_t j = i; j < i + 100; ++j) batch.push_back(&events[j]);
    absl::StatusOr<Log::Staged> staged =
        (*again)->Stage(batch, kStart + seconds(3 + static_cast<int>(i) / 100));
    ASSERT_THAT(staged, IsOk());
    ASSERT_THAT(test.engine().Commit(staged->batch), IsOk());
    (*again)->Advance(*std::move(staged));
  }
  EXPECT_EQ((*again)->head().root, once.log().head().root);
  EXPECT_EQ(RowsOf(test.engine()), RowsOf(once.engine()));
}

TEST(LogTest, BatchingChangesNoEntryNorRoot) {
  std::vector<Event> events(300);
  crypto::Digest roots[2];
  for (const size_t batch : {size_t{1}, size_t{300}}) {
    TestLog test;
    for (size_t i = 0; i < events.size(); i += batch) {
      std::vector<Event*> pointers;
      for (size_t j = i; j < i + batch; ++j) {
        events[j] = EventOf(j);
        pointers.push_back(&events[j]);
      }
      absl::StatusOr<Log::Staged> staged = test.log().Stage(pointers, kStart);
      ASSERT_THAT(staged, IsOk());
      test.log().Advance(*std::move(staged));
    }
    roots[batch == 1 ? 0 : 1] = test.log().head().root;
  }
  EXPECT_EQ(roots[0], roots[1]);
}

TEST(LogTest, StampsEventsAndNeverGoesBack) {
  TestLog test;
  const auto stage_at = [&test](base::Timestamp now) {
    Event event = EventOf(0);
    Event* const pointer = &event;
    absl::StatusOr<Log::Staged> staged = test.log().Stage({&pointer, 1}, now);
    EXPECT_THAT(staged, IsOk());
    EXPECT_THAT(test.engine().Commit(staged->batch), IsOk());
    test.log().Advance(*std::move(staged));
    return event.time;
  };
  EXPECT_EQ(stage_at(kStart + seconds(10)), kStart + seconds(10));
  EXPECT_EQ(stage_at(kStart + seconds(5)), kStart + seconds(10));
  EXPECT_EQ(stage_at(kStart + seconds(11)), kStart + seconds(11));
  EXPECT_EQ(test.log().head().time, kStart + seconds(11));
  EXPECT_TRUE(test.IsSound());
}

TEST(LogTest, CheckpointIsATlogCheckpoint) {
  TestLog test;
  test.Append(5);
  const Head head = test.log().head();
  const std::string text =
      "hizo/test\n5\n" +
      absl::Base64Escape(std::string(crypto::AsBytes(head.root))) + "\n";
  EXPECT_THAT(crypto::OpenNote(head.checkpoint, test.log().verifier_key()),
              IsOkAndHolds(text));
  EXPECT_THAT(head.checkpoint,
              ::testing::StartsWith(text + "\n\xe2\x80\x94 hizo/test "));
}

TEST(LogTest, CheckpointsAreRepeatable) {
  TestLog one;
  TestLog two;
  one.Append(7);
  two.Append(7);
  EXPECT_EQ(one.log().head().checkpoint, two.log().head().checkpoint);
}

TEST(LogTest, StagingAloneChangesNothing) {
  TestLog test;
  test.Append(256);
  const Head before = test.log().head();
  const auto rows = RowsOf(test.engine());
  const absl::StatusOr<Log::Staged> dropped = test.Stage(300);
  ASSERT_THAT(dropped, IsOk());
  EXPECT_EQ(dropped->head.size, 556u);
  EXPECT_EQ(test.log().head().size, before.size);
  EXPECT_EQ(test.log().head().root, before.root);
  EXPECT_EQ(test.log().head().checkpoint, before.checkpoint);
  EXPECT_EQ(RowsOf(test.engine()), rows);
  // What was dropped leaves no trace in what comes after.
  test.Append(1);
  EXPECT_EQ(test.log().head().size, 257u);
  EXPECT_TRUE(test.IsSound());
}

TEST(LogTest, TheSecondOfTwoFromOneHeadIsAborted) {
  for (const uint64_t size : {0UL, 10UL}) {
    TestLog test;
    test.Append(size);
    const absl::StatusOr<Log::Staged> first = test.Stage(2);
    const absl::StatusOr<Log::Staged> second = test.Stage(1);
    ASSERT_THAT(first, IsOk());
    ASSERT_THAT(second, IsOk());
    EXPECT_THAT(test.engine().Commit(first->batch), IsOk());
    EXPECT_THAT(test.engine().Commit(second->batch),
                StatusIs(absl::StatusCode::kAborted));
    EXPECT_TRUE(test.IsSound());
  }
}

TEST(LogTest, TwoLogsOfOneStoreCannotFork) {
  TestLog test;
  test.Append(3);
  const absl::StatusOr<std::unique_ptr<Log>> rival = test.Reopen();
  ASSERT_THAT(rival, IsOk());
  test.Append(1);
  Event event = EventOf(9);
  Event* const pointer = &event;
  const absl::StatusOr<Log::Staged> staged =
      (*rival)->Stage({&pointer, 1}, kStart);
  ASSERT_THAT(staged, IsOk());
  EXPECT_THAT(test.engine().Commit(staged->batch),
              StatusIs(absl::StatusCode::kAborted));
}

TEST(LogTest, AnEventThatCannotBeEncodedIsRefused) {
  TestLog test;
  test.Append(1);
  Event good = EventOf(1);
  Event bad = EventOf(2);
  bad.actor = std::string(kActorSizeMax + 1, 'a');
  std::vector<Event*> events = {&good, &bad};
  EXPECT_THAT(test.log().Stage(events, kStart),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(test.log().head().size, 1u);
}

TEST(LogTest, WritesOneIndexRowForActorAndOneForSubject) {
  TestLog test;
  Event with = EventOf(0);
  Event without = EventOf(1);
  without.subject.reset();
  std::vector<Event*> events = {&with, &without};
  const absl::StatusOr<Log::Staged> staged = test.log().Stage(events, kStart);
  ASSERT_THAT(staged, IsOk());
  std::string spaces;
  for (const storage::Batch::Write& write : staged->batch.writes()) {
    spaces.push_back(write.key[0]);
  }
  EXPECT_EQ(spaces, "saAaAH");
}

TEST(LogTest, StoresTheTilesThatABatchCompletes) {
  TestLog test;
  test.Append(255);
  EXPECT_THAT(test.engine().Get(TileKey(0, 0)), IsOkAndHolds(std::nullopt));
  test.Append(1);
  EXPECT_EQ(test.Stored(TileKey(0, 0)).size(), 8192u);
  test.Append(600, 600);
  EXPECT_EQ(test.Stored(TileKey(0, 2)).size(), 8192u);
  EXPECT_THAT(test.engine().Get(TileKey(0, 3)), IsOkAndHolds(std::nullopt));
}

TEST(LogTest, HeadMayBeReadWhileTheLogGrows) {
  TestLog test;
  std::atomic<bool> done = false;
  std::thread reader([&] {
    uint64_t previous = 0;
    while (!done.load()) {
      const Head head = test.log().head();
      EXPECT_GE(head.size, previous);
      EXPECT_EQ(head.checkpoint.empty(), head.size == 0);
      previous = head.size;
    }
  });
  test.Append(200, 1);
  done.store(true);
  reader.join();
}

TEST(ExtendsTest, HoldsForEveryEarlierHead) {
  TestLog test;
  std::vector<Head> heads = {test.log().head()};
  for (int i = 0; i < 12; ++i) {
    test.Append(53);
    heads.push_back(test.log().head());
  }
  for (const Head& head : heads) {
    EXPECT_THAT(Extends(test.engine(), head.size, head.root),
                IsOkAndHolds(true));
  }
}

TEST(ExtendsTest, FailsForAnotherRootOrSize) {
  TestLog test;
  test.Append(300);
  const Head head = test.log().head();
  crypto::Digest other = head.root;
  other[0] ^= 1;
  EXPECT_THAT(Extends(test.engine(), 300, other), IsOkAndHolds(false));
  EXPECT_THAT(Extends(test.engine(), 299, head.root), IsOkAndHolds(false));
  EXPECT_THAT(Extends(test.engine(), 301, head.root), IsOkAndHolds(false));
  EXPECT_THAT(Extends(test.engine(), 0, head.root), IsOkAndHolds(false));
}

TEST(ExtendsTest, OfAnEmptyLogOnlyTheEmptyTree) {
  const TestLog test;
  EXPECT_THAT(Extends(test.engine(), 0, TreeEdge().Root()), IsOkAndHolds(true));
  EXPECT_THAT(Extends(test.engine(), 1, TreeEdge().Root()),
              IsOkAndHolds(false));
}

}  // namespace
}  // namespace hizo::audit
