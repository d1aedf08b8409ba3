// Refusal: why bytes are not taken for a bundle. The texts are fixed and for
// people; nothing of the bytes stands in them.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_SERVICE_BUNDLE_REFUSAL_H_
#define HIZO_SERVICE_BUNDLE_REFUSAL_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"

namespace hizo::bundle {

enum class Refusal : uint8_t {
  kNotEncrypted,    // no age file, or not the beginning of one
  kOtherRecipient,  // for another key or passphrase
  kCutOrChanged,    // the encrypted bytes are not what was written
  kNotAnArchive,    // what is inside is no tar, or a cut one
  kStrangeMember,   // a link, a device, a path, a name that no bundle has
  kRepeatedMember,  // the same name twice
  kTooLarge,        // a member, or their number
  kOtherMembers,    // more, fewer or others than the manifest lists
  kOtherOrder,      // the listed ones in another order
  kOtherContent,    // one whose size or SHA-256 is not the listed one
  kUnsigned,        // no manifest or no signature, or not at the end
  kForged,          // the signature is not of this manifest and this key
  kOtherSigner,     // signed with another key than the one that is trusted
  kUnknownSchema,   // a form that this program does not read
  kOtherPerson,     // records of somebody else
  kUnproved,        // the head of the audit log, or the proof, does not hold
};
std::string_view NameOf(Refusal refusal);  // such as OTHER_RECIPIENT

// kPermissionDenied for kOtherRecipient and kOtherSigner, kInvalidArgument for
// kNotEncrypted and kUnknownSchema, else kDataLoss.
absl::Status Refuse(Refusal refusal);
// nullopt for a status that Refuse did not make.
std::optional<Refusal> RefusalOf(const absl::Status& status);

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_REFUSAL_H_
