// Attempt: all that one call read, decided, wrote and wants to answer.
//
// A use case reads through its Attempt, which so knows what the answer relies
// on; it writes into the Attempt's batches; its one audit event is there from
// the start. Nothing of it has happened until the committer has made it
// durable, and the answer comes out only against a CommitReceipt, which only
// the committer makes. An Attempt that is dropped leaves no trace, so it never
// is: dispatch submits every one, whatever became of the use case.
//
// Threads: one thread at a time.
#ifndef HIZO_SERVICE_VAULT_ATTEMPT_H_
#define HIZO_SERVICE_VAULT_ATTEMPT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/audit/event.h"
#include "storage/engine.h"

namespace hizo::vault {

// VersionToken stands for a storage key (or a range that has a name) in the
// committer's table of versions. Two keys may share one: that costs a re-run.
using VersionToken = uint64_t;
VersionToken TokenOf(std::string_view storage_key);

// CommitReceipt proves that an Attempt is durable. Only the Committer has one,
// and it cannot be copied, built from braces or from bytes.
class CommitReceipt {
 public:
  CommitReceipt(const CommitReceipt&) = delete;
  CommitReceipt& operator=(const CommitReceipt&) = delete;
  uint64_t position() const { return positions_.front(); }

 private:
  friend class Committer;
  explicit CommitReceipt(uint64_t position) : positions_{position} {}
  std::vector<uint64_t> positions_;
};

class Attempt {
 public:
  // What ends with an attempt, whatever becomes of it.
  class Held {
   public:
    Held() = default;
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    virtual ~Held() = default;
  };

  // What changes in this process once an attempt is durable.
  class Effect {
   public:
    Effect() = default;
    Effect(const Effect&) = delete;
    Effect& operator=(const Effect&) = delete;
    virtual ~Effect() = default;
    // On the committer's thread, before anybody can see the commit.
    virtual void Happen() = 0;
  };

  // `position` is Committer::position() from before the first read.
  Attempt(uint64_t position, audit::Event event)
      : position_(position), event_(std::move(event)) {}
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  // Reads a row and relies on it staying as it is until the commit.
  absl::StatusOr<std::optional<std::string>> Read(const storage::Reader& store,
                                                  std::string_view key);
  // Reads rows and relies on whatever writers declare with AlsoChanges(name).
  absl::StatusOr<std::vector<storage::Row>> Scan(
      const storage::Reader& store, const storage::ScanRange& range,
      std::string_view name);
  // Relies on a row without reading it here.
  void ReliesOn(std::string_view key) { relied_.push_back(TokenOf(key)); }

  // What will be written; every key written counts as changed.
  storage::Batch& keys() { return keys_; }
  storage::Batch& data() { return data_; }
  // Declares a change to a range that Scan relied on by name.
  void AlsoChanges(std::string_view name) {
    also_changed_.push_back(TokenOf(name));
  }

  audit::Event& event() { return event_; }
  const audit::Event& event() const { return event_; }

  // Lays the present event aside and begins another like it: for a call whose
  // answer concerns several people, each of whom has an event.
  void BeginAnotherEvent();

  // The answer tells that somebody is not there, or is whom the caller may not
  // have: who asks too many of those is slowed down.
  void NoteMiss() { missed_ = true; }
  bool missed() const { return missed_; }

  // Ends the use case: a failure takes back all writes and any answer, and is
  // noted in the event unless the gate has noted a refusal there.
  void Conclude(const absl::Status& status);
  // Keeps the answer until the commit.
  void Withhold(std::string answer) { answer_ = std::move(answer); }
  std::string Release(const CommitReceipt&) && { return std::move(answer_); }

  // What it holds until it is answered.
  size_t bytes() const {
    return keys_.bytes() + data_.bytes() + answer_.size();
  }
  // Keeps `what` until the attempt is over, committed or not.
  void Hold(std::unique_ptr<Held> what) { held_ = std::move(what); }

  // Has `effect` happen with the commit; without one, it is dropped.
  void WhenDurable(std::unique_ptr<Effect> effect) {
    effect_ = std::move(effect);
  }

  bool writes() const { return !keys_.empty() || !data_.empty(); }
  const absl::Status& status() const { return status_; }

 private:
  friend class Committer;
  const uint64_t position_;
  std::vector<VersionToken> relied_;
  std::vector<VersionToken> also_changed_;
  storage::Batch keys_;
  storage::Batch data_;
  std::vector<audit::Event> earlier_;
  audit::Event event_;
  absl::Status status_;
  bool missed_ = false;
  std::string answer_;
  std::unique_ptr<Held> held_;
  std::unique_ptr<Effect> effect_;
};

// Who acts where nobody called.
inline constexpr char kOwnActor[] = "hizod";
// An Attempt at Hizo's own work, which nobody called for: allowed.
std::unique_ptr<Attempt> NewOwnAttempt(uint64_t position, base::TenantId tenant,
                                       policy::Action action);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ATTEMPT_H_
