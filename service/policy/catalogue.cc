#include "service/policy/catalogue.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/base/status_macros.h"

namespace hizo::policy {
namespace {

constexpr size_t kNameSizeMax = 64;
constexpr size_t kLawSizeMax = 200;
constexpr unsigned kRetentionYearsMax = 100;
constexpr unsigned kMonthsOfAYear = 12;
// The number above those of fields is that of a record's event time
// (service/vault/FORMAT.md).
constexpr size_t kFieldNumberEnd = 0xFFFF;

absl::Status Broken(const std::string& what, const std::string& rule) {
  return absl::InvalidArgumentError(absl::StrCat(what, " ", rule));
}

// Names are parts of "class.field" and stand beside "*" in grants.
bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kNameSizeMax &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
             std::string_view::npos;
}

bool HasNormalForm(FieldType type) {
  return type == FieldType::kEmail || type == FieldType::kPhone ||
         type == FieldType::kHandle || type == FieldType::kReference;
}

bool HasSize(FieldType type) {
  return type == FieldType::kText || type == FieldType::kBytes ||
         type == FieldType::kJson;
}

// What purposes, classes and fields have in common. `specs` are sorted.
template <typename Spec>
absl::Status CheckNumbers(const std::vector<Spec>& specs,
                          const std::string& kind, size_t number_end) {
  size_t previous = 0;
  for (const Spec& spec : specs) {
    const std::string what = absl::StrCat(kind, " `", spec.name, "`");
    if (!IsName(spec.name)) return Broken(what, "is not a name");
    if (spec.number == 0) return Broken(what, "has no number");
    if (spec.number >= number_end) return Broken(what, "has too big a number");
    if (spec.number == previous) {
      return Broken(what, "has another one's number");
    }
    previous = spec.number;
  }
  return absl::OkStatus();
}

template <typename Spec>
absl::Status CheckNames(const std::vector<Spec>& specs,
                        const std::string& kind) {
  std::set<std::string> names;
  for (const Spec& spec : specs) {
    if (names.insert(spec.name).second) continue;
    return Broken(absl::StrCat(kind, " `", spec.name, "`"), "is there twice");
  }
  return absl::OkStatus();
}

// What is told in receipts, as one line among others.
bool IsOneLine(std::string_view text) {
  return !text.empty() && text.size() <= kLawSizeMax &&
         std::ranges::none_of(text, [](char c) {
           return static_cast<unsigned char>(c) < ' ' || c == 0x7F;
         });
}

absl::Status CheckRetention(const ClassSpec& spec,
                            const std::vector<FieldSpec>& fields,
                            const PurposeSet& purposes) {
  const RetentionSpec& retention = *spec.retention;
  const std::string what =
      absl::StrCat("the retention of class `", spec.name, "`");
  if (!IsOneLine(retention.law)) return Broken(what, "names no law");
  if (retention.years == 0 || retention.years > kRetentionYearsMax ||
      retention.begins_after_months > kMonthsOfAYear) {
    return Broken(what, "is not of 1 to 100 years, from at most 12 months on");
  }
  const bool loss = retention.loss_years != 0;
  if (loss && (retention.loss_years < retention.years ||
               retention.loss_years > kRetentionYearsMax)) {
    return Broken(what, "has years of a loss that are kept shorter");
  }
  if (loss != IsOneLine(retention.loss_law)) {
    return Broken(what, "names no law for years of a loss");
  }
  if (retention.year_ends_month == 0 ||
      retention.year_ends_month > kMonthsOfAYear ||
      retention.year_ends_day == 0 || retention.year_ends_day > 31) {
    return Broken(what, "has a fiscal year without an end");
  }
  if (retention.purposes.none()) return Broken(what, "has no purpose");
  if ((retention.purposes & ~purposes).any()) {
    return Broken(what, "has a purpose that does not exist");
  }
  const auto dated =
      std::ranges::find(fields, retention.dated_by, &FieldSpec::name);
  if (dated == fields.end() || dated->type != FieldType::kDate ||
      !dated->required) {
    return Broken(what, "is not dated by a date that records must have");
  }
  if (spec.internal) return Broken(what, "is of a class that is internal");
  return absl::OkStatus();
}

bool Has(const std::vector<FieldSpec>& fields, const std::string& name,
         FieldType type) {
  const auto found = std::ranges::find(fields, name, &FieldSpec::name);
  return found != fields.end() && found->type == type;
}

absl::Status CheckEnd(const ClassSpec& spec,
                      const std::vector<FieldSpec>& fields) {
  const EndSpec& ends = *spec.ends;
  const std::string what = absl::StrCat("the end of class `", spec.name, "`");
  if (!spec.series || spec.internal) {
    return Broken(what, "is of a class that is no series");
  }
  if (ends.days > kEndDaysMax) return Broken(what, "is over 36,500 days away");
  if (ends.days == 0 && !spec.retention.has_value()) {
    return Broken(what, "is neither after days nor that of a retention");
  }
  if (ends.days == 0 && (ends.from_writing || !ends.marked_by.empty() ||
                         !ends.limited_by.empty())) {
    return Broken(what, "is that of a retention and no other");
  }
  // A law's term would end records before it was over.
  if (ends.days != 0 && spec.retention.has_value()) {
    return Broken(what, "is after days, though a law has the class kept");
  }
  if (!ends.marked_by.empty() &&
      !Has(fields, ends.marked_by, FieldType::kBoolean)) {
    return Broken(what, "is marked by a field that is no boolean");
  }
  if (!ends.limited_by.empty() &&
      !Has(fields, ends.limited_by, FieldType::kInteger)) {
    return Broken(what, "is limited by a field that is no integer");
  }
  return absl::OkStatus();
}

PurposeSet PurposesOf(const CatalogueSource& source) {
  PurposeSet purposes;
  for (const PurposeSpec& purpose : source.purposes) {
    purposes.set(purpose.number);
  }
  return purposes;
}

absl::Status CheckClasses(const CatalogueSource& source) {
  for (const ClassSpec& spec : source.classes) {
    const std::string what = absl::StrCat("class `", spec.name, "`");
    if (spec.number == kClassFacts) {
      return Broken(what, "has the number of the facts");
    }
    std::vector<FieldSpec> fields;
    std::ranges::copy_if(source.fields, std::back_inserter(fields),
                         [&spec](const FieldSpec& field) {
                           return field.class_number == spec.number;
                         });
    if (fields.empty()) return Broken(what, "has no fields");
    // One row of the index stands for a person and value, however many of a
    // series' records have it: with the first of them it would go.
    if (spec.series && std::ranges::any_of(fields, &FieldSpec::searchable)) {
      return Broken(what, "is a series and has a field that is searchable");
    }
    RETURN_IF_ERROR(CheckNames(fields, "field"));
    if (spec.retention.has_value()) {
      RETURN_IF_ERROR(CheckRetention(spec, fields, PurposesOf(source)));
    }
    if (spec.ends.has_value()) RETURN_IF_ERROR(CheckEnd(spec, fields));
  }
  return absl::OkStatus();
}

absl::Status CheckField(const FieldSpec& field,
                        const std::set<ClassNumber>& classes,
                        const PurposeSet& purposes) {
  const std::string what = absl::StrCat("field `", field.name, "`");
  if (!classes.contains(field.class_number)) {
    return Broken(what, "is of no class");
  }
  if (field.purposes.none()) return Broken(what, "has no purpose");
  if ((field.purposes & ~purposes).any()) {
    return Broken(what, "has a purpose that does not exist");
  }
  if (field.searchable && !HasNormalForm(field.type)) {
    return Broken(what, "is of a type that cannot be searched");
  }
  if (field.unique && !field.searchable) {
    return Broken(what, "is unique but not searchable");
  }
  if ((field.type == FieldType::kChoice) == field.choices.empty()) {
    return Broken(what, "must have choices if, and only if, it is a choice");
  }
  // GDPR 20(1): what the person provided, on consent or contract.
  if (field.export_kind == Export::kPortable &&
      (field.source == Source::kDerived || field.interest_only)) {
    return Broken(what, "is portable, though derived or of interest only");
  }
  if (HasSize(field.type) && field.size_max == 0) {
    return Broken(what, "has no room for a value");
  }
  if (field.size_max > kFieldSizeMax) return Broken(what, "is too big");
  return absl::OkStatus();
}

absl::Status CheckFields(const CatalogueSource& source) {
  if (source.fields.size() > kFieldsMax) {
    return absl::InvalidArgumentError("there are more than 256 fields");
  }
  RETURN_IF_ERROR(CheckNumbers(source.fields, "field", kFieldNumberEnd));
  std::set<ClassNumber> classes;
  for (const ClassSpec& spec : source.classes) classes.insert(spec.number);
  const PurposeSet purposes = PurposesOf(source);
  for (const FieldSpec& field : source.fields) {
    RETURN_IF_ERROR(CheckField(field, classes, purposes));
  }
  return absl::OkStatus();
}

absl::Status Check(const CatalogueSource& source) {
  RETURN_IF_ERROR(CheckNumbers(source.purposes, "purpose", kPurposesMax));
  RETURN_IF_ERROR(CheckNames(source.purposes, "purpose"));
  RETURN_IF_ERROR(CheckNumbers(source.classes, "class", kClassesMax));
  RETURN_IF_ERROR(CheckNames(source.classes, "class"));
  RETURN_IF_ERROR(CheckFields(source));
  return CheckClasses(source);
}

template <typename Spec>
const Spec* FindByNumber(const std::vector<Spec>& specs,
                         decltype(Spec::number) number) {
  const auto found = std::ranges::lower_bound(specs, number, {}, &Spec::number);
  if (found == specs.end() || found->number != number) return nullptr;
  return &*found;
}

template <typename Spec>
const Spec* FindByName(const std::vector<Spec>& specs,
                       const std::map<std::string, size_t, std::less<>>& index,
                       std::string_view name) {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : &specs[found->second];
}

}  // namespace

std::string_view NameOf(Source source) {
  switch (source) {
    case Source::kProvided:
      return "provided";
    case Source::kObserved:
      return "observed";
    case Source::kDerived:
      break;
  }
  return "derived";
}

absl::StatusOr<std::unique_ptr<const Catalogue>> Catalogue::Create(
    CatalogueSource source) {
  std::ranges::sort(source.purposes, {}, &PurposeSpec::number);
  std::ranges::sort(source.classes, {}, &ClassSpec::number);
  std::ranges::sort(source.fields, {}, &FieldSpec::number);
  RETURN_IF_ERROR(Check(source));
  return std::unique_ptr<const Catalogue>(new Catalogue(std::move(source)));
}

Catalogue::Catalogue(CatalogueSource source)
    : source_(std::move(source)), fields_by_purpose_(kPurposesMax) {
  Index();
}

void Catalogue::Index() {
  for (size_t i = 0; i < source_.purposes.size(); ++i) {
    purpose_by_name_[source_.purposes[i].name] = i;
  }
  for (size_t i = 0; i < source_.classes.size(); ++i) {
    class_by_name_[source_.classes[i].name] = i;
    source_.classes[i].fields.clear();
  }
  for (size_t i = 0; i < source_.fields.size(); ++i) {
    FieldSpec& field = source_.fields[i];
    ClassSpec& of = *std::ranges::find(source_.classes, field.class_number,
                                       &ClassSpec::number);
    field.index = i;
    field.full_name = absl::StrCat(of.name, ".", field.name);
    of.fields.push_back(&field);
    internal_fields_.set(i, of.internal);
    for (size_t purpose = 0; purpose < kPurposesMax; ++purpose) {
      fields_by_purpose_[purpose].set(i, field.purposes.test(purpose));
    }
  }
}

const ClassSpec* Catalogue::FindClass(std::string_view name) const {
  return FindByName(source_.classes, class_by_name_, name);
}

const ClassSpec* Catalogue::ClassByNumber(ClassNumber number) const {
  return FindByNumber(source_.classes, number);
}

// Asked of the catalogue that `of` belongs to, whether or not it looks there.
// NOLINTNEXTLINE(readability-convert-member-functions-to-static)
const FieldSpec* Catalogue::FindField(const ClassSpec& of,
                                      std::string_view name) const {
  // A class has a dozen fields: comparing names is quicker than hashing one.
  for (const FieldSpec* field : of.fields) {
    if (field->name == name) return field;
  }
  return nullptr;
}

const FieldSpec* Catalogue::FindField(std::string_view full_name) const {
  const size_t dot = full_name.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const ClassSpec* of = FindClass(full_name.substr(0, dot));
  return of == nullptr ? nullptr : FindField(*of, full_name.substr(dot + 1));
}

const FieldSpec* Catalogue::FieldByNumber(FieldNumber number) const {
  return FindByNumber(source_.fields, number);
}

const PurposeSpec* Catalogue::FindPurpose(std::string_view name) const {
  return FindByName(source_.purposes, purpose_by_name_, name);
}

const PurposeSpec* Catalogue::PurposeByNumber(PurposeNumber number) const {
  return FindByNumber(source_.purposes, number);
}

FieldSet Catalogue::FieldsFor(PurposeNumber purpose) const {
  if (purpose >= fields_by_purpose_.size()) return {};
  return fields_by_purpose_[purpose];
}

}  // namespace hizo::policy
