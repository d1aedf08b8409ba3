// One caller does not take the places of others, neither by calling nor by
// doing nothing.
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/raw_peer.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;

constexpr char kFindPath[] = "/hizo.v1.SubjectService/FindSubject";
constexpr char kImportPath[] = "/hizo.v1.RecordService/ImportRecords";
constexpr char kVerifyPath[] = "/hizo.v1.CredentialService/VerifyPassword";
constexpr std::chrono::seconds kPatience{60};

class FairnessTest : public ::testing::Test {
 protected:
  template <typename Change>
  void Restart(Change change) {
    server_.Stop();
    change(server_.config());
    ASSERT_THAT(server_.Start(), IsOk());
  }
  RawPeer RawAs(const std::string& name) {
    return RawPeer(server_.files().PeerOptions(name, server_.address()));
  }
  // What a caller is told who asks for nobody.
  Reason AskAs(const std::string& name) {
    return base::ReasonOf(
        FindPerson(server_.As(name), "nobody@example.com").status());
  }
  static void Await(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }
  static void BeginCalls(RawPeer& peer, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      if (!peer.Send(RawPeer::CallFrame(2 * i + 1, kFindPath))) return;
    }
  }
  // Begins calls until the caller is told that it has too many, and not only
  // because an answered call of its own has not given its place back yet.
  void HoldEveryPlace(RawPeer& greedy) {
    constexpr int kTimes = 5;
    uint32_t stream = 1;
    Await([&] {
      for (int i = 0; i < kTimes; ++i) {
        if (AskAs("acme/full") == Reason::kOverloaded) continue;
        greedy.Send(RawPeer::CallFrame(stream, kFindPath));
        stream += 2;
        return false;
      }
      return true;
    });
  }
  size_t CountOf(Reason reason) const {
    size_t count = 0;
    for (const audit::Event& event : server_.EventsFrom(0)) {
      count += event.reason == reason ? 1 : 0;
    }
    return count;
  }
  // Until call `stream` has ended; false if the connection did first.
  static bool AwaitEnd(RawPeer& peer, uint32_t stream) {
    for (auto frame = peer.Next(); frame.has_value(); frame = peer.Next()) {
      if (frame->stream != stream) continue;
      const bool ended = (frame->flags & kEndStream) != 0;
      if (ended || frame->type == FrameType::kRstStream) return true;
    }
    return false;
  }

  LiveServer server_;
};

TEST_F(FairnessTest, ACallerHoldsNoMorePlacesThanItMay) {
  Restart([](auto& config) { config.calls_per_caller = 4; });
  {
    RawPeer greedy = RawAs("acme/full");
    HoldEveryPlace(greedy);
    // On a connection of its own too, and nobody else.
    EXPECT_EQ(AskAs("acme/full"), Reason::kOverloaded);
    EXPECT_EQ(AskAs("globex/full"), Reason::kSubjectNotFound);
  }
  Await([&] { return AskAs("acme/full") == Reason::kSubjectNotFound; });
}

TEST_F(FairnessTest, WhatIsRefusedLeavesAnEventEach) {
  Restart([](auto& config) { config.calls_per_caller = 1; });
  RawPeer greedy = RawAs("acme/full");
  HoldEveryPlace(greedy);
  const uint64_t before = server_.EventCount();
  EXPECT_EQ(AskAs("acme/full"), Reason::kOverloaded);
  ASSERT_EQ(server_.EventCount(), before + 1);
  const audit::Event event = server_.EventsFrom(before).at(0);
  EXPECT_EQ(event.reason, Reason::kOverloaded);
  EXPECT_EQ(event.action, policy::Action::kSubjectFind);
  EXPECT_EQ(event.actor, "spiffe://hizo.example/acme/full");
}

// gRPC does not hold a peer to its settings before that peer accepts them.
TEST_F(FairnessTest, MoreCallsThanThereArePlacesLeaveRoomForOthers) {
  RawPeer greedy = RawAs("acme/full");
  BeginCalls(greedy, 2'000);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(AskAs("globex/full"), Reason::kSubjectNotFound);
  }
}

TEST_F(FairnessTest, ACallThatSendsNothingIsEnded) {
  Restart([](auto& config) { config.calls_idle_seconds = 1; });
  RawPeer silent = RawAs("acme/full");
  BeginCalls(silent, 1);
  EXPECT_TRUE(AwaitEnd(silent, 1));
  Await([&] { return server_.EventCount() == 1; });
  EXPECT_EQ(server_.EventsFrom(0).at(0).reason, Reason::kDeadlineExceeded);
}

TEST_F(FairnessTest, AStreamThatStopsIsEndedAndWhatItSentIsDone) {
  Restart([](auto& config) { config.calls_idle_seconds = 1; });
  RawPeer peer = RawAs("acme/full");
  peer.Send(RawPeer::CallFrame(1, kImportPath));
  peer.Send(
      {FrameType::kData, 0, 1,
       RawPeer::Framed(
           ImportRequest("a@example.com", "Ann Other").SerializeAsString())});
  EXPECT_TRUE(AwaitEnd(peer, 1));
  EXPECT_THAT(FindPerson(server_.As("acme/full"), "a@example.com"), IsOk());
}

TEST_F(FairnessTest, ACallInTimeIsNotEnded) {
  Restart([](auto& config) { config.calls_idle_seconds = 2; });
  const Peer peer = server_.As("acme/full");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (std::chrono::steady_clock::now() < until) {
    ASSERT_THAT(FindPerson(peer, "nobody@example.com"),
                HasReason(Reason::kSubjectNotFound));
  }
}

TEST_F(FairnessTest, NoPasswordIsHashedForACallerWhoHasGone) {
  Restart([](auto& config) {
    config.password_cost = 11;
    config.password_threads = 1;
  });
  const Peer full = server_.As("acme/full");
  const std::string subject = CreatePerson(full, "a@example.com", "Ann Other");
  ASSERT_THAT(
      full.Ask<v1::SetPasswordResponse>(PasswordRequest(subject, "a password")),
      IsOk());
  const uint64_t before = server_.EventCount();
  constexpr uint32_t kCalls = 20;
  RawPeer peer = RawAs("acme/full");
  const std::string body =
      VerifyRequest(subject, "a password").SerializeAsString();
  for (uint32_t i = 0; i < kCalls; ++i) {
    peer.Send(RawPeer::CallFrame(2 * i + 1, kVerifyPath));
    peer.Send({FrameType::kData, kEndStream, 2 * i + 1, RawPeer::Framed(body)});
  }
  // The first of them is done, so the others are waiting.
  Await([&] { return server_.EventCount() > before; });
  for (uint32_t i = 0; i < kCalls; ++i) {
    peer.Send(
        {FrameType::kRstStream, 0, 2 * i + 1, std::string("\0\0\0\10", 4)});
  }
  Await([&] { return server_.EventCount() == before + kCalls; });
  EXPECT_GT(CountOf(Reason::kDeadlineExceeded), 0U);
}

}  // namespace
}  // namespace hizo::test
