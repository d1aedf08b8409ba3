// UserKeys: the keys of people, one DEK for each class that a person has
// something in.
//
// A DEK comes out only against an AccessGrant that covers its class, and a
// grant comes only from the AccessGate. DEKs are not cached: they live for one
// call in the locked slab.
//
// Threads: const methods may be called concurrently. Lifetime: engine and
// StoreKeys outlive it.
#ifndef HIZO_SERVICE_VAULT_USER_KEYS_H_
#define HIZO_SERVICE_VAULT_USER_KEYS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "service/base/ids.h"
#include "service/policy/catalogue.h"
#include "service/vault/attempt.h"
#include "service/vault/store_keys.h"
#include "storage/engine.h"

namespace hizo::vault {

class AccessGrant;

// The DEK of one class and which generation it is.
struct ClassKey {
  crypto::Key dek;  // of the suite that the tenant's rows are written in
  uint32_t generation = 0;
};

// SubjectKeys is a person's row of wrapped DEKs. Only UserKeys can unwrap one.
class SubjectKeys {
 public:
  base::TenantId tenant() const { return tenant_; }
  base::SubjectId subject() const { return subject_; }

 private:
  friend class UserKeys;
  struct Wrapped {
    policy::ClassNumber class_number = 0;
    uint32_t generation = 0;
    uint8_t flags = 0;
    std::string sealed;
  };
  SubjectKeys(base::TenantId tenant, base::SubjectId subject,
              crypto::Suite suite, crypto::KeyTree::NameWrapper wrapper,
              std::string row_key)
      : tenant_(tenant),
        subject_(subject),
        suite_(suite),
        wrapper_(std::move(wrapper)),
        row_key_(std::move(row_key)) {}
  const Wrapped* Find(policy::ClassNumber class_number) const;

  base::TenantId tenant_;
  base::SubjectId subject_;
  crypto::Suite suite_;  // of the wraps
  crypto::KeyTree::NameWrapper wrapper_;
  std::string row_key_;
  std::vector<Wrapped> wrapped_;  // ascending class numbers
};

class UserKeys {
 public:
  UserKeys(const storage::Engine& keys, const StoreKeys& store_keys)
      : keys_(keys), store_keys_(store_keys) {}

  // The DEK of a class: nullopt if the person has none, kDataLoss if it does
  // not open, kInternal if the grant does not cover the class.
  absl::StatusOr<std::optional<ClassKey>> Unlock(
      const AccessGrant& grant, policy::ClassNumber class_number) const;

  // Makes the DEKs of those of `classes` that the person lacks, as part of the
  // Attempt; Unlock finds them at once. Those that are wrapped in another suite
  // than the tenant's are wrapped anew.
  absl::Status Ensure(Attempt& attempt, AccessGrant& grant,
                      std::span<const policy::ClassNumber> classes) const;

 private:
  friend class AccessGate;
  friend class FactsStore;
  // The person's row; one without DEKs if there is no row.
  absl::StatusOr<SubjectKeys> Read(Attempt& attempt, base::TenantId tenant,
                                   base::SubjectId subject) const;
  // A person who is being created: whatever row there is belongs to nobody.
  SubjectKeys Fresh(base::TenantId tenant, base::SubjectId subject) const;
  SubjectKeys None(base::TenantId tenant, base::SubjectId subject,
                   crypto::Suite suite) const;  // no DEKs yet
  // Wraps all DEKs in `suite`.
  absl::Status Rewrap(SubjectKeys& keys, crypto::Suite suite) const;
  absl::StatusOr<std::optional<ClassKey>> Unwrap(
      const SubjectKeys& keys, policy::ClassNumber class_number) const;

  const storage::Engine& keys_;
  const StoreKeys& store_keys_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_USER_KEYS_H_
