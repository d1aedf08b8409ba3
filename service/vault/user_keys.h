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
#include "crypto/record_cipher.h"
#include "crypto/secret.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/policy/catalogue.h"
#include "service/vault/attempt.h"
#include "service/vault/deks_row.h"
#include "service/vault/row_keys.h"
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
  // How many generations of a class's DEK there are: one, two while it is being
  // renewed, none; and whether one is the newest.
  size_t Generations(policy::ClassNumber class_number) const;
  bool IsNewest(policy::ClassNumber class_number, uint32_t generation) const;

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
  // The newest of a class; nullptr if there is none.
  const WrappedDek* Find(policy::ClassNumber class_number) const;
  const WrappedDek* Find(policy::ClassNumber class_number,
                         uint32_t generation) const;

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

  // The DEK of a class, to write with: nullopt if the person has none,
  // kDataLoss if it does not open, kInternal if the grant does not cover the
  // class.
  absl::StatusOr<std::optional<ClassKey>> Unlock(
      const AccessGrant& grant, policy::ClassNumber class_number) const;
  // The one that a row names, to read it with: while a class's key is being
  // renewed (renewals.h) there are two. kIntegrityFailure if the person has
  // keys of the class and not this one.
  absl::StatusOr<std::optional<ClassKey>> Unlock(
      const AccessGrant& grant, policy::ClassNumber class_number,
      uint32_t generation) const;

  // Makes the DEKs of those of `classes` that the person lacks, as part of the
  // Attempt; Unlock finds them at once. Those that are wrapped in another suite
  // than the tenant's are wrapped anew.
  absl::Status Ensure(Attempt& attempt, AccessGrant& grant,
                      std::span<const policy::ClassNumber> classes) const;

  // Moves the person's DEKs but those of `keep` behind the fence, as part of
  // the Attempt: from its commit on nobody finds them, until a seal destroys
  // them. With `due` they may be given back until then.
  void Fence(Attempt& attempt, const AccessGrant& grant,
             const policy::ClassSet& keep,
             std::optional<base::Timestamp> due) const;
  // Gives the DEKs behind the person's fence, which are `deks`, back, as part
  // of the Attempt; all that the person has then.
  absl::StatusOr<SubjectKeys> Unfence(Attempt& attempt, base::TenantId tenant,
                                      base::SubjectId subject,
                                      std::string_view deks) const;
  const StoreKeys& store_keys() const { return store_keys_; }
  // The DEKs behind a fence, by the tree of now: for the person's erasure.
  absl::StatusOr<SubjectKeys> Fenced(base::TenantId tenant,
                                     base::SubjectId subject,
                                     std::string_view deks) const;

 private:
  friend class AccessGate;
  friend class FactsStore;
  friend class Renewals;
  friend class EntryOwners;
  friend class PeriodEnds;
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
  absl::StatusOr<ClassKey> Unwrap(const SubjectKeys& keys,
                                  const WrappedDek& wrapped) const;
  // For renewals and ends. A new DEK of a class, the newest from the commit on;
  // taking away all but the newest; and the row of a record under the newest,
  // as the same version. Those DEKs do not leave this class.
  void AddGeneration(Attempt& attempt, SubjectKeys& keys,
                     policy::ClassNumber class_number) const;
  void DropOlder(Attempt& attempt, SubjectKeys& keys,
                 policy::ClassNumber class_number) const;
  // `to` is the key of `period`, or nullptr where that is 0; `from` likewise of
  // the row's.
  absl::StatusOr<std::string> Renewed(const SubjectKeys& keys,
                                      const RecordKeyParts& place,
                                      const crypto::SealedRow& row,
                                      const crypto::Key* from, uint32_t period,
                                      const crypto::Key* to) const;
  absl::StatusOr<crypto::RecordOpener> OpenerOf(
      const SubjectKeys& keys, const RecordKeyParts& place,
      const crypto::SealedRow& row, const crypto::Key* period_key) const;

  const storage::Engine& keys_;
  const StoreKeys& store_keys_;
};

// Moves those of a person's `deks`, which are all that there are, that are of
// `classes` behind the fence, as part of the Attempt: with `due`, in grace
// until then.
void FenceDeks(Attempt& attempt, const PersonsRow& person, DeksRow deks,
               const policy::ClassSet& classes,
               std::optional<base::Timestamp> due = std::nullopt);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_USER_KEYS_H_
