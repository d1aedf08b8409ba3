// CallerWaits: how long a caller has to wait before it may try passwords again.
//
// Who guesses tries one password with many people, so that none of them has to
// wait (guesses.h); what shows is that one caller is wrong so often. A caller
// may be wrong `misses_per_minute` times at once and gets them back evenly.
// Once they are used up nobody signs in through it for a while: one second, and
// twice as long each time that it happens again within the hour, up to
// kCallerWaitMax. After the wait it has half of them back at once, so that
// somebody who goes on for ever slows a shop's customers down but does not keep
// them out.
//
// The state lies in a row that is written with each wrong password, in its
// commit: no restart forgets it.
//
// Threads: all methods may be called concurrently. Lifetime: what Services
// refers to outlives it.
#ifndef HIZO_SERVICE_VAULT_CALLER_WAITS_H_
#define HIZO_SERVICE_VAULT_CALLER_WAITS_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/policy/access_table.h"
#include "service/vault/attempt.h"
#include "service/vault/services.h"

namespace hizo::vault {

inline constexpr std::chrono::seconds kCallerWaitFirst{1};
inline constexpr std::chrono::seconds kCallerWaitMax{60};
// Waits of so long ago make the next one no longer.
inline constexpr std::chrono::hours kCallerWaitCounts{1};

class CallerWaits {
 public:
  // `per_minute` is for callers whose roles say nothing; 0 is no limit.
  CallerWaits(const Services& services, uint32_t per_minute)
      : services_(services),
        per_minute_(per_minute),
        states_(services.access.principals().size()) {}

  // kRateLimited, with the time after which to come back, if the caller has to
  // wait.
  absl::Status Check(const policy::Principal& caller,
                     base::Timestamp now) const;
  // Counts a wrong password, as part of the Attempt.
  absl::Status Count(Attempt& attempt, const policy::Principal& caller,
                     base::Timestamp now) const;
  // Forgets all of the caller's, as part of the Attempt; how long it would have
  // had to wait.
  absl::StatusOr<std::chrono::seconds> Unlock(Attempt& attempt,
                                              const policy::Principal& caller,
                                              base::Timestamp now) const;
  struct Waiting {
    std::string caller;
    base::Timestamp until;
  };
  // Who has to wait, in the order of the access table.
  absl::StatusOr<std::vector<Waiting>> All(base::Timestamp now) const;

 private:
  struct State {
    bool loaded = false;
    int64_t paid_back_at = 0;  // microseconds; what is spent lies after now
    int64_t wait_until = 0;
    int64_t last_wait = 0;  // when it began
    uint32_t waits = 0;     // in a row
  };
  class Reload;
  std::string KeyOf(const policy::Principal& caller) const;
  absl::Status Load(const policy::Principal& caller, State& state) const;
  static std::string Encode(const State& state);
  static void Note(State& state, int64_t cost, int64_t now);
  static int64_t WaitOf(const State& state, base::Timestamp now);

  const Services& services_;
  const uint32_t per_minute_;
  mutable base::Mutex mutex_;
  mutable std::vector<State> states_ HIZO_GUARDED_BY(mutex_);  // by index
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_CALLER_WAITS_H_
