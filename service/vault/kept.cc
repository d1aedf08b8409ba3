#include "service/vault/kept.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/row_keys.h"
#include "service/vault/value.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using policy::Day;

constexpr size_t kRecordsAtOnce = 1000;

// When what the record is about was; nullopt if it does not say. One that was
// written before its class was to be dated may lack the date.
absl::StatusOr<std::optional<Day>> DateOf(const policy::FieldSpec& dated,
                                          const OpenRecord& record) {
  ASSIGN_OR_RETURN(const auto value, record.ReadInternal(dated));
  if (value.has_value()) {
    const auto* text = std::get_if<Text>(&*value);
    if (text == nullptr) return Fail(Reason::kIntegrityFailure);
    return policy::DayFromText(text->text.Reveal());
  }
  ASSIGN_OR_RETURN(const auto event_time, record.EventTime());
  if (!event_time.has_value()) return std::nullopt;
  return policy::DayOf(*event_time);
}

// Until when records of the class are kept, if it has any, and of which years
// they are.
absl::Status FindEnd(const Services& services, Attempt& attempt,
                     const AccessGrant& grant, const policy::ClassSpec& spec,
                     KeptClass& kept) {
  const policy::RetentionSpec& retention = *spec.retention;
  const policy::FieldSpec* dated =
      services.catalogue.FindField(spec, retention.dated_by);
  if (dated == nullptr) return Fail(Reason::kInternal);
  std::set<Day> years;
  std::optional<base::RecordId> after;
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(const auto listed,
                     services.records.List(attempt, grant, spec.number, after,
                                           kRecordsAtOnce));
    for (const RecordStore::Listed& entry : listed.entries) {
      after = entry.name.id;
      ASSIGN_OR_RETURN(const auto date, DateOf(*dated, entry.record));
      if (!date.has_value()) continue;
      years.insert(policy::FiscalYearEnd(retention, *date));
    }
    more = listed.more;
  }
  for (const Day year : years) {
    const Day end = policy::KeptUntil(retention, year);
    kept.until = std::max(kept.until.value_or(end), end);
    if (retention.loss_years == 0) continue;
    kept.years.push_back({year, policy::KeptUntil(retention, year, true)});
  }
  return AddLosses(services.data, grant.tenant(), std::span(&kept, 1));
}

}  // namespace

policy::ClassSet ClassesWithRetention(const policy::Catalogue& catalogue) {
  policy::ClassSet classes;
  for (const policy::ClassSpec& spec : catalogue.classes()) {
    classes.set(spec.number, spec.retention.has_value());
  }
  return classes;
}

absl::StatusOr<std::vector<KeptClass>> WhatIsKept(const Services& services,
                                                  Attempt& attempt,
                                                  const AccessGrant& grant,
                                                  base::Timestamp now) {
  std::vector<KeptClass> kept;
  for (const policy::ClassNumber number : grant.HeldClasses()) {
    KeptClass of{number, std::nullopt, {}};
    for (const LegalHold& hold : grant.facts().holds) {
      if (hold.class_number == number) of.holds.push_back(hold.claim);
    }
    const policy::ClassSpec* spec = services.catalogue.ClassByNumber(number);
    if (spec != nullptr && spec->retention.has_value()) {
      RETURN_IF_ERROR(FindEnd(services, attempt, grant, *spec, of));
    }
    if (!of.IsOver(policy::DayOf(now))) kept.push_back(std::move(of));
  }
  return kept;
}

std::optional<Day> NextEnd(const std::vector<KeptClass>& kept) {
  std::optional<Day> next;
  for (const KeptClass& of : kept) {
    if (!of.holds.empty() || !of.until.has_value()) continue;
    next = std::min(next.value_or(*of.until), *of.until);
  }
  if (next.has_value()) *next += std::chrono::days(1);
  return next;
}

void PutTerm(Attempt& attempt, base::TenantId tenant, base::SubjectId subject,
             const std::vector<KeptClass>& kept) {
  const auto next = NextEnd(kept);
  if (!next.has_value()) return;
  attempt.keys().Put(TermKey(policy::NumberOf(*next), tenant, subject),
                     TermRowValue());
}

void TakeTerm(Attempt& attempt, base::TenantId tenant, base::SubjectId subject,
              const std::vector<KeptClass>& kept) {
  const auto next = NextEnd(kept);
  if (!next.has_value()) return;
  attempt.keys().Delete(TermKey(policy::NumberOf(*next), tenant, subject));
}

std::vector<std::string> PurposesOf(const policy::Catalogue& catalogue,
                                    const KeptClass& kept) {
  policy::SubjectFacts subject;
  subject.retained.set(kept.class_number, kept.until.has_value());
  subject.held.set(kept.class_number, !kept.holds.empty());
  std::vector<std::string> purposes;
  for (const policy::PurposeSpec& purpose : catalogue.purposes()) {
    if (policy::RetainedFor(catalogue, subject, purpose.number)
            .test(kept.class_number)) {
      purposes.push_back(purpose.name);
    }
  }
  return purposes;
}

std::string LawOf(const policy::Catalogue& catalogue, const KeptClass& kept) {
  const policy::ClassSpec* spec = catalogue.ClassByNumber(kept.class_number);
  if (!kept.until.has_value() || spec == nullptr ||
      !spec->retention.has_value()) {
    return {};
  }
  return kept.loss ? spec->retention->loss_law : spec->retention->law;
}

absl::StatusOr<std::vector<storage::Row>> RecordsBut(
    const storage::Reader& data, base::TenantId tenant, base::SubjectId subject,
    const std::vector<KeptClass>& kept, size_t limit) {
  storage::ScanRange range =
      storage::PrefixRange(RecordPrefix(tenant, subject), limit);
  const std::string end = range.until;
  std::vector<storage::Row> rows;
  for (size_t i = 0; i <= kept.size() && rows.size() < limit; ++i) {
    storage::ScanRange of_kept;
    range.until = end;
    if (i < kept.size()) {
      of_kept = storage::PrefixRange(
          RecordPrefix(tenant, subject, kept[i].class_number), limit);
      range.until = of_kept.from;
    }
    range.limit = limit - rows.size();
    ASSIGN_OR_RETURN(auto between, data.Scan(range));
    std::ranges::move(between, std::back_inserter(rows));
    range.from = of_kept.until;
  }
  return rows;
}

}  // namespace hizo::vault
