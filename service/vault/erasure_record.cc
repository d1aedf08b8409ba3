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

constexpr uint8_t kFormat = 1;

crypto::Key SealingKey(const StoreKeys& keys, base::TenantId tenant) {
  return crypto::DeriveKey(keys.TenantKey(tenant), "hizo/erasure/v1", {});
}

}  // namespace

std::string SealErasureRecord(const StoreKeys& keys, base::TenantId tenant,
                              base::SubjectId subject,
                              const ErasureRecord& record) {
  ByteWriter out;
  out.Put(kFormat)
      .Put(static_cast<uint8_t>(record.stage))
      .PutRaw(record.audit_reference.bytes())
      .Put(static_cast<uint64_t>(base::ToMicros(record.accepted)))
      .Put(static_cast<uint16_t>(record.classes.size()));
  for (const policy::ClassNumber number : record.classes) out.Put(number);
  out.PutText(record.facts).PutText(record.receipt);
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
  const auto reference =
      base::AuditReference::FromBytes(in.GetRaw(base::AuditReference::kSize));
  record.accepted = base::FromMicros(static_cast<int64_t>(in.Get<uint64_t>()));
  const auto classes = in.Get<uint16_t>();
  for (int i = 0; in.ok() && i < classes; ++i) {
    record.classes.push_back(in.Get<uint16_t>());
  }
  record.facts = in.GetText();
  record.receipt = in.GetText();
  const bool known = record.stage == ErasureStage::kAccepted ||
                     record.stage == ErasureStage::kSealed;
  if (!in.done() || format != kFormat || !known || !reference.has_value()) {
    return Fail(Reason::kIntegrityFailure);
  }
  record.audit_reference = *reference;
  return record;
}

}  // namespace hizo::vault
