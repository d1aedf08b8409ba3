// Catalogue: which classes and fields exist, and what may be done with them.
//
// Made once from a description that was read from a file, checked, then never
// changed: everything is looked up by number or by dense index without
// allocation. Threads: const methods may be called concurrently. Lifetime:
// pointers to specs live as long as the catalogue.
#ifndef HIZO_SERVICE_POLICY_CATALOGUE_H_
#define HIZO_SERVICE_POLICY_CATALOGUE_H_

#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace hizo::policy {

// Class numbers are written down in crypto/FORMAT.md. Stored; never renumber.
using ClassNumber = uint16_t;
inline constexpr ClassNumber kClassCredential = 5;
inline constexpr ClassNumber kClassFacts = 32;

using FieldNumber = uint16_t;
using PurposeNumber = uint16_t;

inline constexpr size_t kFieldsMax = 256;   // in a catalogue
inline constexpr size_t kClassesMax = 64;   // numbers 1 to 63
inline constexpr size_t kPurposesMax = 64;  // numbers 1 to 63
inline constexpr size_t kFieldSizeMax = 64 * 1024;
inline constexpr unsigned kEndDaysMax = 36'500;
using FieldSet = std::bitset<kFieldsMax>;      // by FieldSpec::index
using PurposeSet = std::bitset<kPurposesMax>;  // by number
using ClassSet = std::bitset<kClassesMax>;     // by number

enum class FieldType : uint8_t {
  kText,
  kChoice,
  kEmail,
  kPhone,
  kHandle,
  kReference,
  kDate,
  kTimestamp,
  kInteger,
  kMoney,
  kBoolean,
  kAddress,
  kBytes,
  kJson,
};
enum class Sensitivity : uint8_t {
  kTechnical = 1,
  kPersonal = 2,
  kContact = 3,
  kFinancial = 4,
  kCredential = 5,
};
// How a field is shown to those who may not see it plainly.
enum class Mask : uint8_t {
  kNone,      // as it is
  kEnds,      // first and last character: j***e
  kEmail,     // j***@e***.com
  kPhone,     // +81*****1234
  kLastFour,  // *** 4242
  kInitials,  // J. D***
  kFirstTwo,  // Ac***
  kRegion,    // country and region of an address
  kYear,      // year of a date
  kHidden,    // ***
};
enum class Export : uint8_t { kPortable, kAccessOnly, kNever };
// Where a value came from: from the person, from how the person used the
// service, or worked out by the company from such. Stored with each value;
// never renumber.
enum class Source : uint8_t { kProvided = 1, kObserved = 2, kDerived = 3 };
std::string_view NameOf(Source source);

struct FieldSpec {
  FieldNumber number = 0;  // 1 and up, unique; stored; never renumber
  ClassNumber class_number = 0;
  size_t index = 0;       // dense, by which FieldSet counts
  std::string name;       // "full_name"
  std::string full_name;  // "profile.full_name"
  FieldType type = FieldType::kText;
  Sensitivity sensitivity = Sensitivity::kPersonal;
  Mask mask = Mask::kHidden;
  Export export_kind = Export::kNever;
  Source source = Source::kProvided;  // of what is written by name
  // Held for nothing but a legitimate interest (GDPR 6(1)(f)), and so never
  // portable (GDPR 20(1)(a)).
  bool interest_only = false;
  PurposeSet purposes;      // what it may be used for
  bool required = false;    // a record must have it
  bool unique = false;      // at most one person of a tenant has this value
  bool searchable = false;  // has a blind index; number is its kind
  size_t size_max = 0;      // bytes of text, bytes or JSON
  std::vector<std::string> choices;  // for kChoice
};
// What a law has kept of a class after its person was erased (retention.h).
struct RetentionSpec {
  std::string law;               // which one, on one line, for people
  unsigned year_ends_month = 0;  // the last day of a fiscal year: 1 to 12
  unsigned year_ends_day = 0;    // 1 to 31; the month's last if it has fewer
  unsigned begins_after_months = 0;  // after a year's end, its term begins
  unsigned years = 0;                // how long the term is
  // How long that of a year is that was marked as one of a loss, and which law
  // says so; 0: none can be.
  unsigned loss_years = 0;
  std::string loss_law;
  std::string dated_by;  // the required date field that tells a record's year
  PurposeSet purposes;   // what alone the kept may be used for
};
// When an entry of a series ends, whoever it is of (retention.h).
struct EndSpec {
  // So many days after the day of the entry; 0: with the term of the class's
  // retention.
  unsigned days = 0;
  // The day on which it was first written, and not that of its event.
  bool from_writing = false;
  // A boolean field: where it is true, the entry stays. Empty: there is none.
  std::string marked_by;
  // An integer field: the entry ends after so many days at the latest, whether
  // or not it is marked. Empty: there is none.
  std::string limited_by;
};
struct ClassSpec {
  ClassNumber number = 0;
  std::string name;
  bool series = false;    // many records with an event time, or just one
  bool internal = false;  // no call reads or writes its fields by name
  std::optional<RetentionSpec> retention;  // nullopt: goes with the person
  std::optional<EndSpec> ends;             // nullopt: no entry ends by itself
  std::vector<const FieldSpec*> fields;    // in the order of their numbers
};
struct PurposeSpec {
  PurposeNumber number = 0;  // 1 to 63; stored; never renumber
  std::string name;
  std::string text;  // one sentence for people
  // Whether it goes on after the person's account was cancelled.
  bool outlives_account = false;
  // Whether what a legal hold has kept of the erased may be used for it.
  bool for_holds = false;
};

// What a catalogue is made from.
struct CatalogueSource {
  uint32_t version = 0;
  std::string digest;  // SHA-256 in hex of the file that it was read from
  std::vector<PurposeSpec> purposes;
  std::vector<ClassSpec> classes;  // `fields` empty
  std::vector<FieldSpec> fields;   // `index`, `full_name` unset
};

class Catalogue {
 public:
  // kInvalidArgument, saying which rule is broken, for doubled or zero numbers,
  // doubled names or names that are not lower-case letters, digits and
  // underscores, a field of no class, an index on a type that has no normal
  // form, a unique field that cannot be searched, a portable one that is
  // derived or of interest only, a class without fields, a
  // choice without choices, numbers and sizes out of bounds, no purposes for a
  // field or unknown ones, a retention without an end, a law or a purpose, or
  // whose records cannot be dated, and an end of what is no series, in no time
  // or by fields that do not tell it.
  // The source is written by an operator: its names may stand in the text.
  static absl::StatusOr<std::unique_ptr<const Catalogue>> Create(
      CatalogueSource source);

  Catalogue(const Catalogue&) = delete;
  Catalogue& operator=(const Catalogue&) = delete;

  uint32_t version() const { return source_.version; }
  const std::string& digest() const { return source_.digest; }
  // Each returns nullptr for what is not there.
  const ClassSpec* FindClass(std::string_view name) const;
  const ClassSpec* ClassByNumber(ClassNumber number) const;
  const FieldSpec* FindField(const ClassSpec& of, std::string_view name) const;
  const FieldSpec* FindField(std::string_view full_name) const;
  const FieldSpec* FieldByNumber(FieldNumber number) const;
  const PurposeSpec* FindPurpose(std::string_view name) const;
  const PurposeSpec* PurposeByNumber(PurposeNumber number) const;

  // Fields that no call reads or writes by name.
  const FieldSet& internal_fields() const { return internal_fields_; }
  // Fields that may be used for `purpose`; none for one that is not there.
  FieldSet FieldsFor(PurposeNumber purpose) const;

  // Each in the order of their numbers.
  const std::vector<FieldSpec>& fields() const { return source_.fields; }
  const std::vector<ClassSpec>& classes() const { return source_.classes; }
  const std::vector<PurposeSpec>& purposes() const { return source_.purposes; }

 private:
  explicit Catalogue(CatalogueSource source);
  // Makes everything below `source_`, which has been checked.
  void Index();
  CatalogueSource source_;
  std::map<std::string, size_t, std::less<>> class_by_name_;
  std::map<std::string, size_t, std::less<>> purpose_by_name_;
  FieldSet internal_fields_;
  std::vector<FieldSet> fields_by_purpose_;  // by number
};

}  // namespace hizo::policy

#endif  // HIZO_SERVICE_POLICY_CATALOGUE_H_
