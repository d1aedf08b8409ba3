#include "service/app/config.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/service/app/temp_folder.h"

namespace hizo::app {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    for (const char* name : {"cert.pem", "ca.pem", "catalogue.yaml",
                             "access.yaml", "server.key"}) {
      folder_.Write(name, "x");
    }
    std::filesystem::permissions(folder_.path() / "server.key",
                                 std::filesystem::perms::owner_read);
  }

  // A whole configuration with some lines replaced or added, or removed where
  // the new line is empty; lines are told apart by what stands before ':'.
  static std::string Text(const std::map<std::string, std::string>& changes) {
    std::map<std::string, std::string> lines = {
        {"storage", "storage: {data_dir: store/data, keys_dir: store/keys}"},
        {"slots", "slots: [slots/a, slots/b]"},
        {"anchor", "anchor: slots/anchor"},
        {"tls", "tls: {cert: cert.pem, key: server.key, client_ca: ca.pem}"},
        {"catalogue", "catalogue: catalogue.yaml"},
        {"access", "access: access.yaml"}};
    for (const auto& [key, line] : changes) lines[key] = line;
    std::string text;
    for (const auto& [key, line] : lines) text += line + "\n";
    return text;
  }
  absl::StatusOr<Config> Load(const std::map<std::string, std::string>& changes,
                              const std::vector<Override>& overrides = {}) {
    return LoadConfig(folder_.Write("hizod.yaml", Text(changes)), overrides);
  }
  // The error that a change to a good configuration must give.
  std::string ErrorOf(const std::map<std::string, std::string>& changes,
                      const std::vector<Override>& overrides = {}) {
    const absl::StatusOr<Config> config = Load(changes, overrides);
    EXPECT_FALSE(config.ok());
    return std::string(config.status().message());
  }
  std::string File(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  TempFolder folder_;
};

TEST_F(ConfigTest, TakesDefaultsForWhatIsNotSaid) {
  const absl::StatusOr<Config> config = Load({});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen, "localhost:7443");
  EXPECT_EQ(config->password_cost, 12U);
  EXPECT_TRUE(config->memory_require_lock);
  EXPECT_FALSE(config->reflection);
}

TEST_F(ConfigTest, TakesRelativePathsFromTheFilesFolder) {
  const absl::StatusOr<Config> config =
      Load({{"anchor", "anchor: ./x/../slots/anchor"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->storage_data_dir, folder_.path() / "store/data");
  EXPECT_EQ(config->anchor, folder_.path() / "slots/anchor");
  EXPECT_THAT(config->slots, ElementsAre(folder_.path() / "slots/a",
                                         folder_.path() / "slots/b"));
}

TEST_F(ConfigTest, TakesRelativePathsOfFlagsFromTheWorkingFolder) {
  const absl::StatusOr<Config> config = Load({}, {{"anchor", "some/anchor"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->anchor, std::filesystem::current_path() / "some/anchor");
}

TEST_F(ConfigTest, ReadsEverySettingFromTheFile) {
  const absl::StatusOr<Config> config =
      Load({{"listen", "listen: '[::1]:0'"},
            {"store_name", "store_name: acme-1"},
            {"store_suite", "store_suite: 2"},
            {"storage",
             "storage: {data_dir: /d/data, keys_dir: /d/keys, cache_mb: 8}"},
            {"password",
             "password: {cost: 4, test_cost: true, threads: 3, queue: 5}"},
            {"commit", "commit: {queue: 6}"},
            {"memory", "memory: {require_lock: false}"},
            {"max_message_bytes", "max_message_bytes: 65536"},
            {"threads", "threads: 9"},
            {"reflection", "reflection: true"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen, "[::1]:0");
  EXPECT_EQ(config->store_name, "acme-1");
  EXPECT_EQ(config->store_suite, 2U);
  EXPECT_EQ(config->storage_cache_mb, 8U);
  EXPECT_EQ(config->password_cost, 4U);
  EXPECT_EQ(config->password_threads, 3U);
  EXPECT_EQ(config->password_queue, 5U);
  EXPECT_EQ(config->commit_queue, 6U);
  EXPECT_FALSE(config->memory_require_lock);
  EXPECT_EQ(config->max_message_bytes, 65536U);
  EXPECT_EQ(config->threads, 9U);
  EXPECT_TRUE(config->reflection);
}

TEST_F(ConfigTest, LetsFlagsReplaceTheFile) {
  const absl::StatusOr<Config> config =
      Load({{"threads", "threads: 3"}}, {{"threads", "4"},
                                         {"slots", "/x/1"},
                                         {"slots", "/x/2"},
                                         {"slots", "/x/3"},
                                         {"reflection", "true"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->threads, 4U);
  EXPECT_TRUE(config->reflection);
  EXPECT_THAT(config->slots, ElementsAre("/x/1", "/x/2", "/x/3"));
}

TEST_F(ConfigTest, NamesFileLineAndKeyOfAnUnknownKey) {
  const std::string file = File("hizod.yaml");
  folder_.Write("hizod.yaml", "listen: a:1\nstorage:\n  datadir: x\n");
  EXPECT_EQ(LoadConfig(file, {}).status().message(),
            file + ":3: unknown key `storage.datadir`");
  // Nesting is the one form in a file, so that no key can stand in two.
  EXPECT_THAT(ErrorOf({{"x", "'storage.data_dir': x"}}),
              HasSubstr("unknown key `storage.data_dir`"));
  EXPECT_THAT(ErrorOf({{"x", "thread: 1"}}), HasSubstr("unknown key `thread`"));
  EXPECT_THAT(ErrorOf({}, {{"nothing", "1"}}),
              HasSubstr("--nothing: no such setting"));
}

TEST_F(ConfigTest, RefusesValuesOfAWrongTypeWhereverTheyComeFrom) {
  EXPECT_THAT(ErrorOf({{"threads", "threads: many"}}),
              HasSubstr(": wanted a whole number from 1 to 256"));
  EXPECT_THAT(ErrorOf({{"threads", "threads: 257"}}),
              HasSubstr("wanted a whole number"));
  EXPECT_THAT(ErrorOf({{"slots", "slots: slots/a"}}),
              HasSubstr("wanted a list of texts"));
  EXPECT_THAT(ErrorOf({{"anchor", "anchor: [a]"}}), HasSubstr("wanted a text"));
  EXPECT_THAT(ErrorOf({{"reflection", "reflection: 'yes'"}}),
              HasSubstr("wanted true or false"));
  EXPECT_EQ(ErrorOf({}, {{"threads", "0"}}),
            "--threads: wanted a whole number from 1 to 256");
  EXPECT_EQ(ErrorOf({}, {{"max_message_bytes", "1k"}}),
            "--max-message-bytes: wanted a whole number from 65536 to 4194304");
  EXPECT_EQ(ErrorOf({}, {{"anchor", ""}}), "--anchor: wanted a text");
  EXPECT_EQ(ErrorOf({}, {{"anchor", "a"}, {"anchor", "b"}}),
            "--anchor: given twice");
  EXPECT_THAT(ErrorOf({{"threads", "threads: {a: 1}"}}),
              HasSubstr("unknown key `threads.a`"));
}

TEST_F(ConfigTest, NamesEachPathThatIsMissing) {
  for (const char* name : {"slots", "anchor", "catalogue", "access"}) {
    EXPECT_THAT(ErrorOf({{name, ""}}),
                HasSubstr(std::string(name) + ": is missing"));
  }
  EXPECT_THAT(ErrorOf({{"storage", "storage: {data_dir: d}"}}),
              HasSubstr("storage.keys_dir: is missing"));
  EXPECT_THAT(ErrorOf({{"tls", "tls: {cert: cert.pem, key: server.key}"}}),
              HasSubstr("tls.client_ca: is missing"));
  EXPECT_THAT(ErrorOf({{"slots", "slots: []"}}),
              HasSubstr("slots: is missing"));
}

TEST_F(ConfigTest, RefusesAddressesThatCannotBeListenedOn) {
  for (const char* listen :
       {"localhost", "localhost:", ":7443", "localhost:x", "localhost:65536",
        "localhost:-1", "::1:7443", "[]:1", "a b:1", "http://localhost:1",
        "localhost:000001"}) {
    EXPECT_THAT(ErrorOf({{"listen", "listen: '" + std::string(listen) + "'"}}),
                HasSubstr("listen: wanted host:port"))
        << listen;
  }
  for (const char* listen : {"0.0.0.0:0", "[::]:65535", "hizo.example:7443"}) {
    EXPECT_TRUE(
        Load({{"listen", "listen: '" + std::string(listen) + "'"}}).ok())
        << listen;
  }
}

TEST_F(ConfigTest, RefusesStoreNamesThatCouldNotStandInTheLogsName) {
  for (const std::string& name :
       {std::string("a b"), std::string("a/b"), std::string("Main"),
        std::string("a+b"), std::string("a\\n"), std::string(65, 'a')}) {
    EXPECT_THAT(ErrorOf({{"store_name", "store_name: \"" + name + "\""}}),
                HasSubstr("store_name: wanted at most 64"))
        << name;
  }
}

TEST_F(ConfigTest, RefusesCipherSuitesThatDoNotExist) {
  for (const char* suite : {"0", "3", "aes"}) {
    EXPECT_THAT(
        ErrorOf({{"store_suite", "store_suite: " + std::string(suite)}}),
        HasSubstr("wanted a whole number from 1 to 2"))
        << suite;
  }
}

TEST_F(ConfigTest, RefusesACheapPasswordCostUnlessItIsATest) {
  EXPECT_EQ(ErrorOf({{"password", "password: {cost: 9}"}}),
            "password.cost: under 10 is for tests only");
  EXPECT_TRUE(Load({{"password", "password: {cost: 10}"}}).ok());
  EXPECT_TRUE(
      Load({{"password", "password: {cost: 4, test_cost: true}"}}).ok());
  EXPECT_FALSE(
      Load({{"password", "password: {cost: 3, test_cost: true}"}}).ok());
}

TEST_F(ConfigTest, TrustsNoOtherVaultUnlessToldTo) {
  EXPECT_TRUE(Load({})->bundle_trusted.empty());
  const auto config =
      Load({{"bundle", "bundle: {trusted: [other.pub, /third.pub]}"}});
  ASSERT_TRUE(config.ok());
  EXPECT_THAT(config->bundle_trusted,
              ElementsAre(folder_.path() / "other.pub", "/third.pub"));
  EXPECT_THAT(ErrorOf({{"bundle", "bundle: {trusted: other.pub}"}}),
              HasSubstr("wanted a list of texts"));
  EXPECT_THAT(ErrorOf({{"bundle", "bundle: {vaults: []}"}}),
              HasSubstr("bundle"));
}

TEST_F(ConfigTest, WantsTheListOfBreachedPasswordsOnlyWhereItIsNamed) {
  EXPECT_TRUE(Load({})->password_breached_file.empty());
  EXPECT_THAT(ErrorOf({{"password", "password: {breached_file: none.list}"}}),
              HasSubstr("password.breached_file: there is no file"));
  const auto config =
      Load({{"password", "password: {breached_file: catalogue.yaml}"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->password_breached_file, config->catalogue);
}

TEST(PasswordTimeWarningTest, SaysWhichWayAHashIsOff) {
  using std::chrono::milliseconds;
  Config config;
  EXPECT_THAT(PasswordTimeWarning(config, milliseconds(49)),
              HasSubstr("password.cost 12 takes 49 ms here; under 50 ms"));
  EXPECT_EQ(PasswordTimeWarning(config, milliseconds(50)), "");
  EXPECT_EQ(PasswordTimeWarning(config, milliseconds(500)), "");
  EXPECT_THAT(PasswordTimeWarning(config, milliseconds(501)),
              HasSubstr("over 500 ms"));
  config.password_test_cost = true;
  EXPECT_EQ(PasswordTimeWarning(config, milliseconds(1)), "");
}

TEST_F(ConfigTest, RefusesSlotsAndAnchorInsideTheStorageFolders) {
  for (const char* place : {"store/data/a", "store/keys/deep/er/a",
                            "store/data", "elsewhere/../store/keys/a"}) {
    EXPECT_THAT(ErrorOf({{"slots", "slots: [ok, " + std::string(place) + "]"}}),
                HasSubstr("slots: must lie outside both storage folders"))
        << place;
    EXPECT_THAT(ErrorOf({{"anchor", "anchor: " + std::string(place)}}),
                HasSubstr("anchor: must lie outside both storage folders"))
        << place;
  }
  // A name that only begins alike is another folder.
  EXPECT_TRUE(Load({{"slots", "slots: [store/data2, store/keys.root]"}}).ok());
}

TEST_F(ConfigTest, FollowsLinksBeforeJudgingPlaces) {
  std::filesystem::create_directories(folder_.path() / "store/data/inside");
  std::filesystem::create_directory_symlink(
      folder_.path() / "store/data/inside", folder_.path() / "innocent");
  EXPECT_THAT(ErrorOf({{"slots", "slots: [innocent/root]"}}),
              HasSubstr("must lie outside both storage folders"));
}

TEST_F(ConfigTest, RefusesNestedStorageFoldersAndPlacesNamedTwice) {
  for (const char* storage : {"storage: {data_dir: s, keys_dir: s/keys}",
                              "storage: {data_dir: s/data, keys_dir: s}",
                              "storage: {data_dir: s, keys_dir: s}",
                              "storage: {data_dir: s, keys_dir: s/}"}) {
    EXPECT_THAT(ErrorOf({{"storage", storage}}),
                HasSubstr("neither folder may lie in the other"))
        << storage;
  }
  EXPECT_THAT(ErrorOf({{"slots", "slots: [a, x/../a]"}}),
              HasSubstr("slots: is named twice"));
  EXPECT_THAT(ErrorOf({{"slots", "slots: [a, slots/anchor]"}}),
              HasSubstr("slots: is named twice"));
  EXPECT_THAT(ErrorOf({{"slots", "slots: [a, b, c, d, e, f, g, h, i]"}}),
              HasSubstr("slots: at most 8"));
}

TEST_F(ConfigTest, NamesTheFileThatIsNotThere) {
  EXPECT_EQ(ErrorOf({{"access", "access: none.yaml"}}),
            "access: there is no file " + File("none.yaml"));
  std::filesystem::remove(folder_.path() / "server.key");
  const absl::StatusOr<Config> config = Load({});
  EXPECT_EQ(config.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("tls.key"));
}

TEST_F(ConfigTest, TellsAMissingConfigurationFromABadOne) {
  EXPECT_EQ(LoadConfig(File("none"), {}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(LoadConfig(folder_.Write("bad.yaml", "- a\n"), {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ConfigTest, WarnsOfWhatSharesADeviceWithTheData) {
  const absl::StatusOr<Config> config = Load({{"slots", "slots: [slots/a]"}});
  ASSERT_TRUE(config.ok()) << config.status();
  const std::vector<std::string> warnings = Warnings(*config);
  EXPECT_THAT(warnings, Contains(HasSubstr("a root slot is on the device")));
  EXPECT_THAT(warnings, Contains(HasSubstr("there is only one root slot")));
  EXPECT_THAT(warnings, Contains(HasSubstr("anchor: it is on the device")));
}

TEST_F(ConfigTest, WarnsOfWeakSettingsAndOfNothingElse) {
  absl::StatusOr<Config> config = Load(
      {{"slots", "slots: [/proc/a, /proc/b]"}, {"anchor", "anchor: /proc/c"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(Warnings(*config), IsEmpty());
  config->password_cost = 11;
  config->memory_require_lock = false;
  std::filesystem::permissions(config->tls_key,
                               std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_THAT(Warnings(*config),
              ElementsAre(HasSubstr("tls.key: others than its owner"),
                          HasSubstr("password.cost: under 12"),
                          HasSubstr("memory.require_lock: off")));
}

TEST(SettingsTest, DescribeEverySettingOnce) {
  std::map<std::string, int> flags;
  for (const SettingHelp& setting : Settings()) {
    EXPECT_FALSE(setting.text.empty()) << setting.name;
    EXPECT_THAT(setting.flag, Not(HasSubstr("_")));
    EXPECT_EQ(++flags[setting.flag], 1) << setting.flag;
  }
  EXPECT_EQ(flags.size(), 49U);
  EXPECT_EQ(flags.count("--storage.data-dir"), 1U);
}

TEST_F(ConfigTest, TakesBackupsWhereTheyAreTold) {
  EXPECT_EQ(Load({})->backup_dir, "");
  const absl::StatusOr<Config> config =
      Load({{"backup", "backup: {dir: copies, keep: 3, mb_per_second: 0}"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->backup_dir, folder_.path() / "copies");
  EXPECT_EQ(config->backup_keep, 3U);
  EXPECT_EQ(config->backup_mb_per_second, 0U);
  EXPECT_THAT(ErrorOf({{"backup", "backup: {dir: copies, keep: 0}"}}),
              HasSubstr("from 1 to 1000"));
}

TEST_F(ConfigTest, RefusesBackupsBesideKeysAndSlots) {
  for (const char* place :
       {"store/data", "store/data/backups", "store/keys", "store/keys/backups",
        "store", ".", "slots", "slots/backups", "/", "store/data/../keys"}) {
    EXPECT_THAT(
        ErrorOf({{"backup", "backup: {dir: " + std::string(place) + "}"}}),
        HasSubstr("backup.dir"))
        << place;
  }
  // A slot that is reached over a link is where it leads to.
  std::filesystem::create_directories(folder_.path() / "slots");
  std::filesystem::create_directory_symlink(folder_.path() / "slots",
                                            folder_.path() / "link");
  EXPECT_THAT(ErrorOf({{"backup", "backup: {dir: link/backups}"}}),
              HasSubstr("backup.dir"));
  EXPECT_THAT(ErrorOf({{"anchor", "anchor: copies/anchor"},
                       {"backup", "backup: {dir: copies}"}}),
              HasSubstr("must not hold the anchor"));
}

TEST_F(ConfigTest, TakesAReplicaApartFromAllElse) {
  EXPECT_EQ(Load({})->replica_dir, "");
  const absl::StatusOr<Config> config =
      Load({{"replica", "replica: {dir: second}"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->replica_dir, folder_.path() / "second");
  EXPECT_THAT(Warnings(*config),
              Contains(HasSubstr("replica.dir: it is on the device")));
  for (const char* place : {"store/data", "store/keys/second", "store", "slots",
                            "slots/second", "/"}) {
    EXPECT_THAT(
        ErrorOf({{"replica", "replica: {dir: " + std::string(place) + "}"}}),
        HasSubstr("replica.dir"))
        << place;
  }
  for (const char* backups : {"second", "second/backups", "."}) {
    EXPECT_THAT(
        ErrorOf({{"replica", "replica: {dir: second}"},
                 {"backup", "backup: {dir: " + std::string(backups) + "}"}}),
        HasSubstr("backup.dir"))
        << backups;
  }
  EXPECT_THAT(ErrorOf({{"anchor", "anchor: second/anchor"},
                       {"replica", "replica: {dir: second}"}}),
              HasSubstr("must not hold the anchor"));
}

TEST_F(ConfigTest, TakesAWitness) {
  EXPECT_EQ(Load({})->witness_dir, "");
  const absl::StatusOr<Config> config = Load(
      {{"witness", "witness: {dir: seen, seconds: 5, override: 1234567}"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->witness_dir, folder_.path() / "seen");
  EXPECT_EQ(config->witness_seconds, 5U);
  EXPECT_EQ(config->witness_override, 1'234'567U);
  EXPECT_THAT(Warnings(*config),
              Contains(HasSubstr("witness.dir: it is on the device")));
  for (const char* place : {"store/data", "store/keys/seen"}) {
    EXPECT_THAT(
        ErrorOf({{"witness", "witness: {dir: " + std::string(place) + "}"}}),
        HasSubstr("witness.dir"));
  }
}

TEST_F(ConfigTest, TakesAProgramOnlyBesideTheWitnesssFolder) {
  folder_.Write("publish", "");
  const absl::StatusOr<Config> config =
      Load({{"witness", "witness: {dir: seen, command: publish}"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->witness_command, folder_.path() / "publish");
  EXPECT_THAT(ErrorOf({{"witness", "witness: {command: publish}"}}),
              HasSubstr("needs witness.dir"));
  EXPECT_THAT(ErrorOf({{"witness", "witness: {dir: seen, command: nowhere}"}}),
              HasSubstr("witness.command: there is no file"));
}

TEST_F(ConfigTest, WarnsOfBackupsOnTheDeviceOfTheData) {
  const auto config = Load({{"backup", "backup: {dir: copies}"}});
  ASSERT_TRUE(config.ok());
  EXPECT_THAT(Warnings(*config),
              Contains(HasSubstr("backup.dir: it is on the device")));
}

}  // namespace
}  // namespace hizo::app
