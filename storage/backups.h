// Backups: copies of one store in a directory of their own.
//
// Made beside commits, without stopping them; a backup holds what was committed
// at one moment between its begin and its end. What it shares with the backup
// before it is kept once. Every file has a checksum, and a backup that is being
// made does not exist until it is whole and synced: one that was interrupted
// leaves nothing that is listed.
//
// An engine whose server makes backups itself has none of this.
//
// Threads: every method may be called concurrently; those that read or write
// files follow one another, List and Stop wait for nobody. Lifetime: the engine
// that is backed up outlives it; it outlives the readers that it opens.
#ifndef HIZO_STORAGE_BACKUPS_H_
#define HIZO_STORAGE_BACKUPS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/engine.h"

namespace hizo::storage {

struct Backup {
  uint64_t id = 0;     // counts up; never used twice in a directory
  int64_t made = 0;    // seconds since 1970, by the system's clock
  uint64_t bytes = 0;  // of all its files, shared ones too
  uint64_t files = 0;
  bool operator==(const Backup&) const = default;
};

class Backups {
 public:
  // Told from time to time how many bytes have been copied so far; must not
  // block.
  using Progress = std::function<void(uint64_t bytes)>;

  virtual ~Backups() = default;

  // Makes one. kResourceExhausted if there is no space, kAborted if it was
  // stopped, kUnavailable if the store or the directory fails; then there is
  // none.
  virtual absl::StatusOr<Backup> Create(const Progress& progress) = 0;
  // Deletes the oldest until `count` are left, at least 1.
  virtual absl::Status KeepNewest(size_t count) = 0;
  // Those that are whole as far as their sizes tell, oldest first.
  virtual std::vector<Backup> List() const = 0;
  // Reads every byte of a backup. kNotFound if there is none, kDataLoss if it
  // is damaged.
  virtual absl::Status Verify(uint64_t id) = 0;
  // Opens one to be read where it lies. Errors as those of Verify, as far as
  // opening shows them.
  virtual absl::StatusOr<std::unique_ptr<Reader>> Open(uint64_t id) = 0;
  // Ends what Create is doing, soon, and from now on begins nothing.
  virtual void Stop() = 0;
};

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_BACKUPS_H_
