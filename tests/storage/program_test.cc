#include "storage/program.h"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::storage {
namespace {

namespace fs = std::filesystem;
using test::IsOk;
using test::StatusIs;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::seconds kPatience{60};

class ProgramTest : public ::testing::Test {
 protected:
  // A program of the shell's; $OUT is where it may write.
  fs::path Program(std::string text) const {
    const std::string out = "$OUT";
    for (size_t at = text.find(out); at != text.npos; at = text.find(out)) {
      text.replace(at, out.size(), Out().string());
    }
    const fs::path file = scratch_.path() / "program";
    std::ofstream(file) << "#!/bin/sh\n" << text << "\n";
    chmod(file.c_str(), 0700);
    return file;
  }
  fs::path Out() const { return scratch_.path() / "out"; }
  std::string Written() const {
    std::ifstream in(Out(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  test::ScratchDirectory scratch_;
};

TEST_F(ProgramTest, GetsItsArgumentAndItsInput) {
  const std::string input =
      std::string("two\nlines\0", 10) + std::string(1 << 20, 'x');
  EXPECT_THAT(RunProgram(Program(R"(echo "$#:$1" > $OUT; exec cat >> $OUT)"),
                         "a b", input, kPatience),
              IsOk());
  EXPECT_EQ(Written(), "1:a b\n" + input);
}

TEST_F(ProgramTest, GetsNoEnvironmentAndNoFiles) {
  const std::ofstream held(scratch_.path() / "held");
  ASSERT_EQ(setenv("HIZO_TEST_SECRET", "1", 1), 0);
  EXPECT_THAT(
      RunProgram(Program("export -p > $OUT; ls -l /proc/self/fd >> $OUT"), "",
                 "", kPatience),
      IsOk());
  EXPECT_THAT(Written(), HasSubstr("0 ->"));
  EXPECT_THAT(Written(), Not(HasSubstr("HIZO_TEST_SECRET")));
  EXPECT_THAT(Written(), Not(HasSubstr("held")));
}

TEST_F(ProgramTest, SaysThatItFailed) {
  EXPECT_THAT(RunProgram(Program("exit 3"), "", "", kPatience),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(RunProgram(Program("kill -9 $$"), "", "", kPatience),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ProgramTest, IsNoneIfItCannotBeRun) {
  EXPECT_THAT(RunProgram(scratch_.path() / "nothing", "", "", kPatience),
              StatusIs(absl::StatusCode::kUnavailable));
  const fs::path file = Program("exit 0");
  chmod(file.c_str(), 0600);
  EXPECT_THAT(RunProgram(file, "", "", kPatience),
              StatusIs(absl::StatusCode::kUnavailable));
}

// It waits for what nobody will ever write.
TEST_F(ProgramTest, IsKilledWhenItDoesNotEnd) {
  ASSERT_EQ(mkfifo(Out().c_str(), 0600), 0);
  EXPECT_THAT(RunProgram(Program("read x < $OUT"), "", "",
                         std::chrono::milliseconds(20)),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace hizo::storage
