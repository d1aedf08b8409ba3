// Recipients: whom a tenant may send bundles of people to, at their word
// (GDPR 20(2)), each registered under a name with the key that alone opens what
// is sent there.
//
// A row is sealed under the tenant's key at its own place, so that nobody who
// writes the disk puts another key in; each change is one Attempt with its
// event, which tells the name and a hash of the key.
// Threads: const methods may be called concurrently. Lifetime: services outlive
// it.
#ifndef HIZO_SERVICE_VAULT_RECIPIENTS_H_
#define HIZO_SERVICE_VAULT_RECIPIENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/age_keys.h"
#include "service/audit/event.h"
#include "service/base/clock.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/services.h"

namespace hizo::vault {

inline constexpr size_t kRecipientsMax = 256;     // of a tenant
inline constexpr size_t kAgreementSizeMax = 128;  // of a reference, in bytes

// Numbers are those of hizo.v1.RecipientKind. Stored; never renumber.
enum class RecipientKind : uint8_t { kCompany = 1, kAgent = 2, kAuthority = 3 };
// nullopt for a number that is none.
std::optional<RecipientKind> RecipientKindFromNumber(uint32_t number);

struct Recipient {
  std::string name;
  crypto::AgeRecipient key;
  RecipientKind kind = RecipientKind::kCompany;
  std::string agreement;  // the company's reference of it
  base::Timestamp registered;
  std::string etag;
};
// As an event names it.
audit::Recipient InEvent(const Recipient& recipient);

struct RecipientInput {
  std::string name;
  std::string key;  // of age
  std::optional<RecipientKind> kind;
  std::string agreement;
  std::optional<std::string> etag;  // of what it replaces
};
struct RegisteredRecipient {
  std::string etag;
  bool changed = false;   // or it was registered just so
  bool repeated = false;  // an earlier call with this request id did it
};

class Recipients {
 public:
  explicit Recipients(const Services& services) : services_(services) {}

  // kRecipientUnsafe for a key that is none or of small order, and for the
  // tenant's own name; kValueInvalid for a label that is none; kAlreadyExists
  // where the name is taken by another and no etag was given, kEtagMismatch if
  // it is another one's; kTooLarge after kRecipientsMax.
  absl::StatusOr<RegisteredRecipient> Register(
      Attempt& attempt, const Call& call, const RecipientInput& input) const;
  // Whether an earlier call with this request id did it. kRecipientUnknown,
  // kEtagMismatch.
  absl::StatusOr<bool> Remove(Attempt& attempt, const Call& call,
                              const std::string& name,
                              const std::optional<std::string>& etag) const;
  // In the order of their names.
  absl::StatusOr<std::vector<Recipient>> List(Attempt& attempt,
                                              const Call& call) const;

  // For a use case that was allowed already; relied upon. nullopt if nobody is
  // registered under the name, kIntegrityFailure for a row that is not as it
  // was written.
  absl::StatusOr<std::optional<Recipient>> Find(Attempt& attempt,
                                                base::TenantId tenant,
                                                std::string_view name) const;

 private:
  std::string KeyOf(base::TenantId tenant, std::string_view name) const;
  absl::StatusOr<Recipient> Open(base::TenantId tenant, std::string_view key,
                                 std::string_view sealed) const;
  // kTooLarge if there is no room for another one.
  absl::Status CheckRoom(Attempt& attempt, base::TenantId tenant) const;
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_RECIPIENTS_H_
