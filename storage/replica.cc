#include "storage/replica.h"

#include <optional>
#include <utility>

#include "storage/rows.h"

namespace hizo::storage {
namespace {

// Stored; never renumber.
constexpr char kKeysPart = 'k';
constexpr char kDataPart = 'd';
constexpr char kIdKey[] = "i";
constexpr char kCatchingUpKey[] = "s";

std::string Prefixed(char part, std::string_view key) {
  std::string prefixed;
  prefixed.reserve(1 + key.size());
  prefixed.push_back(part);
  prefixed.append(key);
  return prefixed;
}

void AppendPrefixed(char part, const Batch& batch, Batch& to) {
  for (const Batch::Write& write : batch.writes()) {
    if (write.value.has_value()) {
      to.Put(Prefixed(part, write.key), *write.value);
    } else {
      to.Delete(Prefixed(part, write.key));
    }
  }
}

Rows RowsOf(char part, const Reader& replica) {
  return {replica, std::string(1, part),
          std::string(1, static_cast<char>(part + 1))};
}

}  // namespace

// One of the two stores.
class Replica::Mirrored final : public Engine {
 public:
  Mirrored(Replica& replica, char part, Engine& store)
      : replica_(replica), part_(part), store_(store) {}
  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const override {
    return store_.Get(key);
  }
  absl::StatusOr<std::vector<Row>> Scan(const ScanRange& range) const override {
    return store_.Scan(range);
  }
  absl::StatusOr<std::unique_ptr<Snapshot>> NewSnapshot() const override {
    return store_.NewSnapshot();
  }
  absl::Status Health() const override { return store_.Health(); }
  bool OnlyReserveLeft() const override { return store_.OnlyReserveLeft(); }
  absl::Status Commit(const Batch& batch) override {
    return replica_.Commit(part_, store_, batch);
  }
  absl::StatusOr<PurgeReport> Purge(std::atomic<bool>& stop) override {
    return replica_.Purge(part_, store_, stop);
  }

 private:
  Replica& replica_;
  const char part_;
  Engine& store_;
};

// What the replica is to be told, in as few batches as may be.
class Replica::Difference {
 public:
  // `parted` says that an earlier one was left after some of its batches.
  Difference(Engine& replica, size_t bytes_max, bool parted)
      : replica_(replica), bytes_max_(bytes_max), parted_(parted) {}
  absl::Status Put(std::string key, std::string value) {
    batch_.Put(std::move(key), std::move(value));
    return FlushIfFull();
  }
  absl::Status Delete(std::string key) {
    batch_.Delete(std::move(key));
    return FlushIfFull();
  }
  absl::Status Add(Batch&& more) {
    batch_.Append(std::move(more));
    return FlushIfFull();
  }
  // The last one; the replica is whole with it.
  absl::Status Finish() {
    if (parted_) batch_.Delete(kCatchingUpKey);
    return batch_.empty() ? absl::OkStatus() : Flush();
  }

 private:
  absl::Status FlushIfFull() {
    if (batch_.bytes() < bytes_max_) return absl::OkStatus();
    if (!parted_) batch_.Put(kCatchingUpKey, "");
    parted_ = true;
    return Flush();
  }
  absl::Status Flush() {
    const absl::Status status = replica_.Commit(batch_);
    batch_ = Batch();
    return status;
  }
  Engine& replica_;
  const size_t bytes_max_;
  bool parted_;
  Batch batch_;
};

Replica::Replica(Engine& keys, Engine& data, Opener opener)
    : Replica(keys, data, std::move(opener), Options()) {}

Replica::Replica(Engine& keys, Engine& data, Opener opener,
                 const Options& options)
    : keys_store_(keys),
      data_store_(data),
      opener_(std::move(opener)),
      options_(options),
      keys_(std::make_unique<Mirrored>(*this, kKeysPart, keys_store_)),
      data_(std::make_unique<Mirrored>(*this, kDataPart, data_store_)) {}

Replica::~Replica() = default;

Engine& Replica::keys() { return *keys_; }
Engine& Replica::data() { return *data_; }

Replica::State Replica::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

absl::Status Replica::CheckInStep() const {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kInStep) return absl::OkStatus();
  return absl::UnavailableError(state_ == State::kCatchingUp
                                    ? "the replica is being caught up"
                                    : "the replica is behind: " + why_);
}

void Replica::FallBehind(const absl::Status& why) {
  const std::lock_guard lock(mutex_);
  state_ = State::kBehind;
  why_ = std::string(why.message());
}

absl::Status Replica::Commit(char part, Engine& store, const Batch& batch) {
  for (const Batch::Write& write : batch.writes()) {
    if (write.key.size() >= kKeySizeMax) {
      return absl::InvalidArgumentError("a key is too long for a replica");
    }
  }
  const std::lock_guard turn(turn_);
  absl::Status status = store.Commit(batch);
  const State now = state();
  if (now == State::kBehind) return status;
  if (!status.ok()) {
    // Only where it is not known whether the store has it do the two differ.
    if (absl::IsUnknown(status)) FallBehind(status);
    return status;
  }
  if (now == State::kCatchingUp) {
    AppendPrefixed(part, batch, waiting_);
    if (waiting_.bytes() > options_.waiting_bytes) {
      FallBehind(absl::ResourceExhaustedError(
          "more was written than it could be told meanwhile"));
    }
    return status;
  }
  Batch copy;
  AppendPrefixed(part, batch, copy);
  if (batch.may_use_reserve()) copy.MayUseReserve();
  if (const absl::Status copied = replica_->Commit(copy); !copied.ok()) {
    FallBehind(copied);
  }
  return status;
}

absl::StatusOr<PurgeReport> Replica::Purge(char part, Engine& store,
                                           std::atomic<bool>& stop) {
  const std::shared_lock opening(opening_);
  if (absl::Status in_step = CheckInStep(); !in_step.ok()) return in_step;
  auto report = store.Purge(stop);
  if (!report.ok()) return report;
  if (part != kKeysPart) return report;
  const auto of_replica = replica_->Purge(stop);
  if (!of_replica.ok()) return of_replica;
  report->files_rewritten += of_replica->files_rewritten;
  report->files_left += of_replica->files_left;
  report->read_meanwhile |= of_replica->read_meanwhile;
  report->bytes += of_replica->bytes;
  return report;
}

absl::StatusOr<std::string> Replica::IdOf(const Reader& replica) {
  auto id = replica.Get(kIdKey);
  if (!id.ok()) return id.status();
  if (!id->has_value()) {
    return absl::FailedPreconditionError("there is no replica here");
  }
  return **std::move(id);
}

absl::Status Replica::Open(const std::string& id) {
  if (replica_ == nullptr || !replica_->Health().ok()) {
    replica_.reset();  // the folder is free for the next one
    auto opened = opener_();
    if (!opened.ok()) return opened.status();
    replica_ = *std::move(opened);
  }
  const auto present = replica_->Get(kIdKey);
  if (!present.ok()) return present.status();
  if (present->has_value()) {
    return **present == id ? absl::OkStatus()
                           : absl::FailedPreconditionError(
                                 "it is the replica of another store");
  }
  const auto rows = replica_->Scan({.from = "", .until = "", .limit = 1});
  if (!rows.ok()) return rows.status();
  return rows->empty() ? absl::OkStatus()
                       : absl::FailedPreconditionError("it is no replica");
}

absl::Status Replica::CatchUp(const std::string& id,
                              const std::atomic<bool>& stop) {
  {
    const std::lock_guard opening(opening_);
    const std::lock_guard turn(turn_);
    if (state() == State::kInStep) return absl::OkStatus();
    if (absl::Status opened = Open(id); !opened.ok()) {
      FallBehind(opened);
      return opened;
    }
    waiting_ = Batch();
    const std::lock_guard lock(mutex_);
    state_ = State::kCatchingUp;
  }
  compared_ = 0;
  const absl::Status status = Compare(id, stop);
  if (!status.ok()) FallBehind(status);
  return status;
}

absl::Status Replica::Compare(const std::string& id,
                              const std::atomic<bool>& stop) {
  // Commits from here on wait in `waiting_`: what is in both is told twice.
  const auto keys = keys_store_.NewSnapshot();
  if (!keys.ok()) return keys.status();
  const auto data = data_store_.NewSnapshot();
  if (!data.ok()) return data.status();
  const auto present = replica_->Get(kIdKey);
  if (!present.ok()) return present.status();
  const auto left = replica_->Get(kCatchingUpKey);
  if (!left.ok()) return left.status();
  Difference difference(*replica_, options_.batch_bytes, left->has_value());
  if (!present->has_value()) {
    if (auto put = difference.Put(kIdKey, id); !put.ok()) return put;
  }
  for (const auto& [part, store] :
       {std::pair<char, const Reader&>{kDataPart, **data},
        std::pair<char, const Reader&>{kKeysPart, **keys}}) {
    const absl::Status status = ComparePart(part, store, difference, stop);
    if (!status.ok()) return status;
  }
  return CloseUp(difference);
}

absl::Status Replica::ComparePart(char part, const Reader& store,
                                  Difference& difference,
                                  const std::atomic<bool>& stop) {
  // Of the replica too one moment is read, whatever is written into it here.
  const auto before = replica_->NewSnapshot();
  if (!before.ok()) return before.status();
  Rows theirs = RowsOf(part, **before);
  Rows ours(store, "", "");
  for (;; ++compared_) {
    if (stop) return absl::AbortedError("it was told to stop");
    const auto is = ours.Peek();
    if (!is.ok()) return is.status();
    const auto was = theirs.Peek();
    if (!was.ok()) return was.status();
    if (*is == nullptr && *was == nullptr) return absl::OkStatus();
    const std::string key = *is == nullptr ? "" : Prefixed(part, (*is)->key);
    const bool only_theirs =
        *is == nullptr || (*was != nullptr && (*was)->key < key);
    const bool both = !only_theirs && *was != nullptr && (*was)->key == key;
    absl::Status status;
    if (only_theirs) {
      status = difference.Delete((*was)->key);
    } else if (!both || (*was)->value != (*is)->value) {
      status = difference.Put(key, (*is)->value);
    }
    if (!status.ok()) return status;
    if (!only_theirs) ours.Pop();
    if (only_theirs || both) theirs.Pop();
  }
}

absl::Status Replica::CloseUp(Difference& difference) {
  for (;;) {
    Batch waiting;
    {
      const std::lock_guard turn(turn_);
      const std::lock_guard lock(mutex_);
      if (state_ == State::kBehind) return absl::UnavailableError(why_);
      if (waiting_.bytes() < options_.batch_bytes / 2) {
        // The rest is little: nobody commits while it is told.
        if (auto added = difference.Add(std::move(waiting_)); !added.ok()) {
          return added;
        }
        waiting_ = Batch();
        const absl::Status finished = difference.Finish();
        if (finished.ok()) state_ = State::kInStep;
        return finished;
      }
      std::swap(waiting, waiting_);
    }
    if (auto added = difference.Add(std::move(waiting)); !added.ok()) {
      return added;
    }
  }
}

absl::Status Replica::CopyTo(const Reader& replica, const std::string& id,
                             Engine& keys, Engine& data) {
  const auto whose = IdOf(replica);
  if (!whose.ok()) return whose.status();
  if (*whose != id) {
    return absl::FailedPreconditionError("it is the replica of another store");
  }
  const auto catching_up = replica.Get(kCatchingUpKey);
  if (!catching_up.ok()) return catching_up.status();
  if (catching_up->has_value()) {
    return absl::FailedPreconditionError(
        "the replica was being caught up and is not whole");
  }
  constexpr size_t kBytesAtOnce = 4 * 1024 * 1024;
  for (const char part : {kKeysPart, kDataPart}) {
    Engine& to = part == kKeysPart ? keys : data;
    Rows rows = RowsOf(part, replica);
    Batch batch;
    for (;;) {
      const auto row = rows.Peek();
      if (!row.ok()) return row.status();
      if (*row != nullptr) {
        batch.Put((*row)->key.substr(1), std::move((*row)->value));
        rows.Pop();
      }
      if (*row != nullptr && batch.bytes() < kBytesAtOnce) continue;
      if (auto status = to.Commit(batch); !status.ok()) return status;
      if (*row == nullptr) break;
      batch = Batch();
    }
  }
  return absl::OkStatus();
}

}  // namespace hizo::storage
