#include "service/app/legal_terms.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace hizo::app {
namespace {

using policy::LegalTerm;

// What the statutory overlay has kept, by path.
constexpr std::string_view kStatutoryTerms[] = {
    "modules.appi.third_party_records.batch",
    "modules.appi.third_party_records.contract_substitute",
    "modules.appi.third_party_records.single",
    "modules.cpra.request_records.duration",
    "modules.jp_email_marketing.consent_record."
    "specified_commercial_transactions_act",
    "modules.jp_email_marketing.consent_record.specified_email_act",
    "modules.jp_tax.account_books_companies_act",
    "modules.jp_tax.invoice_copy.duration",
    "modules.jp_tax.loss_year",
};

// nullptr if there is nothing at the path.
const YamlValue* At(const YamlValue& root, std::string_view path) {
  const YamlValue* value = &root;
  while (!path.empty()) {
    const size_t dot = std::min(path.find('.'), path.size());
    const std::string_view key = path.substr(0, dot);
    path.remove_prefix(std::min(dot + 1, path.size()));
    const auto found = std::ranges::find(value->items, key, &YamlValue::key);
    if (found == value->items.end()) return nullptr;
    value = &*found;
  }
  return value;
}

void Add(const std::string& name, const YamlValue* value,
         std::vector<LegalTerm>& terms) {
  if (value == nullptr) return;
  const std::optional<uint32_t> days = DaysOf(value->text);
  if (days.has_value()) terms.push_back({name, *days});
}

}  // namespace

std::optional<uint32_t> DaysOf(std::string_view duration) {
  constexpr uint64_t kDaysPerYear = 365;
  constexpr uint64_t kMonthsPerYear = 12;
  constexpr uint64_t kHoursPerDay = 24;
  constexpr size_t kDigitsMax = 6;
  duration = duration.substr(0, duration.find('_'));
  const bool hours = duration.starts_with("PT");
  if (!duration.starts_with('P')) return std::nullopt;
  duration.remove_prefix(hours ? 2 : 1);
  if (duration.size() < 2 || duration.size() > kDigitsMax + 1) {
    return std::nullopt;
  }
  const char unit = duration.back();
  duration.remove_suffix(1);
  uint64_t count = 0;
  const char* const end = duration.data() + duration.size();
  if (std::from_chars(duration.data(), end, count).ptr != end) {
    return std::nullopt;
  }
  if (hours) {
    if (unit != 'H') return std::nullopt;
    return static_cast<uint32_t>(count / kHoursPerDay);
  }
  switch (unit) {
    case 'Y':
      return static_cast<uint32_t>(count * kDaysPerYear);
    case 'M':
      return static_cast<uint32_t>(count * kDaysPerYear / kMonthsPerYear);
    case 'D':
      return static_cast<uint32_t>(count);
    default:
      return std::nullopt;
  }
}

std::vector<LegalTerm> ReadLegalTerms(const YamlValue& profile,
                                      const YamlValue& statutory) {
  std::vector<LegalTerm> terms;
  for (const std::string_view path : kStatutoryTerms) {
    Add(std::string(path), At(statutory, path), terms);
  }
  const YamlValue* retention = At(profile, "retention");
  if (retention != nullptr) {
    for (const YamlValue& of : retention->items) {
      const std::string name = "retention." + of.key;
      Add(name, At(of, "duration"), terms);
      Add(name + ".after_end", At(of, "duration_after_end"), terms);
    }
  }
  std::ranges::sort(terms, {}, &LegalTerm::name);
  return terms;
}

}  // namespace hizo::app
