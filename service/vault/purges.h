// Purges: the files of both stores, written anew without what was deleted, as a
// second line behind the keys.
//
// What is erased is gone with its keys; a purge has its sealed bytes leave the
// files of the stores too. It can speak for those files and nothing else: not
// for the medium, its snapshots, backups or copies elsewhere.
//
// A purge takes as long as writing the stores does, so a call begins it and
// GetStatus tells what came of it; so does an audit event of its own, by
// `hizod`: failed if something of before is left, because somebody read an
// older state meanwhile.
//
// Threads: every method may be called concurrently. Lifetime: everything given
// outlives it; the destructor ends a purge that is under way.
#ifndef HIZO_SERVICE_VAULT_PURGES_H_
#define HIZO_SERVICE_VAULT_PURGES_H_

#include <atomic>
#include <optional>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/base/reason.h"
#include "service/vault/access_gate.h"
#include "service/vault/attempt.h"
#include "service/vault/background.h"
#include "service/vault/call.h"
#include "service/vault/committer.h"
#include "storage/engine.h"

namespace hizo::vault {

struct Purge {
  base::Timestamp begun;
  std::optional<base::Timestamp> ended;  // nullopt: it is under way
  storage::PurgeReport report;           // of both stores together
  // Why it failed: kTooLarge without as much room again as a store takes,
  // kConflict if it was ended early.
  base::Reason reason = base::Reason::kNone;
};

class Purges {
 public:
  struct Parts {
    storage::Engine& keys;
    storage::Engine& data;
    const AccessGate& gate;
    Committer& committer;
    const base::Clock& clock;
  };
  explicit Purges(const Parts& parts) : parts_(parts) {}
  Purges(const Purges&) = delete;
  Purges& operator=(const Purges&) = delete;
  ~Purges() { stop_ = true; }

  // Begins one; if one is under way, that one.
  absl::StatusOr<Purge> Begin(Attempt& attempt, const Call& call);
  // The same, for Hizo itself.
  void BeginOwn();
  bool busy() const;
  // The newest since the start; nullopt if there was none.
  std::optional<Purge> Newest() const;

 private:
  // Notes that one is under way; false if one was.
  bool Note(base::Timestamp now);
  void Run();
  absl::Status DoWork(storage::PurgeReport& report);
  absl::Status Record(const Purge& purge);

  const Parts parts_;
  std::atomic<bool> stop_ = false;
  mutable base::Mutex mutex_;
  std::optional<Purge> newest_ HIZO_GUARDED_BY(mutex_);
  Background background_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_PURGES_H_
