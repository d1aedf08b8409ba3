// Background: work that a call begins and does not wait for, such as a backup.
// It is done on a thread of its own, at low priority, one piece after the
// other.
//
// Threads: may be called concurrently. Lifetime: the destructor waits for what
// was begun; whoever owns it sees to it that that ends.
#ifndef HIZO_SERVICE_VAULT_BACKGROUND_H_
#define HIZO_SERVICE_VAULT_BACKGROUND_H_

#include <functional>

#include "service/base/worker_pool.h"
#include "service/vault/attempt.h"

namespace hizo::vault {

class Background {
 public:
  Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Begins `work` when the attempt that asks for it is over, whatever became of
  // it: so its event is in the log before that of the work. One piece may wait;
  // the caller begins no more.
  void BeginAfter(Attempt& attempt, std::function<void()> work);
  // The same, at once, where no call asks for it.
  void Begin(std::function<void()> work) { pool_.Submit(std::move(work)); }

 private:
  class Start;
  base::WorkerPool pool_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_BACKGROUND_H_
