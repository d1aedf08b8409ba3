// Undo: what a batch of the keys store replaced, kept in that store until the
// next batch, so that a batch whose data never became durable can be taken
// back. Wrapped keys stay in the keys store; a seal writes the row anew.
//
// The other way about, the data store is marked with the last batch of keys
// that its rows need, so that a keys store that has lost its end, or was put
// back from an older copy, is found.
//
// Threads: the committer's, or the one that opens a store.
#ifndef HIZO_SERVICE_VAULT_UNDO_H_
#define HIZO_SERVICE_VAULT_UNDO_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/engine.h"

namespace hizo::vault {

// Adds to `batch` the row that tells how to take it back, if the audit log
// should not reach `log_size` entries. Returns the batch that does so.
// kResourceExhausted if what the batch replaces is too much for one row.
absl::StatusOr<storage::Batch> AddUndo(const storage::Reader& keys,
                                       uint64_t log_size,
                                       storage::Batch& batch);

// Has `batch`, which nothing takes back, leave the row without what an earlier
// batch replaced: for a seal, after which none of that opens any more.
absl::Status ForgetUndo(const storage::Reader& keys, storage::Batch& batch);

// Adds to the batch of data that goes with such a batch the mark of it.
void AddMark(uint64_t log_size, storage::Batch& data);

// kFailedPrecondition if `keys` lacks a batch that `data` is marked with;
// kDataLoss if either row is damaged.
absl::Status CheckMark(const storage::Reader& keys,
                       const storage::Reader& data);

// Takes back the last batch of `keys` if the log, of `log_size` entries, says
// that its data never arrived. kDataLoss if the row is damaged.
absl::Status UndoUnfinished(storage::Engine& keys, uint64_t log_size);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_UNDO_H_
