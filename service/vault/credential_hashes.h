// CredentialHashes: where a person's password hash lies: the one record without
// an id of the class credential. Internal, so no grant shows it to anybody.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_CREDENTIAL_HASHES_H_
#define HIZO_SERVICE_VAULT_CREDENTIAL_HASHES_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/password_hash.h"
#include "service/policy/catalogue.h"
#include "service/vault/access_gate.h"
#include "service/vault/attempt.h"
#include "service/vault/record_store.h"

namespace hizo::vault {

class CredentialHashes {
 public:
  CredentialHashes(const policy::Catalogue& catalogue,
                   const RecordStore& records, const UserKeys& user_keys)
      : catalogue_(catalogue), records_(records), user_keys_(user_keys) {}

  struct Present {
    OpenRecord record;
    std::optional<crypto::StoredHash> hash;
  };
  // nullopt for a person without a record.
  absl::StatusOr<std::optional<Present>> Read(Attempt& attempt,
                                              const AccessGrant& grant) const;
  // Replaces the hash as part of the Attempt; whatever else the record holds
  // stays. `present` is what Read returned.
  absl::Status Write(Attempt& attempt, AccessGrant& grant,
                     const std::optional<Present>& present,
                     std::string hash) const;
  // Removes the record.
  void Remove(Attempt& attempt, const AccessGrant& grant,
              const Present& present) const;

 private:
  absl::StatusOr<const policy::FieldSpec*> Field() const;
  const policy::Catalogue& catalogue_;
  const RecordStore& records_;
  const UserKeys& user_keys_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_CREDENTIAL_HASHES_H_
