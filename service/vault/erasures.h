// Erasures: what would go, letting a person go, and what became of it.
//
// Execute is the acknowledgement: it puts a fence where the person's keys were
// and takes their facts away, in one commit. From then on nobody reads, finds
// or changes them, and whoever was about to runs again and finds nobody. The
// ErasureRunner seals and writes the receipt. Erasing again changes nothing.
//
// An erasure may be given a grace: everything is as above at once, but the keys
// wait behind the fence, and until the grace is over Cancel puts them and the
// facts back where they were. So nobody else gets the person's addresses
// meanwhile. Nothing is promised of backups until the grace is over.
//
// What a law has kept (the catalogue says of which classes) stays readable for
// what the law names, and for nothing else, until its term ends; what is held
// for a legal claim (legal_holds.h) likewise until it is released. What is
// known of the person then is the record of their erasure.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_ERASURES_H_
#define HIZO_SERVICE_VAULT_ERASURES_H_

#include <chrono>
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
#include "service/vault/row_keys.h"
#include "service/vault/services.h"

namespace hizo::vault {

struct ErasurePlan {
  struct Class {
    policy::ClassNumber number = 0;
    const policy::ClassSpec* spec = nullptr;  // of the facts: nullptr
    size_t records = 0;             // counted up to kRecordsCountedMax
    std::optional<KeptClass> kept;  // nullopt: would be destroyed
  };
  std::vector<Class> classes;  // that there are keys of, ascending
  size_t index_shards = 0;     // that would be re-keyed
};

inline constexpr std::chrono::days kErasureGraceMax{90};

struct Erasure {
  ErasureStage stage = ErasureStage::kAccepted;
  base::Timestamp accepted;
  std::optional<base::Timestamp> grace_until;  // nullopt: it is final
  std::vector<std::string> receipts;           // of each part that is sealed
  std::vector<KeptClass> kept;                 // ascending
};

// Whether nothing of an erased person is left to be read but what is kept.
struct ErasureCheck {
  ErasureStage stage = ErasureStage::kAccepted;
  bool keys_gone = false;     // neither other DEKs nor a fence with them
  bool records_gone = false;  // neither facts nor other records
  bool receipts_valid = false;
  std::vector<KeptClass> kept;
  bool erased() const { return keys_gone && records_gone && receipts_valid; }
};

class Erasures {
 public:
  explicit Erasures(const Services& services) : services_(services) {}

  // What Execute would do, without doing it. kSubjectNotFound if nobody is
  // there.
  absl::StatusOr<ErasurePlan> Plan(Attempt& attempt, const Call& call,
                                   base::SubjectId subject) const;
  // Erases the person, for good once `grace` is over; for one who was erased
  // before, what became of it, and a grace that is longer than `grace` is cut
  // to it. kSubjectNotFound for one who never was; kValueInvalid for a grace
  // that is negative or over kErasureGraceMax. kIntegrityFailure if records
  // that might have to be kept do not open. A repeated request does not erase
  // again whoever was taken back since: it is answered as it was at first,
  // without what is kept.
  absl::StatusOr<Erasure> Execute(Attempt& attempt, const Call& call,
                                  base::SubjectId subject,
                                  std::chrono::days grace) const;
  // Takes an erasure back: the person is there as before. kSubjectNotFound for
  // one who never was; kRecordNotFound for one who is not erased, or for good.
  absl::Status Cancel(Attempt& attempt, const Call& call,
                      base::SubjectId subject) const;
  // kSubjectNotFound for one who never was, kRecordNotFound for one who was
  // not erased.
  absl::StatusOr<Erasure> Get(Attempt& attempt, const Call& call,
                              base::SubjectId subject) const;
  // Looks at what is stored. Errors as those of Get.
  absl::StatusOr<ErasureCheck> Verify(Attempt& attempt, const Call& call,
                                      base::SubjectId subject) const;

 private:
  // Puts the fence, and everything else that the commit needs.
  absl::StatusOr<Erasure> Begin(Attempt& attempt, const Call& call,
                                const AccessGrant& grant,
                                std::chrono::days grace) const;
  // Cuts the grace of one who is erased to `grace`, if it is longer.
  absl::StatusOr<Erasure> Again(Attempt& attempt, const Call& call,
                                base::SubjectId subject, ErasureRecord record,
                                std::chrono::days grace) const;
  PersonsRow PersonOf(const Call& call, base::SubjectId subject) const;
  // What is known of the erasure, decided upon; nullopt, and nothing decided,
  // if nothing is.
  absl::StatusOr<std::optional<ErasureRecord>> Find(
      Attempt& attempt, const Call& call, base::SubjectId subject) const;
  // Of one who was erased; the errors of Get for others.
  absl::StatusOr<ErasureRecord> Look(Attempt& attempt, const Call& call,
                                     base::SubjectId subject) const;
  // `more`: classes beyond those that a law may have kept.
  absl::StatusOr<AccessGrant> AdmitTo(Attempt& attempt, const Call& call,
                                      base::SubjectId subject,
                                      const policy::ClassSet& more = {}) const;
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ERASURES_H_
