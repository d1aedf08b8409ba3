#include "service/vault/facts_store.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/record_cipher.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/access_gate.h"
#include "service/vault/byte_codec.h"
#include "service/vault/erasure_record.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using policy::SubjectState;

// The second has the time of cancellation, the first is of whom has none. The
// next two are the same of somebody of whom something is held. The fifth is of
// who has said something, and has all of it; the last has also what they have
// to do with versions of the policy.
constexpr uint8_t kFactsFormat = 1;
constexpr uint8_t kFactsFormatCancelled = 2;
constexpr uint8_t kFactsFormatHeld = 3;
constexpr uint8_t kFactsFormatCancelledHeld = 4;
constexpr uint8_t kFactsFormatSaid = 5;
constexpr uint8_t kFactsFormatAcknowledged = 6;

uint8_t FormatOf(const Facts& facts) {
  if (!facts.said.acknowledgements.empty()) return kFactsFormatAcknowledged;
  if (!facts.said.empty()) return kFactsFormatSaid;
  if (facts.holds.empty()) {
    return facts.cancelled.has_value() ? kFactsFormatCancelled : kFactsFormat;
  }
  return facts.cancelled.has_value() ? kFactsFormatCancelledHeld
                                     : kFactsFormatHeld;
}
constexpr crypto::FieldNumber kFactsField = 1;

std::string Encode(const Facts& facts) {
  ByteWriter out;
  out.Put(FormatOf(facts))
      .Put(static_cast<uint8_t>(facts.subject.state))
      .Put(static_cast<uint64_t>(base::ToMicros(facts.created)));
  const bool said = !facts.said.empty();
  // Where all has its place, a time of nothing stands for none.
  if (facts.cancelled.has_value() || said) {
    out.Put(static_cast<uint64_t>(
        base::ToMicros(facts.cancelled.value_or(base::Timestamp()))));
  }
  out.PutRaw(facts.audit_reference.bytes())
      .Put(static_cast<uint16_t>(facts.pointers.size()));
  for (const IndexPointer& pointer : facts.pointers) {
    out.Put(pointer.kind).Put(pointer.route);
  }
  if (!facts.holds.empty() || said) {
    out.Put(static_cast<uint16_t>(facts.holds.size()));
    for (const LegalHold& hold : facts.holds) {
      out.Put(hold.class_number).PutRaw(hold.claim.bytes());
    }
  }
  if (said) Put(facts.said, out);
  if (!facts.said.acknowledgements.empty()) {
    PutAcknowledgements(facts.said, out);
  }
  return std::move(out).Take();
}

void GetHolds(ByteReader& in, Facts& facts) {
  const auto holds = in.Get<uint16_t>();
  for (int i = 0; in.ok() && i < holds; ++i) {
    const auto number = in.Get<uint16_t>();
    const auto claim =
        base::ClaimId::FromBytes(in.GetRaw(base::ClaimId::kSize));
    if (!claim.has_value() || number >= policy::kClassesMax) return in.Spoil();
    facts.holds.push_back({number, *claim});
    facts.subject.held.set(number);
  }
}

absl::StatusOr<Facts> Decode(std::string_view bytes) {
  ByteReader in(bytes);
  Facts facts;
  const auto format = in.Get<uint8_t>();
  const auto state = in.Get<uint8_t>();
  facts.created = base::FromMicros(static_cast<int64_t>(in.Get<uint64_t>()));
  const bool said =
      format == kFactsFormatSaid || format == kFactsFormatAcknowledged;
  bool cancelled =
      format == kFactsFormatCancelled || format == kFactsFormatCancelledHeld;
  if (cancelled || said) {
    const auto micros = static_cast<int64_t>(in.Get<uint64_t>());
    if (said) cancelled = micros != 0;
    if (cancelled) facts.cancelled = base::FromMicros(micros);
  }
  if (cancelled) facts.subject.state = SubjectState::kCancelled;
  const auto reference =
      base::AuditReference::FromBytes(in.GetRaw(base::AuditReference::kSize));
  const auto pointers = in.Get<uint16_t>();
  for (int i = 0; in.ok() && i < pointers; ++i) {
    const auto kind = in.Get<uint16_t>();
    facts.pointers.push_back({kind, in.Get<uint16_t>()});
  }
  if (format == kFactsFormatHeld || format == kFactsFormatCancelledHeld ||
      said) {
    GetHolds(in, facts);
  }
  if (said) {
    facts.said = GetStatements(in);
    if (format == kFactsFormatAcknowledged) GetAcknowledgements(in, facts.said);
    if (facts.said.empty()) in.Spoil();
  }
  if (!in.done() || format < kFactsFormat ||
      format > kFactsFormatAcknowledged || !reference.has_value() ||
      state != static_cast<uint8_t>(facts.subject.state)) {
    return Fail(Reason::kIntegrityFailure);
  }
  facts.audit_reference = *reference;
  return facts;
}

crypto::RecordPlace PlaceOf(const SubjectKeys& keys,
                            const base::SubjectId& subject,
                            const base::RecordId& nil) {
  return {static_cast<uint32_t>(keys.tenant()), subject.bytes(),
          policy::kClassFacts, nil.bytes()};
}

}  // namespace

policy::SubjectFacts SubjectFor(const Facts& facts,
                                const policy::CompanyPolicy* company) {
  policy::SubjectFacts subject = facts.subject;
  Apply(facts.said, company, subject);
  return subject;
}

absl::StatusOr<std::optional<Facts>> FactsStore::Load(
    Attempt& attempt, const SubjectKeys& keys, base::Timestamp now) const {
  const base::SubjectId subject = keys.subject();
  ASSIGN_OR_RETURN(const auto bytes,
                   attempt.Read(data_, FactsKey(keys.tenant(), subject)));
  if (!bytes.has_value()) return LoadRetained(attempt, keys, now);
  ASSIGN_OR_RETURN(const auto key,
                   user_keys_.Unwrap(keys, policy::kClassFacts));
  // Facts without their key are what an erased person leaves behind.
  if (!key.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(Facts facts, Open(keys, *key, *bytes));
  return facts;
}

absl::StatusOr<std::optional<Facts>> FactsStore::LoadRetained(
    Attempt& attempt, const SubjectKeys& keys, base::Timestamp now) const {
  const base::SubjectId subject = keys.subject();
  const auto classes = keys.Classes();
  // Without keys nothing is kept: of most who are not there nothing was read.
  if (classes.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto row,
                   attempt.Read(data_, ErasureKey(keys.tenant(), subject)));
  if (!row.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(const ErasureRecord record,
                   OpenErasureRecord(data_, user_keys_.store_keys(),
                                     keys.tenant(), subject, *row));
  Facts facts;
  facts.subject.state = SubjectState::kRetained;
  facts.audit_reference = record.audit_reference;
  for (const KeptClass& kept : record.kept) {
    if (kept.IsOver(policy::DayOf(now)) ||
        std::ranges::find(classes, kept.class_number) == classes.end()) {
      continue;
    }
    // A law whose term is over, of what is held all the same, opens nothing.
    facts.subject.retained.set(
        kept.class_number,
        kept.until.has_value() && *kept.until >= policy::DayOf(now));
    facts.subject.held.set(kept.class_number, !kept.holds.empty());
  }
  if ((facts.subject.retained | facts.subject.held).none()) {
    return std::nullopt;
  }
  return facts;
}

absl::StatusOr<Facts> FactsStore::OpenRow(const SubjectKeys& keys,
                                          std::string_view row) const {
  ASSIGN_OR_RETURN(const auto key,
                   user_keys_.Unwrap(keys, policy::kClassFacts));
  if (!key.has_value()) return Fail(Reason::kIntegrityFailure);
  return Open(keys, *key, row);
}

absl::StatusOr<Facts> FactsStore::Open(const SubjectKeys& keys,
                                       const ClassKey& key,
                                       std::string_view bytes) const {
  const base::SubjectId subject = keys.subject();
  ASSIGN_OR_RETURN(const auto row, crypto::SealedRow::Parse(bytes));
  const base::RecordId nil;
  ASSIGN_OR_RETURN(
      const auto opener,
      crypto::RecordOpener::Create(key.dek, PlaceOf(keys, subject, nil), row));
  ASSIGN_OR_RETURN(const auto plain, opener.Field(row, kFactsField));
  if (!plain.has_value()) return Fail(Reason::kIntegrityFailure);
  ASSIGN_OR_RETURN(Facts facts, Decode(*plain));
  facts.version = row.version();
  return facts;
}

absl::Status FactsStore::Save(Attempt& attempt, AccessGrant& grant,
                              Facts facts) const {
  RETURN_IF_ERROR(Put(attempt, grant.keys_, facts));
  grant.facts_ = std::move(facts);
  return absl::OkStatus();
}

absl::Status FactsStore::GiveBack(Attempt& attempt, const SubjectKeys& keys,
                                  Facts facts) const {
  // The version between is that of having been laid aside.
  facts.version += 1;
  return Put(attempt, keys, facts);
}

absl::Status FactsStore::Put(Attempt& attempt, const SubjectKeys& keys,
                             Facts& facts) const {
  if (facts.pointers.size() > kIndexPointersMax ||
      facts.holds.size() > kLegalHoldsMax ||
      facts.said.consents.size() > kConsentsMax ||
      facts.said.objections.size() > kObjectionsMax ||
      facts.said.restrictions.size() > kRestrictionsMax ||
      facts.said.acknowledgements.size() > kAcknowledgementsMax) {
    return Fail(Reason::kInternal);
  }
  ASSIGN_OR_RETURN(const auto key,
                   user_keys_.Unwrap(keys, policy::kClassFacts));
  if (!key.has_value()) return Fail(Reason::kInternal);
  facts.version += 1;
  const base::SubjectId subject = keys.subject();
  const base::RecordId nil;
  crypto::RecordSealer sealer(
      key->dek, PlaceOf(keys, subject, nil),
      {.generation = key->generation, .version = facts.version});
  RETURN_IF_ERROR(sealer.Put(kFactsField, Encode(facts)));
  std::string row = std::move(sealer).Finish();
  audit::RowWrite write{policy::kClassFacts, nil, facts.version, {}};
  std::ranges::copy(crypto::CommitmentOf(row), write.commitment.begin());
  attempt.event().writes.push_back(write);
  attempt.data().Put(FactsKey(keys.tenant(), subject), std::move(row));
  return absl::OkStatus();
}

}  // namespace hizo::vault
