// What somebody who can write to the store, but has no signing key, may try.
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/log.h"
#include "service/audit/tree.h"
#include "service/base/keyspace.h"
#include "tests/service/audit/test_log.h"
#include "tests/testing/status_matchers.h"

namespace hizo::audit {
namespace {

using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;

constexpr uint64_t kSize = 600;  // two full tiles, 88 entries on the right edge
const std::string kHeadKey(1, base::kSpaceAuditHead);

class TamperedEntryTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  TamperedEntryTest() { log_.Append(kSize); }
  // Open looks at the right edge, Extends at everything.
  void ExpectFound() {
    EXPECT_FALSE(log_.IsSound());
    if (GetParam() < 512) return;
    EXPECT_THAT(log_.Reopen(), StatusIs(absl::StatusCode::kDataLoss));
  }
  const uint64_t at_ = GetParam();
  TestLog log_;
};

TEST_P(TamperedEntryTest, IsSoundBefore) { EXPECT_TRUE(log_.IsSound()); }

TEST_P(TamperedEntryTest, FlippedBitIsFound) {
  std::string entry = log_.Stored(EntryKey(at_));
  entry.back() = static_cast<char>(entry.back() ^ 1);
  log_.Overwrite(EntryKey(at_), entry);
  ExpectFound();
}

TEST_P(TamperedEntryTest, AnotherValidEventIsFound) {
  Event event = *Decode(log_.Stored(EntryKey(at_)));
  event.outcome =
      event.outcome == Outcome::kAllowed ? Outcome::kDenied : Outcome::kAllowed;
  log_.Overwrite(EntryKey(at_), *Encode(event));
  ExpectFound();
}

TEST_P(TamperedEntryTest, DroppedEntryIsFound) {
  log_.Remove(EntryKey(at_));
  ExpectFound();
}

TEST_P(TamperedEntryTest, ClosedGapIsFound) {
  for (uint64_t i = at_; i + 1 < kSize; ++i) {
    log_.Overwrite(EntryKey(i), log_.Stored(EntryKey(i + 1)));
  }
  log_.Remove(EntryKey(kSize - 1));
  ExpectFound();
}

TEST_P(TamperedEntryTest, ReorderedEntriesAreFound) {
  const uint64_t other = at_ == kSize - 1 ? at_ - 1 : at_ + 1;
  const std::string entry = log_.Stored(EntryKey(at_));
  log_.Overwrite(EntryKey(at_), log_.Stored(EntryKey(other)));
  log_.Overwrite(EntryKey(other), entry);
  ExpectFound();
}

TEST_P(TamperedEntryTest, DuplicatedEntryIsFound) {
  for (uint64_t i = kSize; i > at_; --i) {
    log_.Overwrite(EntryKey(i), log_.Stored(EntryKey(i - 1)));
  }
  ExpectFound();
}

INSTANTIATE_TEST_SUITE_P(Positions, TamperedEntryTest,
                         ::testing::Values(0, 1, 254, 255, 256, 300, 511, 512,
                                           550, 598, 599));

TEST(TamperedLogTest, FlippedTileIsFound) {
  for (const uint64_t index : {0UL, 1UL}) {
    for (const size_t byte : {0UL, 31UL, 4096UL, 8191UL}) {
      TestLog log;
      log.Append(kSize);
      std::string tile = log.Stored(TileKey(0, index));
      tile[byte] = static_cast<char>(tile[byte] ^ 0x80);
      log.Overwrite(TileKey(0, index), tile);
      EXPECT_THAT(log.Reopen(), StatusIs(absl::StatusCode::kDataLoss));
      EXPECT_FALSE(log.IsSound());
    }
  }
}

TEST(TamperedLogTest, MissingOrSwappedTilesAreFound) {
  TestLog log;
  log.Append(kSize);
  const std::string first = log.Stored(TileKey(0, 0));
  const std::string second = log.Stored(TileKey(0, 1));
  log.Overwrite(TileKey(0, 0), second);
  log.Overwrite(TileKey(0, 1), first);
  EXPECT_THAT(log.Reopen(), StatusIs(absl::StatusCode::kDataLoss));
  log.Overwrite(TileKey(0, 0), first);
  log.Remove(TileKey(0, 1));
  EXPECT_THAT(log.Reopen(), StatusIs(absl::StatusCode::kDataLoss));
  log.Overwrite(TileKey(0, 1), second);
  EXPECT_TRUE(log.IsSound());
}

TEST(TamperedLogTest, FlippedHeadIsFound) {
  TestLog log;
  log.Append(3);
  const std::string head = log.Stored(kHeadKey);
  for (size_t i = 0; i < head.size(); ++i) {
    std::string flipped = head;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    log.Overwrite(kHeadKey, flipped);
    EXPECT_THAT(log.Reopen(), StatusIs(absl::StatusCode::kDataLoss)) << i;
  }
}

TEST(TamperedLogTest, TruncatedOrLongerHeadIsFound) {
  TestLog log;
  log.Append(3);
  const std::string head = log.Stored(kHeadKey);
  for (size_t size = 0; size < head.size(); ++size) {
    log.Overwrite(kHeadKey, head.substr(0, size));
    EXPECT_THAT(log.Reopen(), StatusIs(absl::StatusCode::kDataLoss)) << size;
  }
  log.Overwrite(kHeadKey, head + "x");
  EXPECT_THAT(log.Reopen(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(TamperedLogTest, MissingHeadIsFound) {
  TestLog log;
  log.Append(3);
  log.Remove(kHeadKey);
  EXPECT_THAT(log.Reopen(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(TamperedLogTest, OlderHeadIsFoundByTheEntriesBehindIt) {
  TestLog log;
  log.Append(300);
  const std::string older = log.Stored(kHeadKey);
  log.Append(1);
  log.Overwrite(kHeadKey, older);
  EXPECT_THAT(log.Reopen(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(TamperedLogTest, CleanRollbackIsFoundByWhoeverKeptTheHead) {
  TestLog log;
  log.Append(300);
  const std::string older = log.Stored(kHeadKey);
  log.Append(5);
  const Head kept = log.log().head();
  log.Overwrite(kHeadKey, older);
  for (uint64_t i = 300; i < 305; ++i) log.Remove(EntryKey(i));
  // Inside the store nothing is wrong: it is what it was before.
  EXPECT_TRUE(log.IsSound());
  EXPECT_THAT(Extends(log.engine(), kept.size, kept.root), IsOkAndHolds(false));
}

TEST(TamperedLogTest, AnotherHistoryIsFoundByWhoeverKeptTheHead) {
  TestLog log;
  log.Append(300);
  const Head kept = log.log().head();
  TestLog other;
  Event event = EventOf(77);
  Event* const pointer = &event;
  absl::StatusOr<Log::Staged> staged = other.log().Stage({&pointer, 1}, kStart);
  ASSERT_THAT(staged, IsOk());
  ASSERT_THAT(other.engine().Commit(staged->batch), IsOk());
  other.log().Advance(*std::move(staged));
  other.Append(400);
  EXPECT_TRUE(other.IsSound());
  EXPECT_THAT(Extends(other.engine(), kept.size, kept.root),
              IsOkAndHolds(false));
}

TEST(TamperedLogTest, ForeignSignatureIsRefused) {
  TestLog log;
  log.Append(3);
  EXPECT_THAT(Log::Open(log.engine(), kOrigin, TestSigner('x')),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(TamperedLogTest, ForeignOriginIsRefused) {
  TestLog log;
  log.Append(3);
  EXPECT_THAT(Log::Open(log.engine(), "hizo/other", TestSigner()),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(TamperedLogTest, CheckpointOfAnotherSizeIsRefused) {
  TestLog log;
  log.Append(3);
  const std::string checkpoint = log.log().head().checkpoint;
  log.Append(1);
  const std::string head = log.Stored(kHeadKey);
  const size_t fixed = head.size() - log.log().head().checkpoint.size();
  log.Overwrite(kHeadKey, head.substr(0, fixed) + checkpoint);
  EXPECT_THAT(log.Reopen(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(TamperedLogTest, EntriesBehindTheHeadAreFound) {
  TestLog log;
  log.Append(3);
  log.Overwrite(EntryKey(3), *Encode(EventOf(3)));
  EXPECT_THAT(log.Reopen(), StatusIs(absl::StatusCode::kDataLoss));
  TestLog empty;
  empty.Overwrite(EntryKey(UINT64_MAX), *Encode(EventOf(3)));
  EXPECT_THAT(empty.Reopen(), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace hizo::audit
