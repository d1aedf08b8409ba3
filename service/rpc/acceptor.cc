#include "service/rpc/acceptor.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"

namespace hizo::rpc {
namespace {

using base::Reason;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kInspectEvery{1};
constexpr int kEventsAtOnce = 64;
// So that accepting does not keep the thread from all else.
constexpr int kAcceptsAtOnce = 64;
constexpr size_t kDescriptorsPerConnection = 2;
constexpr uint64_t kWakeTag = 0;
constexpr uint64_t kFirstListeningTag = 1;

// As many connections as may be: half of the descriptors stay with the stores.
size_t ConnectionsMax(size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const auto room = static_cast<size_t>(limit.rlim_cur) / 2;
  return std::clamp<size_t>(room / kDescriptorsPerConnection, 1, wanted);
}

Descriptor OpenReserve() { return Descriptor(open("/dev/null", O_CLOEXEC)); }

absl::Status NoDescriptors() {
  return absl::UnavailableError("cannot listen: too few open files allowed");
}

uint64_t BytesReceived(int socket) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_bytes_received;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(
    const Options& options) {
  ASSIGN_OR_RETURN(Listener listener,
                   Listener::Open(options.listen, options.unacknowledged));
  Connections::Limits limits = options.limits;
  limits.all = ConnectionsMax(limits.all);
  auto acceptor =
      std::unique_ptr<Acceptor>(new Acceptor(std::move(listener), limits));
  RETURN_IF_ERROR(acceptor->Prepare());
  return acceptor;
}

Acceptor::Acceptor(Listener listener, const Connections::Limits& limits)
    : listener_(std::move(listener)),
      connections_(limits),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      reserve_(OpenReserve()) {}

absl::Status Acceptor::Prepare() {
  if (!epoll_.open() || !wake_.open() || !reserve_.open()) {
    return NoDescriptors();
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeTag;
  bool ok =
      epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, wake_.number(), &event) == 0;
  for (const Descriptor& listening : listener_.sockets) {
    ++event.data.u64;
    ok = ok && epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, listening.number(),
                         &event) == 0;
  }
  return ok ? absl::OkStatus() : NoDescriptors();
}

Acceptor::~Acceptor() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  eventfd_write(wake_.number(), 1);
  thread_.join();
}

void Acceptor::Start(std::unique_ptr<Grpc> grpc, UnservedPeers& unserved,
                     std::function<void()> tick) {
  grpc_ = std::move(grpc);
  unserved_ = &unserved;
  tick_ = std::move(tick);
  thread_ = std::thread([this] { Run(); });
}

void Acceptor::Close() {
  closing_ = true;
  eventfd_write(wake_.number(), 1);
}

void Acceptor::Run() {
  std::array<epoll_event, kEventsAtOnce> events{};
  auto inspect_at = steady_clock::now() + kInspectEvery;
  while (!stopping_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        inspect_at - steady_clock::now());
    const int count =
        epoll_wait(epoll_.number(), events.data(), kEventsAtOnce,
                   static_cast<int>(std::max<int64_t>(left.count(), 0)));
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events.at(static_cast<size_t>(i));
      Handle(event.data.u64, event.events);
    }
    if (steady_clock::now() < inspect_at) continue;
    inspect_at = steady_clock::now() + kInspectEvery;
    Inspect();
    unserved_->Tick();
    tick_();
  }
}

void Acceptor::Handle(uint64_t tag, uint32_t events) {
  if (tag == kWakeTag) {
    eventfd_t ignored = 0;
    eventfd_read(wake_.number(), &ignored);
    // Closing a socket ends the watching of it too.
    if (closing_) listener_.sockets.clear();
    return;
  }
  if (tag >= Connections::kFirstNumber) {
    // Both directions are closed. One direction alone is gRPC's business.
    if ((events & EPOLLHUP) != 0) EndConnection(tag);
    return;
  }
  const size_t index = tag - kFirstListeningTag;
  if (index >= listener_.sockets.size()) return;
  AcceptFrom(listener_.sockets[index].number());
}

void Acceptor::AcceptFrom(int listening) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof(from);
    Descriptor made(accept4(listening, reinterpret_cast<sockaddr*>(&from),
                            &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (made.open()) {
      Take(std::move(made), from);
      continue;
    }
    if (errno == EAGAIN) return;
    const bool too_many = errno == EMFILE || errno == ENFILE;
    // Others are about the one connection, which is gone, or pass.
    if (too_many ? TurnOneAway(listening)
                 : errno == EINTR || errno == ECONNABORTED) {
      continue;
    }
    return WatchListening(Watch::kOff);  // until the next inspection
  }
}

bool Acceptor::TurnOneAway(int listening) {
  reserve_ = Descriptor();
  sockaddr_storage from{};
  socklen_t size = sizeof(from);
  Descriptor made(accept4(listening, reinterpret_cast<sockaddr*>(&from), &size,
                          SOCK_CLOEXEC));
  const bool turned_away = made.open();
  made = Descriptor();
  reserve_ = OpenReserve();
  const auto peer = turned_away ? EndpointOf(from) : std::nullopt;
  if (peer.has_value()) unserved_->Count(*peer, Reason::kOverloaded);
  return turned_away && reserve_.open();
}

void Acceptor::Take(Descriptor made, const sockaddr_storage& from) {
  const auto peer = EndpointOf(from);
  if (!peer.has_value()) return;
  const auto number = connections_.Admit(*peer);
  if (!number.has_value()) return unserved_->Count(*peer, Reason::kOverloaded);
  Descriptor watch(fcntl(made.number(), F_DUPFD_CLOEXEC, 0));
  epoll_event event{};
  event.events = EPOLLET;
  event.data.u64 = *number;
  if (!watch.open() ||
      epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, watch.number(), &event) != 0) {
    connections_.End(*number);
    return unserved_->Count(*peer, Reason::kOverloaded);
  }
  watched_.emplace(*number, std::move(watch));
  Grpc::NewConnectionParameters connection;
  connection.fd = made.Release();
  grpc_->HandleNewConnection(&connection);
}

void Acceptor::WatchListening(Watch watch) {
  accepting_ = watch == Watch::kOn;
  epoll_event event{};
  event.events = accepting_ ? EPOLLIN : 0U;
  event.data.u64 = kFirstListeningTag;
  for (const Descriptor& listening : listener_.sockets) {
    epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, listening.number(), &event);
    ++event.data.u64;
  }
}

void Acceptor::EndConnection(Connections::Number number) {
  const auto watch = watched_.find(number);
  if (watch == watched_.end()) return;
  // gRPC may still have the socket, so closing alone would not end this.
  epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, watch->second.number(), nullptr);
  watched_.erase(watch);
  const auto ended = connections_.End(number);
  if (ended.has_value() && !ended->served) {
    unserved_->Count(ended->peer, Reason::kUnauthenticated);
  }
}

void Acceptor::Inspect() {
  if (!reserve_.open()) reserve_ = OpenReserve();
  if (!accepting_) WatchListening(Watch::kOn);
  for (const auto& [number, watch] : watched_) {
    if (!connections_.IsPaidFor(number, BytesReceived(watch.number()))) {
      shutdown(watch.number(), SHUT_RDWR);
    }
  }
}

}  // namespace hizo::rpc
