#include "service/audit/scope.h"

#include <chrono>
#include <cstdint>
#include <map>
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

using base::TenantId;
using policy::View;
using test::IsOk;
using test::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr char kShop[] = "spiffe://example.org/shop";
constexpr char kThief[] = "spiffe://example.org/thief";

class ScopeTest : public ::testing::Test {
 protected:
  static Event Read(uint8_t subject, View view, const char* actor = kShop,
                    std::vector<policy::FieldNumber> fields = {201}) {
    Event event;
    event.tenant = TenantId{1};
    event.actor = actor;
    event.action = policy::Action::kRecordGet;
    event.outcome = Outcome::kAllowed;
    event.reason = base::Reason::kNone;
    event.subject = ReferenceOf(subject);
    event.fields = std::move(fields);
    event.view = view;
    return event;
  }
  static Event Denied(uint8_t subject) {
    Event event = Read(subject, View::kPlain);
    event.outcome = Outcome::kDenied;
    event.reason = base::Reason::kPurposeNotAllowed;
    return event;
  }
  void Append(std::vector<Event> events) {
    log_.AppendEvents(std::move(events));
  }
  ScopePage Ask(const Span& span, const Filter& filter = {},
                std::optional<base::AuditReference> from = std::nullopt,
                size_t limit = 100) const {
    const auto page = Scope(log_.engine(), span, filter, from, limit);
    EXPECT_THAT(page, IsOk());
    return page.ok() ? *page : ScopePage();
  }
  static Filter By(const char* actor) {
    Filter filter;
    filter.actor = actor;
    return filter;
  }
  TestLog log_;
};

TEST_F(ScopeTest, SplitsWhatWasSeen) {
  Event other = Read(3, View::kNone);
  other.action = policy::Action::kSubjectFind;
  Event failed = Read(3, View::kPlain);
  failed.outcome = Outcome::kFailed;
  failed.reason = base::Reason::kRecordNotFound;
  Append({Read(3, View::kPlain), Read(3, View::kMasked), Denied(3),
          Read(3, View::kPlain), other, failed});
  const ScopePage page = Ask({0, 6});
  ASSERT_THAT(page.subjects, SizeIs(1));
  const Exposure& exposure = page.subjects[0];
  EXPECT_EQ(exposure.subject, ReferenceOf(3));
  EXPECT_EQ(exposure.calls,
            (Counts{.revealed = 2, .masked = 1, .denied = 1, .other = 2}));
  EXPECT_EQ(exposure.entries.begin, 0U);
  EXPECT_EQ(exposure.entries.end, 6U);
  EXPECT_FALSE(page.next.has_value());
}

TEST_F(ScopeTest, CountsEachField) {
  Append({Read(1, View::kPlain, kShop, {201, 203}),
          Read(1, View::kMasked, kShop, {203, 301}), Denied(1)});
  const ScopePage page = Ask({0, 3});
  ASSERT_THAT(page.subjects, SizeIs(1));
  EXPECT_THAT(page.subjects[0].fields,
              ElementsAre(Pair(201, Counts{.revealed = 1, .denied = 1}),
                          Pair(203, Counts{.revealed = 1, .masked = 1}),
                          Pair(301, Counts{.masked = 1})));
}

TEST_F(ScopeTest, SeesOnlyTheActor) {
  Append({Read(1, View::kPlain), Read(2, View::kPlain, kThief),
          Read(1, View::kMasked, kThief), Read(3, View::kPlain)});
  const ScopePage page = Ask({0, 4}, By(kThief));
  ASSERT_THAT(page.subjects, SizeIs(2));
  EXPECT_EQ(page.subjects[0].subject, ReferenceOf(1));
  EXPECT_EQ(page.subjects[0].calls, Counts{.masked = 1});
  EXPECT_EQ(page.subjects[1].subject, ReferenceOf(2));
  EXPECT_THAT(Ask({0, 4}, By("spiffe://example.org/nobody")).subjects,
              IsEmpty());
}

TEST_F(ScopeTest, SeesOnlyTheClassAndTellsOnlyItsFields) {
  Append({Read(1, View::kPlain, kShop, {201, 301}),
          Read(2, View::kPlain, kShop, {201})});
  Filter billing;
  billing.of_class = FieldsOfClass{3, {301, 302}};
  const ScopePage page = Ask({0, 2}, billing);
  ASSERT_THAT(page.subjects, SizeIs(1));
  EXPECT_EQ(page.subjects[0].subject, ReferenceOf(1));
  EXPECT_THAT(page.subjects[0].fields,
              ElementsAre(Pair(301, Counts{.revealed = 1})));
}

TEST_F(ScopeTest, SeesOnlyTheTenant) {
  Event foreign = Read(2, View::kPlain);
  foreign.tenant = TenantId{2};
  Append({Read(1, View::kPlain), foreign});
  Filter filter;
  filter.tenant = TenantId{1};
  ASSERT_THAT(Ask({0, 2}, filter).subjects, SizeIs(1));
  EXPECT_EQ(Ask({0, 2}, filter).subjects[0].subject, ReferenceOf(1));
}

TEST_F(ScopeTest, SeesOnlyTheWindow) {
  Append({Read(1, View::kPlain), Read(2, View::kPlain), Read(1, View::kMasked),
          Read(3, View::kPlain), Read(1, View::kPlain)});
  const ScopePage page = Ask({2, 4});
  ASSERT_THAT(page.subjects, SizeIs(2));
  EXPECT_EQ(page.subjects[0].subject, ReferenceOf(1));
  EXPECT_EQ(page.subjects[0].calls, Counts{.masked = 1});
  EXPECT_EQ(page.subjects[1].subject, ReferenceOf(3));
  EXPECT_THAT(Ask({4, 4}).subjects, IsEmpty());
  EXPECT_THAT(Ask({5, 2}).subjects, IsEmpty());
}

TEST_F(ScopeTest, PagesMeetWithoutGapOrRepetition) {
  std::vector<Event> events;
  for (int round = 0; round < 3; ++round) {
    for (uint8_t subject = 1; subject <= 9; ++subject) {
      events.push_back(Read(subject, View::kPlain));
    }
  }
  Append(events);
  for (const size_t limit : {1, 2, 4, 9, 10}) {
    std::vector<base::AuditReference> seen;
    std::optional<base::AuditReference> from;
    do {
      const ScopePage page = Ask({0, 27}, {}, from, limit);
      EXPECT_LE(page.subjects.size(), limit);
      for (const Exposure& exposure : page.subjects) {
        EXPECT_EQ(exposure.calls, Counts{.revealed = 3});
        seen.push_back(exposure.subject);
      }
      from = page.next;
    } while (from.has_value());
    ASSERT_THAT(seen, SizeIs(9)) << limit;
    for (uint8_t i = 0; i < 9; ++i) {
      EXPECT_EQ(seen[i], ReferenceOf(static_cast<uint8_t>(i + 1)));
    }
  }
}

// The same as from the log read from end to end, whatever window.
TEST_F(ScopeTest, IsWhatAReadOfAllEntriesGives) {
  log_.Append(1000);
  for (const Span span : {Span{0, 1000}, Span{100, 900}, Span{0, 1},
                          Span{999, 1000}, Span{333, 335}}) {
    std::map<base::AuditReference, uint64_t> expected;
    for (uint64_t i = span.begin; i < span.end; ++i) {
      ++expected[*ReadEvent(log_.engine(), i)->subject];
    }
    const ScopePage page = Ask(span);
    ASSERT_THAT(page.subjects, SizeIs(expected.size()));
    for (const Exposure& exposure : page.subjects) {
      const Counts& calls = exposure.calls;
      EXPECT_EQ(calls.revealed + calls.masked + calls.denied + calls.other,
                expected[exposure.subject]);
    }
  }
}

// However little applies, a page does not look at the whole log.
TEST_F(ScopeTest, LooksAtABoundedNumberOfRows) {
  std::vector<Event> events;
  for (uint64_t i = 0; i < 3 * kScopeRowsMax; ++i) {
    events.push_back(Read(static_cast<uint8_t>(1 + i % 250), View::kPlain));
  }
  Append(events);
  std::optional<base::AuditReference> from;
  int pages = 0;
  do {
    const ScopePage page = Ask({0, events.size()}, By(kThief), from);
    EXPECT_THAT(page.subjects, IsEmpty());
    from = page.next;
    ++pages;
  } while (from.has_value());
  EXPECT_GE(pages, 3);
  EXPECT_LE(pages, 4);
}

TEST_F(ScopeTest, ADamagedLogIsAnError) {
  const auto loss = StatusIs(absl::StatusCode::kDataLoss);
  Append({Read(1, View::kPlain), Read(2, View::kPlain)});
  const Span all{0, 2};
  // The index names an entry of somebody else.
  log_.Overwrite(SubjectIndexKey(ReferenceOf(1), 1), "");
  EXPECT_THAT(Scope(log_.engine(), all, {}, std::nullopt, 9), loss);
  log_.Remove(SubjectIndexKey(ReferenceOf(1), 1));
  EXPECT_THAT(Scope(log_.engine(), all, {}, std::nullopt, 9), IsOk());
  log_.Remove(EntryKey(1));
  EXPECT_THAT(Scope(log_.engine(), all, {}, std::nullopt, 9), loss);
  log_.Overwrite(SubjectIndexKey(ReferenceOf(1), 0).substr(0, 20), "");
  EXPECT_THAT(Scope(log_.engine(), all, {}, std::nullopt, 9), loss);
}

TEST_F(ScopeTest, APageOfNobodyIsRefused) {
  EXPECT_THAT(Scope(log_.engine(), {0, 1}, {}, std::nullopt, 0),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace hizo::audit
