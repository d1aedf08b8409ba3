#include "storage/memory/engine.h"

#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "storage/bounds.h"

namespace hizo::storage {
namespace {

// std::string compares as unsigned bytes: char_traits<char>::lt says so.
using Rows = std::map<std::string, std::string, std::less<>>;

std::optional<std::string> Find(const Rows& rows, std::string_view key) {
  const auto row = rows.find(key);
  if (row == rows.end()) return std::nullopt;
  return row->second;
}

template <typename Iterator>
std::vector<Row> Take(Iterator begin, Iterator end, const ScanRange& range) {
  std::vector<Row> found;
  size_t bytes = 0;
  for (; begin != end && found.size() < range.limit && bytes < range.bytes;
       ++begin) {
    found.push_back({begin->first, begin->second});
    bytes += begin->second.size();
  }
  return found;
}

absl::StatusOr<std::vector<Row>> Find(const Rows& rows,
                                      const ScanRange& range) {
  if (absl::Status status = CheckBounds(range); !status.ok()) return status;
  if (IsEmpty(range)) return std::vector<Row>();
  const auto begin = rows.lower_bound(range.from);
  const auto end =
      range.until.empty() ? rows.end() : rows.lower_bound(range.until);
  if (!range.reverse) return Take(begin, end, range);
  return Take(std::make_reverse_iterator(end),
              std::make_reverse_iterator(begin), range);
}

// A whole copy: slow and plainly right.
class MemorySnapshot : public Snapshot {
 public:
  explicit MemorySnapshot(Rows rows) : rows_(std::move(rows)) {}

  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const override {
    return Find(rows_, key);
  }
  absl::StatusOr<std::vector<Row>> Scan(const ScanRange& range) const override {
    return Find(rows_, range);
  }

 private:
  const Rows rows_;
};

class MemoryEngine : public Engine {
 public:
  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const override {
    std::shared_lock lock(mutex_);
    return Find(rows_, key);
  }

  absl::StatusOr<std::vector<Row>> Scan(const ScanRange& range) const override {
    std::shared_lock lock(mutex_);
    return Find(rows_, range);
  }

  absl::Status Commit(const Batch& batch) override {
    if (absl::Status status = CheckBounds(batch); !status.ok()) return status;
    std::unique_lock lock(mutex_);
    for (const Batch::Precondition& required : batch.preconditions()) {
      if (Find(rows_, required.key) != required.value) {
        return absl::AbortedError("a precondition of the batch failed");
      }
    }
    for (const Batch::Write& write : batch.writes()) {
      if (write.value.has_value()) {
        rows_.insert_or_assign(write.key, *write.value);
      } else {
        rows_.erase(write.key);
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<Snapshot>> NewSnapshot() const override {
    std::shared_lock lock(mutex_);
    return std::make_unique<MemorySnapshot>(rows_);
  }

  absl::Status Health() const override { return absl::OkStatus(); }
  bool OnlyReserveLeft() const override { return false; }
  // It has no files.
  absl::StatusOr<PurgeReport> Purge(std::atomic<bool>&) override {
    return PurgeReport();
  }

 private:
  mutable std::shared_mutex mutex_;
  Rows rows_;
};

}  // namespace

std::unique_ptr<Engine> NewMemoryEngine() {
  return std::make_unique<MemoryEngine>();
}

}  // namespace hizo::storage
