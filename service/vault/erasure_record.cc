#include "service/vault/erasure_record.h"

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

// The first had one receipt, which was empty until then, and kept nothing; the
// second kept for laws only; all up to the third had the reference as it is and
// knew no grace; all up to the fourth knew no years, nor what is suppressed.
constexpr uint8_t kFormatOfOne = 1;
constexpr uint8_t kFormatOfLaws = 2;
constexpr uint8_t kFormatOfPlainReference = 3;
constexpr uint8_t kFormatWithoutYears = 4;
constexpr uint8_t kFormat = 5;
constexpr uint64_t kNoGrace = 0;
constexpr uint32_t kNoLaw = 0x7FFFFFFF;

crypto::Key SealingKey(const StoreKeys& keys, base::TenantId tenant) {
  return crypto::DeriveKey(keys.TenantKey(tenant), "hizo/erasure/v1", {});
}

absl::Status GetReference(const StoreKeys& keys, base::TenantId tenant,
                          base::SubjectId subject, uint8_t format,
                          ByteReader& in, ErasureRecord& record) {
  std::string_view bytes;
  if (format <= kFormatOfPlainReference) {
    bytes = in.GetRaw(base::AuditReference::kSize);
  } else {
    record.reference_month = in.Get<uint32_t>();
    bytes = in.GetText();
  }
  if (record.reference_month == 0) {
    const auto reference = base::AuditReference::FromBytes(bytes);
    if (!reference.has_value()) return Fail(Reason::kIntegrityFailure);
    record.audit_reference = *reference;
    return absl::OkStatus();
  }
  record.sealed_reference = bytes;
  ASSIGN_OR_RETURN(const auto reference,
                   OpenReference(keys, tenant, subject, record.reference_month,
                                 record.sealed_reference));
  record.audit_reference = reference.value_or(base::AuditReference());
  return absl::OkStatus();
}

void GetWhatFollowsFacts(uint8_t format, ByteReader& in,
                         ErasureRecord& record) {
  if (format == kFormatOfOne) {
    std::string receipt(in.GetText());
    if (!receipt.empty()) record.receipts.push_back(std::move(receipt));
    return;
  }
  const auto receipts = in.Get<uint16_t>();
  for (int i = 0; in.ok() && i < receipts; ++i) {
    record.receipts.emplace_back(in.GetText());
  }
  const auto kept = in.Get<uint16_t>();
  for (int i = 0; in.ok() && i < kept; ++i) {
    KeptClass of;
    of.class_number = in.Get<uint16_t>();
    if (of.class_number >= policy::kClassesMax) return in.Spoil();
    const auto until = in.Get<uint32_t>();
    if (until != kNoLaw) of.until = policy::DayFromNumber(until);
    const int holds = format == kFormatOfLaws ? 0 : in.Get<uint16_t>();
    for (int k = 0; in.ok() && k < holds; ++k) {
      const auto claim =
          base::ClaimId::FromBytes(in.GetRaw(base::ClaimId::kSize));
      if (claim.has_value()) of.holds.push_back(*claim);
    }
    const int years = format <= kFormatWithoutYears ? 0 : in.Get<uint16_t>();
    for (int k = 0; in.ok() && k < years; ++k) {
      const policy::Day last = policy::DayFromNumber(in.Get<uint32_t>());
      of.years.push_back({last, policy::DayFromNumber(in.Get<uint32_t>())});
    }
    record.kept.push_back(std::move(of));
  }
  if (format > kFormatWithoutYears) record.suppressed = in.Get<uint16_t>();
}

}  // namespace

policy::ClassSet ErasureRecord::KeptClasses() const {
  policy::ClassSet numbers;
  for (const KeptClass& of : kept) numbers.set(of.class_number);
  return numbers;
}

std::optional<base::AuditReference> ErasureRecord::Reference() const {
  if (audit_reference.is_nil()) return std::nullopt;
  return audit_reference;
}

void HideReference(const MonthKey& month, base::TenantId tenant,
                   base::SubjectId subject, ErasureRecord& record) {
  record.reference_month = month.month;
  record.sealed_reference =
      SealReference(month, tenant, subject, record.audit_reference);
}

std::string SealErasureRecord(const StoreKeys& keys, base::TenantId tenant,
                              base::SubjectId subject,
                              const ErasureRecord& record) {
  ByteWriter out;
  out.Put(kFormat)
      .Put(static_cast<uint8_t>(record.stage))
      .Put(record.reference_month)
      .PutText(record.reference_month == 0 ? record.audit_reference.bytes()
                                           : record.sealed_reference)
      .Put(static_cast<uint64_t>(base::ToMicros(record.accepted)))
      .Put(record.grace_until.has_value()
               ? static_cast<uint64_t>(base::ToMicros(*record.grace_until))
               : kNoGrace)
      .Put(static_cast<uint16_t>(record.classes.size()));
  for (const policy::ClassNumber number : record.classes) out.Put(number);
  out.PutText(record.facts).Put(static_cast<uint16_t>(record.receipts.size()));
  for (const std::string& receipt : record.receipts) out.PutText(receipt);
  out.Put(static_cast<uint16_t>(record.kept.size()));
  for (const KeptClass& kept : record.kept) {
    out.Put(kept.class_number)
        .Put(kept.until.has_value() ? policy::NumberOf(*kept.until) : kNoLaw)
        .Put(static_cast<uint16_t>(kept.holds.size()));
    for (const base::ClaimId& claim : kept.holds) out.PutRaw(claim.bytes());
    out.Put(static_cast<uint16_t>(kept.years.size()));
    for (const KeptYear& year : kept.years) {
      out.Put(policy::NumberOf(year.last))
          .Put(policy::NumberOf(year.until_if_loss));
    }
  }
  out.Put(static_cast<uint16_t>(record.suppressed));
  return crypto::Seal(SealingKey(keys, tenant), ErasureKey(tenant, subject),
                      std::move(out).Take());
}

absl::StatusOr<ErasureRecord> OpenErasureRecord(const StoreKeys& keys,
                                                base::TenantId tenant,
                                                base::SubjectId subject,
                                                std::string_view sealed) {
  ASSIGN_OR_RETURN(const std::string bytes,
                   crypto::Open(SealingKey(keys, tenant),
                                ErasureKey(tenant, subject), sealed));
  ByteReader in(bytes);
  ErasureRecord record;
  const auto format = in.Get<uint8_t>();
  record.stage = static_cast<ErasureStage>(in.Get<uint8_t>());
  RETURN_IF_ERROR(GetReference(keys, tenant, subject, format, in, record));
  record.accepted = base::FromMicros(static_cast<int64_t>(in.Get<uint64_t>()));
  const uint64_t grace =
      format > kFormatOfPlainReference ? in.Get<uint64_t>() : kNoGrace;
  if (grace != kNoGrace) {
    record.grace_until = base::FromMicros(static_cast<int64_t>(grace));
  }
  const auto classes = in.Get<uint16_t>();
  for (int i = 0; in.ok() && i < classes; ++i) {
    record.classes.push_back(in.Get<uint16_t>());
  }
  record.facts = in.GetText();
  GetWhatFollowsFacts(format, in, record);
  const bool known = record.stage == ErasureStage::kAccepted ||
                     record.stage == ErasureStage::kSealed;
  const bool known_format = format >= kFormatOfOne && format <= kFormat;
  if (!in.done() || !known_format || !known) {
    return Fail(Reason::kIntegrityFailure);
  }
  return record;
}

absl::Status AddLosses(const storage::Reader& data, base::TenantId tenant,
                       std::span<KeptClass> kept) {
  for (KeptClass& of : kept) {
    for (const KeptYear& year : of.years) {
      const std::string key = LossYearKey(tenant, policy::PeriodOf(year.last));
      ASSIGN_OR_RETURN(const auto marked, data.Get(key));
      if (!marked.has_value()) continue;
      if (of.until.has_value() && *of.until > year.until_if_loss) continue;
      of.until = year.until_if_loss;
      of.loss = true;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ErasureRecord> OpenErasureRecord(const storage::Reader& data,
                                                const StoreKeys& keys,
                                                base::TenantId tenant,
                                                base::SubjectId subject,
                                                std::string_view sealed) {
  ASSIGN_OR_RETURN(ErasureRecord record,
                   OpenErasureRecord(keys, tenant, subject, sealed));
  RETURN_IF_ERROR(AddLosses(data, tenant, record.kept));
  return record;
}

}  // namespace hizo::vault
