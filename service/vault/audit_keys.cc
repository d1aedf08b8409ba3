#include "service/vault/audit_keys.h"

#include <chrono>
#include <utility>

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::AuditReference;
using base::SubjectId;
using base::TenantId;
using crypto::Key;

constexpr uint32_t kMonthsAYear = 12;
constexpr int kFirstYear = 1970;
constexpr size_t kMonthSize = sizeof(AuditMonth);
constexpr size_t kEarlierSize = SubjectId::kSize + crypto::kSealOverhead;

// What earlier versions sealed ways back under.
Key EarlierKey(const StoreKeys& keys, TenantId tenant) {
  return crypto::DeriveKey(keys.TenantKey(tenant), "hizo/wayback/v1", {});
}
Key WayBackSealingKey(const Key& month) {
  return crypto::DeriveKey(month, "hizo/wayback/v2", {});
}
Key ReferenceSealingKey(const Key& month) {
  return crypto::DeriveKey(month, "hizo/reference/v1", {});
}

}  // namespace

AuditMonth AuditMonthOf(base::Timestamp time) {
  const std::chrono::year_month_day day(
      std::chrono::floor<std::chrono::days>(time));
  const int years = static_cast<int>(day.year()) - kFirstYear;
  if (years < 0) return 0;
  return static_cast<AuditMonth>(years) * kMonthsAYear +
         static_cast<unsigned>(day.month()) - 1;
}

base::Timestamp BeginOf(AuditMonth month) {
  const std::chrono::year_month_day day(
      std::chrono::year(kFirstYear + static_cast<int>(month / kMonthsAYear)),
      std::chrono::month(month % kMonthsAYear + 1), std::chrono::day(1));
  return std::chrono::sys_days(day);
}

Leaf AuditMonthLeaf(TenantId tenant, AuditMonth month) {
  ByteWriter detail;
  detail.Put(month);
  return {tenant, LeafKind::kAuditMonth, std::move(detail).Take()};
}

absl::StatusOr<MonthKey> KeyOfMonth(const StoreKeys& keys, Attempt& attempt,
                                    TenantId tenant, AuditMonth month) {
  const Leaf leaf = AuditMonthLeaf(tenant, month);
  ASSIGN_OR_RETURN(std::optional<Key> key, keys.ReadLeaf(attempt, leaf));
  if (key.has_value()) return MonthKey{month, *std::move(key)};
  return MonthKey{month, keys.CreateLeaf(attempt, leaf)};
}

std::string SealWayBack(const MonthKey& month, AuditReference reference,
                        SubjectId subject) {
  ByteWriter out;
  out.Put(month.month)
      .PutRaw(crypto::Seal(WayBackSealingKey(month.key), WayBackKey(reference),
                           subject.bytes()));
  return std::move(out).Take();
}

std::optional<AuditMonth> MonthOfWayBack(std::string_view sealed) {
  if (sealed.size() != kEarlierSize + kMonthSize) return std::nullopt;
  ByteReader in(sealed);
  return in.Get<AuditMonth>();
}

absl::StatusOr<SubjectId> OpenWayBack(const StoreKeys& keys, TenantId tenant,
                                      AuditReference reference,
                                      std::string_view sealed) {
  std::optional<Key> key;
  if (const auto month = MonthOfWayBack(sealed)) {
    ASSIGN_OR_RETURN(key, keys.LeafOfNow(AuditMonthLeaf(tenant, *month)));
    if (!key.has_value()) {
      return absl::DataLossError("the key of a month has ended");
    }
    key = WayBackSealingKey(*key);
    sealed.remove_prefix(kMonthSize);
  } else {
    key = EarlierKey(keys, tenant);
  }
  ASSIGN_OR_RETURN(const std::string subject,
                   crypto::Open(*key, WayBackKey(reference), sealed));
  const auto id = SubjectId::FromBytes(subject);
  if (!id.has_value()) return absl::DataLossError("no subject id");
  return *id;
}

std::string SealReference(const MonthKey& month, TenantId tenant,
                          SubjectId subject, AuditReference reference) {
  return crypto::Seal(ReferenceSealingKey(month.key),
                      ErasureKey(tenant, subject), reference.bytes());
}

absl::StatusOr<std::optional<AuditReference>> OpenReference(
    const StoreKeys& keys, TenantId tenant, SubjectId subject, AuditMonth month,
    std::string_view sealed) {
  ASSIGN_OR_RETURN(const std::optional<Key> key,
                   keys.LeafOfNow(AuditMonthLeaf(tenant, month)));
  if (!key.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(const std::string bytes,
                   crypto::Open(ReferenceSealingKey(*key),
                                ErasureKey(tenant, subject), sealed));
  const auto reference = AuditReference::FromBytes(bytes);
  if (!reference.has_value()) return absl::DataLossError("no reference");
  return reference;
}

}  // namespace hizo::vault
