// hizo bundle import: takes a bundle into a vault.
//
// The bundle is read through before a byte is sent, so that one that is not
// good leaves nothing behind. Each piece has a request id that follows from
// what it is, so that an import that broke off can be run again.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>
#include <vector>

#include "crypto/digest.h"
#include "hizo/v1/export.pb.h"
#include "service/base/ids.h"
#include "service/base/status_macros.h"
#include "service/bundle/documents.h"
#include "service/cli/bundle_input.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

constexpr size_t kRecordsPerPiece = 100;

class BundleImport : public Command {
 public:
  explicit BundleImport(CLI::App& app) : input_(app) {}

  absl::Status Run(Session& session) override {
    std::string profile;
    ASSIGN_OR_RETURN(
        verified_,
        input_.Read(session.terminal, [&](const bundle::Member& member) {
          if (member.name == bundle::kProfileName) profile = member.content;
          return absl::OkStatus();
        }));
    RETURN_IF_ERROR(
        Send(session, {PieceOf(session, {bundle::kProfileName, profile})}));
    if (subject_.empty()) return Told(session);
    const auto again =
        input_.Read(session.terminal, [&](const bundle::Member& member) {
          return SendSeries(session, member);
        });
    RETURN_IF_ERROR(again.status());
    return Told(session);
  }

 private:
  v1::ImportBundleRequest PieceOf(const Session& session,
                                  const bundle::Member& member) const {
    v1::ImportBundleRequest piece;
    session.Fill(*piece.mutable_context());
    piece.set_manifest(verified_.manifest_json);
    piece.set_signature(verified_.signature);
    piece.set_member(member.name);
    piece.set_content(member.content);
    return piece;
  }

  absl::Status SendSeries(Session& session, const bundle::Member& member) {
    const auto records = bundle::RecordsOf(verified_.manifest, member);
    if (!records.ok()) return records.status();
    if (member.name == bundle::kProfileName) return absl::OkStatus();
    std::vector<v1::ImportBundleRequest> pieces;
    for (size_t at = 0; at < records->size(); at += kRecordsPerPiece) {
      v1::ImportBundleRequest piece = PieceOf(session, member);
      piece.set_subject(subject_);
      piece.set_first_record(static_cast<int32_t>(at));
      piece.set_record_count(static_cast<int32_t>(
          std::min(kRecordsPerPiece, records->size() - at)));
      pieces.push_back(std::move(piece));
    }
    return Send(session, std::move(pieces));
  }

  // The same for the same piece: the first half of a hash of it.
  static std::string IdOf(const v1::ImportBundleRequest& piece) {
    const crypto::Digest hash = crypto::Sha256(piece.SerializeAsString());
    return base::UuidText(
        crypto::AsBytes(hash).substr(0, base::RequestId::kSize));
  }

  absl::Status Send(Session& session,
                    std::vector<v1::ImportBundleRequest> pieces) {
    if (pieces.empty()) return absl::OkStatus();
    for (v1::ImportBundleRequest& piece : pieces) {
      piece.mutable_context()->set_request_id(IdOf(piece));
    }
    v1::ImportBundleResponse response;
    RETURN_IF_ERROR(session.client.ImportBundle(pieces, response));
    for (int i = 0; i < response.items_size(); ++i) {
      Take(session, pieces[static_cast<size_t>(i)], response.items(i));
    }
    return absl::OkStatus();
  }

  void Take(const Session& session, const v1::ImportBundleRequest& piece,
            const v1::ImportBundleItem& item) {
    if (session.format == Format::kJson) {
      session.terminal.out << JsonText({{"member", piece.member()},
                                        {"first_record", piece.first_record()}},
                                       item)
                           << '\n';
    }
    if (item.reason() != v1::REASON_UNSPECIFIED) {
      if (refused_++ == 0) {
        reason_ = EnumName(*v1::Reason_descriptor(), item.reason());
        field_ = item.field();
      }
      return;
    }
    if (subject_.empty()) subject_ = item.subject();
    records_ += item.records();
    repeated_ = repeated_ || item.repeated_request();
  }

  absl::Status Told(const Session& session) const {
    if (session.format == Format::kTable && !subject_.empty()) {
      Table table({"", ""});
      table.Add({"subject", subject_});
      table.Add({"records", std::to_string(records_)});
      if (repeated_) table.Add({"", "some had been taken in before"});
      session.terminal.out << table.Text();
    }
    if (refused_ == 0) return absl::OkStatus();
    return Fail({.exit = ExitCode::kRefused,
                 .text = std::to_string(refused_) + " pieces were refused",
                 .reason = reason_,
                 .field = field_});
  }

  BundleInput input_;
  bundle::Verified verified_;
  std::string subject_;
  int64_t records_ = 0;
  int refused_ = 0;
  bool repeated_ = false;
  std::string reason_;  // of the first refusal
  std::string field_;
};

}  // namespace

void AddBundleImportCommand(CommandLine& line, CLI::App& group) {
  line.Add<BundleImport>(
      group,
      {"import", "Take a bundle in, as a new person; a repeat changes nothing",
       "  hizo bundle import sato.age --identity key.txt --key vault.pub"});
}

}  // namespace hizo::cli
