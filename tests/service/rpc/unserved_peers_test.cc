#include "service/rpc/unserved_peers.h"

#include <chrono>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/vault/peer_pseudonym.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::rpc {
namespace {

using audit::Event;
using base::Reason;
using test::FaultyEngine;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

Endpoint PeerAt(const std::string& address) {
  return ParsePeer("ipv4:" + address + ":50000").value();
}

class UnservedPeersTest : public ::testing::Test {
 protected:
  void Count(const std::string& address, int times,
             Reason reason = Reason::kUnauthenticated) {
    for (int i = 0; i < times; ++i) peers_.Count(PeerAt(address), reason);
  }
  // The events, once all that was begun is done.
  std::vector<Event> EventsAtTheEnd() {
    peers_.Close();
    return vault_.Events();
  }
  void PassAMinute() { vault_.clock().Advance(std::chrono::minutes(1)); }

  test::VaultFixture vault_;
  UnservedPeers peers_{{vault_.store(), vault_.clock(), 7}};
};

TEST_F(UnservedPeersTest, AMinuteOfOneOriginIsOneEntryWithTheNumber) {
  Count("192.0.2.1", 5);
  PassAMinute();
  peers_.Tick();
  const std::vector<Event> events = EventsAtTheEnd();
  ASSERT_THAT(events, SizeIs(1));
  const Event& event = events[0];
  EXPECT_EQ(event.merged, 4U);
  EXPECT_EQ(event.reason, Reason::kUnauthenticated);
  EXPECT_EQ(event.outcome, audit::Outcome::kDenied);
  EXPECT_EQ(event.action, policy::Action::kNone);
  EXPECT_EQ(event.tenant, base::TenantId::kStore);
  EXPECT_EQ(event.catalogue_version, 7U);
}

TEST_F(UnservedPeersTest, NothingIsWrittenBeforeTheMinuteIsOver) {
  Count("192.0.2.1", 1);
  vault_.clock().Advance(std::chrono::seconds(59));
  peers_.Tick();
  EXPECT_THAT(vault_.Events(), IsEmpty());
  Count("192.0.2.1", 1);
  EXPECT_THAT(EventsAtTheEnd(), SizeIs(1));
}

TEST_F(UnservedPeersTest, NothingIsWrittenOfNothing) {
  PassAMinute();
  peers_.Tick();
  EXPECT_THAT(EventsAtTheEnd(), IsEmpty());
}

TEST_F(UnservedPeersTest, AMinuteBeginsWithItsFirstPeer) {
  Count("192.0.2.1", 1);
  PassAMinute();
  peers_.Tick();
  Count("192.0.2.1", 1);
  peers_.Tick();
  Count("192.0.2.1", 1);
  const std::vector<Event> events = EventsAtTheEnd();
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].merged, 0U);
  EXPECT_EQ(events[1].merged, 1U);
}

TEST_F(UnservedPeersTest, AClockThatIsPutBackHoldsNothingUp) {
  Count("192.0.2.1", 1);
  vault_.clock().Advance(std::chrono::hours(-1));
  peers_.Tick();
  EXPECT_THAT(EventsAtTheEnd(), SizeIs(1));
}

TEST_F(UnservedPeersTest, OriginsHavePseudonymsThatStay) {
  Count("192.0.2.1", 1);
  Count("192.0.2.2", 1);
  PassAMinute();
  peers_.Tick();
  Count("192.0.2.2", 1);
  const std::vector<Event> events = EventsAtTheEnd();
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_THAT(events[0].actor, MatchesRegex("peer:[0-9a-f]{16}"));
  EXPECT_NE(events[0].actor, events[1].actor);
  EXPECT_EQ(events[1].actor, events[2].actor);
}

TEST_F(UnservedPeersTest, AnotherStoreHasOtherPseudonyms) {
  test::VaultFixture other;
  const std::string origin = PeerAt("192.0.2.1").Origin();
  const base::Timestamp now = vault_.clock().Now();
  EXPECT_NE(vault::PeerPseudonym(vault_.store().store_keys(), origin, now),
            vault::PeerPseudonym(other.store().store_keys(), origin, now));
  EXPECT_THAT(vault::PeerPseudonym(vault_.store().store_keys(), origin, now),
              MatchesRegex("peer:[0-9a-f]{16}"));
}

TEST_F(UnservedPeersTest, TheFirstReasonStandsForAll) {
  Count("192.0.2.1", 1, Reason::kOverloaded);
  Count("192.0.2.1", 2, Reason::kUnauthenticated);
  const std::vector<Event> events = EventsAtTheEnd();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].reason, Reason::kOverloaded);
  EXPECT_EQ(events[0].merged, 2U);
}

TEST_F(UnservedPeersTest, OriginsBeyondTheBoundShareAnEntryWithoutAName) {
  constexpr size_t kMore = 50;
  for (size_t i = 0; i < UnservedPeers::kOriginsMax + kMore; ++i) {
    Count("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256), 1);
  }
  size_t named = 0;
  size_t shared = 0;
  for (const Event& event : EventsAtTheEnd()) {
    (event.actor.empty() ? shared : named) += event.merged + 1;
  }
  EXPECT_EQ(named, UnservedPeers::kOriginsMax);
  EXPECT_EQ(shared, kMore);
}

TEST_F(UnservedPeersTest, WhatCouldNotBeWrittenIsWrittenWithTheNext) {
  Count("192.0.2.1", 3);
  vault_.data().FailCommit(1, FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  peers_.Close();
  EXPECT_THAT(vault_.Events(), IsEmpty());
  Count("192.0.2.1", 2);
  const std::vector<Event> events = EventsAtTheEnd();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].merged, 4U);
}

}  // namespace
}  // namespace hizo::rpc
