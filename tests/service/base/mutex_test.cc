#include "service/base/mutex.h"

#include <thread>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"

namespace hizo::base {
namespace {

static_assert(!std::is_copy_constructible_v<MutexLock>);
static_assert(!std::is_copy_assignable_v<MutexLock>);

class Counter {
 public:
  void Add() {
    {
      const MutexLock lock(mutex_);
      ++count_;
    }
    changed_.notify_all();
  }
  int WaitFor(int count) {
    const MutexLock lock(mutex_);
    while (count_ < count) changed_.wait(mutex_);
    return count_;
  }

 private:
  Mutex mutex_;
  Condition changed_;
  int count_ HIZO_GUARDED_BY(mutex_) = 0;
};

TEST(MutexTest, NoIncrementIsLost) {
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  Counter counter;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&counter] {
        for (int j = 0; j < kEach; ++j) counter.Add();
      });
    }
  }
  EXPECT_EQ(counter.WaitFor(0), kThreads * kEach);
}

TEST(MutexTest, WaitingLetsOthersIn) {
  Counter counter;
  std::jthread waiter([&counter] { EXPECT_GE(counter.WaitFor(3), 3); });
  for (int i = 0; i < 3; ++i) counter.Add();
}

TEST(MutexTest, LockEndsWithItsScope) {
  Mutex mutex;
  { const MutexLock lock(mutex); }
  const MutexLock again(mutex);
}

}  // namespace
}  // namespace hizo::base
