#include "service/audit/query.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/summary.h"
#include "service/audit/tree.h"
#include "tests/service/audit/test_log.h"
#include "tests/testing/status_matchers.h"

namespace hizo::audit {
namespace {

using std::chrono::seconds;
using test::IsOk;
using test::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kSize = 120;

class QueryTest : public ::testing::Test {
 protected:
  QueryTest() { log_.Append(kSize, 10); }  // ten events in each second

  Page Ask(const Filter& filter, Order order, std::optional<uint64_t> from,
           size_t limit) const {
    const absl::StatusOr<Page> page =
        Query(log_.engine(), kSize, filter, order, from, limit);
    EXPECT_THAT(page, IsOk());
    return page.ok() ? *page : Page();
  }
  // Sequence numbers of all pages.
  std::vector<uint64_t> AskAll(const Filter& filter, Order order,
                               size_t limit) const {
    std::vector<uint64_t> sequences;
    std::optional<uint64_t> from;
    do {
      const Page page = Ask(filter, order, from, limit);
      EXPECT_LE(page.events.size(), limit);
      for (const Found& found : page.events) {
        EXPECT_EQ(found.event.records, found.sequence);
        sequences.push_back(found.sequence);
      }
      from = page.next;
    } while (from.has_value());
    return sequences;
  }
  TestLog log_;
};

std::vector<uint64_t> SequencesOf(const Page& page) {
  std::vector<uint64_t> sequences;
  for (const Found& found : page.events) sequences.push_back(found.sequence);
  return sequences;
}

TEST_F(QueryTest, NewestFirst) {
  const Page page = Ask({}, Order::kNewestFirst, std::nullopt, 3);
  EXPECT_THAT(SequencesOf(page), ElementsAre(119, 118, 117));
  EXPECT_EQ(page.next, 116u);
}

TEST_F(QueryTest, OldestFirst) {
  const Page page = Ask({}, Order::kOldestFirst, std::nullopt, 3);
  EXPECT_THAT(SequencesOf(page), ElementsAre(0, 1, 2));
  EXPECT_EQ(page.next, 3u);
}

TEST_F(QueryTest, GoesOnFromAPosition) {
  EXPECT_THAT(SequencesOf(Ask({}, Order::kNewestFirst, 1, 10)),
              ElementsAre(1, 0));
  EXPECT_THAT(SequencesOf(Ask({}, Order::kOldestFirst, 118, 10)),
              ElementsAre(118, 119));
}

TEST_F(QueryTest, APositionOutsideIsHarmless) {
  EXPECT_THAT(SequencesOf(Ask({}, Order::kNewestFirst, UINT64_MAX, 1)),
              ElementsAre(119));
  const Page page = Ask({}, Order::kOldestFirst, UINT64_MAX, 1);
  EXPECT_THAT(page.events, IsEmpty());
  EXPECT_FALSE(page.next.has_value());
}

TEST_F(QueryTest, TheLastPageHasNoNext) {
  EXPECT_FALSE(Ask({}, Order::kNewestFirst, std::nullopt, kSize).next);
  EXPECT_FALSE(Ask({}, Order::kOldestFirst, std::nullopt, 500).next);
  EXPECT_EQ(Ask({}, Order::kOldestFirst, std::nullopt, kSize - 1).next,
            kSize - 1);
}

TEST_F(QueryTest, SeesOnlyTheFirstEvents) {
  const absl::StatusOr<Page> page =
      Query(log_.engine(), 4, {}, Order::kNewestFirst, std::nullopt, 2);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(SequencesOf(*page), ElementsAre(3, 2));
  Filter filter;
  filter.subject = ReferenceOf(0);
  const absl::StatusOr<Page> indexed =
      Query(log_.engine(), 6, filter, Order::kOldestFirst, std::nullopt, 10);
  ASSERT_THAT(indexed, IsOk());
  EXPECT_THAT(SequencesOf(*indexed), ElementsAre(0, 5));
}

TEST_F(QueryTest, AnEmptyLogHasOneEmptyPage) {
  const TestLog empty;
  const absl::StatusOr<Page> page =
      Query(empty.engine(), 0, {}, Order::kNewestFirst, std::nullopt, 10);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->events, IsEmpty());
  EXPECT_FALSE(page->next.has_value());
}

TEST_F(QueryTest, RefusesPagesOfNothing) {
  EXPECT_THAT(
      Query(log_.engine(), kSize, {}, Order::kNewestFirst, std::nullopt, 0),
      StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(QueryTest, TimesIncludeTheStartAndExcludeTheEnd) {
  Filter filter;
  filter.start = kStart + seconds(3);
  filter.end = kStart + seconds(5);
  const std::vector<uint64_t> found = AskAll(filter, Order::kOldestFirst, 100);
  ASSERT_EQ(found.size(), 20u);
  EXPECT_EQ(found.front(), 30u);
  EXPECT_EQ(found.back(), 49u);
  filter.start = *filter.start + std::chrono::microseconds(1);
  EXPECT_EQ(AskAll(filter, Order::kOldestFirst, 100).front(), 40u);
}

TEST_F(QueryTest, TimesThatNothingHappenedInAreEmpty) {
  Filter filter;
  filter.start = kStart + seconds(5);
  filter.end = kStart + seconds(5);
  EXPECT_THAT(AskAll(filter, Order::kNewestFirst, 10), IsEmpty());
  filter.end = kStart + seconds(4);
  EXPECT_THAT(AskAll(filter, Order::kNewestFirst, 10), IsEmpty());
  filter.start = kStart + seconds(1000);
  filter.end.reset();
  EXPECT_THAT(AskAll(filter, Order::kNewestFirst, 10), IsEmpty());
  filter.start.reset();
  filter.end = kStart;
  EXPECT_THAT(AskAll(filter, Order::kNewestFirst, 10), IsEmpty());
}

TEST_F(QueryTest, UnknownSubjectsAndActorsHaveNoEvents) {
  Filter filter;
  filter.subject = ReferenceOf(200);
  EXPECT_THAT(AskAll(filter, Order::kNewestFirst, 10), IsEmpty());
  filter.subject.reset();
  filter.actor = "spiffe://example.org/";
  EXPECT_THAT(AskAll(filter, Order::kNewestFirst, 10), IsEmpty());
  filter.actor = "";
  EXPECT_THAT(AskAll(filter, Order::kNewestFirst, 10), IsEmpty());
  filter.actor.reset();
  filter.tenant = base::TenantId{2};
  EXPECT_THAT(AskAll(filter, Order::kNewestFirst, 10), IsEmpty());
}

// Every combination of conditions, against a plain look at every event.
TEST_F(QueryTest, AnswersAsAPlainSearchWould) {
  size_t found = 0;
  for (uint32_t bits = 0; bits < 128; ++bits) {
    Filter filter;
    if (bits & 1) filter.subject = ReferenceOf(2);
    if (bits & 2) filter.actor = "spiffe://example.org/1";
    if (bits & 4) filter.action = policy::Action::kRecordPut;
    if (bits & 8) filter.outcome = Outcome::kAllowed;
    if (bits & 16) filter.tenant = base::TenantId{1};
    if (bits & 32) filter.start = kStart + seconds(2);
    if (bits & 64) filter.end = kStart + seconds(9);
    std::vector<uint64_t> expected;
    for (uint64_t i = 0; i < kSize; ++i) {
      const Event event = EventOf(i);
      const base::Timestamp time = kStart + seconds(i / 10);
      const bool in = (!(bits & 1) || i % 5 == 2) &&
                      (!(bits & 2) || i % 3 == 1) &&
                      (!(bits & 4) || i % 2 == 1) &&
                      (!(bits & 8) || event.outcome == Outcome::kAllowed) &&
                      (!(bits & 32) || time >= *filter.start) &&
                      (!(bits & 64) || time < *filter.end);
      if (in) expected.push_back(i);
    }
    found += expected.size();
    EXPECT_EQ(AskAll(filter, Order::kOldestFirst, 7), expected);
    std::ranges::reverse(expected);
    EXPECT_EQ(AskAll(filter, Order::kNewestFirst, 1000), expected);
  }
  EXPECT_GT(found, 0u);
}

TEST_F(QueryTest, PagesOfAnySizeAddUpToTheSame) {
  Filter filter;
  filter.actor = "spiffe://example.org/1";
  filter.action = policy::Action::kRecordGet;
  const std::vector<uint64_t> all = AskAll(filter, Order::kOldestFirst, 1000);
  ASSERT_EQ(all.size(), 20u);
  for (size_t limit = 1; limit < 22; ++limit) {
    EXPECT_EQ(AskAll(filter, Order::kOldestFirst, limit), all);
  }
}

TEST_F(QueryTest, MissingEntriesAreDataLoss) {
  log_.Remove(EntryKey(60));
  for (const Order order : {Order::kOldestFirst, Order::kNewestFirst}) {
    EXPECT_THAT(Query(log_.engine(), kSize, {}, order, std::nullopt, 100),
                StatusIs(absl::StatusCode::kDataLoss));
    Filter filter;
    filter.subject = ReferenceOf(0);
    EXPECT_THAT(Query(log_.engine(), kSize, filter, order, std::nullopt, 100),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST_F(QueryTest, AMissingLastEntryIsDataLoss) {
  log_.Remove(EntryKey(kSize - 1));
  EXPECT_THAT(
      Query(log_.engine(), kSize, {}, Order::kNewestFirst, std::nullopt, 1),
      StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Query(log_.engine(), kSize, {}, Order::kOldestFirst, 110, 100),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(QueryTest, DamagedEntriesAreDataLoss) {
  log_.Overwrite(EntryKey(60), "no entry");
  EXPECT_THAT(
      Query(log_.engine(), kSize, {}, Order::kOldestFirst, std::nullopt, 100),
      StatusIs(absl::StatusCode::kDataLoss));
  Filter filter;
  filter.actor = "spiffe://example.org/0";
  EXPECT_THAT(Query(log_.engine(), kSize, filter, Order::kOldestFirst,
                    std::nullopt, 100),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(QueryTest, IndexRowsOfOtherEntriesShowNothing) {
  // Somebody points a person's index at an entry of another person's.
  std::string key = "s" + std::string(ReferenceOf(0).bytes());
  key += std::string("\0\0\0\0\0\0\0\1", 8);
  log_.Overwrite(key, "");
  Filter filter;
  filter.subject = ReferenceOf(0);
  EXPECT_THAT(SequencesOf(Ask(filter, Order::kOldestFirst, std::nullopt, 2)),
              ElementsAre(0, 5));
}

TEST_F(QueryTest, DamagedIndexRowsAreDataLoss) {
  log_.Overwrite("s" + std::string(ReferenceOf(0).bytes()) +
                     std::string("\0\0\0\0\0\0\0\0\0", 9),
                 "");
  Filter filter;
  filter.subject = ReferenceOf(0);
  EXPECT_THAT(Query(log_.engine(), kSize, filter, Order::kOldestFirst,
                    std::nullopt, 100),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(QueryBoundTest, APageLooksAtABoundedNumberOfEntries) {
  constexpr uint64_t kMany = kEntriesPerPageMax + 100;
  TestLog log;
  log.Append(kMany, 1000);
  // Nothing tells that nothing is there.
  for (uint64_t block = 0; block < kMany / kBlockSize; ++block) {
    log.Remove(SummaryKey(block));
  }
  Filter filter;
  filter.action = policy::Action::kAdminStatus;
  absl::StatusOr<Page> page =
      Query(log.engine(), kMany, filter, Order::kOldestFirst, std::nullopt, 10);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->events, IsEmpty());
  EXPECT_EQ(page->next, kEntriesPerPageMax);
  page =
      Query(log.engine(), kMany, filter, Order::kOldestFirst, page->next, 10);
  ASSERT_THAT(page, IsOk());
  EXPECT_FALSE(page->next.has_value());
}

}  // namespace
}  // namespace hizo::audit
