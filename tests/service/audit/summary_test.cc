#include "service/audit/summary.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/rows.h"
#include "service/audit/tree.h"
#include "tests/service/audit/test_log.h"
#include "tests/testing/status_matchers.h"

namespace hizo::audit {
namespace {

using base::Reason;
using test::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kShop[] = "spiffe://example.org/shop";
constexpr uint64_t kSize = 10 * kBlockSize + 17;

Event Usual() {
  Event event = EventOf(1);
  event.actor = kShop;
  event.fields = {201, 202};
  event.writes = {{2, {}, 1, {}}};
  event.outcome = Outcome::kAllowed;
  return event;
}
Event Rare() {
  Event event = Usual();
  event.actor = "spiffe://example.org/desk";
  event.action = policy::Action::kSubjectFind;
  event.outcome = Outcome::kDenied;
  event.reason = Reason::kPurposeNotAllowed;
  event.purpose = 9;
  event.fields = {301};
  event.writes = {{4, {}, 1, {}}};
  event.tenant = base::TenantId{2};
  return event;
}

// Each condition alone, that only Rare has.
std::vector<Filter> RareFilters() {
  std::vector<Filter> filters(8);
  filters[0].action = policy::Action::kSubjectFind;
  filters[1].outcome = Outcome::kDenied;
  filters[2].reason = Reason::kPurposeNotAllowed;
  filters[3].purpose = 9;
  filters[4].other_than_purpose = 1;
  filters[5].field = 301;
  filters[6].of_class = FieldsOfClass{4, {401}};
  filters[7].actors = {"spiffe://example.org/desk"};
  filters.emplace_back().tenant = base::TenantId{2};
  filters.emplace_back().of_class = FieldsOfClass{3, {301, 302}};
  return filters;
}

TEST(BlockSummaryTest, TellsWhatIsThereFromWhatIsNot) {
  BlockSummary usual;
  usual.Add(Usual());
  BlockSummary with_rare = usual;
  with_rare.Add(Rare());
  for (const Filter& filter : RareFilters()) {
    EXPECT_FALSE(usual.MayMatch(filter));
    EXPECT_TRUE(with_rare.MayMatch(filter));
    EXPECT_FALSE(BlockSummary().MayMatch(filter));
    EXPECT_TRUE(BlockSummary::OfAnything().MayMatch(filter));
  }
  EXPECT_TRUE(usual.MayMatch({}));
}

// Whatever matches an entry may match its block.
TEST(BlockSummaryTest, NeverPromisesTooLittle) {
  for (const Event& event : {Usual(), Rare(), EventOf(7), EventOf(8)}) {
    BlockSummary block;
    block.Add(event);
    std::vector<Filter> filters = RareFilters();
    filters.emplace_back().action = event.action;
    filters.emplace_back().purpose = event.purpose;
    filters.emplace_back().reason = event.reason;
    filters.emplace_back().actors = {event.actor, "x"};
    for (const policy::FieldNumber field : event.fields) {
      filters.emplace_back().field = field;
    }
    for (const Filter& filter : filters) {
      if (Matches(filter, event)) {
        EXPECT_TRUE(block.MayMatch(filter));
      }
    }
  }
}

TEST(BlockSummaryTest, NumbersBeyondItsBitsShareOne) {
  Event event = Usual();
  event.purpose = 70;
  BlockSummary block;
  block.Add(event);
  Filter filter;
  filter.purpose = 70;
  EXPECT_TRUE(block.MayMatch(filter));
  filter.purpose = 99;
  EXPECT_TRUE(block.MayMatch(filter));
  filter.purpose.reset();
  filter.other_than_purpose = 99;
  EXPECT_TRUE(block.MayMatch(filter));
}

TEST(BlockSummaryTest, ComesBackFromItsBytes) {
  BlockSummary block;
  block.Add(Rare());
  const std::string bytes = block.Encode();
  EXPECT_THAT(bytes, SizeIs(97));
  EXPECT_EQ(BlockSummary::Decode(bytes), block);
  for (const std::string& other :
       {std::string(), bytes + "x", bytes.substr(1), "\2" + bytes.substr(1)}) {
    EXPECT_EQ(BlockSummary::Decode(other), BlockSummary::OfAnything());
  }
}

// Counts what is read of a log.
class CountingReader : public storage::Reader {
 public:
  explicit CountingReader(const storage::Reader& reader) : reader_(reader) {}
  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const override {
    ++gets;
    return reader_.Get(key);
  }
  absl::StatusOr<std::vector<storage::Row>> Scan(
      const storage::ScanRange& range) const override {
    auto rows = reader_.Scan(range);
    if (rows.ok()) scanned += rows->size();
    return rows;
  }
  mutable size_t gets = 0;
  mutable size_t scanned = 0;

 private:
  const storage::Reader& reader_;
};

// Rare events at these places of a log of usual ones.
class SummarisedLogTest : public ::testing::Test {
 protected:
  SummarisedLogTest() {
    std::vector<Event> events(kSize, Usual());
    for (const uint64_t at : kRare) events[at] = Rare();
    // In batches that end within blocks and at their ends.
    for (uint64_t at = 0; at < kSize;) {
      const uint64_t count =
          std::min<uint64_t>(at % 3 == 0 ? 300 : 212, kSize - at);
      const auto begin = events.begin() + static_cast<std::ptrdiff_t>(at);
      log_.AppendEvents({begin, begin + static_cast<std::ptrdiff_t>(count)});
      at += count;
    }
  }
  std::vector<uint64_t> All(const Filter& filter, Order order, size_t limit,
                            const storage::Reader& reader) const {
    std::vector<uint64_t> sequences;
    std::optional<uint64_t> from;
    do {
      const auto page = Query(reader, kSize, filter, order, from, limit);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      for (const Found& found : page->events) {
        sequences.push_back(found.sequence);
      }
      from = page->next;
    } while (from.has_value());
    return sequences;
  }
  std::vector<uint64_t> All(const Filter& filter, Order order,
                            size_t limit = 100) const {
    return All(filter, order, limit, log_.engine());
  }
  static constexpr uint64_t kRare[] = {0, 255, 256, 1300, 2303, kSize - 1};
  TestLog log_;
};

TEST_F(SummarisedLogTest, FindsEverythingInBothOrders) {
  for (const Filter& filter : RareFilters()) {
    for (const size_t limit : {1, 2, 100}) {
      EXPECT_THAT(All(filter, Order::kOldestFirst, limit),
                  ElementsAre(0, 255, 256, 1300, 2303, kSize - 1));
      EXPECT_THAT(All(filter, Order::kNewestFirst, limit),
                  ElementsAre(kSize - 1, 2303, 1300, 256, 255, 0));
    }
  }
}

TEST_F(SummarisedLogTest, ReadsOnlyTheBlocksThatMayHoldIt) {
  Filter filter;
  filter.field = 301;
  const CountingReader reader(log_.engine());
  EXPECT_THAT(All(filter, Order::kNewestFirst, 100, reader), SizeIs(6));
  // Blocks 0, 1, 5 and 8, and what is no block yet.
  EXPECT_LE(reader.scanned, 4 * kBlockSize + 17);
  EXPECT_LE(reader.gets, 2 * 10U);
}

TEST_F(SummarisedLogTest, PassesOverALogInWhichNothingIs) {
  Filter filter;
  filter.field = 999;
  const CountingReader reader(log_.engine());
  EXPECT_THAT(All(filter, Order::kOldestFirst, 100, reader), IsEmpty());
  EXPECT_LE(reader.scanned, 17U);
}

TEST_F(SummarisedLogTest, KeepsToTheSpan) {
  Filter filter;
  filter.field = 301;
  filter.first = 256;
  EXPECT_THAT(All(filter, Order::kOldestFirst),
              ElementsAre(256, 1300, 2303, kSize - 1));
  filter.first = 257;
  EXPECT_THAT(All(filter, Order::kNewestFirst),
              ElementsAre(kSize - 1, 2303, 1300));
}

TEST_F(SummarisedLogTest, DoesWithoutASummary) {
  Filter filter;
  filter.field = 301;
  for (uint64_t block = 0; block < 10; ++block) {
    if (block % 2 == 0) log_.Remove(SummaryKey(block));
    if (block % 3 == 0) log_.Overwrite(SummaryKey(block), "damaged");
  }
  EXPECT_THAT(All(filter, Order::kNewestFirst), SizeIs(6));
}

TEST_F(SummarisedLogTest, GoesOnAfterARestart) {
  // The same log, made with a restart in the middle of a block.
  TestLog whole;
  whole.Append(3 * kBlockSize, 100);
  const auto opened = [](TestLog& log, uint64_t count) {
    auto again = *log.Reopen();
    std::vector<Event> events;
    std::vector<Event*> pointers;
    for (uint64_t i = 0; i < count; ++i) {
      events.push_back(EventOf(again->head().size + i));
    }
    for (Event& event : events) pointers.push_back(&event);
    const auto staged = again->Stage(pointers, kStart);
    EXPECT_THAT(staged, IsOk());
    EXPECT_THAT(log.engine().Commit(staged->batch), IsOk());
  };
  TestLog log;
  opened(log, 100);
  opened(log, 3 * kBlockSize - 100);
  for (uint64_t block = 0; block < 3; ++block) {
    EXPECT_EQ(log.Stored(SummaryKey(block)), whole.Stored(SummaryKey(block)));
  }
  EXPECT_THAT(*log.engine().Get(SummaryKey(3)), std::nullopt);
}

}  // namespace
}  // namespace hizo::audit
