// Purges: what is told of them, and what is in the log.
#include "service/vault/purges.h"

#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/query.h"
#include "service/base/reason.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using ::testing::SizeIs;

class PurgesTest : public ::testing::Test {
 protected:
  Purges& purges() { return vault_.store().purges(); }
  absl::StatusOr<Purge> Begin() {
    const Call call = FullCall(vault_, Action::kStorePurge);
    return vault_.Run(
        call, [&](Attempt& attempt) { return purges().Begin(attempt, call); });
  }
  // The newest, once it is over.
  Purge Await() {
    for (;;) {
      const auto newest = purges().Newest();
      if (newest.has_value() && newest->ended.has_value()) return *newest;
      std::this_thread::yield();
    }
  }
  // Its own entries.
  std::vector<audit::Event> Events() {
    audit::Filter filter;
    filter.action = Action::kStorePurge;
    filter.actor = kOwnActor;
    const auto page =
        audit::Query(vault_.data(), vault_.store().log().head().size, filter,
                     audit::Order::kOldestFirst, std::nullopt, 100);
    EXPECT_THAT(page, IsOk());
    std::vector<audit::Event> events;
    for (const audit::Found& found : page->events) {
      events.push_back(found.event);
    }
    return events;
  }
  VaultFixture vault_;
};

TEST_F(PurgesTest, TellsWhatCameOfItOnceThatIsInTheLog) {
  EXPECT_FALSE(purges().Newest().has_value());
  vault_.keys().SetPurge(storage::PurgeReport{3, 0, false, 1000});
  vault_.data().SetPurge(storage::PurgeReport{4, 0, false, 2000});
  const auto begun = Begin();
  ASSERT_THAT(begun, IsOk());
  EXPECT_EQ(begun->begun, vault_.clock().Now());
  const Purge purge = Await();
  EXPECT_EQ(purge.report.files_rewritten, 7U);
  EXPECT_EQ(purge.report.bytes, 3000U);
  EXPECT_TRUE(purge.report.sound());
  EXPECT_EQ(purge.reason, Reason::kNone);
  const auto events = Events();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].outcome, audit::Outcome::kAllowed);
  EXPECT_EQ(events[0].records, 7U);
}

TEST_F(PurgesTest, SaysThatSomethingMayBeLeft) {
  vault_.data().SetPurge(storage::PurgeReport{4, 0, true, 2000});
  ASSERT_THAT(Begin(), IsOk());
  EXPECT_FALSE(Await().report.sound());
  vault_.keys().SetPurge(storage::PurgeReport{4, 1, false, 2000});
  ASSERT_THAT(Begin(), IsOk());
  EXPECT_EQ(Await().report.files_left, 1U);
  for (const audit::Event& event : Events()) {
    EXPECT_EQ(event.outcome, audit::Outcome::kFailed);
    EXPECT_EQ(event.reason, Reason::kConflict);
  }
}

TEST_F(PurgesTest, SaysWhyItFailed) {
  vault_.data().SetPurge(absl::ResourceExhaustedError("injected"));
  ASSERT_THAT(Begin(), IsOk());
  EXPECT_EQ(Await().reason, Reason::kTooLarge);
  ASSERT_THAT(Events(), SizeIs(1));
  EXPECT_EQ(Events()[0].reason, Reason::kTooLarge);
}

TEST_F(PurgesTest, HizoBeginsOneItself) {
  purges().BeginOwn();
  Await();
  EXPECT_THAT(Events(), SizeIs(1));
}

// Whoever hears nothing asks again.
TEST_F(PurgesTest, IsOneHoweverOftenItIsAskedFor) {
  HeldDisk disk(vault_.data());
  purges().BeginOwn();  // its entry waits for the disk
  disk.AwaitReached();
  purges().BeginOwn();
  disk.Release();
  Await();
  EXPECT_THAT(Events(), SizeIs(1));
}

TEST_F(PurgesTest, IsForWhoMay) {
  const Call call =
      vault_.CallOf(test::kClerk, Action::kStorePurge, test::kBilling);
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return purges().Begin(attempt, call);
                         }),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_FALSE(purges().Newest().has_value());
}

TEST_F(PurgesTest, TheEndOfTheStoreEndsIt) {
  ASSERT_THAT(Begin(), IsOk());
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_FALSE(purges().Newest().has_value());
}

}  // namespace
}  // namespace hizo::vault
