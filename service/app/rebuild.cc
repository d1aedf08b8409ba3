#include "service/app/rebuild.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "service/app/instance.h"
#include "service/app/restore.h"
#include "service/app/stores.h"
#include "service/base/status_macros.h"
#include "storage/anchor.h"
#include "storage/files.h"
#include "storage/replica.h"

namespace hizo::app {
namespace {

// Lies in the data folder from before the first row until after the last.
Path MarkOf(const Config& config) {
  return config.storage_data_dir / "REBUILDING";
}

bool Exists(const Path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

absl::Status PutMark(const Config& config) {
  const storage::FileDescriptor mark(
      open(MarkOf(config).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
           S_IRUSR));
  if (!mark.valid()) {
    return absl::UnavailableError("cannot write into " +
                                  config.storage_data_dir.string());
  }
  return storage::SyncDirectory(config.storage_data_dir);
}

absl::Status TakeMarkAway(const Config& config) {
  std::error_code error;
  std::filesystem::remove(MarkOf(config), error);
  if (error) return absl::UnavailableError("cannot remove the rebuild's mark");
  return storage::SyncDirectory(config.storage_data_dir);
}

// Both folders are empty but for the mark once this returns.
absl::Status MakeRoom(const Config& config) {
  RETURN_IF_ERROR(MakeDirectories(config));
  const bool goes_on = Exists(MarkOf(config));
  for (const Path& folder :
       {config.storage_data_dir, config.storage_keys_dir}) {
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder, error)) {
      if (!goes_on) {
        return absl::AlreadyExistsError(folder.string() +
                                        " is not empty: what lies there is to "
                                        "be moved away first");
      }
      if (entry.path() == MarkOf(config)) continue;
      std::filesystem::remove_all(entry.path(), error);
      if (error) break;
    }
    if (error) return absl::UnavailableError("cannot clear " + folder.string());
  }
  return goes_on ? absl::OkStatus() : PutMark(config);
}

}  // namespace

absl::Status CheckNoRebuild(const Config& config) {
  if (!Exists(MarkOf(config))) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "a rebuild was begun and not finished: run hizod --rebuild again");
}

absl::StatusOr<Rebuilt> RebuildStores(const Config& config,
                                      const base::Clock& clock) {
  if (config.replica_dir.empty()) {
    return absl::FailedPreconditionError("replica.dir is not configured");
  }
  RETURN_IF_ERROR(CheckNoRestore(config));
  ASSIGN_OR_RETURN(const Declared declared, ReadDeclared(config));
  ASSIGN_OR_RETURN(const auto replica,
                   OpenReplica(config.replica_dir, Opening::kExisting,
                               /*log=*/nullptr));
  ASSIGN_OR_RETURN(const std::string id, storage::Replica::IdOf(*replica));
  RETURN_IF_ERROR(MakeRoom(config));
  Rebuilt rebuilt;
  {
    ASSIGN_OR_RETURN(const Engines engines,
                     OpenEngines(config, Opening::kNew, nullptr));
    RETURN_IF_ERROR(
        storage::Replica::CopyTo(*replica, id, *engines.keys, *engines.data));
    ASSIGN_OR_RETURN(const vault::RootSlots slots, OpenSlots(config));
    ASSIGN_OR_RETURN(auto anchor,
                     storage::Anchor::Open(config.anchor, id,
                                           /*create=*/!Exists(config.anchor)));
    // Also one that an earlier try made.
    rebuilt.anchor_is_new = anchor->head().size == 0;
    // Whatever a start would refuse is refused here.
    ASSIGN_OR_RETURN(
        const auto store,
        vault::Store::Open({*engines.keys, *engines.data, slots,
                            config.store_name, SuiteOf(config)},
                           std::move(anchor), PolicyOf(declared), clock, {}));
    rebuilt.audit_events = store->log().head().size;
  }
  RETURN_IF_ERROR(TakeMarkAway(config));
  return rebuilt;
}

}  // namespace hizo::app
