// Guesses: wrong passwords of late, and how long nobody may try another.
//
// Each wrong password of a person is a row of the credential class beside the
// hash, written with the event that tells of it: no crash forgets one, and
// guesses at the same time do not undo each other. What is under way counts
// before it is durable, so that many at once are not many free answers. After
// kFreeGuesses each further one doubles the wait, up to kWaitMax: whoever wants
// to keep somebody out has to go on for ever, and a new password ends it.
// Guesses in a wait are answered like wrong ones and do not make it longer.
//
// Threads: the functions and all methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_GUESSES_H_
#define HIZO_SERVICE_VAULT_GUESSES_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/base/mutex.h"
#include "service/vault/access_gate.h"
#include "service/vault/attempt.h"
#include "service/vault/record_store.h"

namespace hizo::vault {

inline constexpr size_t kFreeGuesses = 5;
inline constexpr std::chrono::seconds kWaitFirst{1};
inline constexpr std::chrono::seconds kWaitMax{15 * 60};
// A guess counts for so long.
inline constexpr std::chrono::hours kGuessCounts{24};
// More than these make the wait no longer and are not kept.
inline constexpr size_t kGuessesKept = 16;

// Until when a person with `wrong` guesses, the last of them at `last`, has to
// wait; nullopt if there is no wait. A `last` that lies ahead, by a clock that
// was put back, counts as now.
std::optional<base::Timestamp> WaitUntil(size_t wrong, base::Timestamp last,
                                         base::Timestamp now);

class Guesses {
 public:
  explicit Guesses(const RecordStore& records) : records_(records) {}

  // What is known of a person's guesses when one more begins.
  struct Known {
    std::vector<RecordStore::Listed> rows;  // of those that are over, by time
    size_t under_way = 0;                   // others that are not
    // No verdict may be given: others at the same time have used up what is
    // free, or the person has to wait.
    bool in_wait = false;
    bool crowded_out = false;
  };
  // How many of the rows count at `now`, and when the last of those was.
  struct Tally {
    size_t wrong = 0;
    base::Timestamp last{};
  };
  static absl::StatusOr<Tally> Count(const Known& known, base::Timestamp now);
  // Begins a guess, which is under way until `attempt` is over. The person has
  // a key of the credential class.
  absl::StatusOr<Known> Begin(Attempt& attempt, const AccessGrant& grant,
                              base::Timestamp now) const;
  // Notes it as wrong, and drops rows that no longer matter.
  absl::Status NoteWrong(Attempt& attempt, const AccessGrant& grant,
                         const Known& known, base::Timestamp now) const;
  // Forgets all: the password was right, or is a new one.
  void Forget(Attempt& attempt, const AccessGrant& grant,
              const Known& known) const;
  absl::Status Forget(Attempt& attempt, const AccessGrant& grant) const;
  // The rows alone, without a guess.
  absl::StatusOr<Known> Look(const AccessGrant& grant) const;

 private:
  class UnderWay;
  std::unique_ptr<Attempt::Held> Enter(const AccessGrant& grant,
                                       size_t& others) const;

  const RecordStore& records_;
  mutable base::Mutex mutex_;
  // By tenant and person; as many as attempts are under way.
  mutable std::unordered_map<std::string, size_t> under_way_
      HIZO_GUARDED_BY(mutex_);
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_GUESSES_H_
