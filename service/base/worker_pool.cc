#include "service/base/worker_pool.h"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <utility>

namespace hizo::base {
namespace {

// Linux keeps a nice value for each thread, POSIX for the process. That it
// cannot be changed is no reason not to work.
void AddNice(int nice) {
  if (nice == 0) return;
  const auto thread = static_cast<id_t>(gettid());
  const int present = getpriority(PRIO_PROCESS, thread);
  static_cast<void>(setpriority(PRIO_PROCESS, thread, present + nice));
}

// The processor time that the calling thread has had.
std::chrono::nanoseconds ThreadTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) +
         std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

WorkerPool::WorkerPool(const Options& options)
    : queue_max_(options.queue_max),
      rests_(options.rests),
      when_idle_(options.when_idle) {
  threads_.reserve(options.threads);
  for (size_t i = 0; i < options.threads; ++i) {
    threads_.emplace_back(&WorkerPool::Run, this, options.nice);
  }
}

WorkerPool::~WorkerPool() {
  {
    const MutexLock lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  closed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::Submit(std::function<void()> work) {
  {
    const MutexLock lock(mutex_);
    if (closing_ || queue_.size() >= queue_max_) return false;
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

size_t WorkerPool::queued() const {
  const MutexLock lock(mutex_);
  return queue_.size();
}

std::chrono::nanoseconds WorkerPool::Expected() const {
  const MutexLock lock(mutex_);
  const size_t before = queue_.size() + busy_;
  const size_t threads = threads_.size();
  // Rounds that the threads need until it has had its turn.
  const size_t rounds = before / threads + 1;
  return average_ * static_cast<int64_t>(rounds);
}

void WorkerPool::NoteDone(std::chrono::nanoseconds took) {
  constexpr int kWeight = 8;
  const MutexLock lock(mutex_);
  --busy_;
  if (average_.count() == 0) average_ = took;
  average_ += (took - average_) / kWeight;
}

void WorkerPool::AwaitWork() {
  const auto idle_at = std::chrono::steady_clock::now() + kIdle;
  bool told = when_idle_ == nullptr;
  while (queue_.empty() && !closing_) {
    if (told) {
      changed_.wait(mutex_);
    } else if (changed_.wait_until(mutex_, idle_at) ==
               std::cv_status::timeout) {
      when_idle_();
      told = true;
    }
  }
}

std::chrono::nanoseconds WorkerPool::RestFor(std::chrono::nanoseconds took,
                                             std::chrono::nanoseconds had) {
  return had * 4 < took * 3 ? took : std::chrono::nanoseconds(0);
}

void WorkerPool::Rest(std::chrono::nanoseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  const MutexLock lock(mutex_);
  while (!closing_ &&
         closed_.wait_until(mutex_, until) == std::cv_status::no_timeout) {
  }
}

void WorkerPool::RunOne(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  const std::chrono::nanoseconds had_before = ThreadTime();
  work();
  const std::chrono::nanoseconds had = ThreadTime() - had_before;
  const auto took = std::chrono::steady_clock::now() - begin;
  if (rests_) Rest(RestFor(took, had));
  NoteDone(std::chrono::steady_clock::now() - begin);
}

void WorkerPool::Run(int nice) {
  AddNice(nice);
  for (;;) {
    std::function<void()> work;
    {
      const MutexLock lock(mutex_);
      AwaitWork();
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
      ++busy_;
    }
    RunOne(work);
  }
}

}  // namespace hizo::base
