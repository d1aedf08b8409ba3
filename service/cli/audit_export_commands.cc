// hizo audit export, verify: the log in a file, and whether it is what was
// signed.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "hizo/v1/audit.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/audit_file.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/input.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

namespace fs = std::filesystem;
using Form = AuditFileEntry::Form;

constexpr size_t kHashSize = sizeof(crypto::Digest);

absl::Status NotVerified(std::string text) {
  return Fail({.exit = ExitCode::kNotVerified,
               .text = std::move(text),
               .reason = {},
               .field = {}});
}

AuditFileEntry EntryOf(const v1::ExportedEntry& entry) {
  if (!entry.entry().empty()) return {Form::kEntry, entry.entry()};
  if (entry.leaf_hash().size() == kHashSize) {
    return {Form::kLeaf, entry.leaf_hash()};
  }
  return {Form::kGone, ""};
}

// Takes an export in as it comes.
class Taker {
 public:
  explicit Taker(std::ostream& out) : out_(out) {}

  void Take(const v1::ExportAuditResponse& message) {
    if (!writer_.has_value()) {
      writer_.emplace(out_, message.checkpoint());
      size_ = message.tree_size();
    }
    const auto count = static_cast<size_t>(message.entries_size());
    fits_ =
        fits_ && message.leaf_hashes().size() == count * kHashSize &&
        static_cast<uint64_t>(message.first_sequence()) == writer_->entries();
    if (!fits_) return;
    for (size_t i = 0; i < count; ++i) {
      crypto::Digest hash{};
      std::ranges::copy(message.leaf_hashes().substr(i * kHashSize, kHashSize),
                        hash.begin());
      writer_->Add(EntryOf(message.entries(static_cast<int>(i))), hash);
    }
  }
  absl::Status Finish() {
    if (!writer_.has_value() || !fits_ ||
        writer_->entries() != static_cast<uint64_t>(size_)) {
      return Fail({.text = "the vault did not send the whole log",
                   .reason = {},
                   .field = {}});
    }
    writer_->Finish();
    return absl::OkStatus();
  }
  uint64_t entries() const { return writer_->entries(); }

 private:
  std::ostream& out_;
  std::optional<AuditFileWriter> writer_;
  int64_t size_ = 0;
  bool fits_ = true;
};

class AuditExport : public Command {
 public:
  explicit AuditExport(CLI::App& app) {
    app.add_option("FILE", file_, "File to write; it must not exist")
        ->required();
  }

  absl::Status Run(Session& session) override {
    if (fs::exists(file_)) return UsageError(file_ + " exists");
    const std::string part = file_ + ".part";
    const absl::Status written = Write(session, part);
    std::error_code error;
    if (written.ok()) fs::rename(part, file_, error);
    if (!written.ok() || error) {
      std::remove(part.c_str());
      return written.ok() ? UsageError("cannot write " + file_) : written;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Write(Session& session, const std::string& part) const {
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    Taker taker(out);
    v1::ExportAuditRequest request;
    session.Fill(*request.mutable_context());
    RETURN_IF_ERROR(session.client.ExportAudit(
        request, [&taker](const v1::ExportAuditResponse& message) {
          taker.Take(message);
        }));
    RETURN_IF_ERROR(taker.Finish());
    out.close();
    if (!out) return UsageError("cannot write " + part);
    const auto entries = static_cast<int64_t>(taker.entries());
    session.terminal.out << (session.format == Format::kJson
                                 ? JsonText({{"entries", entries}})
                                 : std::to_string(entries) + " entries")
                         << '\n';
    return absl::OkStatus();
  }

  std::string file_;
};

class AuditVerify : public Command {
 public:
  explicit AuditVerify(CLI::App& app) {
    app.add_option("FILE", file_, "File that `hizo audit export` wrote")
        ->required();
    app.add_option("--key", key_, "Verifier key of the log, that you trust")
        ->required();
    app.add_option("--checkpoint", checkpoints_,
                   "File with an earlier checkpoint, which the log must "
                   "continue; may be given again");
  }

  // Needs no vault: that is what it is for.
  std::optional<absl::Status> RunAlone(Terminal& terminal) override {
    return Verify(terminal);
  }
  absl::Status Run(Session& session) override {
    return Verify(session.terminal);
  }

 private:
  absl::Status Verify(Terminal& terminal) const {
    std::vector<crypto::Checkpoint> earlier;
    for (const std::string& file : checkpoints_) {
      ASSIGN_OR_RETURN(const std::string note, ReadDocument(file, terminal));
      const auto checkpoint = crypto::OpenCheckpoint(note, key_);
      if (!checkpoint.ok()) {
        return NotVerified(file + " is not signed with that key");
      }
      earlier.push_back(*checkpoint);
    }
    std::ifstream in(file_, std::ios::binary);
    if (!in) return UsageError("cannot read " + file_);
    const AuditVerdict verdict = VerifyAuditFile(in, key_, earlier);
    if (!verdict.verified) {
      if (verdict.first_bad.has_value()) {
        terminal.out << "first bad entry: " << *verdict.first_bad << '\n';
      }
      return NotVerified(verdict.text);
    }
    terminal.out << "verified: " << verdict.entries << " entries, "
                 << verdict.shown << " of them shown\n";
    if (verdict.pruned > 0) {
      terminal.out << "pruned: the first " << verdict.pruned
                   << " entries, as the log says; their hashes are there\n";
    }
    return absl::OkStatus();
  }

  std::string file_;
  std::string key_;
  std::vector<std::string> checkpoints_;
};

}  // namespace

void AddAuditExportCommands(CommandLine& line, CLI::App& group) {
  line.Add<AuditExport>(
      group, {"export", "The whole log into a file, to be verified elsewhere",
              "  hizo audit export log.hizo-audit"});
  line.Add<AuditVerify>(
      group,
      {"verify",
       "Whether an exported log is what was signed; needs no vault. Names the "
       "first bad entry",
       "  hizo audit verify log.hizo-audit --checkpoint kept.checkpoint --key "
       "hizo/store+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"});
}

}  // namespace hizo::cli
