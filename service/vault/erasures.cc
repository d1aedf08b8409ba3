#include "service/vault/erasures.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "crypto/record_cipher.h"
#include "crypto/signed_note.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/deks_row.h"
#include "service/vault/erasure_grace.h"
#include "service/vault/kept.h"
#include "service/vault/row_keys.h"
#include "service/vault/subjects.h"
#include "service/vault/suppressions.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using base::SubjectId;

Erasure Told(ErasureRecord record) {
  return {record.stage, record.accepted, record.grace_until,
          std::move(record.receipts), std::move(record.kept)};
}

// What a request that erased is remembered by: enough to answer its repeat when
// the person is back.
std::string EncodeErased(const Erasure& erasure) {
  ByteWriter out;
  out.Put(static_cast<uint64_t>(base::ToMicros(erasure.accepted)));
  if (erasure.grace_until.has_value()) {
    out.Put(static_cast<uint64_t>(base::ToMicros(*erasure.grace_until)));
  }
  return std::move(out).Take();
}

absl::StatusOr<Erasure> DecodeErased(std::string_view bytes) {
  ByteReader in(bytes);
  Erasure erasure;
  const auto accepted = static_cast<int64_t>(in.Get<uint64_t>());
  erasure.accepted = base::FromMicros(accepted);
  if (in.ok() && !in.done()) {
    const auto until = static_cast<int64_t>(in.Get<uint64_t>());
    erasure.grace_until = base::FromMicros(until);
  }
  if (!in.done()) return Fail(Reason::kIntegrityFailure);
  return erasure;
}

// Holds on what is kept may have come and gone since the facts were laid aside.
void TakeHoldsOf(const ErasureRecord& record, Facts& facts) {
  for (const KeptClass& kept : record.kept) {
    std::erase_if(facts.holds, [&](const LegalHold& hold) {
      return hold.class_number == kept.class_number;
    });
    for (const base::ClaimId& claim : kept.holds) {
      facts.holds.push_back({kept.class_number, claim});
    }
    facts.subject.held.set(kept.class_number, !kept.holds.empty());
  }
  std::ranges::sort(facts.holds);
}

}  // namespace

absl::StatusOr<std::optional<ErasureRecord>> Erasures::Find(
    Attempt& attempt, const Call& call, SubjectId subject) const {
  const auto row =
      attempt.Read(services_.data, ErasureKey(call.tenant.id, subject));
  if (row.ok() && !row->has_value()) return std::nullopt;
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  RETURN_IF_ERROR(row.status());
  ASSIGN_OR_RETURN(ErasureRecord record,
                   OpenErasureRecord(services_.data, services_.store_keys,
                                     call.tenant.id, subject, **row));
  attempt.event().subject = record.Reference();
  return record;
}

absl::StatusOr<AccessGrant> Erasures::AdmitTo(
    Attempt& attempt, const Call& call, SubjectId subject,
    const policy::ClassSet& more) const {
  Ask ask;
  ask.subject = subject;
  ask.classes = ClassesWithRetention(services_.catalogue) | more;
  ask.classes.set(policy::kClassFacts);
  return services_.gate.Admit(attempt, call, ask);
}

absl::StatusOr<ErasurePlan> Erasures::Plan(Attempt& attempt, const Call& call,
                                           SubjectId subject) const {
  ASSIGN_OR_RETURN(const AccessGrant grant, AdmitTo(attempt, call, subject));
  // Of somebody who was erased there is nothing to plan.
  if (grant.facts().subject.state == policy::SubjectState::kRetained) {
    return Fail(Reason::kSubjectNotFound);
  }
  ASSIGN_OR_RETURN(const auto kept,
                   WhatIsKept(services_, attempt, grant, call.now));
  ErasurePlan plan;
  for (const policy::ClassNumber number : grant.HeldClasses()) {
    const std::string prefix = RecordPrefix(call.tenant.id, subject, number);
    ASSIGN_OR_RETURN(
        const auto rows,
        attempt.Scan(services_.data,
                     storage::PrefixRange(prefix, kRecordsCountedMax), prefix));
    const auto found =
        std::ranges::find(kept, number, &KeptClass::class_number);
    plan.classes.push_back(
        {number, services_.catalogue.ClassByNumber(number), rows.size(),
         found == kept.end() ? std::nullopt : std::optional(*found)});
  }
  plan.index_shards = grant.facts().pointers.size();
  return plan;
}

PersonsRow Erasures::PersonOf(const Call& call, SubjectId subject) const {
  const base::TenantId tenant = call.tenant.id;
  return {services_.store_keys.tree()->BucketOf(DeksName(tenant, subject)),
          tenant, subject};
}

absl::StatusOr<Erasure> Erasures::Again(Attempt& attempt, const Call& call,
                                        SubjectId subject, ErasureRecord record,
                                        std::chrono::days grace) const {
  const base::Timestamp due = call.now + grace;
  if (!record.grace_until.has_value() || *record.grace_until <= due) {
    return Told(std::move(record));
  }
  ASSIGN_OR_RETURN(auto of,
                   ReadGrace(attempt, services_, PersonOf(call, subject)));
  if (!of.has_value()) return Told(std::move(record));
  PutGraceEnd(attempt, services_.store_keys, *of,
              grace.count() > 0 ? std::optional(due) : std::nullopt);
  return Told(std::move(of->record));
}

absl::StatusOr<Erasure> Erasures::Execute(Attempt& attempt, const Call& call,
                                          SubjectId subject,
                                          std::chrono::days grace) const {
  ASSIGN_OR_RETURN(auto before, Find(attempt, call, subject));
  std::optional<AccessGrant> grant;
  if (!before.has_value()) {
    ASSIGN_OR_RETURN(
        AccessGrant admitted,
        AdmitTo(attempt, call, subject,
                Suppressions::AddressClasses(services_.catalogue)));
    grant.emplace(std::move(admitted));
  }
  if (grace.count() < 0 || grace > kErasureGraceMax) {
    return Fail(Reason::kValueInvalid);
  }
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) {
    if (before.has_value()) return Told(*std::move(before));
    return DecodeErased(*repeated);
  }
  ASSIGN_OR_RETURN(Erasure erasure, before.has_value()
                                        ? Again(attempt, call, subject,
                                                *std::move(before), grace)
                                        : Begin(attempt, call, *grant, grace));
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call, EncodeErased(erasure)));
  return erasure;
}

absl::StatusOr<Erasure> Erasures::Begin(Attempt& attempt, const Call& call,
                                        const AccessGrant& grant,
                                        std::chrono::days grace) const {
  const SubjectId subject = grant.subject();
  const std::string facts_key = FactsKey(call.tenant.id, subject);
  ASSIGN_OR_RETURN(const auto facts, attempt.Read(services_.data, facts_key));
  if (!facts.has_value()) return Fail(Reason::kInternal);
  ErasureRecord record;
  record.audit_reference = grant.facts().audit_reference;
  record.accepted = call.now;
  if (grace.count() > 0) record.grace_until = call.now + grace;
  record.facts = *facts;
  ASSIGN_OR_RETURN(const MonthKey month,
                   KeyOfMonth(services_.store_keys, attempt, call.tenant.id,
                              AuditMonthOf(call.now)));
  HideReference(month, call.tenant.id, subject, record);
  ASSIGN_OR_RETURN(record.kept,
                   WhatIsKept(services_, attempt, grant, call.now));
  ASSIGN_OR_RETURN(record.suppressed,
                   Suppressions(services_).Remember(attempt, call, grant));
  const policy::ClassSet kept = record.KeptClasses();
  for (const policy::ClassNumber number : grant.HeldClasses()) {
    if (!kept.test(number)) record.classes.push_back(number);
  }
  attempt.data().MayUseReserve();
  services_.user_keys.Fence(attempt, grant, kept, record.grace_until);
  PutTerm(attempt, call.tenant.id, subject, record.kept);
  attempt.data().Delete(facts_key);
  attempt.data().Put(
      ErasureKey(call.tenant.id, subject),
      SealErasureRecord(services_.store_keys, call.tenant.id, subject, record));
  attempt.event().writes.push_back(
      {policy::kClassFacts, base::RecordId(), grant.facts().version + 1, {}});
  return Told(std::move(record));
}

absl::Status Erasures::Cancel(Attempt& attempt, const Call& call,
                              SubjectId subject) const {
  const auto found = Look(attempt, call, subject);
  // Nobody may try out whether a request id was used who may not erase.
  const bool admitted =
      found.ok() || base::ReasonOf(found.status()) == Reason::kRecordNotFound;
  if (!admitted) return found.status();
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(found.status());
  ASSIGN_OR_RETURN(const auto grace,
                   ReadGrace(attempt, services_, PersonOf(call, subject)));
  if (!grace.has_value() || grace->fence.due <= call.now) {
    return Fail(Reason::kRecordNotFound);
  }
  const base::TenantId tenant = call.tenant.id;
  const ErasureRecord& record = grace->record;
  ASSIGN_OR_RETURN(
      const SubjectKeys keys,
      services_.user_keys.Unfence(attempt, tenant, subject, grace->fence.deks));
  ASSIGN_OR_RETURN(Facts facts, services_.facts.OpenRow(keys, record.facts));
  TakeHoldsOf(record, facts);
  RETURN_IF_ERROR(services_.facts.GiveBack(attempt, keys, std::move(facts)));
  attempt.data().Delete(ErasureKey(tenant, subject));
  TakeTerm(attempt, tenant, subject, record.kept);
  // What was replaced before the erasure waits for its new keys again.
  for (const policy::ClassNumber number : record.classes) {
    if (number == policy::kClassFacts) continue;
    attempt.data().Put(WornKey(tenant, subject, number),
                       WornRowValue(WornStage::kWorn));
  }
  return services_.requests.Remember(attempt, call, "");
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
  const auto& [bucket, tenant, of] = PersonOf(call, subject);
  ASSIGN_OR_RETURN(
      const auto deks,
      attempt.Read(services_.keys, DeksKey(bucket, tenant, subject)));
  ASSIGN_OR_RETURN(
      const auto fence,
      attempt.Read(services_.keys, FenceKey(bucket, tenant, subject)));
  check.kept = record.kept;
  check.keys_gone = !fence.has_value();
  if (deks.has_value()) {
    ASSIGN_OR_RETURN(DeksRow left, DecodeDeksRow(*deks));
    TakeDeks(left, record.KeptClasses());
    check.keys_gone = check.keys_gone && left.wrapped.empty();
  }
  ASSIGN_OR_RETURN(const auto facts,
                   attempt.Read(services_.data, FactsKey(tenant, subject)));
  ASSIGN_OR_RETURN(const auto rows,
                   RecordsBut(services_.data, tenant, subject, record.kept, 1));
  check.records_gone = !facts.has_value() && rows.empty();
  check.receipts_valid = !record.receipts.empty();
  for (const std::string& receipt : record.receipts) {
    check.receipts_valid &=
        crypto::OpenNote(receipt, services_.log.verifier_key()).ok();
  }
  return check;
}

}  // namespace hizo::vault
