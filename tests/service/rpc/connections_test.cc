#include "service/rpc/connections.h"

#include <string>

#include "gtest/gtest.h"

namespace hizo::rpc {
namespace {

constexpr uint64_t kMebibyte = 1024 * 1024;

Endpoint PeerAt(const std::string& address, int port) {
  return ParsePeer("ipv4:" + address + ":" + std::to_string(port)).value();
}

class ConnectionsTest : public ::testing::Test {
 protected:
  // Three in all, two of an origin, messages of 1 MiB.
  Connections connections_{{3, 2, kMebibyte}};
  const Endpoint peer_ = PeerAt("192.0.2.1", 1);
};

TEST_F(ConnectionsTest, AdmitsAsManyOfAnOriginAsMayBe) {
  EXPECT_TRUE(connections_.Admit(PeerAt("192.0.2.1", 1)).has_value());
  EXPECT_TRUE(connections_.Admit(PeerAt("192.0.2.1", 2)).has_value());
  EXPECT_FALSE(connections_.Admit(PeerAt("192.0.2.1", 3)).has_value());
  EXPECT_TRUE(connections_.Admit(PeerAt("192.0.2.2", 3)).has_value());
}

TEST_F(ConnectionsTest, AdmitsAsManyInAllAsMayBe) {
  for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
    EXPECT_TRUE(connections_.Admit(PeerAt(address, 1)).has_value());
  }
  EXPECT_FALSE(connections_.Admit(PeerAt("192.0.2.4", 1)).has_value());
  EXPECT_EQ(connections_.size(), 3U);
}

TEST_F(ConnectionsTest, AnEndMakesRoom) {
  const auto first = connections_.Admit(PeerAt("192.0.2.1", 1));
  connections_.Admit(PeerAt("192.0.2.1", 2));
  ASSERT_TRUE(connections_.End(*first).has_value());
  EXPECT_TRUE(connections_.Admit(PeerAt("192.0.2.1", 3)).has_value());
  EXPECT_FALSE(connections_.Admit(PeerAt("192.0.2.1", 4)).has_value());
}

TEST_F(ConnectionsTest, EndsOnce) {
  const auto number = connections_.Admit(peer_);
  EXPECT_TRUE(connections_.End(*number).has_value());
  EXPECT_FALSE(connections_.End(*number).has_value());
  EXPECT_FALSE(connections_.End(Connections::kFirstNumber + 77).has_value());
}

TEST_F(ConnectionsTest, TellsWhetherACallCameOverIt) {
  const Endpoint other = PeerAt("192.0.2.2", 1);
  const auto with = connections_.Admit(peer_);
  const auto without = connections_.Admit(other);
  connections_.CallBegan(peer_);
  connections_.CallBegan(PeerAt("192.0.2.9", 9));  // of no connection here
  EXPECT_TRUE(connections_.End(*with)->served);
  const auto ended = connections_.End(*without);
  EXPECT_FALSE(ended->served);
  EXPECT_EQ(ended->peer, other);
}

TEST_F(ConnectionsTest, APortThatIsUsedAgainBelongsToTheNewConnection) {
  const auto former = connections_.Admit(peer_);
  const auto latter = connections_.Admit(peer_);
  connections_.CallBegan(peer_);
  EXPECT_FALSE(connections_.End(*former)->served);
  connections_.CallBegan(peer_);
  EXPECT_TRUE(connections_.End(*latter)->served);
}

TEST_F(ConnectionsTest, BytesWithoutACallArePaidForUpToABound) {
  const auto number = connections_.Admit(peer_);
  EXPECT_TRUE(connections_.IsPaidFor(*number, kMebibyte));
  EXPECT_FALSE(connections_.IsPaidFor(*number, 2 * kMebibyte));
}

TEST_F(ConnectionsTest, EachAdvanceBeginsAnew) {
  const auto number = connections_.Admit(peer_);
  uint64_t bytes = 0;
  for (int i = 0; i < 100; ++i) {
    bytes += kMebibyte;
    connections_.ReadBegan(peer_);
    connections_.ReadEnded(peer_);
    EXPECT_TRUE(connections_.IsPaidFor(*number, bytes));
  }
  EXPECT_TRUE(connections_.IsPaidFor(*number, bytes + kMebibyte));
  EXPECT_FALSE(connections_.IsPaidFor(*number, bytes + 2 * kMebibyte));
}

TEST_F(ConnectionsTest, WhatIsAwaitedMayComeSlowly) {
  const auto number = connections_.Admit(peer_);
  for (int i = 0; i < 10; ++i) connections_.ReadBegan(peer_);
  EXPECT_TRUE(connections_.IsPaidFor(*number, 0));
  EXPECT_TRUE(connections_.IsPaidFor(*number, 11 * kMebibyte));
  EXPECT_FALSE(connections_.IsPaidFor(*number, 13 * kMebibyte));
}

TEST_F(ConnectionsTest, NothingIsKnownOfAConnectionThatEnded) {
  const auto number = connections_.Admit(peer_);
  connections_.End(*number);
  EXPECT_TRUE(connections_.IsPaidFor(*number, 1000 * kMebibyte));
}

}  // namespace
}  // namespace hizo::rpc
