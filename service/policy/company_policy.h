// CompanyPolicy: what a company has promised, compiled for one catalogue.
//
// Made once of three files: the company's profile, which says what its policy
// says and nothing else; the statutory overlay, which says what a law allows
// whatever the policy says; and the operator's overlay, which names the legal
// basis where the policy is silent, which of the vault's purposes each of the
// policy's purposes is, and which conflicts were accepted. What none of them
// says is not allowed: silence never widens.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_POLICY_COMPANY_POLICY_H_
#define HIZO_SERVICE_POLICY_COMPANY_POLICY_H_

#include <array>
#include <bitset>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/policy/catalogue.h"

namespace hizo::policy {

// Of a clause, or a law that stands for one: it goes into audit entries.
inline constexpr size_t kClauseSizeMax = 256;

// What makes a use lawful.
enum class Basis : uint8_t {
  kNone,  // nobody has said: such a use is refused
  kConsent,
  kContract,
  kLegitimateInterest,
  kLegalObligation,
  kVitalInterests,
};

std::string_view NameOf(Basis basis);
// "contract_or_precontract" is kContract; nullopt for what is no basis.
std::optional<Basis> BasisFromName(std::string_view name);

// How people say things, and are told them. The numbers are those of hizo.v1
// and are stored; never renumber.
enum class Channel : uint8_t {
  kWeb = 1,
  kApp = 2,
  kEmail = 3,
  kPhone = 4,
  kPaper = 5,
  kInPerson = 6,
  kLogin = 7,
};
using ChannelSet = std::bitset<8>;  // by number
// "in_person"; nullopt for what is no channel.
std::optional<Channel> ChannelFromName(std::string_view name);

// How long a law has something kept, by the path of what says so:
// "modules.jp_tax.invoice_copy". Months and days are reckoned in days, which is
// good enough to tell which of two is shorter.
struct LegalTerm {
  std::string name;
  uint32_t days = 0;
  bool operator==(const LegalTerm&) const = default;
};

// What the three files say, as they were read. `where` is "file:line".
struct PolicySource {
  struct Purpose {  // of the profile
    std::string id;
    std::string clause;
    std::string where;
    // nullopt, where the policy does not say, is taken for true.
    std::optional<bool> marketing;
    bool anonymised_only = false;
    bool express_request = false;  // only of who asked for it
    Basis basis = Basis::kNone;
  };
  struct Class {  // of the profile, where it says anything
    std::string name;
    std::string clause;
    bool retention_stated = false;
  };
  // The rest is the operator's, and what the law alone allows.
  struct Use {
    std::string id;  // of the profile's purpose
    std::string where;
    std::vector<std::string> serves;  // names of the catalogue's purposes
    Basis basis = Basis::kNone;
    // The version from which on consents count; 0: not said, all do.
    uint32_t consent_from = 0;
    // The version that people must have accepted; 0: not said, none.
    uint32_t acceptance_from = 0;
  };
  struct Lawful {
    std::string purpose;  // name of the catalogue's
    std::string law;
    std::string where;
  };
  struct Named {
    std::string name;
    std::string where;
    std::string by = {};
    std::string because = {};
  };

  std::string profile_id;
  std::string where;  // the operator's overlay
  std::string version_where = {};
  uint32_t version = 0;  // of the operator's overlay
  std::string digest;    // SHA-256 in hex over those of the files
  bool cancelling_withdraws = false;
  std::vector<Purpose> purposes;
  std::vector<Class> classes;
  // Transfer mechanisms that the profile names and a law has ended.
  std::vector<std::string> ended_mechanisms;
  std::vector<std::string> always_allowed;
  std::vector<Use> uses;
  std::vector<Lawful> required_by_law;
  std::vector<Named> more_classes;    // kept though the profile is silent
  std::vector<Named> goes_with_them;  // classes kept as long as the account
  std::vector<Named> accepted;        // ids of conflicts
  std::vector<Named> replaces = {};   // ids of profiles that may be followed
  // How people are told of a version before they can accept it.
  std::vector<Named> notices = {};
  std::vector<LegalTerm> legal_terms = {};  // by name
};

// The files themselves, and what reads them: as errors call them, `profile`,
// `statutory` and `operator`.
struct PolicyTexts {
  std::string profile;
  std::string statutory;
  std::string overlay;
};
inline constexpr size_t kPolicyTextSizeMax = 256 * 1024;  // of each
using PolicyParser =
    std::function<absl::StatusOr<PolicySource>(const PolicyTexts&)>;

// What holds for one of the catalogue's purposes.
struct PurposeTerms {
  bool in_policy = false;
  bool lawful = false;  // a law allows it whatever the person says
  bool anonymised_only = false;
  bool marketing = false;
  bool needs_consent = false;
  // Consents that were given under earlier versions do not count.
  uint32_t consent_from = 0;
  // Who has not accepted this version, or a later one, is left out.
  uint32_t acceptance_from = 0;
  Basis basis = Basis::kNone;
  std::string id;      // the policy's purpose; the same if a law allows it
  std::string clause;  // of the policy, or the law
  bool operator==(const PurposeTerms&) const = default;
};

// Conflict is what a file leaves open or contradicts, and how it was resolved.
struct Conflict {
  std::string id;    // "RETENTION_UNSET:profile"
  std::string text;  // for people
  // Whether the overlay accepts it, who did and why.
  bool accepted = false;
  std::string by = {};
  std::string because = {};
};

class CompanyPolicy {
 public:
  // What `source` leaves open, in the order of their ids.
  static std::vector<Conflict> ConflictsOf(const PolicySource& source,
                                           const Catalogue& catalogue);

  // kInvalidArgument with file and line for a purpose that the profile or the
  // catalogue lacks, one of the catalogue's that two serve, a basis other than
  // the profile's, consents that count from a version that is yet to come or
  // for what needs none, an acceptance of a version that is yet to come,
  // notices by no channel, a class that is not there, and a conflict that
  // nobody accepted or that there is none of; for a clause over kClauseSizeMax.
  static absl::StatusOr<std::unique_ptr<const CompanyPolicy>> Create(
      const PolicySource& source, const Catalogue& catalogue);

  CompanyPolicy(const CompanyPolicy&) = delete;
  CompanyPolicy& operator=(const CompanyPolicy&) = delete;

  const std::string& profile_id() const { return profile_id_; }
  uint32_t version() const { return version_; }
  const std::string& digest() const { return digest_; }
  // The first 16 digits of the digest, as audit entries have them.
  uint64_t digest_prefix() const { return digest_prefix_; }
  bool cancelling_withdraws() const { return cancelling_withdraws_; }
  // All of them accepted.
  const std::vector<Conflict>& conflicts() const { return conflicts_; }
  const ChannelSet& notices() const { return notices_; }
  const ClassSet& declared_classes() const { return declared_classes_; }
  const std::vector<LegalTerm>& legal_terms() const { return legal_terms_; }
  // Where its version stands, and whether it says that it takes the place of a
  // policy of that profile.
  const std::string& version_where() const { return version_where_; }
  bool Replaces(std::string_view profile_id) const;
  // Of classes that this company keeps nothing in.
  const FieldSet& undeclared_fields() const { return undeclared_fields_; }
  // Terms of what is not in the policy for a number that is none.
  const PurposeTerms& For(PurposeNumber purpose) const {
    return terms_[purpose < kPurposesMax ? purpose : 0];
  }

 private:
  CompanyPolicy() = default;
  absl::Status AddPurposes(const PolicySource& source,
                           const Catalogue& catalogue);
  absl::Status AddUse(const PolicySource::Purpose& purpose,
                      const PolicySource::Use* use, const Catalogue& catalogue);
  absl::Status AddLawful(const PolicySource& source,
                         const Catalogue& catalogue);
  absl::Status AddClasses(const PolicySource& source,
                          const Catalogue& catalogue);
  void AddLegalTerms(const PolicySource& source, const Catalogue& catalogue);
  absl::Status AddNotices(const PolicySource& source);
  absl::Status AddConflicts(const PolicySource& source,
                            const Catalogue& catalogue);

  std::string profile_id_;
  uint32_t version_ = 0;
  std::string digest_;
  uint64_t digest_prefix_ = 0;
  std::string version_where_;
  bool cancelling_withdraws_ = false;
  ChannelSet notices_;
  ClassSet declared_classes_;
  std::vector<LegalTerm> legal_terms_;
  std::vector<std::string> replaces_;
  FieldSet undeclared_fields_;
  std::array<PurposeTerms, kPurposesMax> terms_;
  std::vector<Conflict> conflicts_;
};

}  // namespace hizo::policy

#endif  // HIZO_SERVICE_POLICY_COMPANY_POLICY_H_
