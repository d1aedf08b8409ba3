// Ledger: which calls were made and what their callers were told, kept outside
// of the vault that is killed, to be held against its audit log afterwards.
// Calls are known by their request ids.
//
// Threads: every method may be called concurrently.
#ifndef HIZO_TESTS_INTEGRATION_LEDGER_H_
#define HIZO_TESTS_INTEGRATION_LEDGER_H_

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "service/audit/event.h"

namespace hizo::test {

class Ledger {
 public:
  enum class Kind { kRead, kWrite };

  // A call goes out; the same id again is a repeat of the same request.
  void Sent(const std::string& request, Kind kind);
  // The vault answered it, with whatever.
  void Answered(const std::string& request);
  // The vault said that nothing of it happened, its event included.
  void Refused(const std::string& request);
  // What the people it concerned showed of a write that was not answered,
  // after the vault came back and before anybody repeated it.
  enum class Found { kDone, kNotDone };
  void Saw(const std::string& request, Found found);

  // Everything in `events` that does not fit, one sentence each:
  // * an answered call without its event, or with more than one;
  // * an unanswered one with more events than it was sent, or a refused one
  //   with any;
  // * a write that took effect twice, or answered and never;
  // * an unanswered write that was done without an event, or not done with one;
  // * an event of a request that nobody made.
  std::vector<std::string> Compare(
      const std::vector<audit::Event>& events) const;

  size_t answered() const;
  size_t unanswered() const;

 private:
  struct Entry {
    Kind kind = Kind::kRead;
    size_t sent = 0;
    size_t answered = 0;
    size_t done = 0;      // of those not answered, as was seen
    size_t not_done = 0;  // likewise
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_LEDGER_H_
