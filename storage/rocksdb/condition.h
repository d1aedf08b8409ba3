// Condition: whether the store can still be written. RocksDB's threads report
// to it, commits ask it.
//
// Threads: every method may be called concurrently.
#ifndef HIZO_STORAGE_ROCKSDB_CONDITION_H_
#define HIZO_STORAGE_ROCKSDB_CONDITION_H_

#include <atomic>

#include "absl/status/status.h"

namespace hizo::storage {

class Condition {
 public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // No space for background work; ends with Emptied.
  void Filled() { full_ = true; }
  void Emptied() { full_ = false; }
  // A write or sync failed, and nobody knows what the disk holds. Final: a
  // sync that is repeated and succeeds proves nothing about the first one.
  void Failed() { failed_ = true; }

  bool failed() const { return failed_; }
  // kUnavailable once failed.
  absl::Status CheckAlive() const;
  // Also kResourceExhausted while full.
  absl::Status Check() const;

 private:
  std::atomic<bool> full_ = false;
  std::atomic<bool> failed_ = false;
};

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_ROCKSDB_CONDITION_H_
