#include <algorithm>
#include <array>

#include "service/policy/decision.h"

namespace hizo::policy {
namespace {

using base::Reason;

// What rules look at. `principal` is looked at only once it is known to be
// there.
struct Question {
  const Catalogue& catalogue;
  const Access& access;
};

bool HasAction(const Grant& grant, const Access& access) {
  const auto number = static_cast<size_t>(access.action);
  return access.action != Action::kNone && number < kActionCount &&
         grant.actions[number];
}

bool HasPurpose(const Grant& grant, const Access& access) {
  return access.purpose < kPurposesMax && grant.purposes[access.purpose];
}

bool CallerIsKnown(const Question& q) { return q.access.principal != nullptr; }

bool PurposeIsGiven(const Question& q) {
  return q.access.purpose != 0 || !q.access.purpose_known;
}

bool PurposeIsKnown(const Question& q) {
  return q.access.purpose_known &&
         q.catalogue.PurposeByNumber(q.access.purpose) != nullptr;
}

bool ActionIsGranted(const Question& q) {
  return std::ranges::any_of(
      q.access.principal->grants,
      [&q](const Grant& grant) { return HasAction(grant, q.access); });
}

bool ActionIsGrantedForPurpose(const Question& q) {
  return std::ranges::any_of(
      q.access.principal->grants, [&q](const Grant& grant) {
        return HasAction(grant, q.access) && HasPurpose(grant, q.access);
      });
}

bool FieldsAreNotInternal(const Question& q) {
  return (q.access.fields & q.catalogue.internal_fields()).none();
}

bool FieldsAreGranted(const Question& q) {
  FieldSet granted;
  for (const Grant& grant : q.access.principal->grants) {
    if (!HasAction(grant, q.access) || !HasPurpose(grant, q.access)) continue;
    if (q.access.view == View::kPlain && !grant.plain) continue;
    granted |= grant.fields;
  }
  return (q.access.fields & ~granted).none();
}

bool FieldsServePurpose(const Question& q) {
  if (!ConcernsSubject(q.access.action)) return true;
  return (q.access.fields & ~q.catalogue.FieldsFor(q.access.purpose)).none();
}

bool SubjectExists(const Question& q) {
  return q.access.subject != nullptr || !ConcernsSubject(q.access.action) ||
         CreatesSubject(q.access.action);
}

bool SubjectIsInAKnownState(const Question& q) {
  return q.access.subject == nullptr ||
         q.access.subject->state == SubjectState::kActive ||
         q.access.subject->state == SubjectState::kCancelled;
}

// Whether the person's account is there, or this goes on without it.
bool AccountIsOpenOrNotNeeded(const Question& q) {
  if (q.access.subject == nullptr || !ConcernsSubject(q.access.action) ||
      q.access.subject->state == SubjectState::kActive) {
    return true;
  }
  // Cancelling again is no error, whatever it is done for.
  return q.access.action == Action::kSubjectCancel ||
         q.catalogue.PurposeByNumber(q.access.purpose)->outlives_account;
}

bool LooksForSomebodyWithAnAccount(const Question& q) {
  const bool looks = q.access.action == Action::kSubjectFind ||
                     q.access.action == Action::kCredentialVerify;
  return !looks || AccountIsOpenOrNotNeeded(q);
}

struct Rule {
  std::string_view name;
  bool (*holds)(const Question&);
  Reason otherwise;
  bool looks_at_person = false;
};

// Every rule must hold; the first that does not gives the reason. Whatever
// concerns the person comes last, so that nobody who may not ask learns who
// is there.
constexpr std::array kRules = {
    Rule{"caller-known", CallerIsKnown, Reason::kUnauthenticated},
    Rule{"purpose-given", PurposeIsGiven, Reason::kPurposeMissing},
    Rule{"purpose-known", PurposeIsKnown, Reason::kPurposeNotAllowed},
    Rule{"action-granted", ActionIsGranted, Reason::kCallerNotEntitled},
    Rule{"purpose-granted", ActionIsGrantedForPurpose,
         Reason::kPurposeNotAllowed},
    Rule{"fields-not-internal", FieldsAreNotInternal,
         Reason::kCallerNotEntitled},
    Rule{"fields-granted", FieldsAreGranted, Reason::kCallerNotEntitled},
    Rule{"fields-serve-purpose", FieldsServePurpose,
         Reason::kPurposeNotAllowed},
    Rule{"subject-exists", SubjectExists, Reason::kSubjectNotFound, true},
    // The same answer as for nobody: who is gone is not told from who never
    // was.
    Rule{"subject-state-known", SubjectIsInAKnownState,
         Reason::kSubjectNotFound, true},
    // Who has left cannot sign in and is not found: the same answer as for
    // nobody.
    Rule{"subject-has-account", LooksForSomebodyWithAnAccount,
         Reason::kSubjectNotFound, true},
    Rule{"purpose-outlives-account", AccountIsOpenOrNotNeeded,
         Reason::kPurposeNotAllowed, true},
};

}  // namespace

FieldSet GrantedFields(const Principal& principal, Action action,
                       PurposeNumber purpose) {
  Access access;
  access.action = action;
  access.purpose = purpose;
  FieldSet granted;
  for (const Grant& grant : principal.grants) {
    if (HasAction(grant, access) && HasPurpose(grant, access)) {
      granted |= grant.fields;
    }
  }
  return granted;
}

Decision Decide(const Catalogue& catalogue, const Access& access,
                base::Timestamp /*now*/) {
  const Question question{catalogue, access};
  for (const Rule& rule : kRules) {
    if (!rule.holds(question)) {
      return {.allowed = false,
              .reason = rule.otherwise,
              .rule = rule.name,
              .tells_of_person = rule.looks_at_person};
    }
  }
  return {.allowed = true, .reason = Reason::kNone, .rule = "granted"};
}

}  // namespace hizo::policy
