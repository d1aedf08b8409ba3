#include "service/bundle/refusal.h"

#include <string>

#include "absl/strings/cord.h"

namespace hizo::bundle {
namespace {

constexpr char kPayload[] = "hizo/refusal";

struct Row {
  Refusal refusal;
  absl::StatusCode code;
  std::string_view name;
  std::string_view text;
};

constexpr auto kLoss = absl::StatusCode::kDataLoss;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;

constexpr Row kRows[] = {
    {Refusal::kNotEncrypted, kInvalid, "NOT_ENCRYPTED",
     "this is no age file, or a cut one"},
    {Refusal::kOtherRecipient, kDenied, "OTHER_RECIPIENT",
     "the bundle is for another key or passphrase"},
    {Refusal::kCutOrChanged, kLoss, "CUT_OR_CHANGED",
     "the bundle was cut or changed"},
    {Refusal::kNotAnArchive, kLoss, "NOT_AN_ARCHIVE",
     "what is inside is no whole tar archive"},
    {Refusal::kStrangeMember, kLoss, "STRANGE_MEMBER",
     "the archive holds something that no bundle holds"},
    {Refusal::kRepeatedMember, kLoss, "REPEATED_MEMBER",
     "the archive holds the same name twice"},
    {Refusal::kTooLarge, kLoss, "TOO_LARGE",
     "the archive holds something larger, or more, than a bundle"},
    {Refusal::kOtherMembers, kLoss, "OTHER_MEMBERS",
     "the archive does not hold what its manifest lists"},
    {Refusal::kOtherOrder, kLoss, "OTHER_ORDER",
     "the archive is in another order than its manifest"},
    {Refusal::kOtherContent, kLoss, "OTHER_CONTENT",
     "a member is not the one that the manifest lists"},
    {Refusal::kUnsigned, kLoss, "UNSIGNED",
     "the manifest or its signature is missing"},
    {Refusal::kForged, kLoss, "FORGED", "the signature does not fit"},
    {Refusal::kOtherSigner, kDenied, "OTHER_SIGNER",
     "the bundle is signed with another key than the trusted one"},
    {Refusal::kUnknownSchema, kInvalid, "UNKNOWN_SCHEMA",
     "the bundle has a form that is not read here"},
    {Refusal::kOtherPerson, kLoss, "OTHER_PERSON",
     "the bundle holds records of somebody else"},
    {Refusal::kUnproved, kLoss, "UNPROVED",
     "what the bundle says of the audit log does not hold"},
};

const Row& RowOf(Refusal refusal) {
  return kRows[static_cast<size_t>(refusal)];
}

}  // namespace

std::string_view NameOf(Refusal refusal) { return RowOf(refusal).name; }

absl::Status Refuse(Refusal refusal) {
  const Row& row = RowOf(refusal);
  absl::Status status(row.code, {row.text.data(), row.text.size()});
  status.SetPayload(kPayload, absl::Cord(std::string(row.name)));
  return status;
}

std::optional<Refusal> RefusalOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  if (!payload.has_value()) return std::nullopt;
  const std::string name(*payload);
  for (const Row& row : kRows) {
    if (name == row.name) return row.refusal;
  }
  return std::nullopt;
}

}  // namespace hizo::bundle
