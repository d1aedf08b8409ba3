// Consents: what may be done with whose data, and why.
//
// Consents themselves do not exist yet: what is answered here is what the rules
// that exist would decide. Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_CONSENTS_H_
#define HIZO_SERVICE_VAULT_CONSENTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/ids.h"
#include "service/policy/decision.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/services.h"

namespace hizo::vault {

struct CheckPurposeInput {
  std::optional<base::SubjectId> subject;  // nobody in particular
  policy::Action action = policy::Action::kNone;
  std::string purpose;
  std::vector<std::string> fields;  // full names
  policy::View view = policy::View::kMasked;
  std::string role;  // empty: the caller's own grants
};

class Consents {
 public:
  explicit Consents(const Services& services) : services_(services) {}

  // What a call would be told, without making it. kFieldUnknown for a field,
  // kValueInvalid for a role that is not there. Of a person who is not there
  // it says what the call itself would say.
  absl::StatusOr<policy::Decision> Check(Attempt& attempt, const Call& call,
                                         const CheckPurposeInput& input) const;

 private:
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_CONSENTS_H_
