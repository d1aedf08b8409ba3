// Restrictions: people whose data are only kept for a while (GDPR 18).
//
// While there is one ground, the rules refuse whatever the person does not
// consent to and no law allows. Each ground begins and ends by itself. An
// erasure goes on all the same; no timer destroys anything of a person who is
// there.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_RESTRICTIONS_H_
#define HIZO_SERVICE_VAULT_RESTRICTIONS_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/services.h"
#include "service/vault/statements.h"

namespace hizo::vault {

class Restrictions {
 public:
  explicit Restrictions(const Services& services) : services_(services) {}

  // Since when the data are only kept on this ground; again changes nothing.
  // kSubjectNotFound if nobody is there, kNotInPolicy if the tenant has no
  // policy, without which nothing is refused.
  absl::StatusOr<base::Timestamp> Set(Attempt& attempt, const Call& call,
                                      base::SubjectId subject,
                                      RestrictionGround ground) const;
  // On how many grounds the data are still only kept. kSubjectNotFound as
  // above, kRecordNotFound if they are not on this one, kEvidenceMissing if the
  // person was sent no notice.
  absl::StatusOr<size_t> Lift(Attempt& attempt, const Call& call,
                              base::SubjectId subject, RestrictionGround ground,
                              base::EvidenceId notice) const;

 private:
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_RESTRICTIONS_H_
