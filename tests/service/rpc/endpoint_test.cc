#include "service/rpc/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

#include "gtest/gtest.h"

namespace hizo::rpc {
namespace {

sockaddr_storage Ipv4(const char* text, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET, text, &address.sin_addr), 1);
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof(address));
  return storage;
}

sockaddr_storage Ipv6(const char* text, uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof(address));
  return storage;
}

TEST(EndpointTest, TheSystemAndGrpcMeanTheSame) {
  EXPECT_EQ(EndpointOf(Ipv4("192.0.2.7", 50123)),
            ParsePeer("ipv4:192.0.2.7:50123"));
  EXPECT_EQ(EndpointOf(Ipv6("2001:db8::7", 443)),
            ParsePeer("ipv6:%5B2001:db8::7%5D:443"));
  // A socket for both sees IPv4 as a part of IPv6; gRPC writes it as IPv4.
  EXPECT_EQ(EndpointOf(Ipv6("::ffff:192.0.2.7", 50123)),
            ParsePeer("ipv4:192.0.2.7:50123"));
  EXPECT_EQ(EndpointOf(Ipv6("fe80::1", 9)),
            ParsePeer("ipv6:%5Bfe80::1%25eth0%5D:9"));
}

TEST(EndpointTest, PortAndAddressTellEndpointsApart) {
  const auto one = ParsePeer("ipv4:192.0.2.7:1");
  ASSERT_TRUE(one.has_value());
  EXPECT_NE(one, ParsePeer("ipv4:192.0.2.7:2"));
  EXPECT_NE(one, ParsePeer("ipv4:192.0.2.8:1"));
}

TEST(EndpointTest, WhatIsNoPeerIsNone) {
  for (const char* text :
       {"", ":", "ipv4", "ipv4:", "ipv4:192.0.2.7", "ipv4:192.0.2.7:",
        "ipv4:192.0.2.7:65536", "ipv4:192.0.2.7:-1", "ipv4:192.0.2.7:1x",
        "ipv4:192.0.2:1", "ipv6:2001:db8::7:443", "ipv6:%5B%5D:1",
        "ipv6:%5B2001:db8::7", "unix:/tmp/socket:1", "ipv5:192.0.2.7:1"}) {
    EXPECT_EQ(ParsePeer(text), std::nullopt) << text;
  }
  EXPECT_EQ(EndpointOf(sockaddr_storage{}), std::nullopt);
}

TEST(EndpointTest, AnOriginIsAnAddressOrAnIpv6Network) {
  const auto origin = [](const char* peer) {
    return ParsePeer(peer).value().Origin();
  };
  EXPECT_EQ(origin("ipv4:192.0.2.7:1"), std::string("\xc0\x00\x02\x07", 4));
  EXPECT_EQ(origin("ipv4:192.0.2.7:1"), origin("ipv4:192.0.2.7:2"));
  EXPECT_NE(origin("ipv4:192.0.2.7:1"), origin("ipv4:192.0.2.8:1"));
  EXPECT_EQ(origin("ipv6:%5B2001:db8:0:1::7%5D:1"),
            origin("ipv6:%5B2001:db8:0:1:ffff::8%5D:2"));
  EXPECT_NE(origin("ipv6:%5B2001:db8:0:1::7%5D:1"),
            origin("ipv6:%5B2001:db8:0:2::7%5D:1"));
}

}  // namespace
}  // namespace hizo::rpc
