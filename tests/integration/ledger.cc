#include "tests/integration/ledger.h"

#include "service/base/ids.h"

namespace hizo::test {
namespace {

// That a password was wrong is kept, too, and forgotten again: what these calls
// write depends on what was tried before.
bool MayWriteOrNot(policy::Action action) {
  using policy::Action;
  return action == Action::kCredentialVerify ||
         action == Action::kCredentialChange ||
         action == Action::kCredentialUnlock ||
         action == Action::kCredentialRevoke;
}

}  // namespace

void Ledger::Sent(const std::string& request, Kind kind) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[request];
  entry.kind = kind;
  ++entry.sent;
}

void Ledger::Answered(const std::string& request) {
  const std::lock_guard lock(mutex_);
  ++entries_[request].answered;
}

void Ledger::Refused(const std::string& request) {
  const std::lock_guard lock(mutex_);
  --entries_[request].sent;
}

void Ledger::Saw(const std::string& request, Found found) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[request];
  ++(found == Found::kDone ? entry.done : entry.not_done);
}

std::vector<std::string> Ledger::Compare(
    const std::vector<audit::Event>& events) const {
  struct Logged {
    size_t events = 0;
    size_t effects = 0;
  };
  std::map<std::string, Logged> log;
  std::vector<std::string> wrong;
  for (const audit::Event& event : events) {
    if (!event.request.has_value()) continue;
    Logged& logged = log[base::ToText(*event.request)];
    ++logged.events;
    if (!event.writes.empty() && !MayWriteOrNot(event.action)) {
      ++logged.effects;
    }
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [request, entry] : entries_) {
    const Logged logged = log[request];
    const auto expect = [&](bool holds, const char* what) {
      if (!holds) wrong.push_back(request + ": " + what);
    };
    expect(logged.events >= entry.answered + entry.done,
           "a call was answered or done without an event");
    expect(logged.events + entry.not_done <= entry.sent,
           "there is an event of a call that was not made, or not done");
    expect(logged.effects <= 1, "a write took effect twice");
    expect(
        entry.kind == Kind::kRead || entry.answered == 0 || logged.effects > 0,
        "an answered write never took effect");
    expect(entry.kind == Kind::kWrite || logged.effects == 0,
           "a read had an effect");
  }
  for (const auto& [request, logged] : log) {
    if (!entries_.contains(request)) wrong.push_back(request + ": is unknown");
  }
  return wrong;
}

size_t Ledger::answered() const {
  const std::lock_guard lock(mutex_);
  size_t count = 0;
  for (const auto& [request, entry] : entries_) count += entry.answered;
  return count;
}

size_t Ledger::unanswered() const {
  const std::lock_guard lock(mutex_);
  size_t count = 0;
  for (const auto& [request, entry] : entries_) {
    count += entry.sent - entry.answered;
  }
  return count;
}

}  // namespace hizo::test
