#include "service/rpc/health.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hizo::rpc {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using State = HealthService::State;

constexpr char kKnown[] = "hizo.v1.SubjectService";

// The service behind a gRPC server of its own, and a caller.
class HealthServiceTest : public ::testing::Test {
 protected:
  HealthServiceTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&health_);
    server_ = builder.BuildAndStart();
    stub_ = Health::NewStub(server_->InProcessChannel({}));
  }
  ~HealthServiceTest() override {
    health_.End();
    server_->Shutdown();
  }

  // The state of `service`, or what gRPC said instead.
  std::string Check(const std::string& service) {
    grpc::ClientContext context;
    HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    const grpc::Status status = stub_->Check(&context, request, &response);
    return status.ok()
               ? HealthCheckResponse::ServingStatus_Name(response.status())
               : status.error_message();
  }

  struct Watch {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<HealthCheckResponse>> reader;
    // The next state; empty once the watch has ended.
    std::string Next() {
      HealthCheckResponse response;
      if (!reader->Read(&response)) return "";
      return HealthCheckResponse::ServingStatus_Name(response.status());
    }
  };
  std::unique_ptr<Watch> Begin(const std::string& service) {
    auto watch = std::make_unique<Watch>();
    HealthCheckRequest request;
    request.set_service(service);
    watch->reader = stub_->Watch(&watch->context, request);
    return watch;
  }

  Connections connections_{Connections::Limits()};
  HealthService health_{{kKnown}, connections_};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Health::Stub> stub_;
};

TEST_F(HealthServiceTest, ServesNobodyToBeginWith) {
  EXPECT_EQ(Check(""), "NOT_SERVING");
  EXPECT_EQ(Check(kKnown), "NOT_SERVING");
}

TEST_F(HealthServiceTest, SaysForEachServiceWhatWasSet) {
  health_.Set(State::kServing);
  EXPECT_EQ(Check(""), "SERVING");
  EXPECT_EQ(Check(kKnown), "SERVING");
  health_.Set(State::kNotServing);
  EXPECT_EQ(Check(kKnown), "NOT_SERVING");
}

TEST_F(HealthServiceTest, KnowsNoOtherService) {
  health_.Set(State::kServing);
  EXPECT_EQ(Check("hizo.v1.NoService"), "there is no such service");
}

TEST_F(HealthServiceTest, TellsAWatchOfEveryChangeAndOfTheEnd) {
  const auto watch = Begin("");
  EXPECT_EQ(watch->Next(), "NOT_SERVING");
  health_.Set(State::kServing);
  EXPECT_EQ(watch->Next(), "SERVING");
  health_.Set(State::kServing);  // is no change
  health_.Set(State::kNotServing);
  EXPECT_EQ(watch->Next(), "NOT_SERVING");
  health_.End();
  EXPECT_EQ(watch->Next(), "");
  EXPECT_EQ(watch->reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(HealthServiceTest, TellsAWatchThatAServiceIsUnknown) {
  const auto watch = Begin("hizo.v1.NoService");
  EXPECT_EQ(watch->Next(), "SERVICE_UNKNOWN");
}

TEST_F(HealthServiceTest, BoundsItsWatchesAndTakesNewOnesWhenOldOnesGo) {
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < HealthService::kWatchesMax; ++i) {
    watches.push_back(Begin(""));
    ASSERT_EQ(watches.back()->Next(), "NOT_SERVING");
  }
  const auto refused = Begin("");
  EXPECT_EQ(refused->Next(), "");
  EXPECT_EQ(refused->reader->Finish().error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  // Checks go on beside them.
  EXPECT_EQ(Check(""), "NOT_SERVING");

  watches.front()->context.TryCancel();
  std::string told;
  while (told.empty()) told = Begin("")->Next();
  EXPECT_EQ(told, "NOT_SERVING");
}

}  // namespace
}  // namespace hizo::rpc
