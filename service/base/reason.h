// Reason: why a call was refused, as a closed list.
//
// Every error above crypto and storage is made by Fail(Reason): a code and a
// fixed text from one table. There is no way to put a value into one, so none
// that came from a person can ride in an error. Numbers are those of
// hizo.v1.Reason and are stored in audit entries; never renumber.
#ifndef HIZO_SERVICE_BASE_REASON_H_
#define HIZO_SERVICE_BASE_REASON_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"

namespace hizo::base {

enum class Reason : uint8_t {
  kNone = 0,
  kPurposeMissing = 1,
  kPurposeNotAllowed = 2,
  kCallerNotEntitled = 3,
  kUnauthenticated = 4,
  kSubjectNotFound = 5,
  kRecordNotFound = 6,
  kFieldUnknown = 7,
  kFieldForbidden = 8,
  kRequiredFieldMissing = 9,
  kValueInvalid = 10,
  kTooLarge = 11,
  kAlreadyExists = 12,
  kEtagMismatch = 13,
  kRequestIdReused = 14,
  kConflict = 15,
  kPageTokenInvalid = 16,
  kIntegrityFailure = 17,
  kAuditUnavailable = 18,
  kOutcomeUnknown = 19,
  kOverloaded = 20,
  kDeadlineExceeded = 21,
  kMalformedRequest = 22,
  kMethodUnknown = 23,
  kInternal = 24,
  kPasswordWrong = 25,  // in audit events only: the caller is told a bool
  kRateLimited = 26,
  kLockedOut = 27,  // in audit events only, as above
  kRetainedForLaw = 28,
  kHashUnsupported = 29,
  kHashCostRefused = 30,
  kPasswordBreached = 31,
  kLegalHold = 32,
  kLegalBasisMissing = 33,
  kConsentRequired = 34,
  kConsentWithdrawn = 35,
  kObjected = 36,
  kProcessingRestricted = 37,
  kAgeNotEligible = 38,
  kNotInPolicy = 39,
  kConsentNotNeeded = 40,
  kObjectionAbsolute = 41,
  kEvidenceMissing = 42,
  kRecipientUnsafe = 43,
  kRecipientUnknown = 44,
  kPolicyInvalid = 45,
  kPolicyConflict = 46,
  kPolicyReconsentRequired = 47,
};
inline constexpr int kReasonCount = 48;

// Fail makes the error of a reason. `field` is the catalogue number of the
// field at fault, 0 if none is: a number, so that it can carry nothing else.
absl::Status Fail(Reason reason, uint16_t field = 0);

// The same with the time after which a repeat is worth its while, in whole
// seconds, at most 65,535.
absl::Status FailUntil(Reason reason, std::chrono::seconds retry_after);

// The reason of an error: kNone for OK; for an error that Fail did not make,
// kIntegrityFailure for kDataLoss, kOutcomeUnknown for kUnknown,
// kAuditUnavailable for kUnavailable and kResourceExhausted (what crypto and
// storage return), else kInternal.
Reason ReasonOf(const absl::Status& status);
// The field at fault; 0 if there is none.
uint16_t FieldOf(const absl::Status& status);
// When to repeat the call; 0 where the error says nothing of it.
std::chrono::seconds RetryAfterOf(const absl::Status& status);

absl::StatusCode CodeOf(Reason reason);
// Upper-case name as it goes over the wire: "PURPOSE_MISSING".
std::string_view NameOf(Reason reason);
// The text that people read.
std::string_view TextOf(Reason reason);
// nullopt for a number that is none.
std::optional<Reason> ReasonFromNumber(uint32_t number);

}  // namespace hizo::base

#endif  // HIZO_SERVICE_BASE_REASON_H_
