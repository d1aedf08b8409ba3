#include "storage/rocksdb/engine.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "storage/bounds.h"
#include "storage/rocksdb/open.h"
#include "storage/rocksdb/read.h"

namespace hizo::storage {
namespace {

// The writes by key, those to one key in their own order: RocksDB finds a key's
// place in its memtable quickly where the key before it lies near.
std::vector<const Batch::Write*> InOrder(const Batch& batch) {
  std::vector<const Batch::Write*> writes;
  writes.reserve(batch.writes().size());
  for (const Batch::Write& write : batch.writes()) writes.push_back(&write);
  std::ranges::stable_sort(writes, {}, &Batch::Write::key);
  return writes;
}

class RocksDbSnapshot : public Snapshot {
 public:
  explicit RocksDbSnapshot(const OpenStore& store) : store_(store) {
    options_.snapshot = store_.db->GetSnapshot();
  }
  RocksDbSnapshot(const RocksDbSnapshot&) = delete;
  RocksDbSnapshot& operator=(const RocksDbSnapshot&) = delete;
  ~RocksDbSnapshot() override { store_.db->ReleaseSnapshot(options_.snapshot); }

  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const override {
    absl::Status status = store_.condition->CheckAlive();
    if (!status.ok()) return status;
    return Find(*store_.db, options_, key);
  }

  absl::StatusOr<std::vector<Row>> Scan(const ScanRange& range) const override {
    absl::Status status = store_.condition->CheckAlive();
    if (!status.ok()) return status;
    return Find(*store_.db, options_, range);
  }

 private:
  const OpenStore& store_;
  rocksdb::ReadOptions options_;
};

class RocksDbEngine : public Engine {
 public:
  explicit RocksDbEngine(OpenStore store) : store_(std::move(store)) {}

  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const override {
    absl::Status status = store_.condition->CheckAlive();
    if (!status.ok()) return status;
    return Find(*store_.db, rocksdb::ReadOptions(), key);
  }

  absl::StatusOr<std::vector<Row>> Scan(const ScanRange& range) const override {
    absl::Status status = store_.condition->CheckAlive();
    if (!status.ok()) return status;
    return Find(*store_.db, rocksdb::ReadOptions(), range);
  }

  absl::StatusOr<std::unique_ptr<Snapshot>> NewSnapshot() const override {
    absl::Status status = store_.condition->CheckAlive();
    if (!status.ok()) return status;
    return std::make_unique<RocksDbSnapshot>(store_);
  }

  absl::Status Health() const override {
    absl::Status status = store_.condition->Check();
    return status.ok() ? CheckRoom(0, Room::kOrdinary) : status;
  }

  bool OnlyReserveLeft() const override {
    return !store_.HasRoomFor(0, Room::kOrdinary);
  }

  absl::Status Commit(const Batch& batch) override;
  absl::StatusOr<PurgeReport> Purge(std::atomic<bool>& stop) override {
    absl::Status status = store_.condition->CheckAlive();
    if (!status.ok()) return status;
    return PurgeStore(store_, stop);
  }

  const OpenStore& store() const { return store_; }

 private:
  absl::Status CheckPreconditions(const Batch& batch) const;
  absl::Status CheckRoom(size_t bytes, Room room) const;
  absl::Status Write(const Batch& batch);

  OpenStore store_;
  // Commits without preconditions share `commits_`, so that RocksDB merges
  // their syncs; one with preconditions has it alone, so that nothing changes
  // between its checks and its writes. `turn_` is held only until `commits_`
  // is: it keeps those that share from passing the one that waits, for ever.
  std::mutex turn_;
  std::shared_mutex commits_;
};

absl::Status RocksDbEngine::Commit(const Batch& batch) {
  if (absl::Status status = CheckBounds(batch); !status.ok()) return status;
  std::unique_lock turn(turn_);
  if (batch.preconditions().empty()) {
    std::shared_lock commits(commits_);
    turn.unlock();
    return Write(batch);
  }
  std::unique_lock commits(commits_);
  turn.unlock();
  if (absl::Status status = CheckPreconditions(batch); !status.ok()) {
    return status;
  }
  return Write(batch);
}

absl::Status RocksDbEngine::CheckPreconditions(const Batch& batch) const {
  for (const Batch::Precondition& required : batch.preconditions()) {
    const absl::StatusOr<std::optional<std::string>> value = Get(required.key);
    if (!value.ok()) return value.status();
    if (*value != required.value) {
      return absl::AbortedError("a precondition of the batch failed");
    }
  }
  return absl::OkStatus();
}

absl::Status RocksDbEngine::CheckRoom(size_t bytes, Room room) const {
  if (store_.HasRoomFor(bytes, room)) return absl::OkStatus();
  return absl::ResourceExhaustedError("no space is left for the store");
}

absl::Status RocksDbEngine::Write(const Batch& batch) {
  if (absl::Status status = store_.condition->CheckAlive(); !status.ok()) {
    return status;
  }
  if (batch.writes().empty()) return absl::OkStatus();
  // Refused before RocksDB sees it, which so never runs into the end.
  const Room room = batch.may_use_reserve() ? Room::kReserve : Room::kOrdinary;
  if (absl::Status status = CheckRoom(batch.bytes(), room); !status.ok()) {
    return status;
  }
  rocksdb::WriteBatch writes(batch.bytes());
  rocksdb::Status status;
  for (const Batch::Write* write : InOrder(batch)) {
    status = write->value.has_value() ? writes.Put(write->key, *write->value)
                                      : writes.Delete(write->key);
    if (!status.ok()) return absl::UnavailableError("the batch is too large");
  }
  rocksdb::WriteOptions durable;
  durable.sync = true;
  status = store_.db->Write(durable, &writes);
  if (status.ok()) return absl::OkStatus();
  // Refused because of its threads' trouble, before anything was appended.
  if (status.IsNoSpace() && !store_.condition->failed()) {
    return absl::ResourceExhaustedError("no space is left for the store");
  }
  // RocksDB's threads mostly have reported it by now; that they do not always
  // must not let another commit through.
  store_.condition->Failed();
  return absl::UnknownError("a write failed and may or may not be durable");
}

}  // namespace

const OpenStore* StoreOf(const Engine& engine) {
  const auto* const ours = dynamic_cast<const RocksDbEngine*>(&engine);
  return ours == nullptr ? nullptr : &ours->store();
}

absl::StatusOr<std::unique_ptr<Engine>> OpenRocksDb(
    const RocksDbOptions& options, rocksdb::Env& env) {
  absl::StatusOr<OpenStore> store = OpenDirectory(options, env);
  if (!store.ok()) return store.status();
  return std::make_unique<RocksDbEngine>(*std::move(store));
}

absl::StatusOr<std::unique_ptr<Engine>> OpenRocksDb(
    const RocksDbOptions& options) {
  return OpenRocksDb(options, *rocksdb::Env::Default());
}

}  // namespace hizo::storage
