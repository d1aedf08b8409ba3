// AccessGate: decides, notes the decision in the Attempt's audit event, and
// mints the grant without which no key comes out. There is no other mint.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_ACCESS_GATE_H_
#define HIZO_SERVICE_VAULT_ACCESS_GATE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/ids.h"
#include "service/base/reason.h"
#include "service/policy/catalogue.h"
#include "service/policy/decision.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/facts_store.h"
#include "service/vault/user_keys.h"

namespace hizo::vault {

using policy::ClassSet;

// Ask is what a use case wants to do.
struct Ask {
  // The person; for an action that creates one, the new person's id; nullopt
  // if the call is not about a person, or about one who could not be found.
  std::optional<base::SubjectId> subject;
  policy::FieldSet fields;
  // Classes whose keys are needed beyond those of `fields`.
  ClassSet classes;
  policy::View view = policy::View::kNone;
};

// AccessGrant is the permission to do one thing to one person. It names what
// was granted, cannot be copied, and cannot be made by anybody but the gate.
class AccessGrant {
 public:
  AccessGrant(AccessGrant&&) = default;
  AccessGrant(const AccessGrant&) = delete;
  AccessGrant& operator=(const AccessGrant&) = delete;
  AccessGrant& operator=(AccessGrant&&) = delete;

  base::TenantId tenant() const { return keys_.tenant(); }
  base::SubjectId subject() const { return keys_.subject(); }
  const Facts& facts() const { return facts_; }
  // What the person has keys of, ascending.
  std::vector<policy::ClassNumber> HeldClasses() const {
    return keys_.Classes();
  }
  policy::View view() const { return view_; }
  // When it was given, and the class by the catalogue; nullptr if that has none
  // of the number.
  base::Timestamp now() const { return now_; }
  const policy::ClassSpec* ClassOf(policy::ClassNumber number) const {
    return catalogue_->ClassByNumber(number);
  }
  // Whether what has ended of the class, and is there only because it is held
  // or the person's data are only kept, may be used all the same.
  bool CoversWhatIsHeldOf(policy::ClassNumber number) const {
    return for_holds_ && facts_.IsBlocked(number);
  }
  bool Covers(const policy::FieldSpec& field) const {
    return fields_.test(field.index);
  }
  bool Covers(policy::ClassNumber class_number) const {
    return classes_.test(class_number);
  }

 private:
  friend class AccessGate;
  friend class UserKeys;
  friend class FactsStore;
  AccessGrant(SubjectKeys keys, Facts facts)
      : keys_(std::move(keys)), facts_(std::move(facts)) {}
  SubjectKeys keys_;
  Facts facts_;
  policy::FieldSet fields_;
  ClassSet classes_;
  policy::View view_ = policy::View::kNone;
  base::Timestamp now_;
  const policy::Catalogue* catalogue_ = nullptr;
  bool for_holds_ = false;
};

class AccessGate {
 public:
  AccessGate(const policy::Catalogue& catalogue, const UserKeys& user_keys,
             const FactsStore& facts)
      : catalogue_(catalogue), user_keys_(user_keys), facts_(facts) {}

  // For calls about a person. Every outcome is in attempt.event() on return.
  absl::StatusOr<AccessGrant> Admit(Attempt& attempt, const Call& call,
                                    const Ask& ask) const;
  // Whether the caller may ask this of anybody: for calls that must look
  // somebody up before they can be decided upon. An error is in the event.
  absl::Status MayAsk(Attempt& attempt, const Call& call, const Ask& ask) const;
  // What would be decided of `ask` if it were `would_be`: nothing is unlocked.
  // Whether `call` may know that is decided first, of the same person and
  // fields, and is what the event tells. Where `ask` names nobody, it is as of
  // somebody whose account is open; nobody who does not exist is told from who
  // does unless `would_be` would be told.
  absl::StatusOr<policy::Decision> Foresee(Attempt& attempt, const Call& call,
                                           const Ask& ask,
                                           const Call& would_be) const;
  // For calls about the store; there is nothing to unlock.
  absl::Status AdmitStore(Attempt& attempt, const Call& call) const;
  // For a call that no use case can be asked about: no identity, no such
  // method, bytes that are no message. Returns the error.
  static absl::Status Refuse(Attempt& attempt, base::Reason reason);

 private:
  policy::Decision Judge(const Call& call, const Ask& ask,
                         const Facts* facts) const;
  absl::Status Decide(Attempt& attempt, const Call& call, const Ask& ask,
                      const Facts* facts) const;
  // The person's keys and facts; leaves `facts` empty for nobody.
  absl::Status Load(Attempt& attempt, base::Timestamp now, SubjectKeys& keys,
                    std::optional<Facts>& facts) const;
  const policy::Catalogue& catalogue_;
  const UserKeys& user_keys_;
  const FactsStore& facts_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ACCESS_GATE_H_
