// Action: what a call does, the unit of grants and of audit. Numbers are those
// of hizo.v1.Action and are stored; never renumber.
#ifndef HIZO_SERVICE_POLICY_ACTION_H_
#define HIZO_SERVICE_POLICY_ACTION_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace hizo::policy {

enum class Action : uint8_t {
  kNone = 0,
  kSubjectCreate = 1,
  kSubjectGet = 2,
  kSubjectFind = 3,
  kRecordPut = 4,
  kRecordGet = 5,
  kRecordList = 6,
  kRecordImport = 7,
  kCredentialSet = 8,
  kCredentialVerify = 9,
  kAuditQuery = 10,
  kAuditCheckpoint = 11,
  kAdminStatus = 12,
  kStoreTidy = 13,  // Hizo itself; no call has it
  kRecordBatchGet = 14,
  kRecordDeleteFields = 15,
  kSubjectCancel = 16,
  kPolicyGet = 17,
  kConsentCheck = 18,
  kErasurePlan = 19,
  kErasureExecute = 20,
  kErasureGet = 21,
  kErasureVerify = 22,
  kErasureFinish = 23,  // Hizo itself; no call has it
  kBackupCreate = 24,
  kBackupList = 25,
  kBackupVerify = 26,
  kBackupRestore = 27,    // Hizo itself; no call has it
  kRetentionExpire = 28,  // Hizo itself; no call has it
  kCredentialChange = 29,
  kCredentialImport = 30,
  kCredentialRevoke = 31,
  kCredentialUnlock = 32,
  kCredentialGet = 33,
  kCredentialUnlockCaller = 34,
  kCredentialRotatePepper = 35,
  kHoldPlace = 36,
  kHoldRelease = 37,
  kAuditHistory = 38,
  kAuditBreach = 39,
  kAuditProve = 40,
  kAuditExport = 41,
  kExportBundle = 42,
  kExportImport = 43,
  kErasureCancel = 44,
  kKeysRotate = 45,
  kAuditPrune = 46,
  kConsentRecord = 47,
  kConsentWithdraw = 48,
  kConsentList = 49,
  kConsentObject = 50,
  kConsentDecide = 51,
  kRestrictionSet = 52,
  kRestrictionLift = 53,
  kStorePurge = 54,
  kExportTransmit = 55,
  kRecipientRegister = 56,
  kRecipientRemove = 57,
  kRecipientList = 58,
  kPolicyValidate = 59,
  kPolicyActivate = 60,
  kPolicyConflicts = 61,
  kConsentAcknowledge = 62,
  kRetentionList = 63,
  kRetentionRun = 64,
  kRetentionMarkLoss = 65,
};
inline constexpr int kActionCount = 66;

// "subject.create", as configuration writes it; "none" for kNone.
std::string_view NameOf(Action action);
std::optional<Action> ActionFromName(std::string_view name);
std::optional<Action> ActionFromNumber(uint32_t number);

// Whether the action concerns a person (and not the store), so that the rules
// about people apply.
bool ConcernsSubject(Action action);
// Whether the action makes the person, who so need not exist.
bool CreatesSubject(Action action);

}  // namespace hizo::policy

#endif  // HIZO_SERVICE_POLICY_ACTION_H_
