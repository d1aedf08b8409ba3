// WorkerPool: a fixed number of threads and a bounded queue, for work that
// must not run on the threads that serve calls.
//
// Work that was accepted is run, in order of acceptance, also while the pool
// is being destroyed. Threads: Submit and queued may be called concurrently.
#ifndef HIZO_SERVICE_BASE_WORKER_POOL_H_
#define HIZO_SERVICE_BASE_WORKER_POOL_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "service/base/mutex.h"

namespace hizo::base {

class WorkerPool {
 public:
  struct Options {
    size_t threads = 1;
    size_t queue_max = 64;  // waiting, not counting what runs
    int nice = 0;           // added to the threads' nice value (Linux)
    bool rests = false;     // for work that computes: see RestFor
    // Called by a thread that had nothing to do for kIdle; not if empty. Must
    // not use the pool.
    std::function<void()> when_idle = nullptr;
  };
  static constexpr std::chrono::seconds kIdle{1};
  explicit WorkerPool(const Options& options);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();

  // Takes `work` to be run; false, and nothing taken, if the queue is full.
  bool Submit(std::function<void()> work);
  size_t queued() const;
  // How long a thread rests after work that took a time and had the processor
  // for a part of it: as long again if that is less than three quarters, for
  // then others want the processors. A low priority is not enough: Linux lets a
  // thread of low priority keep one processor for milliseconds while others
  // wait for another one.
  static std::chrono::nanoseconds RestFor(std::chrono::nanoseconds took,
                                          std::chrono::nanoseconds had);
  // How long work that is submitted now takes to be done, by what the work of
  // late took: nothing as long as none was done.
  std::chrono::nanoseconds Expected() const;

 private:
  void Run(int nice);
  // Until there is work or the end.
  void AwaitWork() HIZO_REQUIRES(mutex_);
  void Rest(std::chrono::nanoseconds time);
  void RunOne(const std::function<void()>& work);
  void NoteDone(std::chrono::nanoseconds took);
  const size_t queue_max_;
  const bool rests_;
  const std::function<void()> when_idle_;
  mutable Mutex mutex_;
  Condition changed_;
  Condition closed_;
  std::deque<std::function<void()>> queue_ HIZO_GUARDED_BY(mutex_);
  bool closing_ HIZO_GUARDED_BY(mutex_) = false;
  size_t busy_ HIZO_GUARDED_BY(mutex_) = 0;  // threads at work
  // Of what was done, the later the more.
  std::chrono::nanoseconds average_ HIZO_GUARDED_BY(mutex_){0};
  std::vector<std::thread> threads_;
};

}  // namespace hizo::base

#endif  // HIZO_SERVICE_BASE_WORKER_POOL_H_
