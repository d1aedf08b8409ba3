// The stores that hizod is configured for: how they are made, and opened.
// The one place that names concrete engines.
//
// Threads: may be called concurrently, but for one store.
#ifndef HIZO_SERVICE_APP_STORES_H_
#define HIZO_SERVICE_APP_STORES_H_

#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/suite.h"
#include "service/app/config.h"
#include "service/vault/store.h"
#include "storage/backups.h"
#include "storage/engine.h"
#include "storage/replica.h"

namespace hizo::app {

// The two engines of a store, the backups of its data and what replicates both.
struct Engines {
  std::unique_ptr<storage::Engine> keys;
  std::unique_ptr<storage::Engine> data;
  std::unique_ptr<storage::Backups> backups = nullptr;  // of data, if any
  std::unique_ptr<storage::Replica> replica = nullptr;  // of both, if any

  // What a vault works with: whatever is committed reaches the replica.
  storage::Engine& Keys() const { return replica ? replica->keys() : *keys; }
  storage::Engine& Data() const { return replica ? replica->data() : *data; }
};
// An act on a store that nobody serves leaves its replica alone, which is
// caught up when it is served again.
enum class Opening { kExisting, kNew, kServed };
// Opens RocksDB in the configured directories; `log` is told what RocksDB
// would log. Errors as those of OpenRocksDb.
absl::StatusOr<Engines> OpenEngines(const Config& config, Opening opening,
                                    std::function<void(std::string_view)> log);

// Opens what lies in replica.dir; with kServed, an empty folder as a new one.
// kNotFound if the folder is missing: where a disk is not mounted, another one
// must not be filled in its place.
absl::StatusOr<std::unique_ptr<storage::Engine>> OpenReplica(
    const Path& directory, Opening opening,
    std::function<void(std::string_view)> log);
// Makes the configured folders that are not there, for their owner only.
absl::Status MakeDirectories(const Config& config);

// The configured slots; kFailedPrecondition, with a text for the operator, if
// there is something wrong with their passphrases.
absl::StatusOr<vault::RootSlots> OpenSlots(const Config& config);
// The suite that the store is made in.
crypto::Suite SuiteOf(const Config& config);

// Makes a new, empty store: directories, slots, keys, anchor. kAlreadyExists,
// and nothing changed, if any of it is there already.
absl::Status InitStore(const Config& config);

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_STORES_H_
