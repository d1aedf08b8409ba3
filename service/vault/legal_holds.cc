#include "service/vault/legal_holds.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/erasure_record.h"
#include "service/vault/kept.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;

std::string EncodeCount(size_t holds) {
  ByteWriter out;
  out.Put(static_cast<uint16_t>(holds));
  return std::move(out).Take();
}

absl::StatusOr<size_t> DecodeCount(std::string_view bytes) {
  ByteReader in(bytes);
  const auto holds = in.Get<uint16_t>();
  if (!in.done()) return Fail(Reason::kIntegrityFailure);
  return holds;
}

// Puts `what` into `all`, which is ascending and has it at most once.
template <typename T>
absl::Status Add(const T& what, std::vector<T>& all) {
  const auto at = std::ranges::lower_bound(all, what);
  if (at != all.end() && *at == what) return absl::OkStatus();
  if (all.size() >= kLegalHoldsMax) return Fail(Reason::kTooLarge);
  all.insert(at, what);
  return absl::OkStatus();
}

template <typename T>
absl::Status Take(const T& what, std::vector<T>& all) {
  if (std::erase(all, what) == 0) return Fail(Reason::kRecordNotFound);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<size_t> LegalHolds::Place(Attempt& attempt, const Call& call,
                                         const LegalHoldInput& input) const {
  return Do(attempt, call, input, Change::kPlace);
}

absl::StatusOr<size_t> LegalHolds::Release(Attempt& attempt, const Call& call,
                                           const LegalHoldInput& input) const {
  return Do(attempt, call, input, Change::kRelease);
}

absl::StatusOr<size_t> LegalHolds::Do(Attempt& attempt, const Call& call,
                                      const LegalHoldInput& input,
                                      Change change) const {
  Ask ask;
  ask.subject = input.subject;
  ask.classes.set(policy::kClassFacts);
  ASSIGN_OR_RETURN(AccessGrant grant, services_.gate.Admit(attempt, call, ask));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) return DecodeCount(*repeated);
  const policy::ClassSpec* spec =
      services_.catalogue.FindClass(input.record_class);
  if (spec == nullptr || spec->internal) return Fail(Reason::kFieldUnknown);
  if (input.claim.is_nil()) return Fail(Reason::kValueInvalid);
  const LegalHold hold{spec->number, input.claim};
  const bool erased =
      grant.facts().subject.state == policy::SubjectState::kRetained;
  ASSIGN_OR_RETURN(const size_t holds,
                   erased ? InErasure(attempt, call, grant, hold, change)
                          : InFacts(attempt, grant, hold, change));
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call, EncodeCount(holds)));
  return holds;
}

absl::StatusOr<size_t> LegalHolds::InFacts(Attempt& attempt, AccessGrant& grant,
                                           const LegalHold& hold,
                                           Change change) const {
  Facts facts = grant.facts();
  RETURN_IF_ERROR(change == Change::kPlace ? Add(hold, facts.holds)
                                           : Take(hold, facts.holds));
  const auto holds = static_cast<size_t>(std::ranges::count(
      facts.holds, hold.class_number, &LegalHold::class_number));
  if (facts.holds != grant.facts().holds) {
    facts.subject.held.set(hold.class_number, holds > 0);
    RETURN_IF_ERROR(services_.facts.Save(attempt, grant, std::move(facts)));
  }
  return holds;
}

absl::StatusOr<size_t> LegalHolds::InErasure(Attempt& attempt, const Call& call,
                                             const AccessGrant& grant,
                                             const LegalHold& hold,
                                             Change change) const {
  const base::TenantId tenant = call.tenant.id;
  const base::SubjectId subject = grant.subject();
  const std::string row_key = ErasureKey(tenant, subject);
  ASSIGN_OR_RETURN(const auto row, attempt.Read(services_.data, row_key));
  if (!row.has_value()) return Fail(Reason::kInternal);
  ASSIGN_OR_RETURN(ErasureRecord record,
                   OpenErasureRecord(services_.data, services_.store_keys,
                                     tenant, subject, *row));
  const auto kept = std::ranges::find(record.kept, hold.class_number,
                                      &KeptClass::class_number);
  // What is over is about to go and is not there any more.
  if (kept == record.kept.end() || kept->IsOver(policy::DayOf(call.now))) {
    return Fail(Reason::kRecordNotFound);
  }
  RETURN_IF_ERROR(change == Change::kPlace ? Add(hold.claim, kept->holds)
                                           : Take(hold.claim, kept->holds));
  const size_t holds = kept->holds.size();
  // Looked at in a moment: another term, or the end.
  if (change == Change::kRelease) {
    attempt.keys().Put(
        TermKey(policy::NumberOf(policy::DayOf(call.now)), tenant, subject),
        TermRowValue());
  }
  attempt.data().Put(row_key, SealErasureRecord(services_.store_keys, tenant,
                                                subject, record));
  return holds;
}

}  // namespace hizo::vault
