// Erasures: what would go, letting a person go, and what became of it.
//
// Execute is the acknowledgement: it puts a fence where the person's keys were
// and takes their facts away, in one commit. From then on nobody reads, finds
// or changes them, and whoever was about to runs again and finds nobody. The
// ErasureRunner seals and writes the receipt. Erasing again changes nothing.
//
// All classes go; none is retained for a law or a hold yet.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_ERASURES_H_
#define HIZO_SERVICE_VAULT_ERASURES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/policy/catalogue.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/erasure_record.h"
#include "service/vault/services.h"

namespace hizo::vault {

struct ErasurePlan {
  struct Class {
    policy::ClassNumber number = 0;
    const policy::ClassSpec* spec = nullptr;  // of the facts: nullptr
    size_t records = 0;  // counted up to kRecordsCountedMax
  };
  std::vector<Class> classes;  // whose keys would be destroyed, ascending
  size_t index_shards = 0;     // that would be re-keyed
};

struct Erasure {
  ErasureStage stage = ErasureStage::kAccepted;
  base::Timestamp accepted;
  std::string receipt;  // empty until it is sealed
};

// Whether nothing of an erased person is left to be read.
struct ErasureCheck {
  ErasureStage stage = ErasureStage::kAccepted;
  bool keys_gone = false;     // neither DEKs nor a fence with them
  bool records_gone = false;  // neither facts nor records
  bool receipt_valid = false;
  bool erased() const { return keys_gone && records_gone && receipt_valid; }
};

class Erasures {
 public:
  explicit Erasures(const Services& services) : services_(services) {}

  // What Execute would do, without doing it. kSubjectNotFound if nobody is
  // there.
  absl::StatusOr<ErasurePlan> Plan(Attempt& attempt, const Call& call,
                                   base::SubjectId subject) const;
  // Erases the person; for one who was erased before, what became of it.
  // kSubjectNotFound for one who never was.
  absl::StatusOr<Erasure> Execute(Attempt& attempt, const Call& call,
                                  base::SubjectId subject) const;
  // kSubjectNotFound for one who never was, kRecordNotFound for one who was
  // not erased.
  absl::StatusOr<Erasure> Get(Attempt& attempt, const Call& call,
                              base::SubjectId subject) const;
  // Looks at what is stored. Errors as those of Get.
  absl::StatusOr<ErasureCheck> Verify(Attempt& attempt, const Call& call,
                                      base::SubjectId subject) const;

 private:
  // What is known of the erasure, decided upon; nullopt, and nothing decided,
  // if nothing is.
  absl::StatusOr<std::optional<ErasureRecord>> Find(
      Attempt& attempt, const Call& call, base::SubjectId subject) const;
  // Of one who was erased; the errors of Get for others.
  absl::StatusOr<ErasureRecord> Look(Attempt& attempt, const Call& call,
                                     base::SubjectId subject) const;
  absl::StatusOr<AccessGrant> AdmitTo(Attempt& attempt, const Call& call,
                                      base::SubjectId subject) const;
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ERASURES_H_
