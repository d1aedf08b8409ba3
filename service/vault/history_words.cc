#include "service/vault/history_words.h"

#include <array>
#include <cstddef>

namespace hizo::vault {

using base::Reason;
using policy::Action;
using policy::RoleKind;

namespace {

struct ActionWords {
  Action action;
  std::string_view words;
};

// In the order of their numbers.
constexpr std::array<ActionWords, policy::kActionCount> kActionWords = {{
    {Action::kNone, "Did something that Hizo does not know"},
    {Action::kSubjectCreate, "Opened your account"},
    {Action::kSubjectGet, "Looked up what kinds of data there are of you"},
    {Action::kSubjectFind, "Looked for your account"},
    {Action::kRecordPut, "Wrote data of yours"},
    {Action::kRecordGet, "Read data of yours"},
    {Action::kRecordList, "Read data of yours"},
    {Action::kRecordImport, "Brought your data in from another system"},
    {Action::kCredentialSet, "Set your password"},
    {Action::kCredentialVerify, "Checked a password for your account"},
    {Action::kAuditQuery, "Looked up who had access to your data"},
    {Action::kAuditCheckpoint, "Checked the log of all accesses"},
    {Action::kAdminStatus, "Looked up how the store is set up"},
    {Action::kStoreTidy, "Tidied up"},
    {Action::kRecordBatchGet, "Read data of yours"},
    {Action::kRecordDeleteFields, "Deleted data of yours"},
    {Action::kSubjectCancel, "Closed your account"},
    {Action::kPolicyGet, "Looked up how the store is set up"},
    {Action::kConsentCheck,
     "Asked whether something would be allowed with your data"},
    {Action::kErasurePlan, "Asked what erasing your data would do"},
    {Action::kErasureExecute, "Had your data erased"},
    {Action::kErasureGet, "Looked up the proof that your data were erased"},
    {Action::kErasureVerify, "Looked whether anything is left of your data"},
    {Action::kErasureFinish, "Destroyed the keys of your data"},
    {Action::kBackupCreate, "Looked after backups"},
    {Action::kBackupList, "Looked after backups"},
    {Action::kBackupVerify, "Looked after backups"},
    {Action::kBackupRestore, "Took data back from a backup"},
    {Action::kRetentionExpire,
     "Ended the time for which a law had data of yours kept"},
    {Action::kCredentialChange, "Changed your password"},
    {Action::kCredentialImport, "Brought your password in from another system"},
    {Action::kCredentialRevoke, "Took your password away"},
    {Action::kCredentialUnlock, "Let you sign in again after wrong passwords"},
    {Action::kCredentialGet, "Looked up whether you have a password"},
    {Action::kCredentialUnlockCaller, "Let a service check passwords again"},
    {Action::kCredentialRotatePepper,
     "Renewed a secret that protects all passwords"},
    {Action::kHoldPlace, "Had data of yours kept for a legal claim"},
    {Action::kHoldRelease,
     "Ended that data of yours are kept for a legal claim"},
    {Action::kAuditHistory,
     "Asked for this list of who had access to your data"},
    {Action::kAuditBreach, "Looked up whom an incident concerns"},
    {Action::kAuditProve, "Checked the log of all accesses"},
    {Action::kAuditExport, "Checked the log of all accesses"},
    {Action::kExportBundle, "Handed out a copy of your data"},
    {Action::kExportImport, "Brought your data in from a copy"},
    {Action::kErasureCancel, "Took back the erasure of your data"},
    {Action::kKeysRotate, "Renewed the keys"},
    {Action::kAuditPrune, "Ended entries of this list that are no longer kept"},
    {Action::kConsentRecord, "Wrote down that you have consented to something"},
    {Action::kConsentWithdraw, "Ended a consent of yours"},
    {Action::kConsentList, "Looked up what you have consented and objected to"},
    {Action::kConsentObject, "Wrote down that you object to something"},
    {Action::kConsentDecide, "Decided upon an objection of yours"},
    {Action::kRestrictionSet, "Had your data only kept from then on"},
    {Action::kRestrictionLift, "Ended that your data are only kept"},
    {Action::kStorePurge, "Wrote the files anew without what was deleted"},
    {Action::kExportTransmit,
     "Sent a copy of your data to another company, as you had asked"},
    {Action::kRecipientRegister, "Noted whom copies of data may be sent to"},
    {Action::kRecipientRemove, "Noted whom copies of data may be sent to"},
    {Action::kRecipientList, "Looked up whom copies of data may be sent to"},
    {Action::kPolicyValidate, "Looked at a draft of the privacy policy"},
    {Action::kPolicyActivate, "Put a privacy policy in force"},
    {Action::kPolicyConflicts, "Looked up what the privacy policy leaves open"},
    {Action::kConsentAcknowledge,
     "Wrote down that you were told of the privacy policy or have accepted it"},
    {Action::kRetentionList, "Looked up what is to be deleted by now"},
    {Action::kRetentionRun, "Had deleted what is no longer kept"},
    {Action::kRetentionMarkLoss, "Noted how long invoices must be kept"},
}};

consteval bool NumbersAreIndexes() {
  for (size_t i = 0; i < kActionWords.size(); ++i) {
    if (static_cast<size_t>(kActionWords[i].action) != i) return false;
  }
  return true;
}
// A new action must say what it is.
static_assert(NumbersAreIndexes());

}  // namespace

std::string_view WordsOf(Action action) {
  return kActionWords[static_cast<size_t>(action)].words;
}

std::string_view WordsOf(RoleKind kind) {
  switch (kind) {
    case RoleKind::kService:
      return "a service";
    case RoleKind::kPrivacyOfficer:
      return "a privacy officer";
    case RoleKind::kErasureOfficer:
      return "an erasure officer";
    case RoleKind::kAuditor:
      return "an auditor";
    case RoleKind::kAdministrator:
      return "an administrator";
  }
  return "";
}

std::string_view RefusalOf(const audit::Event& event) {
  if (event.outcome == audit::Outcome::kAllowed) return "";
  switch (event.reason) {
    case Reason::kPurposeMissing:
      return "Refused: no purpose was given.";
    case Reason::kPurposeNotAllowed:
      return "Refused: not allowed for this purpose.";
    case Reason::kCallerNotEntitled:
    case Reason::kUnauthenticated:
      return "Refused: not allowed to do this.";
    case Reason::kRetainedForLaw:
      return "Refused: these data are kept for a law only.";
    case Reason::kLegalHold:
      return "Refused: these data are kept for a legal claim.";
    case Reason::kLegalBasisMissing:
      return "Refused: no legal basis is stated for this.";
    case Reason::kConsentRequired:
      return "Refused: you have not consented to this.";
    case Reason::kConsentWithdrawn:
      return "Refused: you have withdrawn your consent to this.";
    case Reason::kObjected:
      return "Refused: you have objected to this.";
    case Reason::kProcessingRestricted:
      return "Refused: these data may only be kept for now.";
    case Reason::kAgeNotEligible:
      return "Refused: you are not old enough for this service.";
    case Reason::kPolicyReconsentRequired:
      return "Refused: you have not accepted the policy that this needs.";
    case Reason::kNotInPolicy:
    case Reason::kConsentNotNeeded:
      return "Refused: the privacy policy has no place for it.";
    case Reason::kObjectionAbsolute:
      return "Refused: you may always object to advertising.";
    case Reason::kEvidenceMissing:
      return "Refused: nothing was named that proves it.";
    case Reason::kRateLimited:
    case Reason::kOverloaded:
      return "Refused: it asked too often.";
    case Reason::kPasswordWrong:
      return "The password was wrong.";
    case Reason::kLockedOut:
      return "Refused: there were too many wrong passwords.";
    case Reason::kRecipientUnknown:
      return "Refused: nobody is registered by that name to be sent data.";
    case Reason::kSubjectNotFound:
    case Reason::kRecordNotFound:
      return "There was nothing of the kind.";
    default:
      break;
  }
  return event.outcome == audit::Outcome::kDenied ? "Refused."
                                                  : "It came to nothing.";
}

}  // namespace hizo::vault
