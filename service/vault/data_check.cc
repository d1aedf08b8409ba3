#include "service/vault/data_check.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "crypto/digest.h"
#include "crypto/record_cipher.h"
#include "service/audit/prune.h"
#include "service/audit/query.h"
#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "service/vault/audit_keys.h"
#include "service/vault/policy_row.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

constexpr size_t kRowsAtOnce = 200;
constexpr size_t kEventsAtOnce = 500;
constexpr size_t kCommitmentEnd = 64;  // crypto/FORMAT.md

bool IsRemoval(const audit::RowWrite& write) {
  return write.commitment == decltype(write.commitment){};
}

// Gives every row of `range` to `take`, some at a time.
template <typename Take>
absl::Status ForEach(const storage::Reader& reader, storage::ScanRange range,
                     Take take) {
  range.limit = kRowsAtOnce;
  for (;;) {
    ASSIGN_OR_RETURN(const std::vector<storage::Row> rows, reader.Scan(range));
    if (rows.empty()) return absl::OkStatus();
    for (const storage::Row& row : rows) RETURN_IF_ERROR(take(row));
    range.from = rows.back().key + '\0';
  }
}

}  // namespace

void DataCheck::Note(const DataFinding& finding) {
  ++verdict_.wrong;
  if (verdict_.findings.size() < kFindingsMax) {
    verdict_.findings.push_back(finding);
  }
}

absl::StatusOr<DataVerdict> DataCheck::Run() {
  ASSIGN_OR_RETURN(pruned_, audit::PrunedIn(parts_.data));
  const auto ways_back =
      storage::PrefixRange(std::string(1, base::kSpaceWayBack), kRowsAtOnce);
  RETURN_IF_ERROR(
      ForEach(parts_.keys, ways_back, [this](const storage::Row& row) {
        const auto reference = base::AuditReference::FromBytes(
            std::string_view(row.key).substr(1));
        return reference.has_value()
                   ? CheckPerson(*reference, row.value)
                   : absl::DataLossError("a damaged way back");
      }));
  for (const policy::TenantSpec& tenant : parts_.access.tenants()) {
    RETURN_IF_ERROR(CheckPolicy(tenant.id));
  }
  return std::move(verdict_);
}

absl::StatusOr<std::optional<audit::Found>> DataCheck::LastActivation(
    base::TenantId tenant) const {
  audit::Filter filter;
  filter.tenant = tenant;
  filter.action = policy::Action::kPolicyActivate;
  filter.outcome = audit::Outcome::kAllowed;
  std::optional<uint64_t> from;
  do {
    ASSIGN_OR_RETURN(audit::Page page,
                     audit::Query(parts_.data, parts_.log_size, filter,
                                  audit::Order::kNewestFirst, from, 1));
    if (!page.events.empty()) return std::move(page.events.front());
    from = page.next;
  } while (from.has_value());
  return std::nullopt;
}

absl::Status DataCheck::CheckPolicy(base::TenantId tenant) {
  ASSIGN_OR_RETURN(const auto row, parts_.data.Get(PolicyKey(tenant)));
  ASSIGN_OR_RETURN(const auto last, LastActivation(tenant));
  const auto note = [&](DataFinding::What what) {
    ++verdict_.wrong;
    verdict_.policies.push_back(
        {what, tenant,
         last.has_value() ? std::optional(last->sequence) : std::nullopt});
  };
  if (!last.has_value()) {
    // Of a log that was pruned, its activation may be gone.
    if (row.has_value() && pruned_ == 0) note(DataFinding::What::kUnknown);
    return absl::OkStatus();
  }
  if (!row.has_value()) {
    note(DataFinding::What::kMissing);
    return absl::OkStatus();
  }
  const auto stored = OpenPolicyRow(parts_.store_keys, tenant, *row);
  const std::string digest =
      absl::StrCat(absl::Hex(last->event.policy_digest, absl::kZeroPad16));
  if (!stored.ok() || !absl::StartsWith(stored->digest, digest)) {
    note(DataFinding::What::kOther);
  }
  return absl::OkStatus();
}

absl::Status DataCheck::CheckPerson(base::AuditReference reference,
                                    std::string_view sealed_way_back) {
  for (const policy::TenantSpec& tenant : parts_.access.tenants()) {
    const auto subject =
        OpenWayBack(parts_.store_keys, tenant.id, reference, sealed_way_back);
    if (!subject.ok()) continue;  // of another tenant
    // What an erasure has left is destroyed by the day, not by the record.
    ASSIGN_OR_RETURN(const auto erased,
                     parts_.data.Get(ErasureKey(tenant.id, *subject)));
    if (erased.has_value()) return absl::OkStatus();
    ++verdict_.people;
    ASSIGN_OR_RETURN(Last last, LastWrites(tenant.id, reference));
    return CheckRows(tenant.id, *subject, reference, std::move(last));
  }
  return absl::OkStatus();  // of a tenant that is not configured
}

absl::StatusOr<DataCheck::Last> DataCheck::LastWrites(
    base::TenantId tenant, base::AuditReference reference) const {
  Last last;
  audit::Filter filter;
  filter.tenant = tenant;
  filter.subject = reference;
  std::optional<uint64_t> from = 0;
  while (from.has_value()) {
    ASSIGN_OR_RETURN(
        const audit::Page page,
        audit::Query(parts_.data, parts_.log_size, filter,
                     audit::Order::kOldestFirst, from, kEventsAtOnce));
    for (const audit::Found& found : page.events) {
      for (const audit::RowWrite& write : found.event.writes) {
        last[{write.class_number, write.record}] = {write, found.sequence};
      }
    }
    from = page.next;
  }
  return last;
}

void DataCheck::CheckRow(base::AuditReference reference,
                         policy::ClassNumber number, base::RecordId record,
                         std::string_view row, Last& last) {
  ++verdict_.rows;
  const auto written = last.find({number, record});
  if (written == last.end()) {
    if (pruned_ > 0) return;  // its write may be
    return Note({DataFinding::What::kUnknown, reference, number, record, {}});
  }
  const audit::RowWrite& write = written->second.write;
  const bool same =
      row.size() >= kCommitmentEnd &&
      crypto::CommitmentOf(row) == crypto::AsBytes(write.commitment);
  if (!same || IsRemoval(write)) {
    Note({DataFinding::What::kOther, reference, number, record,
          written->second.entry});
  }
  last.erase(written);
}

absl::Status DataCheck::CheckRows(base::TenantId tenant,
                                  base::SubjectId subject,
                                  base::AuditReference reference, Last last) {
  ASSIGN_OR_RETURN(const auto facts,
                   parts_.data.Get(FactsKey(tenant, subject)));
  if (facts.has_value()) {
    CheckRow(reference, policy::kClassFacts, base::RecordId(), *facts, last);
  }
  const auto records =
      storage::PrefixRange(RecordPrefix(tenant, subject), kRowsAtOnce);
  RETURN_IF_ERROR(ForEach(parts_.data, records, [&](const storage::Row& row) {
    const auto parts = ParseRecordKey(row.key);
    if (!parts.has_value()) {
      return absl::DataLossError("a damaged record key");
    }
    CheckRow(reference, parts->class_number, parts->record, row.value, last);
    return absl::OkStatus();
  }));
  for (const auto& [place, written] : last) {
    if (IsRemoval(written.write)) continue;
    Note({DataFinding::What::kMissing, reference, place.first, place.second,
          written.entry});
  }
  return absl::OkStatus();
}

}  // namespace hizo::vault
