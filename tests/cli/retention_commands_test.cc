// hizo retention ..., from the command line.
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
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int kRefused = 1;
constexpr int kBadUsage = 2;
constexpr char kAnn[] = "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10";

class RetentionCommandsTest : public ::testing::Test {
 protected:
  CliRun Run(std::vector<std::string> arguments) {
    return RunCli(vault_, std::move(arguments));
  }
  v1::ListDueResponse& AddPage() { return vault_.due_pages.emplace_back(); }
  test::FakeVault vault_;
};

TEST_F(RetentionCommandsTest, ListsEveryPageOfWhatIsDue) {
  v1::ListDueResponse& first = AddPage();
  v1::DueEntries* due = first.add_due();
  due->set_record_class("profile");
  due->set_state(v1::DUE_STATE_RETENTION_UNSET);
  first.set_next_page_token("more");
  due = AddPage().add_due();
  due->set_record_class("usage");
  due->set_state(v1::DUE_STATE_BLOCKED_RESTRICTED);
  due->set_subject(kAnn);
  due->set_end_date("2027-04-10");
  due->set_entries(3);
  const CliRun run = Run({"retention", "due", "--as-of", "2027-04-10"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out,
              AllOf(ContainsRegex("profile +RETENTION_UNSET"),
                    ContainsRegex("usage +BLOCKED_RESTRICTED +2027-04-10 +3 +" +
                                  std::string(kAnn))));
  ASSERT_THAT(vault_.due_requests, SizeIs(2));
  EXPECT_EQ(vault_.due_requests[0].as_of().seconds(), 1'807'315'200);
  EXPECT_EQ(vault_.due_requests[1].page_token(), "more");
}

TEST_F(RetentionCommandsTest, SaysThatNothingIsDueAndRefusesNoTime) {
  AddPage();
  EXPECT_EQ(Run({"retention", "due"}).out, "nothing is due\n");
  EXPECT_FALSE(vault_.due_requests.back().has_as_of());
  EXPECT_EQ(Run({"retention", "due", "--as-of", "tomorrow"}).exit, kBadUsage);
  EXPECT_EQ(Run({"retention", "run", "--as-of", "2027-13-01"}).exit, kBadUsage);
}

TEST_F(RetentionCommandsTest, WaitsForARunAndTellsWhatItDid) {
  v1::RetentionRun& begun = *vault_.run_retention.response.mutable_run();
  begun.mutable_start_time()->set_seconds(1'000'000);
  *AddPage().mutable_newest_run() = begun;
  v1::RetentionRun& ended = *AddPage().mutable_newest_run();
  ended = begun;
  ended.mutable_end_time()->set_seconds(1'000'002);
  ended.set_entries_ended(12);
  ended.set_entries_blocked(2);
  CliRun run = Run({"retention", "run"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(ContainsRegex("entries deleted +12"),
                             ContainsRegex("held, or only kept +2")));
  ended.set_reason(v1::REASON_AUDIT_UNAVAILABLE);
  run = Run({"retention", "run"});
  EXPECT_EQ(run.exit, kRefused);
  EXPECT_THAT(run.err, HasSubstr("AUDIT_UNAVAILABLE"));
  vault_.due_pages.front().clear_newest_run();
  EXPECT_THAT(Run({"retention", "run"}).err, HasSubstr("knows nothing of it"));
}

TEST_F(RetentionCommandsTest, ARunCanBeBegunOnly) {
  const CliRun run =
      Run({"retention", "run", "--no-wait", "--as-of", "2027-04-10"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out, "begun\n");
  EXPECT_EQ(vault_.run_retention.request.as_of().seconds(), 1'807'315'200);
  EXPECT_THAT(vault_.due_requests, SizeIs(0));
}

TEST_F(RetentionCommandsTest, MarksAYearOfALoss) {
  vault_.loss_year.response.set_until("2037-05-31");
  vault_.loss_year.response.set_law("Tax Act");
  CliRun run = Run({"retention", "loss-year", "2027-03-31"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out, "kept until 2037-05-31: Tax Act\n");
  EXPECT_EQ(vault_.loss_year.request.record_class(), "transaction");
  EXPECT_EQ(vault_.loss_year.request.year_ends(), "2027-03-31");
  vault_.statuses.push_back(
      test::Refusal(grpc::StatusCode::NOT_FOUND, "RECORD_NOT_FOUND"));
  run = Run({"retention", "loss-year", "2019-03-31"});
  EXPECT_EQ(run.exit, kRefused);
  EXPECT_THAT(run.err, HasSubstr("RECORD_NOT_FOUND"));
  EXPECT_EQ(Run({"retention", "loss-year"}).exit, kBadUsage);
}

}  // namespace
}  // namespace hizo::cli
