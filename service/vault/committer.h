// Committer: the one place where anything happens.
//
// Attempts queue up while the disk is busy; one thread then takes them all,
// checks that what each relied on has not changed since it read, writes keys,
// data and audit events of those that hold (keys first, each store in one
// synced batch), and only then lets the answers out. The size of a batch
// regulates itself: the next one gathers during the sync, there is no timer.
//
// Versions are kept in a fixed table from a hash of the storage key to the
// position of its last change. Keys that share a place and change at the same
// time can cost a needless re-run; a change is never missed. No check reads a
// store.
//
// Between the two stores: the keys batch carries what it replaced, so that a
// batch whose data never arrived is taken back, at once or at the next start.
//
// A seal writes keys rows by the thousand, and prepares them without stopping
// anybody: from Hold on, Attempts that write into its buckets wait, all others
// go on; WriteSeal then writes it between two batches. Who read or wrapped
// anything by the keys of before runs once more.
//
// When a disk is nearly full, only Attempts go on whose data may use the
// reserve: people's wish to be erased does not wait for an operator.
//
// After a write whose outcome is unknown the committer refuses everything: the
// process must end and find out by opening the stores again.
//
// Threads: Submit and the getters may be called concurrently; Done is called
// on the committer's thread and must not block. Lifetime: everything given to
// the constructor outlives it; the destructor finishes what was accepted.
#ifndef HIZO_SERVICE_VAULT_COMMITTER_H_
#define HIZO_SERVICE_VAULT_COMMITTER_H_

#include <atomic>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "crypto/key_tree.h"
#include "service/audit/log.h"
#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/vault/attempt.h"
#include "service/vault/store_keys.h"
#include "storage/anchor.h"
#include "storage/engine.h"

namespace hizo::vault {

// Buckets of the key tree, by number.
using BucketSet = std::bitset<crypto::kBuckets>;

class Committer {
 public:
  struct Options {
    // What waits: so many Attempts, of so many bytes together.
    size_t queue_max = 8192;
    size_t queue_bytes_max = size_t{256} << 20;
    // The anchor is at most this late behind the log.
    std::chrono::milliseconds anchor_delay{500};
  };
  // The pieces of a store that a commit touches.
  struct Store {
    storage::Engine& keys;
    storage::Engine& data;
    audit::Log& log;
    storage::Anchor& anchor;
    const base::Clock& clock;
    const StoreKeys& store_keys;
  };
  // What became of an Attempt. With OK there is a receipt, and what
  // Attempt::status() says is durably recorded. Otherwise the reason is
  // kConflict (nothing happened; run the use case again), kAuditUnavailable
  // (nothing happened) or kOutcomeUnknown.
  struct Result {
    absl::Status status;
    const CommitReceipt* receipt = nullptr;
  };
  using Done = std::function<void(std::unique_ptr<Attempt>, const Result&)>;

  Committer(const Store& store, const Options& options);
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;
  ~Committer();

  // What has been committed so far, as a count of batches. An Attempt takes
  // this before its first read.
  uint64_t position() const {
    return position_.load(std::memory_order_acquire);
  }
  // Takes the Attempt and calls `done` once. If the queue is full, `done` is
  // called at once, on this thread, with kOverloaded.
  void Submit(std::unique_ptr<Attempt> attempt, Done done);
  // The same, and waits until it is over, for Hizo's own work: never on the
  // committer's thread nor on one that serves calls. The commit's status.
  absl::Status Commit(std::unique_ptr<Attempt> attempt);

  // From the return on nothing is written into `buckets` of the keys store but
  // by WriteSeal, which ends the hold, as Release does. One hold at a time.
  void Hold(const BucketSet& buckets);
  void Release();
  // Writes a seal of the buckets that are held, a batch of its own. `written`
  // is called once it is durable and before anything else is committed. On an
  // error nothing was written, unless it is kUnknown.
  absl::Status WriteSeal(storage::Batch keys,
                         const std::function<void()>& written);

  // How many batches with fences have been tried, each counted once whatever
  // it wrote can be read: who has read all fences since has no need to again.
  uint64_t fence_batches() const {
    return fence_batches_.load(std::memory_order_acquire);
  }

  size_t queued() const;
  uint64_t anchored() const {
    return anchored_.load(std::memory_order_acquire);
  }
  // False once nothing can be committed any more in this process.
  bool healthy() const { return !broken_.load(std::memory_order_acquire); }

 private:
  struct Item {
    std::unique_ptr<Attempt> attempt;
    Done done;
  };
  // The last change of the key that changed last among those that share the
  // place, and the last change of any other of them.
  struct Version {
    VersionToken token = 0;
    uint64_t changed = 0;
    uint64_t others_changed = 0;
  };
  static constexpr size_t kVersionSlots = size_t{1} << 18;
  static constexpr size_t kBatchItemsMax = 1024;
  static constexpr size_t kBatchBytesMax = 16 * 1024 * 1024;
  // What they replace goes into the undo row, which is one value: no row of a
  // person's keys has more than 5 KiB.
  static constexpr size_t kBatchKeyWritesMax = 1024;

  // Runs `job` on the committer's thread, between two batches; waits for it.
  void RunBetweenBatches(const std::function<void()>& job);
  void RunJobs();
  // On the committer's thread.
  absl::Status WriteSealNow(storage::Batch& keys,
                            const std::function<void()>& written);
  void EndHold();
  enum class SealFate : uint8_t { kUntouched, kWaits, kLost };
  SealFate FateOf(const Attempt& attempt) const;

  void Run();
  // Waits for work; empty when closing or when the anchor is due.
  std::vector<Item> Take();
  void CommitItems(std::vector<Item> items);
  // Parts the items whose reliances have changed from those that hold; marks
  // what the latter change as of `position`.
  void CheckVersions(std::vector<Item> items, uint64_t position,
                     std::vector<Item>& holding, std::vector<Item>& lost);
  // When disks are full but for their reserve: what may not use it.
  std::vector<Item> TakeWhatHasNoRoom(std::vector<Item>& items) const;
  // One batch for each store, durable if OK; takes the items' batches.
  absl::Status Write(std::vector<Item>& items);
  static bool HasFences(const Item& item);
  bool ChangedSince(VersionToken token, uint64_t position) const;
  void MarkChanged(VersionToken token, uint64_t position);
  absl::Status WriteStores(storage::Batch keys, audit::Log::Staged staged);
  void WriteAnchorIfDue(bool now);

  const Store store_;
  const Options options_;
  std::vector<Version> versions_;                     // the committer thread's
  std::chrono::steady_clock::time_point anchor_due_;  // the thread's
  // The thread's, too: what a seal holds, who waits for it, and when the last
  // one was.
  std::unique_ptr<const BucketSet> held_;
  std::vector<Item> waiting_for_seal_;
  uint64_t last_seal_ = 0;
  std::atomic<uint64_t> position_{1};
  std::atomic<uint64_t> anchored_{0};
  std::atomic<uint64_t> fence_batches_{0};
  std::atomic<bool> broken_{false};
  mutable base::Mutex mutex_;
  base::Condition changed_;
  std::vector<Item> queue_ HIZO_GUARDED_BY(mutex_);
  size_t queue_bytes_ HIZO_GUARDED_BY(mutex_) = 0;
  bool closing_ HIZO_GUARDED_BY(mutex_) = false;
  bool waiting_ HIZO_GUARDED_BY(mutex_) = false;
  std::vector<std::function<void()>> jobs_ HIZO_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_COMMITTER_H_
