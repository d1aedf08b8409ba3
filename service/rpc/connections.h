// Connections: which stand, how many each origin has, and what each has done.
//
// A connection pays for the bytes it sends with calls and messages: one that
// has sent far more than those account for is doing something else, such as
// headers without end, which gRPC would read at the cost of a whole core
// (CVE-2023-33953). Nothing here touches a socket.
//
// Threads: all methods may be called concurrently.
#ifndef HIZO_SERVICE_RPC_CONNECTIONS_H_
#define HIZO_SERVICE_RPC_CONNECTIONS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "service/base/mutex.h"
#include "service/rpc/endpoint.h"

namespace hizo::rpc {

class Connections {
 public:
  using Number = uint64_t;
  static constexpr Number kFirstNumber = 1024;

  struct Limits {
    size_t all = 1024;
    size_t per_origin = 256;
    size_t message_bytes = 1024 * 1024;
  };
  explicit Connections(const Limits& limits) : limits_(limits) {}
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // A new one; nullopt, and nothing noted, if there are too many.
  std::optional<Number> Admit(const Endpoint& peer);
  struct Ended {
    Endpoint peer;
    bool served = false;  // at least one call came over it
  };
  // nullopt if there is none of this number.
  std::optional<Ended> End(Number number);

  // What happens on the connection from `peer`; on none, nothing is noted. A
  // message is awaited between ReadBegan and ReadEnded. Advanced is any other
  // sign that the bytes sent were for something.
  void CallBegan(const Endpoint& peer) { Advanced(peer, 0); }
  void ReadBegan(const Endpoint& peer) { Advanced(peer, 1); }
  void ReadEnded(const Endpoint& peer) { Advanced(peer, -1); }
  void Advanced(const Endpoint& peer) { Advanced(peer, 0); }

  // Whether connection `number`, which has received so many bytes by now, may
  // go on. To be asked now and then.
  bool IsPaidFor(Number number, uint64_t bytes_received);

  size_t size() const;

 private:
  struct Connection {
    Endpoint peer;
    uint64_t advances = 0;
    int64_t awaited = 0;
    // As of the last question.
    uint64_t advances_seen = 0;
    uint64_t bytes_then = 0;
  };
  void Advanced(const Endpoint& peer, int awaited);

  const Limits limits_;
  mutable base::Mutex mutex_;
  Number next_ HIZO_GUARDED_BY(mutex_) = kFirstNumber;
  std::map<Number, Connection> connections_ HIZO_GUARDED_BY(mutex_);
  std::map<Endpoint, Number> by_peer_ HIZO_GUARDED_BY(mutex_);
  std::map<std::string, size_t> by_origin_ HIZO_GUARDED_BY(mutex_);
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_CONNECTIONS_H_
