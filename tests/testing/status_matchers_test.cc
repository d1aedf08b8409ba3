#include "tests/testing/status_matchers.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"

namespace hizo::test {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::Status kOk = absl::OkStatus();
const absl::Status kLost = absl::DataLossError("lost");

template <typename Matcher, typename T>
std::string Explain(const Matcher& matcher, const T& value) {
  ::testing::StringMatchResultListener listener;
  ::testing::SafeMatcherCast<const T&>(matcher).MatchAndExplain(value,
                                                                &listener);
  return listener.str();
}

TEST(StatusMatchersTest, IsOkTellsSuccessFromFailure) {
  EXPECT_THAT(kOk, IsOk());
  EXPECT_THAT(kLost, Not(IsOk()));
  EXPECT_THAT(absl::StatusOr<int>(1), IsOk());
  EXPECT_THAT(absl::StatusOr<int>(kLost), Not(IsOk()));
}

TEST(StatusMatchersTest, StatusIsComparesTheCode) {
  EXPECT_THAT(kLost, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(kLost, Not(StatusIs(absl::StatusCode::kAborted)));
  EXPECT_THAT(absl::StatusOr<int>(kLost),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(absl::StatusOr<int>(1),
              Not(StatusIs(absl::StatusCode::kAborted)));
}

TEST(StatusMatchersTest, IsOkAndHoldsLooksAtTheValue) {
  EXPECT_THAT(absl::StatusOr<int>(1), IsOkAndHolds(1));
  EXPECT_THAT(absl::StatusOr<int>(1), IsOkAndHolds(::testing::Gt(0)));
  EXPECT_THAT(absl::StatusOr<int>(1), Not(IsOkAndHolds(2)));
  EXPECT_THAT(absl::StatusOr<int>(kLost), Not(IsOkAndHolds(_)));
}

TEST(StatusMatchersTest, HasReasonComparesTheReason) {
  const absl::Status missing = base::Fail(base::Reason::kRecordNotFound);
  EXPECT_THAT(missing, HasReason(base::Reason::kRecordNotFound));
  EXPECT_THAT(missing, Not(HasReason(base::Reason::kSubjectNotFound)));
  EXPECT_THAT(absl::StatusOr<int>(missing),
              HasReason(base::Reason::kRecordNotFound));
  EXPECT_THAT(kOk, HasReason(base::Reason::kNone));
}

TEST(StatusMatchersTest, ExplainsWithTheStatusThatWasFound) {
  EXPECT_THAT(Explain(IsOk(), kLost), HasSubstr("DATA_LOSS"));
  EXPECT_THAT(Explain(StatusIs(absl::StatusCode::kOk), kLost),
              HasSubstr("DATA_LOSS"));
  EXPECT_THAT(Explain(IsOkAndHolds(1), absl::StatusOr<int>(kLost)),
              HasSubstr("DATA_LOSS"));
  EXPECT_THAT(Explain(HasReason(base::Reason::kNone), kLost),
              HasSubstr("INTEGRITY_FAILURE"));
}

}  // namespace
}  // namespace hizo::test
