// Every bad input, as one list against one real server: what a caller sends,
// who does not get as far as a call, and the files with which hizod does not
// start. Each is refused with a reason of the closed list, changes nothing and
// leaves exactly one event; a refused start leaves none.
#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "tests/integration/bad_calls.h"
#include "tests/integration/bad_starts.h"
#include "tests/integration/requests.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using base::Reason;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kFind[] = "/hizo.v1.SubjectService/FindSubject";
constexpr char kFullId[] = "URI:spiffe://hizo.example/acme/full";
constexpr int kUnavailable = 14;
constexpr int kResourceExhausted = 8;

// All rows of both stores but the log's.
std::map<std::string, std::string> RowsBesideTheLog(const LiveServer& server) {
  std::map<std::string, std::string> rows;
  const std::string log = {base::kSpaceAuditEntry, base::kSpaceAuditTile,
                           base::kSpaceAuditHead, base::kSpaceAuditBySubject,
                           base::kSpaceAuditByActor};
  for (const FaultyEngine* store : {&server.keys(), &server.data()}) {
    const auto all = store->Scan({"", "", storage::kScanLimitMax});
    EXPECT_THAT(all, IsOk());
    for (const storage::Row& row : *all) {
      if (store == &server.keys() || log.find(row.key[0]) == log.npos) {
        rows.emplace((store == &server.keys() ? "keys" : "data") + row.key,
                     row.value);
      }
    }
  }
  return rows;
}

class RefusalsTest : public ::testing::Test {
 protected:
  RefusalsTest() {
    server_.Stop();
    VaultFiles& files = server_.files();
    files.Write("access.yaml", ReadFile(files.directory() / "access.yaml") +
                                   "  spiffe://hizo.example/acme/second: "
                                   "{tenant: acme, roles: [full]}\n");
    EXPECT_THAT(server_.Start(), IsOk());
  }

  void ExpectRefused(const BadCall& row) {
    SCOPED_TRACE(row.name);
    const auto rows = RowsBesideTheLog(server_);
    const uint64_t events = server_.EventCount();
    server_.clock().Advance(row.later);
    const Reply reply = server_.As(row.caller).Call(row.path, {row.body});
    server_.clock().Advance(-row.later);

    EXPECT_EQ(reply.reason, base::NameOf(row.reason));
    EXPECT_EQ(reply.domain, "hizo");
    EXPECT_EQ(reply.field, row.field);
    EXPECT_EQ(reply.code, static_cast<int>(base::CodeOf(row.reason)));
    EXPECT_EQ(reply.text, base::TextOf(row.reason));
    EXPECT_THAT(reply.details, Not(HasSubstr(row.value)));
    EXPECT_THAT(reply.messages, IsEmpty());
    EXPECT_TRUE(RowsBesideTheLog(server_) == rows) << "something changed";
    ExpectOneEvent(events, row.reason);
  }

  void ExpectOneEvent(uint64_t before, Reason reason) {
    const auto events = server_.EventsFrom(before);
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].reason, reason);
    EXPECT_NE(events[0].outcome, audit::Outcome::kAllowed);
    EXPECT_THAT(events[0].writes, IsEmpty());
  }

  // Somebody who is no caller yet: their connection ends in the handshake.
  void ExpectShutOut(const char* who, const std::string& authority,
                     const Identity& identity) {
    SCOPED_TRACE(who);
    const auto rows = RowsBesideTheLog(server_);
    const uint64_t events = server_.EventCount();
    const Peer peer({server_.address(), authority, identity});
    const Reply reply =
        peer.Call(kFind, {FindRequest("a@example.com").SerializeAsString()});
    EXPECT_EQ(reply.code, kUnavailable) << reply.text;
    EXPECT_EQ(reply.reason, "");
    EXPECT_TRUE(RowsBesideTheLog(server_) == rows) << "something changed";
    // Counted, and told once the minute is over.
    std::chrono::minutes passed{0};
    AwaitEvent(events, [&] {
      server_.clock().Advance(std::chrono::minutes(1));
      ++passed;
    });
    server_.clock().Advance(-passed);
    ExpectOneEvent(events, Reason::kUnauthenticated);
  }

  template <typename Meanwhile>
  void AwaitEvent(uint64_t before, const Meanwhile& meanwhile) {
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (server_.EventCount() == before &&
           std::chrono::steady_clock::now() < until) {
      meanwhile();
      std::this_thread::yield();
    }
  }

  // Bytes of a caller that no use case sees. gRPC tells the caller of an
  // oversized message before it tells the server.
  void ExpectUnserved(const char* what, const std::string& body, int code,
                      Reason reason) {
    SCOPED_TRACE(what);
    const auto rows = RowsBesideTheLog(server_);
    const uint64_t events = server_.EventCount();
    const Reply reply = server_.As("acme/full").Call(kFind, {body});
    EXPECT_EQ(reply.code, code) << reply.text;
    EXPECT_THAT(reply.messages, IsEmpty());
    AwaitEvent(events, [] {});
    ExpectOneEvent(events, reason);
    EXPECT_TRUE(RowsBesideTheLog(server_) == rows) << "something changed";
  }

  void ExpectNoStart(const BadStart& row, const Resting& resting) {
    SCOPED_TRACE(row.name);
    const auto running = row.damage(resting);
    const std::string before = running == nullptr ? FingerprintOf(resting) : "";
    {
      HizodProcess hizod(resting.files);
      EXPECT_FALSE(hizod.WaitUntilReady());
      EXPECT_EQ(hizod.process().Wait(), row.exit_code);
      EXPECT_THAT(hizod.process().output(), HasSubstr(row.says));
    }
    if (running == nullptr) {
      EXPECT_TRUE(FingerprintOf(resting) == before) << "something changed";
    } else {
      EXPECT_THAT(FindPerson(running->As("acme/full"), "ann@example.com"),
                  IsOk());
      EXPECT_EQ(running->Stop(), 0);
    }
  }

  // Everybody who is not let into a call, in the order of the list.
  void ExpectNoCall() {
    CertificateAuthority& own = server_.files().authority();
    CertificateAuthority other;
    const std::string& ca = own.certificate();
    ExpectShutOut("no certificate", ca, {});
    ExpectShutOut("expired certificate", ca,
                  own.Issue(kFullId, std::chrono::seconds(-60)));
    ExpectShutOut("foreign certificate", ca, other.Issue(kFullId));
    ExpectShutOut("wrong-usage certificate", ca, own.IssueForServers(kFullId));
    ExpectUnserved("undecodable message", "\xff\xff\xff", 3,
                   Reason::kMalformedRequest);
    ExpectUnserved("message of twice what it may have and more",
                   std::string((2 << 20) + 1, 'x'), kResourceExhausted,
                   Reason::kMalformedRequest);
  }

  void ExpectNoStarts() {
    const fs::path older = server_.files().directory() / "older";
    const fs::path& data = server_.config().storage_data_dir;
    server_.Stop();
    fs::copy(data, older);
    ASSERT_THAT(server_.Start(), IsOk());
    // Some batches in the log on the disk.
    for (int i = 0; i < 8; ++i) {
      CreatePerson(server_.As("acme/full"), std::to_string(i) + "@x.example",
                   "Dee Other");
    }
    const uint64_t events = server_.EventCount();
    server_.Stop();
    LiveServer other;
    CreatePerson(other.As("acme/full"), "b@example.com", "Bob Other");
    other.Stop();
    const Resting resting{server_.files(), server_.config(), older,
                          other.config()};
    const ScratchDirectory kept;
    constexpr auto kAll =
        fs::copy_options::recursive | fs::copy_options::overwrite_existing;
    fs::copy(server_.files().directory(), kept.path(), kAll);
    for (const BadStart& row : BadStarts()) {
      ExpectNoStart(row, resting);
      for (const auto& entry :
           fs::directory_iterator(server_.files().directory())) {
        fs::remove_all(entry.path());
      }
      fs::copy(kept.path(), server_.files().directory(), kAll);
    }
    // With what was done to the files undone, everything is as it was.
    ASSERT_THAT(server_.Start(), IsOk());
    EXPECT_EQ(server_.EventCount(), events);
  }

  LiveServer server_;
};

TEST_F(RefusalsTest, OfTheWholeListInItsOrder) {
  const Scene scene(server_);
  for (const BadCall& row : BadCalls(scene)) ExpectRefused(row);
  ExpectNoCall();
  ExpectNoStarts();
  EXPECT_THAT(FindPerson(server_.As("acme/full"), "ann@example.com"),
              IsOkAndHolds(scene.ann));
}

}  // namespace
}  // namespace hizo::test
