#include "service/vault/policy_row.h"

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "service/base/clock.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

constexpr uint8_t kFormat = 1;
constexpr std::string_view kLabel = "hizo/policy/v1";

}  // namespace

std::string SealPolicyRow(const StoreKeys& keys, base::TenantId tenant,
                          const StoredPolicy& stored) {
  ByteWriter out;
  out.Put(kFormat)
      .Put(static_cast<uint64_t>(base::ToMicros(stored.activation.time)))
      .PutText(stored.activation.actor)
      .PutText(stored.digest)
      .PutText(stored.texts.profile)
      .PutText(stored.texts.statutory)
      .PutText(stored.texts.overlay);
  return crypto::Seal(crypto::DeriveKey(keys.TenantKey(tenant), kLabel, {}),
                      PolicyKey(tenant), std::move(out).Take());
}

absl::StatusOr<StoredPolicy> OpenPolicyRow(const StoreKeys& keys,
                                           base::TenantId tenant,
                                           std::string_view row) {
  ASSIGN_OR_RETURN(
      const std::string bytes,
      crypto::Open(crypto::DeriveKey(keys.TenantKey(tenant), kLabel, {}),
                   PolicyKey(tenant), row));
  ByteReader in(bytes);
  StoredPolicy stored;
  const auto format = in.Get<uint8_t>();
  stored.activation.time =
      base::FromMicros(static_cast<int64_t>(in.Get<uint64_t>()));
  stored.activation.actor = in.GetText();
  stored.digest = in.GetText();
  stored.texts.profile = in.GetText();
  stored.texts.statutory = in.GetText();
  stored.texts.overlay = in.GetText();
  if (!in.done() || format != kFormat) {
    return base::Fail(base::Reason::kIntegrityFailure);
  }
  return stored;
}

}  // namespace hizo::vault
