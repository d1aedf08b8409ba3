#include "service/rpc/acceptor.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/testing/sockets.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::rpc {
namespace {

using base::Reason;
using test::AwaitClose;
using test::ConnectTo;
using ::testing::SizeIs;

constexpr std::chrono::seconds kPatience{60};

// Stands for gRPC: keeps what it is handed.
class Receiver {
 public:
  void Put(int socket) {
    const std::lock_guard lock(mutex_);
    sockets_.emplace_back(socket);
    changed_.notify_all();
  }
  // Whether so many have come.
  bool Await(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience,
                             [&] { return sockets_.size() >= count; });
  }
  void CloseAll() {
    const std::lock_guard lock(mutex_);
    for (const Descriptor& socket : sockets_) {
      shutdown(socket.number(), SHUT_RDWR);  // as gRPC does before it closes
    }
    sockets_.clear();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Descriptor> sockets_;
};

class FakeGrpc final : public Acceptor::Grpc {
 public:
  explicit FakeGrpc(Receiver& receiver) : receiver_(receiver) {}
  void HandleNewConnection(NewConnectionParameters* connection) override {
    receiver_.Put(connection->fd);
  }

 private:
  Receiver& receiver_;
};

class AcceptorTest : public ::testing::Test {
 protected:
  explicit AcceptorTest(size_t per_origin = 256) {
    auto acceptor =
        Acceptor::Listen({"127.0.0.1:0", std::chrono::seconds(20),
                          Connections::Limits{1024, per_origin, 65536}});
    EXPECT_THAT(acceptor, test::IsOk());
    acceptor_ = *std::move(acceptor);
    acceptor_->Start(std::make_unique<FakeGrpc>(receiver_), unserved_, [] {});
  }
  ~AcceptorTest() override {
    acceptor_.reset();
    receiver_.CloseAll();
  }
  Descriptor Connect() const {
    return Descriptor(
        ConnectTo("127.0.0.1:" + std::to_string(acceptor_->port())));
  }
  // What is in the log once all has been written: "reason count" of each entry.
  std::vector<std::pair<Reason, uint32_t>> CountedAtTheEnd() {
    acceptor_.reset();
    unserved_.Close();
    std::vector<std::pair<Reason, uint32_t>> counted;
    for (const audit::Event& event : vault_.Events()) {
      counted.emplace_back(event.reason, event.merged + 1);
    }
    return counted;
  }
  // Until the connections that ended have been noticed.
  void AwaitSize(size_t size) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (acceptor_->connections().size() != size) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }

  test::VaultFixture vault_;
  UnservedPeers unserved_{{vault_.store(), vault_.clock(), 1}};
  Receiver receiver_;
  std::unique_ptr<Acceptor> acceptor_;
};

TEST_F(AcceptorTest, HandsConnectionsOnAndNoticesTheirEnd) {
  const Descriptor one = Connect();
  const Descriptor two = Connect();
  ASSERT_TRUE(receiver_.Await(2));
  EXPECT_EQ(acceptor_->connections().size(), 2U);
  receiver_.CloseAll();
  EXPECT_TRUE(AwaitClose(one.number(), kPatience));
  AwaitSize(0);
  const auto counted = CountedAtTheEnd();
  ASSERT_THAT(counted, SizeIs(1));
  EXPECT_EQ(counted[0], std::make_pair(Reason::kUnauthenticated, 2U));
}

TEST_F(AcceptorTest, NoticesAConnectionThatThePeerResets) {
  {
    const Descriptor socket = Connect();
    ASSERT_TRUE(receiver_.Await(1));
    const linger at_once{1, 0};
    setsockopt(socket.number(), SOL_SOCKET, SO_LINGER, &at_once,
               sizeof(at_once));
  }
  AwaitSize(0);
}

TEST_F(AcceptorTest, HalfAnEndIsNone) {
  const Descriptor socket = Connect();
  ASSERT_TRUE(receiver_.Await(1));
  shutdown(socket.number(), SHUT_WR);
  const Descriptor later = Connect();
  ASSERT_TRUE(receiver_.Await(2));
  EXPECT_EQ(acceptor_->connections().size(), 2U);
}

TEST_F(AcceptorTest, AConnectionThatStandsAtTheEndIsNotCounted) {
  const Descriptor socket = Connect();
  ASSERT_TRUE(receiver_.Await(1));
  EXPECT_THAT(CountedAtTheEnd(), SizeIs(0));
}

TEST_F(AcceptorTest, TakesNoneOnceClosed) {
  acceptor_->Close();
  // Whoever was waiting is turned away, whoever comes later finds nobody.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (Connect().open()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
}

class CrowdedAcceptorTest : public AcceptorTest {
 protected:
  CrowdedAcceptorTest() : AcceptorTest(2) {}
};

TEST_F(CrowdedAcceptorTest, TurnsAwayWhatIsTooMuch) {
  const Descriptor one = Connect();
  const Descriptor two = Connect();
  const Descriptor three = Connect();
  EXPECT_TRUE(AwaitClose(three.number(), kPatience));
  EXPECT_EQ(acceptor_->connections().size(), 2U);
  const auto counted = CountedAtTheEnd();
  ASSERT_THAT(counted, SizeIs(1));
  EXPECT_EQ(counted[0], std::make_pair(Reason::kOverloaded, 1U));
}

// Leaves this process as many open files as it has, or none at all.
class FewFiles {
 public:
  explicit FewFiles(rlim_t count) {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = count;
    setrlimit(RLIMIT_NOFILE, &few);
  }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;
  ~FewFiles() { setrlimit(RLIMIT_NOFILE, &before_); }
  // Every lower number is in use.
  static rlim_t LowestFree() {
    return static_cast<rlim_t>(Descriptor(dup(STDERR_FILENO)).number());
  }

 private:
  rlimit before_{};
};

class FileShortageTest : public AcceptorTest {
 protected:
  FileShortageTest() {
    to_.sin_family = AF_INET;
    to_.sin_port = htons(static_cast<uint16_t>(acceptor_->port()));
    to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "the sanitizer opens files to look at objects";
#endif
  }
  void ConnectLate() {
    ASSERT_EQ(
        connect(late_.number(), reinterpret_cast<sockaddr*>(&to_), sizeof(to_)),
        0);
  }
  const Descriptor late_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in to_{};
};

TEST_F(FileShortageTest, TurnsAwayWithTheFileInReserve) {
  {
    const FewFiles as_many_as_now(FewFiles::LowestFree());
    ConnectLate();
    EXPECT_TRUE(AwaitClose(late_.number(), kPatience));
  }
  const Descriptor more = Connect();
  EXPECT_TRUE(receiver_.Await(1));
  const auto counted = CountedAtTheEnd();
  ASSERT_THAT(counted, SizeIs(1));
  EXPECT_EQ(counted[0], std::make_pair(Reason::kOverloaded, 1U));
}

TEST_F(FileShortageTest, AcceptsAgainThoughNotEvenTheReserveWasThere) {
  {
    const FewFiles none(0);
    ConnectLate();
    // It waits in the system.
    EXPECT_FALSE(AwaitClose(late_.number(), std::chrono::seconds(2)));
  }
  EXPECT_TRUE(receiver_.Await(1));
  const Descriptor more = Connect();
  EXPECT_TRUE(receiver_.Await(2));
}

}  // namespace
}  // namespace hizo::rpc
