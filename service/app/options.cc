#include "service/app/options.h"

#include <CLI/CLI.hpp>
#include <string>
#include <utility>

#include "absl/status/status.h"

namespace hizo::app {
namespace {

constexpr char kDescription[] =
    "hizod keeps personal data sealed and serves it to those who may see it.\n"
    "\n"
    "Without a command it serves until it is told to stop (SIGTERM).";

constexpr char kExamples[] =
    "Examples:\n"
    "  hizod --config /etc/hizo/hizod.yaml --check-config\n"
    "      reads and checks the configuration; changes nothing\n"
    "  hizod --config /etc/hizo/hizod.yaml --init\n"
    "      makes a new, empty store where the configuration says, once\n"
    "  hizod --config /etc/hizo/hizod.yaml\n"
    "      serves that store\n"
    "  hizod --config /etc/hizo/hizod.yaml --restore 3\n"
    "      takes records back from backup 3, while nobody is served\n"
    "  hizod --config /etc/hizo/hizod.yaml --verify-data\n"
    "      finds older rows that were put back, while nobody is served\n"
    "  hizod --config /etc/hizo/hizod.yaml --rebuild\n"
    "      makes data and keys anew from their replica, after a disk was lost\n"
    "  hizod --config hizod.yaml --listen=localhost:8443 "
    "--slots=/a/root --slots=/b/root\n"
    "      serves, with settings of the file replaced\n"
    "\n"
    "Exit status: 0 done; 1 refused, the reason is on standard error; 2 bad "
    "usage or configuration.";

}  // namespace

absl::StatusOr<Options> ParseOptions(int argc, const char* const* argv) {
  Options options;
  std::string config = "/etc/hizo/hizod.yaml";
  bool init = false;
  bool check = false;
  bool verify = false;
  bool rebuild = false;

  CLI::App app(kDescription, "hizod");
  app.footer(kExamples);
  app.get_formatter()->column_width(34);
  app.set_help_flag("-h,--help", "print this text");
  app.set_version_flag("--version", "hizod " HIZO_VERSION, "print the version");
  app.add_option("--config", config, "the configuration file")
      ->type_name("FILE")
      ->capture_default_str();
  CLI::Option* init_flag =
      app.add_flag("--init", init, "make a new store, then end");
  app.add_flag("--check-config", check, "check the configuration, then end")
      ->excludes(init_flag);
  app.add_flag("--verify-data", verify,
               "look whether all rows are what the audit log says was written "
               "last, then end")
      ->excludes("--init")
      ->excludes("--check-config");
  app.add_option("--restore", options.backup,
                 "take records back from this backup, then end")
      ->type_name("BACKUP")
      ->check(CLI::PositiveNumber)
      ->excludes("--init")
      ->excludes("--check-config")
      ->excludes("--verify-data");
  app.add_flag("--rebuild", rebuild,
               "make data and keys anew from their replica, after a disk was "
               "lost, then end")
      ->excludes("--init")
      ->excludes("--check-config")
      ->excludes("--verify-data")
      ->excludes("--restore");

  const std::vector<SettingHelp> settings = Settings();
  std::vector<std::vector<std::string>> values(settings.size());
  for (size_t i = 0; i < settings.size(); ++i) {
    const SettingHelp& setting = settings[i];
    app.add_option(setting.flag, values[i], setting.text)
        ->type_name(setting.default_value.empty()
                        ? "PATH"
                        : "[" + setting.default_value + "]")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false)
        ->group("Settings, each replacing the file's");
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    options.command = Command::kPrint;
    options.text = app.help();
    return options;
  } catch (const CLI::CallForVersion& version) {
    options.command = Command::kPrint;
    options.text = std::string(version.what()) + "\n";
    return options;
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(std::string(error.what()) +
                                      "\nhizod --help tells more");
  }
  if (init) options.command = Command::kInit;
  if (options.backup != 0) options.command = Command::kRestore;
  if (rebuild) options.command = Command::kRebuild;
  if (verify) options.command = Command::kVerifyData;
  if (check) options.command = Command::kCheckConfig;
  options.config = config;
  for (size_t i = 0; i < settings.size(); ++i) {
    for (std::string& value : values[i]) {
      options.overrides.push_back({settings[i].name, std::move(value)});
    }
  }
  return options;
}

}  // namespace hizo::app
