#include "service/rpc/caller_load.h"

namespace hizo::rpc {

bool CallerLoad::Begin(const std::string& actor) {
  const base::MutexLock lock(mutex_);
  size_t& calls = calls_[actor];
  if (calls >= calls_max_) return false;
  ++calls;
  return true;
}

void CallerLoad::End(const std::string& actor) {
  const base::MutexLock lock(mutex_);
  const auto found = calls_.find(actor);
  if (found != calls_.end() && --found->second == 0) calls_.erase(found);
}

}  // namespace hizo::rpc
