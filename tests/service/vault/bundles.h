// Bundles: short ways to have people's data handed out, sent and opened.
#ifndef HIZO_TESTS_SERVICE_VAULT_BUNDLES_H_
#define HIZO_TESTS_SERVICE_VAULT_BUNDLES_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "crypto/age.h"
#include "service/bundle/reader.h"
#include "service/vault/exports.h"
#include "service/vault/recipients.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {

// Somebody's file, as whoever carries it has it.
struct Handed {
  std::string file;
  std::string signature;
  std::string public_key;
  std::optional<crypto::Digest> receipt;
  size_t chunks = 0;
};
// The chunk `index`, as kFull for kService.
absl::StatusOr<ExportChunk> NextChunk(VaultFixture& vault, BundleExport& made,
                                      size_t index, Action action);
// All of it; as a transmission if `input` is one.
absl::StatusOr<Handed> Hand(VaultFixture& vault, ExportInput input);

// Its parts, once it was opened with `identity`.
struct Opened {
  bundle::Verified verified;
  std::map<std::string, std::string> members;
  std::string all;  // of them, to be searched
};
absl::StatusOr<Opened> OpenWith(const crypto::AgeIdentity& identity,
                                const Handed& handed);

// A company that bundles are sent to.
RecipientInput RecipientOf(std::string name,
                           const crypto::AgeIdentity& identity);
Call RecipientCall(const VaultFixture& vault, Action action);
absl::StatusOr<RegisteredRecipient> Register(VaultFixture& vault,
                                             const Call& call,
                                             const RecipientInput& input);
absl::StatusOr<RegisteredRecipient> Register(VaultFixture& vault,
                                             const RecipientInput& input);
absl::StatusOr<bool> RemoveRecipient(
    VaultFixture& vault, const Call& call, const std::string& name,
    const std::optional<std::string>& etag = std::nullopt);
absl::StatusOr<bool> RemoveRecipient(VaultFixture& vault,
                                     const std::string& name);

base::AuthorisationId AuthorisationOf(char number);
ExportInput TransmissionOf(base::SubjectId subject, std::string recipient);

}  // namespace hizo::vault

#endif  // HIZO_TESTS_SERVICE_VAULT_BUNDLES_H_
