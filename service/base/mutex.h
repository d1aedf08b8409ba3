// Mutex: std::mutex with clang's thread-safety annotations.
//
// std and not absl, because the thread sanitizer cannot see into Debian's
// prebuilt absl::Mutex and reports races that are none.
#ifndef HIZO_SERVICE_BASE_MUTEX_H_
#define HIZO_SERVICE_BASE_MUTEX_H_

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define HIZO_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define HIZO_THREAD_ANNOTATION(x)
#endif

#define HIZO_GUARDED_BY(x) HIZO_THREAD_ANNOTATION(guarded_by(x))
#define HIZO_REQUIRES(x) HIZO_THREAD_ANNOTATION(requires_capability(x))

namespace hizo::base {

class HIZO_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() HIZO_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() HIZO_THREAD_ANNOTATION(release_capability()) {
    mutex_.unlock();
  }

 private:
  std::mutex mutex_;
};

// MutexLock holds a mutex for its own life, and can wait on a condition.
class HIZO_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex)
      HIZO_THREAD_ANNOTATION(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() HIZO_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Condition waits with a Mutex held; callers loop on their own predicate.
using Condition = std::condition_variable_any;

}  // namespace hizo::base

#endif  // HIZO_SERVICE_BASE_MUTEX_H_
