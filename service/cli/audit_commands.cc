// hizo audit ...: who did what, and why.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/ascii.h"
#include "crypto/signed_note.h"
#include "hizo/v1/audit.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

constexpr int kPageSizeMax = 500;
constexpr int kLimitDefault = 50;

// `text` as in the output, such as SUBJECT_FIND, in either case.
template <typename Enum>
absl::Status ParseName(const std::string& prefix, const std::string& text,
                       const auto& parse, Enum& value) {
  if (parse(prefix + absl::AsciiStrToUpper(text), &value)) {
    return absl::OkStatus();
  }
  return UsageError("--action or --outcome is not one; see --help");
}

std::string Actions() {
  std::vector<std::string> names;
  for (int i = v1::Action_MIN + 1; i <= v1::Action_MAX; ++i) {
    names.push_back(EnumName(*v1::Action_descriptor(), i));
  }
  return Join(names, ", ");
}

std::vector<std::string> Row(const v1::AuditEvent& event) {
  const std::string reason =
      event.reason() == v1::REASON_UNSPECIFIED
          ? ""
          : EnumName(*v1::Reason_descriptor(), event.reason());
  return {std::to_string(event.sequence()),
          DisplayText(event.time()),
          event.actor(),
          EnumName(*v1::Action_descriptor(), event.action()),
          EnumName(*v1::Outcome_descriptor(), event.outcome()),
          reason,
          event.purpose(),
          event.subject().empty() ? event.subject_reference() : event.subject(),
          Join(event.fields(), ", ")};
}

class AuditQuery : public Command {
 public:
  explicit AuditQuery(CLI::App& app) {
    app.add_option("--subject", subject_, "UUID of a person");
    app.add_option("--actor", actor_, "SPIFFE id of a caller");
    app.add_option("--action", action_, Actions());
    app.add_option("--outcome", outcome_, "ALLOWED, DENIED or FAILED");
    app.add_option("--since", since_, "From this time (RFC 3339) or date on");
    app.add_option("--until", until_, "Before this time or date");
    app.add_option("--limit", limit_, "At most this many events")
        ->default_val(kLimitDefault)
        ->check(CLI::PositiveNumber);
    app.add_flag("--oldest-first", oldest_first_, "Else newest first");
  }

  absl::Status Run(Session& session) override {
    v1::QueryAuditRequest request;
    session.Fill(*request.mutable_context());
    RETURN_IF_ERROR(Fill(request));
    Table table({"SEQUENCE", "TIME", "ACTOR", "ACTION", "OUTCOME", "REASON",
                 "PURPOSE", "SUBJECT", "FIELDS"});
    int left = limit_;
    do {
      request.set_page_size(std::min(left, kPageSizeMax));
      v1::QueryAuditResponse page;
      RETURN_IF_ERROR(session.client.Call(request, page));
      for (const v1::AuditEvent& event : page.events()) {
        session.Print(event, "");
        table.Add(Row(event));
      }
      left -= page.events_size();
      request.set_page_token(page.next_page_token());
    } while (left > 0 && !request.page_token().empty());
    if (session.format == Format::kTable) session.terminal.out << table.Text();
    return absl::OkStatus();
  }

 private:
  absl::Status Fill(v1::QueryAuditRequest& request) const {
    request.set_subject(subject_);
    request.set_actor(actor_);
    request.set_oldest_first(oldest_first_);
    if (!action_.empty()) {
      v1::Action action = v1::ACTION_UNSPECIFIED;
      RETURN_IF_ERROR(ParseName("ACTION_", action_, v1::Action_Parse, action));
      request.set_action(action);
    }
    if (!outcome_.empty()) {
      v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
      RETURN_IF_ERROR(
          ParseName("OUTCOME_", outcome_, v1::Outcome_Parse, outcome));
      request.set_outcome(outcome);
    }
    if (!since_.empty()) {
      RETURN_IF_ERROR(ParseTime(since_, *request.mutable_start_time()));
    }
    if (!until_.empty()) {
      RETURN_IF_ERROR(ParseTime(until_, *request.mutable_end_time()));
    }
    return absl::OkStatus();
  }

  std::string subject_;
  std::string actor_;
  std::string action_;
  std::string outcome_;
  std::string since_;
  std::string until_;
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
       "--action RECORD_GET --json"});
  line.Add<AuditCheckpoint>(
      group,
      {"checkpoint", "The signed head of the log, to be kept elsewhere",
       "  hizo audit checkpoint\n"
       "  hizo audit checkpoint --verify-with "
       "hizo/store+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"});
}

}  // namespace hizo::cli
