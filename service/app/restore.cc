#include "service/app/restore.h"

#include <fcntl.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "service/app/instance.h"
#include "service/app/stores.h"
#include "service/base/status_macros.h"
#include "storage/anchor.h"
#include "storage/files.h"
#include "storage/rocksdb/engine.h"

namespace hizo::app {
namespace {

Path Beside(const Config& config, const char* ending) {
  Path path = config.storage_data_dir;
  if (!path.has_filename()) path = path.parent_path();
  path += ending;
  return path;
}
// The new store while it is made; for a moment the old one.
Path RestoringOf(const Config& config) { return Beside(config, ".restoring"); }
Path ReplacedOf(const Config& config) { return Beside(config, ".replaced"); }

bool Exists(const Path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// Renames `from` to `to`, or exchanges the two.
absl::Status Rename(const Path& from, const Path& to, unsigned int how) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), how) != 0) {
    return absl::UnavailableError("cannot put " + from.string() + " in place " +
                                  "of " + to.string());
  }
  return storage::SyncDirectory(to.parent_path());
}

vault::Store::Parts PartsOf(const Config& config, const Engines& engines,
                            const vault::RootSlots& slots) {
  return {*engines.keys, *engines.data, slots, config.store_name,
          SuiteOf(config)};
}

absl::StatusOr<std::unique_ptr<storage::Anchor>> OpenAnchor(
    const Config& config, const Engines& engines) {
  ASSIGN_OR_RETURN(const base::StoreId id,
                   vault::StoreKeys::IdOf(*engines.keys));
  return storage::Anchor::Open(config.anchor, std::string(id.bytes()),
                               /*create=*/false);
}

// Makes the new store beside the present one.
absl::Status MakeNew(const Config& config, const Declared& declared,
                     const Engines& engines, uint64_t backup,
                     const base::Clock& clock) {
  RETURN_IF_ERROR(engines.backups->Verify(backup));
  ASSIGN_OR_RETURN(const auto reader, engines.backups->Open(backup));
  const Path restoring = RestoringOf(config);
  std::error_code error;
  std::filesystem::remove_all(restoring, error);
  if (error) return absl::UnavailableError("cannot remove an earlier restore");
  storage::RocksDbOptions options;
  options.directory = restoring;
  options.create = true;
  ASSIGN_OR_RETURN(const auto into, storage::OpenRocksDb(options));
  ASSIGN_OR_RETURN(const vault::RootSlots slots, OpenSlots(config));
  ASSIGN_OR_RETURN(auto anchor, OpenAnchor(config, engines));
  return vault::Store::Restore(PartsOf(config, engines, slots),
                               std::move(anchor), PolicyOf(declared), clock,
                               *reader, *into)
      .status();
}

// Opening the store that is in place now writes into its log what came back.
absl::StatusOr<vault::RestoreCounts> TellTheLog(const Config& config,
                                                const Declared& declared,
                                                const base::Clock& clock) {
  ASSIGN_OR_RETURN(const Engines engines,
                   OpenEngines(config, Opening::kExisting, nullptr));
  ASSIGN_OR_RETURN(const auto counts, vault::RestoredCounts(*engines.data));
  if (!counts.has_value()) return absl::InternalError("nothing was restored");
  ASSIGN_OR_RETURN(const vault::RootSlots slots, OpenSlots(config));
  ASSIGN_OR_RETURN(auto anchor, OpenAnchor(config, engines));
  RETURN_IF_ERROR(vault::Store::Open(PartsOf(config, engines, slots),
                                     std::move(anchor), PolicyOf(declared),
                                     clock, {})
                      .status());
  return *counts;
}

}  // namespace

absl::StatusOr<Restored> RestoreStore(const Config& config, uint64_t backup,
                                      const base::Clock& clock) {
  if (config.backup_dir.empty()) {
    return absl::FailedPreconditionError("backup.dir is not configured");
  }
  const Path restoring = RestoringOf(config);
  const Path replaced = ReplacedOf(config);
  if (Exists(replaced)) {
    return absl::AlreadyExistsError(
        replaced.string() +
        " is what an earlier restore replaced: look at it and remove it");
  }
  ASSIGN_OR_RETURN(const Declared declared, ReadDeclared(config));
  bool exchanged = false;
  {
    ASSIGN_OR_RETURN(const Engines engines,
                     OpenEngines(config, Opening::kExisting, nullptr));
    ASSIGN_OR_RETURN(const auto done, vault::RestoredCounts(*engines.data));
    // One that died after the exchange has only the rest to do.
    exchanged = done.has_value() && Exists(restoring);
    if (!exchanged) {
      RETURN_IF_ERROR(MakeNew(config, declared, engines, backup, clock));
    }
  }
  if (!exchanged) {
    RETURN_IF_ERROR(
        Rename(restoring, config.storage_data_dir, RENAME_EXCHANGE));
  }
  RETURN_IF_ERROR(Rename(restoring, replaced, RENAME_NOREPLACE));
  ASSIGN_OR_RETURN(const auto counts, TellTheLog(config, declared, clock));
  return Restored{counts, replaced};
}

absl::Status CheckNoRestore(const Config& config) {
  if (!Exists(RestoringOf(config))) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "a restore was begun and not finished: run hizod --restore again, or "
      "remove " +
      RestoringOf(config).string() + " to start with the data folder as it is");
}

}  // namespace hizo::app
