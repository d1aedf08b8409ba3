// hizo password ...: passwords, which never come from the command line itself,
// where other users of the machine could read them.
#include <CLI/CLI.hpp>

#include "crypto/secret.h"
#include "hizo/v1/credential.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/about_subject.h"
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

absl::Status NotRight() {
  return Fail({.exit = ExitCode::kNotVerified,
               .text = "the password is not right",
               .reason = {},
               .field = {}});
}

class PasswordSet : public Command {
 public:
  explicit PasswordSet(CLI::App& app) {
    AddSubjectOption(app, subject_);
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
    return NotRight();
  }

 private:
  std::string subject_;
  std::string by_;
  std::string password_file_;
};

std::string TextOf(const v1::CredentialState& state) {
  Table table({"", ""});
  table.Add({"password", state.has_password() ? "set" : "none"});
  table.Add({"wrong of late", std::to_string(state.wrong_guesses())});
  table.Add({"waits until", state.has_wait_until_time()
                                ? DisplayText(state.wait_until_time())
                                : "no wait"});
  return table.Text();
}

class PasswordChange : public Command {
 public:
  explicit PasswordChange(CLI::App& app) {
    AddSubjectOption(app, subject_);
    app.add_option("--password-file", password_file_,
                   "File with the present password; asked for or read from "
                   "stdin, first line, if not given");
    app.add_option("--new-password-file", new_password_file_,
                   "File with the new password; asked for or read from stdin, "
                   "next line, if not given");
  }

  absl::Status Run(Session& session) override {
    v1::ChangePasswordRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    ASSIGN_OR_RETURN(
        *request.mutable_password(),
        ReadPassword(password_file_, session.terminal, "Present password"));
    ASSIGN_OR_RETURN(
        *request.mutable_new_password(),
        ReadPassword(new_password_file_, session.terminal, "New password"));
    v1::ChangePasswordResponse response;
    const absl::Status status = session.client.Call(request, response);
    crypto::WipeString(*request.mutable_password());
    crypto::WipeString(*request.mutable_new_password());
    RETURN_IF_ERROR(status);
    if (response.changed()) {
      session.Print(response, "the password is changed\n");
      return absl::OkStatus();
    }
    session.Print(response, "");
    return NotRight();
  }

 private:
  std::string subject_;
  std::string password_file_;
  std::string new_password_file_;
};

class PasswordImportHash : public Command {
 public:
  explicit PasswordImportHash(CLI::App& app) {
    AddSubjectOption(app, subject_);
    app.add_option("--hash-file", hash_file_,
                   "File with the bcrypt hash; read from stdin if not given");
  }

  absl::Status Run(Session& session) override {
    v1::ImportPasswordHashRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    ASSIGN_OR_RETURN(*request.mutable_hash(),
                     ReadPassword(hash_file_, session.terminal, "Hash"));
    v1::ImportPasswordHashResponse response;
    const absl::Status status = session.client.Call(request, response);
    crypto::WipeString(*request.mutable_hash());
    RETURN_IF_ERROR(status);
    session.Print(response, "the hash is taken over\n");
    return absl::OkStatus();
  }

 private:
  std::string subject_;
  std::string hash_file_;
};

class PasswordRevoke
    : public AboutSubject<v1::RevokeCredentialsRequest,
                          v1::RevokeCredentialsResponse, &Session::FillWrite> {
 public:
  using AboutSubject::AboutSubject;

 private:
  std::string Say(const v1::RevokeCredentialsResponse&) const override {
    return "the person has no password now\n";
  }
};

class PasswordState
    : public AboutSubject<v1::GetCredentialStateRequest,
                          v1::GetCredentialStateResponse, &Session::Fill> {
 public:
  using AboutSubject::AboutSubject;

 private:
  std::string Say(
      const v1::GetCredentialStateResponse& response) const override {
    return TextOf(response.state());
  }
};

class PasswordUnlock
    : public AboutSubject<v1::UnlockCredentialsRequest,
                          v1::UnlockCredentialsResponse, &Session::FillWrite> {
 public:
  using AboutSubject::AboutSubject;

 private:
  std::string Say(
      const v1::UnlockCredentialsResponse& response) const override {
    return "unlocked; before, it was\n" + TextOf(response.state());
  }
};

class PasswordUnlockCaller : public Command {
 public:
  explicit PasswordUnlockCaller(CLI::App& app) {
    app.add_option("caller", caller_,
                   "SPIFFE id of the caller; `hizo status` lists who waits")
        ->required();
  }

  absl::Status Run(Session& session) override {
    v1::UnlockCallerRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_caller(caller_);
    v1::UnlockCallerResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, "unlocked; it would have had to wait " +
                                std::to_string(response.seconds_left()) +
                                " s more\n");
    return absl::OkStatus();
  }

 private:
  std::string caller_;
};

class PasswordRotatePepper : public Command {
 public:
  explicit PasswordRotatePepper(CLI::App&) {}

  absl::Status Run(Session& session) override {
    v1::RotatePepperRequest request;
    session.FillWrite(*request.mutable_context());
    v1::RotatePepperResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response,
                  "pepper " + std::to_string(response.pepper()) +
                      " makes new hashes; others follow as people sign in\n");
    return absl::OkStatus();
  }
};

void AddMoreCommands(CommandLine& line, CLI::App& group) {
  line.Add<PasswordChange>(
      group, {"change", "Set another password, against the present one",
              "  hizo password change 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10"});
  line.Add<PasswordImportHash>(
      group,
      {"import-hash", "Take over the bcrypt hash that another system kept",
       "  hizo password import-hash 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
       "--hash-file hash.txt"});
  line.Add<PasswordRevoke>(
      group, {"revoke", "Take a person's password away",
              "  hizo password revoke 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10"});
  line.Add<PasswordState>(
      group, {"state",
              "Whether there is a password, and a wait after wrong "
              "ones",
              "  hizo password state 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10"});
  line.Add<PasswordUnlock>(
      group, {"unlock", "Forget a person's wrong passwords",
              "  hizo password unlock 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10"});
  line.Add<PasswordUnlockCaller>(
      group, {"unlock-caller", "Forget wrong passwords that a caller brought",
              "  hizo password unlock-caller spiffe://acme.example/login"});
  line.Add<PasswordRotatePepper>(
      group, {"rotate-pepper", "Make new hashes with a new pepper",
              "  hizo password rotate-pepper"});
}

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
  AddMoreCommands(line, group);
  AddBreachedListCommand(line, group);
}

}  // namespace hizo::cli
