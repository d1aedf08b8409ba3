// hizo audit breach: whom a breach concerns.
#include <CLI/CLI.hpp>

#include "crypto/checkpoint.h"
#include "hizo/v1/audit.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

// How many people of each kind.
struct Totals {
  int64_t notify = 0;
  int64_t masked_only = 0;
  int64_t nothing_shown = 0;
  int64_t erased_exposed = 0;
  int64_t erased_not_exposed = 0;
};

class AuditBreach : public Command {
 public:
  explicit AuditBreach(CLI::App& app) {
    app.add_option("--actor", actor_,
                   "SPIFFE id of the caller, or in the certificate, that was "
                   "taken");
    app.add_option("--class", class_, "Class of data");
    app.add_option("--since", since_, "From this time (RFC 3339) or date on");
    app.add_option("--until", until_, "Before this time or date");
    app.add_option("--verify-with", verifier_key_,
                   "Verifier key that you trust; exit status 4 if the head of "
                   "the log is not signed with it");
  }

  absl::Status Run(Session& session) override {
    v1::GetBreachScopeRequest request;
    session.Fill(*request.mutable_context());
    request.set_actor(actor_);
    request.set_record_class(class_);
    if (!since_.empty()) {
      RETURN_IF_ERROR(ParseTime(since_, *request.mutable_start_time()));
    }
    if (!until_.empty()) {
      RETURN_IF_ERROR(ParseTime(until_, *request.mutable_end_time()));
    }
    // Printed as they come: there may be a million.
    if (session.format == Format::kTable) {
      session.terminal.out << "SUBJECT\tNOTIFY\tREVEALED\tMASKED\tDENIED\t"
                              "OTHER\tFIRST\tLAST\tFIELDS\n";
    }
    Totals totals;
    v1::GetBreachScopeResponse last;
    std::string checkpoint;
    RETURN_IF_ERROR(session.client.GetBreachScope(
        request, [&](const v1::GetBreachScopeResponse& message) {
          Show(session, message, totals);
          if (!message.checkpoint().empty()) checkpoint = message.checkpoint();
          last = message;
        }));
    if (!last.next_page_token().empty()) {
      return Fail({.text = "the vault did not answer to the end",
                   .reason = {},
                   .field = {}});
    }
    Sum(session, last, totals, checkpoint);
    if (verifier_key_.empty() ||
        crypto::OpenCheckpoint(checkpoint, verifier_key_).ok()) {
      return absl::OkStatus();
    }
    return Fail({.exit = ExitCode::kNotVerified,
                 .text = "the checkpoint is not signed with that key",
                 .reason = {},
                 .field = {}});
  }

 private:
  static std::string Row(const v1::ExposedSubject& subject) {
    std::vector<std::string> fields;
    for (const v1::ExposedField& field : subject.fields()) {
      fields.push_back(field.field());
    }
    const v1::ExposedCalls& calls = subject.calls();
    return Join(
        std::vector<std::string>{
            subject.subject(), subject.notify() ? "yes" : "no",
            std::to_string(calls.revealed()), std::to_string(calls.masked()),
            std::to_string(calls.denied()), std::to_string(calls.other()),
            DisplayText(subject.first_time()), DisplayText(subject.last_time()),
            Join(fields, ", ")},
        "\t");
  }

  static void Show(Session& session, const v1::GetBreachScopeResponse& message,
                   Totals& totals) {
    for (const v1::ExposedSubject& subject : message.subjects()) {
      session.Print(subject, Row(subject) + "\n");
      if (subject.notify()) {
        ++totals.notify;
      } else if (subject.calls().masked() > 0) {
        ++totals.masked_only;
      } else {
        ++totals.nothing_shown;
      }
    }
    totals.erased_exposed += message.erased_exposed();
    totals.erased_not_exposed += message.erased_not_exposed();
  }

  static void Sum(Session& session, const v1::GetBreachScopeResponse& last,
                  const Totals& totals, const std::string& checkpoint) {
    if (session.format == Format::kJson) {
      session.terminal.out
          << JsonText({{"notify", totals.notify},
                       {"masked_only", totals.masked_only},
                       {"nothing_shown", totals.nothing_shown},
                       {"erased_exposed", totals.erased_exposed},
                       {"erased_not_exposed", totals.erased_not_exposed},
                       {"first_sequence", last.first_sequence()},
                       {"end_sequence", last.end_sequence()},
                       {"tree_size", last.tree_size()},
                       {"checkpoint", checkpoint}})
          << '\n';
      return;
    }
    session.terminal.out
        << "\nto be told:                " << totals.notify
        << "\nmasks shown only:          " << totals.masked_only
        << "\nnothing shown:             " << totals.nothing_shown
        << "\nerased since, exposed:     " << totals.erased_exposed
        << "\nerased since, not exposed: " << totals.erased_not_exposed
        << "\nentries of the log:        " << last.first_sequence() << " to "
        << last.end_sequence() - 1 << " of " << last.tree_size() << "\n\n"
        << Printable(checkpoint.substr(0, checkpoint.find('\n'))) << '\n';
    if (totals.erased_exposed > 0) {
      session.terminal.out
          << "People who were erased cannot be told; a public statement may be "
             "due.\n";
    }
  }

  std::string actor_;
  std::string class_;
  std::string since_;
  std::string until_;
  std::string verifier_key_;
};

}  // namespace

void AddAuditBreachCommand(CommandLine& line, CLI::App& group) {
  line.Add<AuditBreach>(
      group, {"breach", "Whom a breach concerns, and what was seen of each",
              "  hizo audit breach --actor spiffe://hizo.example/acme/support "
              "--since 2026-05-01 --until 2026-05-03\n"
              "  hizo audit breach --class billing --since 2026-05-01 --json"});
}

}  // namespace hizo::cli
