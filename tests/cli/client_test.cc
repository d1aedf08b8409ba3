#include "service/cli/client.h"

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "service/cli/failure.h"
#include "tests/cli/fake_vault.h"
#include "tests/testing/status_matchers.h"

namespace hizo::cli {
namespace {

using ::hizo::test::IsOk;
using ::hizo::test::Refusal;
using ::testing::HasSubstr;
using ::testing::Not;

class ClientTest : public ::testing::Test {
 protected:
  Config WorkingConfig() const {
    return {.address = vault_.address(),
            .ca = vault_.File("ca.pem"),
            .cert = vault_.File("client.pem"),
            .key = vault_.File("client.key"),
            .purpose = "support",
            .timeout = std::chrono::seconds(30)};
  }
  static absl::Status Ask(const Config& config) {
    const auto client = Client::Open(config);
    if (!client.ok()) return client.status();
    v1::GetStatusResponse response;
    return (*client)->Call(v1::GetStatusRequest(), response);
  }
  Failure FailureAfter(const grpc::Status& status) {
    vault_.statuses = {status};
    const absl::Status result = Ask(WorkingConfig());
    EXPECT_THAT(result, Not(IsOk()));
    return FailureOf(result);
  }

  test::FakeVault vault_;
};

TEST_F(ClientTest, CallsOverMutualTls) {
  EXPECT_THAT(Ask(WorkingConfig()), IsOk());
}

TEST_F(ClientTest, TakesTheVaultsReasonAndField) {
  const Failure failure = FailureAfter(Refusal(
      grpc::StatusCode::ALREADY_EXISTS, "ALREADY_EXISTS", "account.email"));
  EXPECT_EQ(failure.exit, ExitCode::kRefused);
  EXPECT_EQ(failure.reason, "ALREADY_EXISTS");
  EXPECT_EQ(failure.field, "account.email");
  EXPECT_EQ(failure.text, "a fixed text");
}

TEST_F(ClientTest, TakesTheFieldOfABadRequestToo) {
  google::rpc::ErrorInfo info;
  info.set_reason("VALUE_INVALID");
  info.set_domain("hizo");
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field("profile.phone_number");
  google::rpc::Status details;
  details.set_code(grpc::StatusCode::INVALID_ARGUMENT);
  details.add_details()->PackFrom(info);
  details.add_details()->PackFrom(bad);
  const Failure failure = FailureAfter({grpc::StatusCode::INVALID_ARGUMENT,
                                        "text", details.SerializeAsString()});
  EXPECT_EQ(failure.reason, "VALUE_INVALID");
  EXPECT_EQ(failure.field, "profile.phone_number");
}

TEST_F(ClientTest, BelievesNoReasonOfAnotherDomain) {
  const Failure failure = FailureAfter(Refusal(
      grpc::StatusCode::PERMISSION_DENIED, "QUOTA", "f", "googleapis.com"));
  EXPECT_EQ(failure.exit, ExitCode::kRefused);
  EXPECT_EQ(failure.reason, "");
}

TEST_F(ClientTest, SurvivesDetailsThatAreGarbage) {
  const Failure failure = FailureAfter(
      {grpc::StatusCode::INTERNAL, "text", "\x01\x02\xff garbage"});
  EXPECT_EQ(failure.exit, ExitCode::kRefused);
  EXPECT_EQ(failure.reason, "");
}

TEST_F(ClientTest, CallsARefusalUnderLoadARefusal) {
  EXPECT_EQ(
      FailureAfter(Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"))
          .exit,
      ExitCode::kRefused);
  EXPECT_EQ(FailureAfter(Refusal(grpc::StatusCode::DEADLINE_EXCEEDED,
                                 "DEADLINE_EXCEEDED"))
                .exit,
            ExitCode::kRefused);
}

TEST_F(ClientTest, CallsADeadlineWithoutReasonUnreachable) {
  EXPECT_EQ(
      FailureAfter({grpc::StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded"})
          .exit,
      ExitCode::kUnreachable);
}

TEST_F(ClientTest, TriesAgainWhileTheVaultIsUnavailable) {
  vault_.statuses = {{grpc::StatusCode::UNAVAILABLE, "starting"},
                     {grpc::StatusCode::UNAVAILABLE, "starting"}};
  EXPECT_THAT(Ask(WorkingConfig()), IsOk());
  EXPECT_TRUE(vault_.statuses.empty());
}

TEST_F(ClientTest, GivesUpAfterAFewTries) {
  for (int i = 0; i < 10; ++i) {
    vault_.statuses.emplace_back(grpc::StatusCode::UNAVAILABLE, "starting");
  }
  EXPECT_EQ(FailureOf(Ask(WorkingConfig())).exit, ExitCode::kUnreachable);
  EXPECT_EQ(vault_.statuses.size(), 6U);
}

TEST_F(ClientTest, DoesNotReachWhereNobodyListens) {
  Config config = WorkingConfig();
  config.address = "127.0.0.1:1";
  const Failure failure = FailureOf(Ask(config));
  EXPECT_EQ(failure.exit, ExitCode::kUnreachable);
  EXPECT_THAT(failure.text, HasSubstr("no answer"));
}

TEST_F(ClientTest, DoesNotSpeakToAVaultOfAnotherAuthority) {
  Config config = WorkingConfig();
  config.ca = vault_.File("stranger.pem");
  EXPECT_EQ(FailureOf(Ask(config)).exit, ExitCode::kUnreachable);
}

TEST_F(ClientTest, IsTurnedAwayWithACertificateOfAnotherAuthority) {
  Config config = WorkingConfig();
  config.cert = vault_.File("stranger.pem");
  config.key = vault_.File("stranger.key");
  EXPECT_EQ(FailureOf(Ask(config)).exit, ExitCode::kUnreachable);
}

TEST_F(ClientTest, DoesNotTakeAnotherHostsCertificate) {
  Config config = WorkingConfig();
  config.address = vault_.unnamed_address();
  EXPECT_EQ(FailureOf(Ask(config)).exit, ExitCode::kUnreachable);
}

TEST_F(ClientTest, SaysWhichCertificateIsMissing) {
  for (std::string Config::*file : {&Config::ca, &Config::cert, &Config::key}) {
    Config config = WorkingConfig();
    config.*file = vault_.File("none.pem");
    const Failure failure = FailureOf(Ask(config));
    EXPECT_EQ(failure.exit, ExitCode::kUsage);
    EXPECT_THAT(failure.text, HasSubstr("none.pem"));
  }
}

TEST_F(ClientTest, FailsAnImportThatIsNotAnsweredInFull) {
  const auto client = Client::Open(WorkingConfig());
  ASSERT_THAT(client, IsOk());
  v1::ImportRecordsResponse response;
  EXPECT_THAT(
      (*client)->Import(std::vector<v1::ImportRecordsRequest>(3), response),
      IsOk());
  EXPECT_EQ(response.items_size(), 3);
  vault_.statuses = {
      Refusal(grpc::StatusCode::PERMISSION_DENIED, "PURPOSE_NOT_ALLOWED")};
  EXPECT_EQ(FailureOf((*client)->Import(
                          std::vector<v1::ImportRecordsRequest>(3), response))
                .reason,
            "PURPOSE_NOT_ALLOWED");
}

}  // namespace
}  // namespace hizo::cli
