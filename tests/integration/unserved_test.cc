// Connections that never become a call: refused, counted, in the audit log, and
// no hindrance to those that do.
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "grpc/health/v1/health.pb.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/raw_peer.h"
#include "tests/testing/sockets.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kFindPath[] = "/hizo.v1.SubjectService/FindSubject";
constexpr char kFullId[] = "URI:spiffe://hizo.example/acme/full";
constexpr std::chrono::seconds kPatience{60};

// Sockets that do nothing until they are closed.
class IdleSockets {
 public:
  IdleSockets() = default;
  IdleSockets(const IdleSockets&) = delete;
  IdleSockets& operator=(const IdleSockets&) = delete;
  ~IdleSockets() {
    for (const int socket : sockets_) close(socket);
  }
  void Connect(const std::string& address, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const int socket = ConnectTo(address);
      if (socket >= 0) sockets_.push_back(socket);
    }
  }
  const std::vector<int>& all() const { return sockets_; }

 private:
  std::vector<int> sockets_;
};

class UnservedTest : public ::testing::Test {
 protected:
  template <typename Change>
  void Restart(Change change) {
    server_.Stop();
    change(server_.config());
    ASSERT_THAT(server_.Start(), IsOk());
  }
  Peer::Options With(const Identity& identity) {
    return {server_.address(), server_.files().authority().certificate(),
            identity};
  }
  // A handshake that the server refuses.
  void BeRefused(const Identity& identity) {
    RawPeer peer(With(identity));
    while (peer.Next().has_value()) {
    }
  }
  static size_t Counted(const std::vector<audit::Event>& events) {
    size_t count = 0;
    for (const audit::Event& event : events) count += event.merged + 1;
    return count;
  }
  // Lets minutes pass until so many are in the log, and takes them back: the
  // deadlines of calls are by the real clock. What is in the log then.
  std::vector<audit::Event> AwaitCount(size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::chrono::minutes passed{0};
    while (Counted(server_.EventsFrom(0)) < count &&
           std::chrono::steady_clock::now() < deadline) {
      server_.clock().Advance(std::chrono::minutes(1));
      ++passed;
      // The log has keys for this month and the next only.
      if (passed == std::chrono::days(1)) {
        server_.clock().Advance(-passed);
        passed = std::chrono::minutes(0);
      }
      std::this_thread::yield();
    }
    server_.clock().Advance(-passed);
    std::vector<audit::Event> events = server_.EventsFrom(0);
    EXPECT_EQ(Counted(events), count);
    return events;
  }

  LiveServer server_;
};

TEST_F(UnservedTest, EveryKindOfRefusedHandshakeIsCounted) {
  CertificateAuthority& authority = server_.files().authority();
  CertificateAuthority other;
  BeRefused({});
  BeRefused(other.Issue(kFullId));
  BeRefused(authority.Issue(kFullId, std::chrono::seconds(-60)));
  BeRefused(authority.IssueForServers(kFullId));
  {
    const int plain = ConnectTo(server_.address());
    const std::string text = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    EXPECT_GT(write(plain, text.data(), text.size()), 0);
    EXPECT_TRUE(AwaitClose(plain, kPatience));
    close(plain);
  }
  const auto events = AwaitCount(5);
  for (const audit::Event& event : events) {
    EXPECT_EQ(event.reason, Reason::kUnauthenticated);
    EXPECT_EQ(event.outcome, audit::Outcome::kDenied);
    EXPECT_EQ(event.tenant, base::TenantId::kStore);
    EXPECT_THAT(event.actor, StartsWith("peer:"));
    EXPECT_EQ(event.actor, events.front().actor);
    EXPECT_THAT(event.actor, Not(::testing::HasSubstr("127.0.0.1")));
  }
}

TEST_F(UnservedTest, ASilentConnectionIsCountedOnceItsTimeIsUp) {
  Restart([](auto& config) { config.connections_handshake_seconds = 1; });
  IdleSockets silent;
  silent.Connect(server_.address(), 3);
  for (const int socket : silent.all()) {
    EXPECT_TRUE(AwaitClose(socket, kPatience));
  }
  AwaitCount(3);
}

// As a call that is refused, or as a connection without one.
TEST_F(UnservedTest, HeadersOverTheBoundLeaveOneEvent) {
  {
    RawPeer peer(With(server_.files().IdentityOf("acme/full")));
    ASSERT_TRUE(peer.AcceptSettings().has_value());
    peer.Send(RawPeer::CallFrame(1, kFindPath,
                                 {{"x-much", std::string(12'000, 'm')}}));
    for (auto frame = peer.Next(); frame.has_value(); frame = peer.Next()) {
      if (frame->stream == 1 || frame->type == FrameType::kGoAway) break;
    }
  }
  EXPECT_NE(AwaitCount(1).at(0).outcome, audit::Outcome::kAllowed);
}

TEST_F(UnservedTest, WhoIsServedIsNotCounted) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(FindPerson(server_.As("acme/full"), "nobody@example.com"),
                HasReason(Reason::kSubjectNotFound));
    // Health is served, though it is not audited.
    const Reply health =
        server_.As("acme/full").Call("/grpc.health.v1.Health/Check", {""});
    EXPECT_EQ(health.code, 0);
  }
  BeRefused({});
  const auto events = AwaitCount(3 + 1);
  EXPECT_THAT(events.back().actor, StartsWith("peer:"));
  EXPECT_EQ(events.back().merged, 0U);
}

TEST_F(UnservedTest, CountsAreWrittenWhenTheServerStops) {
  BeRefused({});
  BeRefused({});
  // Both are seen before the third is served.
  ASSERT_THAT(FindPerson(server_.As("acme/full"), "nobody@example.com"),
              HasReason(Reason::kSubjectNotFound));
  server_.Stop();
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_GE(Counted(server_.EventsFrom(0)), 2U);
}

TEST_F(UnservedTest, AnAddressHasNoMoreConnectionsThanItMay) {
  Restart([](auto& config) { config.connections_per_address = 2; });
  {
    IdleSockets held;
    held.Connect(server_.address(), 2);
    IdleSockets further;
    further.Connect(server_.address(), 3);
    for (const int socket : further.all()) {
      EXPECT_TRUE(AwaitClose(socket, kPatience));
    }
  }
  size_t turned_away = 0;
  for (const audit::Event& event : AwaitCount(5)) {
    if (event.reason == Reason::kOverloaded) turned_away += event.merged + 1;
  }
  EXPECT_GT(turned_away, 0U);
  // And with room again it serves.
  EXPECT_THAT(FindPerson(server_.As("acme/full"), "nobody@example.com"),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(UnservedTest, HeadersWithoutEndAreCutOff) {
  Restart([](auto& config) { config.max_message_bytes = 65536; });
  RawPeer peer(With(server_.files().IdentityOf("acme/full")));
  Frame begin = RawPeer::CallFrame(1, kFindPath);
  begin.flags = 0;
  ASSERT_TRUE(peer.Send(begin));
  // Bytes that are taken in without becoming a header over the bound.
  const Frame more{FrameType::kContinuation, 0, 1, std::string(8'000, '\x20')};
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  bool open = true;
  while (open && std::chrono::steady_clock::now() < deadline) {
    open = peer.Send(more);
  }
  EXPECT_FALSE(open);
  EXPECT_THAT(FindPerson(server_.As("acme/full"), "nobody@example.com"),
              HasReason(Reason::kSubjectNotFound));
}

// More connections than the process may have files, ten times over.
TEST(FloodTest, AServerThatRanOutOfFilesAcceptsAgain) {
  VaultFiles files;
  HizodProcess::Init(files);
  HizodProcess::Options options;
  options.arguments = {"--connections.handshake-seconds=2"};
  options.run_by = {"/usr/bin/prlimit", "--nofile=256:256"};
  HizodProcess hizod(files, options);
  ASSERT_TRUE(hizod.WaitUntilReady());
  const Peer standing = hizod.As("acme/full");
  ASSERT_THAT(FindPerson(standing, "nobody@example.com"),
              HasReason(Reason::kSubjectNotFound));

  IdleSockets flood;
  for (int wave = 0; wave < 10; ++wave) {
    IdleSockets passing;
    passing.Connect(hizod.address(), 256);
    EXPECT_THAT(FindPerson(standing, "nobody@example.com"),
                HasReason(Reason::kSubjectNotFound));
  }
  flood.Connect(hizod.address(), 256);
  EXPECT_THAT(FindPerson(standing, "nobody@example.com"),
              HasReason(Reason::kSubjectNotFound));
  // The flood is still connected: what has no handshake in time makes room.
  for (const int socket : flood.all()) {
    ASSERT_TRUE(AwaitClose(socket, kPatience));
  }
  EXPECT_THAT(FindPerson(hizod.As("acme/full"), "nobody@example.com"),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(hizod.Stop(), 0);
}

}  // namespace
}  // namespace hizo::test
