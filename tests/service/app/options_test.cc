#include "service/app/options.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hizo::app {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<Options> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "hizod");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data());
}

TEST(ParseOptionsTest, ServesWithTheUsualFileWithoutArguments) {
  const absl::StatusOr<Options> options = Parse({});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->command, Command::kServe);
  EXPECT_EQ(options->config, "/etc/hizo/hizod.yaml");
  EXPECT_TRUE(options->overrides.empty());
}

TEST(ParseOptionsTest, TakesACommandAndAFile) {
  EXPECT_EQ(Parse({"--config", "a.yaml", "--init"})->command, Command::kInit);
  EXPECT_EQ(Parse({"--config=a.yaml", "--check-config"})->command,
            Command::kCheckConfig);
  EXPECT_EQ(Parse({"--config=a.yaml", "--verify-data"})->command,
            Command::kVerifyData);
  EXPECT_EQ(Parse({"--config=a.yaml", "--rebuild"})->command,
            Command::kRebuild);
  const auto restore = Parse({"--config=a.yaml", "--restore", "12"});
  ASSERT_TRUE(restore.ok()) << restore.status();
  EXPECT_EQ(restore->command, Command::kRestore);
  EXPECT_EQ(restore->backup, 12U);
  EXPECT_EQ(Parse({"--config=a.yaml"})->config, "a.yaml");
}

TEST(ParseOptionsTest, TurnsFlagsIntoOverrides) {
  const absl::StatusOr<Options> options =
      Parse({"--storage.data-dir=/d", "--slots", "/a", "--slots=/b",
             "--reflection=true", "--max-message-bytes", "65536"});
  ASSERT_TRUE(options.ok()) << options.status();
  std::vector<std::pair<std::string, std::string>> overrides;
  for (const Override& o : options->overrides) {
    overrides.emplace_back(o.name, o.value);
  }
  EXPECT_THAT(overrides, ::testing::ElementsAre(
                             std::pair("storage.data_dir", "/d"),
                             std::pair("slots", "/a"), std::pair("slots", "/b"),
                             std::pair("max_message_bytes", "65536"),
                             std::pair("reflection", "true")));
}

TEST(ParseOptionsTest, TakesEverySettingAsAFlag) {
  for (const SettingHelp& setting : Settings()) {
    const std::string argument = setting.flag + "=v";
    const absl::StatusOr<Options> options = Parse({argument.c_str()});
    ASSERT_TRUE(options.ok()) << options.status();
    ASSERT_EQ(options->overrides.size(), 1U) << setting.name;
    EXPECT_EQ(options->overrides[0].name, setting.name);
  }
}

TEST(ParseOptionsTest, RefusesWhatItDoesNotKnow) {
  for (const std::vector<const char*>& arguments :
       std::vector<std::vector<const char*>>{{"--nothing"},
                                             {"stray"},
                                             {"--config"},
                                             {"--slots"},
                                             {"--storage.data_dir=/d"},
                                             {"--init", "--check-config"},
                                             {"--init", "--restore", "1"},
                                             {"--verify-data", "--init"},
                                             {"--rebuild", "--init"},
                                             {"--rebuild", "--restore", "1"},
                                             {"--restore", "0"},
                                             {"--restore", "-1"},
                                             {"--restore", "x"},
                                             {"--restore"},
                                             {"--slots", "/a", "/b"}}) {
    const absl::StatusOr<Options> options = Parse(arguments);
    EXPECT_EQ(options.status().code(), absl::StatusCode::kInvalidArgument)
        << arguments[0];
    EXPECT_THAT(std::string(options.status().message()),
                HasSubstr("hizod --help tells more"));
  }
}

TEST(ParseOptionsTest, HelpTeachesCommandsSettingsAndExamples) {
  const absl::StatusOr<Options> options = Parse({"--help"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->command, Command::kPrint);
  for (const SettingHelp& setting : Settings()) {
    EXPECT_THAT(options->text, HasSubstr(setting.flag));
    EXPECT_THAT(options->text, HasSubstr(setting.default_value));
  }
  EXPECT_THAT(options->text, HasSubstr("--config /etc/hizo/hizod.yaml --init"));
  EXPECT_THAT(options->text, HasSubstr("Exit status"));
}

TEST(ParseOptionsTest, TellsItsVersion) {
  const absl::StatusOr<Options> options = Parse({"--version"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->command, Command::kPrint);
  EXPECT_EQ(options->text, "hizod " HIZO_VERSION "\n");
}

}  // namespace
}  // namespace hizo::app
