// Caretaker: a caller who looks after people of its own in a vault that is
// killed now and then, and remembers what the vault acknowledged.
//
//   caretaker.Settle(peer);          // what became of the call that was cut
//   off caretaker.Verify(peer, 5);       // people are as they were
//   acknowledged caretaker.Work(peer, go_on);     // until a call is not
//   answered
//
// Each change writes a value that was never there before, and into two places
// where there are two, so that old, new and half done can be told apart.
// Whatever does not fit fails the running test.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_TESTS_INTEGRATION_CARETAKER_H_
#define HIZO_TESTS_INTEGRATION_CARETAKER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/reason.h"
#include "tests/integration/ledger.h"
#include "tests/integration/requests.h"

namespace hizo::test {

class Caretaker {
 public:
  // `name` keeps the people of several apart; `seed` chooses what is done.
  Caretaker(Ledger& ledger, std::string name, uint64_t seed);

  // Makes calls of all kinds, until one is not answered or is refused for want
  // of a disk, or until `go_on`, which is asked after each other call, says no.
  void Work(const Peer& peer, const std::function<bool()>& go_on);
  // Finds out whether the change that was not acknowledged was made, wholly or
  // not at all, and repeats it with the same request id.
  void Settle(const Peer& peer);
  // Compares up to `count` people, chosen at random, with what is remembered.
  void Verify(const Peer& peer, size_t count);

  size_t people() const { return people_.size(); }
  // Of the last call, if Work ended for it; kNone if it was not answered.
  base::Reason refused() const { return refused_; }

 private:
  enum class Kind { kCreate, kRename, kMove, kForget, kSetPassword };
  struct Person {
    std::string subject;   // empty: the creation was not acknowledged
    std::string email;     // account.email
    std::string name;      // profile.full_name
    std::string company;   // profile.company_name: the name, or deleted
    std::string password;  // empty: none
  };
  struct Change {
    Kind kind = Kind::kCreate;
    size_t person = 0;
    std::string value;
    std::string request;
    bool acknowledged = false;  // this is a repeat
  };

  void MakeOneCall(const Peer& peer);
  void Read(const Peer& peer, size_t which);
  // Sends the change, once; where it is acknowledged, the person is changed.
  void Make(const Peer& peer, const Change& change);
  void Acknowledge(const Change& change, const std::string& answer);
  bool WasDone(const Peer& peer, const Change& change);
  void CheckPerson(const Peer& peer, const Person& person);
  std::string NewValue();
  size_t Below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }

  // One call with its own request id, and its entries in the ledger.
  template <typename Response, typename Request>
  absl::StatusOr<Response> Ask(const Peer& peer, Request request);
  Reply Send(const Peer& peer, const google::protobuf::Message& request,
             const std::string& id, Ledger::Kind kind);
  // As a creation with that value makes them.
  static Person NewPerson(const std::string& subject, const std::string& value);
  static Texts ProfileOf(const Person& person);
  absl::StatusOr<std::string> Find(const Peer& peer, const std::string& email);
  absl::StatusOr<Texts> ReadProfileOf(const Peer& peer,
                                      const std::string& subject);
  absl::StatusOr<Texts> ReadRecord(const Peer& peer, const std::string& subject,
                                   const std::string& record_class,
                                   const std::vector<std::string>& fields);
  bool Opens(const Peer& peer, const std::string& subject,
             const std::string& password);

  Ledger& ledger_;
  const std::string name_;
  std::mt19937_64 random_;
  std::vector<Person> people_;
  uint64_t values_ = 0;
  std::optional<Change> unanswered_;
  bool cut_off_ = false;  // the last call ended Work
  base::Reason refused_ = base::Reason::kNone;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_CARETAKER_H_
