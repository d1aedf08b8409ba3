// What `hizo` says of itself, and how it takes its flags.
#include <CLI/CLI.hpp>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/command.h"
#include "tests/cli/fake_vault.h"

namespace hizo::cli {
namespace {

using ::hizo::test::CliRun;
using ::hizo::test::RunCli;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Subcommand {
  std::vector<std::string> path;  // such as record, get
  bool is_group;
};

void Collect(const CLI::App& app, const std::vector<std::string>& path,
             std::vector<Subcommand>& found) {
  for (const CLI::App* child : app.get_subcommands(nullptr)) {
    std::vector<std::string> child_path = path;
    child_path.push_back(child->get_name());
    found.push_back({child_path, !child->get_subcommands(nullptr).empty()});
    Collect(*child, child_path, found);
  }
}

std::vector<Subcommand> Subcommands() {
  CommandLine line;
  std::vector<Subcommand> found;
  Collect(line.root(), {}, found);
  return found;
}

std::string HelpOf(std::vector<std::string> path) {
  path.push_back("--help");
  const CliRun run = RunCli(path);
  EXPECT_EQ(run.exit, 0);
  return run.out;
}

// The lines below "Examples:" that begin with hizo.
std::vector<std::string> ExamplesOf(const std::string& help) {
  std::istringstream lines(help.substr(help.find("Examples:")));
  std::vector<std::string> examples;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  hizo ")) examples.push_back(line.substr(2));
  }
  return examples;
}

TEST(HelpTest, CoversTheWholeCommandLine) {
  std::set<std::string> names;
  for (const Subcommand& subcommand : Subcommands()) {
    std::string name;
    for (const std::string& part : subcommand.path) name += '/' + part;
    names.insert(name);
  }
  EXPECT_THAT(names, ::testing::IsSupersetOf({"/subject/create",
                                              "/subject/get",
                                              "/subject/find",
                                              "/subject/cancel",
                                              "/record/put",
                                              "/record/get",
                                              "/record/batch-get",
                                              "/record/list",
                                              "/record/delete-fields",
                                              "/policy/effective",
                                              "/policy/check",
                                              "/policy/validate",
                                              "/policy/diff",
                                              "/policy/activate",
                                              "/policy/conflicts",
                                              "/policy/record",
                                              "/consent/acknowledge",
                                              "/erase/plan",
                                              "/erase/run",
                                              "/erase/cancel",
                                              "/erase/receipt",
                                              "/erase/verify",
                                              "/hold/place",
                                              "/bundle/export",
                                              "/bundle/verify",
                                              "/bundle/show",
                                              "/bundle/import",
                                              "/bundle/transmit",
                                              "/recipient/add",
                                              "/recipient/remove",
                                              "/recipient/list",
                                              "/hold/release",
                                              "/consent/record",
                                              "/consent/withdraw",
                                              "/consent/list",
                                              "/consent/object",
                                              "/consent/decide",
                                              "/restrict/set",
                                              "/restrict/lift",
                                              "/import",
                                              "/password/set",
                                              "/password/verify",
                                              "/keys/rotate",
                                              "/purge",
                                              "/retention/due",
                                              "/retention/run",
                                              "/retention/loss-year",
                                              "/backup/create",
                                              "/backup/list",
                                              "/backup/verify",
                                              "/audit/query",
                                              "/audit/checkpoint",
                                              "/audit/tail",
                                              "/audit/prove",
                                              "/audit/continues",
                                              "/audit/export",
                                              "/audit/verify",
                                              "/audit/history",
                                              "/audit/breach",
                                              "/status",
                                              "/password/change",
                                              "/password/import-hash",
                                              "/password/revoke",
                                              "/password/state",
                                              "/password/unlock",
                                              "/password/unlock-caller",
                                              "/password/rotate-pepper",
                                              "/password/build-list"}));
}

TEST(HelpTest, GivesExamplesForEverySubcommand) {
  EXPECT_THAT(ExamplesOf(HelpOf({})), Not(IsEmpty()));
  for (const Subcommand& subcommand : Subcommands()) {
    std::string prefix = "hizo";
    for (const std::string& part : subcommand.path) prefix += ' ' + part;
    const auto examples = ExamplesOf(HelpOf(subcommand.path));
    EXPECT_THAT(examples, Not(IsEmpty())) << prefix;
    for (const std::string& example : examples) {
      EXPECT_TRUE(example.starts_with(prefix)) << example;
    }
  }
}

TEST(HelpTest, GivesExamplesThatParse) {
  for (const Subcommand& subcommand : Subcommands()) {
    for (const std::string& example : ExamplesOf(HelpOf(subcommand.path))) {
      CommandLine line;
      EXPECT_NO_THROW(line.root().parse(example, true)) << example;
    }
  }
}

TEST(HelpTest, ExplainsEveryFlag) {
  CommandLine line;
  std::vector<const CLI::App*> apps = {&line.root()};
  while (!apps.empty()) {
    const CLI::App* app = apps.back();
    apps.pop_back();
    EXPECT_NE(app->get_description(), "") << app->get_name();
    for (const CLI::Option* option : app->get_options()) {
      EXPECT_NE(option->get_description(), "") << option->get_name();
    }
    for (const CLI::App* child : app->get_subcommands(nullptr)) {
      apps.push_back(child);
    }
  }
}

TEST(HelpTest, TellsExitCodesAndConfiguration) {
  EXPECT_THAT(HelpOf({}), AllOf(HasSubstr("4 verification failed"),
                                HasSubstr("HIZO_CONFIG"),
                                HasSubstr("~/.config/hizo.yaml")));
}

TEST(CommandLineTest, TellsItsVersion) {
  const CliRun run = RunCli({"--version"});
  EXPECT_EQ(run.exit, 0);
  EXPECT_EQ(run.out, "hizo " HIZO_VERSION "\n");
}

TEST(CommandLineTest, EndsWithTwoForWrongUsage) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"nothing"},
                                                       {"subject"},
                                                       {"status", "--unknown"},
                                                       {"status", "extra"},
                                                       {"subject", "get"},
                                                       {"--json"}};
  for (const auto& arguments : wrong) {
    const CliRun run = RunCli(arguments);
    EXPECT_EQ(run.exit, 2);
    EXPECT_NE(run.err, "");
    EXPECT_EQ(run.out, "");
  }
}

TEST(CommandLineTest, SaysWhichSettingIsMissing) {
  const CliRun run =
      RunCli({"status", "--config", "/dev/null", "--address", "127.0.0.1:1"});
  EXPECT_EQ(run.exit, 2);
  EXPECT_THAT(run.err, HasSubstr("--ca"));
}

TEST(CommandLineTest, EndsWithTwoForAConfigurationThatIsNotThere) {
  EXPECT_EQ(RunCli({"status", "--config", "/none.yaml"}).exit, 2);
}

TEST(CommandLineTest, EndsWithThreeWhereNobodyAnswers) {
  const test::FakeVault vault;
  std::vector<std::string> arguments = {"status"};
  for (const std::string& flag : vault.Flags()) {
    arguments.push_back(flag == vault.address() ? "127.0.0.1:1" : flag);
  }
  const CliRun run = RunCli(arguments);
  EXPECT_EQ(run.exit, 3);
  EXPECT_THAT(run.err, HasSubstr("no answer"));
}

TEST(CommandLineTest, ReadsItsSettingsFromAFileOrTheEnvironment) {
  test::FakeVault vault;
  const test::ScratchDirectory directory;
  const std::string path = directory.path() / "hizo.yaml";
  std::ofstream(path) << "address: " << vault.address()
                      << "\nca: " << vault.File("ca.pem")
                      << "\ncert: " << vault.File("client.pem")
                      << "\nkey: " << vault.File("client.key")
                      << "\npurpose: operations\n";
  EXPECT_EQ(RunCli({"status", "--config", path}).exit, 0);
  EXPECT_EQ(vault.status.request.context().purpose(), "operations");
  ASSERT_EQ(setenv("HIZO_CONFIG", path.c_str(), 1), 0);
  EXPECT_EQ(RunCli({"status", "--purpose", "support"}).exit, 0);
  ASSERT_EQ(unsetenv("HIZO_CONFIG"), 0);
  EXPECT_EQ(vault.status.request.context().purpose(), "support");
}

TEST(CommandLineTest, DoesNotCallItDoneWhenItsOutputIsLost) {
  const test::FakeVault vault;
  std::vector<std::string> arguments = {"status"};
  for (const std::string& flag : vault.Flags()) arguments.push_back(flag);
  std::istringstream in;
  std::ostream nowhere(nullptr);
  std::ostringstream err;
  CommandLine line;
  EXPECT_EQ(line.Run(arguments, {.in = in, .out = nowhere, .err = err}), 2);
  EXPECT_THAT(err.str(), HasSubstr("cannot be written"));
}

TEST(CommandLineTest, TakesSharedFlagsBeforeAndBehindTheSubcommand) {
  const test::FakeVault vault;
  EXPECT_EQ(RunCli(vault, {"status", "--json"}).out,
            RunCli(vault, {"--json", "status"}).out);
}

}  // namespace
}  // namespace hizo::cli
