#include "service/vault/erasures.h"

#include <utility>

#include "crypto/record_cipher.h"
#include "crypto/signed_note.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/row_keys.h"
#include "service/vault/subjects.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using base::SubjectId;

Erasure Told(ErasureRecord record) {
  return {record.stage, record.accepted, std::move(record.receipt)};
}

}  // namespace

absl::StatusOr<std::optional<ErasureRecord>> Erasures::Find(
    Attempt& attempt, const Call& call, SubjectId subject) const {
  const auto row =
      attempt.Read(services_.data, ErasureKey(call.tenant.id, subject));
  if (row.ok() && !row->has_value()) return std::nullopt;
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  RETURN_IF_ERROR(row.status());
  ASSIGN_OR_RETURN(
      ErasureRecord record,
      OpenErasureRecord(services_.store_keys, call.tenant.id, subject, **row));
  attempt.event().subject = record.audit_reference;
  return record;
}

absl::StatusOr<AccessGrant> Erasures::AdmitTo(Attempt& attempt,
                                              const Call& call,
                                              SubjectId subject) const {
  Ask ask;
  ask.subject = subject;
  ask.classes.set(policy::kClassFacts);
  return services_.gate.Admit(attempt, call, ask);
}

absl::StatusOr<ErasurePlan> Erasures::Plan(Attempt& attempt, const Call& call,
                                           SubjectId subject) const {
  ASSIGN_OR_RETURN(const AccessGrant grant, AdmitTo(attempt, call, subject));
  ErasurePlan plan;
  for (const policy::ClassNumber number : grant.HeldClasses()) {
    const std::string prefix = RecordPrefix(call.tenant.id, subject, number);
    ASSIGN_OR_RETURN(
        const auto rows,
        attempt.Scan(services_.data,
                     storage::PrefixRange(prefix, kRecordsCountedMax), prefix));
    plan.classes.push_back(
        {number, services_.catalogue.ClassByNumber(number), rows.size()});
  }
  plan.index_shards = grant.facts().pointers.size();
  return plan;
}

absl::StatusOr<Erasure> Erasures::Execute(Attempt& attempt, const Call& call,
                                          SubjectId subject) const {
  ASSIGN_OR_RETURN(auto before, Find(attempt, call, subject));
  if (before.has_value()) return Told(*std::move(before));
  ASSIGN_OR_RETURN(const AccessGrant grant, AdmitTo(attempt, call, subject));
  const std::string facts_key = FactsKey(call.tenant.id, subject);
  ASSIGN_OR_RETURN(const auto facts, attempt.Read(services_.data, facts_key));
  if (!facts.has_value()) return Fail(Reason::kInternal);
  const ErasureRecord record{ErasureStage::kAccepted,
                             grant.facts().audit_reference,
                             call.now,
                             grant.HeldClasses(),
                             *facts,
                             {}};
  services_.user_keys.Fence(attempt, grant);
  attempt.data().Delete(facts_key);
  attempt.data().Put(
      ErasureKey(call.tenant.id, subject),
      SealErasureRecord(services_.store_keys, call.tenant.id, subject, record));
  attempt.event().writes.push_back(
      {policy::kClassFacts, base::RecordId(), grant.facts().version + 1, {}});
  return Told(record);
}

absl::StatusOr<ErasureRecord> Erasures::Look(Attempt& attempt, const Call& call,
                                             SubjectId subject) const {
  ASSIGN_OR_RETURN(auto record, Find(attempt, call, subject));
  if (!record.has_value()) {
    RETURN_IF_ERROR(AdmitTo(attempt, call, subject).status());
    return Fail(Reason::kRecordNotFound);
  }
  return *std::move(record);
}

absl::StatusOr<Erasure> Erasures::Get(Attempt& attempt, const Call& call,
                                      SubjectId subject) const {
  ASSIGN_OR_RETURN(ErasureRecord record, Look(attempt, call, subject));
  return Told(std::move(record));
}

absl::StatusOr<ErasureCheck> Erasures::Verify(Attempt& attempt,
                                              const Call& call,
                                              SubjectId subject) const {
  ASSIGN_OR_RETURN(const ErasureRecord record, Look(attempt, call, subject));
  ErasureCheck check;
  check.stage = record.stage;
  const base::TenantId tenant = call.tenant.id;
  const uint16_t bucket =
      services_.store_keys.tree()->BucketOf(DeksName(tenant, subject));
  ASSIGN_OR_RETURN(
      const auto deks,
      attempt.Read(services_.keys, DeksKey(bucket, tenant, subject)));
  ASSIGN_OR_RETURN(
      const auto fence,
      attempt.Read(services_.keys, FenceKey(bucket, tenant, subject)));
  check.keys_gone = !deks.has_value() && !fence.has_value();
  ASSIGN_OR_RETURN(const auto facts,
                   attempt.Read(services_.data, FactsKey(tenant, subject)));
  ASSIGN_OR_RETURN(const auto rows, services_.data.Scan(storage::PrefixRange(
                                        RecordPrefix(tenant, subject), 1)));
  check.records_gone = !facts.has_value() && rows.empty();
  check.receipt_valid =
      crypto::OpenNote(record.receipt, services_.log.verifier_key()).ok();
  return check;
}

}  // namespace hizo::vault
