#include "service/cli/input.h"

#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/failure.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::cli {
namespace {

using ::hizo::test::IsOk;
using ::hizo::test::IsOkAndHolds;
using ::testing::HasSubstr;
using ::testing::Not;

class InputTest : public ::testing::Test {
 protected:
  Terminal Typing(const std::string& text) {
    in_.str(text);
    return {.in = in_, .out = out_, .err = err_};
  }
  std::string Write(const std::string& bytes) {
    const auto path = directory_.path() / "file";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  test::ScratchDirectory directory_;
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(InputTest, ReadsAWholeFileByteForByte) {
  const std::string bytes("a\0\r\n\xff", 5);
  EXPECT_THAT(ReadFile(Write(bytes), 5), IsOkAndHolds(bytes));
}

TEST_F(InputTest, RefusesAFileThatIsTooLong) {
  EXPECT_THAT(ReadFile(Write("123456"), 5), Not(IsOk()));
}

TEST_F(InputTest, RefusesWhatIsNotAFile) {
  EXPECT_THAT(ReadFile(directory_.path() / "none", 5), Not(IsOk()));
  EXPECT_THAT(ReadFile(directory_.path(), 5), Not(IsOk()));
}

TEST_F(InputTest, ReadsADocumentFromStandardInput) {
  Terminal terminal = Typing("{\n}\n");
  EXPECT_THAT(ReadDocument("-", terminal), IsOkAndHolds(std::string("{\n}\n")));
}

TEST_F(InputTest, RefusesADocumentLongerThanOneMebibyte) {
  Terminal terminal = Typing(std::string(1024 * 1024 + 1, ' '));
  const auto document = ReadDocument("-", terminal);
  ASSERT_THAT(document, Not(IsOk()));
  EXPECT_THAT(FailureOf(document.status()).text, HasSubstr("longer"));
}

TEST_F(InputTest, ReadsOneLineAndLeavesTheRest) {
  Terminal terminal = Typing("one\r\ntwo\n");
  EXPECT_THAT(ReadLine(terminal), IsOkAndHolds(std::string("one")));
  EXPECT_THAT(ReadLine(terminal), IsOkAndHolds(std::string("two")));
  EXPECT_THAT(ReadLine(terminal), Not(IsOk()));
}

TEST_F(InputTest, RefusesALineThatIsTooLong) {
  Terminal terminal = Typing(std::string(5000, 'x'));
  EXPECT_THAT(ReadLine(terminal), Not(IsOk()));
}

TEST_F(InputTest, TakesAPasswordFromAFileWithoutItsLineBreak) {
  Terminal terminal = Typing("not this");
  EXPECT_THAT(ReadPassword(Write(" pass word \n"), terminal),
              IsOkAndHolds(std::string(" pass word ")));
  EXPECT_THAT(ReadPassword(Write("pässwörd\r\n"), terminal),
              IsOkAndHolds(std::string("pässwörd")));
  EXPECT_THAT(ReadPassword(Write("two\n\n"), terminal),
              IsOkAndHolds(std::string("two\n")));
}

TEST_F(InputTest, TakesAPasswordFromStandardInputWithoutAsking) {
  Terminal terminal = Typing("secret\n");
  EXPECT_THAT(ReadPassword("", terminal), IsOkAndHolds(std::string("secret")));
  EXPECT_EQ(err_.str(), "");
}

TEST_F(InputTest, AsksAPersonForThePassword) {
  Terminal terminal = Typing("secret\n");
  terminal.at_in = Presence::kPerson;
  EXPECT_THAT(ReadPassword("", terminal), IsOkAndHolds(std::string("secret")));
  EXPECT_EQ(err_.str(), "Password: \n");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(InputTest, RefusesAPasswordThatIsNotThere) {
  Terminal terminal = Typing("");
  EXPECT_THAT(ReadPassword("", terminal), Not(IsOk()));
  EXPECT_THAT(ReadPassword(directory_.path() / "none", terminal), Not(IsOk()));
}

}  // namespace
}  // namespace hizo::cli
