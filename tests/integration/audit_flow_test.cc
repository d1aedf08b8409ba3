// The audit log over the whole service: streams page by page, files that the
// command line writes and verifies, and proofs that an implementation which
// nobody here wrote (Go's golang.org/x/mod/sumdb) accepts or refuses.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "crypto/checkpoint.h"
#include "crypto/merkle.h"
#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/tree.h"
#include "tests/integration/requests.h"
#include "tests/testing/child_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kFull[] = "acme/full";
constexpr char kAuditor[] = "acme/auditor";

std::string ToHex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char byte : bytes) {
    hex.push_back(kDigits[static_cast<uint8_t>(byte) >> 4]);
    hex.push_back(kDigits[static_cast<uint8_t>(byte) & 15]);
  }
  return hex;
}

struct Ended {
  int exit = -1;
  std::string output;
};
Ended RunToEnd(std::vector<std::string> arguments) {
  ChildProcess child({std::move(arguments), {}});
  Ended ended;
  ended.exit = child.Wait();
  ended.output = child.output();
  return ended;
}

class AuditFlowTest : public ::testing::Test {
 protected:
  AuditFlowTest() : auditor_(server_.As(kAuditor)), full_(server_.As(kFull)) {
    subject_ = CreatePerson(full_, "ann@example.com", "Ann Other");
  }
  // By entries that differ at least in their times.
  void Grow(int events) {
    for (int i = 0; i < events; ++i) {
      server_.clock().Advance(std::chrono::milliseconds(1));
      ASSERT_THAT(ReadProfile(full_, subject_), IsOk());
    }
  }
  v1::GetCheckpointResponse Checkpoint() {
    const auto head = auditor_.Ask<v1::GetCheckpointResponse>(
        AuditRequest<v1::GetCheckpointRequest>());
    EXPECT_THAT(head, IsOk());
    return head.ok() ? *head : v1::GetCheckpointResponse();
  }
  // Messages of a stream, and that it ended well.
  template <typename Response>
  std::vector<Response> Stream(const google::protobuf::Message& request) {
    const Reply reply = auditor_.Call(PathOf(*request.GetDescriptor()),
                                      {request.SerializeAsString()});
    EXPECT_EQ(reply.code, 0) << reply.text;
    std::vector<Response> messages(reply.messages.size());
    for (size_t i = 0; i < messages.size(); ++i) {
      EXPECT_TRUE(messages[i].ParseFromString(reply.messages[i]));
    }
    return messages;
  }
  // The command line as `caller`.
  Ended Hizo(const std::string& caller, std::vector<std::string> arguments) {
    const fs::path config =
        server_.files().WriteClient(caller, server_.address(), kAuditPurpose);
    arguments.insert(arguments.begin(), {HIZO_BINARY_DIR "/bin/hizo",
                                         "--config", config.string()});
    return RunToEnd(std::move(arguments));
  }
  std::string File(const std::string& name) const {
    return (scratch_.path() / name).string();
  }
  std::string WriteFile(const std::string& name, const std::string& text) {
    std::ofstream(File(name), std::ios::binary) << text;
    return File(name);
  }

  LiveServer server_;
  ScratchDirectory scratch_;
  const Peer auditor_;
  const Peer full_;
  std::string subject_;
};

TEST_F(AuditFlowTest, AnExportComesPageByPageAndMakesTheSignedRoot) {
  Grow(5000);
  const uint64_t before = server_.EventCount();
  const auto messages =
      Stream<v1::ExportAuditResponse>(AuditRequest<v1::ExportAuditRequest>());
  EXPECT_GT(messages.size(), 1U);
  crypto::MerklePeaks peaks;
  for (const v1::ExportAuditResponse& message : messages) {
    EXPECT_EQ(static_cast<uint64_t>(message.first_sequence()), peaks.size());
    for (const v1::ExportedEntry& entry : message.entries()) {
      peaks.Append(crypto::LeafHash(entry.entry()));
    }
  }
  EXPECT_EQ(peaks.size(), before);
  const auto head = crypto::OpenCheckpoint(messages[0].checkpoint(),
                                           messages[0].verifier_key());
  ASSERT_THAT(head, IsOk());
  EXPECT_EQ(peaks.Root(), head->tree.root);
}

// Each message of a stream is a decision and an event of its own; who is
// refused has one, and no message.
TEST_F(AuditFlowTest, EveryPageIsAnEvent) {
  Grow(5000);
  const uint64_t before = server_.EventCount();
  const auto messages =
      Stream<v1::ExportAuditResponse>(AuditRequest<v1::ExportAuditRequest>());
  const auto events = server_.EventsFrom(before);
  EXPECT_EQ(events.size(), messages.size());
  for (const audit::Event& event : events) {
    EXPECT_EQ(event.action, policy::Action::kAuditExport);
  }
  const auto request = AuditRequest<v1::ExportAuditRequest>();
  const Reply refused = full_.Call(PathOf(*request.GetDescriptor()),
                                   {request.SerializeAsString()});
  EXPECT_EQ(refused.reason, "CALLER_NOT_ENTITLED");
  EXPECT_THAT(refused.messages, SizeIs(0));
  EXPECT_EQ(server_.EventCount(), before + messages.size() + 1);
}

// A page whose event cannot be written is not sent, and ends the stream.
TEST_F(AuditFlowTest, AStreamEndsWhereTheLogCannotBeWritten) {
  Grow(5000);
  server_.data().FailCommit(2, FaultyEngine::When::kBeforeApplied,
                            absl::ResourceExhaustedError("injected"));
  const auto request = AuditRequest<v1::ExportAuditRequest>();
  const Reply reply = auditor_.Call(PathOf(*request.GetDescriptor()),
                                    {request.SerializeAsString()});
  EXPECT_EQ(reply.reason, "AUDIT_UNAVAILABLE");
  EXPECT_THAT(reply.messages, SizeIs(1));
}

TEST_F(AuditFlowTest, AScopeComesPageByPageAndGoesOnFromItsToken) {
  for (int i = 0; i < 1100; ++i) {
    CreatePerson(full_, std::to_string(i) + "@example.com", "Ann Other");
  }
  const auto request = AuditRequest<v1::GetBreachScopeRequest>();
  const auto messages = Stream<v1::GetBreachScopeResponse>(request);
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0].subjects_size() + messages[1].subjects_size(), 1101);
  EXPECT_EQ(messages[1].next_page_token(), "");
  auto rest = request;
  rest.set_page_token(messages[0].next_page_token());
  const auto again = Stream<v1::GetBreachScopeResponse>(rest);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].SerializeAsString(), messages[1].SerializeAsString());
}

TEST_F(AuditFlowTest, TheCommandLineExportsWhatVerifies) {
  Grow(300);
  const std::string key = Checkpoint().verifier_key();
  const std::string kept = WriteFile("kept", Checkpoint().checkpoint());
  Grow(300);
  const Ended exported = Hizo(kAuditor, {"audit", "export", File("log")});
  EXPECT_EQ(exported.exit, 0) << exported.output;
  const std::vector<std::string> verify = {HIZO_BINARY_DIR "/bin/hizo",
                                           "audit",
                                           "verify",
                                           File("log"),
                                           "--key",
                                           key,
                                           "--checkpoint",
                                           kept};
  const Ended verified = RunToEnd(verify);
  EXPECT_EQ(verified.exit, 0) << verified.output;
  EXPECT_THAT(verified.output, HasSubstr("verified: "));
  const Ended continues =
      Hizo(kAuditor, {"audit", "continues", kept, "--verify-with", key});
  EXPECT_EQ(continues.exit, 0) << continues.output;
}

// An administrator edits a row of the log: the export tells where.
TEST_F(AuditFlowTest, AnEntryEditedInTheDatabaseIsNamed) {
  Grow(300);
  const std::string key = Checkpoint().verifier_key();
  const std::string row = audit::EntryKey(123);
  audit::Event event = *audit::Decode(**server_.data().Get(row));
  event.actor = "spiffe://hizo.example/acme/masked";
  storage::Batch edit;
  edit.Put(row, *audit::Encode(event));
  ASSERT_THAT(server_.data().Commit(edit), IsOk());
  ASSERT_EQ(Hizo(kAuditor, {"audit", "export", File("log")}).exit, 0);
  const Ended verified = RunToEnd({HIZO_BINARY_DIR "/bin/hizo", "audit",
                                   "verify", File("log"), "--key", key});
  EXPECT_EQ(verified.exit, 4);
  EXPECT_THAT(verified.output, HasSubstr("first bad entry: 123"));
}

TEST_F(AuditFlowTest, TheCommandLineShowsAHistory) {
  Grow(2);
  const Ended html = Hizo(kAuditor, {"audit", "history", subject_, "--format",
                                     "html", "--out", File("history.html")});
  EXPECT_EQ(html.exit, 0) << html.output;
  const std::string page = ReadFile(File("history.html"));
  EXPECT_THAT(page, AllOf(HasSubstr("Read data of yours"),
                          HasSubstr("Full name"), Not(HasSubstr("spiffe"))));
  const Ended refused = Hizo(kFull, {"audit", "history", subject_});
  EXPECT_EQ(refused.exit, 1);
}

// Go's implementation, from Debian's golang-golang-x-mod-dev.
class GoTlogTest : public AuditFlowTest {
 protected:
  void SetUp() override {
    if (!fs::exists("/usr/bin/go") ||
        !fs::exists("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog")) {
      GTEST_SKIP() << "Go's tlog is missing; deploy/test installs it";
    }
    ChildProcess build({{"/usr/bin/go", "build", "-o", File("tlog"),
                         HIZO_SOURCE_DIR "/tests/clients/tlog/main.go"},
                        {{"GO111MODULE", "off"},
                         {"GOFLAGS", ""},
                         {"GOPATH", "/usr/share/gocode"},
                         {"GOCACHE", File("cache")},
                         {"GOTOOLCHAIN", "local"},
                         {"HOME", scratch_.path().string()}}});
    ASSERT_EQ(build.Wait(), 0) << build.output();
  }
  // What Go says of `in`; 4 for a refusal.
  int Go(const std::string& arguments, const std::string& in) {
    WriteFile("in", in);
    const Ended ended = RunToEnd(
        {"/bin/sh", "-c", File("tlog") + " " + arguments + " < " + File("in")});
    EXPECT_THAT(ended.output,
                HasSubstr(ended.exit == 0 ? "accepted" : "refused"));
    return ended.exit;
  }
};

TEST_F(GoTlogTest, AcceptsCheckpointsAndRefusesChangedOnes) {
  Grow(3);
  const auto head = Checkpoint();
  const std::string key = "checkpoint '" + head.verifier_key() + "'";
  EXPECT_EQ(Go(key, head.checkpoint()), 0);
  std::string changed = head.checkpoint();
  changed[changed.find('\n') + 1] ^= 1;
  EXPECT_EQ(Go(key, changed), 4);
  EXPECT_EQ(Go(key, ""), 4);
  const crypto::NoteSigner other(
      head.verifier_key().substr(0, head.verifier_key().find('+')),
      crypto::Key::Random());
  EXPECT_EQ(Go("checkpoint '" + other.verifier_key() + "'", head.checkpoint()),
            4);
}

TEST_F(GoTlogTest, AcceptsInclusionProofsAndRefusesChangedOnes) {
  Grow(700);
  const std::string key = Checkpoint().verifier_key();
  for (const int sequence : {0, 1, 255, 256, 600}) {
    auto request = AuditRequest<v1::GetInclusionProofRequest>();
    request.set_sequence(sequence);
    const auto proof = auditor_.Ask<v1::GetInclusionProofResponse>(request);
    ASSERT_THAT(proof, IsOk());
    const Ended text =
        Hizo(kAuditor, {"audit", "prove", std::to_string(sequence)});
    ASSERT_EQ(text.exit, 0) << text.output;
    const std::string with = "inclusion '" + key + "' ";
    EXPECT_EQ(Go(with + ToHex(proof->entry()), text.output), 0) << sequence;
    std::string entry = proof->entry();
    entry.back() ^= 1;
    EXPECT_EQ(Go(with + ToHex(entry), text.output), 4);
    std::string other = text.output;
    const std::string index = "index " + std::to_string(sequence);
    other.replace(other.find(index), index.size(),
                  "index " + std::to_string(sequence + 1));
    EXPECT_EQ(Go(with + ToHex(proof->entry()), other), 4);
  }
}

TEST_F(GoTlogTest, AcceptsConsistencyProofsAndRefusesForks) {
  std::vector<v1::GetCheckpointResponse> kept;
  for (const int events : {0, 5, 250, 300}) {
    Grow(events);
    kept.push_back(Checkpoint());
  }
  for (const v1::GetCheckpointResponse& older : kept) {
    std::string size = older.checkpoint();
    size.erase(0, size.find('\n') + 1);
    auto request = AuditRequest<v1::GetConsistencyProofRequest>();
    request.set_older_size(std::stoll(size));
    const auto proof = auditor_.Ask<v1::GetConsistencyProofResponse>(request);
    ASSERT_THAT(proof, IsOk());
    std::string hashes;
    for (const std::string& hash : proof->hashes()) hashes += ' ' + ToHex(hash);
    const std::string with = "consistency '" + older.verifier_key() + "' " +
                             WriteFile("older", older.checkpoint());
    EXPECT_EQ(Go(with + hashes, proof->checkpoint()), 0) << size;
    hashes.back() = hashes.back() == '0' ? '1' : '0';
    EXPECT_EQ(Go(with + hashes, proof->checkpoint()), 4);
    EXPECT_EQ(Go(with, proof->checkpoint()), 4);
  }
}

}  // namespace
}  // namespace hizo::test
