// hizo purge: the files of the stores, written anew.
#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "hizo/v1/admin.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

std::string TextOf(const v1::Purge& purge) {
  Table table({"", ""});
  table.Add({"files written anew", std::to_string(purge.files_rewritten())});
  table.Add({"older files left", std::to_string(purge.files_left())});
  table.Add({"older state read meanwhile",
             purge.read_meanwhile() ? "yes: run it again later" : "no"});
  table.Add({"bytes of both stores", std::to_string(purge.bytes())});
  table.Add({"not spoken for",
             "spare blocks of the disk, its snapshots, backups and copies"});
  return table.Text();
}

absl::Status CheckDone(const v1::Purge& purge) {
  const bool sound = purge.reason() == v1::REASON_UNSPECIFIED &&
                     purge.files_left() == 0 && !purge.read_meanwhile();
  if (sound) return absl::OkStatus();
  const bool failed = purge.reason() != v1::REASON_UNSPECIFIED;
  return Fail(
      {.exit = failed ? ExitCode::kRefused : ExitCode::kNotVerified,
       .text = failed ? "it failed; the vault serves as before"
                      : "deleted values may be left in files; run it again",
       .reason = failed ? EnumName(*v1::Reason_descriptor(), purge.reason())
                        : std::string(),
       .field = {}});
}

class Purge : public Command {
 public:
  explicit Purge(CLI::App& app) {
    app.add_flag("--no-wait", no_wait_,
                 "Begin it only; `hizo status` tells what came of it");
  }

  absl::Status Run(Session& session) override {
    v1::RunPurgeRequest request;
    session.Fill(*request.mutable_context());
    v1::RunPurgeResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    if (no_wait_) {
      session.Print(response, "begun\n");
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(Await(session, *response.mutable_purge()));
    session.Print(response, TextOf(response.purge()));
    return CheckDone(response.purge());
  }

 private:
  static absl::Status Await(Session& session, v1::Purge& purge) {
    const std::string begun = purge.start_time().SerializeAsString();
    return session.Watch(
        [&session, &purge,
         &begun]() -> absl::StatusOr<std::optional<std::string>> {
          v1::GetStatusRequest request;
          session.Fill(*request.mutable_context());
          v1::GetStatusResponse status;
          RETURN_IF_ERROR(session.client.Call(request, status));
          // The server was started anew.
          if (status.purge().start_time().SerializeAsString() != begun) {
            return Fail({.text = "the vault knows nothing of it any more",
                         .reason = {},
                         .field = {}});
          }
          purge = status.purge();
          if (purge.has_end_time()) return std::nullopt;
          return std::string("writing the files anew");
        });
  }

  bool no_wait_ = false;
};

}  // namespace

void AddPurgeCommand(CommandLine& line) {
  line.Add<Purge>(
      line.root(),
      {"purge",
       "Write the files anew without what was deleted, while the vault serves; "
       "exit status 4 if something may be left",
       "  hizo purge\n  hizo purge --no-wait"});
}

}  // namespace hizo::cli
