// hizo bundle transmit: fetches a bundle for a registered recipient, who alone
// opens it, to be carried there.
#include <CLI/CLI.hpp>
#include <iomanip>
#include <sstream>

#include "crypto/digest.h"
#include "hizo/v1/export.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"
#include "service/cli/whole_file.h"

namespace hizo::cli {
namespace {

std::string Hex(std::string_view bytes) {
  std::ostringstream hex;
  for (const char c : bytes) {
    hex << std::hex << std::setw(2) << std::setfill('0')
        << static_cast<unsigned>(static_cast<unsigned char>(c));
  }
  return std::move(hex).str();
}

class BundleTransmit : public Command {
 public:
  explicit BundleTransmit(CLI::App& app) {
    AddSubjectOption(app, subject_);
    app.add_option("--to", recipient_, "Name of a registered recipient")
        ->required();
    app.add_option("--authorisation", authorisation_,
                   "UUID under which you keep the person's word for it")
        ->required();
    app.add_option("--out", out_, "The file to write")->required();
    app.add_option("--language", language_, "In which its page opens")
        ->check(CLI::IsMember({"en", "ja"}))
        ->default_val("en");
  }

  absl::Status Run(Session& session) override {
    v1::TransmitBundleRequest request;
    session.Fill(*request.mutable_context());
    request.set_subject(subject_);
    request.set_recipient(recipient_);
    request.set_authorisation(authorisation_);
    request.set_language(language_ == "ja" ? v1::BUNDLE_LANGUAGE_JAPANESE
                                           : v1::BUNDLE_LANGUAGE_ENGLISH);
    WholeFile file(out_);
    crypto::MinisignHash hash;
    crypto::Sha256Stream sent;
    v1::TransmitBundleResponse last;
    RETURN_IF_ERROR(session.client.TransmitBundle(
        request, [&](const v1::TransmitBundleResponse& piece) {
          hash.Add(piece.chunk());
          sent.Add(piece.chunk());
          last = piece;
          return file.Write(piece.chunk());
        }));
    RETURN_IF_ERROR(CheckSigned(last.public_key(), hash, last.signature()));
    if (crypto::AsBytes(sent.Sum()) != last.sha256()) {
      return Fail({.exit = ExitCode::kNotVerified,
                   .text = "what came is not what the vault has a receipt of",
                   .reason = "CUT_OR_CHANGED",
                   .field = {}});
    }
    RETURN_IF_ERROR(file.Finish());
    WholeFile signature(out_ + ".minisig");
    RETURN_IF_ERROR(signature.Write(last.signature()));
    RETURN_IF_ERROR(signature.Finish());
    Told(session, last);
    return absl::OkStatus();
  }

 private:
  void Told(const Session& session,
            const v1::TransmitBundleResponse& last) const {
    const std::string receipt = Hex(last.sha256());
    if (session.format == Format::kJson) {
      session.terminal.out << JsonText({{"bundle", last.bundle_id()},
                                        {"records", last.records()},
                                        {"recipient", recipient_},
                                        {"file", out_},
                                        {"sha256", receipt},
                                        {"public_key", last.public_key()}})
                           << '\n';
      return;
    }
    Table table({"", ""});
    table.Add({"bundle", last.bundle_id()});
    table.Add({"records", std::to_string(last.records())});
    table.Add({"for", recipient_});
    table.Add({"file", out_});
    table.Add({"receipt (SHA-256)", receipt});
    table.Add({"public key", last.public_key()});
    session.terminal.out << table.Text();
  }

  std::string subject_;
  std::string recipient_;
  std::string authorisation_;
  std::string out_;
  std::string language_;
};

}  // namespace

void AddBundleTransmitCommand(CommandLine& line, CLI::App& group) {
  line.Add<BundleTransmit>(
      group,
      {"transmit", "Make a bundle for a registered recipient to be taken there",
       "  hizo bundle transmit 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 --to "
       "other-shop --authorisation 0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2 --out "
       "sato.age"});
}

}  // namespace hizo::cli
