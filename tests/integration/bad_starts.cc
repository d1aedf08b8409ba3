#include "tests/integration/bad_starts.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>
#include <utility>

#include "crypto/digest.h"
#include "crypto/root_slot.h"
#include "service/base/keyspace.h"
#include "service/vault/store_keys.h"
#include "storage/anchor.h"
#include "storage/rocksdb/engine.h"
#include "tests/testing/live_server.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using crypto::FileRootSlot;
using crypto::Key;

constexpr int kExitUsage = 2;

void Require(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}
template <typename T>
T Require(absl::StatusOr<T> result) {
  Require(result.status());
  return *std::move(result);
}

void Replace(const fs::path& path, const fs::path& with) {
  fs::remove_all(path);
  fs::copy(with, path);
}

base::StoreId IdOf(const Resting& resting) {
  const StoppedStores stores = OpenStores(resting.config);
  return Require(vault::StoreKeys::IdOf(*stores.keys));
}

// A row of a damage that starts no server.
template <typename Damage>
BadStart Row(std::string name, std::string says, Damage damage) {
  return {std::move(name),
          [damage](const Resting& resting) -> std::unique_ptr<HizodProcess> {
            damage(resting);
            return nullptr;
          },
          1, std::move(says)};
}

// Makes every slot anew, holding `root`.
void PutIntoSlots(const Resting& resting, const crypto::RootSlot::Root& root) {
  const base::StoreId id = IdOf(resting);
  for (const fs::path& path : resting.config.slots) {
    fs::remove(path);
    FileRootSlot slot(path);
    Require(slot.Create());
    Require(slot.Put(id.bytes(), root));
  }
}

void OverwriteRow(storage::Engine& engine, const std::string& key,
                  const std::string& value) {
  storage::Batch batch;
  batch.Put(key, value);
  Require(engine.Commit(batch));
}

// Changes the last row of `space` in the data store.
template <typename Change>
void ChangeLastRow(const Resting& resting, char space, Change change) {
  const StoppedStores stores = OpenStores(resting.config);
  storage::ScanRange range = storage::PrefixRange(std::string(1, space), 1);
  range.reverse = true;
  std::vector<storage::Row> rows = Require(stores.data->Scan(range));
  change(rows.at(0).value);
  OverwriteRow(*stores.data, rows.at(0).key, rows.at(0).value);
}

void FlipABit(std::string& bytes) { bytes.at(bytes.size() / 2) ^= 1; }
void FlipALateBit(std::string& bytes) { bytes.at(bytes.size() - 5) ^= 1; }

// The larger part of the write-ahead log lies in one file. Nothing may have
// opened the store since it was last served: that empties it.
template <typename Flip>
void ChangeWriteAheadLog(const fs::path& directory, Flip flip) {
  fs::path log;
  for (const auto& file : fs::directory_iterator(directory)) {
    if (file.path().extension() != ".log") continue;
    if (log.empty() || file.file_size() > fs::file_size(log)) log = file.path();
  }
  std::string bytes = ReadFile(log);
  flip(bytes);
  std::ofstream(log, std::ios::binary) << bytes;
}

void AddSlots(std::vector<BadStart>& rows) {
  constexpr char kNoRoot[] = "no root slot holds the root of this store";
  rows.push_back(Row("missing slot", kNoRoot, [](const Resting& resting) {
    for (const fs::path& slot : resting.config.slots) fs::remove(slot);
  }));
  rows.push_back(Row("wrong slot", kNoRoot, [](const Resting& resting) {
    PutIntoSlots(resting, {1, Key::Random()});
  }));
  rows.push_back(Row("older slot", kNoRoot, [](const Resting& resting) {
    const base::StoreId id = IdOf(resting);
    auto roots =
        Require(FileRootSlot(resting.config.slots[0]).Read(id.bytes()));
    PutIntoSlots(resting, {0, std::move(roots.at(0).key)});
  }));
  rows.push_back(Row("foreign slot", kNoRoot, [](const Resting& resting) {
    for (size_t i = 0; i < resting.config.slots.size(); ++i) {
      Replace(resting.config.slots[i], resting.other.slots[i]);
    }
  }));
}

void AddDirectories(std::vector<BadStart>& rows) {
  rows.push_back(Row("foreign data directory, another store's",
                     "are not of one store", [](const Resting& resting) {
                       Replace(resting.config.storage_data_dir,
                               resting.other.storage_data_dir);
                     }));
  rows.push_back(Row("foreign keys directory, another store's", "another store",
                     [](const Resting& resting) {
                       Replace(resting.config.storage_keys_dir,
                               resting.other.storage_keys_dir);
                     }));
  rows.push_back(Row("foreign data directory, no store",
                     "there is no store in the directory",
                     [](const Resting& resting) {
                       const fs::path& data = resting.config.storage_data_dir;
                       fs::remove_all(data);
                       fs::create_directory(data);
                       std::ofstream(data / "notes.txt") << "of somebody else";
                     }));
  constexpr char kNewer[] = "of a format that this version does not know";
  rows.push_back(
      Row("newer-format data directory", kNewer, [](const Resting& resting) {
        ChangeLastRow(resting, base::kSpaceMeta,
                      [](std::string& row) { row[0] = 9; });
      }));
  rows.push_back(
      Row("newer-format keys directory", kNewer, [](const Resting& resting) {
        const StoppedStores stores = OpenStores(resting.config);
        const std::string key(1, base::kSpaceMeta);
        std::string row = *Require(stores.keys->Get(key));
        row[0] = 9;
        OverwriteRow(*stores.keys, key, row);
      }));
}

void AddConfiguration(std::vector<BadStart>& rows) {
  BadStart row = Row("unknown config key", "colour", [](const Resting& at) {
    std::ofstream(at.files.config_file(), std::ios::app) << "colour: blue\n";
  });
  row.exit_code = kExitUsage;
  rows.push_back(std::move(row));
  rows.push_back({"second server on the same data",
                  [](const Resting& resting) {
                    auto first = std::make_unique<HizodProcess>(resting.files);
                    if (!first->WaitUntilReady()) {
                      throw std::runtime_error(first->process().output());
                    }
                    return first;
                  },
                  1, "another process has the store open"});
}

void AddLogs(std::vector<BadStart>& rows) {
  constexpr char kBehind[] = "the audit log is behind its anchor";
  rows.push_back(
      Row("store behind its anchor", kBehind, [](const Resting& resting) {
        Replace(resting.config.storage_data_dir, resting.older);
      }));
  rows.push_back(
      Row("anchor ahead of the log", kBehind, [](const Resting& resting) {
        const base::StoreId id = IdOf(resting);
        const auto anchor = Require(storage::Anchor::Open(
            resting.config.anchor, std::string(id.bytes()), /*create=*/false));
        Require(anchor->Write({anchor->head().size + 1,
                               std::string(sizeof(crypto::Digest), 'r')}));
      }));
  rows.push_back(
      Row("bit flip in the log, an entry", "audit", [](const Resting& resting) {
        ChangeLastRow(resting, base::kSpaceAuditEntry, FlipABit);
      }));
  rows.push_back(
      Row("bit flip in the log, its head", "audit", [](const Resting& resting) {
        ChangeLastRow(resting, base::kSpaceAuditHead, FlipABit);
      }));
  rows.push_back(Row("bit flip in the log on the disk, data",
                     "the store is damaged", [](const Resting& resting) {
                       ChangeWriteAheadLog(resting.config.storage_data_dir,
                                           FlipABit);
                     }));
  rows.push_back(Row("bit flip in the log on the disk, keys",
                     "the store is damaged", [](const Resting& resting) {
                       ChangeWriteAheadLog(resting.config.storage_keys_dir,
                                           FlipABit);
                     }));
  // A whole record that is wrong is not taken for one that was cut off.
  rows.push_back(Row("bit flip in the log on the disk, the last record",
                     "the store is damaged", [](const Resting& resting) {
                       ChangeWriteAheadLog(resting.config.storage_data_dir,
                                           FlipALateBit);
                     }));
}

void AddFile(const fs::path& path, std::string& all) {
  all += path.string() + "\n";
  all += fs::exists(path) ? ReadFile(path) : "missing";
}

// The rows of a store, or its files where it does not open: RocksDB writes some
// of those anew whenever it does.
void AddStore(const fs::path& directory, std::string& all) {
  storage::RocksDbOptions options;
  options.directory = directory;
  if (const auto engine = storage::OpenRocksDb(options); engine.ok()) {
    for (const storage::Row& row :
         Require((*engine)->Scan({"", "", storage::kScanLimitMax}))) {
      all += row.key + "\n" + row.value + "\n";
    }
    return;
  }
  std::set<fs::path> files;
  for (const auto& file : fs::directory_iterator(directory)) {
    files.insert(file.path());
  }
  for (const fs::path& file : files) AddFile(file, all);
}

}  // namespace

std::vector<BadStart> BadStarts() {
  std::vector<BadStart> rows;
  AddSlots(rows);
  AddDirectories(rows);
  AddConfiguration(rows);
  AddLogs(rows);
  return rows;
}

std::string FingerprintOf(const Resting& resting) {
  std::string all;
  for (const fs::path& slot : resting.config.slots) AddFile(slot, all);
  AddFile(resting.config.anchor, all);
  AddFile(resting.files.config_file(), all);
  AddStore(resting.config.storage_keys_dir, all);
  AddStore(resting.config.storage_data_dir, all);
  return all;
}

}  // namespace hizo::test
