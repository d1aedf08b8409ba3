// A client that nobody here wrote (@grpc/grpc-js, from the .proto files alone)
// puts a record and gets it back.
#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/child_process.h"
#include "tests/testing/live_server.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kSource = HIZO_SOURCE_DIR;

class GrpcJsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kSource / "node_modules/@grpc/grpc-js")) {
      GTEST_SKIP() << "node_modules is missing; deploy/test installs it";
    }
  }
  // Runs the client as `caller`.
  ChildProcess::Options ClientAs(const std::string& caller) {
    const fs::path config = server_.files().WriteClient(
        "acme/" + caller, server_.address(), "service_delivery");
    const auto file = [&config](const std::string& name) {
      return (config.parent_path() / name).string();
    };
    return {{"/usr/bin/env", "node",
             (kSource / "tests/clients/grpc_js_client.mjs").string()},
            {{"HIZO_ADDRESS", "127.0.0.1:" + server_.port()},
             {"HIZO_CA", file("ca.pem")},
             {"HIZO_CERT", file("acme-" + caller + ".pem")},
             {"HIZO_KEY", file("acme-" + caller + ".key")}}};
  }

  LiveServer server_;
};

TEST_F(GrpcJsTest, PutsAndGetsARecord) {
  ChildProcess client(ClientAs("full"));
  EXPECT_EQ(client.Wait(), 0) << client.output();
  EXPECT_THAT(client.output(), HasSubstr("1 passed"));
  // It did reach this server: create, put, two reads, a refused one.
  EXPECT_EQ(server_.EventCount(), 5U);
}

TEST_F(GrpcJsTest, FailsForACallerWhoMayNot) {
  ChildProcess client(ClientAs("powerless"));
  EXPECT_NE(client.Wait(), 0);
  EXPECT_THAT(client.output(), HasSubstr("PERMISSION_DENIED"));
}

}  // namespace
}  // namespace hizo::test
