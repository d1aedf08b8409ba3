#include "service/app/policy_file.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "crypto/digest.h"
#include "service/app/legal_terms.h"
#include "service/app/policy_schema.h"
#include "service/app/yaml_reader.h"
#include "service/base/status_macros.h"

namespace hizo::app {
namespace {

using policy::Basis;
using policy::PolicySource;
using Kind = YamlValue::Kind;

// nullptr for a key that is not there or is null: the policy is silent.
const YamlValue* Said(const YamlValue& map, std::string_view key) {
  for (const YamlValue& item : map.items) {
    if (item.key == key) return item.kind == Kind::kEmpty ? nullptr : &item;
  }
  return nullptr;
}

absl::StatusOr<std::string> Text(const YamlValue& map, std::string_view key) {
  const YamlValue* value = Said(map, key);
  if (value == nullptr) {
    return map.Error("`" + std::string(key) + "` is missing");
  }
  std::string text;
  RETURN_IF_ERROR(value->Read(text));
  return text;
}

absl::StatusOr<bool> Flag(const YamlValue& map, std::string_view key) {
  bool flag = false;
  if (const YamlValue* value = Said(map, key)) {
    RETURN_IF_ERROR(value->Read(flag));
  }
  return flag;
}

absl::StatusOr<Basis> ReadBasis(const YamlValue& map) {
  const YamlValue* value = Said(map, "legal_basis");
  if (value == nullptr) return Basis::kNone;
  const std::optional<Basis> basis = policy::BasisFromName(value->text);
  if (!basis.has_value()) return value->Error("this is no legal basis");
  return *basis;
}

absl::Status CheckHead(const YamlValue& root, std::string_view kind) {
  ASSIGN_OR_RETURN(const std::string version, Text(root, "schema_version"));
  if (version != "1") return root.Error("schema_version is 1");
  if (kind.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string found, Text(root, "kind"));
  if (found != kind) return root.Error("wanted kind " + std::string(kind));
  return absl::OkStatus();
}

// ISO 8601: P7Y, P90D, P1M, PT72H.
bool IsDuration(std::string_view text) {
  if (text.size() < 3 || text.size() > 8 || text.front() != 'P') return false;
  text.remove_prefix(1);
  std::string_view units = "DMY";
  if (text.front() == 'T') {
    text.remove_prefix(1);
    units = "H";
  }
  const std::string_view digits = text.substr(0, text.size() - 1);
  return !digits.empty() && units.find(text.back()) != units.npos &&
         std::ranges::all_of(
             digits, [](unsigned char c) { return std::isdigit(c) != 0; });
}

absl::Status CheckDurations(const YamlValue& value) {
  constexpr std::string_view kDurations[] = {
      "duration", "duration_after_end", "request_record_retention", "after"};
  if (value.kind == Kind::kScalar &&
      std::ranges::find(kDurations, value.key) != std::end(kDurations) &&
      !IsDuration(value.text)) {
    return value.Error("wanted a duration such as P90D or P7Y");
  }
  for (const YamlValue& item : value.items) {
    RETURN_IF_ERROR(CheckDurations(item));
  }
  return absl::OkStatus();
}

absl::Status CheckCount(const YamlValue& value) {
  return value.items.size() <= kPolicyEntriesMax
             ? absl::OkStatus()
             : value.Error("there are more than " +
                           std::to_string(kPolicyEntriesMax));
}

absl::Status ReadPurposes(const YamlValue& root, PolicySource& source) {
  const YamlValue* purposes = Said(root, "purposes");
  if (purposes == nullptr || purposes->kind != Kind::kList) {
    return root.Error("`purposes` is no list");
  }
  RETURN_IF_ERROR(CheckCount(*purposes));
  for (const YamlValue& item : purposes->items) {
    PolicySource::Purpose purpose;
    purpose.where = item.where;
    ASSIGN_OR_RETURN(purpose.id, Text(item, "id"));
    ASSIGN_OR_RETURN(purpose.clause, Text(item, "clause"));
    ASSIGN_OR_RETURN(purpose.basis, ReadBasis(item));
    ASSIGN_OR_RETURN(purpose.anonymised_only, Flag(item, "anonymised_only"));
    if (Said(item, "marketing") != nullptr) {
      ASSIGN_OR_RETURN(purpose.marketing, Flag(item, "marketing"));
    }
    if (const YamlValue* requires_it = Said(item, "requires")) {
      if (requires_it->text != "express_request") {
        return requires_it->Error("wanted express_request");
      }
      purpose.express_request = true;
    }
    source.purposes.push_back(std::move(purpose));
  }
  return absl::OkStatus();
}

absl::Status CheckClassNames(const YamlValue& classes) {
  for (const YamlValue& item : classes.items) {
    if (!IsPolicyClass(item.key)) {
      return item.Error("there is no class `" + item.key + "`");
    }
  }
  return absl::OkStatus();
}

absl::Status ReadClass(const YamlValue& item, const YamlValue* retention,
                       PolicySource& source) {
  PolicySource::Class of;
  of.name = item.key;
  ASSIGN_OR_RETURN(of.clause, Text(item, "clause"));
  std::vector<std::string> fields;
  const YamlValue* named = Said(item, "fields");
  if (named == nullptr) return item.Error("`fields` is missing");
  RETURN_IF_ERROR(named->Read(fields));
  for (const std::string& field : fields) {
    if (!IsPolicyField(field)) {
      return named->Error("there is no field `" + field + "`");
    }
  }
  const YamlValue* kept =
      retention == nullptr ? nullptr : Said(*retention, of.name);
  if (kept != nullptr) {
    RETURN_IF_ERROR(Text(*kept, "clause").status());
    of.retention_stated = Said(*kept, "duration") != nullptr;
  }
  source.classes.push_back(std::move(of));
  return absl::OkStatus();
}

absl::Status ReadClasses(const YamlValue& root, PolicySource& source) {
  const YamlValue* classes = Said(root, "data_classes");
  const YamlValue* retention = Said(root, "retention");
  if (classes == nullptr || classes->kind != Kind::kMap) {
    return root.Error("`data_classes` is no map");
  }
  RETURN_IF_ERROR(CheckClassNames(*classes));
  if (retention != nullptr) RETURN_IF_ERROR(CheckClassNames(*retention));
  for (const YamlValue& item : classes->items) {
    if (item.kind == Kind::kEmpty) continue;
    RETURN_IF_ERROR(ReadClass(item, retention, source));
  }
  return absl::OkStatus();
}

absl::Status ReadProfile(const YamlValue& root, PolicySource& source) {
  RETURN_IF_ERROR(CheckPolicyKeys(PolicyFileKind::kProfile, root));
  RETURN_IF_ERROR(CheckHead(root, ""));
  RETURN_IF_ERROR(CheckDurations(root));
  ASSIGN_OR_RETURN(source.profile_id, Text(root, "profile_id"));
  RETURN_IF_ERROR(ReadPurposes(root, source));
  RETURN_IF_ERROR(ReadClasses(root, source));
  if (const YamlValue* consent = Said(root, "consent")) {
    ASSIGN_OR_RETURN(source.cancelling_withdraws,
                     Flag(*consent, "auto_withdraw_on_cancel"));
  }
  const YamlValue* storage = Said(root, "storage");
  const YamlValue* mechanisms =
      storage == nullptr ? nullptr : Said(*storage, "mechanisms");
  if (mechanisms != nullptr) {
    RETURN_IF_ERROR(mechanisms->Read(source.ended_mechanisms));
  }
  return absl::OkStatus();
}

absl::Status ReadStatutory(const YamlValue& root, PolicySource& source) {
  RETURN_IF_ERROR(CheckPolicyKeys(PolicyFileKind::kStatutory, root));
  RETURN_IF_ERROR(CheckHead(root, "statutory_overlay"));
  const YamlValue* always = Said(root, "always_allowed_purposes");
  if (always == nullptr) return root.Error("no purpose is always allowed");
  RETURN_IF_ERROR(always->Read(source.always_allowed));
  std::vector<std::string> ended;
  const YamlValue* modules = Said(root, "modules");
  const YamlValue* gdpr = modules == nullptr ? nullptr : Said(*modules, "gdpr");
  const YamlValue* invalid =
      gdpr == nullptr ? nullptr : Said(*gdpr, "transfer_mechanisms_invalid");
  // "privacy_shield" ends every mechanism that is one.
  std::erase_if(source.ended_mechanisms, [invalid](const std::string& name) {
    return invalid == nullptr ||
           std::ranges::none_of(invalid->items, [&name](const YamlValue& of) {
             return name.find(of.key) != std::string::npos;
           });
  });
  return absl::OkStatus();
}

// The maps of `key`, each of which says who wrote it and why.
absl::StatusOr<std::vector<const YamlValue*>> Entries(
    const YamlValue& root, std::string_view key,
    std::vector<std::string_view> keys) {
  std::vector<const YamlValue*> entries;
  const YamlValue* map = Said(root, key);
  if (map == nullptr) return entries;
  if (map->kind != Kind::kMap) return map->Error("wanted `key: value` pairs");
  RETURN_IF_ERROR(CheckCount(*map));
  keys.insert(keys.end(), {"by", "because"});
  for (const YamlValue& item : map->items) {
    for (const YamlValue& part : item.items) {
      if (std::ranges::find(keys, part.key) == keys.end()) {
        return part.Error("unknown key `" + part.key + "`");
      }
    }
    RETURN_IF_ERROR(Text(item, "by").status());
    RETURN_IF_ERROR(Text(item, "because").status());
    entries.push_back(&item);
  }
  return entries;
}

absl::Status ReadNames(const YamlValue& root, std::string_view key,
                       std::vector<PolicySource::Named>& names) {
  ASSIGN_OR_RETURN(const auto entries, Entries(root, key, {}));
  for (const YamlValue* entry : entries) {
    PolicySource::Named named{entry->key, entry->where};
    ASSIGN_OR_RETURN(named.by, Text(*entry, "by"));
    ASSIGN_OR_RETURN(named.because, Text(*entry, "because"));
    names.push_back(std::move(named));
  }
  return absl::OkStatus();
}

absl::Status ReadUses(const YamlValue& root, PolicySource& source) {
  ASSIGN_OR_RETURN(const auto uses,
                   Entries(root, "purposes",
                           {"serves", "legal_basis", "consent_from_version",
                            "acceptance_from_version"}));
  for (const YamlValue* entry : uses) {
    PolicySource::Use use;
    use.id = entry->key;
    use.where = entry->where;
    if (const YamlValue* serves = Said(*entry, "serves")) {
      RETURN_IF_ERROR(serves->Read(use.serves));
    }
    ASSIGN_OR_RETURN(use.basis, ReadBasis(*entry));
    if (const YamlValue* from = Said(*entry, "consent_from_version")) {
      RETURN_IF_ERROR(from->Read(use.consent_from));
    }
    if (const YamlValue* from = Said(*entry, "acceptance_from_version")) {
      RETURN_IF_ERROR(from->Read(use.acceptance_from));
    }
    source.uses.push_back(std::move(use));
  }
  ASSIGN_OR_RETURN(const auto lawful,
                   Entries(root, "required_by_law", {"law"}));
  for (const YamlValue* entry : lawful) {
    PolicySource::Lawful named{entry->key, "", entry->where};
    ASSIGN_OR_RETURN(named.law, Text(*entry, "law"));
    source.required_by_law.push_back(std::move(named));
  }
  return absl::OkStatus();
}

absl::Status ReadOperator(const YamlValue& root, PolicySource& source) {
  RETURN_IF_ERROR(CheckPolicyKeys(PolicyFileKind::kOperator, root));
  RETURN_IF_ERROR(CheckHead(root, "operator_overlay"));
  source.where = root.where;
  ASSIGN_OR_RETURN(const std::string profile, Text(root, "profile_id"));
  if (profile != source.profile_id) {
    return root.Error("this is an overlay of `" + profile + "`, and not of `" +
                      source.profile_id + "`");
  }
  const YamlValue* version = Said(root, "version");
  if (version == nullptr) return root.Error("`version` is missing");
  RETURN_IF_ERROR(version->Read(source.version));
  source.version_where = version->where;
  if (source.version == 0) return version->Error("versions begin with 1");
  RETURN_IF_ERROR(ReadUses(root, source));
  RETURN_IF_ERROR(ReadNames(root, "classes", source.more_classes));
  RETURN_IF_ERROR(ReadNames(root, "retention", source.goes_with_them));
  RETURN_IF_ERROR(ReadNames(root, "replaces", source.replaces));
  RETURN_IF_ERROR(ReadNames(root, "notices", source.notices));
  return ReadNames(root, "accepted_conflicts", source.accepted);
}

// Of profile, statutory overlay and operator's overlay.
absl::StatusOr<PolicySource> ReadAll(const absl::StatusOr<YamlFile>& first,
                                     const absl::StatusOr<YamlFile>& second,
                                     const absl::StatusOr<YamlFile>& third) {
  PolicySource source;
  ASSIGN_OR_RETURN(const YamlFile profile, first);
  RETURN_IF_ERROR(ReadProfile(profile.root, source));
  ASSIGN_OR_RETURN(const YamlFile statutory, second);
  RETURN_IF_ERROR(ReadStatutory(statutory.root, source));
  ASSIGN_OR_RETURN(const YamlFile overlay, third);
  RETURN_IF_ERROR(ReadOperator(overlay.root, source));
  source.legal_terms = ReadLegalTerms(profile.root, statutory.root);
  const crypto::Digest digest =
      crypto::Sha256(profile.digest + statutory.digest + overlay.digest);
  const std::string_view bytes = crypto::AsBytes(digest);
  source.digest = absl::BytesToHexString({bytes.data(), bytes.size()});
  return source;
}

}  // namespace

absl::StatusOr<PolicySource> ReadPolicy(const policy::PolicyFiles& files) {
  return ReadAll(ReadYamlFile(files.profile), ReadYamlFile(files.statutory),
                 ReadYamlFile(files.overlay));
}

absl::StatusOr<PolicySource> ParsePolicy(const policy::PolicyTexts& texts) {
  return ReadAll(ReadYamlText(texts.profile, "profile"),
                 ReadYamlText(texts.statutory, "statutory"),
                 ReadYamlText(texts.overlay, "operator"));
}

absl::StatusOr<std::vector<std::unique_ptr<const policy::CompanyPolicy>>>
CompilePolicies(const policy::Catalogue& catalogue,
                policy::AccessSource& access) {
  std::vector<std::unique_ptr<const policy::CompanyPolicy>> policies;
  for (policy::TenantSpec& tenant : access.tenants) {
    if (!tenant.policy_files.has_value()) continue;
    ASSIGN_OR_RETURN(const PolicySource source,
                     ReadPolicy(*tenant.policy_files));
    ASSIGN_OR_RETURN(auto made,
                     policy::CompanyPolicy::Create(source, catalogue));
    tenant.policy_of_files = policies.emplace_back(std::move(made)).get();
  }
  return policies;
}

}  // namespace hizo::app
