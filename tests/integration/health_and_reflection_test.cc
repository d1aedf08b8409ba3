// The two services that are not Hizo's own: health for whoever has a
// certificate, reflection for administrators.
#include <string>

#include "gmock/gmock.h"
#include "grpc/health/v1/health.pb.h"
#include "gtest/gtest.h"
#include "tests/integration/requests.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/live_server.h"

namespace hizo::test {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kPermissionDenied = 7;
constexpr int kNotFound = 5;
constexpr int kUnimplemented = 12;
constexpr char kReflection[] =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
// ServerReflectionRequest{list_services: "*"}
constexpr char kListServices[] = "\x3a\x01*";

Reply Check(const Peer& peer, const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  return peer.Call("/grpc.health.v1.Health/Check",
                   {request.SerializeAsString()});
}

bool IsServing(const Reply& reply) {
  HealthCheckResponse response;
  return reply.messages.size() == 1 &&
         response.ParseFromString(reply.messages[0]) &&
         response.status() == HealthCheckResponse::SERVING;
}

TEST(HealthTest, SaysThatEachServiceServes) {
  LiveServer server;
  const Peer peer = server.As("acme/powerless");
  for (const char* service :
       {"", "hizo.v1.SubjectService", "hizo.v1.RecordService",
        "hizo.v1.CredentialService", "hizo.v1.AuditService",
        "hizo.v1.PolicyService", "hizo.v1.ConsentService",
        "hizo.v1.AdminService"}) {
    EXPECT_TRUE(IsServing(Check(peer, service))) << service;
  }
}

TEST(HealthTest, KnowsNoOtherService) {
  LiveServer server;
  EXPECT_EQ(Check(server.As("acme/full"), "hizo.v1.NoService").code, kNotFound);
}

TEST(HealthTest, IsNothingThatIsAudited) {
  LiveServer server;
  ASSERT_TRUE(IsServing(Check(server.As("acme/full"), "")));
  EXPECT_EQ(server.EventCount(), 0U);
}

TEST(HealthTest, TellsNothingWithoutACertificate) {
  LiveServer server;
  const Peer peer(
      {server.address(), server.files().authority().certificate(), {}});
  EXPECT_THAT(Check(peer, "").messages, IsEmpty());
}

TEST(HealthTest, TheRealServerServesAndStopsInPeace) {
  VaultFiles files;
  HizodProcess::Init(files);
  HizodProcess hizod(files);
  ASSERT_TRUE(hizod.WaitUntilReady());
  EXPECT_TRUE(IsServing(Check(hizod.As("acme/full"), "")));
  EXPECT_EQ(hizod.Stop(), 0);
  EXPECT_THAT(hizod.process().output(), HasSubstr("\"event\":\"stopped\""));
}

TEST(ReflectionTest, ListsEveryServiceForTheAdministrator) {
  LiveServer server;
  const Reply reply =
      server.As("acme/operator").Call(kReflection, {kListServices});
  EXPECT_EQ(reply.code, 0);
  ASSERT_THAT(reply.messages, SizeIs(1));
  for (const char* service :
       {"hizo.v1.SubjectService", "hizo.v1.RecordService",
        "hizo.v1.CredentialService", "hizo.v1.AuditService",
        "hizo.v1.PolicyService", "hizo.v1.ConsentService",
        "hizo.v1.AdminService"}) {
    EXPECT_THAT(reply.messages[0], HasSubstr(service));
  }
}

TEST(ReflectionTest, IsClosedToEverybodyElse) {
  LiveServer server;
  for (const char* caller : {"acme/full", "acme/auditor", "acme/stranger"}) {
    const Reply reply = server.As(caller).Call(kReflection, {kListServices});
    EXPECT_EQ(reply.code, kPermissionDenied) << caller;
    EXPECT_THAT(reply.messages, IsEmpty());
  }
}

TEST(ReflectionTest, IsOffUnlessItIsSwitchedOn) {
  VaultFiles files;
  HizodProcess::Init(files);
  HizodProcess hizod(files, {{"--reflection=false"}, {}});
  ASSERT_TRUE(hizod.WaitUntilReady());
  const Reply reply =
      hizod.As("acme/operator").Call(kReflection, {kListServices});
  EXPECT_EQ(reply.code, kUnimplemented);
  EXPECT_THAT(reply.messages, IsEmpty());
}

}  // namespace
}  // namespace hizo::test
