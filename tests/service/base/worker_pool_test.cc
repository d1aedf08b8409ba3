#include "service/base/worker_pool.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hizo::base {
namespace {

using ::testing::ElementsAre;

// Occupies one thread of a pool until Release. Outlives the pool.
class Blocker {
 public:
  void Occupy(WorkerPool& pool) {
    ASSERT_TRUE(pool.Submit([this] {
      started_.set_value();
      release_.get_future().wait();
    }));
    started_.get_future().wait();
  }
  void Release() { release_.set_value(); }

 private:
  std::promise<void> started_;
  std::promise<void> release_;
};

TEST(WorkerPoolTest, RunsInOrderOfAcceptance) {
  std::vector<int> ran;
  {
    WorkerPool pool({.threads = 1, .queue_max = 3});
    for (int i = 0; i < 3; ++i) {
      while (!pool.Submit([&ran, i] { ran.push_back(i); })) {
        std::this_thread::yield();
      }
    }
  }
  EXPECT_THAT(ran, ElementsAre(0, 1, 2));
}

TEST(WorkerPoolTest, RefusesWorkWhenTheQueueIsFull) {
  Blocker blocker;
  std::promise<void> drained;
  std::atomic<int> ran = 0;
  WorkerPool pool({.threads = 1, .queue_max = 2});
  blocker.Occupy(pool);
  EXPECT_TRUE(pool.Submit([&ran] { ++ran; }));
  EXPECT_TRUE(pool.Submit([&ran] { ++ran; }));
  EXPECT_EQ(pool.queued(), 2u);
  EXPECT_FALSE(pool.Submit([&ran] { ran += 100; }));
  blocker.Release();
  while (!pool.Submit([&drained] { drained.set_value(); })) {
    std::this_thread::yield();
  }
  drained.get_future().wait();
  EXPECT_EQ(ran, 2);
}

TEST(WorkerPoolTest, ExpectsNothingOfWorkUntilItHasDoneSome) {
  Blocker blocker;
  WorkerPool pool({.threads = 1, .queue_max = 2});
  EXPECT_EQ(pool.Expected().count(), 0);
  blocker.Occupy(pool);
  EXPECT_EQ(pool.Expected().count(), 0);
  blocker.Release();
}

TEST(WorkerPoolTest, ExpectsAsLongAsWorkTookForEachThatIsBefore) {
  Blocker first;
  Blocker second;
  WorkerPool pool({.threads = 1, .queue_max = 2});
  const auto begin = std::chrono::steady_clock::now();
  first.Occupy(pool);
  const auto began = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - began <
         std::chrono::milliseconds(2)) {
  }
  first.Release();
  second.Occupy(pool);
  const std::chrono::nanoseconds took =
      std::chrono::steady_clock::now() - begin;
  // Itself and the one that runs.
  const std::chrono::nanoseconds two = pool.Expected();
  EXPECT_GE(two, 2 * std::chrono::milliseconds(2));
  EXPECT_LE(two, 2 * took);
  EXPECT_TRUE(pool.Submit([] {}));
  EXPECT_EQ(pool.Expected(), two / 2 * 3);
  second.Release();
}

TEST(WorkerPoolTest, TellsThatAThreadHasNothingToDoAndGoesOn) {
  std::promise<void> idle;
  std::atomic<int> times{0};
  WorkerPool::Options options;
  options.when_idle = [&] {
    if (++times == 1) idle.set_value();
  };
  WorkerPool pool(options);
  idle.get_future().wait();
  std::promise<void> done;
  EXPECT_TRUE(pool.Submit([&] { done.set_value(); }));
  done.get_future().wait();
  EXPECT_EQ(times, 1);
}

TEST(WorkerPoolTest, RefusedWorkIsNotTaken) {
  WorkerPool pool({.threads = 1, .queue_max = 0});
  const auto held = std::make_shared<int>(1);
  EXPECT_FALSE(pool.Submit([held] {}));
  EXPECT_EQ(held.use_count(), 1);
}

TEST(WorkerPoolTest, RunsAcceptedWorkWhileBeingDestroyed) {
  std::atomic<int> ran = 0;
  {
    WorkerPool pool({.threads = 2, .queue_max = 1000});
    for (int i = 0; i < 1000; ++i) {
      ASSERT_TRUE(pool.Submit([&ran] { ++ran; }));
    }
  }
  EXPECT_EQ(ran, 1000);
}

TEST(WorkerPoolTest, WorksOnAllThreadsAtOnce) {
  std::array<Blocker, 3> blockers;
  WorkerPool pool({.threads = 3});
  // Occupy returns once its work runs, so that all three are inside at once.
  for (Blocker& blocker : blockers) blocker.Occupy(pool);
  EXPECT_EQ(pool.queued(), 0u);
  for (Blocker& blocker : blockers) blocker.Release();
}

TEST(WorkerPoolTest, RunsNiceWithoutChangingTheCaller) {
  const auto nice_of_this_thread = [] {
    return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
  };
  const int before = nice_of_this_thread();
  std::promise<int> inside;
  WorkerPool pool({.threads = 1, .nice = 1});
  ASSERT_TRUE(pool.Submit([&] { inside.set_value(nice_of_this_thread()); }));
  EXPECT_EQ(inside.get_future().get(), std::min(before + 1, 19));
  EXPECT_EQ(nice_of_this_thread(), before);
}

TEST(WorkerPoolTest, RestsAsLongAsWorkTookThatOthersHinderedOnly) {
  using std::chrono::milliseconds;
  const auto rest = WorkerPool::RestFor;
  EXPECT_EQ(rest(milliseconds(100), milliseconds(0)), milliseconds(100));
  EXPECT_EQ(rest(milliseconds(100), milliseconds(74)), milliseconds(100));
  EXPECT_EQ(rest(milliseconds(100), milliseconds(75)), milliseconds(0));
  EXPECT_EQ(rest(milliseconds(100), milliseconds(100)), milliseconds(0));
  EXPECT_EQ(rest(milliseconds(0), milliseconds(0)), milliseconds(0));
}

TEST(WorkerPoolTest, RestsBeforeItGoesOn) {
  using std::chrono::steady_clock;
  WorkerPool pool({.threads = 1, .rests = true});
  Blocker blocker;
  blocker.Occupy(pool);
  const auto occupied = steady_clock::now();
  std::promise<steady_clock::time_point> next;
  ASSERT_TRUE(pool.Submit([&] { next.set_value(steady_clock::now()); }));
  while (steady_clock::now() - occupied < std::chrono::milliseconds(20)) {
  }
  const auto released = steady_clock::now();
  blocker.Release();
  // It had nothing of a processor while it was held.
  EXPECT_GE(next.get_future().get() - released, released - occupied);
  EXPECT_GE(pool.Expected(), released - occupied);
}

TEST(WorkerPoolTest, ItsEndWaitsForNoRest) {
  Blocker blocker;
  std::atomic<int> ran = 0;
  {
    WorkerPool pool({.threads = 1, .rests = true});
    blocker.Occupy(pool);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.Submit([&] { ++ran; }));
    blocker.Release();
  }
  EXPECT_EQ(ran, 3);
}

TEST(WorkerPoolTest, SubmitsFromManyThreadsLoseNothing) {
  std::atomic<int> ran = 0;
  std::atomic<int> accepted = 0;
  {
    WorkerPool pool({.threads = 2, .queue_max = 8});
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        for (int j = 0; j < 500; ++j) {
          if (pool.Submit([&ran] { ++ran; })) ++accepted;
        }
      });
    }
  }
  EXPECT_EQ(ran, accepted);
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace hizo::base
