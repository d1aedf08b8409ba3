// hizo password ...: what it asks for, prints and ends with.
#include <fstream>
#include <string>
#include <vector>

#include "crypto/breached_list.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fake_vault.h"
#include "tests/testing/scratch_directory.h"

namespace hizo::cli {
namespace {

using test::CliRun;
using test::RunCli;
using ::testing::HasSubstr;

constexpr char kSubject[] = "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10";
// "abc" and "password", as public lists have them, in order.
constexpr char kHashes[] =
    "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\n"
    "A9993E364706816ABA3E25717850C26C9CD0D89D\n";

class PasswordCommandsTest : public ::testing::Test {
 protected:
  CliRun Run(const std::vector<std::string>& arguments,
             const std::string& in = "") {
    std::vector<std::string> all = {"password"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return RunCli(vault_, all, in);
  }
  std::string Write(const std::string& name, const std::string& text) {
    const auto path = directory_.path() / name;
    std::ofstream(path) << text;
    return path;
  }
  std::string Place(const std::string& name) {
    return directory_.path() / name;
  }
  static bool Contains(const std::string& list, const std::string& password) {
    const auto opened = crypto::BreachedList::Open(list);
    return opened.ok() &&
           *(*opened)->Contains(crypto::Secret::CopyOf(password));
  }

  test::FakeVault vault_;
  test::ScratchDirectory directory_;
};

TEST_F(PasswordCommandsTest, ChangeTakesBothFromInputOrFiles) {
  vault_.change_password.response.set_changed(true);
  const CliRun run = Run({"change", kSubject}, "old\nnew\n");
  EXPECT_EQ(run.exit, 0);
  EXPECT_EQ(run.out, "the password is changed\n");
  EXPECT_EQ(vault_.change_password.request.subject(), kSubject);
  EXPECT_EQ(vault_.change_password.request.password(), "old");
  EXPECT_EQ(vault_.change_password.request.new_password(), "new");
  EXPECT_FALSE(vault_.change_password.request.context().request_id().empty());
  Run({"change", kSubject, "--password-file", Write("a", "one\n"),
       "--new-password-file", Write("b", "two\n")});
  EXPECT_EQ(vault_.change_password.request.password(), "one");
  EXPECT_EQ(vault_.change_password.request.new_password(), "two");
}

TEST_F(PasswordCommandsTest, ChangeEndsWithFourWhenThePresentOneIsNotRight) {
  const CliRun run = Run({"change", kSubject}, "old\nnew\n");
  EXPECT_EQ(run.exit, 4);
  EXPECT_THAT(run.err, HasSubstr("the password is not right"));
  EXPECT_EQ(Run({"change", kSubject}, "old\n").exit, 2);
}

TEST_F(PasswordCommandsTest, ImportHashTakesItFromInputOrAFile) {
  EXPECT_EQ(Run({"import-hash", kSubject}, "$2b$12$x\n").exit, 0);
  EXPECT_EQ(vault_.import_hash.request.hash(), "$2b$12$x");
  Run({"import-hash", kSubject, "--hash-file", Write("h", "$2y$10$y\n")});
  EXPECT_EQ(vault_.import_hash.request.hash(), "$2y$10$y");
  vault_.statuses = {
      test::Refusal(grpc::StatusCode::INVALID_ARGUMENT, "HASH_UNSUPPORTED")};
  const CliRun refused = Run({"import-hash", kSubject}, "nonsense\n");
  EXPECT_EQ(refused.exit, 1);
  EXPECT_THAT(refused.err, HasSubstr("HASH_UNSUPPORTED"));
}

TEST_F(PasswordCommandsTest, RevokeSaysThatThereIsNoneNow) {
  EXPECT_EQ(Run({"revoke", kSubject}).out, "the person has no password now\n");
  EXPECT_EQ(vault_.revoke.request.subject(), kSubject);
}

TEST_F(PasswordCommandsTest, StateTellsWhoHasToWait) {
  v1::CredentialState& state =
      *vault_.credential_state.response.mutable_state();
  EXPECT_THAT(Run({"state", kSubject}).out, HasSubstr("none"));
  state.set_has_password(true);
  state.set_wrong_guesses(7);
  EXPECT_THAT(Run({"state", kSubject}).out, HasSubstr("no wait"));
  state.mutable_wait_until_time()->set_seconds(1'700'000'000);
  const std::string out = Run({"state", kSubject}).out;
  EXPECT_THAT(out, HasSubstr("set"));
  EXPECT_THAT(out, HasSubstr("7"));
  EXPECT_THAT(out, HasSubstr("2023-11-14"));
  EXPECT_THAT(Run({"state", kSubject, "--json"}).out,
              HasSubstr("\"wrong_guesses\":7"));
}

TEST_F(PasswordCommandsTest, UnlockShowsWhatItForgot) {
  vault_.unlock.response.mutable_state()->set_wrong_guesses(9);
  const CliRun run = Run({"unlock", kSubject});
  EXPECT_EQ(run.exit, 0);
  EXPECT_THAT(run.out, HasSubstr("9"));
  EXPECT_EQ(vault_.unlock.request.subject(), kSubject);
  vault_.unlock_caller.response.set_seconds_left(30);
  EXPECT_THAT(Run({"unlock-caller", "spiffe://a/b"}).out, HasSubstr("30 s"));
  EXPECT_EQ(vault_.unlock_caller.request.caller(), "spiffe://a/b");
}

TEST_F(PasswordCommandsTest, RotatePepperTellsItsNumber) {
  vault_.rotate_pepper.response.set_pepper(3);
  EXPECT_THAT(Run({"rotate-pepper"}).out, HasSubstr("pepper 3"));
}

TEST_F(PasswordCommandsTest, BuildListNeedsNoVault) {
  const std::string out = Place("list");
  const CliRun run = RunCli(
      {"password", "build-list", Write("hashes", kHashes), "--out", out});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("2 passwords"));
  EXPECT_TRUE(Contains(out, "password"));
  EXPECT_TRUE(Contains(out, "abc"));
  EXPECT_FALSE(Contains(out, "abd"));
}

TEST_F(PasswordCommandsTest, BuildListSortsPlainPasswordsAndNormalisesThem) {
  const std::string out = Place("list");
  const CliRun run = RunCli(
      {"password", "build-list", "--plain",
       Write("plain", "zebra\r\nabc\n\ncafe\xCC\x81\nabc\n"), "--out", out});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("3 passwords"));
  for (const char* password : {"zebra", "abc", "caf\xC3\xA9"}) {
    EXPECT_TRUE(Contains(out, password)) << password;
  }
}

TEST_F(PasswordCommandsTest, BuildListSaysWhichLineIsWrong) {
  const auto build = [&](const std::string& text, const std::string& out) {
    return RunCli(
        {"password", "build-list", Write("hashes", text), "--out", Place(out)});
  };
  const CliRun no_hash = build(std::string(kHashes) + "abc\n", "1");
  EXPECT_EQ(no_hash.exit, 2);
  EXPECT_THAT(no_hash.err, HasSubstr("line 3"));
  const CliRun disorder = build(std::string(kHashes) + kHashes, "2");
  EXPECT_EQ(disorder.exit, 2);
  EXPECT_THAT(disorder.err, HasSubstr("line 3: out of order"));
  EXPECT_FALSE(Contains(Place("2"), "abc"));
  EXPECT_EQ(build(kHashes, "2").exit, 2);
  EXPECT_EQ(
      RunCli({"password", "build-list", Place("none"), "--out", Place("3")})
          .exit,
      2);
  EXPECT_EQ(RunCli({"password", "build-list", "--plain",
                    Write("plain", "\xFF\n"), "--out", Place("4")})
                .exit,
            2);
}

}  // namespace
}  // namespace hizo::cli
