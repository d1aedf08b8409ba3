// hizo status: how the vault is.
#include <CLI/CLI.hpp>

#include "hizo/v1/admin.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

std::string PolicyText(const v1::TenantPolicy& policy) {
  const std::string text =
      policy.profile_id() + " version " + std::to_string(policy.version());
  if (!policy.activated()) return text + ", from the configured files";
  return text + (policy.files_differ()
                     ? ", activated; the configured files say something else"
                     : ", activated");
}

std::string PurgeText(const v1::GetStatusResponse& status) {
  const v1::Purge& purge = status.purge();
  if (!status.has_purge()) return "none since then";
  if (!purge.has_end_time()) return "under way";
  const std::string ended = DisplayText(purge.end_time());
  if (purge.reason() != v1::REASON_UNSPECIFIED) return ended + ", failed";
  const bool sound = purge.files_left() == 0 && !purge.read_meanwhile();
  return ended + (sound ? ", nothing left" : ", something may be left");
}

std::string ReplicaText(const v1::GetStatusResponse& status) {
  switch (status.replica_state()) {
    case v1::REPLICA_STATE_IN_STEP:
      return "in step";
    case v1::REPLICA_STATE_CATCHING_UP:
      return "catching up, " + std::to_string(status.replica_rows()) +
             " rows compared";
    case v1::REPLICA_STATE_BEHIND:
      return "BEHIND: nothing is sealed until it is written again";
    default:
      return "none";
  }
}

class Status : public Command {
 public:
  explicit Status(CLI::App&) {}

  absl::Status Run(Session& session) override {
    v1::GetStatusRequest request;
    session.Fill(*request.mutable_context());
    v1::GetStatusResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    Table table({"", ""});
    table.Add({"version", response.version()});
    table.Add({"store", response.store()});
    table.Add({"ready since", DisplayText(response.start_time())});
    table.Add({"audit events", std::to_string(response.audit_events())});
    table.Add(
        {"of these anchored", std::to_string(response.anchored_events())});
    table.Add({"root slots", std::to_string(response.healthy_slots()) + " of " +
                                 std::to_string(response.slots())});
    table.Add({"key epoch", std::to_string(response.key_epoch())});
    if (response.has_key_rotation()) {
      table.Add(
          {"keys rotated",
           std::to_string(response.key_rotation().buckets_done()) + " of " +
               std::to_string(response.key_rotation().buckets()) + " buckets"});
    }
    table.Add({"memory locked", response.memory_locked() ? "yes" : "no"});
    table.Add({"waiting commits", std::to_string(response.commit_queue())});
    table.Add({"waiting passwords", std::to_string(response.password_queue())});
    table.Add({"password hash takes",
               std::to_string(response.password_milliseconds()) + " ms"});
    for (const v1::CallerWait& wait : response.waiting_callers()) {
      table.Add({"waits after wrong passwords",
                 wait.caller() + " until " + DisplayText(wait.until_time())});
    }
    table.Add(
        {"certificate until", DisplayText(response.certificate_expire_time())});
    table.Add({"certificates refused",
               std::to_string(response.certificate_reload_failures())});
    table.Add({"newest backup", response.has_backup_time()
                                    ? DisplayText(response.backup_time())
                                    : "none"});
    table.Add({"replica", ReplicaText(response)});
    table.Add({"newest purge", PurgeText(response)});
    for (const v1::TenantPolicy& policy : response.policies()) {
      table.Add({"policy of " + policy.tenant(), PolicyText(policy)});
    }
    session.Print(response, table.Text());
    return absl::OkStatus();
  }
};

}  // namespace

void AddStatusCommand(CommandLine& line) {
  line.Add<Status>(line.root(), {"status", "How the vault is",
                                 "  hizo status\n  hizo status --json"});
}

}  // namespace hizo::cli
