#include "service/bundle/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "crypto/base64.h"
#include "crypto/checkpoint.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "service/base/ids.h"
#include "service/bundle/json_text.h"
#include "service/bundle/refusal.h"
#include "service/bundle/tar.h"

namespace hizo::bundle {
namespace {

using crypto::FromBase64;
using crypto::Padding;
using crypto::ToBase64;
using Json = nlohmann::ordered_json;

constexpr size_t kTextMax = 1024;
constexpr size_t kCheckpointMax = 4096;
constexpr size_t kEntryMax = size_t{96} << 10;  // of 65,535 bytes, in base64
constexpr size_t kPathMax = 64;

std::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kProfile:
      return "profile";
    case Kind::kSeries:
      return "series";
    case Kind::kOther:
      break;
  }
  return "document";
}

std::optional<Kind> KindOf(std::string_view name) {
  for (const Kind kind : {Kind::kProfile, Kind::kSeries, Kind::kOther}) {
    if (NameOf(kind) == name) return kind;
  }
  return std::nullopt;
}

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex.push_back(kDigits[byte >> 4U]);
    hex.push_back(kDigits[byte & 15U]);
  }
  return hex;
}

bool IsHash(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool IsUuid(const std::string& text) {
  return base::ParseId<base::SubjectId>(text).has_value();
}

// The members of an object, taken out one by one: what is left over or of
// another kind makes it a manifest that nobody here wrote.
class Taker {
 public:
  explicit Taker(Json json) : json_(std::move(json)) {
    good_ = json_.is_object();
  }
  std::string Text(const char* key, size_t size_max = kTextMax) {
    Json value = Take(key);
    if (!value.is_string() || value.get_ref<std::string&>().size() > size_max) {
      good_ = false;
      return "";
    }
    return std::move(value.get_ref<std::string&>());
  }
  uint64_t Number(const char* key) {
    const Json value = Take(key);
    if (!value.is_number_unsigned()) {
      good_ = false;
      return 0;
    }
    return value.get<uint64_t>();
  }
  Taker Object(const char* key) { return Taker(Take(key)); }
  Json List(const char* key) {
    Json value = Take(key);
    if (value.is_array()) return value;
    good_ = false;
    return Json::array();
  }
  // All that is left, as numbers.
  std::map<std::string, uint64_t> Numbers() {
    std::map<std::string, uint64_t> numbers;
    while (good_ && !json_.empty()) {
      const std::string key = json_.begin().key();
      numbers[key] = Number(key.c_str());
    }
    return numbers;
  }
  bool Has(const char* key) const { return good_ && json_.contains(key); }
  void Require(bool holds) { good_ = good_ && holds; }
  // Whether everything was there, and nothing else.
  bool Done() const { return good_ && json_.empty(); }

 private:
  Json Take(const char* key) {
    if (!good_ || !json_.contains(key)) {
      good_ = false;
      return nullptr;
    }
    Json value = std::move(json_[key]);
    json_.erase(key);
    return value;
  }
  Json json_;
  bool good_ = false;
};

Json ProofJson(const AuditProof& proof) {
  Json json;
  json["sequence"] = proof.sequence;
  json["entry"] = ToBase64(proof.entry, Padding::kEquals);
  json["path"] = Json::array();
  for (const crypto::Digest& hash : proof.path) {
    json["path"].push_back(ToBase64(crypto::AsBytes(hash), Padding::kEquals));
  }
  return json;
}

Json AboutJson(const About& about) {
  Json json;
  json["format"] = kFormat;
  json["id"] = about.id;
  json["created"] = TimeText(about.created);
  json["selection"] = bundle::NameOf(about.selection);
  json["language"] = about.language == Language::kJapanese ? "ja" : "en";
  json["subject"] = about.subject;
  json["origin"] = about.origin;
  json["tenant"] = about.tenant;
  json["catalogue"] = {{"version", about.catalogue_version},
                       {"sha256", about.catalogue_digest}};
  json["audit"] = {{"checkpoint", about.checkpoint},
                   {"verifier_key", about.checkpoint_key}};
  if (about.proof.has_value()) json["audit"]["proof"] = ProofJson(*about.proof);
  return json;
}

std::optional<AuditProof> TakeProof(Taker in) {
  AuditProof proof;
  proof.sequence = in.Number("sequence");
  auto entry = FromBase64(in.Text("entry", kEntryMax), Padding::kEquals);
  in.Require(entry.has_value());
  for (const Json& json : in.List("path")) {
    const auto bytes =
        json.is_string() ? FromBase64(json.get<std::string>(), Padding::kEquals)
                         : std::nullopt;
    crypto::Digest hash{};
    const bool good = bytes.has_value() && bytes->size() == hash.size();
    in.Require(good && proof.path.size() < kPathMax);
    if (good) std::ranges::copy(*bytes, hash.begin());
    proof.path.push_back(hash);
  }
  if (!in.Done()) return std::nullopt;
  proof.entry = *std::move(entry);
  return proof;
}

bool TakeAbout(Taker& in, About& about) {
  in.Require(in.Text("format") == kFormat);
  about.id = in.Text("id");
  const auto created = ParseTimeText(in.Text("created"));
  const std::string selection = in.Text("selection");
  const std::string language = in.Text("language");
  about.subject = in.Text("subject");
  in.Require(IsUuid(about.id) && IsUuid(about.subject) && created.has_value() &&
             (selection == "access" || selection == "portability") &&
             (language == "en" || language == "ja"));
  if (created.has_value()) about.created = *created;
  about.selection =
      selection == "access" ? Selection::kAccess : Selection::kPortability;
  about.language = language == "ja" ? Language::kJapanese : Language::kEnglish;
  about.origin = in.Text("origin");
  about.tenant = in.Text("tenant");
  Taker catalogue = in.Object("catalogue");
  about.catalogue_version = static_cast<uint32_t>(catalogue.Number("version"));
  about.catalogue_digest = catalogue.Text("sha256");
  Taker audit = in.Object("audit");
  about.checkpoint = audit.Text("checkpoint", kCheckpointMax);
  about.checkpoint_key = audit.Text("verifier_key");
  if (audit.Has("proof")) {
    about.proof = TakeProof(audit.Object("proof"));
    in.Require(about.proof.has_value());
  }
  return catalogue.Done() && audit.Done();
}

std::optional<Listed> TakeListed(Json json) {
  Taker in(std::move(json));
  Listed listed;
  listed.name = in.Text("name");
  listed.size = in.Number("size");
  listed.sha256 = in.Text("sha256");
  const auto kind = KindOf(in.Text("kind"));
  if (!in.Done() || !kind.has_value() || !IsMemberName(listed.name) ||
      !IsHash(listed.sha256)) {
    return std::nullopt;
  }
  listed.kind = *kind;
  return listed;
}

}  // namespace

std::string ToJson(const Manifest& manifest) {
  Json json = AboutJson(manifest.about);
  json["records"] = Json::object();
  for (const auto& [name, count] : manifest.records) {
    json["records"][name] = count;
  }
  for (const auto& [name, count] : manifest.sources) {
    json["sources"][name] = count;
  }
  json["withheld"] = Json::array();
  for (const Withheld& withheld : manifest.withheld) {
    json["withheld"].push_back({{"field", withheld.field},
                                {"why", withheld.why},
                                {"count", withheld.count}});
  }
  json["members"] = Json::array();
  for (const Listed& listed : manifest.members) {
    json["members"].push_back({{"name", listed.name},
                               {"size", listed.size},
                               {"sha256", listed.sha256},
                               {"kind", NameOf(listed.kind)}});
  }
  return json.dump(1) + "\n";
}

absl::StatusOr<Manifest> ParseManifest(std::string_view text) {
  if (!IsStrictJson(text)) return Refuse(Refusal::kUnknownSchema);
  Taker in(Json::parse(text.begin(), text.end(), nullptr, false));
  Manifest manifest;
  const bool about = TakeAbout(in, manifest.about);
  Taker records = in.Object("records");
  manifest.records = records.Numbers();
  if (in.Has("sources")) {
    Taker sources = in.Object("sources");
    manifest.sources = sources.Numbers();
    in.Require(sources.Done());
  }
  for (Json& json : in.List("withheld")) {
    Taker one(std::move(json));
    manifest.withheld.push_back(
        {one.Text("field"), one.Text("why"), one.Number("count")});
    in.Require(one.Done());
  }
  for (Json& json : in.List("members")) {
    auto listed = TakeListed(std::move(json));
    in.Require(listed.has_value());
    if (listed.has_value()) manifest.members.push_back(*std::move(listed));
  }
  if (!about || !records.Done() || !in.Done() || ToJson(manifest) != text) {
    return Refuse(Refusal::kUnknownSchema);
  }
  return manifest;
}

absl::Status CheckAudit(const About& about) {
  const auto head =
      crypto::OpenCheckpoint(about.checkpoint, about.checkpoint_key);
  if (!head.ok() || head->origin != about.origin) {
    return Refuse(Refusal::kUnproved);
  }
  if (!about.proof.has_value()) return absl::OkStatus();
  const AuditProof& proof = *about.proof;
  if (proof.sequence >= head->tree.size ||
      !crypto::ProvesInclusion(proof.path, head->tree, proof.sequence,
                               crypto::LeafHash(proof.entry))) {
    return Refuse(Refusal::kUnproved);
  }
  return absl::OkStatus();
}

bool IsOf(const Listed& listed, std::string_view content) {
  return listed.size == content.size() &&
         listed.sha256 == Hex(crypto::AsBytes(crypto::Sha256(content)));
}

Listed ListedOf(std::string name, std::string_view content, Kind kind) {
  return {std::move(name), content.size(),
          Hex(crypto::AsBytes(crypto::Sha256(content))), kind};
}

}  // namespace hizo::bundle
