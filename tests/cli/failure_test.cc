#include "service/cli/failure.h"

#include "gtest/gtest.h"

namespace hizo::cli {
namespace {

TEST(FailureTest, ComesBackAsItWasGiven) {
  const Failure failure = FailureOf(Fail({.exit = ExitCode::kUnreachable,
                                          .text = "a text",
                                          .reason = "OVERLOADED",
                                          .field = "account.email"}));
  EXPECT_EQ(failure.exit, ExitCode::kUnreachable);
  EXPECT_EQ(failure.text, "a text");
  EXPECT_EQ(failure.reason, "OVERLOADED");
  EXPECT_EQ(failure.field, "account.email");
}

TEST(FailureTest, OfWrongUsageHasNoReason) {
  const Failure failure = FailureOf(UsageError("wrong"));
  EXPECT_EQ(failure.exit, ExitCode::kUsage);
  EXPECT_EQ(failure.text, "wrong");
  EXPECT_EQ(failure.reason, "");
  EXPECT_EQ(failure.field, "");
}

TEST(FailureTest, OfAnotherStatusIsWrongUsage) {
  const Failure failure = FailureOf(absl::DataLossError("broken"));
  EXPECT_EQ(failure.exit, ExitCode::kUsage);
  EXPECT_EQ(failure.text, "broken");
}

TEST(FailureTest, NumbersOfExitCodesArePromised) {
  EXPECT_EQ(static_cast<int>(ExitCode::kOk), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::kRefused), 1);
  EXPECT_EQ(static_cast<int>(ExitCode::kUsage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::kUnreachable), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::kNotVerified), 4);
}

}  // namespace
}  // namespace hizo::cli
