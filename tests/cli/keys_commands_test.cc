// Rotating the keys of the store, from the command line.
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
using ::testing::Not;

class KeysCommandsTest : public ::testing::Test {
 protected:
  KeysCommandsTest() {
    auto& rotation = *vault_.rotate_keys.response.mutable_key_rotation();
    rotation.set_buckets_done(1024);
    rotation.set_buckets(65536);
  }
  CliRun Run(std::vector<std::string> arguments) {
    return RunCli(vault_, std::move(arguments));
  }
  test::FakeVault vault_;
};

TEST_F(KeysCommandsTest, RotateEndsWhenNoneIsUnderWay) {
  const CliRun run = Run({"keys", "rotate"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_FALSE(vault_.rotate_keys.request.data_keys());
  EXPECT_THAT(run.out, HasSubstr("fresh keys"));
}

TEST_F(KeysCommandsTest, RotateCanBeBegunOnly) {
  *vault_.status.response.mutable_key_rotation() =
      vault_.rotate_keys.response.key_rotation();
  CliRun run = Run({"keys", "rotate", "--data-keys", "--no-wait"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_TRUE(vault_.rotate_keys.request.data_keys());
  EXPECT_EQ(run.out, "begun\n");
  run = Run({"keys", "rotate", "--no-wait", "--json"});
  EXPECT_THAT(run.out, HasSubstr(R"("buckets_done":1024)"));
}

TEST_F(KeysCommandsTest, StatusTellsHowFarItIs) {
  EXPECT_THAT(Run({"status"}).out, Not(HasSubstr("keys rotated")));
  *vault_.status.response.mutable_key_rotation() =
      vault_.rotate_keys.response.key_rotation();
  EXPECT_THAT(Run({"status"}).out,
              ContainsRegex("keys rotated +1024 of 65536 buckets"));
}

}  // namespace
}  // namespace hizo::cli
