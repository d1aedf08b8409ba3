#include "service/vault/requests.h"

#include <chrono>
#include <utility>

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;

constexpr size_t kTagSize = 16;

uint32_t DayOf(base::Timestamp time) {
  return static_cast<uint32_t>(
      std::chrono::floor<std::chrono::days>(time).time_since_epoch().count());
}

Leaf DayLeaf(const Call& call, uint32_t day) {
  ByteWriter detail;
  detail.Put(day);
  return {call.tenant.id, LeafKind::kRequestDay, std::move(detail).Take()};
}

// Where a request is remembered: nothing of it can be read from the key.
std::string RowKey(const crypto::Key& day_key, uint32_t day, const Call& call) {
  const std::string action(1, static_cast<char>(call.action));
  const crypto::Digest tag =
      crypto::Prf(day_key, "hizo/request/row/v1",
                  {call.principal.spiffe_id, action, call.request->bytes()});
  return RequestKey(day, call.tenant.id,
                    crypto::AsBytes(tag).substr(0, kTagSize));
}

std::string Fingerprint(const crypto::Key& day_key, const Call& call) {
  return std::string(crypto::AsBytes(
      crypto::Prf(day_key, "hizo/request/body/v1", {call.body})));
}

crypto::Key SealingKey(const crypto::Key& day_key) {
  return crypto::DeriveKey(day_key, "hizo/request/seal/v1", {});
}

// The first day of [from, until) of which anybody's requests are left.
absl::StatusOr<std::optional<uint32_t>> NextDay(const storage::Reader& data,
                                                uint32_t from, uint32_t until) {
  if (from >= until) return std::nullopt;
  ASSIGN_OR_RETURN(const auto rows, data.Scan({.from = RequestPrefix(from),
                                               .until = RequestPrefix(until),
                                               .limit = 1}));
  if (rows.empty()) return std::nullopt;
  const auto day = RequestDay(rows.front().key);
  if (!day.has_value()) return Fail(Reason::kIntegrityFailure);
  return day;
}

}  // namespace

absl::StatusOr<std::optional<std::string>> Requests::Recall(
    Attempt& attempt, const Call& call) const {
  if (!call.request.has_value()) return std::nullopt;
  const uint32_t today = DayOf(call.now);
  // Tomorrow too: of two repeats on either side of midnight the later one may
  // be done first, and a clock may be set back.
  for (const uint32_t day : {today + 1, today, today - 1}) {
    ASSIGN_OR_RETURN(const auto day_key,
                     store_keys_.ReadLeaf(attempt, DayLeaf(call, day)));
    if (!day_key.has_value()) continue;
    const std::string row_key = RowKey(*day_key, day, call);
    ASSIGN_OR_RETURN(const auto row, attempt.Read(data_, row_key));
    if (!row.has_value()) continue;
    ASSIGN_OR_RETURN(const std::string opened,
                     crypto::Open(SealingKey(*day_key), row_key, *row));
    ByteReader in(opened);
    const std::string_view fingerprint = in.GetText();
    std::string answer(in.GetText());
    if (!in.done()) return Fail(Reason::kIntegrityFailure);
    if (!crypto::ConstantTimeEquals(fingerprint, Fingerprint(*day_key, call))) {
      return Fail(Reason::kRequestIdReused);
    }
    return answer;
  }
  return std::nullopt;
}

absl::Status Requests::Remember(Attempt& attempt, const Call& call,
                                const std::string& answer) const {
  if (!call.request.has_value()) return absl::OkStatus();
  const uint32_t today = DayOf(call.now);
  const Leaf leaf = DayLeaf(call, today);
  ASSIGN_OR_RETURN(auto day_key, store_keys_.ReadLeaf(attempt, leaf));
  if (!day_key.has_value()) day_key = store_keys_.CreateLeaf(attempt, leaf);
  const std::string row_key = RowKey(*day_key, today, call);
  ByteWriter row;
  row.PutText(Fingerprint(*day_key, call)).PutText(answer);
  attempt.data().Put(row_key, crypto::Seal(SealingKey(*day_key), row_key,
                                           std::move(row).Take()));
  return absl::OkStatus();
}

absl::StatusOr<size_t> Requests::Forget(Attempt& attempt, base::TenantId tenant,
                                        base::Timestamp now) const {
  const uint32_t kept_from = DayOf(now) - 1;
  size_t forgotten = 0;
  for (uint32_t from = 0;;) {
    ASSIGN_OR_RETURN(const auto day, NextDay(data_, from, kept_from));
    if (!day.has_value()) break;
    ASSIGN_OR_RETURN(const auto rows, data_.Scan(storage::PrefixRange(
                                          RequestKey(*day, tenant, ""),
                                          kForgottenMax - forgotten)));
    for (const storage::Row& row : rows) attempt.data().Delete(row.key);
    forgotten += rows.size();
    if (forgotten == kForgottenMax) return forgotten;
    from = *day + 1;
  }
  ASSIGN_OR_RETURN(const size_t days, store_keys_.DeleteRequestDaysBefore(
                                          attempt, tenant, kept_from));
  return forgotten + days;
}

}  // namespace hizo::vault
