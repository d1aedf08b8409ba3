// hizo bundle ...: what a person is handed, made and checked.
#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "crypto/age.h"
#include "crypto/minisign.h"
#include "hizo/v1/export.pb.h"
#include "service/base/status_macros.h"
#include "service/bundle/reader.h"
#include "service/cli/bundle_input.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/input.h"
#include "service/cli/output.h"
#include "service/cli/whole_file.h"

namespace hizo::cli {
namespace {

// 64 MiB of memory for a moment.
constexpr unsigned kWorkFactor = 16;

// The vault encrypts to keys only; for a passphrase, to a key that lives as
// long as this does. What it sent is sealed anew here, so that the vault never
// learns the passphrase and nothing lies on the disk in the clear.
class Resealer {
 public:
  static absl::StatusOr<std::unique_ptr<Resealer>> Create(
      const crypto::Secret& passphrase) {
    auto writer = crypto::AgeWriter::ForPassphrase(passphrase, kWorkFactor);
    if (!writer.ok()) return UsageError(std::string(writer.status().message()));
    return std::unique_ptr<Resealer>(new Resealer(*std::move(writer)));
  }
  std::string recipient() const { return recipient_; }

  absl::StatusOr<std::string> Take(const std::string& bytes) {
    std::string plain;
    const absl::Status read = reader_->Read(bytes, plain);
    if (!read.ok()) return NotWhole();
    return Seal(plain);
  }
  absl::StatusOr<std::string> Finish() {
    std::string plain;
    if (!reader_->Finish(plain).ok()) return NotWhole();
    std::string out = Seal(plain);
    writer_.Finish(out);
    return out;
  }

 private:
  explicit Resealer(crypto::AgeWriter writer) : writer_(std::move(writer)) {
    crypto::AgeOpeners openers;
    openers.identities.push_back(crypto::AgeIdentity::Random());
    recipient_ = openers.identities.front().recipient().ToText();
    reader_.emplace(std::move(openers));
  }
  static absl::Status NotWhole() {
    return Fail({.exit = ExitCode::kNotVerified,
                 .text = "what the vault sent is no whole bundle",
                 .reason = "CUT_OR_CHANGED",
                 .field = {}});
  }
  std::string Seal(std::string& plain) {
    std::string out;
    writer_.Write(plain, out);
    crypto::WipeString(plain);
    return out;
  }
  crypto::AgeWriter writer_;
  std::string recipient_;
  std::optional<crypto::AgeReader> reader_;
};

class BundleExport : public Command {
 public:
  explicit BundleExport(CLI::App& app) {
    AddSubjectOption(app, subject_);
    auto* to = app.add_option("--to", recipient_,
                              "Who alone can open it: a key of age, age1...");
    app.add_flag("--passphrase", ask_, "Or whoever knows a passphrase; asked")
        ->excludes(to);
    app.add_option("--passphrase-file", passphrase_file_, "The same, in a file")
        ->excludes(to);
    app.add_option("--out", out_, "The file to write")->required();
    app.add_flag("--access", access_,
                 "Everything that the person may be told, not only what may be "
                 "taken elsewhere");
    app.add_option("--language", language_, "In which its page opens")
        ->check(CLI::IsMember({"en", "ja"}))
        ->default_val("en");
  }

  absl::Status Run(Session& session) override {
    v1::ExportBundleRequest request;
    session.Fill(*request.mutable_context());
    request.set_subject(subject_);
    request.set_selection(access_ ? v1::BUNDLE_SELECTION_ACCESS
                                  : v1::BUNDLE_SELECTION_PORTABILITY);
    request.set_language(language_ == "ja" ? v1::BUNDLE_LANGUAGE_JAPANESE
                                           : v1::BUNDLE_LANGUAGE_ENGLISH);
    RETURN_IF_ERROR(ChooseRecipient(session, request));
    WholeFile file(out_);
    crypto::MinisignHash hash;
    v1::ExportBundleResponse last;
    const absl::Status came = session.client.ExportBundle(
        request, [&](const v1::ExportBundleResponse& piece) -> absl::Status {
          hash.Add(piece.chunk());
          ASSIGN_OR_RETURN(const std::string bytes, Bytes(piece.chunk()));
          RETURN_IF_ERROR(file.Write(bytes));
          if (session.terminal.at_err == Presence::kPerson) {
            session.terminal.err << '\r' << piece.records() << " records"
                                 << std::flush;
          }
          last = piece;
          return absl::OkStatus();
        });
    RETURN_IF_ERROR(came);
    return Finish(session, file, hash, last);
  }

 private:
  absl::Status ChooseRecipient(Session& session,
                               v1::ExportBundleRequest& request) {
    if (!recipient_.empty()) {
      request.set_recipient(recipient_);
      return absl::OkStatus();
    }
    if (!ask_ && passphrase_file_.empty()) {
      return UsageError(
          "who may open it? Give --to, --passphrase or --passphrase-file");
    }
    ASSIGN_OR_RETURN(
        std::string text,
        ReadPassword(passphrase_file_, session.terminal, "Passphrase"));
    if (text.empty()) return UsageError("the passphrase is empty");
    const crypto::Secret passphrase = crypto::Secret::CopyOf(text);
    crypto::WipeString(text);
    ASSIGN_OR_RETURN(resealer_, Resealer::Create(passphrase));
    request.set_recipient(resealer_->recipient());
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Bytes(const std::string& chunk) {
    if (resealer_ == nullptr) return chunk;
    return resealer_->Take(chunk);
  }

  absl::Status Finish(const Session& session, WholeFile& file,
                      const crypto::MinisignHash& hash,
                      const v1::ExportBundleResponse& last) {
    RETURN_IF_ERROR(CheckSigned(last.public_key(), hash, last.signature()));
    if (resealer_ != nullptr) {
      ASSIGN_OR_RETURN(const std::string rest, resealer_->Finish());
      RETURN_IF_ERROR(file.Write(rest));
    }
    RETURN_IF_ERROR(file.Finish());
    // The vault signed its own file, not one that was sealed anew.
    if (resealer_ == nullptr) {
      WholeFile signature(out_ + ".minisig");
      RETURN_IF_ERROR(signature.Write(last.signature()));
      RETURN_IF_ERROR(signature.Finish());
    }
    Table table({"", ""});
    table.Add({"bundle", last.bundle_id()});
    table.Add({"records", std::to_string(last.records())});
    table.Add({"file", out_});
    table.Add({"public key", last.public_key()});
    if (session.format == Format::kJson) {
      session.terminal.out << JsonText({{"bundle", last.bundle_id()},
                                        {"records", last.records()},
                                        {"file", out_},
                                        {"public_key", last.public_key()}})
                           << '\n';
    } else {
      session.terminal.out << table.Text();
    }
    return absl::OkStatus();
  }

  std::string subject_;
  std::string recipient_;
  std::string passphrase_file_;
  std::string out_;
  std::string language_;
  bool ask_ = false;
  bool access_ = false;
  std::unique_ptr<Resealer> resealer_;
};

uint64_t RecordsOf(const bundle::Manifest& manifest) {
  uint64_t all = 0;
  for (const auto& [name, count] : manifest.records) all += count;
  return all;
}

// What the reader has found to hold.
std::string ProofText(const bundle::About& about) {
  if (!about.proof.has_value()) return ", under a signed head of its audit log";
  return ", with entry " + std::to_string(about.proof->sequence) +
         " proved to stand in its audit log";
}

class BundleVerify : public Command {
 public:
  explicit BundleVerify(CLI::App& app) : input_(app) {}

  absl::Status Run(Session&) override { return absl::OkStatus(); }
  std::optional<absl::Status> RunAlone(Terminal& terminal) override {
    const auto verified = input_.Read(
        terminal, [](const bundle::Member&) { return absl::OkStatus(); });
    if (!verified.ok()) return verified.status();
    const bundle::Manifest& manifest = verified->manifest;
    terminal.out << "good: " << manifest.members.size() << " files, "
                 << RecordsOf(manifest) << " records of "
                 << Printable(manifest.about.subject) << ", made by "
                 << Printable(manifest.about.origin) << " on "
                 << bundle::TimeText(manifest.about.created)
                 << ProofText(manifest.about) << '\n';
    return absl::OkStatus();
  }

 private:
  BundleInput input_;
};

class BundleShow : public Command {
 public:
  explicit BundleShow(CLI::App& app) : input_(app) {
    app.add_option("--member", member_,
                   "Print this file of the bundle instead of what it holds");
  }

  absl::Status Run(Session&) override { return absl::OkStatus(); }
  std::optional<absl::Status> RunAlone(Terminal& terminal) override {
    std::string content;
    bool found = false;
    const auto verified =
        input_.Read(terminal, [&](const bundle::Member& member) {
          if (member.name == member_) {
            content = member.content;
            found = true;
          }
          return absl::OkStatus();
        });
    if (!verified.ok()) return verified.status();
    if (member_ == bundle::kManifestName) {
      content = verified->manifest_json;
      found = true;
    }
    if (member_.empty()) {
      terminal.out << Summary(verified->manifest);
    } else if (found) {
      terminal.out << content;
    } else {
      return UsageError("the bundle has no such file");
    }
    return absl::OkStatus();
  }

 private:
  static std::string Summary(const bundle::Manifest& manifest) {
    Table about({"", ""});
    about.Add({"bundle", manifest.about.id});
    about.Add({"of", manifest.about.subject});
    about.Add({"made by", manifest.about.origin});
    about.Add({"made on", bundle::TimeText(manifest.about.created)});
    if (manifest.about.proof.has_value()) {
      about.Add({"audit log",
                 "entry " + std::to_string(manifest.about.proof->sequence) +
                     " proved"});
    }
    about.Add({"selection", std::string(NameOf(manifest.about.selection))});
    for (const auto& [name, count] : manifest.records) {
      about.Add({name, std::to_string(count) + " records"});
    }
    for (const bundle::Withheld& withheld : manifest.withheld) {
      about.Add({withheld.field, "not shown: " + withheld.why});
    }
    Table files({"FILE", "BYTES"});
    for (const bundle::Listed& listed : manifest.members) {
      files.Add({listed.name, std::to_string(listed.size)});
    }
    return about.Text() + '\n' + files.Text();
  }

  BundleInput input_;
  std::string member_;
};

}  // namespace

void AddBundleCommands(CommandLine& line) {
  CLI::App& group = line.Group(
      {"bundle", "Hand people their data, and check what was handed",
       "  hizo bundle verify sato.age --identity key.txt --key vault.pub"});
  line.Add<BundleExport>(
      group,
      {"export", "Make an encrypted, signed bundle of a person's data",
       "  hizo bundle export 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 --to "
       "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p --out "
       "sato.age\n"
       "  hizo bundle export 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 --passphrase "
       "--access --language ja --out sato.age"});
  line.Add<BundleVerify>(
      group,
      {"verify", "Check a bundle offline; exit status 4 if it is not good",
       "  hizo bundle verify sato.age --identity key.txt --key "
       "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"});
  AddBundleTransmitCommand(line, group);
  AddBundleImportCommand(line, group);
  line.Add<BundleShow>(
      group, {"show", "Check a bundle and show what it holds",
              "  hizo bundle show sato.age --identity key.txt --key vault.pub\n"
              "  hizo bundle show sato.age --identity key.txt --key vault.pub "
              "--member profile.json"});
}

}  // namespace hizo::cli
