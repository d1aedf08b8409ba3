#include "service/bundle/reader.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/minisign.h"
#include "service/base/status_macros.h"
#include "service/bundle/documents.h"
#include "service/bundle/refusal.h"

namespace hizo::bundle {
namespace {

constexpr size_t kPieceSize = size_t{64} << 10;

// What age says, as a Refusal.
absl::Status RefusalOfAge(const absl::Status& status) {
  if (absl::IsPermissionDenied(status)) {
    return Refuse(Refusal::kOtherRecipient);
  }
  return Refuse(absl::IsDataLoss(status) ? Refusal::kCutOrChanged
                                         : Refusal::kNotEncrypted);
}

// Decrypts as the archive's reader asks.
class Decrypted {
 public:
  Decrypted(const Bytes& bytes, crypto::AgeOpeners openers)
      : bytes_(bytes), age_(std::move(openers)) {}

  absl::StatusOr<std::string> Next() {
    std::string plain;
    while (plain.empty() && !ended_) {
      if (pending_.empty()) {
        ASSIGN_OR_RETURN(pending_, bytes_());
        taken_ = 0;
      }
      ended_ = pending_.empty();
      const std::string_view piece =
          std::string_view(pending_).substr(taken_, kPieceSize);
      const absl::Status status =
          ended_ ? age_.Finish(plain) : age_.Read(piece, plain);
      if (!status.ok()) return RefusalOfAge(status);
      taken_ += piece.size();
      if (taken_ == pending_.size()) pending_.clear();
    }
    return plain;
  }

 private:
  const Bytes& bytes_;
  crypto::AgeReader age_;
  std::string pending_;
  size_t taken_ = 0;
  bool ended_ = false;
};

// Compares what came with what the manifest lists.
absl::Status Compare(const Manifest& manifest, const std::string& folder,
                     const std::vector<Listed>& seen) {
  if (folder != manifest.folder()) return Refuse(Refusal::kOtherMembers);
  std::map<std::string, const Listed*> listed;
  for (const Listed& one : manifest.members) listed[one.name] = &one;
  if (listed.size() != seen.size() ||
      listed.size() != manifest.members.size()) {
    return Refuse(Refusal::kOtherMembers);
  }
  for (const Listed& one : seen) {
    const auto found = listed.find(one.name);
    if (found == listed.end()) return Refuse(Refusal::kOtherMembers);
    if (found->second->size != one.size ||
        found->second->sha256 != one.sha256) {
      return Refuse(Refusal::kOtherContent);
    }
  }
  const bool in_order = std::ranges::equal(seen, manifest.members, {},
                                           &Listed::name, &Listed::name);
  return in_order ? absl::OkStatus() : Refuse(Refusal::kOtherOrder);
}

using Counts = std::map<std::string, uint64_t>;

// Adds up what a member holds of each class, and of each source but the person.
absl::Status CountRecords(const Member& member, std::string_view subject,
                          Kind kind, Counts& counts, Counts& sources) {
  if (kind == Kind::kOther) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto records,
                   kind == Kind::kProfile ? ReadProfile(member.content, subject)
                                          : ReadPart(member.content, subject));
  for (const Record& record : records) {
    ++counts[record.record_class];
    for (const Field& field : record.fields) {
      if (field.source == Source::kProvided) continue;
      ++sources[std::string(NameOf(field.source))];
    }
  }
  return absl::OkStatus();
}

Kind KindOfName(std::string_view name) {
  if (name == kProfileName) return Kind::kProfile;
  return name.ends_with(".ndjson") && !name.starts_with("access-history-")
             ? Kind::kSeries
             : Kind::kOther;
}

}  // namespace

absl::StatusOr<Manifest> OpenManifest(std::string_view manifest_json,
                                      std::string_view signature,
                                      std::string_view public_key) {
  const auto comment = crypto::CheckMinisign(
      public_key, crypto::MinisignHash::Of(manifest_json), signature);
  if (!comment.ok()) {
    return Refuse(absl::IsPermissionDenied(comment.status())
                      ? Refusal::kOtherSigner
                      : Refusal::kForged);
  }
  ASSIGN_OR_RETURN(Manifest manifest, ParseManifest(manifest_json));
  RETURN_IF_ERROR(CheckAudit(manifest.about));
  return manifest;
}

absl::StatusOr<Verified> ReadBundle(const Bytes& bytes,
                                    crypto::AgeOpeners openers,
                                    std::string_view public_key,
                                    const TakeMember& take) {
  Decrypted decrypted(bytes, std::move(openers));
  TarReader tar([&decrypted] { return decrypted.Next(); });
  Verified verified;
  std::vector<Listed> seen;
  // Whose records they are is in each of them; that it is the manifest's
  // person is known at the end.
  std::optional<std::string> subject;
  Counts counts;
  Counts sources;
  for (Member member;;) {
    ASSIGN_OR_RETURN(const bool more, tar.Next(member));
    if (!more) break;
    if (!verified.signature.empty()) return Refuse(Refusal::kUnsigned);
    if (member.name == kManifestName) {
      verified.manifest_json = std::move(member.content);
      continue;
    }
    if (member.name == kSignatureName) {
      verified.signature = std::move(member.content);
      continue;
    }
    if (!verified.manifest_json.empty()) return Refuse(Refusal::kUnsigned);
    const Kind kind = KindOfName(member.name);
    seen.push_back(ListedOf(member.name, member.content, kind));
    if (kind != Kind::kOther && !subject.has_value()) {
      ASSIGN_OR_RETURN(subject, SubjectOf(member.content));
    }
    RETURN_IF_ERROR(
        CountRecords(member, subject.value_or(""), kind, counts, sources));
    RETURN_IF_ERROR(take(member));
  }
  if (verified.manifest_json.empty() || verified.signature.empty()) {
    return Refuse(Refusal::kUnsigned);
  }
  ASSIGN_OR_RETURN(
      verified.manifest,
      OpenManifest(verified.manifest_json, verified.signature, public_key));
  RETURN_IF_ERROR(Compare(verified.manifest, tar.folder(), seen));
  if (subject.value_or("") != verified.manifest.about.subject) {
    return Refuse(Refusal::kOtherPerson);
  }
  if (counts != verified.manifest.records ||
      sources != verified.manifest.sources ||
      base::ToMicros(tar.modified()) / 1'000'000 !=
          base::ToMicros(verified.manifest.about.created) / 1'000'000) {
    return Refuse(Refusal::kOtherContent);
  }
  return verified;
}

absl::StatusOr<std::vector<Record>> RecordsOf(const Manifest& manifest,
                                              const Member& member) {
  const auto listed =
      std::ranges::find(manifest.members, member.name, &Listed::name);
  if (listed == manifest.members.end()) return Refuse(Refusal::kOtherMembers);
  if (!IsOf(*listed, member.content)) return Refuse(Refusal::kOtherContent);
  switch (KindOfName(member.name)) {
    case Kind::kProfile:
      return ReadProfile(member.content, manifest.about.subject);
    case Kind::kSeries:
      return ReadPart(member.content, manifest.about.subject);
    case Kind::kOther:
      break;
  }
  return std::vector<Record>();
}

}  // namespace hizo::bundle
