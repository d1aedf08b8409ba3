#include "service/vault/purges.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "service/base/status_macros.h"

namespace hizo::vault {
namespace {

using base::Reason;
using policy::Action;

Reason ReasonOfFailure(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
      return Reason::kTooLarge;
    case absl::StatusCode::kAborted:
      return Reason::kConflict;
    default:
      return base::ReasonOf(status);
  }
}

}  // namespace

absl::StatusOr<Purge> Purges::Begin(Attempt& attempt, const Call& call) {
  RETURN_IF_ERROR(parts_.gate.AdmitStore(attempt, call));
  if (Note(call.now)) background_.BeginAfter(attempt, [this] { Run(); });
  const base::MutexLock lock(mutex_);
  return *newest_;
}

void Purges::BeginOwn() {
  if (Note(parts_.clock.Now())) background_.Begin([this] { Run(); });
}

std::optional<Purge> Purges::Newest() const {
  const base::MutexLock lock(mutex_);
  return newest_;
}

bool Purges::busy() const {
  const base::MutexLock lock(mutex_);
  return newest_.has_value() && !newest_->ended.has_value();
}

bool Purges::Note(base::Timestamp now) {
  const base::MutexLock lock(mutex_);
  if (newest_.has_value() && !newest_->ended.has_value()) return false;
  newest_.emplace().begun = now;
  return true;
}

void Purges::Run() {
  storage::PurgeReport report;
  const absl::Status status = DoWork(report);
  Purge purge = *Newest();
  purge.report = report;
  purge.reason = status.ok() ? Reason::kNone : ReasonOfFailure(status);
  // Who is told what came of it finds it in the log.
  const absl::Status recorded = Record(purge);
  if (!recorded.ok()) purge.reason = base::ReasonOf(recorded);
  purge.ended = parts_.clock.Now();
  const base::MutexLock lock(mutex_);
  newest_ = purge;
}

absl::Status Purges::DoWork(storage::PurgeReport& report) {
  for (storage::Engine* const engine : {&parts_.keys, &parts_.data}) {
    ASSIGN_OR_RETURN(const storage::PurgeReport of, engine->Purge(stop_));
    report.files_rewritten += of.files_rewritten;
    report.files_left += of.files_left;
    report.read_meanwhile = report.read_meanwhile || of.read_meanwhile;
    report.bytes += of.bytes;
  }
  return absl::OkStatus();
}

absl::Status Purges::Record(const Purge& purge) {
  auto attempt = NewOwnAttempt(parts_.committer.position(),
                               base::TenantId::kStore, Action::kStorePurge);
  audit::Event& event = attempt->event();
  event.records = static_cast<uint32_t>(std::min<uint64_t>(
      purge.report.files_rewritten, std::numeric_limits<uint32_t>::max()));
  if (purge.reason != Reason::kNone || !purge.report.sound()) {
    event.outcome = audit::Outcome::kFailed;
    event.reason =
        purge.reason == Reason::kNone ? Reason::kConflict : purge.reason;
  }
  return parts_.committer.Commit(std::move(attempt));
}

}  // namespace hizo::vault
