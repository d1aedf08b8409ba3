#include "service/vault/erasure_runner.h"

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "crypto/digest.h"
#include "crypto/signed_note.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/erasure_grace.h"
#include "service/vault/erasure_receipt.h"
#include "service/vault/kept.h"
#include "service/vault/periods.h"

namespace hizo::vault {
namespace {

constexpr size_t kRecordsPerAttemptMax = 1000;
constexpr size_t kFencesAtOnce = 1000;

std::string NameOf(const policy::Catalogue& catalogue,
                   policy::ClassNumber number) {
  const policy::ClassSpec* spec = catalogue.ClassByNumber(number);
  return spec == nullptr ? std::to_string(number) : spec->name;
}

void DeleteRecords(Attempt& attempt, base::TenantId tenant,
                   const std::vector<storage::Row>& rows) {
  for (const storage::Row& row : rows) {
    attempt.data().Delete(row.key);
    const auto end = EntryEndOf(tenant, row);
    if (end.has_value()) attempt.data().Delete(*end);
  }
}

ErasureReceipt::Kept Told(const policy::Catalogue& catalogue,
                          const KeptClass& kept) {
  return {NameOf(catalogue, kept.class_number), kept.until,
          PurposesOf(catalogue, kept), LawOf(catalogue, kept),
          !kept.holds.empty()};
}

}  // namespace

ErasureRunner::ErasureRunner(const Parts& parts)
    : parts_(parts),
      sealer_(parts.sealer),
      renewals_(parts.services, parts.sealer.committer),
      rotations_(parts.services) {}

absl::StatusOr<size_t> ErasureRunner::Renew() {
  const base::MutexLock lock(mutex_);
  size_t renewed = 0;
  Renewals::Pass pass;
  for (;;) {
    ASSIGN_OR_RETURN(const Renewals::Ready ready, renewals_.Prepare(pass));
    if (ready.marks.empty()) return renewed;
    RETURN_IF_ERROR(CheckRoom());
    RETURN_IF_ERROR(sealer_.Seal(ready.targets));
    RETURN_IF_ERROR(renewals_.Finish(ready));
    renewed += ready.marks.size();
  }
}

absl::StatusOr<bool> ErasureRunner::Rotate() {
  const base::MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(const auto rotation, rotations_.Current());
  if (!rotation.has_value()) return false;
  RETURN_IF_ERROR(CheckRoom());
  ASSIGN_OR_RETURN(const std::set<uint16_t> buckets,
                   rotations_.NextBuckets(*rotation));
  Sealer::Targets targets;
  targets.buckets = buckets;
  RETURN_IF_ERROR(sealer_.Seal(targets));
  auto attempt =
      NewAttempt(base::TenantId::kStore, policy::Action::kKeysRotate);
  RETURN_IF_ERROR(rotations_.PutDone(*attempt, *rotation, buckets));
  attempt->event().records = static_cast<uint32_t>(buckets.size());
  const absl::Status committed =
      parts_.sealer.committer.Commit(std::move(attempt));
  // Somebody began it anew: the same buckets once more.
  if (base::ReasonOf(committed) == base::Reason::kConflict) return true;
  RETURN_IF_ERROR(committed);
  return rotation->done + buckets.size() < kBucketCount;
}

absl::Status ErasureRunner::CheckRoom() const {
  const Services& services = parts_.services;
  if (!services.keys.OnlyReserveLeft() && !services.data.OnlyReserveLeft()) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError("what is left of a disk is for erasures");
}

absl::Status ErasureRunner::End(std::vector<Leaf> leaves) {
  const base::MutexLock lock(mutex_);
  Sealer::Targets targets;
  targets.ended = std::move(leaves);
  return sealer_.Seal(targets);
}

absl::StatusOr<size_t> ErasureRunner::Waiting() const {
  ASSIGN_OR_RETURN(const auto rows,
                   parts_.services.keys.Scan(storage::PrefixRange(
                       FencePrefix(), storage::kScanLimitMax)));
  size_t waiting = 0;
  for (const storage::Row& row : rows) {
    ASSIGN_OR_RETURN(const Fence fence, DecodeFence(row.value));
    const bool in_grace =
        fence.stage == FenceStage::kInGrace && fence.due > parts_.clock.Now();
    if (!in_grace) ++waiting;
  }
  return waiting;
}

absl::StatusOr<std::vector<ErasureRunner::Pending>> ErasureRunner::Read() {
  // Before the first row: what comes later is counted later.
  const uint64_t fence_batches = parts_.sealer.committer.fence_batches();
  if (nobody_.has_value() && nobody_->fence_batches == fence_batches &&
      parts_.clock.Now() < nobody_->until) {
    return std::vector<Pending>();
  }
  nobody_.reset();
  std::vector<Pending> some;
  base::Timestamp again = base::Timestamp::max();
  storage::ScanRange range = storage::PrefixRange(FencePrefix(), kFencesAtOnce);
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(const auto rows, parts_.services.keys.Scan(range));
    for (const storage::Row& row : rows) {
      ASSIGN_OR_RETURN(auto pending, PendingOf(row, again));
      if (pending.has_value()) some.push_back(*std::move(pending));
      if (some.size() == kPersonsPerSealMax) return some;
    }
    more = rows.size() == kFencesAtOnce;
    if (more) range.from = rows.back().key + '\0';
  }
  if (some.empty()) nobody_ = {fence_batches, again};
  return some;
}

absl::StatusOr<std::optional<ErasureRunner::Pending>> ErasureRunner::PendingOf(
    const storage::Row& row, base::Timestamp& again) const {
  const Services& services = parts_.services;
  const auto person = ParsePersonsRow(row.key);
  if (!person.has_value()) return absl::DataLossError("a damaged fence");
  // Of a tenant that is not served now: waits behind the fence until it is.
  if (!services.store_keys.SuiteOfServed(person->tenant).has_value()) {
    return std::nullopt;
  }
  Pending pending{*person, row.key, {}, {}};
  ASSIGN_OR_RETURN(pending.fence, DecodeFence(row.value));
  if (pending.fence.stage == FenceStage::kInGrace) {
    again = std::min(again, pending.fence.due);
    if (pending.fence.due > parts_.clock.Now()) return std::nullopt;
    ASSIGN_OR_RETURN(const bool over, EndGraceOf(*person));
    if (!over) return std::nullopt;
    pending.fence.stage = FenceStage::kFenced;
  }
  // Keys are written before data: the rest of it may be on its way.
  ASSIGN_OR_RETURN(const auto record, services.data.Get(ErasureKey(
                                          person->tenant, person->subject)));
  if (!record.has_value()) {
    again = base::Timestamp::min();
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(pending.record,
                   OpenErasureRecord(services.data, services.store_keys,
                                     person->tenant, person->subject, *record));
  return pending;
}

// A step of its own, so that whoever takes an erasure back at the last moment
// comes before it or after it.
absl::StatusOr<bool> ErasureRunner::EndGraceOf(const PersonsRow& person) const {
  auto attempt = NewAttempt(person.tenant, policy::Action::kErasureExecute);
  attempt->data().MayUseReserve();
  ASSIGN_OR_RETURN(auto grace, ReadGrace(*attempt, parts_.services, person));
  if (!grace.has_value()) return false;
  attempt->event().subject = grace->record.Reference();
  PutGraceEnd(*attempt, parts_.services.store_keys, *grace, std::nullopt);
  const absl::Status committed =
      parts_.sealer.committer.Commit(std::move(attempt));
  // Taken back, or looked at again by the next run.
  if (base::ReasonOf(committed) == base::Reason::kConflict) return false;
  RETURN_IF_ERROR(committed);
  return true;
}

absl::StatusOr<Sealer::Person> ErasureRunner::PersonOf(
    const Pending& pending) const {
  const Services& services = parts_.services;
  const auto& [bucket, tenant, subject] = pending.person;
  ASSIGN_OR_RETURN(
      const SubjectKeys keys,
      services.user_keys.Fenced(tenant, subject, pending.fence.deks));
  // What a law had kept is in no index.
  if (pending.record.facts.empty()) return Sealer::Person{tenant, subject, {}};
  ASSIGN_OR_RETURN(Facts facts,
                   services.facts.OpenRow(keys, pending.record.facts));
  return Sealer::Person{tenant, subject, std::move(facts.pointers)};
}

absl::StatusOr<size_t> ErasureRunner::Run() {
  const base::MutexLock lock(mutex_);
  size_t finished = 0;
  for (;;) {
    ASSIGN_OR_RETURN(std::vector<Pending> pending, Read());
    if (pending.empty()) return finished;
    RETURN_IF_ERROR(SealThose(pending));
    // Sealed by an earlier process perhaps, of which the old root may be left.
    RETURN_IF_ERROR(sealer_.Settle());
    RETURN_IF_ERROR(FinishThose(pending));
    finished += pending.size();
  }
}

absl::Status ErasureRunner::SealThose(std::vector<Pending>& pending) {
  std::vector<Sealer::Person> persons;
  for (const Pending& of : pending) {
    if (of.fence.stage == FenceStage::kSealed) continue;
    ASSIGN_OR_RETURN(Sealer::Person person, PersonOf(of));
    persons.push_back(std::move(person));
  }
  if (persons.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(sealer_.Seal({std::move(persons), {}, {}, {}}));
  const Fence sealed{
      FenceStage::kSealed, {}, parts_.services.store_keys.epoch()};
  for (Pending& of : pending) {
    if (of.fence.stage != FenceStage::kSealed) of.fence = sealed;
  }
  return absl::OkStatus();
}

std::unique_ptr<Attempt> ErasureRunner::NewAttempt(
    base::TenantId tenant, policy::Action action) const {
  return NewOwnAttempt(parts_.sealer.committer.position(), tenant, action);
}

std::unique_ptr<Attempt> ErasureRunner::NewStep(const Pending& pending) const {
  auto attempt =
      NewAttempt(pending.person.tenant, policy::Action::kErasureFinish);
  attempt->data().MayUseReserve();
  attempt->event().subject = pending.record.Reference();
  for (const policy::ClassNumber number : pending.record.classes) {
    attempt->event().writes.push_back({number, base::RecordId(), 0, {}});
  }
  return attempt;
}

absl::Status ErasureRunner::DeleteMost(const Pending& pending) {
  for (;;) {
    ASSIGN_OR_RETURN(const auto rows,
                     RecordsBut(parts_.services.data, pending.person.tenant,
                                pending.person.subject, pending.record.kept,
                                kRecordsPerAttemptMax + 1));
    if (rows.size() <= kRecordsPerAttemptMax) return absl::OkStatus();
    auto attempt = NewStep(pending);
    DeleteRecords(*attempt, pending.person.tenant, rows);
    attempt->event().records = static_cast<uint32_t>(rows.size());
    RETURN_IF_ERROR(parts_.sealer.committer.Commit(std::move(attempt)));
  }
}

absl::StatusOr<std::string> ErasureRunner::ReceiptFor(
    const Pending& pending) const {
  const Services& services = parts_.services;
  const audit::Head head = services.log.head();
  ErasureReceipt receipt;
  receipt.origin = parts_.origin;
  receipt.tenant = pending.person.tenant;
  receipt.subject = pending.person.subject;
  receipt.accepted = pending.record.accepted;
  receipt.sealed = parts_.clock.Now();
  receipt.epoch = pending.fence.epoch;
  receipt.slots = parts_.sealer.slots.size();
  for (const auto& slot : parts_.sealer.slots) {
    receipt.level = std::min(receipt.level, slot->erasure_level());
  }
  receipt.part = pending.record.receipts.size() + 1;
  for (const policy::ClassNumber number : pending.record.classes) {
    receipt.destroyed.push_back(NameOf(services.catalogue, number));
  }
  for (const KeptClass& kept : pending.record.kept) {
    receipt.kept.push_back(Told(services.catalogue, kept));
  }
  if (receipt.part == 1) receipt.suppressed = pending.record.suppressed;
  receipt.audit_entries = head.size;
  receipt.audit_root = crypto::AsBytes(head.root);
  return crypto::NoteSigner(parts_.origin,
                            services.store_keys.AuditSigningSeed())
      .Sign(TextOf(receipt));
}

absl::StatusOr<std::unique_ptr<Attempt>> ErasureRunner::LastStep(
    const Pending& pending, std::string receipt) const {
  const Services& services = parts_.services;
  const auto& [bucket, tenant, subject] = pending.person;
  auto attempt = NewStep(pending);
  ASSIGN_OR_RETURN(const auto rows,
                   RecordsBut(services.data, tenant, subject,
                              pending.record.kept, kRecordsPerAttemptMax));
  DeleteRecords(*attempt, tenant, rows);
  attempt->event().records = static_cast<uint32_t>(rows.size());
  // Holds on what is kept may have come or gone meanwhile.
  ASSIGN_OR_RETURN(const auto row,
                   attempt->Read(services.data, ErasureKey(tenant, subject)));
  if (!row.has_value()) return absl::DataLossError("an erasure is not there");
  ASSIGN_OR_RETURN(ErasureRecord record,
                   OpenErasureRecord(services.data, services.store_keys, tenant,
                                     subject, *row));
  record.stage = ErasureStage::kSealed;
  record.facts.clear();
  record.receipts.push_back(std::move(receipt));
  attempt->data().Put(
      ErasureKey(tenant, subject),
      SealErasureRecord(services.store_keys, tenant, subject, record));
  attempt->keys().Delete(pending.fence_key);
  return attempt;
}

absl::Status ErasureRunner::FinishThose(const std::vector<Pending>& pending) {
  std::vector<std::promise<absl::Status>> done(pending.size());
  absl::Status status;
  size_t submitted = 0;
  for (const Pending& of : pending) {
    status = DeleteMost(of);
    if (!status.ok()) break;
    auto receipt = ReceiptFor(of);
    auto attempt =
        receipt.ok()
            ? LastStep(of, *std::move(receipt))
            : absl::StatusOr<std::unique_ptr<Attempt>>(receipt.status());
    status = attempt.status();
    if (!status.ok()) break;
    std::promise<absl::Status>& told = done[submitted++];
    parts_.sealer.committer.Submit(
        *std::move(attempt),
        [&told](std::unique_ptr<Attempt>, const Committer::Result& result) {
          told.set_value(result.status);
        });
  }
  for (size_t i = 0; i < submitted; ++i) {
    status.Update(done[i].get_future().get());
  }
  return status;
}

}  // namespace hizo::vault
