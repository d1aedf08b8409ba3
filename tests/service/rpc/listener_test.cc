#include "service/rpc/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace hizo::rpc {
namespace {

using test::IsOk;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::chrono::milliseconds kUnacknowledged{20'000};

TEST(ListenerTest, ChoosesAPort) {
  const auto listener = Listener::Open("127.0.0.1:0", kUnacknowledged);
  ASSERT_THAT(listener, IsOk());
  EXPECT_GT(listener->port, 0);
  EXPECT_THAT(listener->sockets, Not(IsEmpty()));
}

TEST(ListenerTest, AllAddressesOfAHostHaveOnePort) {
  EXPECT_THAT(Listener::Open("localhost:0", kUnacknowledged), IsOk());
  const auto both = Listener::Open("[::]:0", kUnacknowledged);
  // Where there is no IPv6 there is nothing to listen on.
  EXPECT_TRUE(!both.ok() || both->port > 0);
}

TEST(ListenerTest, AnAddressThatIsTakenIsRefused) {
  const auto first = Listener::Open("127.0.0.1:0", kUnacknowledged);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(Listener::Open("127.0.0.1:" + std::to_string(first->port),
                           kUnacknowledged)
                .status()
                .code(),
            absl::StatusCode::kUnavailable);
}

TEST(ListenerTest, WhatIsNoAddressHereIsRefused) {
  // The last is of a network for documentation.
  for (const char* address :
       {"127.0.0.1", "no such host:1", "127.0.0.1:http", "192.0.2.1:0"}) {
    EXPECT_EQ(Listener::Open(address, kUnacknowledged).status().code(),
              absl::StatusCode::kUnavailable)
        << address;
  }
}

bool IsOpen(int number) { return fcntl(number, F_GETFD) >= 0; }

TEST(DescriptorTest, ClosesWhatItHoldsAndNothingElse) {
  std::array<int, 2> pair{};
  ASSERT_EQ(pipe(pair.data()), 0);
  {
    const Descriptor one(pair[0]);
    EXPECT_TRUE(one.open());
  }
  EXPECT_FALSE(IsOpen(pair[0]));
  Descriptor other(pair[1]);
  Descriptor moved(std::move(other));
  other = Descriptor();
  EXPECT_TRUE(IsOpen(pair[1]));
  EXPECT_EQ(moved.Release(), pair[1]);
  EXPECT_FALSE(moved.open());
  moved = Descriptor();
  EXPECT_TRUE(IsOpen(pair[1]));
  close(pair[1]);
}

}  // namespace
}  // namespace hizo::rpc
