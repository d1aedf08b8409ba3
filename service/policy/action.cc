#include "service/policy/action.h"

#include <array>
#include <cstddef>

namespace hizo::policy {
namespace {

enum class Concerns : uint8_t { kStore, kSubject, kNewSubject };

struct ActionRow {
  Action action;
  std::string_view name;
  Concerns concerns;
};

// In the order of their numbers.
constexpr std::array<ActionRow, kActionCount> kActions = {{
    {Action::kNone, "none", Concerns::kStore},
    {Action::kSubjectCreate, "subject.create", Concerns::kNewSubject},
    {Action::kSubjectGet, "subject.get", Concerns::kSubject},
    {Action::kSubjectFind, "subject.find", Concerns::kSubject},
    {Action::kRecordPut, "record.put", Concerns::kSubject},
    {Action::kRecordGet, "record.get", Concerns::kSubject},
    {Action::kRecordList, "record.list", Concerns::kSubject},
    {Action::kRecordImport, "record.import", Concerns::kNewSubject},
    {Action::kCredentialSet, "credential.set", Concerns::kSubject},
    {Action::kCredentialVerify, "credential.verify", Concerns::kSubject},
    {Action::kAuditQuery, "audit.query", Concerns::kStore},
    {Action::kAuditCheckpoint, "audit.checkpoint", Concerns::kStore},
    {Action::kAdminStatus, "admin.status", Concerns::kStore},
    {Action::kStoreTidy, "store.tidy", Concerns::kStore},
    {Action::kRecordBatchGet, "record.batch_get", Concerns::kSubject},
    {Action::kRecordDeleteFields, "record.delete_fields", Concerns::kSubject},
    {Action::kSubjectCancel, "subject.cancel", Concerns::kSubject},
    {Action::kPolicyGet, "policy.get", Concerns::kStore},
    {Action::kConsentCheck, "consent.check", Concerns::kStore},
    // Of people who are there no more, too: what there is of them decides.
    {Action::kErasurePlan, "erasure.plan", Concerns::kStore},
    {Action::kErasureExecute, "erasure.execute", Concerns::kStore},
    {Action::kErasureGet, "erasure.get", Concerns::kStore},
    {Action::kErasureVerify, "erasure.verify", Concerns::kStore},
    {Action::kErasureFinish, "erasure.finish", Concerns::kStore},
    {Action::kBackupCreate, "backup.create", Concerns::kStore},
    {Action::kBackupList, "backup.list", Concerns::kStore},
    {Action::kBackupVerify, "backup.verify", Concerns::kStore},
    {Action::kBackupRestore, "backup.restore", Concerns::kStore},
    {Action::kRetentionExpire, "retention.expire", Concerns::kStore},
    {Action::kCredentialChange, "credential.change", Concerns::kSubject},
    {Action::kCredentialImport, "credential.import", Concerns::kSubject},
    {Action::kCredentialRevoke, "credential.revoke", Concerns::kSubject},
    {Action::kCredentialUnlock, "credential.unlock", Concerns::kSubject},
    {Action::kCredentialGet, "credential.get", Concerns::kSubject},
    {Action::kCredentialUnlockCaller, "credential.unlock_caller",
     Concerns::kStore},
    {Action::kCredentialRotatePepper, "credential.rotate_pepper",
     Concerns::kStore},
    {Action::kHoldPlace, "hold.place", Concerns::kStore},
    {Action::kHoldRelease, "hold.release", Concerns::kStore},
    {Action::kAuditHistory, "audit.history", Concerns::kStore},
    {Action::kAuditBreach, "audit.breach", Concerns::kStore},
    {Action::kAuditProve, "audit.prove", Concerns::kStore},
    {Action::kAuditExport, "audit.export", Concerns::kStore},
    {Action::kExportBundle, "export.bundle", Concerns::kSubject},
    {Action::kExportImport, "export.import", Concerns::kNewSubject},
    {Action::kErasureCancel, "erasure.cancel", Concerns::kStore},
    {Action::kKeysRotate, "keys.rotate", Concerns::kStore},
    {Action::kAuditPrune, "audit.prune", Concerns::kStore},
    // No use of anybody's data: nothing that a person has said, or has not,
    // stands in the way of saying it.
    {Action::kConsentRecord, "consent.record", Concerns::kStore},
    {Action::kConsentWithdraw, "consent.withdraw", Concerns::kStore},
    {Action::kConsentList, "consent.list", Concerns::kStore},
    {Action::kConsentObject, "consent.object", Concerns::kStore},
    {Action::kConsentDecide, "consent.decide", Concerns::kStore},
    {Action::kRestrictionSet, "restriction.set", Concerns::kStore},
    {Action::kRestrictionLift, "restriction.lift", Concerns::kStore},
    {Action::kStorePurge, "store.purge", Concerns::kStore},
    {Action::kExportTransmit, "export.transmit", Concerns::kSubject},
    {Action::kRecipientRegister, "recipient.register", Concerns::kStore},
    {Action::kRecipientRemove, "recipient.remove", Concerns::kStore},
    {Action::kRecipientList, "recipient.list", Concerns::kStore},
    {Action::kPolicyValidate, "policy.validate", Concerns::kStore},
    {Action::kPolicyActivate, "policy.activate", Concerns::kStore},
    {Action::kPolicyConflicts, "policy.conflicts", Concerns::kStore},
    {Action::kConsentAcknowledge, "consent.acknowledge", Concerns::kStore},
    {Action::kRetentionList, "retention.list", Concerns::kStore},
    {Action::kRetentionRun, "retention.run", Concerns::kStore},
    {Action::kRetentionMarkLoss, "retention.mark_loss", Concerns::kStore},
}};

consteval bool NumbersAreIndexes() {
  for (size_t i = 0; i < kActions.size(); ++i) {
    if (static_cast<size_t>(kActions[i].action) != i) return false;
  }
  return true;
}
static_assert(NumbersAreIndexes());

const ActionRow& RowOf(Action action) {
  return kActions[static_cast<size_t>(action)];
}

}  // namespace

std::string_view NameOf(Action action) { return RowOf(action).name; }

std::optional<Action> ActionFromName(std::string_view name) {
  for (const ActionRow& row : kActions) {
    if (row.name == name) return row.action;
  }
  return std::nullopt;
}

std::optional<Action> ActionFromNumber(uint32_t number) {
  if (number >= kActions.size()) return std::nullopt;
  return static_cast<Action>(number);
}

bool ConcernsSubject(Action action) {
  return RowOf(action).concerns != Concerns::kStore;
}

bool CreatesSubject(Action action) {
  return RowOf(action).concerns == Concerns::kNewSubject;
}

}  // namespace hizo::policy
