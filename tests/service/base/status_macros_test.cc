#include "service/base/status_macros.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace hizo::base {
namespace {

using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;

absl::Status PassUp(const absl::Status& status, int& reached) {
  RETURN_IF_ERROR(status);
  ++reached;
  return absl::OkStatus();
}

absl::StatusOr<int> Sum(absl::StatusOr<int> a, absl::StatusOr<int> b) {
  ASSIGN_OR_RETURN(const int left, std::move(a));
  ASSIGN_OR_RETURN(const int right, std::move(b));
  return left + right;
}

absl::StatusOr<int> Unwrap(absl::StatusOr<std::unique_ptr<int>> owner) {
  ASSIGN_OR_RETURN(const std::unique_ptr<int> value, std::move(owner));
  return *value;
}

TEST(StatusMacrosTest, ReturnIfErrorGoesOnAfterSuccess) {
  int reached = 0;
  EXPECT_THAT(PassUp(absl::OkStatus(), reached), IsOk());
  EXPECT_EQ(reached, 1);
}

TEST(StatusMacrosTest, ReturnIfErrorStopsAtAnError) {
  int reached = 0;
  EXPECT_THAT(PassUp(absl::AbortedError("lost the race"), reached),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(reached, 0);
}

TEST(StatusMacrosTest, AssignOrReturnAssigns) {
  EXPECT_THAT(Sum(1, 2), IsOkAndHolds(3));
}

TEST(StatusMacrosTest, AssignOrReturnStopsAtTheFirstError) {
  EXPECT_THAT(Sum(absl::AbortedError("first"), absl::DataLossError("second")),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(Sum(1, absl::DataLossError("second")),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(StatusMacrosTest, AssignOrReturnMovesWhatCannotBeCopied) {
  EXPECT_THAT(Unwrap(std::make_unique<int>(7)), IsOkAndHolds(7));
}

}  // namespace
}  // namespace hizo::base
