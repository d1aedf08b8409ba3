#include "tests/testing/faulty_engine.h"

#include <algorithm>
#include <utility>

namespace hizo::test {

FaultyEngine::FaultyEngine(std::unique_ptr<storage::Engine> engine)
    : engine_(std::move(engine)) {}

void FaultyEngine::FailCommit(size_t nth, When when, absl::Status status) {
  std::lock_guard lock(mutex_);
  commit_faults_.push_back({commits_ + nth, when, std::move(status)});
}

void FaultyEngine::FailRead(size_t nth, absl::Status status) {
  std::lock_guard lock(mutex_);
  read_faults_.push_back(
      {reads_ + nth, When::kBeforeApplied, std::move(status)});
}

void FaultyEngine::BeforeCommit(std::function<void()> hook) {
  std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

void FaultyEngine::SetOnlyReserveLeft(bool full) {
  std::lock_guard lock(mutex_);
  full_ = full;
}

void FaultyEngine::Restart() {
  std::lock_guard lock(mutex_);
  read_faults_.clear();
  commit_faults_.clear();
  hook_ = nullptr;
  failed_ = false;
}

size_t FaultyEngine::commits() const {
  std::lock_guard lock(mutex_);
  return commits_;
}

size_t FaultyEngine::reads() const {
  std::lock_guard lock(mutex_);
  return reads_;
}

absl::StatusOr<std::optional<std::string>> FaultyEngine::Get(
    std::string_view key) const {
  if (absl::Status status = BeginRead(); !status.ok()) return status;
  return engine_->Get(key);
}

absl::StatusOr<std::vector<storage::Row>> FaultyEngine::Scan(
    const storage::ScanRange& range) const {
  if (absl::Status status = BeginRead(); !status.ok()) return status;
  return engine_->Scan(range);
}

absl::StatusOr<std::unique_ptr<storage::Snapshot>> FaultyEngine::NewSnapshot()
    const {
  if (absl::Status status = BeginRead(); !status.ok()) return status;
  return engine_->NewSnapshot();
}

absl::Status FaultyEngine::Commit(const storage::Batch& batch) {
  std::unique_lock lock(mutex_);
  const std::optional<Fault> fault = Take(commit_faults_, ++commits_);
  const std::function<void()> hook = std::exchange(hook_, nullptr);
  lock.unlock();
  if (hook) hook();
  lock.lock();
  if (absl::Status status = CheckAlive(); !status.ok()) return status;
  if (full_ && !batch.may_use_reserve()) {
    return absl::ResourceExhaustedError("no space is left, as was asked for");
  }
  if (fault && absl::IsUnknown(fault->status)) failed_ = true;
  lock.unlock();
  if (!fault) return engine_->Commit(batch);
  if (fault->when == When::kBeforeApplied) return fault->status;
  absl::Status status = engine_->Commit(batch);
  return status.ok() ? fault->status : status;
}

absl::Status FaultyEngine::Health() const {
  std::lock_guard lock(mutex_);
  absl::Status status = CheckAlive();
  return status.ok() ? engine_->Health() : status;
}

void FaultyEngine::SetPurge(absl::StatusOr<storage::PurgeReport> report) {
  std::lock_guard lock(mutex_);
  purge_ = std::move(report);
}

absl::StatusOr<storage::PurgeReport> FaultyEngine::Purge(
    std::atomic<bool>& stop) {
  std::unique_lock lock(mutex_);
  if (absl::Status status = CheckAlive(); !status.ok()) return status;
  if (purge_.has_value()) return *std::exchange(purge_, std::nullopt);
  lock.unlock();
  return engine_->Purge(stop);
}

bool FaultyEngine::OnlyReserveLeft() const {
  std::lock_guard lock(mutex_);
  return full_;
}

std::optional<FaultyEngine::Fault> FaultyEngine::Take(
    std::vector<Fault>& faults, size_t at) {
  const auto found = std::ranges::find(faults, at, &Fault::at);
  if (found == faults.end()) return std::nullopt;
  Fault fault = std::move(*found);
  faults.erase(found);
  return fault;
}

absl::Status FaultyEngine::BeginRead() const {
  std::lock_guard lock(mutex_);
  const std::optional<Fault> fault = Take(read_faults_, ++reads_);
  absl::Status status = CheckAlive();
  return status.ok() && fault ? fault->status : status;
}

absl::Status FaultyEngine::CheckAlive() const {
  if (!failed_) return absl::OkStatus();
  return absl::UnavailableError("the engine has failed, as it was told to");
}

}  // namespace hizo::test
