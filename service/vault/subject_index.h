// SubjectIndex: people by e-mail, phone, handle or a caller's own reference.
//
// A row whose person does not exist counts as absent: a create that died
// between the two stores leaves such rows, and the next one replaces them.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_SUBJECT_INDEX_H_
#define HIZO_SERVICE_VAULT_SUBJECT_INDEX_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "service/base/ids.h"
#include "service/base/pii.h"
#include "service/policy/access_table.h"
#include "service/policy/catalogue.h"
#include "service/vault/attempt.h"
#include "service/vault/facts_store.h"
#include "service/vault/store_keys.h"
#include "storage/engine.h"

namespace hizo::vault {

// Of people who share a value that is not unique, this many are found.
inline constexpr size_t kSubjectsPerValueMax = 16;

class SubjectIndex {
 public:
  struct Stores {
    const storage::Engine& keys;
    const storage::Engine& data;
  };
  SubjectIndex(const Stores& stores, const StoreKeys& store_keys)
      : stores_(stores), store_keys_(store_keys) {}

  // The people who have this value, at most kSubjectsPerValueMax, none if
  // nobody has. kValueInvalid if the text is not of the field's type.
  absl::StatusOr<std::vector<base::SubjectId>> Find(
      Attempt& attempt, const policy::TenantSpec& tenant,
      const policy::FieldSpec& field, std::string_view text) const;

  // Adds the person under a value, as part of the Attempt. kAlreadyExists if
  // the field is unique and somebody else has the value; kTooLarge if too many
  // people share it. Returns where, for the person's pointers.
  absl::StatusOr<IndexPointer> Add(Attempt& attempt,
                                   const policy::TenantSpec& tenant,
                                   const policy::FieldSpec& field,
                                   std::string_view text,
                                   base::SubjectId subject) const;
  // Takes the person away from under a value; no error if they are not there.
  absl::Status Remove(Attempt& attempt, const policy::TenantSpec& tenant,
                      const policy::FieldSpec& field, std::string_view text,
                      base::SubjectId subject) const;

 private:
  struct Shard;
  struct Entry;
  absl::StatusOr<Shard> OpenShard(Attempt& attempt,
                                  const policy::TenantSpec& tenant,
                                  const policy::FieldSpec& field,
                                  std::string_view text) const;
  // Every row of the shard's value, the orphans marked.
  absl::StatusOr<std::vector<Entry>> Entries(Attempt& attempt,
                                             const Shard& shard) const;

  const Stores stores_;
  const StoreKeys& store_keys_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_SUBJECT_INDEX_H_
