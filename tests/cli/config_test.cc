#include "service/cli/config.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/failure.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::cli {
namespace {

using ::hizo::test::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;

class ConfigTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& text) {
    const auto path = directory_.path() / "hizo.yaml";
    std::ofstream(path) << text;
    return path;
  }
  std::string ErrorOf(const std::string& text) {
    const auto settings = ReadSettings(Write(text));
    EXPECT_THAT(settings, Not(IsOk())) << text;
    const Failure failure = FailureOf(settings.status());
    EXPECT_EQ(failure.exit, ExitCode::kUsage);
    return failure.text;
  }

  test::ScratchDirectory directory_;
};

const Settings kWhole = {{"address", "localhost:1"}, {"ca", "/ca"},
                         {"cert", "/cert"},          {"key", "/key"},
                         {"purpose", "support"},     {"timeout", "500ms"}};

TEST_F(ConfigTest, ReadsEverySetting) {
  const auto settings = ReadSettings(
      Write("address: localhost:7443\nca: /etc/ca.pem\ncert: /etc/c.pem\n"
            "key: /etc/c.key\npurpose: support\ntimeout: 2s\n"));
  ASSERT_THAT(settings, IsOk());
  const auto config = MakeConfig(*settings, {});
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->address, "localhost:7443");
  EXPECT_EQ(config->ca, "/etc/ca.pem");
  EXPECT_EQ(config->cert, "/etc/c.pem");
  EXPECT_EQ(config->key, "/etc/c.key");
  EXPECT_EQ(config->purpose, "support");
  EXPECT_EQ(config->timeout, std::chrono::seconds(2));
}

TEST_F(ConfigTest, StartsRelativePathsAtTheFilesFolder) {
  const auto settings = ReadSettings(Write("ca: tls/ca.pem\ncert: /abs.pem\n"));
  ASSERT_THAT(settings, IsOk());
  EXPECT_EQ(settings->at("ca"), directory_.path() / "tls/ca.pem");
  EXPECT_EQ(settings->at("cert"), "/abs.pem");
}

TEST_F(ConfigTest, LeavesFlagsAsTheyAreAndLetsThemWin) {
  const auto config = MakeConfig(
      kWhole, {{"ca", "ca.pem"}, {"purpose", "billing"}, {"key", ""}});
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->ca, "ca.pem");
  EXPECT_EQ(config->purpose, "billing");
  EXPECT_EQ(config->key, "/key");
}

TEST_F(ConfigTest, TakesTheExampleThatIsShipped) {
  const auto settings =
      ReadSettings(HIZO_SOURCE_DIR "/deploy/hizo.example.yaml");
  ASSERT_THAT(settings, IsOk());
  EXPECT_EQ(settings->size(), kSettings.size());
  EXPECT_THAT(MakeConfig(*settings, {}), IsOk());
}

TEST_F(ConfigTest, TakesAnEmptyFile) {
  EXPECT_THAT(ReadSettings(Write("")), IsOk());
  EXPECT_THAT(ReadSettings(Write("# nothing yet\n")), IsOk());
}

TEST_F(ConfigTest, RefusesUnknownKeysWithTheirLine) {
  EXPECT_THAT(ErrorOf("address: a\nadress: b\n"), HasSubstr("line 2"));
}

TEST_F(ConfigTest, RefusesKeysGivenTwice) {
  EXPECT_THAT(ErrorOf("purpose: a\npurpose: b\n"), HasSubstr("twice"));
}

TEST_F(ConfigTest, RefusesValuesThatAreNotText) {
  EXPECT_THAT(ErrorOf("address: [a, b]\n"), HasSubstr("address"));
  EXPECT_THAT(ErrorOf("address: {host: a}\n"), HasSubstr("address"));
  EXPECT_THAT(ErrorOf("- address\n"), HasSubstr("not a map"));
  EXPECT_THAT(ErrorOf("[a]: b\n"), HasSubstr("unknown key"));
}

TEST_F(ConfigTest, RefusesWhatIsNotYaml) {
  EXPECT_THAT(ErrorOf("address: [a\n"), HasSubstr("not YAML"));
  EXPECT_THAT(ErrorOf("a: b: c\n"), HasSubstr("line 1"));
}

TEST_F(ConfigTest, RefusesAFileThatIsAbsentOrHuge) {
  EXPECT_THAT(ReadSettings(directory_.path() / "none.yaml"), Not(IsOk()));
  EXPECT_THAT(ReadSettings(directory_.path()), Not(IsOk()));
  EXPECT_THAT(ErrorOf(std::string(100'000, '#')), HasSubstr("longer"));
}

TEST_F(ConfigTest, RequiresEverySettingButTheTimeout) {
  for (const Setting& setting : kSettings) {
    Settings partial = kWhole;
    partial.erase(setting.name);
    const auto config = MakeConfig(partial, {});
    if (std::string(setting.name) == "timeout") {
      ASSERT_THAT(config, IsOk());
      EXPECT_EQ(config->timeout, std::chrono::seconds(10));
    } else {
      ASSERT_THAT(config, Not(IsOk())) << setting.name;
      EXPECT_THAT(FailureOf(config.status()).text, HasSubstr(setting.name));
    }
  }
}

TEST_F(ConfigTest, RefusesTimeoutsThatAreNone) {
  for (const char* timeout : {"10", "soon", "-1s", "0", "0s", "2h", "1us"}) {
    EXPECT_THAT(MakeConfig(kWhole, {{"timeout", timeout}}), Not(IsOk()))
        << timeout;
  }
}

TEST_F(ConfigTest, FindsTheDefaultFileOnlyIfItExists) {
  const char* home = std::getenv("HOME");
  const std::string before = home == nullptr ? "" : home;
  ASSERT_EQ(setenv("HOME", directory_.path().c_str(), 1), 0);
  EXPECT_EQ(DefaultConfigPath(), "");
  std::filesystem::create_directory(directory_.path() / ".config");
  const auto path = directory_.path() / ".config" / "hizo.yaml";
  std::ofstream(path) << "purpose: a\n";
  EXPECT_EQ(DefaultConfigPath(), path);
  ASSERT_EQ(unsetenv("HOME"), 0);
  EXPECT_EQ(DefaultConfigPath(), "");
  ASSERT_EQ(setenv("HOME", before.c_str(), 1), 0);
}

}  // namespace
}  // namespace hizo::cli
