#include "service/rpc/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/status/status.h"
#include "service/base/status_macros.h"

namespace hizo::rpc {
namespace {

// What waits in the system until it is accepted; the system cuts it down.
constexpr int kBacklog = 4096;
// A host of several addresses gets one port for all: a chosen one may be taken
// on the second.
constexpr int kChoicesMax = 8;

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

absl::Status CannotListen() {
  return absl::UnavailableError(
      "cannot listen: the address is taken or not of this machine");
}

absl::StatusOr<Addresses> Resolve(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return CannotListen();
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found) !=
      0) {
    return CannotListen();
  }
  return Addresses(found);
}

void SetOption(const Descriptor& made, int level, int name, int value) {
  setsockopt(made.number(), level, name, &value, sizeof(value));
}

// Not open, with errno, if it cannot be listened on.
Descriptor Listen(const addrinfo& address,
                  std::chrono::milliseconds unacknowledged) {
  Descriptor made(
      socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.open()) return made;
  SetOption(made, SOL_SOCKET, SO_REUSEADDR, 1);
  // "::" is all addresses, those of IPv4 too.
  if (address.ai_family == AF_INET6)
    SetOption(made, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  // Accepted connections inherit these. Without the first, answers wait for
  // the peer's acknowledgement of what was sent before.
  SetOption(made, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(made, IPPROTO_TCP, TCP_USER_TIMEOUT,
            static_cast<int>(unacknowledged.count()));
  if (bind(made.number(), address.ai_addr, address.ai_addrlen) != 0 ||
      listen(made.number(), kBacklog) != 0) {
    return Descriptor();
  }
  return made;
}

int PortOf(const Descriptor& listening) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(listening.number(), reinterpret_cast<sockaddr*>(&address),
                  &size) != 0) {
    return 0;
  }
  sockaddr_in6 ipv6{};
  std::memcpy(&ipv6, &address, sizeof(ipv6));
  return ntohs(ipv6.sin6_port);  // sockaddr_in has it at the same place
}

void SetPort(addrinfo& address, int port) {
  sockaddr_in6 ipv6{};
  std::memcpy(&ipv6, address.ai_addr, address.ai_addrlen);
  ipv6.sin6_port = htons(static_cast<uint16_t>(port));
  std::memcpy(address.ai_addr, &ipv6, address.ai_addrlen);
}

// Whether a machine may lack this address and still be listened to on others:
// "localhost" has one of IPv6 where the system has no IPv6.
bool MayBeMissing(int error) {
  return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

absl::StatusOr<Listener> ListenOnAll(addrinfo& addresses,
                                     std::chrono::milliseconds unacknowledged) {
  Listener listener;
  for (addrinfo* one = &addresses; one != nullptr; one = one->ai_next) {
    if (listener.port != 0) SetPort(*one, listener.port);
    Descriptor made = Listen(*one, unacknowledged);
    if (!made.open()) {
      if (MayBeMissing(errno)) continue;
      return CannotListen();
    }
    listener.port = PortOf(made);
    listener.sockets.push_back(std::move(made));
  }
  if (listener.sockets.empty() || listener.port == 0) return CannotListen();
  return listener;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (number_ >= 0) close(number_);
  number_ = other.Release();
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

absl::StatusOr<Listener> Listener::Open(
    const std::string& address, std::chrono::milliseconds unacknowledged) {
  const bool chosen = !address.ends_with(":0");
  for (int choice = 1;; ++choice) {
    ASSIGN_OR_RETURN(const Addresses addresses, Resolve(address));
    absl::StatusOr<Listener> listener = ListenOnAll(*addresses, unacknowledged);
    if (listener.ok() || chosen || choice == kChoicesMax) return listener;
  }
}

}  // namespace hizo::rpc
