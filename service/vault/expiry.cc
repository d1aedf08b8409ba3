#include "service/vault/expiry.h"

#include <memory>
#include <string>
#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/deks_row.h"
#include "service/vault/erasure_record.h"
#include "service/vault/kept.h"
#include "service/vault/user_keys.h"

namespace hizo::vault {
namespace {

constexpr size_t kRowsAtOnce = 1000;

// Moves what is over by `today` from what is kept to what goes.
policy::ClassSet TakeOver(ErasureRecord& record, policy::Day today) {
  policy::ClassSet over;
  record.classes.clear();
  std::erase_if(record.kept, [&](const KeptClass& kept) {
    if (!kept.IsOver(today)) return false;
    over.set(kept.class_number);
    record.classes.push_back(kept.class_number);
    return true;
  });
  return over;
}

}  // namespace

absl::StatusOr<size_t> Expiry::Run(base::Timestamp now) const {
  const uint32_t today = policy::NumberOf(policy::DayOf(now));
  storage::ScanRange range{.from = TermPrefix(0),
                           .until = TermPrefix(today + 1),
                           .limit = kRowsAtOnce};
  size_t ended = 0;
  for (;;) {
    ASSIGN_OR_RETURN(const auto rows, services_.keys.Scan(range));
    for (const storage::Row& row : rows) {
      const auto due = ParseTermKey(row.key);
      if (!due.has_value()) return absl::DataLossError("a term is damaged");
      // Of a tenant that is not served now: when it is again.
      if (!services_.store_keys.SuiteOfServed(due->tenant).has_value()) {
        continue;
      }
      ASSIGN_OR_RETURN(const bool done, End(*due, now));
      if (done) ++ended;
    }
    if (rows.size() < kRowsAtOnce) return ended;
    range.from = rows.back().key + '\0';
  }
}

absl::StatusOr<bool> Expiry::Forget(const TermRow& due,
                                    std::unique_ptr<Attempt> attempt) const {
  const auto& [day, tenant, subject] = due;
  ASSIGN_OR_RETURN(const auto facts,
                   attempt->Read(services_.data, FactsKey(tenant, subject)));
  if (!facts.has_value()) return false;
  attempt->keys().Delete(TermKey(day, tenant, subject));
  const absl::Status committed = committer_.Commit(std::move(attempt));
  if (base::ReasonOf(committed) == base::Reason::kConflict) return false;
  RETURN_IF_ERROR(committed);
  return false;
}

absl::StatusOr<bool> Expiry::End(const TermRow& due,
                                 base::Timestamp now) const {
  const auto& [day, tenant, subject] = due;
  const uint16_t bucket =
      services_.store_keys.tree()->BucketOf(DeksName(tenant, subject));
  auto attempt = NewOwnAttempt(committer_.position(), tenant,
                               policy::Action::kRetentionExpire);
  attempt->data().MayUseReserve();
  ASSIGN_OR_RETURN(
      const auto fence,
      attempt->Read(services_.keys, FenceKey(bucket, tenant, subject)));
  if (fence.has_value()) return false;
  ASSIGN_OR_RETURN(
      const auto deks,
      attempt->Read(services_.keys, DeksKey(bucket, tenant, subject)));
  ASSIGN_OR_RETURN(const auto row,
                   attempt->Read(services_.data, ErasureKey(tenant, subject)));
  if (!row.has_value()) return Forget(due, std::move(attempt));
  // Keys are written before data: the rest of it may be on its way.
  if (!deks.has_value()) return false;
  ASSIGN_OR_RETURN(ErasureRecord record,
                   OpenErasureRecord(services_.data, services_.store_keys,
                                     tenant, subject, *row));
  ASSIGN_OR_RETURN(DeksRow keys, DecodeDeksRow(*deks));
  const policy::ClassSet over = TakeOver(record, policy::DayOf(now));
  attempt->event().subject = record.Reference();
  attempt->keys().Delete(TermKey(day, tenant, subject));
  // By now it is held, or was released while a law has it kept.
  PutTerm(*attempt, tenant, subject, record.kept);
  if (over.any()) {
    record.stage = ErasureStage::kAccepted;
    record.accepted = now;
    FenceDeks(*attempt, {bucket, tenant, subject}, std::move(keys), over);
    attempt->data().Put(
        ErasureKey(tenant, subject),
        SealErasureRecord(services_.store_keys, tenant, subject, record));
  }
  const absl::Status committed = committer_.Commit(std::move(attempt));
  // Somebody else wrote there: by the next run.
  if (base::ReasonOf(committed) == base::Reason::kConflict) return false;
  RETURN_IF_ERROR(committed);
  return over.any();
}

}  // namespace hizo::vault
