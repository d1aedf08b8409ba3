// Decision: the one question that every use of personal data is put to.
//
// `Decide` is pure and total: it reads nothing, knows no clock but the one it
// is given, and answers every combination. Its rules are one ordered table in
// rules.cc; what no rule allows is denied. Permission comes before existence,
// so that a caller who may not ask learns nothing about who is there.
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_POLICY_DECISION_H_
#define HIZO_SERVICE_POLICY_DECISION_H_

#include <cstdint>
#include <string_view>

#include "service/base/clock.h"
#include "service/base/reason.h"
#include "service/policy/access_table.h"
#include "service/policy/action.h"
#include "service/policy/catalogue.h"
#include "service/policy/company_policy.h"

namespace hizo::policy {

// Whether a read shows values, masks or nothing. Stored; never renumber.
enum class View : uint8_t { kNone = 0, kMasked = 1, kPlain = 2 };

// Where a person stands. Stored; never renumber.
enum class SubjectState : uint8_t {
  kActive = 1,
  kCancelled = 2,
  kRetained = 3,  // erased, but for what a law or a hold has kept
};

// What the rules need to know of a person.
struct SubjectFacts {
  SubjectState state = SubjectState::kActive;
  // kRetained: what a law has kept. There is nothing else but what is held.
  ClassSet retained = {};
  ClassSet held = {};  // for a legal claim
  // What the person has said. A purpose is in one of the first two at most.
  PurposeSet consented = {};
  PurposeSet withdrawn = {};
  PurposeSet objected = {};
  // Everything is only kept, but for what they consent to or a law allows.
  bool restricted = false;
  bool minor = false;  // of whom was found that they are too young
  // The newest version of the company's policy that they have accepted; 0:
  // none.
  uint32_t accepted_version = 0;
};

// Access is what a caller asks for.
struct Access {
  const Principal* principal = nullptr;  // nullptr: nobody that is configured
  Action action = Action::kNone;
  PurposeNumber purpose = 0;  // 0: none was given
  bool purpose_known = true;  // false: one was given that is unknown
  FieldSet fields;            // read, written or searched
  View view = View::kNone;
  const SubjectFacts* subject = nullptr;  // nullptr: nobody is there
  // nullptr: the tenant has no policy, and grants alone decide.
  const CompanyPolicy* company = nullptr;
};

struct Decision {
  bool allowed = false;
  base::Reason reason = base::Reason::kCallerNotEntitled;
  std::string_view rule;  // name of the rule that decided
  // A refusal that tells something about the person: who may ask learns from
  // it whether they are there.
  bool tells_of_person = false;
  // What the tenant's policy says of the purpose, its clause above all; lives
  // as long as the policy. nullptr where there is none, or nobody is concerned.
  const PurposeTerms* terms = nullptr;
};

// What the grants of `principal` name for `action` and `purpose`, by the fields
// of the catalogue that they were compiled for.
FieldSet GrantedFields(const Principal& principal, Action action,
                       PurposeNumber purpose);

// Which of what is kept of `subject` may be used for `purpose`.
ClassSet RetainedFor(const Catalogue& catalogue, const SubjectFacts& subject,
                     PurposeNumber purpose);

// `access.fields` counts by the fields of `catalogue`, for which the grants of
// `access.principal` were compiled.
Decision Decide(const Catalogue& catalogue, const Access& access,
                base::Timestamp now);

}  // namespace hizo::policy

#endif  // HIZO_SERVICE_POLICY_DECISION_H_
