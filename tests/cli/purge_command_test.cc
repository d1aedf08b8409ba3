// hizo purge, from the command line.
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fake_vault.h"

namespace hizo::cli {
namespace {

using ::hizo::test::CliRun;
using ::hizo::test::RunCli;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

constexpr int kRefused = 1;
constexpr int kNotVerified = 4;

class PurgeCommandTest : public ::testing::Test {
 protected:
  PurgeCommandTest() {
    begun().mutable_start_time()->set_seconds(1'000'000);
    now() = begun();
    now().mutable_end_time()->set_seconds(1'000'030);
    now().set_files_rewritten(12);
    now().set_bytes(34567);
  }
  v1::Purge& begun() { return *vault_.run_purge.response.mutable_purge(); }
  v1::Purge& now() { return *vault_.status.response.mutable_purge(); }
  CliRun Run(std::vector<std::string> arguments) {
    return RunCli(vault_, std::move(arguments));
  }
  test::FakeVault vault_;
};

TEST_F(PurgeCommandTest, TellsWhatItDidAndWhatItCannotPromise) {
  const CliRun run = Run({"purge"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, ContainsRegex("files written anew +12"));
  EXPECT_THAT(run.out, ContainsRegex("not spoken for +spare blocks"));
  EXPECT_THAT(Run({"status"}).out,
              ContainsRegex("newest purge .*nothing left"));
}

TEST_F(PurgeCommandTest, IsNotDoneWhereSomethingMayBeLeft) {
  now().set_read_meanwhile(true);
  CliRun run = Run({"purge"});
  EXPECT_EQ(run.exit, kNotVerified);
  EXPECT_THAT(run.err, HasSubstr("run it again"));
  EXPECT_THAT(Run({"status"}).out, HasSubstr("something may be left"));
  now().set_read_meanwhile(false);
  now().set_files_left(1);
  run = Run({"purge"});
  EXPECT_EQ(run.exit, kNotVerified);
  EXPECT_THAT(run.out, ContainsRegex("older files left +1"));
}

TEST_F(PurgeCommandTest, SaysThatItFailed) {
  now().set_reason(v1::REASON_TOO_LARGE);
  const CliRun run = Run({"purge"});
  EXPECT_EQ(run.exit, kRefused);
  EXPECT_THAT(run.err, HasSubstr("TOO_LARGE"));
  EXPECT_THAT(Run({"status"}).out, HasSubstr("failed"));
}

TEST_F(PurgeCommandTest, CanBeBegunOnly) {
  now().clear_end_time();
  CliRun run = Run({"purge", "--no-wait"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out, "begun\n");
  EXPECT_THAT(Run({"status"}).out, ContainsRegex("newest purge +under way"));
}

TEST_F(PurgeCommandTest, EndsWhenTheVaultWasStartedAnew) {
  vault_.status.response.clear_purge();
  const CliRun run = Run({"purge"});
  EXPECT_EQ(run.exit, kRefused);
  EXPECT_THAT(run.err, HasSubstr("knows nothing of it"));
  EXPECT_THAT(Run({"status"}).out, ContainsRegex("newest purge +none"));
}

}  // namespace
}  // namespace hizo::cli
