#include "tests/service/vault/bundles.h"

#include <utility>

namespace hizo::vault {

absl::StatusOr<ExportChunk> NextChunk(VaultFixture& vault, BundleExport& made,
                                      size_t index, Action action) {
  const Call call = FullCall(vault, action);
  return vault.Run(
      call, [&](Attempt& attempt) { return made.Next(attempt, call, index); });
}

absl::StatusOr<Handed> Hand(VaultFixture& vault, ExportInput input) {
  const Action action = input.transmission.has_value() ? Action::kExportTransmit
                                                       : Action::kExportBundle;
  auto made = vault.store().exports().Begin(std::move(input));
  if (!made.ok()) return made.status();
  Handed handed;
  handed.public_key = vault.store().exports().public_key();
  while (handed.signature.empty()) {
    const auto chunk = NextChunk(vault, **made, handed.chunks++, action);
    if (!chunk.ok()) return chunk.status();
    handed.file += chunk->bytes;
    handed.signature = chunk->signature;
    handed.receipt = chunk->receipt;
  }
  return handed;
}

absl::StatusOr<Opened> OpenWith(const crypto::AgeIdentity& identity,
                                const Handed& handed) {
  crypto::AgeOpeners openers;
  openers.identities.push_back(
      *crypto::AgeIdentity::Parse(identity.ExposeText()));
  Opened opened;
  bool given = false;
  auto verified = bundle::ReadBundle(
      [&]() -> absl::StatusOr<std::string> {
        return std::exchange(given, true) ? std::string() : handed.file;
      },
      std::move(openers), handed.public_key,
      [&opened](const bundle::Member& member) {
        opened.members[member.name] = member.content;
        opened.all += member.content;
        return absl::OkStatus();
      });
  if (!verified.ok()) return verified.status();
  opened.verified = *std::move(verified);
  return opened;
}

RecipientInput RecipientOf(std::string name,
                           const crypto::AgeIdentity& identity) {
  return {std::move(name), identity.recipient().ToText(),
          RecipientKind::kCompany, "art20/2026-07", std::nullopt};
}

Call RecipientCall(const VaultFixture& vault, Action action) {
  return FullCall(vault, action);
}

absl::StatusOr<RegisteredRecipient> Register(VaultFixture& vault,
                                             const Call& call,
                                             const RecipientInput& input) {
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().recipients().Register(attempt, call, input);
  });
}
absl::StatusOr<RegisteredRecipient> Register(VaultFixture& vault,
                                             const RecipientInput& input) {
  return Register(vault, RecipientCall(vault, Action::kRecipientRegister),
                  input);
}

absl::StatusOr<bool> RemoveRecipient(VaultFixture& vault, const Call& call,
                                     const std::string& name,
                                     const std::optional<std::string>& etag) {
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().recipients().Remove(attempt, call, name, etag);
  });
}
absl::StatusOr<bool> RemoveRecipient(VaultFixture& vault,
                                     const std::string& name) {
  return RemoveRecipient(vault, RecipientCall(vault, Action::kRecipientRemove),
                         name);
}

base::AuthorisationId AuthorisationOf(char number) {
  return *base::AuthorisationId::FromBytes(
      std::string(base::AuthorisationId::kSize, number));
}

ExportInput TransmissionOf(base::SubjectId subject, std::string recipient) {
  ExportInput input;
  input.subject = subject;
  input.transmission = {std::move(recipient), AuthorisationOf('a')};
  return input;
}

}  // namespace hizo::vault
