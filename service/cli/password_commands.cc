// hizo password ...: passwords, which never come from the command line itself,
// where other users of the machine could read them.
#include <CLI/CLI.hpp>

#include "crypto/secret.h"
#include "hizo/v1/credential.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/input.h"
#include "service/cli/output.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

constexpr char kPasswordFileHelp[] =
    "File with the password; asked for or read from stdin if not given";

// Reads the password into `request`, calls, and wipes it again. gRPC keeps
// copies of its own until the process ends.
template <typename Request, typename Response>
absl::Status CallWithPassword(Session& session, const std::string& file,
                              Request& request, Response& response) {
  ASSIGN_OR_RETURN(*request.mutable_password(),
                   ReadPassword(file, session.terminal));
  absl::Status status = session.client.Call(request, response);
  crypto::WipeString(*request.mutable_password());
  return status;
}

class PasswordSet : public Command {
 public:
  explicit PasswordSet(CLI::App& app) {
    app.add_option("subject", subject_, "UUID of the person")->required();
    app.add_option("--password-file", password_file_, kPasswordFileHelp);
  }

  absl::Status Run(Session& session) override {
    v1::SetPasswordRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    v1::SetPasswordResponse response;
    RETURN_IF_ERROR(
        CallWithPassword(session, password_file_, request, response));
    session.Print(response, "the password is set\n");
    return absl::OkStatus();
  }

 private:
  std::string subject_;
  std::string password_file_;
};

class PasswordVerify : public Command {
 public:
  explicit PasswordVerify(CLI::App& app) {
    CLI::Option* subject =
        app.add_option("subject", subject_, "UUID of the person");
    app.add_option("--by", by_,
                   "FIELD=VALUE that finds the person instead; other users of "
                   "this machine can see it")
        ->excludes(subject);
    app.add_option("--password-file", password_file_, kPasswordFileHelp);
  }

  absl::Status Run(Session& session) override {
    v1::VerifyPasswordRequest request;
    session.Fill(*request.mutable_context());
    if (!by_.empty()) {
      RETURN_IF_ERROR(ParseLookup(by_, *request.mutable_key()));
    } else if (!subject_.empty()) {
      request.set_subject(subject_);
    } else {
      return UsageError("whose password? give a subject or --by");
    }
    v1::VerifyPasswordResponse response;
    RETURN_IF_ERROR(
        CallWithPassword(session, password_file_, request, response));
    if (response.verified()) {
      session.Print(response,
                    "the password is right: " + response.subject() + '\n');
      return absl::OkStatus();
    }
    session.Print(response, "");
    return Fail({.exit = ExitCode::kNotVerified,
                 .text = "the password is not right",
                 .reason = {},
                 .field = {}});
  }

 private:
  std::string subject_;
  std::string by_;
  std::string password_file_;
};

}  // namespace

void AddPasswordCommands(CommandLine& line) {
  CLI::App& group = line.Group(
      {"password", "Set and check passwords",
       "  hizo password verify --by account.email=hanako@example.com"});
  line.Add<PasswordSet>(
      group, {"set", "Set a person's password",
              "  hizo password set 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10\n"
              "  hizo password set 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
              "--password-file secret.txt"});
  line.Add<PasswordVerify>(
      group, {"verify", "Check a password; exit status 4 if it is not right",
              "  hizo password verify 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10\n"
              "  hizo password verify --by account.email=hanako@example.com "
              "--password-file secret.txt"});
}

}  // namespace hizo::cli
