// Replica: a second place, on another disk, that has whatever the two stores
// have, so that the loss of a disk loses nobody.
//
// A commit is made durable in its store, then in the replica, before it
// returns. A replica that cannot be written does not hold up the stores: it
// falls behind, and from then on misses what is committed, until CatchUp has
// compared it with them and written what was missing. Whoever is about to
// destroy what a replica that is behind still needs asks CheckInStep first.
//
//   replica (one engine): 'k' || key of the keys store
//                         'd' || key of the data store
//                         'i'    whose replica it is
//                         's'    there while it is being caught up
//
// What is missing is written in one batch if it is not much, so that the
// replica goes from one moment of the stores to another; else in several, and
// says so of itself meanwhile.
//
// Threads: engines, CheckInStep and progress may be used concurrently; CatchUp
// by one thread at a time. Lifetime: both stores outlive it.
#ifndef HIZO_STORAGE_REPLICA_H_
#define HIZO_STORAGE_REPLICA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/engine.h"

namespace hizo::storage {

class Replica {
 public:
  // Opens the engine that holds the replica; called again after it has failed.
  using Opener = std::function<absl::StatusOr<std::unique_ptr<Engine>>()>;
  enum class State { kBehind, kCatchingUp, kInStep };
  struct Options {
    // What is missing is one batch up to so many bytes.
    size_t batch_bytes = 32 * 1024 * 1024;
    // Commits that wait while it is compared; beyond it falls behind.
    size_t waiting_bytes = 64 * 1024 * 1024;
  };

  // Of these two stores. It is behind, and not opened, until CatchUp.
  Replica(Engine& keys, Engine& data, Opener opener);
  Replica(Engine& keys, Engine& data, Opener opener, const Options& options);
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;
  ~Replica();

  // The stores, whose commits reach the replica. They are as engines are, but
  // that a key is at most kKeySizeMax - 1 bytes long, and that a purge needs
  // the replica in step (kUnavailable otherwise), for the keys store's rewrites
  // the replica's files too.
  Engine& keys();
  Engine& data();

  // Brings the replica into step, if it is not, as that of `id`, which is not
  // empty; takes as long as reading both stores does. Commits go on meanwhile.
  // kFailedPrecondition if it is another store's, which is not touched;
  // kAborted once `stop` is set; else the error of the engine that failed. It
  // is behind after an error, and the next call begins anew.
  absl::Status CatchUp(const std::string& id, const std::atomic<bool>& stop);

  State state() const;
  // OK if everything that was committed is in the replica; kUnavailable, with a
  // text for the operator, otherwise.
  absl::Status CheckInStep() const;
  // Rows that the present CatchUp, or the last one, has compared.
  uint64_t compared() const { return compared_; }

  // Copies what `replica` has of each store into two empty engines.
  // kFailedPrecondition if it is another's than of `id`, is no replica, or was
  // left while it was being caught up; then nothing was written.
  static absl::Status CopyTo(const Reader& replica, const std::string& id,
                             Engine& keys, Engine& data);
  // Whose replica it is; kFailedPrecondition if it is none.
  static absl::StatusOr<std::string> IdOf(const Reader& replica);

 private:
  class Mirrored;
  class Difference;
  absl::Status Commit(char part, Engine& store, const Batch& batch);
  absl::StatusOr<PurgeReport> Purge(char part, Engine& store,
                                    std::atomic<bool>& stop);
  // The replica misses something from now on.
  void FallBehind(const absl::Status& why);
  absl::Status Open(const std::string& id);
  absl::Status Compare(const std::string& id, const std::atomic<bool>& stop);
  absl::Status ComparePart(char part, const Reader& store,
                           Difference& difference,
                           const std::atomic<bool>& stop);
  // Writes what was committed meanwhile, until there is nothing more.
  absl::Status CloseUp(Difference& difference);

  Engine& keys_store_;
  Engine& data_store_;
  const Opener opener_;
  const Options options_;
  const std::unique_ptr<Mirrored> keys_;
  const std::unique_ptr<Mirrored> data_;
  std::atomic<uint64_t> compared_ = 0;

  // Held by who has the replica opened anew; shared, by who purges it.
  std::shared_mutex opening_;
  // Held while a commit is made in both places: they have one order. Taken
  // after opening_.
  std::mutex turn_;
  std::unique_ptr<Engine> replica_;
  Batch waiting_;  // committed while it is caught up

  mutable std::mutex mutex_;  // of what follows; taken after turn_
  State state_ = State::kBehind;
  std::string why_ = "it was not opened yet";
};

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_REPLICA_H_
