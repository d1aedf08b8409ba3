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
         q.access.subject->state == SubjectState::kCancelled ||
         q.access.subject->state == SubjectState::kRetained;
}

bool ConcernsRetained(const Question& q) {
  return q.access.subject != nullptr && ConcernsSubject(q.access.action) &&
         q.access.subject->state == SubjectState::kRetained;
}

ClassSet ClassesOf(const Question& q) {
  ClassSet classes;
  for (const FieldSpec& field : q.catalogue.fields()) {
    if (q.access.fields.test(field.index)) classes.set(field.class_number);
  }
  return classes;
}

// Of whom something is kept, only that is there.
bool AsksForWhatIsKept(const Question& q) {
  if (!ConcernsRetained(q) || q.access.action == Action::kSubjectGet) {
    return true;
  }
  const ClassSet classes = ClassesOf(q);
  const SubjectFacts& subject = *q.access.subject;
  return classes.any() && (classes & ~subject.retained & ~subject.held).none();
}

// What is only held, by no law: and so its refusal is another.
ClassSet HeldOnly(const SubjectFacts& subject) {
  return subject.held & ~subject.retained;
}

// And it is only read, for what it is kept for.
bool IsKeptForThat(const Question& q) {
  if (!ConcernsRetained(q)) return true;
  const ClassSet kept =
      RetainedFor(q.catalogue, *q.access.subject, q.access.purpose);
  switch (q.access.action) {
    case Action::kSubjectGet:
      return kept.any();
    case Action::kRecordGet:
    case Action::kRecordList:
    case Action::kRecordBatchGet:
      return (ClassesOf(q) & ~kept).none();
    default:
      return false;
  }
}

bool IsHeldForThat(const Question& q) {
  if (!ConcernsRetained(q) || IsKeptForThat(q)) return true;
  // One that a law has kept: the next rule refuses it.
  const ClassSet classes = q.access.action == Action::kSubjectGet
                               ? q.access.subject->retained
                               : ClassesOf(q);
  return classes.any() && (classes & ~HeldOnly(*q.access.subject)).any();
}

bool DeletesNothingHeld(const Question& q) {
  return q.access.subject == nullptr ||
         q.access.action != Action::kRecordDeleteFields ||
         (ClassesOf(q) & q.access.subject->held).none();
}

// Whether the person's account is there, or this goes on without it.
bool AccountIsOpenOrNotNeeded(const Question& q) {
  if (q.access.subject == nullptr || !ConcernsSubject(q.access.action) ||
      q.access.subject->state == SubjectState::kActive || ConcernsRetained(q)) {
    return true;
  }
  // Cancelling again is no error, whatever it is done for.
  return q.access.action == Action::kSubjectCancel ||
         q.catalogue.PurposeByNumber(q.access.purpose)->outlives_account;
}

bool LooksForSomebodyWithAnAccount(const Question& q) {
  const bool looks = q.access.action == Action::kSubjectFind ||
                     q.access.action == Action::kCredentialVerify ||
                     q.access.action == Action::kCredentialChange;
  return !looks || AccountIsOpenOrNotNeeded(q);
}

// What the policy says of a purpose that it is asked about: of uses of people,
// and of nothing where the tenant has no policy.
const PurposeTerms* TermsOf(const Question& q) {
  if (q.access.company == nullptr || !ConcernsSubject(q.access.action)) {
    return nullptr;
  }
  return &q.access.company->For(q.access.purpose);
}

bool PurposeIsInPolicy(const Question& q) {
  const PurposeTerms* terms = TermsOf(q);
  return terms == nullptr || terms->in_policy;
}

bool PolicyNamesClasses(const Question& q) {
  const PurposeTerms* terms = TermsOf(q);
  return terms == nullptr || terms->lawful ||
         (q.access.fields & q.access.company->undeclared_fields()).none();
}

// One person's data is never anonymous.
bool IsNotOnlyForAnonymised(const Question& q) {
  const PurposeTerms* terms = TermsOf(q);
  return terms == nullptr || !terms->anonymised_only;
}

bool HasLegalBasis(const Question& q) {
  const PurposeTerms* terms = TermsOf(q);
  return terms == nullptr || terms->basis != Basis::kNone;
}

// Whether what the person said decides: not against a law, of nobody, nor
// against the end of their account, which uses nothing of theirs.
bool PersonDecides(const Question& q) {
  const PurposeTerms* terms = TermsOf(q);
  return terms != nullptr && !terms->lawful && q.access.subject != nullptr &&
         q.access.action != Action::kSubjectCancel;
}

// What a law asks for is no matter of the person's age, and there is no right
// to object to it (GDPR 21(1)).
bool IsOwedToALaw(const Question& q) {
  const PurposeTerms& terms = *TermsOf(q);
  return terms.basis == Basis::kLegalObligation && !terms.marketing;
}

bool IsOldEnough(const Question& q) {
  return !PersonDecides(q) || IsOwedToALaw(q) || !q.access.subject->minor;
}

bool IsNotRestricted(const Question& q) {
  return !PersonDecides(q) || !q.access.subject->restricted ||
         q.access.subject->consented.test(q.access.purpose);
}

bool IsNotObjectedTo(const Question& q) {
  return !PersonDecides(q) || IsOwedToALaw(q) ||
         !q.access.subject->objected.test(q.access.purpose);
}

bool ConsentIsNotWithdrawn(const Question& q) {
  return !PersonDecides(q) || !TermsOf(q)->needs_consent ||
         !q.access.subject->withdrawn.test(q.access.purpose);
}

bool PolicyIsAccepted(const Question& q) {
  return !PersonDecides(q) ||
         q.access.subject->accepted_version >= TermsOf(q)->acceptance_from;
}

// Who is only being created has consented to nothing yet.
bool ConsentIsGiven(const Question& q) {
  const PurposeTerms* terms = TermsOf(q);
  if (terms == nullptr || terms->lawful || !terms->needs_consent) return true;
  return q.access.subject != nullptr &&
         q.access.subject->consented.test(q.access.purpose);
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
    Rule{"purpose-in-policy", PurposeIsInPolicy, Reason::kPurposeNotAllowed},
    Rule{"policy-names-classes", PolicyNamesClasses,
         Reason::kPurposeNotAllowed},
    Rule{"only-anonymised", IsNotOnlyForAnonymised, Reason::kPurposeNotAllowed},
    Rule{"legal-basis", HasLegalBasis, Reason::kLegalBasisMissing},
    Rule{"subject-exists", SubjectExists, Reason::kSubjectNotFound, true},
    // The same answer as for nobody: who is gone is not told from who never
    // was.
    Rule{"subject-state-known", SubjectIsInAKnownState,
         Reason::kSubjectNotFound, true},
    // The same answer as for who is gone altogether.
    Rule{"retained-is-kept", AsksForWhatIsKept, Reason::kSubjectNotFound, true},
    Rule{"held-for-purpose", IsHeldForThat, Reason::kLegalHold, true},
    Rule{"retained-for-purpose", IsKeptForThat, Reason::kRetainedForLaw, true},
    // Who has left cannot sign in and is not found: the same answer as for
    // nobody.
    Rule{"subject-has-account", LooksForSomebodyWithAnAccount,
         Reason::kSubjectNotFound, true},
    // Before the account: ending it may have been what withdrew the consent.
    Rule{"consent-not-withdrawn", ConsentIsNotWithdrawn,
         Reason::kConsentWithdrawn, true},
    Rule{"purpose-outlives-account", AccountIsOpenOrNotNeeded,
         Reason::kPurposeNotAllowed, true},
    Rule{"held-is-not-deleted", DeletesNothingHeld, Reason::kLegalHold, true},
    Rule{"old-enough", IsOldEnough, Reason::kAgeNotEligible, true},
    Rule{"not-restricted", IsNotRestricted, Reason::kProcessingRestricted,
         true},
    Rule{"not-objected-to", IsNotObjectedTo, Reason::kObjected, true},
    Rule{"policy-accepted", PolicyIsAccepted, Reason::kPolicyReconsentRequired,
         true},
    Rule{"consent-given", ConsentIsGiven, Reason::kConsentRequired, true},
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

ClassSet RetainedFor(const Catalogue& catalogue, const SubjectFacts& subject,
                     PurposeNumber purpose) {
  const PurposeSpec* named = catalogue.PurposeByNumber(purpose);
  const bool for_holds = named != nullptr && named->for_holds;
  ClassSet kept;
  for (const ClassSpec& spec : catalogue.classes()) {
    const bool by_law = subject.retained.test(spec.number) &&
                        spec.retention.has_value() && purpose < kPurposesMax &&
                        spec.retention->purposes.test(purpose);
    kept.set(spec.number,
             by_law || (for_holds && subject.held.test(spec.number)));
  }
  return kept;
}

Decision Decide(const Catalogue& catalogue, const Access& access,
                base::Timestamp /*now*/) {
  const Question question{catalogue, access};
  for (const Rule& rule : kRules) {
    if (!rule.holds(question)) {
      return {.allowed = false,
              .reason = rule.otherwise,
              .rule = rule.name,
              .tells_of_person = rule.looks_at_person,
              .terms = TermsOf(question)};
    }
  }
  return {.allowed = true,
          .reason = Reason::kNone,
          .rule = "granted",
          .terms = TermsOf(question)};
}

}  // namespace hizo::policy
