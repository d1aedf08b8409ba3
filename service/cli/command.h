// Command: one subcommand of `hizo`, and CommandLine, which runs them.
//
// A subcommand is a class whose constructor declares its flags and whose `Run`
// does the work. Flags that all share (configuration, --json) belong to
// CommandLine. Threads: not for concurrent use.
#ifndef HIZO_SERVICE_CLI_COMMAND_H_
#define HIZO_SERVICE_CLI_COMMAND_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/cli/client.h"
#include "service/cli/config.h"
#include "service/cli/terminal.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's own name.
class App;
}  // namespace CLI
namespace google::protobuf {
class Message;
}  // namespace google::protobuf
namespace hizo::v1 {
class RequestContext;
}  // namespace hizo::v1

namespace hizo::cli {

enum class Format { kTable, kJson };

// Session is what a subcommand works with. Lifetime: of one run.
struct Session {
  Client& client;
  Terminal& terminal;
  const std::string& purpose;
  Format format;

  // The context of a call that reads.
  void Fill(v1::RequestContext& context) const;
  // The context of a call that writes: with a fresh random request id.
  void FillWrite(v1::RequestContext& context) const;
  // Prints `message` as a line of JSON, or `table`, as the user wants it.
  void Print(const google::protobuf::Message& message,
             const std::string& table) const;
  // Waits for what is under way in the vault: calls `look` again and again
  // until it says nullopt, and shows what it says to a person who watches.
  using Look = std::function<absl::StatusOr<std::optional<std::string>>()>;
  absl::Status Watch(const Look& look);
};

class Command {
 public:
  virtual ~Command() = default;
  virtual absl::Status Run(Session& session) = 0;
  // What came of it, if it was asked for something that needs no vault.
  virtual std::optional<absl::Status> RunAlone(Terminal&) {
    return std::nullopt;
  }
};

class CommandLine {
 public:
  struct Usage {
    const char* name;
    const char* what;
    const char* examples;  // one line each: `hizo ...`
  };

  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Does what `arguments` (without the program's name) say; returns the exit
  // code. To be called once.
  int Run(std::vector<std::string> arguments, Terminal terminal);

  CLI::App& root() { return *app_; }
  // A group of subcommands, such as `subject`.
  CLI::App& Group(const Usage& usage);
  // The subcommand T in `group`.
  template <typename T>
  void Add(CLI::App& group, const Usage& usage) {
    CLI::App& app = AddApp(group, usage);
    commands_.emplace_back(&app, std::make_unique<T>(app));
  }

 private:
  static CLI::App& AddApp(CLI::App& group, const Usage& usage);
  absl::Status RunCommand(Terminal& terminal);

  std::unique_ptr<CLI::App> app_;
  std::vector<std::pair<CLI::App*, std::unique_ptr<Command>>> commands_;
  std::string config_path_;
  Settings flags_;
  bool json_ = false;
};

// The option that names the person a subcommand is about; required.
void AddSubjectOption(CLI::App& app, std::string& subject);

// Each adds its subcommands; CommandLine calls them all.
void AddSubjectCommands(CommandLine& line);
void AddRecordCommands(CommandLine& line);
void AddImportCommand(CommandLine& line);
void AddPasswordCommands(CommandLine& line);
void AddBreachedListCommand(CommandLine& line, CLI::App& group);
void AddAuditCommands(CommandLine& line);
void AddAuditTailCommand(CommandLine& line, CLI::App& group);
void AddAuditProofCommands(CommandLine& line, CLI::App& group);
void AddAuditExportCommands(CommandLine& line, CLI::App& group);
void AddAuditHistoryCommand(CommandLine& line, CLI::App& group);
void AddAuditBreachCommand(CommandLine& line, CLI::App& group);
void AddPolicyCommands(CommandLine& line);
void AddPolicyFileCommands(CommandLine& line, CLI::App& group);
void AddPolicyRecordCommand(CommandLine& line, CLI::App& group);
void AddEraseCommands(CommandLine& line);
void AddBackupCommands(CommandLine& line);
void AddKeysCommands(CommandLine& line);
void AddPurgeCommand(CommandLine& line);
void AddBundleCommands(CommandLine& line);
void AddBundleImportCommand(CommandLine& line, CLI::App& group);
void AddBundleTransmitCommand(CommandLine& line, CLI::App& group);
void AddRecipientCommands(CommandLine& line);
void AddHoldCommands(CommandLine& line);
void AddConsentCommands(CommandLine& line);
void AddRestrictCommands(CommandLine& line);
void AddRetentionCommands(CommandLine& line);
void AddStatusCommand(CommandLine& line);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_COMMAND_H_
