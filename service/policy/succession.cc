#include "service/policy/succession.h"

#include <algorithm>
#include <map>
#include <utility>

namespace hizo::policy {
namespace {

absl::Status Refused(const CompanyPolicy& next, const std::string& what) {
  return absl::FailedPreconditionError(next.version_where() + ": " + what);
}

// What a policy says of a purpose, in words; empty if it does not have it.
std::string WordsOf(const PurposeTerms& terms) {
  if (!terms.in_policy) return "";
  std::string words = terms.id + ", " + std::string(NameOf(terms.basis)) +
                      ", clause " + terms.clause;
  if (terms.lawful) words += ", whatever people say";
  if (terms.anonymised_only) words += ", anonymised only";
  if (terms.marketing) words += ", marketing";
  if (terms.needs_consent) words += ", with consent";
  if (terms.consent_from > 0) {
    words += " from version " + std::to_string(terms.consent_from) + " on";
  }
  if (terms.acceptance_from > 0) {
    words += ", of who has accepted version " +
             std::to_string(terms.acceptance_from);
  }
  return words;
}

// Pairs of what is said, by name or by place in the catalogue.
class Comparison {
 public:
  Comparison(ChangeKind kind, std::vector<PolicyChange>& changes)
      : kind_(kind), changes_(changes) {}

  void Of(const std::string& name, std::string before, std::string after) {
    if (before == after) return;
    changes_.push_back({kind_, name, std::move(before), std::move(after)});
  }
  // Both are by name.
  void OfAll(const std::map<std::string, std::string>& before,
             const std::map<std::string, std::string>& after) {
    std::map<std::string, std::pair<std::string, std::string>> both;
    for (const auto& [name, words] : before) both[name].first = words;
    for (const auto& [name, words] : after) both[name].second = words;
    for (const auto& [name, words] : both) {
      Of(name, words.first, words.second);
    }
  }

 private:
  const ChangeKind kind_;
  std::vector<PolicyChange>& changes_;
};

std::map<std::string, std::string> TermsOf(const CompanyPolicy* company) {
  std::map<std::string, std::string> words;
  if (company == nullptr) return words;
  for (const LegalTerm& term : company->legal_terms()) {
    words[term.name] = std::to_string(term.days) + " days";
  }
  return words;
}

std::map<std::string, std::string> ConflictsOf(const CompanyPolicy* company) {
  std::map<std::string, std::string> words;
  if (company == nullptr) return words;
  for (const Conflict& conflict : company->conflicts()) {
    words[conflict.id] = "accepted by " + conflict.by;
  }
  return words;
}

void CompareSettings(const CompanyPolicy* present, const CompanyPolicy& next,
                     std::vector<PolicyChange>& changes) {
  Comparison settings(ChangeKind::kSetting, changes);
  const auto compare = [&](const std::string& name, auto words) {
    settings.Of(name, present == nullptr ? std::string() : words(*present),
                words(next));
  };
  compare("profile", [](const CompanyPolicy& of) { return of.profile_id(); });
  compare("version",
          [](const CompanyPolicy& of) { return std::to_string(of.version()); });
  compare("cancelling withdraws consents", [](const CompanyPolicy& of) {
    return std::string(of.cancelling_withdraws() ? "yes" : "no");
  });
  compare("notices before an acceptance", [](const CompanyPolicy& of) {
    return std::to_string(of.notices().count());
  });
}

}  // namespace

absl::Status MayFollow(const CompanyPolicy& present,
                       const CompanyPolicy& next) {
  if (next.digest() == present.digest()) return absl::OkStatus();
  if (next.version() <= present.version()) {
    return Refused(next, (next.version() == present.version()
                              ? "this version is in force, with other content"
                              : "a later version is in force: " +
                                    std::to_string(present.version())));
  }
  if (next.profile_id() != present.profile_id() &&
      !next.Replaces(present.profile_id())) {
    return Refused(next, "the policy in force is of `" + present.profile_id() +
                             "`, which this one does not say it replaces");
  }
  for (const LegalTerm& term : present.legal_terms()) {
    const auto found =
        std::ranges::find(next.legal_terms(), term.name, &LegalTerm::name);
    if (found == next.legal_terms().end() || found->days < term.days) {
      return Refused(next,
                     "it keeps shorter what a law has kept: " + term.name);
    }
  }
  return absl::OkStatus();
}

std::vector<PolicyChange> ChangesBetween(const Catalogue& catalogue,
                                         const CompanyPolicy* present,
                                         const CompanyPolicy& next) {
  std::vector<PolicyChange> changes;
  CompareSettings(present, next, changes);
  Comparison purposes(ChangeKind::kPurpose, changes);
  for (const PurposeSpec& purpose : catalogue.purposes()) {
    purposes.Of(purpose.name,
                present == nullptr ? "" : WordsOf(present->For(purpose.number)),
                WordsOf(next.For(purpose.number)));
  }
  Comparison classes(ChangeKind::kClass, changes);
  const auto keeps = [](const CompanyPolicy* company, ClassNumber number) {
    return company != nullptr && company->declared_classes().test(number)
               ? "kept"
               : "";
  };
  for (const ClassSpec& spec : catalogue.classes()) {
    classes.Of(spec.name, keeps(present, spec.number),
               keeps(&next, spec.number));
  }
  Comparison(ChangeKind::kRetention, changes)
      .OfAll(TermsOf(present), TermsOf(&next));
  Comparison(ChangeKind::kConflict, changes)
      .OfAll(ConflictsOf(present), ConflictsOf(&next));
  return changes;
}

}  // namespace hizo::policy
