#include "service/base/reason.h"

#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace hizo::base {
namespace {

using test::HasReason;

std::vector<Reason> AllReasons() {
  std::vector<Reason> all;
  for (uint32_t i = 0; i < kReasonCount; ++i) {
    all.push_back(*ReasonFromNumber(i));
  }
  return all;
}

TEST(ReasonTest, FailCarriesReasonCodeTextAndField) {
  for (const Reason reason : AllReasons()) {
    if (reason == Reason::kNone) continue;
    const absl::Status status = Fail(reason, 0xfedc);
    EXPECT_EQ(ReasonOf(status), reason);
    EXPECT_EQ(status.code(), CodeOf(reason));
    EXPECT_EQ(std::string(status.message()), TextOf(reason));
    EXPECT_EQ(FieldOf(status), 0xfedc);
  }
}

TEST(ReasonTest, FailWithoutFieldNamesNone) {
  EXPECT_EQ(FieldOf(Fail(Reason::kFieldUnknown)), 0);
  EXPECT_EQ(FieldOf(Fail(Reason::kFieldUnknown, 1)), 1);
}

TEST(ReasonTest, FailingWithoutReasonIsStillAFailure) {
  EXPECT_THAT(Fail(Reason::kNone), HasReason(Reason::kInternal));
}

TEST(ReasonTest, OnlyNoneIsOk) {
  for (const Reason reason : AllReasons()) {
    EXPECT_EQ(CodeOf(reason) == absl::StatusCode::kOk, reason == Reason::kNone);
  }
}

TEST(ReasonTest, NamesAreUniqueAndUpperCase) {
  std::set<std::string_view> names;
  for (const Reason reason : AllReasons()) {
    const std::string_view name = NameOf(reason);
    EXPECT_TRUE(names.insert(name).second) << name;
    for (const char c : name) EXPECT_TRUE(c == '_' || std::isupper(c)) << name;
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(kReasonCount));
}

TEST(ReasonTest, TextsAreUnique) {
  std::set<std::string_view> texts;
  for (const Reason reason : AllReasons()) {
    EXPECT_TRUE(texts.insert(TextOf(reason)).second) << TextOf(reason);
  }
}

TEST(ReasonTest, NumbersPastTheEndAreNone) {
  EXPECT_EQ(ReasonFromNumber(24), Reason::kInternal);
  EXPECT_FALSE(ReasonFromNumber(kReasonCount).has_value());
  EXPECT_FALSE(ReasonFromNumber(256).has_value());
  EXPECT_FALSE(ReasonFromNumber(UINT32_MAX).has_value());
}

struct Foreign {
  absl::StatusCode code;
  Reason reason;
};
class ForeignErrorTest : public ::testing::TestWithParam<Foreign> {};

TEST_P(ForeignErrorTest, GetsTheReasonOfItsCode) {
  const absl::Status status(GetParam().code, "not made by Fail");
  EXPECT_THAT(status, HasReason(GetParam().reason));
  EXPECT_EQ(FieldOf(status), 0);
}

INSTANTIATE_TEST_SUITE_P(
    ByCode, ForeignErrorTest,
    ::testing::Values(
        Foreign{absl::StatusCode::kOk, Reason::kNone},
        Foreign{absl::StatusCode::kDataLoss, Reason::kIntegrityFailure},
        Foreign{absl::StatusCode::kUnknown, Reason::kOutcomeUnknown},
        Foreign{absl::StatusCode::kUnavailable, Reason::kAuditUnavailable},
        Foreign{absl::StatusCode::kResourceExhausted,
                Reason::kAuditUnavailable},
        Foreign{absl::StatusCode::kInvalidArgument, Reason::kInternal},
        Foreign{absl::StatusCode::kAborted, Reason::kInternal},
        Foreign{absl::StatusCode::kNotFound, Reason::kInternal},
        Foreign{absl::StatusCode::kInternal, Reason::kInternal}));

TEST(ReasonTest, OverloadedIsToldFromAFullDisk) {
  EXPECT_THAT(Fail(Reason::kOverloaded), HasReason(Reason::kOverloaded));
  EXPECT_THAT(absl::ResourceExhaustedError("no space"),
              HasReason(Reason::kAuditUnavailable));
}

TEST(ReasonTest, AnotherLibrarysPayloadIsNotAReason) {
  absl::Status status = absl::DataLossError("lost");
  status.SetPayload("type.example/other", absl::Cord("\x01"));
  EXPECT_THAT(status, HasReason(Reason::kIntegrityFailure));
}

TEST(ReasonTest, WireNamesAreThoseOfTheApi) {
  EXPECT_EQ(NameOf(Reason::kPurposeMissing), "PURPOSE_MISSING");
  EXPECT_EQ(NameOf(Reason::kRequestIdReused), "REQUEST_ID_REUSED");
  EXPECT_EQ(NameOf(Reason::kInternal), "INTERNAL");
}

TEST(ReasonTest, CarriesTheTimeToWait) {
  using std::chrono::seconds;
  const absl::Status status = FailUntil(Reason::kRateLimited, seconds(90));
  EXPECT_EQ(ReasonOf(status), Reason::kRateLimited);
  EXPECT_EQ(RetryAfterOf(status), seconds(90));
  EXPECT_EQ(FieldOf(status), 0);
  EXPECT_EQ(RetryAfterOf(FailUntil(Reason::kOverloaded, seconds(1) * 100'000)),
            seconds(65'535));
  EXPECT_EQ(RetryAfterOf(FailUntil(Reason::kOverloaded, seconds(-1))),
            seconds(0));
  EXPECT_EQ(RetryAfterOf(Fail(Reason::kOverloaded, 515)), seconds(0));
  EXPECT_EQ(RetryAfterOf(absl::OkStatus()), seconds(0));
  EXPECT_EQ(RetryAfterOf(absl::DataLossError("x")), seconds(0));
}

}  // namespace
}  // namespace hizo::base
