#include "service/vault/audit_pruner.h"

#include <algorithm>
#include <string>
#include <utility>

#include "service/audit/prune.h"
#include "service/audit/query.h"
#include "service/audit/tree.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/erasure_record.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::TenantId;

constexpr uint32_t kMonthsAYear = 12;
constexpr size_t kRowsAtOnce = 1000;
// What one Attempt prunes: some megabytes of rows.
constexpr uint64_t kEntriesAtOnce = uint64_t{16} * audit::kTileWidth;
// Somebody who writes there makes a step run again so often at most.
constexpr int kConflictsMax = 8;

}  // namespace

std::unique_ptr<Attempt> AuditPruner::NewAttempt(TenantId tenant) const {
  return NewOwnAttempt(committer_.position(), tenant,
                       policy::Action::kStoreTidy);
}

absl::Status AuditPruner::PrepareMonths(base::Timestamp now) {
  const AuditMonth month = AuditMonthOf(now);
  for (const AuditMonth of : {month, month + 1}) {
    ASSIGN_OR_RETURN(
        const auto present,
        services_.store_keys.LeafOfNow(AuditMonthLeaf(TenantId::kStore, of)));
    if (present.has_value()) continue;
    auto attempt = NewAttempt(TenantId::kStore);
    RETURN_IF_ERROR(
        KeyOfMonth(services_.store_keys, *attempt, TenantId::kStore, of)
            .status());
    RETURN_IF_ERROR(committer_.Commit(std::move(attempt)));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> AuditPruner::Run(base::Timestamp now,
                                          uint32_t keep_years) {
  const AuditMonth month = AuditMonthOf(now);
  if (month < keep_years * kMonthsAYear) return 0;
  const AuditMonth end = month - keep_years * kMonthsAYear;
  ASSIGN_OR_RETURN(std::vector<Leaf> leaves, LeavesBefore(end));
  if (!leaves.empty()) {
    RETURN_IF_ERROR(MoveWaysBack(end, now));
    RETURN_IF_ERROR(runner_.End(std::move(leaves)));
  }
  return PruneEntries(end);
}

absl::StatusOr<std::vector<Leaf>> AuditPruner::LeavesBefore(
    AuditMonth end) const {
  std::vector<TenantId> owners{TenantId::kStore};
  for (const policy::TenantSpec& tenant : services_.access.tenants()) {
    owners.push_back(tenant.id);
  }
  std::vector<Leaf> leaves;
  for (const TenantId owner : owners) {
    ASSIGN_OR_RETURN(
        const auto rows,
        services_.keys.Scan(
            {.from = StoreKeys::LeafKey(AuditMonthLeaf(owner, 0)),
             .until = StoreKeys::LeafKey(AuditMonthLeaf(owner, end)),
             .limit = kRowsAtOnce}));
    for (const storage::Row& row : rows) {
      constexpr size_t kDetailAt = 1 + sizeof(uint32_t) + 1;
      leaves.push_back(
          {owner, LeafKind::kAuditMonth, row.key.substr(kDetailAt)});
    }
  }
  return leaves;
}

absl::Status AuditPruner::MoveWaysBack(AuditMonth end, base::Timestamp now) {
  storage::ScanRange range =
      storage::PrefixRange(std::string(1, base::kSpaceWayBack), kRowsAtOnce);
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(const auto rows, services_.keys.Scan(range));
    more = rows.size() == kRowsAtOnce;
    for (const storage::Row& row : rows) {
      range.from = row.key + '\0';
      ASSIGN_OR_RETURN(const auto way, Due(row, end));
      if (!way.has_value()) continue;
      absl::Status status = MoveOne(*way, end, now);
      for (int i = 1; i < kConflictsMax &&
                      base::ReasonOf(status) == base::Reason::kConflict;
           ++i) {
        status = MoveOne(*way, end, now);
      }
      RETURN_IF_ERROR(status);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<AuditPruner::WayBackOf>> AuditPruner::Due(
    const storage::Row& row, AuditMonth end) const {
  const auto reference =
      base::AuditReference::FromBytes(std::string_view(row.key).substr(1));
  if (!reference.has_value()) return absl::DataLossError("a damaged way back");
  const auto month = MonthOfWayBack(row.value);
  if (month.has_value() && *month >= end) return std::nullopt;
  for (const policy::TenantSpec& tenant : services_.access.tenants()) {
    const auto subject =
        OpenWayBack(services_.store_keys, tenant.id, *reference, row.value);
    if (subject.ok()) return WayBackOf{*reference, tenant.id, *subject};
  }
  return std::nullopt;  // of a tenant that is not served now
}

absl::StatusOr<std::optional<AuditMonth>> AuditPruner::KeptIn(
    Attempt& attempt, const WayBackOf& way, bool may_get_more, AuditMonth end,
    base::Timestamp now) const {
  ASSIGN_OR_RETURN(
      const auto facts,
      attempt.Read(services_.data, FactsKey(way.tenant, way.subject)));
  if (facts.has_value() || may_get_more) return AuditMonthOf(now);
  audit::Filter filter;
  filter.subject = way.reference;
  ASSIGN_OR_RETURN(
      const audit::Page last,
      audit::Query(services_.data, services_.log.head().size, filter,
                   audit::Order::kNewestFirst, std::nullopt, 1));
  if (last.events.empty()) return std::nullopt;
  const AuditMonth month = AuditMonthOf(last.events.front().event.time);
  return month < end ? std::nullopt : std::optional(month);
}

absl::Status AuditPruner::MoveOne(const WayBackOf& way, AuditMonth end,
                                  base::Timestamp now) {
  auto attempt = NewAttempt(way.tenant);
  const std::string key = WayBackKey(way.reference);
  ASSIGN_OR_RETURN(const auto row, attempt->Read(services_.keys, key));
  if (!row.has_value()) return absl::OkStatus();
  const std::string erasure_key = ErasureKey(way.tenant, way.subject);
  ASSIGN_OR_RETURN(const auto erasure,
                   attempt->Read(services_.data, erasure_key));
  std::optional<ErasureRecord> record;
  if (erasure.has_value()) {
    ASSIGN_OR_RETURN(record, OpenErasureRecord(services_.store_keys, way.tenant,
                                               way.subject, *erasure));
  }
  const bool may_get_more =
      record.has_value() &&
      (record->stage == ErasureStage::kAccepted || !record->kept.empty());
  ASSIGN_OR_RETURN(const std::optional<AuditMonth> kept,
                   KeptIn(*attempt, way, may_get_more, end, now));
  if (kept.has_value()) {
    ASSIGN_OR_RETURN(
        const MonthKey month,
        KeyOfMonth(services_.store_keys, *attempt, way.tenant, *kept));
    attempt->keys().Put(key, SealWayBack(month, way.reference, way.subject));
    if (record.has_value()) {
      HideReference(month, way.tenant, way.subject, *record);
    }
  } else {
    attempt->keys().Delete(key);
    if (record.has_value()) {
      record->audit_reference = base::AuditReference();
      record->reference_month = 0;
      record->sealed_reference.clear();
    }
  }
  if (record.has_value()) {
    attempt->data().Put(erasure_key,
                        SealErasureRecord(services_.store_keys, way.tenant,
                                          way.subject, *record));
  }
  return committer_.Commit(std::move(attempt));
}

absl::StatusOr<uint64_t> AuditPruner::PruneEntries(AuditMonth end) {
  ASSIGN_OR_RETURN(const uint64_t before, audit::PrunedIn(services_.data));
  ASSIGN_OR_RETURN(
      const uint64_t until,
      audit::PrunableBefore(services_.data, services_.log.head().size,
                            BeginOf(end)));
  for (uint64_t at = before; at < until;) {
    at = std::min(until, at + kEntriesAtOnce);
    auto attempt = NewAttempt(TenantId::kStore);
    attempt->event().action = policy::Action::kAuditPrune;
    attempt->event().records = static_cast<uint32_t>(at / audit::kTileWidth);
    RETURN_IF_ERROR(audit::Prune(services_.data, at, attempt->data()));
    RETURN_IF_ERROR(committer_.Commit(std::move(attempt)));
  }
  return until - before;
}

}  // namespace hizo::vault
