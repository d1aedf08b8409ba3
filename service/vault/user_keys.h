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
#include "service/vault/deks_row.h"
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
  // What the person has keys of, ascending.
  std::vector<policy::ClassNumber> Classes() const;

 private:
  friend class UserKeys;
  SubjectKeys(base::TenantId tenant, base::SubjectId subject,
              crypto::Suite suite, crypto::KeyTree::NameWrapper wrapper,
              std::string row_key)
      : tenant_(tenant),
        subject_(subject),
        row_{suite, {}},
        wrapper_(std::move(wrapper)),
        row_key_(std::move(row_key)) {}
  const WrappedDek* Find(policy::ClassNumber class_number) const;

  base::TenantId tenant_;
  base::SubjectId subject_;
  DeksRow row_;
  crypto::KeyTree::NameWrapper wrapper_;
  std::string row_key_;
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

  // Moves all of the person's DEKs behind the fence, as part of the Attempt:
  // from its commit on nobody finds them, until a seal destroys them.
  void Fence(Attempt& attempt, const AccessGrant& grant) const;
  // The DEKs behind a fence, by the tree of now: for the person's erasure.
  absl::StatusOr<SubjectKeys> Fenced(base::TenantId tenant,
                                     base::SubjectId subject,
                                     std::string_view deks) const;

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
