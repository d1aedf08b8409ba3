// Suppressions: addresses to which nobody is to advertise, remembered beyond
// the erasure of whoever had them (GDPR 17(3)(b), 21(3)).
//
// Of somebody who has objected to marketing, or has ended their consent to it,
// an erasure leaves a keyed hash of each address and nothing else: neither the
// address nor the person. Whoever comes with such an address later is taken in
// as somebody who objects to marketing; a consent that they give ends that, and
// the hash with it. Hashes are used for nothing else. Whoever has the tenant's
// key can try addresses out: that is what they are for.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_SUPPRESSIONS_H_
#define HIZO_SERVICE_VAULT_SUPPRESSIONS_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/policy/catalogue.h"
#include "service/vault/access_gate.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/services.h"

namespace hizo::vault {

class Suppressions {
 public:
  explicit Suppressions(const Services& services) : services_(services) {}

  // Whose values are addresses, and the classes that have such fields.
  static bool IsAddress(const policy::FieldSpec& field);
  static policy::ClassSet AddressClasses(const policy::Catalogue& catalogue);

  // Remembers the addresses of the person of `grant`, which covers those
  // classes, if their last word on some marketing is no; how many.
  absl::StatusOr<size_t> Remember(Attempt& attempt, const Call& call,
                                  const AccessGrant& grant) const;
  // Whether the address is remembered; relied upon.
  absl::StatusOr<bool> Has(Attempt& attempt, const Call& call,
                           const policy::FieldSpec& field,
                           std::string_view address) const;
  // Forgets the addresses of the person of `grant`.
  absl::Status Forget(Attempt& attempt, const Call& call,
                      const AccessGrant& grant) const;

 private:
  using Take = std::function<absl::Status(std::string key)>;
  // Gives the key of each address that the person has to `take`.
  absl::Status ForEach(Attempt& attempt, const Call& call,
                       const AccessGrant& grant, const Take& take) const;
  absl::StatusOr<std::string> KeyOf(const Call& call,
                                    const policy::FieldSpec& field,
                                    std::string_view address) const;
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_SUPPRESSIONS_H_
