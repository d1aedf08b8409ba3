// What the disk alone can do: the ceilings of what Hizo writes.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_TESTS_BENCH_DISK_CEILING_H_
#define HIZO_TESTS_BENCH_DISK_CEILING_H_

#include <cstddef>
#include <filesystem>
#include <memory>

#include "storage/engine.h"
#include "tests/bench/measure.h"
#include "tests/testing/scratch_directory.h"

namespace hizo::bench {

// Appends of about an audit entry to a file, each with its fdatasync.
Sample SyncedAppends(double seconds);

// A fresh RocksDB, set up as hizod's.
class BareStore {
 public:
  BareStore();  // throws if it cannot

  // A sealed record of 1.3 KB and an audit entry of 200 bytes, from so many
  // threads, in so many pairs a synced batch; per pair.
  struct Shape {
    size_t threads = 1;
    size_t pairs = 1;
    double seconds = 0;
  };
  Sample PutRecords(const Shape& shape);
  // Batches of so many audit entries of `bytes`, from one thread; per entry.
  Sample PutEntries(size_t entries, size_t bytes, double seconds);

  storage::Engine& engine() { return *engine_; }

 private:
  const test::ScratchDirectory scratch_;
  std::unique_ptr<storage::Engine> engine_;
  size_t written_ = 0;  // no key is written twice
};

}  // namespace hizo::bench

#endif  // HIZO_TESTS_BENCH_DISK_CEILING_H_
