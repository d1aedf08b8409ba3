// UnservedPeers: who connected and got no call served, for the audit log.
//
// A handshake that is refused, bytes that are no HTTP/2, headers over the
// bound: gRPC tells nobody about them, but their connections end without a
// call. Such ends, and connections that were turned away because there were too
// many, are merged into one entry per origin and minute, with their number. The
// entry names the origin by a pseudonym, because a network address may be
// somebody's.
//
// What was counted and is not yet in the log is lost when the process is
// killed, a minute's worth at most. An entry that could not be written is
// written with the next ones.
//
// Threads: all methods may be called concurrently. Lifetime: what the
// constructor is given outlives it.
#ifndef HIZO_SERVICE_RPC_UNSERVED_PEERS_H_
#define HIZO_SERVICE_RPC_UNSERVED_PEERS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/base/reason.h"
#include "service/rpc/endpoint.h"
#include "service/vault/store.h"

namespace hizo::rpc {

class UnservedPeers {
 public:
  // Origins beyond these in one minute share one entry, which names none.
  static constexpr size_t kOriginsMax = 1024;
  static constexpr std::chrono::minutes kMerged{1};

  struct Parts {
    vault::Store& store;
    const base::Clock& clock;
    uint32_t catalogue_version = 0;
  };
  explicit UnservedPeers(const Parts& parts) : parts_(parts) {}
  UnservedPeers(const UnservedPeers&) = delete;
  UnservedPeers& operator=(const UnservedPeers&) = delete;
  ~UnservedPeers() { Close(); }

  // `reason` is kUnauthenticated where no call came, kOverloaded where the
  // connection was turned away; of several, the first stands in the entry.
  void Count(const Endpoint& peer, base::Reason reason);
  // Writes what was counted if its minute is over. To be called often; does not
  // wait.
  void Tick();
  // Writes what was counted, and waits until that and all before is done.
  void Close();

 private:
  struct Merged {
    base::Reason reason = base::Reason::kNone;
    uint32_t count = 0;
  };
  void Add(const std::string& origin, const Merged& more) HIZO_REQUIRES(mutex_);
  void Write(std::map<std::string, Merged> entries);
  void WriteOne(const std::string& origin, const Merged& merged);

  const Parts parts_;
  base::Mutex mutex_;
  base::Condition changed_;
  // By origin; "" is all that share an entry.
  std::map<std::string, Merged> entries_ HIZO_GUARDED_BY(mutex_);
  base::Timestamp begun_ HIZO_GUARDED_BY(mutex_);
  size_t under_way_ HIZO_GUARDED_BY(mutex_) = 0;
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_UNSERVED_PEERS_H_
