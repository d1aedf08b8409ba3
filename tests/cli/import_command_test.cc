// `hizo import` against a vault: what it sends, what it prints, how it ends.
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fake_vault.h"

namespace hizo::cli {
namespace {

using ::hizo::test::CliRun;
using ::hizo::test::RunCli;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ImportCommandTest : public ::testing::Test {
 protected:
  CliRun Run(std::vector<std::string> arguments, const std::string& in = "") {
    return RunCli(vault_, std::move(arguments), in);
  }
  std::string Write(const std::string& name, const std::string& text) {
    const auto path = directory_.path() / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  test::FakeVault vault_;
  test::ScratchDirectory directory_;
};

TEST_F(ImportCommandTest, SumsUpAndEndsWithOneWhenALineWasRefused) {
  const std::string file = Write(
      "people.jsonl",
      "{\"profile\":{\"n\":\"1\"}}\nnonsense\n{\"profile\":{\"n\":\"3\"}}\n");
  const CliRun run = Run({"import", file});
  EXPECT_EQ(run.exit, 1);
  EXPECT_EQ(run.out,
            "created             2\n"
            "were there already  0\n"
            "refused             1\n");
  EXPECT_EQ(run.err,
            "line 2: VALUE_INVALID: this is not a JSON object\n"
            "hizo: some lines were refused; all others are done\n");
}

TEST_F(ImportCommandTest, WritesRefusedLinesToAFile) {
  vault_.judge = [](const v1::ImportRecordsRequest&) {
    v1::ImportStatus item;
    item.set_reason(v1::REASON_ALREADY_EXISTS);
    item.set_field("account.email");
    return item;
  };
  const std::string errors = directory_.path() / "errors";
  const CliRun run =
      Run({"import", Write("people.jsonl", "{\"profile\":{\"n\":\"1\"}}\n"),
           "--errors", errors});
  EXPECT_EQ(run.exit, 1);
  EXPECT_THAT(run.err, Not(HasSubstr("line 1")));
  std::ifstream in(errors);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}),
            "line 1: ALREADY_EXISTS: account.email\n");
}

TEST_F(ImportCommandTest, PrintsJsonLinesForPrograms) {
  const CliRun run = Run(
      {"import", Write("people.jsonl", "\n{\"profile\":{\"n\":\"2\"}}\nx\n"),
       "--json"});
  EXPECT_EQ(run.exit, 1);
  EXPECT_EQ(run.out,
            "{\"line\":2,\"fate\":\"created\",\"subject\":\"subject-of-" +
                vault_.imported[0] +
                "\",\"reason\":\"\",\"field\":\"\"}\n"
                "{\"line\":3,\"fate\":\"refused\",\"subject\":\"\","
                "\"reason\":\"VALUE_INVALID\",\"field\":\"\"}\n");
}

TEST_F(ImportCommandTest, ShowsProgressOnlyWhenAsked) {
  const std::string file =
      Write("people.jsonl", "{\"profile\":{\"n\":\"1\"}}\n");
  EXPECT_EQ(Run({"import", file}).err, "");
  EXPECT_EQ(Run({"import", file, "--progress"}).err, "\r1 lines, 100 % \n");
}

TEST_F(ImportCommandTest, GoesOnWhereAnEarlierRunStopped) {
  const std::string file =
      Write("people.jsonl",
            "{\"profile\":{\"n\":\"1\"}}\n{\"profile\":{\"n\":\"2\"}}\n");
  const std::string state = directory_.path() / "state";
  int asked = 0;
  vault_.judge = [&](const v1::ImportRecordsRequest&) {
    v1::ImportStatus item;
    if (++asked == 2) item.set_reason(v1::REASON_CALLER_NOT_ENTITLED);
    return item;
  };
  const std::vector<std::string> import = {"import",  file, "--state",   state,
                                           "--lines", "1",  "--streams", "1"};
  EXPECT_EQ(Run(import).exit, 1);
  const CliRun run = Run(import);
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("created               1\n"),
                             HasSubstr("done by earlier runs  1\n")));
  EXPECT_EQ(asked, 3);
}

TEST_F(ImportCommandTest, StopsWhereRefusedLinesCannotBeWritten) {
  const std::string file = Write("people.jsonl", "nonsense\n");
  const CliRun run = Run({"import", file, "--errors", "/dev/full"});
  EXPECT_EQ(run.exit, 2);
  EXPECT_THAT(run.err, HasSubstr("cannot be written"));
}

TEST_F(ImportCommandTest, RefusesFilesAndNumbersThatAreWrong) {
  EXPECT_EQ(Run({"import", "/none"}).exit, 2);
  EXPECT_EQ(Run({"import"}).exit, 2);
  const std::string file = Write("people.jsonl", "");
  EXPECT_EQ(Run({"import", file, "--lines", "0"}).exit, 2);
  EXPECT_EQ(Run({"import", file, "--streams", "1000"}).exit, 2);
  EXPECT_EQ(Run({"import", file, "--errors", "/none/errors"}).exit, 2);
}

}  // namespace
}  // namespace hizo::cli
