#include "storage/rocksdb/condition.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace hizo::storage {
namespace {

using test::IsOk;
using test::StatusIs;

TEST(ConditionTest, BeginsWell) {
  const Condition condition;
  EXPECT_FALSE(condition.failed());
  EXPECT_THAT(condition.CheckAlive(), IsOk());
  EXPECT_THAT(condition.Check(), IsOk());
}

TEST(ConditionTest, RecoversFromAFullDisk) {
  Condition condition;
  condition.Filled();
  EXPECT_THAT(condition.Check(),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(condition.CheckAlive(), IsOk());
  condition.Emptied();
  EXPECT_THAT(condition.Check(), IsOk());
}

TEST(ConditionTest, NeverRecoversFromAFailure) {
  Condition condition;
  condition.Failed();
  condition.Filled();
  condition.Emptied();
  EXPECT_TRUE(condition.failed());
  EXPECT_THAT(condition.CheckAlive(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(condition.Check(), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace hizo::storage
