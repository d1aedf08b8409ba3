// What hizod says of slots that are no good, and of an --init that did not
// finish.
#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kExitFailed = 1;

// Nobody would miss it before the good one is lost too.
TEST(SlotsTest, HizodSaysWhichIsNoGood) {
  VaultFiles files;
  VaultFiles other;
  HizodProcess::Init(files);
  HizodProcess::Init(other);
  const app::Config config = files.LoadConfig();
  const fs::path bad = config.slots[1];
  fs::remove(bad);
  fs::copy(other.LoadConfig().slots[1], bad);
  HizodProcess hizod(files);
  ASSERT_TRUE(hizod.WaitUntilReady());
  EXPECT_EQ(hizod.Stop(), 0);
  const std::string said = hizod.process().output();
  EXPECT_THAT(said, HasSubstr(bad.string()));
  EXPECT_THAT(said, HasSubstr("belongs to another store"));
  EXPECT_THAT(said, Not(HasSubstr(config.slots[0].string())));
}

// What one that was killed leaves; nobody can be in it.
TEST(UnfinishedInitTest, SaysWhatToRemove) {
  VaultFiles files;
  const app::Config config = files.LoadConfig();
  HizodProcess::Init(files);
  fs::remove(config.anchor);
  HizodProcess again(files, {{"--init"}, {}});
  EXPECT_EQ(again.process().Wait(), kExitFailed);
  const std::string said = again.process().output();
  EXPECT_THAT(said, HasSubstr("did not finish"));
  std::vector<fs::path> remains = config.slots;
  remains.push_back(config.storage_data_dir);
  remains.push_back(config.storage_keys_dir);
  for (const fs::path& path : remains) {
    EXPECT_THAT(said, HasSubstr(path.string()));
    EXPECT_TRUE(fs::exists(path)) << "it removed something";
    fs::remove_all(path);
  }
  HizodProcess::Init(files);
}

TEST(UnfinishedInitTest, NeverSaysSoOfAStoreThatWasServed) {
  LiveServer server;
  server.Stop();
  fs::remove(server.config().anchor);
  HizodProcess again(server.files(), {{"--init"}, {}});
  EXPECT_EQ(again.process().Wait(), kExitFailed);
  EXPECT_THAT(again.process().output(), HasSubstr("is there already"));
  EXPECT_THAT(again.process().output(), Not(HasSubstr("remove")));
}

// --- Slots that are sealed with a passphrase

class SealedSlotsTest : public ::testing::Test {
 protected:
  fs::path Passphrase(const std::string& lines,
                      fs::perms readers = fs::perms::none) {
    const fs::path file = files_.Write("passphrase", lines);
    fs::permissions(file, fs::perms::owner_read | readers);
    return file;
  }
  HizodProcess::Options With(const fs::path& passphrase,
                             const std::string& more = "") {
    HizodProcess::Options options;
    options.arguments = {"--slot-passphrase-file", passphrase.string()};
    if (!more.empty()) options.arguments.push_back(more);
    return options;
  }
  void Init() {
    HizodProcess init(files_, With(Passphrase(kOne), "--init"));
    ASSERT_EQ(init.process().Wait(), 0) << init.process().output();
  }
  void ExpectServes(const HizodProcess::Options& options) {
    HizodProcess hizod(files_, options);
    ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
    EXPECT_EQ(hizod.Stop(), 0);
  }
  void ExpectRefused(const HizodProcess::Options& options, const char* why) {
    HizodProcess hizod(files_, options);
    EXPECT_FALSE(hizod.WaitUntilReady());
    EXPECT_EQ(hizod.process().Wait(), kExitFailed);
    EXPECT_THAT(hizod.process().output(), HasSubstr(why));
    EXPECT_THAT(hizod.process().output(), Not(HasSubstr("battery")));
  }
  static constexpr char kOne[] = "correct horse battery\n";
  static constexpr char kOther[] = "another horse battery\n";
  VaultFiles files_;
};

TEST_F(SealedSlotsTest, OpenWithTheirPassphraseOnly) {
  ASSERT_NO_FATAL_FAILURE(Init());
  ExpectServes(With(Passphrase(kOne)));
  ExpectRefused({}, "sealed with a passphrase, and none is given");
  ExpectRefused(With(Passphrase(kOther)), "sealed with another passphrase");
  ExpectServes(With(Passphrase(std::string(kOther) + kOne)));
}

TEST_F(SealedSlotsTest, APassphraseThatOthersMayReadIsNone) {
  ASSERT_NO_FATAL_FAILURE(Init());
  ExpectRefused(With(Passphrase(kOne, fs::perms::group_read)),
                "may be read by others than its owner");
  ExpectRefused(With(Passphrase("short\n")), "under 12 bytes");
  ExpectRefused(With(Passphrase("")), "is empty or too large");
}

TEST_F(SealedSlotsTest, ASlotInTheClearIsTakenOver) {
  HizodProcess::Init(files_);
  ExpectServes(With(Passphrase(kOne)));
  ExpectServes({});
}

}  // namespace
}  // namespace hizo::test
