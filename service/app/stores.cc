#include "service/app/stores.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "crypto/suite.h"
#include "service/base/ids.h"
#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "service/vault/store.h"
#include "storage/anchor.h"
#include "storage/rocksdb/backups.h"
#include "storage/rocksdb/engine.h"

namespace hizo::app {
namespace {

constexpr size_t kBytesPerMegabyte = 1024 * 1024;
// What is waiting in RocksDB is kept small beside the cache.
constexpr size_t kWriteBufferBytes = 32 * kBytesPerMegabyte;
// It is read from end to end, or not at all.
constexpr size_t kReplicaCacheBytes = 2 * kBytesPerMegabyte;

// Whether `store` holds no rows but those of `spaces`, which ascend.
bool HoldsOnly(const storage::Engine& store, std::string_view spaces) {
  storage::ScanRange between{.from = "", .until = "", .limit = 1};
  for (const char space : spaces) {
    between.until = std::string(1, space);
    const auto rows = store.Scan(between);
    if (!rows.ok() || !rows->empty()) return false;
    between.from = std::string(1, static_cast<char>(space + 1));
  }
  between.until.clear();
  const auto rows = store.Scan(between);
  return rows.ok() && rows->empty();
}

// An --init that died on its way leaves slots and stores that nobody was ever
// in, and no anchor, which is made last. From its first start on a store has
// other rows. Slots are only removed by people.
bool IsUnfinished(const Config& config) {
  std::error_code ignored;
  if (std::filesystem::exists(config.anchor, ignored)) return false;
  const auto engines = OpenEngines(config, Opening::kExisting, nullptr);
  const std::string meta(1, base::kSpaceMeta);
  return engines.ok() && HoldsOnly(*engines->data, meta) &&
         HoldsOnly(*engines->keys, meta + base::kSpacePage);
}

absl::Status CheckNothingIsThere(const Config& config) {
  std::error_code ignored;
  std::vector<Path> made = config.slots;
  made.push_back(config.anchor);
  const auto present = std::ranges::find_if(made, [&](const Path& path) {
    return std::filesystem::exists(path, ignored);
  });
  if (present == made.end()) return absl::OkStatus();
  if (!IsUnfinished(config)) {
    return absl::AlreadyExistsError(present->string() +
                                    " is there already; nothing was changed");
  }
  std::string remains = config.storage_data_dir.string() + " and " +
                        config.storage_keys_dir.string();
  for (const Path& slot : config.slots) remains += ", " + slot.string();
  return absl::FailedPreconditionError(
      "an earlier --init did not finish; nobody was ever in what it left: "
      "remove " +
      remains + " and run it again");
}

}  // namespace

absl::Status MakeDirectories(const Config& config) {
  std::vector<Path> directories{config.storage_data_dir,
                                config.storage_keys_dir,
                                config.anchor.parent_path()};
  for (const Path& slot : config.slots) {
    directories.push_back(slot.parent_path());
  }
  for (const Path& directory : directories) {
    std::error_code error;
    const bool made = std::filesystem::create_directories(directory, error);
    if (error) {
      return absl::UnavailableError("cannot make " + directory.string());
    }
    if (made) {
      std::filesystem::permissions(directory, std::filesystem::perms::owner_all,
                                   error);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<storage::Engine>> OpenReplica(
    const Path& directory, Opening opening,
    std::function<void(std::string_view)> log) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored)) {
    return absl::NotFoundError("there is no folder " + directory.string());
  }
  storage::RocksDbOptions options;
  options.directory = directory;
  options.create = opening != Opening::kExisting;
  options.log = std::move(log);
  options.write_buffer_bytes = kWriteBufferBytes;
  options.block_cache_bytes = kReplicaCacheBytes;
  return storage::OpenRocksDb(options);
}

absl::StatusOr<Engines> OpenEngines(const Config& config, Opening opening,
                                    std::function<void(std::string_view)> log) {
  storage::RocksDbOptions options;
  options.create = opening == Opening::kNew;
  options.log = log;
  options.write_buffer_bytes = kWriteBufferBytes;
  // Half each: every call reads one row of keys and one or two of data.
  options.block_cache_bytes = config.storage_cache_mb * kBytesPerMegabyte / 2;
  Engines engines;
  options.directory = config.storage_keys_dir;
  ASSIGN_OR_RETURN(engines.keys, storage::OpenRocksDb(options));
  options.directory = config.storage_data_dir;
  ASSIGN_OR_RETURN(engines.data, storage::OpenRocksDb(options));
  if (opening == Opening::kServed && !config.replica_dir.empty()) {
    engines.replica = std::make_unique<storage::Replica>(
        *engines.keys, *engines.data, [directory = config.replica_dir, log] {
          return OpenReplica(directory, Opening::kServed, log);
        });
  }
  if (!config.backup_dir.empty()) {
    storage::RocksDbBackupOptions backups;
    backups.directory = config.backup_dir;
    backups.create = true;
    backups.bytes_per_second = config.backup_mb_per_second * kBytesPerMegabyte;
    ASSIGN_OR_RETURN(engines.backups,
                     storage::OpenRocksDbBackups(engines.data.get(), backups));
  }
  return engines;
}

absl::Status InitStore(const Config& config) {
  RETURN_IF_ERROR(
      crypto::RequireSuite(SuiteOf(config), crypto::AesOfThisProcessor()));
  RETURN_IF_ERROR(CheckNothingIsThere(config));
  RETURN_IF_ERROR(MakeDirectories(config));
  ASSIGN_OR_RETURN(const Engines engines,
                   OpenEngines(config, Opening::kNew, nullptr));
  for (const Path& path : config.slots) {
    RETURN_IF_ERROR(crypto::FileRootSlot(path).Create());
  }
  ASSIGN_OR_RETURN(const vault::RootSlots slots, OpenSlots(config));
  ASSIGN_OR_RETURN(const base::StoreId id,
                   vault::Store::Create({*engines.keys, *engines.data, slots,
                                         config.store_name, SuiteOf(config)}));
  return storage::Anchor::Open(config.anchor, std::string(id.bytes()),
                               /*create=*/true)
      .status();
}

}  // namespace hizo::app
