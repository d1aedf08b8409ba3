// What a query may ask for, alone and combined, in both orders.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/query.h"
#include "tests/service/audit/test_log.h"
#include "tests/testing/status_matchers.h"

namespace hizo::audit {
namespace {

using base::Reason;
using test::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kShop[] = "spiffe://example.org/shop";
constexpr char kDesk[] = "spiffe://example.org/desk";

Event By(const char* actor, policy::PurposeNumber purpose,
         std::vector<policy::FieldNumber> fields) {
  Event event = EventOf(1);
  event.actor = actor;
  event.purpose = purpose;
  event.fields = std::move(fields);
  event.outcome = Outcome::kAllowed;
  return event;
}

class QueryFilterTest : public ::testing::Test {
 protected:
  QueryFilterTest() {
    Event denied = By(kDesk, 3, {301});
    denied.outcome = Outcome::kDenied;
    denied.reason = Reason::kPurposeNotAllowed;
    Event absent = By(kDesk, 2, {});
    absent.outcome = Outcome::kFailed;
    absent.reason = Reason::kSubjectNotFound;
    absent.subject.reset();
    Event written = By(kShop, 1, {});
    written.writes = {{3, {}, 1, {}}};
    log_.AppendEvents({By(kShop, 1, {201, 203}),    // 0
                       By(kDesk, 2, {203}),         // 1
                       denied,                      // 2
                       absent,                      // 3
                       written,                     // 4
                       By(kShop, 3, {203, 301})});  // 5
  }
  std::vector<uint64_t> Ask(const Filter& filter, size_t limit = 100) const {
    std::vector<uint64_t> oldest = All(filter, Order::kOldestFirst, limit);
    const std::vector<uint64_t> newest =
        All(filter, Order::kNewestFirst, limit);
    EXPECT_EQ(std::vector<uint64_t>(newest.rbegin(), newest.rend()), oldest);
    return oldest;
  }
  std::vector<uint64_t> All(const Filter& filter, Order order,
                            size_t limit) const {
    std::vector<uint64_t> sequences;
    std::optional<uint64_t> from;
    do {
      const auto page = Query(log_.engine(), 6, filter, order, from, limit);
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

TEST_F(QueryFilterTest, ByReason) {
  Filter filter;
  filter.reason = Reason::kPurposeNotAllowed;
  EXPECT_THAT(Ask(filter), ElementsAre(2));
  filter.reason = Reason::kNone;
  EXPECT_THAT(Ask(filter), ElementsAre(0, 1, 4, 5));
  filter.reason = Reason::kOverloaded;
  EXPECT_THAT(Ask(filter), IsEmpty());
}

TEST_F(QueryFilterTest, ByPurpose) {
  Filter filter;
  filter.purpose = 3;
  EXPECT_THAT(Ask(filter), ElementsAre(2, 5));
  filter.purpose = 9;
  EXPECT_THAT(Ask(filter), IsEmpty());
}

TEST_F(QueryFilterTest, ByEveryPurposeButOne) {
  Filter filter;
  filter.other_than_purpose = 1;
  EXPECT_THAT(Ask(filter), ElementsAre(1, 2, 3, 5));
}

TEST_F(QueryFilterTest, ByField) {
  Filter filter;
  filter.field = 203;
  EXPECT_THAT(Ask(filter), ElementsAre(0, 1, 5));
  filter.field = 202;
  EXPECT_THAT(Ask(filter), IsEmpty());
}

TEST_F(QueryFilterTest, ByClassOfWhatWasReadOrWritten) {
  Filter filter;
  filter.of_class = FieldsOfClass{3, {301, 302}};
  EXPECT_THAT(Ask(filter), ElementsAre(2, 4, 5));
  filter.of_class = FieldsOfClass{2, {201, 202, 203}};
  EXPECT_THAT(Ask(filter), ElementsAre(0, 1, 5));
  filter.of_class = FieldsOfClass{9, {}};
  EXPECT_THAT(Ask(filter), IsEmpty());
}

TEST_F(QueryFilterTest, ByAnyOfSeveralActors) {
  Filter filter;
  filter.actors = {kDesk, "spiffe://example.org/gone"};
  EXPECT_THAT(Ask(filter), ElementsAre(1, 2, 3));
  filter.actors = {kDesk, kShop};
  EXPECT_THAT(Ask(filter), ElementsAre(0, 1, 2, 3, 4, 5));
  filter.actors.emplace();
  EXPECT_THAT(Ask(filter), IsEmpty());
}

TEST_F(QueryFilterTest, FromANumberOn) {
  Filter filter;
  filter.first = 4;
  EXPECT_THAT(Ask(filter), ElementsAre(4, 5));
  filter.first = 6;
  EXPECT_THAT(Ask(filter), IsEmpty());
  filter.first = UINT64_MAX;
  EXPECT_THAT(Ask(filter), IsEmpty());
}

TEST_F(QueryFilterTest, ByEverythingAtOncePageByPage) {
  Filter filter;
  filter.tenant = base::TenantId{1};
  filter.actors = {kShop, kDesk};
  filter.field = 203;
  filter.other_than_purpose = 1;
  filter.reason = Reason::kNone;
  filter.outcome = Outcome::kAllowed;
  for (const size_t limit : {1, 2, 100}) {
    EXPECT_THAT(Ask(filter, limit), ElementsAre(1, 5)) << limit;
  }
  filter.actor = kDesk;
  EXPECT_THAT(Ask(filter, 1), ElementsAre(1));
  filter.subject = ReferenceOf(2);
  EXPECT_THAT(Ask(filter), IsEmpty());
}

}  // namespace
}  // namespace hizo::audit
