#include "service/vault/committer.h"

#include <algorithm>
#include <future>
#include <iterator>
#include <string>
#include <utility>

#include "crypto/digest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/undo.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using std::chrono::steady_clock;

// What the caller of an Attempt is told when the batch it was in failed.
absl::Status FailureFor(const absl::Status& status) {
  return Fail(status.code() == absl::StatusCode::kUnknown
                  ? Reason::kOutcomeUnknown
                  : Reason::kAuditUnavailable);
}

}  // namespace

Committer::Committer(const Store& store, const Options& options)
    : store_(store),
      options_(options),
      versions_(kVersionSlots),
      anchor_due_(steady_clock::now()),
      anchored_(store.anchor.head().size),
      thread_([this] { Run(); }) {}

Committer::~Committer() {
  {
    const base::MutexLock lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Committer::Submit(std::unique_ptr<Attempt> attempt, Done done) {
  bool accepted = false;
  bool wake = false;
  const size_t bytes = attempt->bytes();
  {
    const base::MutexLock lock(mutex_);
    if (!closing_ && queue_.size() < options_.queue_max &&
        queue_bytes_ < options_.queue_bytes_max) {
      queue_.push_back({std::move(attempt), std::move(done)});
      queue_bytes_ += bytes;
      accepted = true;
      wake = waiting_;
    }
  }
  if (wake) changed_.notify_one();
  if (!accepted) {
    done(std::move(attempt), {Fail(Reason::kOverloaded), nullptr});
  }
}

absl::Status Committer::Commit(std::unique_ptr<Attempt> attempt) {
  std::promise<absl::Status> done;
  Submit(std::move(attempt),
         [&done](std::unique_ptr<Attempt>, const Result& result) {
           done.set_value(result.status);
         });
  return done.get_future().get();
}

size_t Committer::queued() const {
  const base::MutexLock lock(mutex_);
  return queue_.size();
}

void Committer::Run() {
  for (;;) {
    RunJobs();
    std::vector<Item> items = Take();
    if (!items.empty()) {
      CommitItems(std::move(items));
      WriteAnchorIfDue(false);
      continue;
    }
    WriteAnchorIfDue(true);
    const base::MutexLock lock(mutex_);
    if (closing_ && queue_.empty() && jobs_.empty()) return;
  }
}

std::vector<Committer::Item> Committer::Take() {
  const base::MutexLock lock(mutex_);
  const bool anchor_behind = anchored() < store_.log.head().size && healthy();
  waiting_ = true;
  while (queue_.empty() && jobs_.empty() && !closing_) {
    if (!anchor_behind) {
      changed_.wait(mutex_);
    } else if (changed_.wait_until(mutex_, anchor_due_) ==
               std::cv_status::timeout) {
      break;
    }
  }
  waiting_ = false;
  std::vector<Item> items;
  size_t bytes = 0;
  size_t key_writes = 0;
  size_t count = 0;
  while (count < queue_.size() && count < kBatchItemsMax &&
         bytes < kBatchBytesMax && key_writes < kBatchKeyWritesMax) {
    Attempt& attempt = *queue_[count].attempt;
    bytes += attempt.bytes();
    key_writes += attempt.keys_.writes().size();
    ++count;
  }
  queue_bytes_ -= bytes;
  if (count == queue_.size()) {
    items.swap(queue_);
    return items;
  }
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  items.assign(std::make_move_iterator(queue_.begin()),
               std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return items;
}

bool Committer::HasFences(const Item& item) {
  return std::ranges::any_of(item.attempt->keys_.writes(),
                             [](const storage::Batch::Write& write) {
                               return write.key.front() == base::kSpaceFence;
                             });
}

bool Committer::ChangedSince(VersionToken token, uint64_t position) const {
  const Version& version = versions_[token % kVersionSlots];
  return version.others_changed > position ||
         (version.token == token && version.changed > position);
}

void Committer::MarkChanged(VersionToken token, uint64_t position) {
  Version& version = versions_[token % kVersionSlots];
  if (version.token != token) {
    version.others_changed = std::max(version.others_changed, version.changed);
    version.token = token;
  }
  version.changed = position;
}

void Committer::CheckVersions(std::vector<Item> items, uint64_t position,
                              std::vector<Item>& holding,
                              std::vector<Item>& lost) {
  holding.reserve(items.size());
  for (Item& item : items) {
    Attempt& attempt = *item.attempt;
    const SealFate fate = FateOf(attempt);
    if (fate == SealFate::kWaits) {
      waiting_for_seal_.push_back(std::move(item));
      continue;
    }
    bool changed = fate == SealFate::kLost;
    for (const VersionToken token : attempt.relied_) {
      changed |= ChangedSince(token, attempt.position_);
    }
    if (changed) {
      lost.push_back(std::move(item));
      continue;
    }
    for (const storage::Batch* batch : {&attempt.keys_, &attempt.data_}) {
      for (const storage::Batch::Write& write : batch->writes()) {
        MarkChanged(TokenOf(write.key), position);
      }
    }
    for (const VersionToken token : attempt.also_changed_) {
      MarkChanged(token, position);
    }
    holding.push_back(std::move(item));
  }
}

void Committer::CommitItems(std::vector<Item> items) {
  const uint64_t position = position_.load(std::memory_order_relaxed) + 1;
  std::vector<Item> holding;
  std::vector<Item> lost;
  CheckVersions(std::move(items), position, holding, lost);
  std::vector<Item> refused = TakeWhatHasNoRoom(holding);
  const bool has_fences = std::ranges::any_of(holding, HasFences);
  const absl::Status status =
      holding.empty() ? absl::OkStatus() : Write(holding);
  for (const Item& item : holding) {
    if (status.ok() && item.attempt->effect_ != nullptr) {
      item.attempt->effect_->Happen();
    }
  }
  // Readers from here on see this batch, or see that its keys have changed.
  position_.store(position, std::memory_order_release);
  if (has_fences) fence_batches_.fetch_add(1, std::memory_order_release);
  const CommitReceipt receipt(position);
  const Result result{status.ok() ? status : FailureFor(status),
                      status.ok() ? &receipt : nullptr};
  for (Item& item : holding) item.done(std::move(item.attempt), result);
  for (Item& item : refused) {
    item.done(std::move(item.attempt),
              {Fail(Reason::kAuditUnavailable), nullptr});
  }
  // Told only now: who runs again must find what it lost to.
  for (Item& item : lost) {
    item.done(std::move(item.attempt), {Fail(Reason::kConflict), nullptr});
  }
}

std::vector<Committer::Item> Committer::TakeWhatHasNoRoom(
    std::vector<Item>& items) const {
  std::vector<Item> refused;
  const bool keys_full = store_.keys.OnlyReserveLeft();
  const bool data_full = store_.data.OnlyReserveLeft();
  if (!keys_full && !data_full) return refused;
  const auto first =
      std::stable_partition(items.begin(), items.end(), [&](const Item& item) {
        const Attempt& attempt = *item.attempt;
        return attempt.data_.may_use_reserve() ||
               (!data_full && attempt.keys_.empty());
      });
  std::move(first, items.end(), std::back_inserter(refused));
  items.erase(first, items.end());
  return refused;
}

absl::Status Committer::Write(std::vector<Item>& items) {
  if (!healthy()) return absl::UnavailableError("the store must be reopened");
  std::vector<audit::Event*> events;
  events.reserve(items.size());
  storage::Batch keys;
  storage::Batch data;
  bool keys_may_use_reserve = true;
  bool data_may_use_reserve = true;
  for (Item& item : items) {
    const bool may_use_reserve = item.attempt->data_.may_use_reserve();
    keys_may_use_reserve &= may_use_reserve || item.attempt->keys_.empty();
    data_may_use_reserve &= may_use_reserve;
    for (audit::Event& event : item.attempt->earlier_) {
      events.push_back(&event);
    }
    events.push_back(&item.attempt->event_);
    keys.Append(std::move(item.attempt->keys_));
    data.Append(std::move(item.attempt->data_));
  }
  ASSIGN_OR_RETURN(audit::Log::Staged staged,
                   store_.log.Stage(events, store_.clock.Now()));
  staged.batch.Append(std::move(data));
  if (keys_may_use_reserve) keys.MayUseReserve();
  if (data_may_use_reserve) staged.batch.MayUseReserve();
  return WriteStores(std::move(keys), std::move(staged));
}

absl::Status Committer::WriteStores(storage::Batch keys,
                                    audit::Log::Staged staged) {
  const bool writes_keys = !keys.empty();
  storage::Batch undo;
  absl::Status status;
  if (writes_keys) {
    ASSIGN_OR_RETURN(undo, AddUndo(store_.keys, staged.head.size, keys));
    undo.MayUseReserve();
    AddMark(staged.head.size, staged.batch);
    status = store_.keys.Commit(keys);
  }
  const bool keys_written = writes_keys && status.ok();
  if (status.ok()) status = store_.data.Commit(staged.batch);
  if (status.ok()) {
    store_.log.Advance(std::move(staged));
    return status;
  }
  // Only a full disk may pass by itself, and only if nothing of the batch
  // stays behind. After anything else, what is on disk and what this process
  // believes may differ.
  const bool may_pass = status.code() == absl::StatusCode::kResourceExhausted &&
                        (!keys_written || store_.keys.Commit(undo).ok());
  if (!may_pass) broken_.store(true, std::memory_order_release);
  return status;
}

void Committer::WriteAnchorIfDue(bool now) {
  if (!now && steady_clock::now() < anchor_due_) return;
  const audit::Head head = store_.log.head();
  if (head.size > anchored()) {
    const absl::Status status = store_.anchor.Write(
        {head.size, std::string(crypto::AsBytes(head.root))});
    if (status.ok()) {
      anchored_.store(head.size, std::memory_order_release);
    } else {
      broken_.store(true, std::memory_order_release);
    }
  }
  anchor_due_ = steady_clock::now() + options_.anchor_delay;
}

}  // namespace hizo::vault
