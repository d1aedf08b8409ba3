// Consents: what people have consented and objected to, what the rules make of
// it, and why.
//
// What a person has said is part of their facts (statements.h), which every
// decision about them relies on: an answer that was decided before somebody
// withdrew, and is not out yet, is decided anew.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_CONSENTS_H_
#define HIZO_SERVICE_VAULT_CONSENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/policy/decision.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/services.h"
#include "service/vault/statements.h"

namespace hizo::vault {

struct CheckPurposeInput {
  std::optional<base::SubjectId> subject;  // nobody in particular
  policy::Action action = policy::Action::kNone;
  std::string purpose;
  std::vector<std::string> fields;  // full names
  policy::View view = policy::View::kMasked;
  std::string role;  // empty: the caller's own grants
};

struct RecordConsentInput {
  base::SubjectId subject;
  std::string purpose;
  Channel channel = Channel::kWeb;
  base::EvidenceId evidence;
  std::optional<base::Timestamp> given;  // nullopt: now
  uint32_t policy_version = 0;           // 0: the one in force
};
struct RecordedConsent {
  base::Timestamp given;
  uint32_t policy_version = 0;
};

struct AcknowledgeInput {
  base::SubjectId subject;
  AcknowledgementKind kind = AcknowledgementKind::kNotified;
  Channel channel = Channel::kWeb;
  base::EvidenceId evidence;
  std::optional<base::Timestamp> time;  // nullopt: now
  uint32_t policy_version = 0;          // 0: the one in force
};

// What is objected to: a purpose or, if that, direct marketing as such.
struct ObjectionScope {
  std::string purpose;
  bool direct_marketing = false;
};
struct RecordedObjection {
  base::Timestamp made;
  ObjectionState state = ObjectionState::kOpen;
};
struct DecideObjectionInput {
  base::SubjectId subject;
  ObjectionScope scope;
  ObjectionState decision = ObjectionState::kUpheld;
  ObjectionGround ground = ObjectionGround::kNone;
  base::EvidenceId notice;
};

// Lets a call about what a person has said through. Unlike others it is not
// hindered by what they have said, nor by the end of their account; who was
// erased is gone (kSubjectNotFound), whatever is kept of them.
absl::StatusOr<AccessGrant> AdmitToStatements(
    const AccessGate& gate, Attempt& attempt, const Call& call,
    base::SubjectId subject, const policy::ClassSet& more = {});

class Consents {
 public:
  explicit Consents(const Services& services) : services_(services) {}

  // What a call would be told, without making it. kFieldUnknown for a field,
  // kValueInvalid for a role that is not there. Of a person who is not there
  // it says what the call itself would say.
  absl::StatusOr<policy::Decision> Check(Attempt& attempt, const Call& call,
                                         const CheckPurposeInput& input) const;

  // Of all that follow: kSubjectNotFound if nobody is there, kNotInPolicy for a
  // purpose that the tenant's policy does not have, or if it has no policy.

  // kConsentNotNeeded for a purpose that rests on something else (but of who is
  // restricted), kEvidenceMissing for none, kValueInvalid for a time or version
  // that is yet to come, kConsentWithdrawn for a consent that is not later than
  // the last withdrawal, kPurposeNotAllowed of whose account was ended. The
  // same consent again changes nothing.
  absl::StatusOr<RecordedConsent> Record(Attempt& attempt, const Call& call,
                                         const RecordConsentInput& input) const;
  // That the person was told of a version, or has accepted it: when, and which.
  // kEvidenceMissing for none, and for an acceptance before they were told as
  // the policy says; kValueInvalid for a time or version that is yet to come;
  // kPurposeNotAllowed of whose account was ended. The same again changes
  // nothing.
  absl::StatusOr<RecordedConsent> Acknowledge(
      Attempt& attempt, const Call& call, const AcknowledgeInput& input) const;
  // Ends what stands; when the last consent to the purpose was withdrawn,
  // nullopt if there never was one. kNotInPolicy for what is no purpose at all.
  absl::StatusOr<std::optional<base::Timestamp>> Withdraw(
      Attempt& attempt, const Call& call, base::SubjectId subject,
      const std::string& purpose) const;
  // All that the person has said.
  absl::StatusOr<Statements> List(Attempt& attempt, const Call& call,
                                  base::SubjectId subject) const;
  // The objection that stands then; kValueInvalid unless there is one scope.
  absl::StatusOr<RecordedObjection> Object(Attempt& attempt, const Call& call,
                                           base::SubjectId subject,
                                           const ObjectionScope& scope) const;
  // When it was decided. kRecordNotFound if no such objection is open,
  // kObjectionAbsolute to reject one to marketing, kEvidenceMissing to reject
  // without a notice, kValueInvalid to leave it open, to reject without a
  // ground and to uphold with one.
  absl::StatusOr<base::Timestamp> Decide(
      Attempt& attempt, const Call& call,
      const DecideObjectionInput& input) const;

 private:
  absl::StatusOr<policy::PurposeNumber> ScopeOf(
      const Call& call, const ObjectionScope& scope) const;
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_CONSENTS_H_
