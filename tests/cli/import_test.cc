#include "service/cli/import.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/failure.h"
#include "tests/cli/fake_vault.h"
#include "tests/testing/status_matchers.h"

namespace hizo::cli {
namespace {

using ::hizo::test::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Fate = ImportResult::Fate;

class Collector : public ImportListener {
 public:
  void OnResult(const ImportResult& result) override {
    results.push_back(result);
  }
  absl::Status OnBatch(const ImportBatch& batch) override {
    if (batch.lines.back().number >= stop_at) return UsageError("full");
    told.push_back(batch.lines.back().number);
    return absl::OkStatus();
  }

  std::vector<ImportResult> results;
  std::vector<int64_t> told;  // last lines of batches
  int64_t stop_at = INT64_MAX;
};

v1::ImportStatus Refused(v1::Reason reason, const std::string& field = "") {
  v1::ImportStatus item;
  item.set_reason(reason);
  item.set_field(field);
  return item;
}

// The text of the first field: lines of these tests are {"profile":{"n":TEXT}}.
std::string TextOf(const v1::ImportRecordsRequest& request) {
  return request.records(0).fields(0).value().text();
}

class ImportTest : public ::testing::Test {
 protected:
  // A file of people called `first` to `last`.
  void WritePeople(int first, int last) {
    std::ofstream out(path_);
    for (int i = first; i <= last; ++i) {
      out << R"({"profile":{"n":")" << i << "\"}}\n";
    }
  }
  void Write(const std::string& text) { std::ofstream(path_) << text; }

  absl::Status Run(ImportOptions options) {
    listener_.results.clear();
    listener_.told.clear();
    const Settings flags = {
        {"address", vault_.address()},       {"ca", vault_.File("ca.pem")},
        {"cert", vault_.File("client.pem")}, {"key", vault_.File("client.key")},
        {"purpose", "onboarding"},           {"timeout", "30s"}};
    const auto config = MakeConfig({}, flags);
    const auto client = Client::Open(*config);
    const auto file = ImportFile::Open(path_, path_ + ".state");
    if (!file.ok()) return file.status();
    options.purpose = config->purpose;
    options.pause = std::chrono::milliseconds(0);
    return Import(**client, **file, listener_, options).Run();
  }
  absl::Status Run() { return Run({.purpose = ""}); }

  int Count(Fate fate) const {
    return static_cast<int>(
        std::ranges::count(listener_.results, fate, &ImportResult::fate));
  }
  bool StateExists() const { return std::filesystem::exists(path_ + ".state"); }

  test::FakeVault vault_;
  test::ScratchDirectory directory_;
  std::string path_ = directory_.path() / "people.jsonl";
  Collector listener_;
};

TEST_F(ImportTest, CreatesEveryPersonOnceAndReportsInOrder) {
  WritePeople(1, 1000);
  ASSERT_THAT(Run({.purpose = "", .lines_per_stream = 30, .streams = 3}),
              IsOk());
  EXPECT_EQ(vault_.imported.size(), 1000U);
  EXPECT_EQ(vault_.streams, 34);
  ASSERT_EQ(listener_.results.size(), 1000U);
  for (size_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(listener_.results[i].line, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(listener_.results[i].fate, Fate::kCreated);
  }
  EXPECT_TRUE(std::ranges::is_sorted(listener_.told));
  EXPECT_EQ(listener_.told.back(), 1000);
  EXPECT_FALSE(StateExists());
}

TEST_F(ImportTest, SendsPurposeAndTheLinesOwnRequestId) {
  WritePeople(1, 1);
  v1::ImportRecordsRequest seen;
  vault_.judge = [&](const v1::ImportRecordsRequest& request) {
    seen = request;
    return v1::ImportStatus();
  };
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(seen.context().purpose(), "onboarding");
  EXPECT_EQ(seen.context().request_id(),
            ImportRequestId({1, R"({"profile":{"n":"1"}})"}));
  EXPECT_EQ(listener_.results[0].subject,
            "subject-of-" + seen.context().request_id());
}

TEST_F(ImportTest, DoesNothingForAnEmptyFile) {
  Write("");
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(vault_.streams, 0);
  EXPECT_FALSE(StateExists());
}

TEST_F(ImportTest, GoesOnPastLinesThatTheVaultRefuses) {
  WritePeople(1, 5);
  vault_.judge = [](const v1::ImportRecordsRequest& request) {
    return TextOf(request) == "3"
               ? Refused(v1::REASON_ALREADY_EXISTS, "account.email")
               : v1::ImportStatus();
  };
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(Count(Fate::kCreated), 4);
  EXPECT_EQ(listener_.results[2].fate, Fate::kRefused);
  EXPECT_EQ(listener_.results[2].reason, "ALREADY_EXISTS");
  EXPECT_EQ(listener_.results[2].field, "account.email");
}

TEST_F(ImportTest, RefusesLinesItCannotReadWithoutSendingThem) {
  Write(
      "{\"profile\":{\"n\":\"1\"}}\nnot json\n{\"profile\":{\"n\":null}}\n"
      "{\"profile\":{\"n\":\"4\"}}\n");
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(vault_.imported.size(), 2U);
  EXPECT_EQ(listener_.results[1].fate, Fate::kRefused);
  EXPECT_EQ(listener_.results[1].line, 2);
  EXPECT_EQ(listener_.results[2].field, "profile.n");
  EXPECT_EQ(listener_.results[3].fate, Fate::kCreated);
}

TEST_F(ImportTest, SkipsBlankLines) {
  Write("\n{\"profile\":{\"n\":\"2\"}}\n  \t\r\n");
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(Count(Fate::kBlank), 2);
  EXPECT_EQ(listener_.results[1].line, 2);
  EXPECT_EQ(listener_.results[1].fate, Fate::kCreated);
}

TEST_F(ImportTest, OpensNoStreamForABatchWithNothingToSend) {
  Write("\n\nnot json\n");
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(vault_.streams, 0);
}

TEST_F(ImportTest, ASecondRunFindsEverythingThere) {
  WritePeople(1, 10);
  ASSERT_THAT(Run(), IsOk());
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(Count(Fate::kRepeated), 10);
  EXPECT_EQ(vault_.imported.size(), 10U);
}

TEST_F(ImportTest, SendsAgainOnlyWhatTheVaultCouldNotTakeJustNow) {
  WritePeople(1, 4);
  std::map<std::string, int> asked;
  vault_.judge = [&](const v1::ImportRecordsRequest& request) {
    const std::string text = TextOf(request);
    return ++asked[text] < 3 && text == "2" ? Refused(v1::REASON_OVERLOADED)
                                            : v1::ImportStatus();
  };
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(asked["2"], 3);
  EXPECT_EQ(asked["1"], 1);
  EXPECT_EQ(Count(Fate::kCreated), 4);
}

TEST_F(ImportTest, StopsWhenTheVaultStaysOverloadedAndGoesOnLater) {
  WritePeople(1, 6);
  bool overloaded = true;
  vault_.judge = [&](const v1::ImportRecordsRequest& request) {
    return overloaded && TextOf(request) == "4" ? Refused(v1::REASON_OVERLOADED)
                                                : v1::ImportStatus();
  };
  const ImportOptions two_lines = {
      .purpose = "", .lines_per_stream = 2, .streams = 1};
  const absl::Status status = Run(two_lines);
  ASSERT_THAT(status, Not(IsOk()));
  EXPECT_EQ(FailureOf(status).exit, ExitCode::kRefused);
  EXPECT_EQ(FailureOf(status).reason, "OVERLOADED");
  EXPECT_THAT(FailureOf(status).text, HasSubstr("line 4"));
  EXPECT_THAT(listener_.told, ElementsAre(2));
  EXPECT_TRUE(StateExists());

  overloaded = false;
  ASSERT_THAT(Run(two_lines), IsOk());
  EXPECT_THAT(listener_.told, ElementsAre(4, 6));
  EXPECT_EQ(listener_.results[0].line, 3);
  EXPECT_EQ(listener_.results[0].fate, Fate::kRepeated);
  EXPECT_EQ(std::set(vault_.imported.begin(), vault_.imported.end()).size(),
            6U);
  EXPECT_EQ(vault_.imported.size(), 6U);
  EXPECT_FALSE(StateExists());
}

TEST_F(ImportTest, StopsAtOnceWhenTheCallerMayNotImport) {
  WritePeople(1, 3);
  int asked = 0;
  vault_.judge = [&](const v1::ImportRecordsRequest&) {
    ++asked;
    return Refused(v1::REASON_CALLER_NOT_ENTITLED);
  };
  const absl::Status status = Run();
  EXPECT_EQ(FailureOf(status).exit, ExitCode::kRefused);
  EXPECT_EQ(FailureOf(status).reason, "CALLER_NOT_ENTITLED");
  EXPECT_EQ(asked, 3);
  EXPECT_THAT(listener_.results, IsEmpty());
  EXPECT_FALSE(StateExists());
}

TEST_F(ImportTest, StopsAtAReasonThatThisProgramDoesNotKnow) {
  WritePeople(1, 1);
  vault_.judge = [](const v1::ImportRecordsRequest&) {
    return Refused(static_cast<v1::Reason>(9999));
  };
  EXPECT_EQ(FailureOf(Run()).reason, "9999");
}

TEST_F(ImportTest, RepeatsAStreamThatBrokeWithoutCreatingAnybodyTwice) {
  WritePeople(1, 3);
  vault_.statuses = {
      grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "too late"),
      test::Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED")};
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(vault_.streams, 3);
  EXPECT_EQ(vault_.imported.size(), 3U);
  EXPECT_EQ(Count(Fate::kRepeated), 3);
}

TEST_F(ImportTest, GivesUpOnAStreamThatIsRefusedAsAWhole) {
  WritePeople(1, 3);
  vault_.statuses = {test::Refusal(grpc::StatusCode::PERMISSION_DENIED,
                                   "CALLER_NOT_ENTITLED")};
  const absl::Status status = Run();
  EXPECT_EQ(FailureOf(status).exit, ExitCode::kRefused);
  EXPECT_EQ(vault_.streams, 1);
}

TEST_F(ImportTest, GivesUpOnAVaultThatStaysSilent) {
  WritePeople(1, 2);
  for (int i = 0; i < 5; ++i) {
    vault_.statuses.emplace_back(grpc::StatusCode::DEADLINE_EXCEEDED, "late");
  }
  EXPECT_EQ(FailureOf(Run()).exit, ExitCode::kUnreachable);
  EXPECT_EQ(vault_.streams, 5);
}

TEST_F(ImportTest, AcknowledgesNothingBehindABatchThatFailed) {
  WritePeople(1, 40);
  vault_.judge = [](const v1::ImportRecordsRequest& request) {
    return TextOf(request) == "11" ? Refused(v1::REASON_INTERNAL)
                                   : v1::ImportStatus();
  };
  ASSERT_THAT(Run({.purpose = "", .lines_per_stream = 10, .streams = 4}),
              Not(IsOk()));
  EXPECT_THAT(listener_.told, ElementsAre(10));
}

TEST_F(ImportTest, DoesNotCountABatchAsDoneWhoseResultsNobodyCouldTake) {
  WritePeople(1, 6);
  const ImportOptions two_lines = {
      .purpose = "", .lines_per_stream = 2, .streams = 2};
  listener_.stop_at = 4;
  EXPECT_EQ(FailureOf(Run(two_lines)).text, "full");
  listener_.stop_at = INT64_MAX;
  ASSERT_THAT(Run(two_lines), IsOk());
  EXPECT_EQ(listener_.results[0].line, 3);
  EXPECT_EQ(vault_.imported.size(), 6U);
}

TEST_F(ImportTest, StopsAtALineThatIsTooLong) {
  Write(std::string(ImportFile::kLineBytesMax + 1, 'x'));
  EXPECT_EQ(FailureOf(Run()).exit, ExitCode::kUsage);
}

}  // namespace
}  // namespace hizo::cli
