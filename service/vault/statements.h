// Statements: what a person has said about the use of their data, and what was
// decided about it: consents, objections, and why the data are only kept.
//
// They are part of the person's facts, sealed with them. What they mean for a
// purpose depends on the company's policy, so it is worked out for each call
// (`Apply`) and never stored.
//
// Threads: value types; functions may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_STATEMENTS_H_
#define HIZO_SERVICE_VAULT_STATEMENTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/policy/catalogue.h"
#include "service/policy/company_policy.h"
#include "service/policy/decision.h"
#include "service/vault/byte_codec.h"

namespace hizo::vault {

using policy::Channel;

// The numbers of these five are those of hizo.v1 and are stored; never
// renumber.
enum class AcknowledgementKind : uint8_t { kNotified = 1, kAccepted = 2 };
enum class WithdrawalCause : uint8_t {
  kNone = 0,
  kPerson = 1,
  kAccountCancelled = 2,
};
enum class ObjectionState : uint8_t { kOpen = 1, kUpheld = 2, kRejected = 3 };
enum class ObjectionGround : uint8_t {
  kNone = 0,
  kCompelling = 1,
  kLegalClaims = 2,
  kPublicInterest = 3,
};
enum class RestrictionGround : uint8_t {
  kAccuracyContested = 1,
  kUnlawful = 2,
  kNeededForClaims = 3,
  kObjectionPending = 4,
};

struct Consent {
  policy::PurposeNumber purpose = 0;
  uint32_t policy_version = 0;  // that it was given under
  Channel channel = Channel::kWeb;
  base::EvidenceId evidence;
  base::Timestamp given;
  std::optional<base::Timestamp> withdrawn;  // exactly if there is a cause
  WithdrawalCause cause = WithdrawalCause::kNone;
  bool operator==(const Consent&) const = default;
};

struct Objection {
  // To a purpose; kDirectMarketing: to every purpose that is marketing.
  policy::PurposeNumber purpose = 0;
  ObjectionState state = ObjectionState::kOpen;
  ObjectionGround ground = ObjectionGround::kNone;  // kRejected
  base::Timestamp made;
  std::optional<base::Timestamp> decided;  // exactly if it is not open
  base::EvidenceId notice;                 // kRejected
  bool operator==(const Objection&) const = default;
};
inline constexpr policy::PurposeNumber kDirectMarketing = 0;

struct Restriction {
  RestrictionGround ground = RestrictionGround::kAccuracyContested;
  base::Timestamp since;
  bool operator==(const Restriction&) const = default;
};

// That the person was told of a version of the policy, or has accepted it: no
// consent to anything.
struct Acknowledgement {
  uint32_t policy_version = 0;
  AcknowledgementKind kind = AcknowledgementKind::kNotified;
  Channel channel = Channel::kWeb;
  base::EvidenceId evidence;
  base::Timestamp time;
  bool operator==(const Acknowledgement&) const = default;
};

struct Statements {
  std::vector<Consent> consents;          // by when they were given
  std::vector<Objection> objections;      // by when they were made
  std::vector<Restriction> restrictions;  // by ground, each at most once
  std::vector<Acknowledgement> acknowledgements;  // by when they were
  bool empty() const {
    return consents.empty() && objections.empty() && restrictions.empty() &&
           acknowledgements.empty();
  }
  bool operator==(const Statements&) const = default;
};

// Of a person. Whoever has more loses the oldest that a later one of the same
// purpose has replaced; with so many there always is one.
inline constexpr size_t kConsentsMax = 64;
inline constexpr size_t kObjectionsMax = 64;
inline constexpr size_t kRestrictionsMax = 4;  // there are no more grounds
// Whoever has more loses one of the oldest version: what opens a purpose is the
// acceptance of the newest.
inline constexpr size_t kAcknowledgementsMax = 32;
static_assert(kConsentsMax >= policy::kPurposesMax &&
              kObjectionsMax >= policy::kPurposesMax);

// Whether the consent stands and is of a version of the policy that counts.
bool IsInForce(const Consent& consent, const policy::PurposeTerms& terms);
// Whether the objection is to the purpose that has these terms.
bool Covers(const Objection& objection, policy::PurposeNumber purpose,
            const policy::PurposeTerms& terms);

void AddConsent(const Consent& consent, Statements& said);
// Ends what stands of `purpose`; nullopt: of all purposes.
void Withdraw(std::optional<policy::PurposeNumber> purpose,
              WithdrawalCause cause, base::Timestamp now, Statements& said);
// When the last consent to the purpose was withdrawn; nullopt if none was.
std::optional<base::Timestamp> LastWithdrawal(const Statements& said,
                                              policy::PurposeNumber purpose);
void AddObjection(const Objection& objection, Statements& said);
void AddAcknowledgement(const Acknowledgement& made, Statements& said);
// Over which channels the person was told of the version; the newest version
// that they have accepted, 0 if none.
policy::ChannelSet NotifiedOf(const Statements& said, uint32_t version);
uint32_t AcceptedVersion(const Statements& said);

// Says in `subject` what a person who has said all that means to the rules. No
// company has said anything of purposes without a policy.
void Apply(const Statements& said, const policy::CompanyPolicy* company,
           policy::SubjectFacts& subject);

// As they lie in the facts, see FORMAT.md; without acknowledgements, or these
// alone. Get spoils `in` for what Put does not write.
void Put(const Statements& said, ByteWriter& out);
Statements GetStatements(ByteReader& in);
void PutAcknowledgements(const Statements& said, ByteWriter& out);
void GetAcknowledgements(ByteReader& in, Statements& said);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_STATEMENTS_H_
