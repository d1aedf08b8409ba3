#include "service/app/catalogue_file.h"

#include <map>
#include <string>
#include <utility>

#include "service/app/yaml_reader.h"
#include "service/base/status_macros.h"
#include "service/policy/retention.h"

namespace hizo::app {
namespace {

using policy::CatalogueSource;
using policy::ClassSpec;
using policy::Export;
using policy::FieldSpec;
using policy::FieldType;
using policy::Mask;
using policy::PurposeSpec;
using policy::Sensitivity;
using policy::Source;

constexpr uint32_t kSizeMaxDefault = 4096;

constexpr std::pair<std::string_view, FieldType> kTypes[] = {
    {"text", FieldType::kText},       {"choice", FieldType::kChoice},
    {"email", FieldType::kEmail},     {"phone", FieldType::kPhone},
    {"handle", FieldType::kHandle},   {"reference", FieldType::kReference},
    {"date", FieldType::kDate},       {"timestamp", FieldType::kTimestamp},
    {"integer", FieldType::kInteger}, {"money", FieldType::kMoney},
    {"boolean", FieldType::kBoolean}, {"address", FieldType::kAddress},
    {"bytes", FieldType::kBytes},     {"json", FieldType::kJson},
};
constexpr std::pair<std::string_view, Sensitivity> kSensitivities[] = {
    {"technical", Sensitivity::kTechnical},
    {"personal", Sensitivity::kPersonal},
    {"contact", Sensitivity::kContact},
    {"financial", Sensitivity::kFinancial},
    {"credential", Sensitivity::kCredential},
};
constexpr std::pair<std::string_view, Mask> kMasks[] = {
    {"none", Mask::kNone},          {"ends", Mask::kEnds},
    {"email", Mask::kEmail},        {"phone", Mask::kPhone},
    {"last_four", Mask::kLastFour}, {"initials", Mask::kInitials},
    {"first_two", Mask::kFirstTwo}, {"region", Mask::kRegion},
    {"year", Mask::kYear},          {"hidden", Mask::kHidden},
};
constexpr std::pair<std::string_view, Export> kExports[] = {
    {"portable", Export::kPortable},
    {"access_only", Export::kAccessOnly},
    {"never", Export::kNever},
};
constexpr std::pair<std::string_view, Source> kSources[] = {
    {"provided", Source::kProvided},
    {"observed", Source::kObserved},
    {"derived", Source::kDerived},
};

using PurposeNumbers = std::map<std::string, policy::PurposeNumber>;

absl::Status ReadPurposes(std::span<const YamlValue> items,
                          CatalogueSource& source, PurposeNumbers& numbers) {
  for (const YamlValue& item : items) {
    PurposeSpec purpose;
    purpose.name = item.key;
    YamlMap map(item);
    map.Required("number", purpose.number)
        .Required("text", purpose.text)
        .Optional("outlives_account", purpose.outlives_account)
        .Optional("for_holds", purpose.for_holds);
    RETURN_IF_ERROR(map.Finish());
    if (purpose.number == 0 || purpose.number >= policy::kPurposesMax) {
      return item.Error("a purpose's number is 1 to 63");
    }
    numbers[purpose.name] = purpose.number;
    source.purposes.push_back(std::move(purpose));
  }
  return absl::OkStatus();
}

absl::Status ReadPurposeNames(const YamlValue& item,
                              const std::vector<std::string>& names,
                              const PurposeNumbers& numbers,
                              policy::PurposeSet& purposes) {
  for (const std::string& name : names) {
    const auto found = numbers.find(name);
    if (found == numbers.end()) {
      return item.Error("there is no purpose `" + name + "`");
    }
    purposes.set(found->second);
  }
  return absl::OkStatus();
}

absl::Status ReadField(const YamlValue& item, const PurposeNumbers& numbers,
                       FieldSpec& field) {
  std::vector<std::string> purposes;
  uint32_t size_max = kSizeMaxDefault;
  field.name = item.key;
  YamlMap map(item);
  map.Required("number", field.number)
      .RequiredName<FieldType>("type", kTypes, field.type)
      .RequiredName<Sensitivity>("sensitivity", kSensitivities,
                                 field.sensitivity)
      .RequiredName<Mask>("mask", kMasks, field.mask)
      .RequiredName<Export>("export", kExports, field.export_kind)
      .Required("purposes", purposes)
      .OptionalName<Source>("source", kSources, field.source)
      .Optional("interest_only", field.interest_only)
      .Optional("size_max", size_max)
      .Optional("required", field.required)
      .Optional("unique", field.unique)
      .Optional("searchable", field.searchable)
      .Optional("choices", field.choices);
  RETURN_IF_ERROR(map.Finish());
  field.size_max = size_max;
  return ReadPurposeNames(item, purposes, numbers, field.purposes);
}

// A day of every year, "03-31".
absl::Status ReadYearEnd(const YamlValue& item, const std::string& text,
                         policy::RetentionSpec& retention) {
  // In a leap year, so that February has 29.
  const auto day = policy::DayFromText("2000-" + text);
  if (!day.has_value()) {
    return item.Error("fiscal_year_ends is a day as MM-DD");
  }
  const std::chrono::year_month_day date(*day);
  retention.year_ends_month = static_cast<unsigned>(date.month());
  retention.year_ends_day = static_cast<unsigned>(date.day());
  return absl::OkStatus();
}

absl::Status ReadRetention(const YamlValue& item, const PurposeNumbers& numbers,
                           policy::RetentionSpec& retention) {
  std::vector<std::string> purposes;
  std::string year_end;
  uint32_t months = 0;
  uint32_t years = 0;
  uint32_t loss_years = 0;
  YamlMap map(item);
  map.Required("law", retention.law)
      .Required("dated_by", retention.dated_by)
      .Required("fiscal_year_ends", year_end)
      .Optional("begins_after_months", months)
      .Required("years", years)
      .Optional("loss_years", loss_years)
      .Optional("loss_law", retention.loss_law)
      .Required("purposes", purposes);
  RETURN_IF_ERROR(map.Finish());
  RETURN_IF_ERROR(ReadYearEnd(item, year_end, retention));
  retention.begins_after_months = months;
  retention.years = years;
  retention.loss_years = loss_years;
  return ReadPurposeNames(item, purposes, numbers, retention.purposes);
}

constexpr std::pair<std::string_view, bool> kCountedFrom[] = {
    {"event", false}, {"writing", true}};

absl::Status ReadEnd(const YamlValue& item, policy::EndSpec& ends) {
  uint32_t days = 0;
  bool with_retention = false;
  YamlMap map(item);
  map.Optional("after_days", days)
      .Optional("with_retention", with_retention)
      .OptionalName<bool>("from", kCountedFrom, ends.from_writing)
      .Optional("marked_by", ends.marked_by)
      .Optional("limited_by", ends.limited_by);
  RETURN_IF_ERROR(map.Finish());
  if ((days > 0) == with_retention) {
    return item.Error("ends either after_days, 1 or more, or with_retention");
  }
  ends.days = days;
  return absl::OkStatus();
}

absl::Status ReadClass(const YamlValue& item, const PurposeNumbers& numbers,
                       CatalogueSource& source) {
  ClassSpec record_class;
  record_class.name = item.key;
  YamlMap map(item);
  map.Required("number", record_class.number)
      .Optional("series", record_class.series)
      .Optional("internal", record_class.internal);
  const std::span<const YamlValue> fields = map.Map("fields");
  const YamlValue* retention = map.OptionalMap("retention");
  const YamlValue* ends = map.OptionalMap("ends");
  RETURN_IF_ERROR(map.Finish());
  if (ends != nullptr) {
    RETURN_IF_ERROR(ReadEnd(*ends, record_class.ends.emplace()));
  }
  if (retention != nullptr) {
    RETURN_IF_ERROR(
        ReadRetention(*retention, numbers, record_class.retention.emplace()));
  }
  for (const YamlValue& field_item : fields) {
    FieldSpec field;
    field.class_number = record_class.number;
    RETURN_IF_ERROR(ReadField(field_item, numbers, field));
    source.fields.push_back(std::move(field));
  }
  source.classes.push_back(std::move(record_class));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CatalogueSource> ReadCatalogue(
    const std::filesystem::path& file) {
  ASSIGN_OR_RETURN(const YamlFile read, ReadYamlFile(file));
  CatalogueSource source;
  source.digest = read.digest;
  YamlMap map(read.root);
  map.Required("version", source.version);
  const std::span<const YamlValue> purposes = map.Map("purposes");
  const std::span<const YamlValue> classes = map.Map("classes");
  RETURN_IF_ERROR(map.Finish());
  PurposeNumbers numbers;
  RETURN_IF_ERROR(ReadPurposes(purposes, source, numbers));
  for (const YamlValue& item : classes) {
    RETURN_IF_ERROR(ReadClass(item, numbers, source));
  }
  return source;
}

}  // namespace hizo::app
