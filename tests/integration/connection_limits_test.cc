// What a peer with a good certificate cannot do to the server: its messages,
// headers, streams, pings and the life of its connection are bounded, and
// whoever goes over a bound troubles nobody else.
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
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
using ::testing::IsEmpty;

constexpr char kFindPath[] = "/hizo.v1.SubjectService/FindSubject";
constexpr int kUnimplemented = 12;
constexpr uint32_t kEnhanceYourCalm = 11;
constexpr size_t kMebibyte = 1024 * 1024;

// A server with settings of its own, and callers of acme/full.
class ConnectionLimitsTest : public ::testing::Test {
 protected:
  template <typename Change>
  void Restart(Change change) {
    server_.Stop();
    change(server_.config());
    ASSERT_THAT(server_.Start(), IsOk());
  }
  Peer::Options Full() {
    return server_.files().PeerOptions("acme/full", server_.address());
  }
  // That the server serves somebody else.
  void ExpectServes() {
    EXPECT_THAT(FindPerson(server_.As("globex/full"), "nobody@example.com"),
                HasReason(Reason::kSubjectNotFound));
  }
  // That call 1 ends without a message, or the connection with it.
  static void ExpectRefused(RawPeer& peer) {
    for (auto frame = peer.Next(); frame.has_value(); frame = peer.Next()) {
      if (frame->stream != 1) continue;
      EXPECT_NE(frame->type, FrameType::kData);
      const bool ended = (frame->flags & kEndStream) != 0;
      if (ended || frame->type == FrameType::kRstStream) return;
    }
  }
  // That events since number `first` tell of nothing else.
  void ExpectAllMalformed(uint64_t first) const {
    for (const audit::Event& event : server_.EventsFrom(first)) {
      EXPECT_EQ(event.reason, Reason::kMalformedRequest);
    }
  }
  static std::string FindBody() {
    return FindRequest("nobody@example.com").SerializeAsString();
  }

  LiveServer server_;
};

// Whether the connection ends, however it does.
bool Ends(RawPeer& peer) {
  while (peer.Next().has_value()) {
  }
  return true;
}

TEST_F(ConnectionLimitsTest, ServesACallMadeByHand) {
  RawPeer peer(Full());
  peer.Send(RawPeer::CallFrame(1, kFindPath));
  peer.Send({FrameType::kData, kEndStream, 1, RawPeer::Framed(FindBody())});
  const auto answer = peer.Await(FrameType::kHeaders, 1);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(server_.EventsFrom(0).at(0).reason, Reason::kSubjectNotFound);
}

TEST_F(ConnectionLimitsTest, ASilentConnectionEndsWithItsHandshakeTime) {
  Restart([](auto& config) { config.connections_handshake_seconds = 1; });
  const int silent = ConnectTo(server_.address());
  ASSERT_GE(silent, 0);
  EXPECT_TRUE(AwaitClose(silent, std::chrono::seconds(30)));
  close(silent);
  ExpectServes();
}

TEST_F(ConnectionLimitsTest, AConnectionWithoutCallsEnds) {
  Restart([](auto& config) { config.connections_idle_seconds = 1; });
  RawPeer peer(Full());
  EXPECT_TRUE(peer.Await(FrameType::kGoAway).has_value());
  EXPECT_TRUE(Ends(peer));
  ExpectServes();
}

TEST_F(ConnectionLimitsTest, AnOldConnectionEndsThoughACallIsOpen) {
  Restart([](auto& config) {
    config.connections_age_seconds = 1;
    config.connections_age_grace_seconds = 1;
  });
  RawPeer peer(Full());
  peer.Send(RawPeer::CallFrame(1, kFindPath));
  EXPECT_TRUE(peer.Await(FrameType::kGoAway).has_value());
  EXPECT_TRUE(Ends(peer));
  ExpectServes();
}

TEST_F(ConnectionLimitsTest, APeerThatAnswersNoPingIsGivenUp) {
  Restart([](auto& config) {
    config.connections_keepalive_seconds = 1;
    config.connections_keepalive_timeout_seconds = 1;
  });
  RawPeer peer(Full());
  peer.Send(RawPeer::CallFrame(1, kFindPath));
  EXPECT_TRUE(peer.Await(FrameType::kPing).has_value());
  EXPECT_TRUE(Ends(peer));
  ExpectServes();
}

TEST_F(ConnectionLimitsTest, AFloodOfPingsIsCutOff) {
  RawPeer peer(Full());
  for (int i = 0; i < 100; ++i) {
    if (!peer.Send({FrameType::kPing, 0, 0, std::string(8, 'p')})) break;
  }
  const auto away = peer.Await(FrameType::kGoAway);
  ASSERT_TRUE(away.has_value());
  EXPECT_EQ(ErrorCodeOf(*away), kEnhanceYourCalm);
  EXPECT_TRUE(Ends(peer));
  ExpectServes();
}

TEST_F(ConnectionLimitsTest, AConnectionHasNoMoreCallsThanItMay) {
  Restart([](auto& config) { config.connections_streams = 2; });
  RawPeer peer(Full());
  const auto settings = peer.AcceptSettings();
  ASSERT_TRUE(settings.has_value());
  // SETTINGS_MAX_CONCURRENT_STREAMS = 2.
  EXPECT_NE(settings->payload.find(std::string("\0\3\0\0\0\2", 6)),
            std::string::npos);
  for (const uint32_t stream : {1U, 3U, 5U}) {
    peer.Send(RawPeer::CallFrame(stream, kFindPath));
  }
  // The third is not served, whatever it costs the other two.
  peer.Send({FrameType::kData, kEndStream, 5, RawPeer::Framed(FindBody())});
  EXPECT_TRUE(Ends(peer) || peer.Await(FrameType::kRstStream, 5).has_value());
  ExpectServes();
}

TEST_F(ConnectionLimitsTest, HeadersOverTheBoundAreNotServed) {
  RawPeer peer(Full());
  ASSERT_TRUE(peer.AcceptSettings().has_value());
  peer.Send(
      RawPeer::CallFrame(1, kFindPath, {{"x-much", std::string(12'000, 'm')}}));
  peer.Send({FrameType::kData, kEndStream, 1, RawPeer::Framed(FindBody())});
  ExpectRefused(peer);
  // gRPC may let the call through without the message that it dropped.
  ExpectAllMalformed(0);
  ExpectServes();
}

TEST_F(ConnectionLimitsTest, ThousandsOfCallsBegunAndGivenUpAreBorne) {
  RawPeer peer(Full());
  for (uint32_t i = 0; i < 5'000; ++i) {
    const uint32_t stream = 2 * i + 1;
    if (!peer.Send(RawPeer::CallFrame(stream, kFindPath)) ||
        !peer.Send(
            {FrameType::kRstStream, 0, stream, std::string("\0\0\0\10", 4)})) {
      break;  // the server may well hang up on this
    }
    if (i % 1'000 == 0) ExpectServes();
  }
  ExpectServes();
}

TEST_F(ConnectionLimitsTest, BytesThatAreNoMessageOfGrpcAreRefused) {
  const std::string framed = RawPeer::Framed(FindBody());
  // A length that promises more than comes, one over the bound, and one that is
  // cut short.
  for (const std::string& bytes :
       {framed.substr(0, framed.size() - 1),
        std::string("\0\xff\xff\xff\xff", 5), std::string("\0\0", 2)}) {
    const uint64_t before = server_.EventCount();
    RawPeer peer(Full());
    peer.Send(RawPeer::CallFrame(1, kFindPath));
    peer.Send({FrameType::kData, kEndStream, 1, bytes});
    ExpectRefused(peer);
    ExpectAllMalformed(before);
  }
  ExpectServes();
}

TEST_F(ConnectionLimitsTest, AMessageThatClaimsToBeCompressedIsRefused) {
  RawPeer peer(Full());
  peer.Send(RawPeer::CallFrame(1, kFindPath, {{"grpc-encoding", "gzip"}}));
  peer.Send({FrameType::kData, kEndStream, 1, RawPeer::Framed(FindBody(), 1)});
  ExpectRefused(peer);
  ExpectAllMalformed(0);
  ExpectServes();
}

// What the process held at most so far.
size_t PeakMemory(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  std::string word;
  size_t kilobytes = 0;
  while (status >> word) {
    if (word == "VmHWM:") status >> kilobytes;
  }
  return kilobytes * 1024;
}

TEST(CompressionTest, AMessageThatWouldInflateIsNotInflated) {
  VaultFiles files;
  HizodProcess::Init(files);
  HizodProcess hizod(files);
  ASSERT_TRUE(hizod.WaitUntilReady());
  const Peer warm = hizod.As("acme/full");
  ASSERT_THAT(FindPerson(warm, "nobody@example.com"),
              HasReason(Reason::kSubjectNotFound));
  const size_t before = PeakMemory(hizod.process().id());
  ASSERT_GT(before, 0U);

  // 256 MiB that come as 256 KiB, under the bound on messages.
  Peer::Options options = files.PeerOptions("acme/full", hizod.address());
  options.compression = Peer::Compression::kGzip;
  const Reply reply =
      Peer(options).Call(kFindPath, {std::string(256 * kMebibyte, '\0')});
  EXPECT_EQ(reply.code, kUnimplemented) << reply.text;
  EXPECT_THAT(reply.messages, IsEmpty());
  EXPECT_LT(PeakMemory(hizod.process().id()), before + 16 * kMebibyte);
  EXPECT_THAT(FindPerson(warm, "nobody@example.com"),
              HasReason(Reason::kSubjectNotFound));
}

}  // namespace
}  // namespace hizo::test
