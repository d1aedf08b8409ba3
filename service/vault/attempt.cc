#include "service/vault/attempt.h"

#include <functional>
#include <utility>

#include "service/base/reason.h"

namespace hizo::vault {

VersionToken TokenOf(std::string_view storage_key) {
  return std::hash<std::string_view>{}(storage_key);
}

absl::StatusOr<std::optional<std::string>> Attempt::Read(
    const storage::Reader& store, std::string_view key) {
  relied_.push_back(TokenOf(key));
  return store.Get(key);
}

absl::StatusOr<std::vector<storage::Row>> Attempt::Scan(
    const storage::Reader& store, const storage::ScanRange& range,
    std::string_view name) {
  relied_.push_back(TokenOf(name));
  return store.Scan(range);
}

void Attempt::BeginAnotherEvent() {
  audit::Event next = event_;
  next.subject.reset();
  next.fields.clear();
  next.writes.clear();
  next.records = 0;
  next.outcome = audit::Outcome::kFailed;
  next.reason = base::Reason::kInternal;
  earlier_.push_back(std::move(event_));
  event_ = std::move(next);
}

void Attempt::Conclude(const absl::Status& status) {
  status_ = status;
  if (status.ok()) return;
  const base::Reason reason = base::ReasonOf(status);
  // Who tries an address that is taken learns that it is.
  if (reason == base::Reason::kAlreadyExists) NoteMiss();
  keys_ = storage::Batch();
  data_ = storage::Batch();
  also_changed_.clear();
  effect_.reset();
  answer_.clear();
  earlier_.clear();  // nothing of the call is shown, so one event tells it
  event_.writes.clear();
  event_.records = 0;
  if (event_.outcome == audit::Outcome::kDenied) return;
  event_.outcome = audit::Outcome::kFailed;
  event_.reason = reason;
}

std::unique_ptr<Attempt> NewOwnAttempt(uint64_t position, base::TenantId tenant,
                                       policy::Action action) {
  audit::Event event;
  event.tenant = tenant;
  event.actor = kOwnActor;
  event.action = action;
  event.outcome = audit::Outcome::kAllowed;
  event.reason = base::Reason::kNone;
  return std::make_unique<Attempt>(position, std::move(event));
}

}  // namespace hizo::vault
