// Log: the tamper-evident log of everything that was asked.
//
// Entries, tiles, indexes, head and signed checkpoint (C2SP tlog-checkpoint)
// of many events go into one storage batch, beside the data they tell of; the
// head moves only when the caller says that the batch is durable. There is no
// way to switch the log off and no sink to forget.
//
// Threads: Stage and Advance from one thread, the committer; head and
// checkpoint from any.
#ifndef HIZO_SERVICE_AUDIT_LOG_H_
#define HIZO_SERVICE_AUDIT_LOG_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/signed_note.h"
#include "service/audit/event.h"
#include "service/audit/summary.h"
#include "service/audit/tree.h"
#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "storage/engine.h"

namespace hizo::audit {

struct Head {
  uint64_t size = 0;
  crypto::Digest root{};
  base::Timestamp time;    // of the last entry; never goes back
  std::string checkpoint;  // signed note
};

class Log {
 public:
  // Opens the log in `reader`; an empty store gives an empty log. kDataLoss if
  // the stored head does not match entries and tiles at the right edge, or its
  // checkpoint is not signed by `signer`. `origin` is the log's name.
  static absl::StatusOr<std::unique_ptr<Log>> Open(
      const storage::Reader& reader, std::string origin,
      crypto::NoteSigner signer);

  // What a batch adds to the log. Dropping it leaves the log as it was.
  struct Staged {
    storage::Batch batch;
    Head head;
    TreeEdge edge;
    BlockSummary block;
  };
  // Sequences, stamps (with `now`, or the last entry's time if that is later),
  // hashes, indexes and signs `events`, and requires that the stored head is
  // still the one this log knows. kInvalidArgument if an event cannot be
  // encoded.
  absl::StatusOr<Staged> Stage(std::span<Event* const> events,
                               base::Timestamp now) const;
  // The staged batch is durable: its head is the log's head from now on.
  void Advance(Staged&& staged);

  Head head() const;
  // The right edge of the tree of head().size entries, or of more by now.
  TreeEdge edge() const;
  const std::string& verifier_key() const { return signer_.verifier_key(); }

 private:
  Log(std::string origin, crypto::NoteSigner signer);
  std::string CheckpointOf(const Head& head) const;
  const std::string origin_;
  const crypto::NoteSigner signer_;
  BlockSummary block_;       // the committer's: of entries without a full block
  std::string stored_head_;  // the committer's: bytes of the head row
  mutable base::Mutex mutex_;
  TreeEdge edge_ HIZO_GUARDED_BY(mutex_);
  Head head_ HIZO_GUARDED_BY(mutex_);
};

// Whether the log in `reader` still contains the first `size` entries whose
// root was `root`, and its head and tiles follow from its entries. The first
// `size` are recomputed from tiles, all after them from the entries: quick for
// a size close to the head, and for size 0 and the root of the empty tree a
// check of every entry. kDataLoss if rows are missing or damaged.
absl::StatusOr<bool> Extends(const storage::Reader& reader, uint64_t size,
                             const crypto::Digest& root);

}  // namespace hizo::audit

#endif  // HIZO_SERVICE_AUDIT_LOG_H_
