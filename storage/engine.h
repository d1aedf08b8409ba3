// Engine: ordered, durable bytes that never see plaintext.
//
// What an engine promises, whichever it is:
// * Rows are ordered by key, bytes compared unsigned.
// * `Commit` applies all of a batch or nothing, and returns OK only once it is
//   durable: no crash of process, system or power takes it back.
// * Reads see every commit that returned before they began, and never a part
//   of one.
// * A missing key is nullopt, never an error.
// * kDataLoss means damaged bytes: it is never answered by fewer rows.
// * Keys and values are never logged.
//
// Errors of `Commit`, and what they mean for the batch:
//   kAborted            a precondition failed; nothing changed
//   kResourceExhausted  no space but what is kept for batches that may use the
//                       reserve; nothing changed; may work later
//   kUnavailable        refused before anything was written; nothing changed
//   kUnknown            a write or sync failed on the way: it may or may not
//                       be there after the next open. The engine refuses
//                       everything from then on, reads included, with
//                       kUnavailable; the process must end.
//   kDataLoss           a row that a precondition asks for is damaged; nothing
//                       changed
//
// Threads: every method may be called concurrently. Lifetime: an engine
// outlives its snapshots.
#ifndef HIZO_STORAGE_ENGINE_H_
#define HIZO_STORAGE_ENGINE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hizo::storage {

inline constexpr size_t kKeySizeMax = 256;
inline constexpr size_t kValueSizeMax = 8 * 1024 * 1024;
inline constexpr size_t kScanLimitMax = 10'000;

struct Row {
  std::string key;
  std::string value;
};

// Batch is a set of writes that happen together or not at all. Writes to one
// key apply in the order they were added; preconditions are checked against
// the state before the batch.
class Batch {
 public:
  struct Write {
    std::string key;
    std::optional<std::string> value;  // nullopt deletes
  };
  struct Precondition {
    std::string key;
    std::optional<std::string> value;  // nullopt: must be absent
  };

  void Put(std::string key, std::string value);
  void Delete(std::string key);  // deleting what is not there is no error
  void RequireAbsent(std::string key);
  void RequireValue(std::string key, std::string value);
  void Append(Batch&& other);  // its writes and preconditions
  // Lets it have the room that is kept when a disk is nearly full.
  void MayUseReserve() { may_use_reserve_ = true; }

  bool empty() const { return writes_.empty() && preconditions_.empty(); }
  size_t bytes() const { return bytes_; }
  bool may_use_reserve() const { return may_use_reserve_; }
  const std::vector<Write>& writes() const { return writes_; }
  const std::vector<Precondition>& preconditions() const {
    return preconditions_;
  }

 private:
  std::vector<Write> writes_;
  std::vector<Precondition> preconditions_;
  size_t bytes_ = 0;
  bool may_use_reserve_ = false;
};

// ScanRange: the rows with from <= key < until, at most `limit` of them
// (1 to kScanLimitMax), from the low end or, reversed, from the high end. The
// row that brings all values together to `bytes` or more is the last one.
struct ScanRange {
  std::string from;
  std::string until;  // empty: to the end
  size_t limit = 0;
  bool reverse = false;
  size_t bytes = std::numeric_limits<size_t>::max();
};
// The range of all keys that begin with `prefix`, which is not empty and not
// all 0xFF.
ScanRange PrefixRange(std::string_view prefix, size_t limit);

// What a purge found. Sound, if nothing of what had been deleted or replaced
// before it is left in any file of the store.
struct PurgeReport {
  uint64_t files_rewritten = 0;  // that are there no more
  uint64_t files_left = 0;       // of before it, which somebody still read
  bool read_meanwhile = false;   // by somebody who sees an older state
  uint64_t bytes = 0;            // of the store afterwards
  bool sound() const { return files_left == 0 && !read_meanwhile; }
};

// Reader is what engines and snapshots have in common.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const = 0;
  // kInvalidArgument for a limit out of bounds.
  virtual absl::StatusOr<std::vector<Row>> Scan(
      const ScanRange& range) const = 0;
};

// Snapshot sees exactly the commits that returned before it was made.
// Short-lived: an engine may end it with kAborted.
class Snapshot : public Reader {};

class Engine : public Reader {
 public:
  // Makes `batch` durable; see above. kInvalidArgument for keys or values over
  // the bounds or an empty key; nothing changed.
  virtual absl::Status Commit(const Batch& batch) = 0;
  virtual absl::StatusOr<std::unique_ptr<Snapshot>> NewSnapshot() const = 0;
  // OK while commits are possible; otherwise the error that Commit would give.
  virtual absl::Status Health() const = 0;
  // Writes every file of the store anew, without what was deleted or replaced.
  // Takes as long as that takes; readers and commits go on. Ends early, with
  // kAborted, once `stop` is set. kResourceExhausted if there is not as much
  // room again as the store takes; kUnavailable if it fails. Whatever it comes
  // to, the store holds the same rows.
  virtual absl::StatusOr<PurgeReport> Purge(std::atomic<bool>& stop) = 0;
  // Whether there is room for nothing but batches that may use the reserve.
  virtual bool OnlyReserveLeft() const = 0;
};

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_ENGINE_H_
