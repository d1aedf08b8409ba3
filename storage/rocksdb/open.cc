#include "storage/rocksdb/open.h"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <sys/file.h>

#include <cerrno>
#include <cstdarg>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace hizo::storage {
namespace {

constexpr double kBloomBitsPerKey = 8;
constexpr double kMemtableBloomRatio = 0.02;
constexpr uint64_t kManifestBytesMax = 8 * 1024 * 1024;
// A write buffer that is flushed, and the log beside it.
constexpr size_t kBuffersKept = 2;
constexpr uint64_t kBytesPerSync = 1024 * 1024;
constexpr uint64_t kOneDaySeconds = 24 * 60 * 60;

// Takes the place of RocksDB's own log file, which would hold keys, and whose
// writer aborts the process on a full disk.
class FormatLogger : public rocksdb::Logger {
 public:
  explicit FormatLogger(std::function<void(std::string_view)> log)
      : Logger(rocksdb::WARN_LEVEL), log_(std::move(log)) {}

  // Forwards the format and none of its arguments: keys are among those.
  void Logv(const char* format, va_list) override {
    std::string_view line = format;
    while (line.ends_with('\n')) line.remove_suffix(1);
    if (log_) log_(line);
  }
  void Logv(const rocksdb::InfoLogLevel level, const char* format,
            va_list arguments) override {
    if (level >= GetInfoLogLevel()) Logv(format, arguments);
  }
  void LogHeader(const char*, va_list) override {}  // some 400 lines

 private:
  const std::function<void(std::string_view)> log_;
};

class Watch : public rocksdb::EventListener {
 public:
  explicit Watch(Condition& condition) : condition_(condition) {}

  bool ShouldBeNotifiedOnFileIO() override { return true; }

  // After a failed sync the disk may hold anything, after a failed append part
  // of a record. RocksDB can go on from the latter, but Debian's build checks
  // its assumptions there by ending the process.
  void OnIOError(const rocksdb::IOErrorInfo& info) override {
    if (info.file_path.ends_with(".log")) condition_.Failed();
  }

  void OnBackgroundError(rocksdb::BackgroundErrorReason,
                         rocksdb::Status* error) override {
    // Below that RocksDB goes on writing and tries again by itself.
    if (error->severity() < rocksdb::Status::kHardError) return;
    if (error->IsNoSpace()) {
      condition_.Filled();
    } else {
      condition_.Failed();
    }
  }

  void OnErrorRecoveryEnd(
      const rocksdb::BackgroundErrorRecoveryInfo& info) override {
    if (info.new_bg_error.ok()) condition_.Emptied();
  }

 private:
  Condition& condition_;
};

rocksdb::BlockBasedTableOptions TableSettings(size_t block_cache_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(block_cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  table.whole_key_filtering = true;
  // Otherwise they lie outside the cache and grow with the store.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  return table;
}

rocksdb::Options Settings(const RocksDbOptions& options, rocksdb::Env& env,
                          Condition& condition) {
  rocksdb::Options settings;
  settings.env = &env;
  settings.info_log = std::make_shared<FormatLogger>(options.log);
  settings.listeners = {std::make_shared<Watch>(condition)};
  // The default opens without a word where a record in the middle of the log
  // is damaged, and leaves out everything after it.
  settings.wal_recovery_mode =
      rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  settings.paranoid_checks = true;
  settings.compression = rocksdb::kNoCompression;  // it is all ciphertext
  settings.write_buffer_size = options.write_buffer_bytes;
  // Most reads are of rows that were written long ago, and audit entries fill
  // what was written lately: a filter spares the search through those.
  settings.memtable_prefix_bloom_size_ratio = kMemtableBloomRatio;
  settings.memtable_whole_key_filtering = true;
  // The first byte of a key says what kind of row it is. Audit entries come in
  // order, and each finds its place beside the one before.
  settings.memtable_insert_with_hint_prefix_extractor.reset(
      rocksdb::NewFixedPrefixTransform(1));
  settings.level_compaction_dynamic_level_bytes = true;
  settings.bytes_per_sync = kBytesPerSync;
  settings.max_manifest_file_size = kManifestBytesMax;
  // Bounds how long a deleted row stays on the disk; both need all files open.
  settings.periodic_compaction_seconds = kOneDaySeconds;
  settings.ttl = kOneDaySeconds;
  settings.max_open_files = -1;
  settings.stats_dump_period_sec = 0;
  settings.stats_persist_period_sec = 0;
  settings.table_factory.reset(rocksdb::NewBlockBasedTableFactory(
      TableSettings(options.block_cache_bytes)));
  return settings;
}

enum class Contents { kNothing, kStore, kRemains, kUnreadable };

// RocksDB knows a store by its CURRENT file alone; where that is lost it would
// begin a new store and delete the files of the old one.
Contents Inspect(const std::filesystem::path& directory) {
  std::error_code error;
  bool remains = false;
  std::filesystem::directory_iterator files(directory, error);
  for (; !error && files != std::filesystem::directory_iterator();
       files.increment(error)) {
    const std::filesystem::path& file = files->path();
    if (file.filename() == "CURRENT") return Contents::kStore;
    remains =
        remains || file.extension() == ".sst" || file.extension() == ".log";
  }
  if (error) return Contents::kUnreadable;
  return remains ? Contents::kRemains : Contents::kNothing;
}

absl::Status CheckContents(const RocksDbOptions& options, Contents contents) {
  switch (contents) {
    case Contents::kStore:
      return absl::OkStatus();
    case Contents::kNothing:
      if (options.create) return absl::OkStatus();
      return absl::NotFoundError("there is no store in the directory");
    case Contents::kRemains:
      return absl::DataLossError("the store has lost its CURRENT file");
    case Contents::kUnreadable:
      break;
  }
  return absl::UnavailableError("the directory of the store cannot be read");
}

absl::Status OpenError(const rocksdb::Status& status) {
  if (status.IsNoSpace()) {
    return absl::ResourceExhaustedError("no space is left to open the store");
  }
  // That a file is missing which another one names is damage, too.
  if (status.IsCorruption() || status.IsPathNotFound() || status.IsNotFound()) {
    return absl::DataLossError("the store is damaged");
  }
  return absl::UnavailableError("the store cannot be opened");
}

absl::Status SyncDirectories(const std::filesystem::path& directory) {
  absl::Status status = SyncDirectory(directory);
  return status.ok() ? SyncDirectory(directory.parent_path()) : status;
}

}  // namespace

// One process owns the directory. RocksDB's own lock stays beneath; its errors
// do not tell "held by another" from "cannot be made".
absl::StatusOr<std::unique_ptr<FileDescriptor>> LockDirectory(
    const std::filesystem::path& directory) {
  auto lock = std::make_unique<FileDescriptor>(
      open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock->valid() && (errno == ENOENT || errno == ENOTDIR)) {
    return absl::NotFoundError("the directory of the store is missing");
  }
  if (!lock->valid()) {
    return absl::UnavailableError("the directory of the store cannot be read");
  }
  if (flock(lock->get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) {
    return absl::FailedPreconditionError("another process has the store open");
  }
  return absl::UnavailableError("the directory of the store cannot be locked");
}

rocksdb::Options ReadingSettings(size_t block_cache_bytes, rocksdb::Env& env) {
  rocksdb::Options settings;
  settings.env = &env;
  settings.info_log = std::make_shared<FormatLogger>(nullptr);
  settings.wal_recovery_mode =
      rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  settings.paranoid_checks = true;
  settings.stats_dump_period_sec = 0;
  settings.stats_persist_period_sec = 0;
  settings.table_factory.reset(
      rocksdb::NewBlockBasedTableFactory(TableSettings(block_cache_bytes)));
  return settings;
}

bool OpenStore::HasRoomFor(size_t bytes, Room room) const {
  const size_t kept =
      buffer_bytes + (room == Room::kOrdinary ? kReserveBytes : 0);
  uint64_t free = 0;
  return db->GetEnv()->GetFreeSpace(directory, &free).ok() &&
         free >= kept + bytes;
}

absl::StatusOr<OpenStore> OpenDirectory(const RocksDbOptions& options,
                                        rocksdb::Env& env) {
  if (options.create) {
    absl::Status status = MakeDirectory(options.directory);
    if (!status.ok()) return status;
  }
  OpenStore store;
  absl::StatusOr<std::unique_ptr<FileDescriptor>> lock =
      LockDirectory(options.directory);
  if (!lock.ok()) return lock.status();
  store.lock = *std::move(lock);
  store.condition = std::make_unique<Condition>();
  store.directory = options.directory.string();
  store.buffer_bytes = kBuffersKept * options.write_buffer_bytes;

  const Contents contents = Inspect(options.directory);
  if (absl::Status status = CheckContents(options, contents); !status.ok()) {
    return status;
  }
  rocksdb::Options settings = Settings(options, env, *store.condition);
  settings.create_if_missing = contents == Contents::kNothing;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::Open(settings, options.directory.string(), &db);
  if (!opened.ok()) return OpenError(opened);
  store.db.reset(db);
  if (contents == Contents::kNothing) {
    absl::Status status = SyncDirectories(options.directory);
    if (!status.ok()) return status;
  }
  return store;
}

}  // namespace hizo::storage
