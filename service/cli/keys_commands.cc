// hizo keys ...: the keys of the store.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string>

#include "hizo/v1/admin.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

constexpr int kPercent = 100;

class KeysRotate : public Command {
 public:
  explicit KeysRotate(CLI::App& app) {
    app.add_flag("--data-keys", data_keys_,
                 "Also new keys for every value, which are all written anew "
                 "with the next renewals");
    app.add_flag("--no-wait", no_wait_,
                 "Begin it only; `hizo status` tells how far it is");
  }

  absl::Status Run(Session& session) override {
    v1::RotateKeysRequest request;
    session.Fill(*request.mutable_context());
    request.set_data_keys(data_keys_);
    v1::RotateKeysResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    if (no_wait_) {
      session.Print(response, "begun\n");
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(Await(session));
    session.Print(response, "every level of the key tree has fresh keys\n");
    return absl::OkStatus();
  }

 private:
  static absl::Status Await(Session& session) {
    return session.Watch(
        [&session]() -> absl::StatusOr<std::optional<std::string>> {
          v1::GetStatusRequest request;
          session.Fill(*request.mutable_context());
          v1::GetStatusResponse status;
          RETURN_IF_ERROR(session.client.Call(request, status));
          if (!status.has_key_rotation()) return std::nullopt;
          const v1::KeyRotation& rotation = status.key_rotation();
          const int64_t percent = int64_t{rotation.buckets_done()} * kPercent /
                                  std::max(rotation.buckets(), 1);
          return std::to_string(percent) + " %";
        });
  }

  bool data_keys_ = false;
  bool no_wait_ = false;
};

}  // namespace

void AddKeysCommands(CommandLine& line) {
  CLI::App& group = line.Group(
      {"keys", "The keys that everything is under", "  hizo keys rotate"});
  line.Add<KeysRotate>(
      group, {"rotate", "Give the key tree fresh keys while the vault serves",
              "  hizo keys rotate\n  hizo keys rotate --data-keys --no-wait"});
}

}  // namespace hizo::cli
