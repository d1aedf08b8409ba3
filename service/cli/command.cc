#include "service/cli/command.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <thread>

#include "crypto/random.h"
#include "hizo/v1/value.pb.h"
#include "service/base/ids.h"
#include "service/base/status_macros.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

constexpr char kWhat[] = "hizo: the command line of the Hizo vault";
constexpr char kFooter[] =
    "Every subcommand has --help with examples. Configuration: a YAML file "
    "with "
    "the keys\naddress, ca, cert, key, purpose and timeout (--config, "
    "HIZO_CONFIG, ~/.config/hizo.yaml);\na flag of the same name wins.\n\n"
    "Exit status: 0 done, 1 refused by the vault (reason on stderr), 2 wrong "
    "usage,\n3 no answer from the vault, 4 verification failed.\n\n"
    "Examples:\n  hizo status\n  hizo import people.jsonl";

int PrintFailure(const absl::Status& status, Format format, std::ostream& err) {
  const Failure failure = FailureOf(status);
  const int exit = static_cast<int>(failure.exit);
  if (format == Format::kJson) {
    err << JsonText({{"exit", exit},
                     {"reason", failure.reason},
                     {"field", failure.field},
                     {"message", failure.text}})
        << '\n';
    return exit;
  }
  err << "hizo: ";
  if (!failure.reason.empty()) err << Printable(failure.reason) << ": ";
  if (!failure.field.empty()) err << Printable(failure.field) << ": ";
  err << Printable(failure.text) << '\n';
  return exit;
}

}  // namespace

void Session::Fill(v1::RequestContext& context) const {
  context.set_purpose(purpose);
}

void Session::FillWrite(v1::RequestContext& context) const {
  Fill(context);
  context.set_request_id(
      base::UuidText(crypto::RandomBytes(base::RequestId::kSize)));
}

void Session::Print(const google::protobuf::Message& message,
                    const std::string& table) const {
  terminal.out << (format == Format::kJson ? JsonText(message) + '\n' : table);
}

absl::Status Session::Watch(const Look& look) {
  constexpr std::chrono::milliseconds kInterval{200};
  const bool watched = terminal.at_err == Presence::kPerson;
  for (;;) {
    ASSIGN_OR_RETURN(const std::optional<std::string> far, look());
    if (!far.has_value()) break;
    if (watched) terminal.err << "\r" << *far;
    std::this_thread::sleep_for(kInterval);
  }
  if (watched) terminal.err << "\n";
  return absl::OkStatus();
}

CommandLine::CommandLine() : app_(std::make_unique<CLI::App>(kWhat, "hizo")) {
  app_->fallthrough();
  app_->require_subcommand(1);
  app_->set_version_flag("--version", "hizo " HIZO_VERSION);
  app_->footer(kFooter);
  app_->add_option("--config", config_path_, "YAML file of settings")
      ->envname("HIZO_CONFIG");
  for (const Setting& setting : kSettings) {
    app_->add_option(std::string("--") + setting.name, flags_[setting.name],
                     setting.help);
  }
  app_->add_flag("--json", json_, "Print JSON (lines) instead of tables");
  AddSubjectCommands(*this);
  AddRecordCommands(*this);
  AddImportCommand(*this);
  AddPasswordCommands(*this);
  AddAuditCommands(*this);
  AddPolicyCommands(*this);
  AddEraseCommands(*this);
  AddBackupCommands(*this);
  AddKeysCommands(*this);
  AddPurgeCommand(*this);
  AddBundleCommands(*this);
  AddRecipientCommands(*this);
  AddHoldCommands(*this);
  AddConsentCommands(*this);
  AddRestrictCommands(*this);
  AddRetentionCommands(*this);
  AddStatusCommand(*this);
}

CommandLine::~CommandLine() = default;

CLI::App& CommandLine::AddApp(CLI::App& group, const Usage& usage) {
  CLI::App& app = *group.add_subcommand(usage.name, usage.what);
  app.footer(std::string("Examples:\n") + usage.examples);
  return app;
}

CLI::App& CommandLine::Group(const Usage& usage) {
  CLI::App& app = AddApp(*app_, usage);
  app.require_subcommand(1);
  return app;
}

absl::Status CommandLine::RunCommand(Terminal& terminal) {
  for (const auto& [app, command] : commands_) {
    if (!app->parsed()) continue;
    const auto done = command->RunAlone(terminal);
    if (done.has_value()) return *done;
  }
  Settings file;
  const std::string path =
      config_path_.empty() ? DefaultConfigPath() : config_path_;
  if (!path.empty()) {
    ASSIGN_OR_RETURN(file, ReadSettings(path));
  }
  ASSIGN_OR_RETURN(const Config config, MakeConfig(file, flags_));
  ASSIGN_OR_RETURN(const auto client, Client::Open(config));
  Session session = {.client = *client,
                     .terminal = terminal,
                     .purpose = config.purpose,
                     .format = json_ ? Format::kJson : Format::kTable};
  for (const auto& [app, command] : commands_) {
    if (app->parsed()) return command->Run(session);
  }
  return UsageError("no subcommand");
}

int CommandLine::Run(std::vector<std::string> arguments, Terminal terminal) {
  std::ranges::reverse(arguments);  // the order that CLI11 takes
  try {
    app_->parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    const int exit = app_->exit(error, terminal.out, terminal.err);
    return static_cast<int>(exit == 0 ? ExitCode::kOk : ExitCode::kUsage);
  }
  absl::Status status = RunCommand(terminal);
  if (!terminal.out.flush() && status.ok()) {
    status = UsageError("the output cannot be written");
  }
  if (status.ok()) return static_cast<int>(ExitCode::kOk);
  return PrintFailure(status, json_ ? Format::kJson : Format::kTable,
                      terminal.err);
}

void AddSubjectOption(CLI::App& app, std::string& subject) {
  app.add_option("subject", subject, "UUID of the person")->required();
}

}  // namespace hizo::cli
