#include "service/app/logging.h"

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/wrappers.pb.h>
#include <grpc/support/log.h>

#include <nlohmann/json.hpp>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hizo::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

constexpr char kCanary[] = "qx7731zq";

// The one line that `write` leaves on standard error, as an object.
template <typename Write>
nlohmann::json LineOf(Write write) {
  CaptureStderr();
  write();
  const std::string line = GetCapturedStderr();
  EXPECT_THAT(line, Not(HasSubstr(kCanary)));
  return nlohmann::json::parse(line);
}

class LoggingTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    // gRPC is silent until it begins; here it says all that it ever does.
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_DEBUG);
    CaptureLibraryLogs();
  }
};

TEST_F(LoggingTest, GrpcSaysWhereAndNotWhat) {
  // As gRPC does with a header that it refuses.
  const nlohmann::json line = LineOf([] {
    gpr_log("/grpc/src/core/hpack_parser.cc", 99, GPR_LOG_SEVERITY_ERROR,
            "Error parsing metadata: key=te value=%s", kCanary);
  });
  EXPECT_EQ(line.at("event"), "grpc");
  EXPECT_EQ(line.at("file"), "hpack_parser.cc");
  EXPECT_EQ(line.at("line"), 99);
  EXPECT_EQ(line.size(), 5U) << line;  // and time and level
}

TEST_F(LoggingTest, GrpcsLesserTroublesAreLeftOut) {
  CaptureStderr();
  gpr_log(GPR_INFO, "%s", kCanary);
  gpr_log(GPR_DEBUG, "%s", kCanary);
  EXPECT_EQ(GetCapturedStderr(), "");
}

TEST_F(LoggingTest, ProtobufSaysWhereAndNotWhat) {
  const nlohmann::json line =
      LineOf([] { GOOGLE_LOG(ERROR) << "bad value " << kCanary; });
  EXPECT_EQ(line.at("event"), "protobuf");
  EXPECT_EQ(line.size(), 4U) << line;
}

TEST_F(LoggingTest, ATextThatIsNoUtf8IsNotShown) {
  google::protobuf::StringValue message;
  message.set_value(std::string(kCanary) + "\xff");
  CaptureStderr();
  static_cast<void>(message.SerializeAsString());
  google::protobuf::StringValue parsed;
  parsed.ParseFromString("\x0a\x09" + std::string(kCanary) + "\xff");
  EXPECT_THAT(GetCapturedStderr(), Not(HasSubstr(kCanary)));
}

TEST_F(LoggingTest, ATextCannotBeginALineOrEndAnObject) {
  const nlohmann::json line = LineOf([] {
    LogText(Level::kWarning, "config", "a\"}\n{\"event\":\"forged\xff");
  });
  EXPECT_EQ(line.at("event"), "config");
  EXPECT_EQ(line.at("level"), "warning");
}

}  // namespace
}  // namespace hizo::app
