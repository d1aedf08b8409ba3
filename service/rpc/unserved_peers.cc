#include "service/rpc/unserved_peers.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "service/audit/event.h"
#include "service/vault/attempt.h"
#include "service/vault/committer.h"
#include "service/vault/peer_pseudonym.h"

namespace hizo::rpc {

using vault::Attempt;

void UnservedPeers::Add(const std::string& origin, const Merged& more) {
  if (entries_.empty()) begun_ = parts_.clock.Now();
  const bool full =
      entries_.size() >= kOriginsMax && !entries_.contains(origin);
  Merged& merged = entries_[full ? std::string() : origin];
  if (merged.count == 0) merged.reason = more.reason;
  const uint32_t room = std::numeric_limits<uint32_t>::max() - merged.count;
  merged.count += std::min(room, more.count);
}

void UnservedPeers::Count(const Endpoint& peer, base::Reason reason) {
  const base::MutexLock lock(mutex_);
  Add(peer.Origin(), {reason, 1});
}

void UnservedPeers::Tick() {
  std::map<std::string, Merged> due;
  {
    const base::MutexLock lock(mutex_);
    if (entries_.empty()) return;
    const base::Timestamp now = parts_.clock.Now();
    // A clock that was put back must not hold entries up.
    if (now >= begun_ && now - begun_ < kMerged) return;
    due.swap(entries_);
  }
  Write(std::move(due));
}

void UnservedPeers::Close() {
  std::map<std::string, Merged> rest;
  {
    const base::MutexLock lock(mutex_);
    rest.swap(entries_);
  }
  Write(std::move(rest));
  const base::MutexLock lock(mutex_);
  while (under_way_ > 0) changed_.wait(mutex_);
}

void UnservedPeers::Write(std::map<std::string, Merged> entries) {
  {
    const base::MutexLock lock(mutex_);
    under_way_ += entries.size();
  }
  for (const auto& [origin, merged] : entries) WriteOne(origin, merged);
}

void UnservedPeers::WriteOne(const std::string& origin, const Merged& merged) {
  audit::Event event;
  if (!origin.empty()) {
    event.actor = vault::PeerPseudonym(parts_.store.store_keys(), origin,
                                       parts_.clock.Now());
  }
  event.outcome = audit::Outcome::kDenied;
  event.reason = merged.reason;
  event.catalogue_version = parts_.catalogue_version;
  event.merged = merged.count - 1;
  vault::Committer& committer = parts_.store.committer();
  auto attempt =
      std::make_unique<Attempt>(committer.position(), std::move(event));
  attempt->Conclude(base::Fail(merged.reason));
  committer.Submit(
      std::move(attempt),
      [this, origin, merged](std::unique_ptr<Attempt> /*done*/,
                             const vault::Committer::Result& result) {
        const base::MutexLock lock(mutex_);
        if (result.receipt == nullptr) Add(origin, merged);
        --under_way_;
        changed_.notify_all();
      });
}

}  // namespace hizo::rpc
