// BorrowedEngine: an engine that somebody else owns, for whoever must be given
// one. Lifetime: the other outlives it.
#ifndef HIZO_TESTS_TESTING_BORROWED_ENGINE_H_
#define HIZO_TESTS_TESTING_BORROWED_ENGINE_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/engine.h"

namespace hizo::test {

class BorrowedEngine : public storage::Engine {
 public:
  explicit BorrowedEngine(storage::Engine& engine) : engine_(engine) {}
  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const override {
    return engine_.Get(key);
  }
  absl::StatusOr<std::vector<storage::Row>> Scan(
      const storage::ScanRange& range) const override {
    return engine_.Scan(range);
  }
  absl::Status Commit(const storage::Batch& batch) override {
    return engine_.Commit(batch);
  }
  absl::StatusOr<std::unique_ptr<storage::Snapshot>> NewSnapshot()
      const override {
    return engine_.NewSnapshot();
  }
  absl::Status Health() const override { return engine_.Health(); }
  bool OnlyReserveLeft() const override { return engine_.OnlyReserveLeft(); }
  absl::StatusOr<storage::PurgeReport> Purge(std::atomic<bool>& stop) override {
    return engine_.Purge(stop);
  }

 private:
  storage::Engine& engine_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_BORROWED_ENGINE_H_
