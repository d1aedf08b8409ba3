// Credentials: passwords, set, checked, changed, taken over and taken away.
//
// Set, Change and Verify compute password hashes, tens to hundreds of
// milliseconds of CPU each: dispatch runs them on the password pool. The hash
// lies sealed in the class `credential`; no call returns it.
//
// Threads: const methods may be called concurrently. Lifetime: what the
// constructor is given outlives it.
#ifndef HIZO_SERVICE_VAULT_CREDENTIALS_H_
#define HIZO_SERVICE_VAULT_CREDENTIALS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/breached_list.h"
#include "crypto/secret.h"
#include "service/base/ids.h"
#include "service/base/pii.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/caller_waits.h"
#include "service/vault/credential_hashes.h"
#include "service/vault/guesses.h"
#include "service/vault/peppers.h"
#include "service/vault/services.h"

namespace hizo::vault {

// Whose password: a subject, or a searchable value.
struct Who {
  std::optional<base::SubjectId> subject;
  std::string field;
  base::Pii value;
};

// What may be known of somebody's password.
struct CredentialState {
  bool has_password = false;
  // Of the last 24 hours, since the password was last right or set.
  size_t wrong_guesses = 0;
  // Until when no password of the person is right; nullopt: there is no wait.
  std::optional<base::Timestamp> wait_until;
};

class Credentials {
 public:
  struct Options {
    // bcrypt's, within crypto::kBcryptCostMin and kBcryptCostMax.
    int cost = 12;
    // Of which no new password may be; nullptr: there is none.
    const crypto::BreachedList* breached = nullptr;
    // How often a caller may be wrong; 0 is no limit.
    uint32_t misses_per_minute = 0;
  };
  Credentials(const Services& services, const Options& options)
      : services_(services),
        hashes_(services.catalogue, services.records, services.user_keys),
        peppers_(services.keys, services.store_keys),
        guesses_(services.records),
        caller_waits_(services, options.misses_per_minute),
        options_(options) {}

  // kValueInvalid for what is no password, kPasswordBreached for one that
  // everybody knows.
  absl::Status Set(Attempt& attempt, const Call& call, base::SubjectId subject,
                   const base::Pii& password) const;
  // The person whose password it is; nullopt for a wrong one, one that has to
  // wait after wrong ones (guesses.h), a person without one and nobody at all,
  // all in the time of one hash. A right one whose hash was made in another way
  // than new ones are is hashed anew. kRateLimited if the caller was wrong too
  // often (caller_waits.h).
  absl::StatusOr<std::optional<base::SubjectId>> Verify(
      Attempt& attempt, const Call& call, const Who& who,
      const base::Pii& password) const;
  // Sets `fresh` if `present` is right as of Verify; whether it was. Errors as
  // of both.
  absl::StatusOr<bool> Change(Attempt& attempt, const Call& call,
                              base::SubjectId subject, const base::Pii& present,
                              const base::Pii& fresh) const;
  // Takes over the hash of another system. kHashUnsupported, kHashCostRefused:
  // a hash dearer than new ones would tell by its time that somebody is there.
  absl::Status Import(Attempt& attempt, const Call& call,
                      base::SubjectId subject, const base::Pii& hash) const;
  // Removes the password; nothing if there is none.
  absl::Status Revoke(Attempt& attempt, const Call& call,
                      base::SubjectId subject) const;

  absl::StatusOr<CredentialState> Get(Attempt& attempt, const Call& call,
                                      base::SubjectId subject) const;
  // Forgets wrong passwords; what was known of them.
  absl::StatusOr<CredentialState> Unlock(Attempt& attempt, const Call& call,
                                         base::SubjectId subject) const;
  // Forgets the wrong passwords that came from a caller of the same tenant; how
  // long it would have had to wait. kValueInvalid if there is no such caller.
  absl::StatusOr<std::chrono::seconds> UnlockCaller(
      Attempt& attempt, const Call& call, const std::string& actor) const;
  // Callers, of whatever tenant, that have to wait after wrong passwords.
  absl::StatusOr<std::vector<CallerWaits::Waiting>> WaitingCallers(
      base::Timestamp now) const {
    return caller_waits_.All(now);
  }
  // The number of the pepper that new hashes are made with from now on.
  absl::StatusOr<uint32_t> RotatePepper(Attempt& attempt,
                                        const Call& call) const;

 private:
  // A right password, and what is at hand then.
  struct Right {
    base::SubjectId subject;
    AccessGrant grant;
    std::optional<CredentialHashes::Present> present;
    Guesses::Known guesses;
    Pepper pepper;
    crypto::Secret password;
  };
  absl::StatusOr<std::optional<base::SubjectId>> Locate(Attempt& attempt,
                                                        const Call& call,
                                                        const Who& who) const;
  // Notes in the event that the password was not right, and why.
  absl::Status NoteWrong(Attempt& attempt, const Call& call,
                         base::Reason reason) const;
  // nullopt for whatever is not right, noted in the event.
  absl::StatusOr<std::optional<Right>> Check(Attempt& attempt, const Call& call,
                                             const Who& who,
                                             const base::Pii& given) const;
  absl::StatusOr<bool> IsRight(Attempt& attempt, const AccessGrant& grant,
                               const crypto::StoredHash& stored,
                               const Pepper& pepper,
                               const crypto::Secret& password) const;
  // A password that may be set.
  absl::StatusOr<crypto::Secret> NewPassword(const base::Pii& password) const;
  // Writes the hash of `password` and forgets guesses.
  absl::Status Write(Attempt& attempt, AccessGrant& grant,
                     const std::optional<CredentialHashes::Present>& present,
                     const Pepper& pepper,
                     const crypto::Secret& password) const;
  absl::StatusOr<CredentialState> StateOf(Attempt& attempt,
                                          const AccessGrant& grant,
                                          const Guesses::Known& known,
                                          base::Timestamp now) const;
  bool IsOld(const crypto::StoredHash& stored, const Pepper& pepper) const;

  const Services& services_;
  const CredentialHashes hashes_;
  const Peppers peppers_;
  const Guesses guesses_;
  const CallerWaits caller_waits_;
  const Options options_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_CREDENTIALS_H_
