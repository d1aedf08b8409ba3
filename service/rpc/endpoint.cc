#include "service/rpc/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace hizo::rpc {
namespace {

constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0,    0,
                                             0, 0, 0, 0, 0xff, 0xff};
constexpr size_t kNetworkSize = 8;  // a /64

Endpoint FromIpv4(const in_addr& address) {
  Endpoint endpoint;
  std::ranges::copy(kMapped, endpoint.address.begin());
  std::memcpy(endpoint.address.data() + kMapped.size(), &address,
              sizeof(address));
  return endpoint;
}

Endpoint FromIpv6(const in6_addr& address) {
  Endpoint endpoint;
  std::memcpy(endpoint.address.data(), &address, sizeof(address));
  return endpoint;
}

std::optional<Endpoint> ParseHost(std::string_view family, std::string host) {
  if (family == "ipv4:") {
    in_addr address{};
    if (inet_pton(AF_INET, host.c_str(), &address) != 1) return std::nullopt;
    return FromIpv4(address);
  }
  constexpr std::string_view kOpening = "%5B";
  if (!host.starts_with(kOpening)) return std::nullopt;
  host.erase(0, kOpening.size());
  // "%5D", or "%25" and the scope of a link-local address before it.
  host.resize(std::min(host.find('%'), host.size()));
  in6_addr address{};
  if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return std::nullopt;
  return FromIpv6(address);
}

}  // namespace

std::string Endpoint::Origin() const {
  const bool ipv4 = std::equal(kMapped.begin(), kMapped.end(), address.begin());
  const size_t begin = ipv4 ? kMapped.size() : 0;
  const size_t size = ipv4 ? address.size() - kMapped.size() : kNetworkSize;
  return {reinterpret_cast<const char*>(address.data()) + begin, size};
}

std::optional<Endpoint> EndpointOf(const sockaddr_storage& address) {
  std::optional<Endpoint> endpoint;
  if (address.ss_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof(ipv4));
    endpoint = FromIpv4(ipv4.sin_addr);
    endpoint->port = ntohs(ipv4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &address, sizeof(ipv6));
    endpoint = FromIpv6(ipv6.sin6_addr);
    endpoint->port = ntohs(ipv6.sin6_port);
  }
  return endpoint;
}

std::optional<Endpoint> ParsePeer(std::string_view peer) {
  constexpr size_t kFamilySize = 5;  // "ipv4:", "ipv6:"
  const size_t colon = peer.rfind(':');
  if (colon == std::string_view::npos || colon < kFamilySize) {
    return std::nullopt;
  }
  const std::string_view family = peer.substr(0, kFamilySize);
  if (family != "ipv4:" && family != "ipv6:") return std::nullopt;
  auto endpoint = ParseHost(
      family, std::string(peer.substr(kFamilySize, colon - kFamilySize)));
  if (!endpoint.has_value()) return std::nullopt;
  const std::string_view port = peer.substr(colon + 1);
  const char* const end = port.data() + port.size();
  const auto parsed = std::from_chars(port.data(), end, endpoint->port);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return endpoint;
}

}  // namespace hizo::rpc
