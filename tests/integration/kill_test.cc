// The real hizod is killed with SIGKILL at random moments, while it serves a
// mixed load and while it starts, again and again. What it acknowledged is
// there afterwards, what it did not is there wholly or not at all, and its log
// tells of exactly what was done. The memory of what must be there lies in this
// process.
//
// HIZO_KILL_ROUNDS says how often, HIZO_KILL_SEED repeats a run's choices.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <latch>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/caretaker.h"
#include "tests/integration/store_check.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr size_t kRounds = 25;
constexpr size_t kStops = 3;
constexpr size_t kCaretakers = 4;
constexpr size_t kAnswersMax = 60;  // before the kill
constexpr size_t kVerifiedEach = 3;
constexpr size_t kStartsKilledOneIn = 4;
constexpr std::chrono::milliseconds kKillDelayMax{8};
constexpr std::chrono::milliseconds kStartMax{80};
constexpr std::chrono::seconds kReadyMax{10};
constexpr std::chrono::seconds kStopMax{10};
constexpr std::chrono::minutes kPatience{2};
// The log is read as a whole this often in a run.
constexpr size_t kLogChecks = 25;

uint64_t NumberFrom(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class KillTest : public ::testing::Test {
 protected:
  KillTest()
      : seed_(NumberFrom("HIZO_KILL_SEED", std::random_device()())),
        random_(seed_) {
    std::cout << "HIZO_KILL_SEED=" << seed_ << std::endl;
    HizodProcess::Init(files_);
    for (size_t i = 0; i < kCaretakers; ++i) {
      caretakers_.push_back(std::make_unique<Caretaker>(
          ledger_, "c" + std::to_string(i), random_()));
    }
  }

  size_t Below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }
  // Goes on after a random time of less than `bound`.
  void WaitUpTo(std::chrono::microseconds bound) {
    const std::chrono::microseconds time(
        Below(static_cast<size_t>(bound.count())));
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [] { return false; });
  }

  void KillOneThatStarts() {
    HizodProcess hizod(files_);
    WaitUpTo(kStartMax);
    hizod.Kill();
  }
  void WaitUntilReady(HizodProcess& hizod) {
    const auto begin = steady_clock::now();
    ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
    slowest_ = std::max(slowest_, steady_clock::now() - begin);
    if (verifier_key_.empty()) {
      verifier_key_ = VerifierKeyFrom(hizod.As("acme/auditor"));
    }
  }
  // Everybody settles what was cut off, looks around and works; `end` comes in
  // the middle of the work and ends it.
  template <typename End>
  void ServeUntil(HizodProcess& hizod, End end) {
    ASSERT_NO_FATAL_FAILURE(WaitUntilReady(hizod));
    const Peer peer = hizod.As("acme/full");
    answers_ = 0;
    const auto go_on = [this] {
      const std::lock_guard lock(mutex_);
      ++answers_;
      changed_.notify_all();
      return true;
    };
    std::latch settled(kCaretakers);
    std::vector<std::jthread> threads;
    for (const auto& owned : caretakers_) {
      threads.emplace_back([&, &caretaker = *owned] {
        caretaker.Settle(peer);
        caretaker.Verify(peer, kVerifiedEach);
        settled.arrive_and_wait();
        caretaker.Work(peer, go_on);
      });
    }
    const size_t enough = 1 + Below(kAnswersMax);
    {
      std::unique_lock lock(mutex_);
      EXPECT_TRUE(changed_.wait_for(lock, kPatience,
                                    [&] { return answers_ >= enough; }));
    }
    WaitUpTo(kKillDelayMax);
    end();
  }
  void ServeUntilKilled() {
    HizodProcess hizod(files_);
    ServeUntil(hizod, [&] { hizod.Kill(); });
  }

  // Of a copy, so that hizod finds what the kill left.
  void CheckCopy() {
    app::Config config = files_.LoadConfig();
    const fs::path copy = files_.directory() / "copy";
    fs::remove_all(copy);
    fs::create_directory(copy);
    fs::copy(config.storage_data_dir, copy / "data");
    fs::copy(config.storage_keys_dir, copy / "keys");
    config.storage_data_dir = copy / "data";
    config.storage_keys_dir = copy / "keys";
    CheckRecordsAndLog(*OpenStores(config).data, verifier_key_, ledger_);
  }
  // Everybody looks after everybody once more, and the stores are whole.
  void CheckEverything() {
    {
      HizodProcess hizod(files_);
      ASSERT_NO_FATAL_FAILURE(WaitUntilReady(hizod));
      const Peer peer = hizod.As("acme/full");
      std::vector<std::jthread> threads;
      for (const auto& owned : caretakers_) {
        threads.emplace_back([&, &caretaker = *owned] {
          caretaker.Settle(peer);
          caretaker.Verify(peer, caretaker.people());
        });
      }
      threads.clear();
      EXPECT_EQ(hizod.Stop(), 0);
    }
    const StoppedStores stores = OpenStores(files_.LoadConfig());
    CheckRecordsAndLog(*stores.data, verifier_key_, ledger_);
    size_t people = 0;
    for (const auto& caretaker : caretakers_) people += caretaker->people();
    CheckNothingIsLeftOver(stores, people);
    EXPECT_LT(slowest_, kReadyMax);
    using std::chrono::milliseconds;
    std::cout << ledger_.answered() << " calls answered, "
              << ledger_.unanswered() << " not; slowest start "
              << std::chrono::duration_cast<milliseconds>(slowest_).count()
              << " ms" << std::endl;
  }

  const uint64_t seed_;
  std::mt19937_64 random_;
  VaultFiles files_;
  Ledger ledger_;
  std::vector<std::unique_ptr<Caretaker>> caretakers_;
  std::string verifier_key_;
  steady_clock::duration slowest_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t answers_ = 0;
};

TEST_F(KillTest, LosesNothingAcknowledgedAndLeavesNothingByHalves) {
  const size_t rounds = NumberFrom("HIZO_KILL_ROUNDS", kRounds);
  const size_t check_every = std::max<size_t>(1, rounds / kLogChecks);
  for (size_t round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    if (Below(kStartsKilledOneIn) == 0) KillOneThatStarts();
    ASSERT_NO_FATAL_FAILURE(ServeUntilKilled());
    if (round % check_every == 0) {
      ASSERT_NO_FATAL_FAILURE(CheckCopy());
    }
  }
  CheckEverything();
}

TEST_F(KillTest, StopsUnderLoadWithoutLosingAnythingWhenToldTo) {
  for (size_t stop = 0; stop < kStops && !HasFailure(); ++stop) {
    HizodProcess hizod(files_);
    ASSERT_NO_FATAL_FAILURE(ServeUntil(hizod, [&] {
      const auto begin = steady_clock::now();
      EXPECT_EQ(hizod.Stop(), 0) << hizod.process().output();
      EXPECT_LT(steady_clock::now() - begin, kStopMax);
    }));
  }
  CheckEverything();
}

}  // namespace
}  // namespace hizo::test
