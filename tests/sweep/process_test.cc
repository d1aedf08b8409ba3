// The script runs in a process of its own, which ends at its nth allocation of
// memory or its nth wish for random bytes: both cannot be had, and the process
// ends by itself. The store then opens with a sound log and nothing done by
// halves, and the same requests have one effect each.
//
// There are thousands of such n: some are chosen at random each time.
// HIZO_SWEEP_SEED repeats a choice, HIZO_SWEEP_RUNS says how many.
#include <sodium.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <new>
#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/app/out_of_memory.h"
#include "tests/integration/store_check.h"
#include "tests/sweep/script.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace {

// Counted down to the one that fails; none while it is 0.
std::atomic<int64_t> allocations_left{0};
std::atomic<int64_t> allocations{0};

void* Allocate(size_t size, size_t alignment) {
  ++allocations;
  if (allocations_left > 0 && --allocations_left == 0) {
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
  void* memory = alignment == 0
                     ? std::malloc(std::max<size_t>(size, 1))
                     : std::aligned_alloc(alignment, (size + alignment - 1) /
                                                         alignment * alignment);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size, 0); }
void* operator new[](size_t size) { return Allocate(size, 0); }
void* operator new(size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace hizo::test {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kRuns = 12;
constexpr int kExitGood = 0;
constexpr int kExitBad = 2;

uint64_t NumberFrom(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Counted down likewise; the system's own numbers otherwise.
std::atomic<int64_t> randoms_left{0};
std::atomic<int64_t> randoms{0};

void FillOrEnd(void* bytes, size_t size) {
  ++randoms;
  // As libsodium does where the system gives none.
  if (randoms_left > 0 && --randoms_left == 0) sodium_misuse();
  randombytes_sysrandom_implementation.buf(bytes, size);
}
uint32_t NumberOrEnd() {
  uint32_t number = 0;
  FillOrEnd(&number, sizeof(number));
  return number;
}
const char* NameOfSource() { return "one that ends"; }
randombytes_implementation source{.implementation_name = NameOfSource,
                                  .random = NumberOrEnd,
                                  .stir = nullptr,
                                  .uniform = nullptr,
                                  .buf = FillOrEnd,
                                  .close = nullptr};

// What a child tells its parent.
struct Shared {
  Progress progress;
  std::atomic<int64_t> count{0};
};

class SweepOfProcessesTest : public ::testing::Test {
 protected:
  SweepOfProcessesTest()
      : seed_(NumberFrom("HIZO_SWEEP_SEED", std::random_device()())) {
    std::cout << "HIZO_SWEEP_SEED=" << seed_ << std::endl;
    void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared_ = new (memory) Shared();
    fs::create_directory(first());
    EXPECT_EQ(InChild([this] { VaultFixture vault(OptionsOf(first())); }),
              kExitGood);
  }
  ~SweepOfProcessesTest() override { munmap(shared_, sizeof(Shared)); }

  fs::path first() const { return scratch_.path() / "first"; }
  static VaultFixture::Options OptionsOf(const fs::path& directory) {
    VaultFixture::Options options = Script::Options();
    options.engines = VaultFixture::Engines::kRocksDb;
    options.directory = directory;
    return options;
  }

  // This process opens no store, so that a copy of it can; its end as wait
  // tells it.
  static int InChild(const std::function<void()>& run) {
    std::cout.flush();
    const pid_t child = fork();
    if (child == 0) {
      run();
      std::cout.flush();
      _exit(HasFailure() ? kExitBad : kExitGood);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
  }

  // Runs the script in a child, which `arm` makes end on the way if it is told
  // a number other than 0; how it ended. `count` is what it counted.
  int RunScript(const fs::path& directory, const std::function<void()>& arm,
                const std::atomic<int64_t>& counter) {
    fs::copy(first(), directory, fs::copy_options::recursive);
    for (auto& told : shared_->progress.told) told = Progress::kNotAsked;
    return InChild([&] {
      randombytes_set_implementation(&source);
      app::EndWhenOutOfMemory();
      VaultFixture vault(OptionsOf(directory));
      Script script;
      const int64_t before = counter;
      arm();
      script.Run(vault, shared_->progress);
      shared_->count = counter - before;
    });
  }
  void CheckAfterwards(const fs::path& directory) {
    EXPECT_EQ(InChild([&] {
                VaultFixture vault(OptionsOf(directory));
                const std::string key = vault.store().log().verifier_key();
                {
                  Ledger ledger;
                  Script::Enter(shared_->progress, 0, ledger);
                  CheckRecordsAndLog(vault.data(), key, ledger);
                }
                Script script;
                script.RunAgain(vault);
                Ledger ledger;
                Script::Enter(shared_->progress, 1, ledger);
                CheckRecordsAndLog(vault.data(), key, ledger);
              }),
              kExitGood);
  }

  // Ends the script at some of all counts of `counter`, by `left`.
  void Run(std::atomic<int64_t>& left, const std::atomic<int64_t>& counter,
           const std::function<bool(int)>& expected) {
    ASSERT_EQ(RunScript(
                  scratch_.path() / "whole", [] {}, counter),
              kExitGood);
    const int64_t count = shared_->count;
    ASSERT_GT(count, 0);
    std::mt19937_64 random(seed_);
    const uint64_t runs = NumberFrom("HIZO_SWEEP_RUNS", kRuns);
    for (uint64_t run = 0; run < runs && !HasFailure(); ++run) {
      const int64_t n =
          std::uniform_int_distribution<int64_t>(1, count)(random);
      SCOPED_TRACE(std::to_string(n) + " of " + std::to_string(count));
      const fs::path directory = scratch_.path() / std::to_string(run);
      const int ended = RunScript(
          directory, [&left, n] { left = n; }, counter);
      // Threads take turns as they like: it may have been done before.
      EXPECT_TRUE(expected(ended) || ended == kExitGood) << ended;
      CheckAfterwards(directory);
      fs::remove_all(directory);
    }
  }

  const uint64_t seed_;
  const ScratchDirectory scratch_;
  Shared* shared_ = nullptr;
};

TEST_F(SweepOfProcessesTest, AnAllocationFails) {
  Run(allocations_left, allocations, [](int ended) {
    return WIFEXITED(ended) && WEXITSTATUS(ended) == app::kExitOutOfMemory;
  });
}

TEST_F(SweepOfProcessesTest, RandomBytesFail) {
  Run(randoms_left, randoms, [](int ended) {
    return WIFSIGNALED(ended) && WTERMSIG(ended) == SIGABRT;
  });
}

}  // namespace
}  // namespace hizo::test
