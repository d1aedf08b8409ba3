// CallerLoad: how many calls each caller has under way, so that none holds all
// places there are.
//
// Threads: all methods may be called concurrently.
#ifndef HIZO_SERVICE_RPC_CALLER_LOAD_H_
#define HIZO_SERVICE_RPC_CALLER_LOAD_H_

#include <cstddef>
#include <string>
#include <unordered_map>

#include "service/base/mutex.h"

namespace hizo::rpc {

class CallerLoad {
 public:
  explicit CallerLoad(size_t calls_max) : calls_max_(calls_max) {}
  CallerLoad(const CallerLoad&) = delete;
  CallerLoad& operator=(const CallerLoad&) = delete;

  // False, and nothing noted, if `actor` has as many as it may. Those whose
  // certificate names nobody are one caller.
  bool Begin(const std::string& actor);
  // Of a call that Begin let through.
  void End(const std::string& actor);

 private:
  const size_t calls_max_;
  base::Mutex mutex_;
  std::unordered_map<std::string, size_t> calls_ HIZO_GUARDED_BY(mutex_);
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_CALLER_LOAD_H_
