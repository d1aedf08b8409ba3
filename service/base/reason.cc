#include "service/base/reason.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string>

#include "absl/strings/cord.h"

namespace hizo::base {
namespace {

constexpr char kPayloadType[] = "hizo/reason";

struct ReasonRow {
  Reason reason;
  absl::StatusCode code;
  const char* name;
  const char* text;
};

using enum absl::StatusCode;

// In the order of their numbers.
constexpr std::array<ReasonRow, kReasonCount> kReasons = {{
    {Reason::kNone, kOk, "NONE", "no refusal"},
    {Reason::kPurposeMissing, kInvalidArgument, "PURPOSE_MISSING",
     "the call states no purpose"},
    {Reason::kPurposeNotAllowed, kPermissionDenied, "PURPOSE_NOT_ALLOWED",
     "the purpose does not allow this"},
    {Reason::kCallerNotEntitled, kPermissionDenied, "CALLER_NOT_ENTITLED",
     "the caller's roles do not grant this"},
    {Reason::kUnauthenticated, kUnauthenticated, "UNAUTHENTICATED",
     "the client certificate names no configured caller"},
    {Reason::kSubjectNotFound, kNotFound, "SUBJECT_NOT_FOUND",
     "there is no such person"},
    {Reason::kRecordNotFound, kNotFound, "RECORD_NOT_FOUND",
     "there is no such record"},
    {Reason::kFieldUnknown, kInvalidArgument, "FIELD_UNKNOWN",
     "the catalogue has no such class or field"},
    {Reason::kFieldForbidden, kInvalidArgument, "FIELD_FORBIDDEN",
     "this must never be stored: a card number or verification code"},
    {Reason::kRequiredFieldMissing, kInvalidArgument, "REQUIRED_FIELD_MISSING",
     "a required field is missing"},
    {Reason::kValueInvalid, kInvalidArgument, "VALUE_INVALID",
     "a value is not of its field's type or form"},
    {Reason::kTooLarge, kInvalidArgument, "TOO_LARGE",
     "larger than a stated bound"},
    {Reason::kAlreadyExists, kAlreadyExists, "ALREADY_EXISTS",
     "a unique value is taken, or the record exists"},
    {Reason::kEtagMismatch, kAborted, "ETAG_MISMATCH",
     "the record has changed since it was read"},
    {Reason::kRequestIdReused, kInvalidArgument, "REQUEST_ID_REUSED",
     "the request id was used with another body"},
    {Reason::kConflict, kAborted, "CONFLICT",
     "another change came first; repeat the call"},
    {Reason::kPageTokenInvalid, kInvalidArgument, "PAGE_TOKEN_INVALID",
     "not a page token of this caller and query"},
    {Reason::kIntegrityFailure, kDataLoss, "INTEGRITY_FAILURE",
     "stored bytes are not what was written"},
    {Reason::kAuditUnavailable, kUnavailable, "AUDIT_UNAVAILABLE",
     "the audit log could not be written; nothing was done"},
    {Reason::kOutcomeUnknown, kUnavailable, "OUTCOME_UNKNOWN",
     "the disk failed while writing; it may or may not have happened"},
    {Reason::kOverloaded, kResourceExhausted, "OVERLOADED",
     "too much work is waiting; try later"},
    {Reason::kDeadlineExceeded, kDeadlineExceeded, "DEADLINE_EXCEEDED",
     "the deadline passed or the caller cancelled"},
    {Reason::kMalformedRequest, kInvalidArgument, "MALFORMED_REQUEST",
     "the message could not be decoded"},
    {Reason::kMethodUnknown, kUnimplemented, "METHOD_UNKNOWN",
     "there is no such method"},
    {Reason::kInternal, kInternal, "INTERNAL", "an internal error"},
    {Reason::kPasswordWrong, kUnauthenticated, "PASSWORD_WRONG",
     "the password is wrong"},
    {Reason::kRateLimited, kResourceExhausted, "RATE_LIMITED",
     "the caller asks too often about people it does not find"},
    {Reason::kLockedOut, kUnauthenticated, "LOCKED_OUT",
     "too many wrong passwords of late"},
    {Reason::kRetainedForLaw, kFailedPrecondition, "RETAINED_FOR_LAW",
     "kept because a law says so, and for what it names only"},
    {Reason::kHashUnsupported, kInvalidArgument, "HASH_UNSUPPORTED",
     "not a bcrypt hash of $2a$, $2b$ or $2y$"},
    {Reason::kHashCostRefused, kInvalidArgument, "HASH_COST_REFUSED",
     "the hash's bcrypt cost is under 4 or over the configured one"},
    {Reason::kPasswordBreached, kInvalidArgument, "PASSWORD_BREACHED",
     "the password is in the list of breached ones; choose another"},
    {Reason::kLegalHold, kFailedPrecondition, "LEGAL_HOLD",
     "held for a legal claim"},
    {Reason::kLegalBasisMissing, kFailedPrecondition, "LEGAL_BASIS_MISSING",
     "nobody has stated a legal basis for the purpose"},
    {Reason::kConsentRequired, kFailedPrecondition, "CONSENT_REQUIRED",
     "the purpose needs a consent that was not given"},
    {Reason::kConsentWithdrawn, kFailedPrecondition, "CONSENT_WITHDRAWN",
     "the consent to the purpose was withdrawn"},
    {Reason::kObjected, kFailedPrecondition, "OBJECTED",
     "the person has objected to the purpose"},
    {Reason::kProcessingRestricted, kFailedPrecondition,
     "PROCESSING_RESTRICTED",
     "the data may only be kept until the restriction is lifted"},
    {Reason::kAgeNotEligible, kFailedPrecondition, "AGE_NOT_ELIGIBLE",
     "the person is not old enough for the service"},
    {Reason::kNotInPolicy, kFailedPrecondition, "NOT_IN_POLICY",
     "the company's privacy policy does not have this"},
    {Reason::kConsentNotNeeded, kFailedPrecondition, "CONSENT_NOT_NEEDED",
     "the purpose needs no consent"},
    {Reason::kObjectionAbsolute, kFailedPrecondition, "OBJECTION_ABSOLUTE",
     "an objection to direct marketing cannot be rejected"},
    {Reason::kEvidenceMissing, kFailedPrecondition, "EVIDENCE_MISSING",
     "what proves it is not named"},
    {Reason::kRecipientUnsafe, kInvalidArgument, "RECIPIENT_UNSAFE",
     "not a key that only another opens: no age key, a weak one, or one's own"},
    {Reason::kRecipientUnknown, kNotFound, "RECIPIENT_UNKNOWN",
     "no recipient is registered under this name"},
    {Reason::kPolicyInvalid, kInvalidArgument, "POLICY_INVALID",
     "the policy's files are not in order; ValidatePolicy tells where and why"},
    {Reason::kPolicyConflict, kFailedPrecondition, "POLICY_CONFLICT",
     "this policy may not follow the one in force; ValidatePolicy tells why"},
    {Reason::kPolicyReconsentRequired, kFailedPrecondition,
     "POLICY_RECONSENT_REQUIRED",
     "the person has not accepted the version of the policy that this needs"},
}};

consteval bool NumbersAreIndexes() {
  for (size_t i = 0; i < kReasons.size(); ++i) {
    if (static_cast<size_t>(kReasons[i].reason) != i) return false;
  }
  return true;
}
static_assert(NumbersAreIndexes());

const ReasonRow& RowOf(Reason reason) {
  return kReasons[static_cast<size_t>(reason)];
}

// What Fail put into a status: the reason, then the field and the seconds until
// a repeat, each high byte first.
constexpr size_t kPayloadSize = 5;
std::optional<std::string> PayloadOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadType);
  if (!payload.has_value()) return std::nullopt;
  return static_cast<std::string>(*payload);
}

uint16_t NumberAt(const std::string& payload, size_t place) {
  return static_cast<uint16_t>(static_cast<uint8_t>(payload[place]) << 8 |
                               static_cast<uint8_t>(payload[place + 1]));
}

absl::Status Make(Reason reason, uint16_t field, uint16_t retry_after) {
  // Failing with no reason is a bug, and must not become a success.
  if (reason == Reason::kNone) reason = Reason::kInternal;
  const ReasonRow& row = RowOf(reason);
  absl::Status status(row.code, row.text);
  const std::array<char, kPayloadSize> payload = {
      static_cast<char>(reason), static_cast<char>(field >> 8),
      static_cast<char>(field & 0xff), static_cast<char>(retry_after >> 8),
      static_cast<char>(retry_after & 0xff)};
  status.SetPayload(kPayloadType, absl::Cord(absl::string_view(
                                      payload.data(), payload.size())));
  return status;
}

}  // namespace

absl::Status Fail(Reason reason, uint16_t field) {
  return Make(reason, field, 0);
}

absl::Status FailUntil(Reason reason, std::chrono::seconds retry_after) {
  constexpr int64_t kMax = std::numeric_limits<uint16_t>::max();
  return Make(
      reason, 0,
      static_cast<uint16_t>(std::clamp<int64_t>(retry_after.count(), 0, kMax)));
}

Reason ReasonOf(const absl::Status& status) {
  if (const std::optional<std::string> payload = PayloadOf(status)) {
    return static_cast<Reason>((*payload)[0]);
  }
  switch (status.code()) {
    case kOk:
      return Reason::kNone;
    case kDataLoss:
      return Reason::kIntegrityFailure;
    case kUnknown:
      return Reason::kOutcomeUnknown;
    case kUnavailable:
    case kResourceExhausted:
      return Reason::kAuditUnavailable;
    default:
      return Reason::kInternal;
  }
}

uint16_t FieldOf(const absl::Status& status) {
  const std::optional<std::string> payload = PayloadOf(status);
  if (!payload.has_value()) return 0;
  return NumberAt(*payload, 1);
}

std::chrono::seconds RetryAfterOf(const absl::Status& status) {
  const std::optional<std::string> payload = PayloadOf(status);
  return std::chrono::seconds(payload.has_value() ? NumberAt(*payload, 3) : 0);
}

absl::StatusCode CodeOf(Reason reason) { return RowOf(reason).code; }

std::string_view NameOf(Reason reason) { return RowOf(reason).name; }

std::string_view TextOf(Reason reason) { return RowOf(reason).text; }

std::optional<Reason> ReasonFromNumber(uint32_t number) {
  if (number >= kReasons.size()) return std::nullopt;
  return static_cast<Reason>(number);
}

}  // namespace hizo::base
