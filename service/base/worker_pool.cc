#include "service/base/worker_pool.h"

#include <sys/resource.h>
#include <unistd.h>

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

}  // namespace

WorkerPool::WorkerPool(const Options& options) : queue_max_(options.queue_max) {
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

void WorkerPool::Run(int nice) {
  AddNice(nice);
  for (;;) {
    std::function<void()> work;
    {
      const MutexLock lock(mutex_);
      while (queue_.empty() && !closing_) changed_.wait(mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
      ++busy_;
    }
    const auto begin = std::chrono::steady_clock::now();
    work();
    NoteDone(std::chrono::steady_clock::now() - begin);
  }
}

}  // namespace hizo::base
