// How a seal and everything else share the committer.
#include <future>
#include <utility>

#include "service/base/status_macros.h"
#include "service/vault/committer.h"
#include "service/vault/row_keys.h"
#include "service/vault/undo.h"

namespace hizo::vault {
namespace {

// Stands for everything that is wrapped in the bucket, rows that are not there
// yet included; no row has such a key.
VersionToken TokenOfBucket(uint16_t bucket) {
  constexpr uint8_t kBelowThePages = 2;
  return TokenOf(PageKey(kBelowThePages, bucket));
}

}  // namespace

void Committer::RunBetweenBatches(const std::function<void()>& job) {
  std::promise<void> done;
  {
    const base::MutexLock lock(mutex_);
    jobs_.emplace_back([&job, &done] {
      job();
      done.set_value();
    });
  }
  changed_.notify_one();
  done.get_future().wait();
}

void Committer::RunJobs() {
  std::vector<std::function<void()>> jobs;
  {
    const base::MutexLock lock(mutex_);
    jobs.swap(jobs_);
  }
  for (const auto& job : jobs) job();
}

void Committer::Hold(const BucketSet& buckets) {
  RunBetweenBatches(
      [&] { held_ = std::make_unique<const BucketSet>(buckets); });
}

void Committer::Release() {
  RunBetweenBatches([this] { EndHold(); });
}

void Committer::EndHold() {
  held_.reset();
  std::vector<Item> items = std::move(waiting_for_seal_);
  waiting_for_seal_.clear();
  if (!items.empty()) CommitItems(std::move(items));
}

absl::Status Committer::WriteSeal(storage::Batch keys,
                                  const std::function<void()>& written) {
  absl::Status status;
  RunBetweenBatches([&] {
    status = WriteSealNow(keys, written);
    EndHold();
  });
  return status;
}

absl::Status Committer::WriteSealNow(storage::Batch& keys,
                                     const std::function<void()>& written) {
  if (!healthy()) return absl::UnavailableError("the store must be reopened");
  RETURN_IF_ERROR(ForgetUndo(store_.keys, keys));
  keys.MayUseReserve();
  const absl::Status status = store_.keys.Commit(keys);
  if (!status.ok()) {
    // As for any batch: only a full disk is known to have changed nothing.
    if (status.code() != absl::StatusCode::kResourceExhausted) {
      broken_.store(true, std::memory_order_release);
    }
    return status;
  }
  written();
  const uint64_t position = position_.load(std::memory_order_relaxed) + 1;
  for (const storage::Batch::Write& write : keys.writes()) {
    MarkChanged(TokenOf(write.key), position);
  }
  for (size_t bucket = 0; bucket < held_->size(); ++bucket) {
    if (held_->test(bucket)) {
      MarkChanged(TokenOfBucket(static_cast<uint16_t>(bucket)), position);
    }
  }
  last_seal_ = position;
  position_.store(position, std::memory_order_release);
  return status;
}

Committer::SealFate Committer::FateOf(const Attempt& attempt) const {
  const bool looks =
      held_ != nullptr || attempt.position_ < last_seal_;  // no seal: no look
  if (!looks) return SealFate::kUntouched;
  SealFate fate = SealFate::kUntouched;
  for (const storage::Batch::Write& write : attempt.keys_.writes()) {
    const auto bucket = store_.store_keys.BucketOfRow(write.key);
    if (!bucket.has_value()) continue;
    if (held_ != nullptr && held_->test(*bucket)) return SealFate::kWaits;
    if (ChangedSince(TokenOfBucket(*bucket), attempt.position_)) {
      fate = SealFate::kLost;
    }
  }
  return fate;
}

}  // namespace hizo::vault
