#include "service/policy/company_policy.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "service/base/status_macros.h"

namespace hizo::policy {
namespace {

constexpr std::pair<std::string_view, Basis> kBases[] = {
    {"consent", Basis::kConsent},
    {"contract", Basis::kContract},
    {"contract_or_precontract", Basis::kContract},
    {"legitimate_interest", Basis::kLegitimateInterest},
    {"legal_obligation", Basis::kLegalObligation},
    {"vital_interests", Basis::kVitalInterests},
};

constexpr std::pair<std::string_view, Channel> kChannels[] = {
    {"web", Channel::kWeb},     {"app", Channel::kApp},
    {"email", Channel::kEmail}, {"phone", Channel::kPhone},
    {"paper", Channel::kPaper}, {"in_person", Channel::kInPerson},
    {"login", Channel::kLogin},
};

// The catalogue's names of classes that policies call otherwise.
constexpr std::pair<std::string_view, std::string_view> kClassNames[] = {
    {"consent_marketing", "consent"}, {"api_usage", "usage"},
    {"device_log_cookie", "device"},  {"social_content", "social"},
    {"product_ownership", "product"},
};

absl::Status Broken(const std::string& where, const std::string& what) {
  return absl::InvalidArgumentError(where + ": " + what);
}

// nullptr where this catalogue has no such class.
const ClassSpec* FindClass(const Catalogue& catalogue,
                           const std::string& name) {
  std::string_view wanted = name;
  for (const auto& [policy_name, own_name] : kClassNames) {
    if (name == policy_name) wanted = own_name;
  }
  return catalogue.FindClass(wanted);
}

const PolicySource::Use* UseOf(const PolicySource& source,
                               const std::string& purpose) {
  const auto found =
      std::ranges::find(source.uses, purpose, &PolicySource::Use::id);
  return found == source.uses.end() ? nullptr : &*found;
}

Basis BasisOf(const PolicySource::Purpose& purpose,
              const PolicySource::Use* use) {
  if (purpose.basis != Basis::kNone) return purpose.basis;
  return use == nullptr ? Basis::kNone : use->basis;
}

// Where a policy does not say that it is none, it may be marketing.
bool IsMarketing(const PolicySource::Purpose& purpose) {
  return purpose.marketing.value_or(true);
}

// The number that its first digits are; 0 for what is none.
uint64_t PrefixOf(std::string_view hex) {
  constexpr size_t kDigits = 16;
  uint64_t prefix = 0;
  std::from_chars(hex.data(), hex.data() + std::min(hex.size(), kDigits),
                  prefix, kDigits);
  return prefix;
}

// nullptr if it is not among them.
const PolicySource::Named* Find(const std::vector<PolicySource::Named>& list,
                                const std::string& name) {
  const auto found = std::ranges::find(list, name, &PolicySource::Named::name);
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

std::string_view NameOf(Basis basis) {
  for (const auto& [name, named] : kBases) {
    if (named == basis) return name;
  }
  return "none";
}

std::optional<Basis> BasisFromName(std::string_view name) {
  for (const auto& [known, basis] : kBases) {
    if (known == name) return basis;
  }
  return std::nullopt;
}

std::optional<Channel> ChannelFromName(std::string_view name) {
  for (const auto& [known, channel] : kChannels) {
    if (known == name) return channel;
  }
  return std::nullopt;
}

std::vector<Conflict> CompanyPolicy::ConflictsOf(const PolicySource& source,
                                                 const Catalogue& catalogue) {
  std::vector<Conflict> conflicts;
  for (const PolicySource::Purpose& purpose : source.purposes) {
    const Basis basis = BasisOf(purpose, UseOf(source, purpose.id));
    if (basis == Basis::kNone) {
      conflicts.push_back({"BASIS_UNSET:" + purpose.id,
                           "no legal basis is stated: every use is refused"});
    } else if (IsMarketing(purpose) && basis != Basis::kConsent) {
      conflicts.push_back(
          {"MARKETING_WITHOUT_CONSENT:" + purpose.id,
           "marketing on another basis: consent is required all the same"});
    }
  }
  for (const PolicySource::Class& of : source.classes) {
    const ClassSpec* spec = FindClass(catalogue, of.name);
    if (spec == nullptr || spec->retention.has_value() ||
        spec->ends.has_value() || of.retention_stated ||
        Find(source.goes_with_them, of.name) != nullptr) {
      continue;
    }
    conflicts.push_back({"RETENTION_UNSET:" + of.name,
                         "nobody says how long it is kept: it goes when the "
                         "person is erased, and not before"});
  }
  for (const std::string& mechanism : source.ended_mechanisms) {
    conflicts.push_back({"TRANSFER_MECHANISM_INVALID:" + mechanism,
                         "the policy names it, a court has ended it: it is "
                         "never taken"});
  }
  std::ranges::sort(conflicts, {}, &Conflict::id);
  for (Conflict& conflict : conflicts) {
    const PolicySource::Named* entry = Find(source.accepted, conflict.id);
    if (entry == nullptr) continue;
    conflict.accepted = true;
    conflict.by = entry->by;
    conflict.because = entry->because;
  }
  return conflicts;
}

absl::StatusOr<std::unique_ptr<const CompanyPolicy>> CompanyPolicy::Create(
    const PolicySource& source, const Catalogue& catalogue) {
  std::unique_ptr<CompanyPolicy> policy(new CompanyPolicy());
  policy->profile_id_ = source.profile_id;
  policy->version_ = source.version;
  policy->digest_ = source.digest;
  policy->digest_prefix_ = PrefixOf(source.digest);
  policy->version_where_ = source.version_where;
  policy->cancelling_withdraws_ = source.cancelling_withdraws;
  policy->AddLegalTerms(source, catalogue);
  for (const PolicySource::Named& replaced : source.replaces) {
    policy->replaces_.push_back(replaced.name);
  }
  RETURN_IF_ERROR(policy->AddNotices(source));
  RETURN_IF_ERROR(policy->AddPurposes(source, catalogue));
  RETURN_IF_ERROR(policy->AddLawful(source, catalogue));
  RETURN_IF_ERROR(policy->AddClasses(source, catalogue));
  for (const PurposeTerms& terms : policy->terms_) {
    if (terms.clause.size() > kClauseSizeMax) {
      return Broken(source.where,
                    "the clause or law of `" + terms.id + "` is too long");
    }
  }
  RETURN_IF_ERROR(policy->AddConflicts(source, catalogue));
  return policy;
}

absl::Status CompanyPolicy::AddPurposes(const PolicySource& source,
                                        const Catalogue& catalogue) {
  std::set<std::string_view> ids;
  for (const PolicySource::Purpose& purpose : source.purposes) {
    if (!ids.insert(purpose.id).second) {
      return Broken(purpose.where,
                    "purpose `" + purpose.id + "` stands here twice");
    }
    RETURN_IF_ERROR(AddUse(purpose, UseOf(source, purpose.id), catalogue));
  }
  for (const PolicySource::Use& use : source.uses) {
    if (!ids.contains(use.id)) {
      return Broken(use.where, "the policy has no purpose `" + use.id + "`");
    }
  }
  return absl::OkStatus();
}

absl::Status CompanyPolicy::AddUse(const PolicySource::Purpose& purpose,
                                   const PolicySource::Use* use,
                                   const Catalogue& catalogue) {
  const std::string& where = use == nullptr ? purpose.where : use->where;
  if (use != nullptr && use->basis != Basis::kNone &&
      purpose.basis != Basis::kNone && use->basis != purpose.basis) {
    return Broken(where, "the policy states another legal basis for `" +
                             purpose.id + "`");
  }
  std::vector<std::string> serves;
  if (use != nullptr) serves = use->serves;
  // A purpose of the same name is the same, unless the operator says which.
  if (serves.empty() && catalogue.FindPurpose(purpose.id) != nullptr) {
    serves.push_back(purpose.id);
  }
  for (const std::string& name : serves) {
    const PurposeSpec* spec = catalogue.FindPurpose(name);
    if (spec == nullptr) {
      return Broken(where, "the catalogue has no purpose `" + name + "`");
    }
    PurposeTerms& terms = terms_[spec->number];
    if (terms.in_policy) {
      return Broken(where, "purpose `" + name + "` is already served by `" +
                               terms.id + "`");
    }
    terms.in_policy = true;
    terms.id = purpose.id;
    terms.clause = purpose.clause;
    terms.anonymised_only = purpose.anonymised_only;
    terms.marketing = IsMarketing(purpose);
    terms.basis = BasisOf(purpose, use);
    terms.needs_consent = terms.basis == Basis::kConsent || terms.marketing ||
                          purpose.express_request;
    if (use == nullptr) continue;
    if (use->consent_from > 0 &&
        (!terms.needs_consent || use->consent_from > version_)) {
      return Broken(where, "consents to `" + purpose.id +
                               "` cannot count from version " +
                               std::to_string(use->consent_from) + " on");
    }
    if (use->acceptance_from > version_) {
      return Broken(where, "nobody can have accepted version " +
                               std::to_string(use->acceptance_from));
    }
    terms.consent_from = use->consent_from;
    terms.acceptance_from = use->acceptance_from;
  }
  return absl::OkStatus();
}

absl::Status CompanyPolicy::AddLawful(const PolicySource& source,
                                      const Catalogue& catalogue) {
  const auto add = [this](const PurposeSpec& spec, const std::string& law) {
    PurposeTerms& terms = terms_[spec.number];
    terms = PurposeTerms();
    terms.in_policy = true;
    terms.lawful = true;
    terms.basis = Basis::kLegalObligation;
    terms.id = spec.name;
    terms.clause = law;
  };
  for (const PolicySource::Lawful& lawful : source.required_by_law) {
    const PurposeSpec* spec = catalogue.FindPurpose(lawful.purpose);
    if (spec == nullptr) {
      return Broken(lawful.where,
                    "the catalogue has no purpose `" + lawful.purpose + "`");
    }
    // What the policy says of it stays: the operator's word widens nothing.
    if (terms_[spec->number].in_policy) {
      return Broken(lawful.where, "purpose `" + lawful.purpose +
                                      "` is the policy's, as `" +
                                      terms_[spec->number].id + "`");
    }
    add(*spec, lawful.law);
  }
  // Those of the statutes are fixed, and come before what a policy says.
  for (const std::string& name : source.always_allowed) {
    const PurposeSpec* spec = catalogue.FindPurpose(name);
    if (spec != nullptr) add(*spec, "statutory overlay");
  }
  return absl::OkStatus();
}

absl::Status CompanyPolicy::AddNotices(const PolicySource& source) {
  for (const PolicySource::Named& notice : source.notices) {
    const std::optional<Channel> channel = ChannelFromName(notice.name);
    if (!channel.has_value()) {
      return Broken(notice.where, "there is no channel `" + notice.name + "`");
    }
    notices_.set(static_cast<size_t>(*channel));
  }
  return absl::OkStatus();
}

void CompanyPolicy::AddLegalTerms(const PolicySource& source,
                                  const Catalogue& catalogue) {
  constexpr std::string_view kOfClass = "retention.";
  for (const LegalTerm& term : source.legal_terms) {
    if (term.name.starts_with(kOfClass)) {
      const std::string name = term.name.substr(kOfClass.size());
      const ClassSpec* spec =
          FindClass(catalogue, name.substr(0, name.find('.')));
      // Where no law has it kept, a company may promise less.
      if (spec == nullptr || !spec->retention.has_value()) continue;
    }
    legal_terms_.push_back(term);
  }
}

bool CompanyPolicy::Replaces(std::string_view profile_id) const {
  return std::ranges::find(replaces_, profile_id) != replaces_.end();
}

absl::Status CompanyPolicy::AddClasses(const PolicySource& source,
                                       const Catalogue& catalogue) {
  ClassSet declared;
  for (const PolicySource::Class& of : source.classes) {
    const ClassSpec* spec = FindClass(catalogue, of.name);
    if (spec != nullptr) declared.set(spec->number);
  }
  for (const auto* list : {&source.more_classes, &source.goes_with_them}) {
    for (const PolicySource::Named& named : *list) {
      const ClassSpec* spec = FindClass(catalogue, named.name);
      if (spec == nullptr) {
        return Broken(named.where,
                      "the catalogue has no class `" + named.name + "`");
      }
      if (list == &source.more_classes) declared.set(spec->number);
    }
  }
  for (const FieldSpec& field : catalogue.fields()) {
    undeclared_fields_.set(field.index, !declared.test(field.class_number));
  }
  declared_classes_ = declared;
  return absl::OkStatus();
}

absl::Status CompanyPolicy::AddConflicts(const PolicySource& source,
                                         const Catalogue& catalogue) {
  conflicts_ = ConflictsOf(source, catalogue);
  for (const Conflict& conflict : conflicts_) {
    if (!conflict.accepted) {
      return Broken(source.where, "nobody has accepted " + conflict.id + " (" +
                                      conflict.text + ")");
    }
  }
  for (const PolicySource::Named& accepted : source.accepted) {
    if (std::ranges::find(conflicts_, accepted.name, &Conflict::id) ==
        conflicts_.end()) {
      return Broken(accepted.where,
                    "there is no conflict " + accepted.name + " to accept");
    }
  }
  return absl::OkStatus();
}

}  // namespace hizo::policy
