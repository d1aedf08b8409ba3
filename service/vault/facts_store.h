// Facts: what Hizo must know of a person to decide, one sealed row under the
// class `facts`. A person exists exactly as long as their facts can be read.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_FACTS_STORE_H_
#define HIZO_SERVICE_VAULT_FACTS_STORE_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/policy/decision.h"
#include "service/vault/attempt.h"
#include "service/vault/statements.h"
#include "service/vault/user_keys.h"
#include "storage/engine.h"

namespace hizo::vault {

// IndexPointer says that the person was once in a shard of the blind index.
// Pointers only grow, until erasure re-keys the shards they name.
struct IndexPointer {
  uint16_t kind = 0;
  uint16_t route = 0;
  auto operator<=>(const IndexPointer&) const = default;
};

// A class that is held for a legal claim.
struct LegalHold {
  policy::ClassNumber class_number = 0;
  base::ClaimId claim;
  auto operator<=>(const LegalHold&) const = default;
};

struct Facts {
  policy::SubjectFacts subject;
  base::AuditReference audit_reference;
  base::Timestamp created;
  std::optional<base::Timestamp> cancelled;  // exactly if that is the state
  std::vector<IndexPointer> pointers;        // ascending
  std::vector<LegalHold> holds;              // ascending; subject.held of it
  Statements said;       // what it means is not in `subject`, see SubjectFor
  uint64_t version = 0;  // of the stored row; 0: not stored yet

  // Whether entries of the class stay though their time is over: it is held, or
  // the person's data are only kept (GDPR 18).
  bool IsBlocked(policy::ClassNumber number) const {
    return subject.held.test(number) || !said.restrictions.empty();
  }
};

// What the rules need to know of the person under the policy of a company;
// nullptr: it has none.
policy::SubjectFacts SubjectFor(const Facts& facts,
                                const policy::CompanyPolicy* company);

inline constexpr size_t kIndexPointersMax = 4096;
inline constexpr size_t kLegalHoldsMax = 256;  // of a person

class FactsStore {
 public:
  FactsStore(const storage::Engine& data, const UserKeys& user_keys)
      : data_(data), user_keys_(user_keys) {}

  // Writes the grant's person's facts as part of the Attempt, once per
  // Attempt. kInternal if there are more of anything than may be: the
  // maxima above, and those of Statements.
  absl::Status Save(Attempt& attempt, AccessGrant& grant, Facts facts) const;

  // The facts out of a row of theirs, in its place or laid aside behind a
  // fence: for what Hizo does by itself. kDataLoss if they do not open.
  absl::StatusOr<Facts> OpenRow(const SubjectKeys& keys,
                                std::string_view row) const;
  // Writes the facts of somebody whose erasure is taken back, as Save does.
  absl::Status GiveBack(Attempt& attempt, const SubjectKeys& keys,
                        Facts facts) const;

 private:
  friend class AccessGate;
  // nullopt if there is no such person at `now`.
  absl::StatusOr<std::optional<Facts>> Load(Attempt& attempt,
                                            const SubjectKeys& keys,
                                            base::Timestamp now) const;
  // What is known of somebody of whom only what a law has kept is there.
  absl::StatusOr<std::optional<Facts>> LoadRetained(Attempt& attempt,
                                                    const SubjectKeys& keys,
                                                    base::Timestamp now) const;
  absl::Status Put(Attempt& attempt, const SubjectKeys& keys,
                   Facts& facts) const;
  absl::StatusOr<Facts> Open(const SubjectKeys& keys, const ClassKey& key,
                             std::string_view bytes) const;

  const storage::Engine& data_;
  const UserKeys& user_keys_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_FACTS_STORE_H_
