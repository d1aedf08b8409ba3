// Endpoint: the network address and port that a connection comes from.
//
// Threads: value type.
#ifndef HIZO_SERVICE_RPC_ENDPOINT_H_
#define HIZO_SERVICE_RPC_ENDPOINT_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr_storage;

namespace hizo::rpc {

struct Endpoint {
  std::array<uint8_t, 16> address{};  // IPv4 as ::ffff:a.b.c.d
  uint16_t port = 0;

  // Whom limits and counts are about: the address, with IPv6 its /64 network,
  // of which one customer has all addresses. Bytes, not text.
  std::string Origin() const;
  auto operator<=>(const Endpoint&) const = default;
};

// nullopt for what is neither IPv4 nor IPv6.
std::optional<Endpoint> EndpointOf(const sockaddr_storage& address);
// Of a peer as gRPC writes it, "ipv4:192.0.2.1:50" or
// "ipv6:%5B2001:db8::1%5D:5".
std::optional<Endpoint> ParsePeer(std::string_view peer);

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_ENDPOINT_H_
