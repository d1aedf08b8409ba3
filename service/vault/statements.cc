#include "service/vault/statements.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

namespace hizo::vault {
namespace {

// Drops the oldest that a later one of the same purpose has replaced.
template <typename T>
void MakeRoom(size_t max, std::vector<T>& all) {
  while (all.size() > max) {
    const auto replaced = std::ranges::find_if(all, [&](const T& one) {
      return std::any_of(
          all.begin() + (&one - all.data()) + 1, all.end(),
          [&one](const T& later) { return later.purpose == one.purpose; });
    });
    if (replaced == all.end()) return;
    all.erase(replaced);
  }
}

void PutTime(base::Timestamp time, ByteWriter& out) {
  out.Put(static_cast<uint64_t>(base::ToMicros(time)));
}

// 0 stands for none: nobody said anything in 1970.
void PutTime(const std::optional<base::Timestamp>& time, ByteWriter& out) {
  PutTime(time.value_or(base::Timestamp()), out);
}

base::Timestamp GetTime(ByteReader& in) {
  return base::FromMicros(static_cast<int64_t>(in.Get<uint64_t>()));
}

std::optional<base::Timestamp> GetOptionalTime(ByteReader& in) {
  const base::Timestamp time = GetTime(in);
  if (time == base::Timestamp()) return std::nullopt;
  return time;
}

base::EvidenceId GetEvidence(ByteReader& in) {
  return base::EvidenceId::FromBytes(in.GetRaw(base::EvidenceId::kSize))
      .value_or(base::EvidenceId());
}

// A number of `first` to `last`.
template <typename Enum>
Enum GetEnum(ByteReader& in, Enum first, Enum last) {
  const auto number = in.Get<uint8_t>();
  if (number < static_cast<uint8_t>(first) ||
      number > static_cast<uint8_t>(last)) {
    in.Spoil();
    return first;
  }
  return static_cast<Enum>(number);
}

size_t GetCount(ByteReader& in, size_t max) {
  const auto count = in.Get<uint16_t>();
  if (count > max) in.Spoil();
  return in.ok() ? count : 0;
}

Consent GetConsent(ByteReader& in) {
  Consent consent;
  consent.purpose = in.Get<uint16_t>();
  consent.policy_version = in.Get<uint32_t>();
  consent.channel = GetEnum(in, Channel::kWeb, Channel::kInPerson);
  consent.evidence = GetEvidence(in);
  consent.given = GetTime(in);
  consent.withdrawn = GetOptionalTime(in);
  consent.cause =
      GetEnum(in, WithdrawalCause::kNone, WithdrawalCause::kAccountCancelled);
  const bool ended = consent.cause != WithdrawalCause::kNone;
  if (consent.purpose == 0 || consent.purpose >= policy::kPurposesMax ||
      ended != consent.withdrawn.has_value()) {
    in.Spoil();
  }
  return consent;
}

Objection GetObjection(ByteReader& in) {
  Objection objection;
  objection.purpose = in.Get<uint16_t>();
  objection.state =
      GetEnum(in, ObjectionState::kOpen, ObjectionState::kRejected);
  objection.ground =
      GetEnum(in, ObjectionGround::kNone, ObjectionGround::kPublicInterest);
  objection.made = GetTime(in);
  objection.decided = GetOptionalTime(in);
  objection.notice = GetEvidence(in);
  const bool rejected = objection.state == ObjectionState::kRejected;
  const bool open = objection.state == ObjectionState::kOpen;
  if (objection.purpose >= policy::kPurposesMax ||
      rejected != (objection.ground != ObjectionGround::kNone) ||
      rejected == objection.notice.is_nil() ||
      open == objection.decided.has_value()) {
    in.Spoil();
  }
  return objection;
}

Restriction GetRestriction(ByteReader& in) {
  const auto ground = GetEnum(in, RestrictionGround::kAccuracyContested,
                              RestrictionGround::kObjectionPending);
  return {ground, GetTime(in)};
}

bool AreInOrder(const Statements& said) {
  return std::ranges::is_sorted(said.consents, {}, &Consent::given) &&
         std::ranges::is_sorted(said.objections, {}, &Objection::made) &&
         // Strictly: no ground stands there twice.
         std::ranges::is_sorted(said.restrictions, std::ranges::less_equal(),
                                &Restriction::ground);
}

}  // namespace

bool IsInForce(const Consent& consent, const policy::PurposeTerms& terms) {
  return !consent.withdrawn.has_value() &&
         consent.policy_version >= terms.consent_from;
}

bool Covers(const Objection& objection, policy::PurposeNumber purpose,
            const policy::PurposeTerms& terms) {
  return objection.purpose == kDirectMarketing ? terms.marketing
                                               : objection.purpose == purpose;
}

void AddConsent(const Consent& consent, Statements& said) {
  const auto at = std::ranges::upper_bound(said.consents, consent.given, {},
                                           &Consent::given);
  said.consents.insert(at, consent);
  MakeRoom(kConsentsMax, said.consents);
}

void Withdraw(std::optional<policy::PurposeNumber> purpose,
              WithdrawalCause cause, base::Timestamp now, Statements& said) {
  for (Consent& consent : said.consents) {
    if (consent.withdrawn.has_value() ||
        consent.purpose != purpose.value_or(consent.purpose)) {
      continue;
    }
    consent.withdrawn = now;
    consent.cause = cause;
  }
}

std::optional<base::Timestamp> LastWithdrawal(const Statements& said,
                                              policy::PurposeNumber purpose) {
  std::optional<base::Timestamp> last;
  for (const Consent& consent : said.consents) {
    if (consent.purpose == purpose) last = std::max(last, consent.withdrawn);
  }
  return last;
}

void AddObjection(const Objection& objection, Statements& said) {
  const auto at = std::ranges::upper_bound(said.objections, objection.made, {},
                                           &Objection::made);
  said.objections.insert(at, objection);
  MakeRoom(kObjectionsMax, said.objections);
}

void AddAcknowledgement(const Acknowledgement& made, Statements& said) {
  auto& all = said.acknowledgements;
  const auto at =
      std::ranges::upper_bound(all, made.time, {}, &Acknowledgement::time);
  all.insert(at, made);
  if (all.size() <= kAcknowledgementsMax) return;
  all.erase(std::ranges::min_element(all, {}, [](const Acknowledgement& of) {
    return std::pair(of.policy_version, of.kind);
  }));
}

policy::ChannelSet NotifiedOf(const Statements& said, uint32_t version) {
  policy::ChannelSet channels;
  for (const Acknowledgement& of : said.acknowledgements) {
    if (of.policy_version == version &&
        of.kind == AcknowledgementKind::kNotified) {
      channels.set(static_cast<size_t>(of.channel));
    }
  }
  return channels;
}

uint32_t AcceptedVersion(const Statements& said) {
  uint32_t version = 0;
  for (const Acknowledgement& of : said.acknowledgements) {
    if (of.kind == AcknowledgementKind::kAccepted) {
      version = std::max(version, of.policy_version);
    }
  }
  return version;
}

void Apply(const Statements& said, const policy::CompanyPolicy* company,
           policy::SubjectFacts& subject) {
  if (said.empty() || company == nullptr) return;
  subject.restricted = !said.restrictions.empty();
  subject.accepted_version = AcceptedVersion(said);
  // When what counts now was given; the last word on a purpose decides.
  std::array<std::optional<base::Timestamp>, policy::kPurposesMax> given;
  for (const Consent& consent : said.consents) {
    const policy::PurposeNumber purpose = consent.purpose;
    const bool in_force = IsInForce(consent, company->For(purpose));
    subject.consented.set(purpose, in_force);
    subject.withdrawn.set(purpose, consent.withdrawn.has_value());
    given[purpose] = in_force ? std::optional(consent.given) : std::nullopt;
  }
  for (const Objection& objection : said.objections) {
    if (objection.state == ObjectionState::kRejected) continue;
    for (policy::PurposeNumber purpose = 1; purpose < policy::kPurposesMax;
         ++purpose) {
      if (Covers(objection, purpose, company->For(purpose)) &&
          given[purpose] <= objection.made) {
        subject.objected.set(purpose);
      }
    }
  }
}

void Put(const Statements& said, ByteWriter& out) {
  out.Put(static_cast<uint16_t>(said.consents.size()));
  for (const Consent& consent : said.consents) {
    out.Put(consent.purpose)
        .Put(consent.policy_version)
        .Put(static_cast<uint8_t>(consent.channel))
        .PutRaw(consent.evidence.bytes());
    PutTime(consent.given, out);
    PutTime(consent.withdrawn, out);
    out.Put(static_cast<uint8_t>(consent.cause));
  }
  out.Put(static_cast<uint16_t>(said.objections.size()));
  for (const Objection& objection : said.objections) {
    out.Put(objection.purpose)
        .Put(static_cast<uint8_t>(objection.state))
        .Put(static_cast<uint8_t>(objection.ground));
    PutTime(objection.made, out);
    PutTime(objection.decided, out);
    out.PutRaw(objection.notice.bytes());
  }
  out.Put(static_cast<uint16_t>(said.restrictions.size()));
  for (const Restriction& restriction : said.restrictions) {
    out.Put(static_cast<uint8_t>(restriction.ground));
    PutTime(restriction.since, out);
  }
}

void PutAcknowledgements(const Statements& said, ByteWriter& out) {
  out.Put(static_cast<uint16_t>(said.acknowledgements.size()));
  for (const Acknowledgement& of : said.acknowledgements) {
    out.Put(of.policy_version)
        .Put(static_cast<uint8_t>(of.kind))
        .Put(static_cast<uint8_t>(of.channel))
        .PutRaw(of.evidence.bytes());
    PutTime(of.time, out);
  }
}

void GetAcknowledgements(ByteReader& in, Statements& said) {
  for (size_t left = GetCount(in, kAcknowledgementsMax); left > 0 && in.ok();
       --left) {
    Acknowledgement of;
    of.policy_version = in.Get<uint32_t>();
    of.kind = GetEnum(in, AcknowledgementKind::kNotified,
                      AcknowledgementKind::kAccepted);
    of.channel = GetEnum(in, Channel::kWeb, Channel::kLogin);
    of.evidence = GetEvidence(in);
    of.time = GetTime(in);
    said.acknowledgements.push_back(of);
  }
  // With none there is no place for them.
  if (said.acknowledgements.empty() ||
      !std::ranges::is_sorted(said.acknowledgements, {},
                              &Acknowledgement::time)) {
    in.Spoil();
  }
}

Statements GetStatements(ByteReader& in) {
  Statements said;
  for (size_t left = GetCount(in, kConsentsMax); left > 0 && in.ok(); --left) {
    said.consents.push_back(GetConsent(in));
  }
  for (size_t left = GetCount(in, kObjectionsMax); left > 0 && in.ok();
       --left) {
    said.objections.push_back(GetObjection(in));
  }
  for (size_t left = GetCount(in, kRestrictionsMax); left > 0 && in.ok();
       --left) {
    said.restrictions.push_back(GetRestriction(in));
  }
  if (!AreInOrder(said)) in.Spoil();
  return said;
}

}  // namespace hizo::vault
