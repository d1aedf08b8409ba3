#include "tests/testing/faulty_engine.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/memory/engine.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using ::testing::Eq;
using ::testing::Optional;
using ::testing::SizeIs;
using When = FaultyEngine::When;

storage::Batch PutOf(std::string key, std::string value) {
  storage::Batch batch;
  batch.Put(std::move(key), std::move(value));
  return batch;
}

class FaultyEngineTest : public ::testing::Test {
 protected:
  FaultyEngine engine_{storage::NewMemoryEngine()};
};

TEST_F(FaultyEngineTest, IsTheWrappedEngineWhereNothingFails) {
  ASSERT_THAT(engine_.Commit(PutOf("key", "value")), IsOk());
  EXPECT_THAT(engine_.Get("key"), IsOkAndHolds(Optional(Eq("value"))));
  EXPECT_THAT(engine_.Scan({.from = "", .until = "", .limit = 9}),
              IsOkAndHolds(SizeIs(1)));
  const auto snapshot = engine_.NewSnapshot();
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_THAT((*snapshot)->Get("key"), IsOkAndHolds(Optional(Eq("value"))));
  EXPECT_THAT(engine_.Health(), IsOk());
  EXPECT_EQ(engine_.commits(), 1u);
  EXPECT_EQ(engine_.reads(), 3u);
}

TEST_F(FaultyEngineTest, FailsTheNthCommitAndNoOther) {
  engine_.FailCommit(2, When::kBeforeApplied,
                     absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(engine_.Commit(PutOf("1", "")), IsOk());
  EXPECT_THAT(engine_.Commit(PutOf("2", "")),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(engine_.Commit(PutOf("3", "")), IsOk());
  EXPECT_THAT(engine_.Get("2"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(engine_.Get("3"), IsOkAndHolds(Optional(Eq(""))));
  EXPECT_EQ(engine_.commits(), 3u);
}

TEST_F(FaultyEngineTest, QueuesSeveralFaults) {
  engine_.FailCommit(2, When::kBeforeApplied, absl::AbortedError("second"));
  engine_.FailCommit(1, When::kBeforeApplied, absl::UnavailableError("first"));
  EXPECT_THAT(engine_.Commit(PutOf("1", "")),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(engine_.Commit(PutOf("2", "")),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(engine_.Commit(PutOf("3", "")), IsOk());
}

TEST_F(FaultyEngineTest, FailsACommitThatWasApplied) {
  engine_.FailCommit(1, When::kAfterApplied, absl::UnavailableError("lost"));
  EXPECT_THAT(engine_.Commit(PutOf("key", "value")),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(engine_.Get("key"), IsOkAndHolds(Optional(Eq("value"))));
}

TEST_F(FaultyEngineTest, PrefersTheEnginesOwnErrorToTheInjectedOne) {
  engine_.FailCommit(1, When::kAfterApplied, absl::UnavailableError("lost"));
  storage::Batch batch;
  batch.RequireValue("missing", "value");
  EXPECT_THAT(engine_.Commit(batch), StatusIs(absl::StatusCode::kAborted));
}

TEST_F(FaultyEngineTest, RefusesEverythingAfterAnUnknownOutcome) {
  engine_.FailCommit(1, When::kAfterApplied, absl::UnknownError("injected"));
  EXPECT_THAT(engine_.Commit(PutOf("key", "value")),
              StatusIs(absl::StatusCode::kUnknown));
  EXPECT_THAT(engine_.Commit(PutOf("other", "")),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(engine_.Get("key"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(engine_.Scan({.from = "", .until = "", .limit = 9}),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(engine_.NewSnapshot(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(engine_.Health(), StatusIs(absl::StatusCode::kUnavailable));

  engine_.Restart();
  EXPECT_THAT(engine_.Health(), IsOk());
  EXPECT_THAT(engine_.Get("key"), IsOkAndHolds(Optional(Eq("value"))));
  EXPECT_THAT(engine_.Get("other"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(FaultyEngineTest, ForgetsWaitingFaultsAtARestart) {
  engine_.FailCommit(1, When::kBeforeApplied, absl::AbortedError("injected"));
  engine_.FailRead(1, absl::DataLossError("injected"));
  engine_.BeforeCommit([] { FAIL() << "the hook was to be forgotten"; });
  engine_.Restart();
  EXPECT_THAT(engine_.Commit(PutOf("key", "")), IsOk());
  EXPECT_THAT(engine_.Get("key"), IsOkAndHolds(Optional(Eq(""))));
}

TEST_F(FaultyEngineTest, FailsTheNthReadOfAnyKind) {
  engine_.FailRead(1, absl::DataLossError("injected"));
  engine_.FailRead(3, absl::DataLossError("injected"));
  engine_.FailRead(4, absl::DataLossError("injected"));
  EXPECT_THAT(engine_.Get("key"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(engine_.Get("key"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(engine_.Scan({.from = "", .until = "", .limit = 9}),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(engine_.NewSnapshot(), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(engine_.reads(), 4u);
}

TEST_F(FaultyEngineTest, RunsTheHookOnceBeforeTheNextCommit) {
  int runs = 0;
  engine_.BeforeCommit([&] { ++runs; });
  ASSERT_THAT(engine_.Commit(PutOf("1", "")), IsOk());
  ASSERT_THAT(engine_.Commit(PutOf("2", "")), IsOk());
  EXPECT_EQ(runs, 1);
}

TEST_F(FaultyEngineTest, LetsTheHookWinARace) {
  engine_.BeforeCommit(
      [&] { EXPECT_THAT(engine_.Commit(PutOf("key", "rival")), IsOk()); });
  storage::Batch batch = PutOf("key", "mine");
  batch.RequireAbsent("key");
  EXPECT_THAT(engine_.Commit(batch), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(engine_.Get("key"), IsOkAndHolds(Optional(Eq("rival"))));
}

}  // namespace
}  // namespace hizo::test
