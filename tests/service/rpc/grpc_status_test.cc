#include "service/rpc/grpc_status.h"

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::rpc {
namespace {

using base::Reason;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr policy::FieldNumber kEmail = 102;

const policy::Catalogue& TestCatalogue() {
  static const auto catalogue =
      policy::Catalogue::Create(test::VaultCatalogueSource());
  return **catalogue;
}

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  const google::rpc::Status details = DetailsOf(status);
  google::rpc::ErrorInfo info;
  EXPECT_EQ(details.details_size(), 1);
  EXPECT_TRUE(details.details(0).UnpackTo(&info));
  return info;
}

class GrpcStatusOfReasonTest : public ::testing::TestWithParam<int> {};

TEST_P(GrpcStatusOfReasonTest, HasItsCodeTextAndName) {
  const auto reason = static_cast<Reason>(GetParam());
  const grpc::Status status = ToGrpcStatus(base::Fail(reason), TestCatalogue());
  EXPECT_EQ(status.error_code(), static_cast<int>(base::CodeOf(reason)));
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.error_message(), base::TextOf(reason));
  EXPECT_EQ(InfoOf(status).reason(), base::NameOf(reason));
  EXPECT_EQ(InfoOf(status).domain(), "hizo");
  EXPECT_TRUE(InfoOf(status).metadata().empty());
  EXPECT_EQ(DetailsOf(status).code(), status.error_code());
  EXPECT_EQ(DetailsOf(status).message(), status.error_message());
}

INSTANTIATE_TEST_SUITE_P(EveryReason, GrpcStatusOfReasonTest,
                         ::testing::Range(1, base::kReasonCount),
                         [](const auto& test) {
                           return std::string(
                               base::NameOf(static_cast<Reason>(test.param)));
                         });

TEST(GrpcStatusTest, IsOkForOk) {
  const grpc::Status status = ToGrpcStatus(absl::OkStatus(), TestCatalogue());
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.error_message(), "");
  EXPECT_EQ(status.error_details(), "");
}

TEST(GrpcStatusTest, NamesTheFieldAtFault) {
  const grpc::Status status =
      ToGrpcStatus(base::Fail(Reason::kAlreadyExists, kEmail), TestCatalogue());
  ASSERT_EQ(InfoOf(status).metadata().size(), 1U);
  EXPECT_EQ(InfoOf(status).metadata().at("field"), "account.email");
}

TEST(GrpcStatusTest, LeavesOutAFieldThatTheCatalogueDoesNotHave) {
  const grpc::Status status =
      ToGrpcStatus(base::Fail(Reason::kValueInvalid, 9999), TestCatalogue());
  EXPECT_TRUE(InfoOf(status).metadata().empty());
}

TEST(GrpcStatusTest, SaysWhenToComeBack) {
  const google::rpc::Status details = DetailsOf(ToGrpcStatus(
      base::FailUntil(Reason::kRateLimited, std::chrono::seconds(7)),
      TestCatalogue()));
  ASSERT_EQ(details.details_size(), 2);
  google::rpc::ErrorInfo info;
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  ASSERT_TRUE(details.details(1).UnpackTo(&retry));
  EXPECT_EQ(info.reason(), "RATE_LIMITED");
  EXPECT_EQ(retry.retry_delay().seconds(), 7);
}

TEST(GrpcStatusTest, LetsNoTextOutThatFailDidNotMake) {
  for (const absl::Status& made : {absl::DataLossError("row of a@example.com"),
                                   absl::UnknownError("a@example.com"),
                                   absl::InvalidArgumentError("a@example.com"),
                                   absl::UnavailableError("a@example.com")}) {
    const grpc::Status status = ToGrpcStatus(made, TestCatalogue());
    EXPECT_THAT(status.error_message(), Not(HasSubstr("example")));
    EXPECT_THAT(status.error_details(), Not(HasSubstr("example")));
    EXPECT_EQ(InfoOf(status).reason(), base::NameOf(base::ReasonOf(made)));
  }
}

TEST(GrpcStatusTest, NeverMakesASuccessOfAFailure) {
  // The codes of gRPC and absl beyond those that reasons use.
  for (int code = 1; code <= 16; ++code) {
    const absl::Status made(static_cast<absl::StatusCode>(code), "x");
    EXPECT_FALSE(ToGrpcStatus(made, TestCatalogue()).ok()) << code;
  }
}

}  // namespace
}  // namespace hizo::rpc
