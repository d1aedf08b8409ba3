// hizo retention ...: what is no longer to be kept.
#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "hizo/v1/retention.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

std::string StateText(v1::DueState state) {
  constexpr std::string_view kPrefix = "DUE_STATE_";
  std::string name = EnumName(*v1::DueState_descriptor(), state);
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

class RetentionDue : public Command {
 public:
  explicit RetentionDue(CLI::App& app) {
    app.add_option("--as-of", as_of_,
                   "A day or time, which may be yet to come; now without it");
  }

  absl::Status Run(Session& session) override {
    Table table({"CLASS", "STATE", "ENDED", "ENTRIES", "SUBJECT"});
    v1::ListDueResponse all;
    v1::ListDueRequest request;
    session.Fill(*request.mutable_context());
    if (!as_of_.empty()) {
      RETURN_IF_ERROR(ParseTime(as_of_, *request.mutable_as_of()));
    }
    do {
      v1::ListDueResponse page;
      RETURN_IF_ERROR(session.client.Call(request, page));
      for (const v1::DueEntries& due : page.due()) {
        table.Add({due.record_class(), StateText(due.state()), due.end_date(),
                   due.subject().empty() ? "" : std::to_string(due.entries()),
                   due.subject()});
      }
      all.MergeFrom(page);
      all.set_next_page_token("");
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    session.Print(all, all.due().empty() ? "nothing is due\n" : table.Text());
    return absl::OkStatus();
  }

 private:
  std::string as_of_;
};

std::string TextOf(const v1::RetentionRun& run) {
  Table table({"", ""});
  table.Add({"as of", DisplayText(run.as_of())});
  table.Add({"entries deleted", std::to_string(run.entries_ended())});
  table.Add(
      {"entries held, or only kept", std::to_string(run.entries_blocked())});
  table.Add(
      {"periods whose keys are gone", std::to_string(run.periods_ended())});
  table.Add({"erased people finished", std::to_string(run.people_finished())});
  return table.Text();
}

class RetentionRunNow : public Command {
 public:
  explicit RetentionRunNow(CLI::App& app) {
    app.add_option("--as-of", as_of_,
                   "End what was over then: a day or time that is past");
    app.add_flag("--no-wait", no_wait_, "Begin it only");
  }

  absl::Status Run(Session& session) override {
    v1::RunRetentionRequest request;
    session.Fill(*request.mutable_context());
    if (!as_of_.empty()) {
      RETURN_IF_ERROR(ParseTime(as_of_, *request.mutable_as_of()));
    }
    v1::RunRetentionResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    if (no_wait_) {
      session.Print(response, "begun\n");
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(Await(session, *response.mutable_run()));
    session.Print(response, TextOf(response.run()));
    if (response.run().reason() == v1::REASON_UNSPECIFIED) {
      return absl::OkStatus();
    }
    return Fail(
        {.text = "it failed; the next run goes on",
         .reason = EnumName(*v1::Reason_descriptor(), response.run().reason()),
         .field = {}});
  }

 private:
  static absl::Status Await(Session& session, v1::RetentionRun& run) {
    const std::string begun = run.start_time().SerializeAsString();
    return session.Watch(
        [&session, &run,
         &begun]() -> absl::StatusOr<std::optional<std::string>> {
          v1::ListDueRequest request;
          session.Fill(*request.mutable_context());
          request.set_page_size(1);
          v1::ListDueResponse page;
          RETURN_IF_ERROR(session.client.Call(request, page));
          // The server was started anew.
          if (page.newest_run().start_time().SerializeAsString() != begun) {
            return Fail({.text = "the vault knows nothing of it any more",
                         .reason = {},
                         .field = {}});
          }
          run = page.newest_run();
          if (run.has_end_time()) return std::nullopt;
          return std::to_string(run.entries_ended()) + " entries deleted";
        });
  }

  std::string as_of_;
  bool no_wait_ = false;
};

class RetentionLossYear : public Command {
 public:
  explicit RetentionLossYear(CLI::App& app) {
    app.add_option("year_ends", year_ends_, "Its last day, YYYY-MM-DD")
        ->required();
    app.add_option("--class", record_class_, "Class in the catalogue")
        ->default_val("transaction");
  }

  absl::Status Run(Session& session) override {
    v1::MarkLossYearRequest request;
    session.Fill(*request.mutable_context());
    request.set_record_class(record_class_);
    request.set_year_ends(year_ends_);
    v1::MarkLossYearResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, "kept until " + Printable(response.until()) + ": " +
                                Printable(response.law()) + "\n");
    return absl::OkStatus();
  }

 private:
  std::string year_ends_;
  std::string record_class_;
};

}  // namespace

void AddRetentionCommands(CommandLine& line) {
  CLI::App& group = line.Group({"retention", "End what is no longer to be kept",
                                "  hizo retention due\n  hizo retention run"});
  line.Add<RetentionDue>(
      group, {"due", "List whose time is over, and what stands in its way",
              "  hizo retention due\n  hizo retention due --as-of 2027-04-10"});
  line.Add<RetentionRunNow>(
      group, {"run", "End what is over, which the vault also does once a day",
              "  hizo retention run\n  hizo retention run --as-of 2027-04-10"});
  line.Add<RetentionLossYear>(
      group,
      {"loss-year", "Have the records of a fiscal year of a loss kept longer",
       "  hizo retention loss-year 2027-03-31"});
}

}  // namespace hizo::cli
