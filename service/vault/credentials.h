// Credentials: passwords, set and checked.
//
// Both calls compute a password hash, tens to hundreds of milliseconds of CPU:
// dispatch runs them on the password pool. The stored hash lies sealed in the
// class `credential`; no call returns it.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_CREDENTIALS_H_
#define HIZO_SERVICE_VAULT_CREDENTIALS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "service/base/ids.h"
#include "service/base/pii.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/guesses.h"
#include "service/vault/services.h"

namespace hizo::vault {

// Whose password: a subject, or a searchable value.
struct Who {
  std::optional<base::SubjectId> subject;
  std::string field;
  base::Pii value;
};

class Credentials {
 public:
  // `cost` is bcrypt's, within crypto::kBcryptCostMin and kBcryptCostMax.
  Credentials(const Services& services, int cost)
      : services_(services), guesses_(services.records), cost_(cost) {}

  absl::Status Set(Attempt& attempt, const Call& call, base::SubjectId subject,
                   const base::Pii& password) const;
  // The person whose password it is; nullopt for a wrong one, one that has to
  // wait after wrong ones (guesses.h), a person without one and nobody at all,
  // all in the time of one hash.
  absl::StatusOr<std::optional<base::SubjectId>> Verify(
      Attempt& attempt, const Call& call, const Who& who,
      const base::Pii& password) const;

 private:
  absl::StatusOr<std::optional<base::SubjectId>> Locate(Attempt& attempt,
                                                        const Call& call,
                                                        const Who& who) const;
  absl::StatusOr<std::optional<std::string>> StoredHashOf(
      Attempt& attempt, const AccessGrant& grant) const;
  const Services& services_;
  const Guesses guesses_;
  const int cost_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_CREDENTIALS_H_
