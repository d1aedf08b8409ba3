// FaultyEngine: an engine whose commits and reads fail where a test says so.
//
//   FaultyEngine engine(storage::NewMemoryEngine());
//   engine.FailCommit(2, FaultyEngine::When::kAfterApplied,
//                     absl::UnknownError("injected"));
//
// An injected kUnknown does what the contract says: everything that follows is
// refused with kUnavailable, until Restart.
//
// Threads: every method may be called concurrently.
#ifndef HIZO_TESTS_TESTING_FAULTY_ENGINE_H_
#define HIZO_TESTS_TESTING_FAULTY_ENGINE_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/engine.h"

namespace hizo::test {

class FaultyEngine : public storage::Engine {
 public:
  enum class When { kBeforeApplied, kAfterApplied };

  explicit FaultyEngine(std::unique_ptr<storage::Engine> engine);

  // The `nth` commit from now (1 is the next) fails with `status`, its batch
  // not applied or, all the same, applied. Any number of them can wait.
  void FailCommit(size_t nth, When when, absl::Status status);
  // The `nth` Get, Scan or NewSnapshot from now fails with `status`.
  void FailRead(size_t nth, absl::Status status);
  // Runs `hook` once, before the next commit is applied and outside of all
  // locks, so that it may itself use the engine: the rival in a race.
  void BeforeCommit(std::function<void()> hook);
  // As if the disk were full but for its reserve, or had room again.
  void SetOnlyReserveLeft(bool full);
  // What the next purge comes to, instead of one.
  void SetPurge(absl::StatusOr<storage::PurgeReport> report);
  // As if the process had ended and the engine been opened anew: forgets the
  // faults that still wait, and an injected kUnknown.
  void Restart();

  size_t commits() const;  // calls of Commit, failed ones too
  size_t reads() const;

  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const override;
  absl::StatusOr<std::vector<storage::Row>> Scan(
      const storage::ScanRange& range) const override;
  absl::Status Commit(const storage::Batch& batch) override;
  absl::StatusOr<std::unique_ptr<storage::Snapshot>> NewSnapshot()
      const override;
  absl::Status Health() const override;
  bool OnlyReserveLeft() const override;
  absl::StatusOr<storage::PurgeReport> Purge(std::atomic<bool>& stop) override;

 private:
  struct Fault {
    size_t at = 0;  // the number of the call
    When when = When::kBeforeApplied;
    absl::Status status;
  };

  // The fault of call number `at`, taken off `faults`.
  static std::optional<Fault> Take(std::vector<Fault>& faults, size_t at);
  absl::Status BeginRead() const;
  absl::Status CheckAlive() const;

  const std::unique_ptr<storage::Engine> engine_;
  mutable std::mutex mutex_;
  mutable std::vector<Fault> read_faults_;
  std::vector<Fault> commit_faults_;
  std::function<void()> hook_;
  mutable size_t reads_ = 0;
  size_t commits_ = 0;
  bool failed_ = false;
  bool full_ = false;
  std::optional<absl::StatusOr<storage::PurgeReport>> purge_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_FAULTY_ENGINE_H_
