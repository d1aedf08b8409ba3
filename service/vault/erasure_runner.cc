#include "service/vault/erasure_runner.h"

#include <algorithm>
#include <future>
#include <utility>

#include "crypto/digest.h"
#include "crypto/signed_note.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/erasure_receipt.h"

namespace hizo::vault {
namespace {

constexpr size_t kRecordsPerAttemptMax = 1000;
constexpr size_t kFencesAtOnce = 1000;
constexpr char kActor[] = "hizod";

}  // namespace

ErasureRunner::ErasureRunner(const Parts& parts)
    : parts_(parts), sealer_(parts.sealer) {}

absl::StatusOr<size_t> ErasureRunner::Waiting() const {
  ASSIGN_OR_RETURN(const auto rows,
                   parts_.services.keys.Scan(storage::PrefixRange(
                       FencePrefix(), storage::kScanLimitMax)));
  return rows.size();
}

absl::StatusOr<std::vector<ErasureRunner::Pending>> ErasureRunner::Read()
    const {
  const Services& services = parts_.services;
  std::vector<Pending> all;
  ASSIGN_OR_RETURN(const auto rows, services.keys.Scan(storage::PrefixRange(
                                        FencePrefix(), kFencesAtOnce)));
  for (const storage::Row& row : rows) {
    const auto person = ParsePersonsRow(row.key);
    if (!person.has_value()) return absl::DataLossError("a damaged fence");
    // Of a tenant that is not served now: waits behind the fence until it is.
    if (!services.store_keys.SuiteOfServed(person->tenant).has_value()) {
      continue;
    }
    Pending pending{*person, row.key, {}, {}};
    ASSIGN_OR_RETURN(pending.fence, DecodeFence(row.value));
    // Keys are written before data: the rest of it may be on its way.
    ASSIGN_OR_RETURN(const auto record, services.data.Get(ErasureKey(
                                            person->tenant, person->subject)));
    if (!record.has_value()) continue;
    ASSIGN_OR_RETURN(pending.record,
                     OpenErasureRecord(services.store_keys, person->tenant,
                                       person->subject, *record));
    all.push_back(std::move(pending));
  }
  return all;
}

absl::StatusOr<Sealer::Person> ErasureRunner::PersonOf(
    const Pending& pending) const {
  const Services& services = parts_.services;
  const auto& [bucket, tenant, subject] = pending.person;
  ASSIGN_OR_RETURN(
      const SubjectKeys keys,
      services.user_keys.Fenced(tenant, subject, pending.fence.deks));
  ASSIGN_OR_RETURN(Facts facts,
                   services.facts.OpenFenced(keys, pending.record.facts));
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
    std::erase_if(pending, [](const Pending& of) {
      return of.fence.stage != FenceStage::kSealed;
    });
    RETURN_IF_ERROR(FinishThose(pending));
    finished += pending.size();
  }
}

absl::Status ErasureRunner::SealThose(std::vector<Pending>& pending) {
  std::vector<Sealer::Person> persons;
  std::vector<Pending*> sealed;
  const auto seal = [&]() -> absl::Status {
    if (persons.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(sealer_.Seal(persons));
    for (Pending* of : sealed) {
      of->fence = {FenceStage::kSealed, {}, parts_.services.store_keys.epoch()};
    }
    persons.clear();
    sealed.clear();
    return absl::OkStatus();
  };
  for (Pending& of : pending) {
    if (of.fence.stage == FenceStage::kSealed) continue;
    ASSIGN_OR_RETURN(Sealer::Person person, PersonOf(of));
    persons.push_back(std::move(person));
    sealed.push_back(&of);
    if (persons.size() == kPersonsPerSealMax) RETURN_IF_ERROR(seal());
  }
  return seal();
}

std::unique_ptr<Attempt> ErasureRunner::NewAttempt(
    const Pending& pending) const {
  audit::Event event;
  event.tenant = pending.person.tenant;
  event.actor = kActor;
  event.action = policy::Action::kErasureFinish;
  event.outcome = audit::Outcome::kAllowed;
  event.reason = base::Reason::kNone;
  event.subject = pending.record.audit_reference;
  return std::make_unique<Attempt>(parts_.sealer.committer.position(),
                                   std::move(event));
}

absl::Status ErasureRunner::DeleteMost(const Pending& pending) {
  const std::string prefix =
      RecordPrefix(pending.person.tenant, pending.person.subject);
  for (;;) {
    ASSIGN_OR_RETURN(const auto rows,
                     parts_.services.data.Scan(storage::PrefixRange(
                         prefix, kRecordsPerAttemptMax + 1)));
    if (rows.size() <= kRecordsPerAttemptMax) return absl::OkStatus();
    auto attempt = NewAttempt(pending);
    for (const storage::Row& row : rows) attempt->data().Delete(row.key);
    attempt->event().records = static_cast<uint32_t>(rows.size());
    RETURN_IF_ERROR(Commit(std::move(attempt)));
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
  for (const policy::ClassNumber number : pending.record.classes) {
    const policy::ClassSpec* spec = services.catalogue.ClassByNumber(number);
    receipt.destroyed.push_back(spec == nullptr ? std::to_string(number)
                                                : spec->name);
  }
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
  auto attempt = NewAttempt(pending);
  ASSIGN_OR_RETURN(const auto rows,
                   services.data.Scan(storage::PrefixRange(
                       RecordPrefix(tenant, subject), kRecordsPerAttemptMax)));
  for (const storage::Row& row : rows) attempt->data().Delete(row.key);
  attempt->event().records = static_cast<uint32_t>(rows.size());
  ErasureRecord record = pending.record;
  record.stage = ErasureStage::kSealed;
  record.facts.clear();
  record.receipt = std::move(receipt);
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

absl::Status ErasureRunner::Commit(std::unique_ptr<Attempt> attempt) {
  std::promise<absl::Status> done;
  parts_.sealer.committer.Submit(
      std::move(attempt),
      [&done](std::unique_ptr<Attempt>, const Committer::Result& result) {
        done.set_value(result.status);
      });
  return done.get_future().get();
}

}  // namespace hizo::vault
