// SubjectIndex: people by e-mail, phone, handle or a caller's own reference.
//
// A row whose person does not exist counts as absent: a create that died
// between the two stores leaves such rows, and the next one replaces them. Who
// was erased with a grace is not found and keeps their values until it is over.
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

// So many people may share a value that is not unique.
inline constexpr size_t kSubjectsPerValueMax = 256;

// People who share a value, in an order that is the same each time.
struct FoundSubjects {
  std::vector<base::SubjectId> subjects;
  // Where to go on after these; empty if there is nobody more.
  std::string next;
};

class SubjectIndex {
 public:
  struct Stores {
    const storage::Engine& keys;
    const storage::Engine& data;
  };
  SubjectIndex(const Stores& stores, const StoreKeys& store_keys)
      : stores_(stores), store_keys_(store_keys) {}

  // Which of those who have a value: at most `limit`, after the place `after`
  // (FoundSubjects::next; empty: from the first on).
  struct Range {
    std::string after;
    size_t limit = kSubjectsPerValueMax;
  };
  // The people who have this value, none if nobody has. kValueInvalid if the
  // text is not of the field's type, or `after` no place.
  absl::StatusOr<FoundSubjects> Find(Attempt& attempt,
                                     const policy::TenantSpec& tenant,
                                     const policy::FieldSpec& field,
                                     std::string_view text,
                                     const Range& range) const;

  // Adds the person under a value, as part of the Attempt. kAlreadyExists if
  // the field is unique and somebody else has the value; kTooLarge if too many
  // people share it. Returns where, for the person's pointers.
  absl::StatusOr<IndexPointer> Add(Attempt& attempt,
                                   const policy::TenantSpec& tenant,
                                   const policy::FieldSpec& field,
                                   std::string_view text,
                                   base::SubjectId subject) const;
  // Takes the person away from under a value; no error if they are not there.
  // The shard's key is to be renewed (renewals.h), so that older copies do not
  // tell that they were.
  absl::Status Remove(Attempt& attempt, const policy::TenantSpec& tenant,
                      const policy::FieldSpec& field, std::string_view text,
                      base::SubjectId subject) const;

 private:
  struct Shard;
  struct Entry;
  enum class Person : uint8_t { kThere, kGone, kInGrace };
  absl::StatusOr<Person> PersonOf(Attempt& attempt, base::TenantId tenant,
                                  base::SubjectId subject) const;
  absl::StatusOr<Shard> OpenShard(Attempt& attempt,
                                  const policy::TenantSpec& tenant,
                                  const policy::FieldSpec& field,
                                  std::string_view text) const;
  // The rows of the shard's value from `after` on, and of whom, at most
  // kRowsPerValueMax.
  absl::StatusOr<std::vector<Entry>> Entries(Attempt& attempt,
                                             const Shard& shard,
                                             const std::string& after) const;

  const Stores stores_;
  const StoreKeys& store_keys_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_SUBJECT_INDEX_H_
