// LegalHolds: classes of a person that are held for a legal claim.
//
// A hold on somebody who is there stands in their facts: an erasure keeps the
// class, readable for legal claims only, and its fields are not deleted. A hold
// on what an erasure has kept stands in the record of the erasure; once the
// last one is released and no law has the class kept, the Expiry has it
// destroyed.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_LEGAL_HOLDS_H_
#define HIZO_SERVICE_VAULT_LEGAL_HOLDS_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "service/base/ids.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/services.h"

namespace hizo::vault {

struct LegalHoldInput {
  base::SubjectId subject;
  std::string record_class;
  base::ClaimId claim;
};

class LegalHolds {
 public:
  explicit LegalHolds(const Services& services) : services_(services) {}

  // Holds the class for the claim; for how many claims it is held then. Again
  // changes nothing. kSubjectNotFound if nobody is there, kFieldUnknown for a
  // class that is not in the catalogue or internal, kRecordNotFound if the
  // person was erased and the class is not kept, kTooLarge for more than
  // kLegalHoldsMax.
  absl::StatusOr<size_t> Place(Attempt& attempt, const Call& call,
                               const LegalHoldInput& input) const;
  // Ends the hold; for how many claims the class is still held. Errors as those
  // of Place, and kRecordNotFound if there is no such hold.
  absl::StatusOr<size_t> Release(Attempt& attempt, const Call& call,
                                 const LegalHoldInput& input) const;

 private:
  enum class Change { kPlace, kRelease };
  absl::StatusOr<size_t> Do(Attempt& attempt, const Call& call,
                            const LegalHoldInput& input, Change change) const;
  absl::StatusOr<size_t> InFacts(Attempt& attempt, AccessGrant& grant,
                                 const LegalHold& hold, Change change) const;
  absl::StatusOr<size_t> InErasure(Attempt& attempt, const Call& call,
                                   const AccessGrant& grant,
                                   const LegalHold& hold, Change change) const;
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_LEGAL_HOLDS_H_
