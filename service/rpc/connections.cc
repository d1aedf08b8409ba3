#include "service/rpc/connections.h"

#include <algorithm>

namespace hizo::rpc {
namespace {

// What may be sent for nothing: the handshake, settings, pings, the headers of
// calls that are never finished.
constexpr uint64_t kUnpaidBytesMax = 256 * 1024;
// What frames and TLS add to a message of any size, at most.
constexpr uint64_t kFramingBytes = 64 * 1024;

}  // namespace

std::optional<Connections::Number> Connections::Admit(const Endpoint& peer) {
  const base::MutexLock lock(mutex_);
  if (connections_.size() >= limits_.all) return std::nullopt;
  const std::string origin = peer.Origin();
  const auto found = by_origin_.find(origin);
  if (found != by_origin_.end() && found->second >= limits_.per_origin) {
    return std::nullopt;
  }
  ++by_origin_[origin];
  const Number number = next_++;
  connections_[number].peer = peer;
  // One that had this port before is over, though nobody has said so yet.
  by_peer_[peer] = number;
  return number;
}

std::optional<Connections::Ended> Connections::End(Number number) {
  const base::MutexLock lock(mutex_);
  const auto found = connections_.find(number);
  if (found == connections_.end()) return std::nullopt;
  const Ended ended{found->second.peer, found->second.advances > 0};
  connections_.erase(found);
  const auto peer = by_peer_.find(ended.peer);
  if (peer != by_peer_.end() && peer->second == number) by_peer_.erase(peer);
  const auto origin = by_origin_.find(ended.peer.Origin());
  if (--origin->second == 0) by_origin_.erase(origin);
  return ended;
}

void Connections::Advanced(const Endpoint& peer, int awaited) {
  const base::MutexLock lock(mutex_);
  const auto found = by_peer_.find(peer);
  if (found == by_peer_.end()) return;
  Connection& connection = connections_[found->second];
  ++connection.advances;
  connection.awaited += awaited;
}

bool Connections::IsPaidFor(Number number, uint64_t bytes_received) {
  const base::MutexLock lock(mutex_);
  const auto found = connections_.find(number);
  if (found == connections_.end()) return true;
  Connection& connection = found->second;
  if (connection.advances != connection.advances_seen) {
    connection.advances_seen = connection.advances;
    connection.bytes_then = bytes_received;
    return true;
  }
  // One message more than is awaited: its call may not have got here yet.
  const auto messages =
      static_cast<uint64_t>(std::max<int64_t>(connection.awaited, 0)) + 1;
  return bytes_received - connection.bytes_then <=
         kUnpaidBytesMax + messages * (limits_.message_bytes + kFramingBytes);
}

size_t Connections::size() const {
  const base::MutexLock lock(mutex_);
  return connections_.size();
}

}  // namespace hizo::rpc
