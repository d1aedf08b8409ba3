// hizo audit ...: who did what, and why.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "crypto/signed_note.h"
#include "hizo/v1/audit.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/audit_filter.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

constexpr int kPageSizeMax = 500;
constexpr int kLimitDefault = 50;

class AuditQuery : public Command {
 public:
  explicit AuditQuery(CLI::App& app) : filter_(app) {
    app.add_option("--limit", limit_, "At most this many events")
        ->default_val(kLimitDefault)
        ->check(CLI::PositiveNumber);
    app.add_flag("--oldest-first", oldest_first_, "Else newest first");
  }

  absl::Status Run(Session& session) override {
    v1::QueryAuditRequest request;
    session.Fill(*request.mutable_context());
    RETURN_IF_ERROR(filter_.Fill(request));
    request.set_oldest_first(oldest_first_);
    Table table(AuditHeader());
    int left = limit_;
    do {
      request.set_page_size(std::min(left, kPageSizeMax));
      v1::QueryAuditResponse page;
      RETURN_IF_ERROR(session.client.Call(request, page));
      for (const v1::AuditEvent& event : page.events()) {
        session.Print(event, "");
        table.Add(AuditRow(event));
      }
      left -= page.events_size();
      request.set_page_token(page.next_page_token());
    } while (left > 0 && !request.page_token().empty());
    if (session.format == Format::kTable) session.terminal.out << table.Text();
    return absl::OkStatus();
  }

 private:
  AuditFilter filter_;
  int limit_ = 0;
  bool oldest_first_ = false;
};

class AuditCheckpoint : public Command {
 public:
  explicit AuditCheckpoint(CLI::App& app) {
    app.add_option("--verify-with", verifier_key_,
                   "Verifier key that you trust; exit status 4 if the "
                   "checkpoint is not signed with it");
  }

  absl::Status Run(Session& session) override {
    v1::GetCheckpointRequest request;
    session.Fill(*request.mutable_context());
    v1::GetCheckpointResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, response.checkpoint());
    if (session.format == Format::kTable) {
      session.terminal.err << "verifier key: "
                           << Printable(response.verifier_key()) << '\n';
    }
    if (verifier_key_.empty() ||
        crypto::OpenNote(response.checkpoint(), verifier_key_).ok()) {
      return absl::OkStatus();
    }
    return Fail({.exit = ExitCode::kNotVerified,
                 .text = "the checkpoint is not signed with that key",
                 .reason = {},
                 .field = {}});
  }

 private:
  std::string verifier_key_;
};

}  // namespace

void AddAuditCommands(CommandLine& line) {
  CLI::App& group = line.Group(
      {"audit", "Ask who did what, and why", "  hizo audit query --limit 10"});
  line.Add<AuditQuery>(
      group,
      {"query", "Events, newest first",
       "  hizo audit query --outcome DENIED --since 2026-05-01\n"
       "  hizo audit query --subject 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
       "--action RECORD_GET --json\n"
       "  hizo audit query --field billing.billing_address --not-for-purpose "
       "billing --since 2026-02-01"});
  AddAuditTailCommand(line, group);
  line.Add<AuditCheckpoint>(
      group,
      {"checkpoint", "The signed head of the log, to be kept elsewhere",
       "  hizo audit checkpoint\n"
       "  hizo audit checkpoint --verify-with "
       "hizo/store+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"});
  AddAuditProofCommands(line, group);
  AddAuditExportCommands(line, group);
  AddAuditHistoryCommand(line, group);
  AddAuditBreachCommand(line, group);
}

}  // namespace hizo::cli
