#include "service/vault/retentions.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "service/base/status_macros.h"
#include "service/policy/company_policy.h"
#include "service/vault/byte_codec.h"
#include "service/vault/page_token.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using policy::ClassSpec;
using policy::Day;

constexpr PageBounds kDuePages{.standard = 100, .max = 500};
constexpr std::string_view kUnset = "RETENTION_UNSET:";
constexpr uint8_t kLossYearFormat = 1;

DueState StateOf(EntryBlock block) {
  switch (block) {
    case EntryBlock::kHeld:
      return DueState::kHeld;
    case EntryBlock::kRestricted:
      return DueState::kRestricted;
    case EntryBlock::kNone:
      break;
  }
  return DueState::kDue;
}

bool HasNoEnd(const ClassSpec& spec) {
  return !spec.internal && !spec.ends.has_value() &&
         !spec.retention.has_value();
}

uint32_t CountOf(uint64_t count) {
  return static_cast<uint32_t>(
      std::min<uint64_t>(count, std::numeric_limits<uint32_t>::max()));
}

}  // namespace

// Where a listing goes on, and as of when it is.
struct Retentions::Cursor {
  base::Timestamp as_of;
  size_t limit = 0;
  std::string from;  // key of the first row that is not told yet
};

void Retentions::AddUnset(const Services& services, const Call& call,
                          DuePage& page) {
  const auto add = [&page](std::string name) {
    page.due.push_back(
        {std::move(name), DueState::kUnset, std::nullopt, std::nullopt, 0});
  };
  if (call.company != nullptr) {
    for (const policy::Conflict& conflict : call.company->conflicts()) {
      if (!conflict.id.starts_with(kUnset)) continue;
      std::string name = conflict.id.substr(kUnset.size());
      const ClassSpec* spec = services.catalogue.FindClass(name);
      if (spec == nullptr || HasNoEnd(*spec)) add(std::move(name));
    }
    return;
  }
  for (const ClassSpec& spec : services.catalogue.classes()) {
    if (HasNoEnd(spec)) add(spec.name);
  }
}

absl::StatusOr<DuePage> Retentions::ListDue(Attempt& attempt, const Call& call,
                                            const DueInput& input) const {
  const Services& services = parts_.services;
  RETURN_IF_ERROR(services.gate.AdmitStore(attempt, call));
  Cursor cursor;
  cursor.as_of = input.as_of.value_or(call.now);
  ASSIGN_OR_RETURN(cursor.limit, PageSize(input.page_size, kDuePages));
  ByteWriter query;
  query.Put(input.as_of.has_value()
                ? static_cast<uint64_t>(base::ToMicros(*input.as_of))
                : uint64_t{0});
  const std::string query_bytes = std::move(query).Take();
  const crypto::Key& token_key =
      services.store_keys.PageTokenKey(call.tenant.id);
  DuePage page;
  if (input.page_token.empty()) {
    AddUnset(services, call, page);
  } else {
    ASSIGN_OR_RETURN(cursor.from, OpenPageToken(token_key, call, query_bytes,
                                                input.page_token));
  }
  for (const ClassSpec& spec : services.catalogue.classes()) {
    if (!spec.ends.has_value()) continue;
    if (page.due.size() >= cursor.limit) break;
    RETURN_IF_ERROR(AddDue(attempt, call, spec, cursor, page));
  }
  if (page.due.size() >= cursor.limit) {
    page.next_page_token =
        SealPageToken(token_key, call, query_bytes, cursor.from);
  }
  attempt.event().records = static_cast<uint32_t>(page.due.size());
  const base::MutexLock lock(mutex_);
  const auto run = runs_.find(call.tenant.id);
  if (run != runs_.end()) page.run = run->second;
  return page;
}

absl::Status Retentions::AddDue(Attempt& attempt, const Call& call,
                                const ClassSpec& spec, Cursor& cursor,
                                DuePage& page) const {
  const std::string prefix = EntryEndPrefix(call.tenant.id, spec.number);
  if (cursor.from >= storage::PrefixRange(prefix, 1).until) {
    return absl::OkStatus();
  }
  // The row of the prefix itself is none of an entry.
  cursor.from = std::max(cursor.from, prefix + '\0');
  while (page.due.size() < cursor.limit) {
    ASSIGN_OR_RETURN(auto due, NextDue(attempt, call.tenant.id, spec, cursor));
    if (!due.has_value()) return absl::OkStatus();
    page.due.push_back(*std::move(due));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<DueEntries>> Retentions::NextDue(
    Attempt& attempt, base::TenantId tenant, const ClassSpec& spec,
    Cursor& cursor) const {
  const Services& services = parts_.services;
  const auto range = [&](const std::string& prefix, size_t limit) {
    storage::ScanRange of = storage::PrefixRange(prefix, limit);
    of.from = std::max(of.from, cursor.from);
    return of;
  };
  for (;;) {
    ASSIGN_OR_RETURN(
        const auto first,
        services.data.Scan(range(EntryEndPrefix(tenant, spec.number), 1)));
    if (first.empty()) return std::nullopt;
    const auto entry = ParseEntryEndKey(first.front().key);
    const auto last = policy::LastDayOf(entry.has_value() ? entry->period : 0);
    if (!last.has_value()) return Fail(Reason::kIntegrityFailure);
    ASSIGN_OR_RETURN(const bool over, services.records.periods().IsOver(
                                          tenant, spec, *last, cursor.as_of));
    if (!over) {
      cursor.from = EntryEndPrefix(tenant, spec.number, entry->period + 1);
      continue;
    }
    ASSIGN_OR_RETURN(
        const EntryOwner owner,
        owners_.Find(attempt, tenant, spec.number, entry->subject));
    const std::string of_person =
        EntryEndPrefix(tenant, spec.number, entry->period) +
        std::string(entry->subject.bytes());
    ASSIGN_OR_RETURN(const auto entries,
                     services.data.Scan(range(of_person, kRecordsPerDueMax)));
    cursor.from = storage::PrefixRange(of_person, 1).until;
    ASSIGN_OR_RETURN(const bool loss,
                     services.records.periods().IsLossYear(tenant, *last));
    return DueEntries{spec.name, StateOf(owner.block), entry->subject,
                      policy::EndOf(spec, *last, loss), entries.size()};
  }
}

absl::StatusOr<RetentionRun> Retentions::Begin(
    Attempt& attempt, const Call& call, std::optional<base::Timestamp> as_of) {
  RETURN_IF_ERROR(parts_.services.gate.AdmitStore(attempt, call));
  if (as_of.value_or(call.now) > call.now) return Fail(Reason::kValueInvalid);
  const base::TenantId tenant = call.tenant.id;
  const base::MutexLock lock(mutex_);
  const auto present = runs_.find(tenant);
  if (present != runs_.end() && !present->second.ended.has_value()) {
    return present->second;
  }
  RetentionRun run;
  run.begun = call.now;
  run.as_of = as_of.value_or(call.now);
  runs_[tenant] = run;
  background_.BeginAfter(attempt, [this, tenant] { Run(tenant); });
  return run;
}

bool Retentions::busy() const {
  const base::MutexLock lock(mutex_);
  return std::ranges::any_of(
      runs_, [](const auto& of) { return !of.second.ended.has_value(); });
}

void Retentions::Run(base::TenantId tenant) {
  base::Timestamp as_of;
  {
    const base::MutexLock lock(mutex_);
    as_of = runs_[tenant].as_of;
  }
  const absl::Status status = DoWork(tenant, as_of);
  RetentionRun run;
  {
    const base::MutexLock lock(mutex_);
    run = runs_[tenant];
  }
  if (!status.ok()) run.reason = base::ReasonOf(status);
  if (status.ok() && stop_) run.reason = Reason::kConflict;
  // Who is told what came of it finds it in the log.
  const absl::Status recorded = Record(tenant, run);
  if (!recorded.ok()) run.reason = base::ReasonOf(recorded);
  run.ended = parts_.clock.Now();
  const base::MutexLock lock(mutex_);
  runs_[tenant] = run;
}

absl::Status Retentions::DoWork(base::TenantId tenant, base::Timestamp as_of) {
  RETURN_IF_ERROR(parts_.expiry.Run(as_of).status());
  ASSIGN_OR_RETURN(const size_t people, parts_.runner.Run());
  {
    const base::MutexLock lock(mutex_);
    runs_[tenant].people = people;
  }
  const base::MutexLock lock(ending_);
  const PeriodEnds::Progress progress = [&](const PeriodEnds::Counts& counts) {
    const base::MutexLock noting(mutex_);
    runs_[tenant].counts = counts;
    return !stop_;
  };
  ASSIGN_OR_RETURN(const auto counts, ends_.Run(as_of, tenant, progress));
  const base::MutexLock noting(mutex_);
  runs_[tenant].counts = counts;
  return absl::OkStatus();
}

absl::Status Retentions::Record(base::TenantId tenant,
                                const RetentionRun& run) {
  auto attempt = NewOwnAttempt(parts_.committer.position(), tenant,
                               policy::Action::kRetentionRun);
  audit::Event& event = attempt->event();
  event.records = CountOf(run.counts.entries);
  if (run.reason != Reason::kNone) {
    event.outcome = audit::Outcome::kFailed;
    event.reason = run.reason;
  }
  return parts_.committer.Commit(std::move(attempt));
}

absl::StatusOr<PeriodEnds::Counts> Retentions::EndPeriods(
    base::Timestamp now, const PeriodEnds::Progress& progress) {
  const base::MutexLock lock(ending_);
  return ends_.Run(now, std::nullopt, progress);
}

absl::StatusOr<LossYear> Retentions::MarkLossYear(
    Attempt& attempt, const Call& call, const std::string& record_class,
    const std::string& year_ends) const {
  const Services& services = parts_.services;
  RETURN_IF_ERROR(services.gate.AdmitStore(attempt, call));
  const ClassSpec* spec = services.catalogue.FindClass(record_class);
  if (spec == nullptr || !spec->retention.has_value() ||
      spec->retention->loss_years == 0) {
    return Fail(Reason::kFieldUnknown);
  }
  const policy::RetentionSpec& retention = *spec->retention;
  attempt.event().clause = retention.loss_law;
  const auto last = policy::DayFromText(year_ends);
  if (!last.has_value() || policy::FiscalYearEnd(retention, *last) != *last) {
    return Fail(Reason::kValueInvalid);
  }
  const LossYear marked{policy::KeptUntil(retention, *last, /*loss=*/true),
                        retention.loss_law};
  const std::string key = LossYearKey(call.tenant.id, policy::PeriodOf(*last));
  ASSIGN_OR_RETURN(const auto present, attempt.Read(services.data, key));
  if (present.has_value()) return marked;
  if (policy::KeptUntil(retention, *last) < policy::DayOf(call.now)) {
    return Fail(Reason::kRecordNotFound);
  }
  ByteWriter row;
  row.Put(kLossYearFormat).Put(static_cast<uint64_t>(base::ToMicros(call.now)));
  attempt.data().Put(key, std::move(row).Take());
  return marked;
}

}  // namespace hizo::vault
