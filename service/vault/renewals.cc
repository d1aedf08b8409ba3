#include "service/vault/renewals.h"

#include <algorithm>
#include <utility>

#include "crypto/record_cipher.h"
#include "service/audit/event.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/erasure_record.h"

namespace hizo::vault {
namespace {

// So many marks of each kind in one seal: what is written at once stays some
// megabytes.
constexpr size_t kMarksPerSealMax = 128;
constexpr size_t kRecordsPerStep = audit::kWritesPerEventMax;
constexpr size_t kBytesPerStep = size_t{1} << 20;
// Others who write there make a step go wrong so often at most.
constexpr int kConflictsMax = 8;

}  // namespace

// What a step of a renewal is, and what follows.
struct Renewals::Step {
  enum class End : uint8_t { kNone, kReady, kOver };
  End end = End::kNone;
  std::unique_ptr<Attempt> attempt;  // nullptr: nothing to write
  bool added = false;                // a new generation
  std::string after;                 // the last record that has gone over
};

absl::StatusOr<size_t> Renewals::Waiting() const {
  size_t waiting = 0;
  for (const std::string& prefix : {WornPrefix(), WornShardPrefix()}) {
    ASSIGN_OR_RETURN(const auto rows, services_.data.Scan(storage::PrefixRange(
                                          prefix, storage::kScanLimitMax)));
    waiting += rows.size();
  }
  return waiting;
}

std::unique_ptr<Attempt> Renewals::NewAttempt(base::TenantId tenant) const {
  return NewOwnAttempt(committer_.position(), tenant,
                       policy::Action::kStoreTidy);
}

absl::StatusOr<Renewals::Ready> Renewals::Prepare(Pass& pass) const {
  Ready ready;
  RETURN_IF_ERROR(PrepareClasses(pass, ready));
  RETURN_IF_ERROR(PrepareShards(pass, ready));
  return ready;
}

absl::Status Renewals::PrepareClasses(Pass& pass, Ready& ready) const {
  storage::ScanRange range =
      storage::PrefixRange(WornPrefix(), kMarksPerSealMax);
  while (ready.marks.size() < kMarksPerSealMax) {
    range.from = pass.classes_from;
    ASSIGN_OR_RETURN(const auto rows, services_.data.Scan(range));
    if (rows.empty()) return absl::OkStatus();
    for (const storage::Row& row : rows) {
      pass.classes_from = row.key + '\0';
      const auto worn = ParseWornKey(row.key);
      if (!worn.has_value()) return absl::DataLossError("a mark is damaged");
      ASSIGN_OR_RETURN(const bool moved, Advance(row.key, *worn));
      if (!moved) continue;
      ready.targets.renewed.emplace_back(worn->tenant, worn->subject);
      ready.marks.push_back(row.key);
      if (ready.marks.size() == kMarksPerSealMax) break;
    }
  }
  return absl::OkStatus();
}

absl::Status Renewals::PrepareShards(Pass& pass, Ready& ready) const {
  storage::ScanRange range =
      storage::PrefixRange(WornShardPrefix(), kMarksPerSealMax);
  range.from = pass.shards_from;
  ASSIGN_OR_RETURN(const auto rows, services_.data.Scan(range));
  auto attempt = NewAttempt(base::TenantId::kStore);
  for (const storage::Row& row : rows) {
    pass.shards_from = row.key + '\0';
    const auto worn = ParseWornShardKey(row.key);
    if (!worn.has_value()) return absl::DataLossError("a mark is damaged");
    // Of a tenant that is not served now: when it is again.
    if (!services_.store_keys.SuiteOfServed(worn->tenant).has_value()) {
      continue;
    }
    ready.targets.shards.emplace_back(worn->tenant,
                                      IndexPointer{worn->kind, worn->route});
    ready.marks.push_back(row.key);
    attempt->data().Put(row.key, WornRowValue(WornStage::kMoved));
  }
  if (!attempt->writes()) return absl::OkStatus();
  return committer_.Commit(std::move(attempt));
}

absl::StatusOr<bool> Renewals::Advance(const std::string& mark,
                                       const WornRow& worn) const {
  if (!services_.store_keys.SuiteOfServed(worn.tenant).has_value()) {
    return false;
  }
  std::string after;
  bool added = false;
  for (int conflicts = 0; conflicts < kConflictsMax;) {
    ASSIGN_OR_RETURN(Step step, NextStep(mark, worn, after));
    if (step.attempt != nullptr) {
      // Worn again since it was begun: by the next pass.
      if (step.added && added) return false;
      const absl::Status committed = committer_.Commit(std::move(step.attempt));
      if (base::ReasonOf(committed) == base::Reason::kConflict) {
        ++conflicts;
        continue;
      }
      RETURN_IF_ERROR(committed);
    }
    if (step.end != Step::End::kNone) return step.end == Step::End::kReady;
    added = added || step.added;
    after = std::move(step.after);
  }
  return false;
}

absl::StatusOr<Renewals::Step> Renewals::NextStep(
    const std::string& mark, const WornRow& worn,
    const std::string& after) const {
  const auto& [tenant, subject, class_number] = worn;
  Step step;
  auto attempt = NewAttempt(tenant);
  ASSIGN_OR_RETURN(const auto value, attempt->Read(services_.data, mark));
  if (!value.has_value()) return Step{Step::End::kOver, nullptr, false, {}};
  ASSIGN_OR_RETURN(const WornStage stage, ParseWornRowValue(*value));
  ASSIGN_OR_RETURN(SubjectKeys keys,
                   services_.user_keys.Read(*attempt, tenant, subject));
  ASSIGN_OR_RETURN(attempt->event().subject, ReferenceOf(keys));
  const size_t generations = keys.Generations(class_number);
  if (generations == 0) {
    attempt->data().Delete(mark);
    return Step{Step::End::kOver, std::move(attempt), false, {}};
  }
  if (generations == 1) {
    if (stage == WornStage::kMoved) {
      return Step{Step::End::kReady, nullptr, false, {}};
    }
    services_.user_keys.AddGeneration(*attempt, keys, class_number);
    attempt->data().Put(mark, WornRowValue(WornStage::kMoving));
    return Step{Step::End::kNone, std::move(attempt), true, {}};
  }
  const std::string prefix = RecordPrefix(tenant, subject, class_number);
  storage::ScanRange range = storage::PrefixRange(prefix, kRecordsPerStep);
  range.bytes = kBytesPerStep;
  if (!after.empty()) range.from = after + '\0';
  ASSIGN_OR_RETURN(const auto rows,
                   attempt->Scan(services_.data, range, prefix));
  if (rows.empty()) {
    services_.user_keys.DropOlder(*attempt, keys, class_number);
    if (stage == WornStage::kMoving) {
      attempt->data().Put(mark, WornRowValue(WornStage::kMoved));
    }
    return Step{Step::End::kNone, std::move(attempt), false, {}};
  }
  RETURN_IF_ERROR(Move(*attempt, keys, rows));
  step.after = rows.back().key;
  if (attempt->writes()) step.attempt = std::move(attempt);
  return step;
}

absl::Status Renewals::Move(Attempt& attempt, const SubjectKeys& keys,
                            const std::vector<storage::Row>& rows) const {
  PeriodKeys period_keys;
  for (const storage::Row& row : rows) {
    const auto place = ParseRecordKey(row.key);
    if (!place.has_value()) return base::Fail(base::Reason::kIntegrityFailure);
    ASSIGN_OR_RETURN(const auto sealed, crypto::SealedRow::Parse(row.value));
    if (keys.IsNewest(place->class_number, sealed.generation())) continue;
    const crypto::Key* period_key = nullptr;
    if (sealed.period() != 0) {
      ASSIGN_OR_RETURN(
          period_key,
          period_keys.Find(services_.records.periods(), keys.tenant(),
                           place->class_number, sealed.period()));
      // It has ended, and its row is about to go.
      if (period_key == nullptr) continue;
    }
    ASSIGN_OR_RETURN(std::string renewed, services_.user_keys.Renewed(
                                              keys, *place, sealed, period_key,
                                              sealed.period(), period_key));
    audit::RowWrite write{
        place->class_number, place->record, sealed.version(), {}};
    std::ranges::copy(crypto::CommitmentOf(renewed), write.commitment.begin());
    attempt.event().writes.push_back(write);
    attempt.event().records += 1;
    attempt.data().Put(row.key, std::move(renewed));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<base::AuditReference>> Renewals::ReferenceOf(
    const SubjectKeys& keys) const {
  const base::TenantId tenant = keys.tenant();
  const base::SubjectId subject = keys.subject();
  ASSIGN_OR_RETURN(const auto facts,
                   services_.data.Get(FactsKey(tenant, subject)));
  if (facts.has_value() && keys.Generations(policy::kClassFacts) > 0) {
    ASSIGN_OR_RETURN(const Facts opened, services_.facts.OpenRow(keys, *facts));
    return opened.audit_reference;
  }
  ASSIGN_OR_RETURN(const auto erasure,
                   services_.data.Get(ErasureKey(tenant, subject)));
  if (!erasure.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(
      const ErasureRecord record,
      OpenErasureRecord(services_.store_keys, tenant, subject, *erasure));
  return record.Reference();
}

absl::Status Renewals::Finish(const Ready& ready) const {
  auto attempt = NewAttempt(base::TenantId::kStore);
  for (const std::string& mark : ready.marks) {
    ASSIGN_OR_RETURN(const auto value, attempt->Read(services_.data, mark));
    if (!value.has_value()) continue;
    ASSIGN_OR_RETURN(const WornStage stage, ParseWornRowValue(*value));
    if (stage == WornStage::kMoved) attempt->data().Delete(mark);
  }
  attempt->event().records = static_cast<uint32_t>(ready.marks.size());
  const absl::Status committed = committer_.Commit(std::move(attempt));
  // Somebody set one back just then: all of them by the next pass.
  if (base::ReasonOf(committed) == base::Reason::kConflict) {
    return absl::OkStatus();
  }
  return committed;
}

}  // namespace hizo::vault
