#include "service/cli/bundle_input.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <utility>

#include "service/base/status_macros.h"
#include "service/bundle/refusal.h"
#include "service/cli/failure.h"
#include "service/cli/input.h"

namespace hizo::cli {
namespace {

constexpr size_t kKeyFileMax = size_t{64} << 10;
constexpr size_t kPieceSize = size_t{256} << 10;

}  // namespace

BundleInput::BundleInput(CLI::App& app) {
  app.add_option("file", file_, "The bundle")->required();
  app.add_option("--key", key_,
                 "Public key of the vault that you trust: RW..., or a file "
                 "that holds it")
      ->required();
  auto* identity = app.add_option("--identity", identity_,
                                  "Your private key, a file of age-keygen");
  app.add_flag("--passphrase", ask_, "Or ask for a passphrase")
      ->excludes(identity);
  app.add_option("--passphrase-file", passphrase_file_, "The same, in a file")
      ->excludes(identity);
}

absl::StatusOr<bundle::Verified> BundleInput::Read(
    Terminal& terminal, const bundle::TakeMember& take) {
  ASSIGN_OR_RETURN(crypto::AgeOpeners openers, Openers(terminal));
  std::string key = key_;
  if (std::filesystem::exists(key)) {
    ASSIGN_OR_RETURN(key, ReadFile(key_, kKeyFileMax));
  }
  std::ifstream in(file_, std::ios::binary);
  if (!in) return UsageError(file_ + " cannot be read");
  const bundle::Bytes bytes = [&in]() -> absl::StatusOr<std::string> {
    std::string piece(kPieceSize, '\0');
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    piece.resize(static_cast<size_t>(in.gcount()));
    return piece;
  };
  auto verified = bundle::ReadBundle(bytes, std::move(openers), key, take);
  if (verified.ok()) return verified;
  const auto refusal = bundle::RefusalOf(verified.status());
  if (!refusal.has_value()) return verified.status();
  return Fail({.exit = ExitCode::kNotVerified,
               .text = std::string(verified.status().message()),
               .reason = std::string(bundle::NameOf(*refusal)),
               .field = {}});
}

absl::StatusOr<crypto::AgeOpeners> BundleInput::Openers(Terminal& terminal) {
  crypto::AgeOpeners openers;
  if (!identity_.empty()) {
    ASSIGN_OR_RETURN(std::string text, ReadFile(identity_, kKeyFileMax));
    auto identity = crypto::AgeIdentity::ParseFile(text);
    crypto::WipeString(text);
    if (!identity.ok()) return UsageError(identity_ + " holds no key of age");
    openers.identities.push_back(*std::move(identity));
    return openers;
  }
  if (!ask_ && passphrase_file_.empty()) {
    return UsageError(
        "what opens it? Give --identity, --passphrase or --passphrase-file");
  }
  if (!passphrase_.has_value()) {
    ASSIGN_OR_RETURN(std::string text,
                     ReadPassword(passphrase_file_, terminal, "Passphrase"));
    if (text.empty()) return UsageError("the passphrase is empty");
    passphrase_ = crypto::Secret::CopyOf(text);
    crypto::WipeString(text);
  }
  openers.passphrase = crypto::Secret::CopyOf(passphrase_->Expose());
  return openers;
}

}  // namespace hizo::cli
