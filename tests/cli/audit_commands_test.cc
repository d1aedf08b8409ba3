// hizo audit tail, prove, continues, export, verify, history, breach.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "crypto/checkpoint.h"
#include "crypto/merkle.h"
#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fake_vault.h"
#include "tests/testing/scratch_directory.h"

namespace hizo::cli {
namespace {

namespace fs = std::filesystem;
using crypto::Digest;
using crypto::LeafHash;
using test::CliRun;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kLog[] = "hizo/store";
constexpr char kSubject[] = "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10";

class AuditCommandsTest : public ::testing::Test {
 protected:
  CliRun Run(std::vector<std::string> arguments, const std::string& in = "") {
    return test::RunCli(vault_, std::move(arguments), in);
  }
  std::string File(const std::string& name) const {
    return (scratch_.path() / name).string();
  }
  std::string WriteFile(const std::string& name, const std::string& text) {
    std::ofstream(File(name), std::ios::binary) << text;
    return File(name);
  }
  static std::string ReadBack(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string Entry(int number) {
    return "entry " + std::to_string(number);
  }
  static Digest RootOf(int size) {
    crypto::MerklePeaks peaks;
    for (int i = 0; i < size; ++i) peaks.Append(LeafHash(Entry(i)));
    return peaks.Root();
  }
  std::string HeadAt(int size) const {
    return signer_.Sign(crypto::CheckpointText(
        {kLog, {static_cast<uint64_t>(size), RootOf(size)}}));
  }
  // Exports a log of `size` entries in two messages.
  void ServeExport(int size) {
    vault_.audit_export.response.clear();
    for (int first = 0; first < size; first += size / 2 + 1) {
      auto& message = vault_.audit_export.response.emplace_back();
      message.set_first_sequence(first);
      message.set_tree_size(size);
      if (first == 0) message.set_checkpoint(HeadAt(size));
      for (int i = first; i < std::min(size, first + size / 2 + 1); ++i) {
        message.add_entries()->set_entry(Entry(i));
        message.mutable_leaf_hashes()->append(
            crypto::AsBytes(LeafHash(Entry(i))));
      }
    }
  }
  CliRun Verify(const std::string& file, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"audit", "verify", file, "--key",
                                          signer_.verifier_key()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return test::RunCli(arguments);  // with no vault to be reached
  }

  test::FakeVault vault_;
  test::ScratchDirectory scratch_;
  const crypto::NoteSigner signer_{
      kLog, crypto::Key::CopyOf(std::string(crypto::Key::kSize, 'k'))};
};

TEST_F(AuditCommandsTest, QuerySendsEveryCondition) {
  const CliRun run =
      Run({"audit", "query", "--role", "support", "--class", "billing",
           "--field", "billing.billing_address", "--for-purpose", "support",
           "--not-for-purpose", "billing", "--reason", "purpose_not_allowed"});
  EXPECT_EQ(run.exit, 0) << run.err;
  ASSERT_THAT(vault_.audit_requests, SizeIs(1));
  const v1::QueryAuditRequest& request = vault_.audit_requests[0];
  EXPECT_EQ(request.role(), "support");
  EXPECT_EQ(request.record_class(), "billing");
  EXPECT_EQ(request.field(), "billing.billing_address");
  EXPECT_EQ(request.asked_purpose(), "support");
  EXPECT_EQ(request.other_than_purpose(), "billing");
  EXPECT_EQ(request.reason(), v1::REASON_PURPOSE_NOT_ALLOWED);
  EXPECT_EQ(Run({"audit", "query", "--reason", "because"}).exit, 2);
}

v1::AuditEvent EventOf(int64_t sequence, const std::string& request = "") {
  v1::AuditEvent event;
  event.set_sequence(sequence);
  event.set_actor("caller-" + std::to_string(sequence));
  event.set_request_id(request);
  return event;
}

TEST_F(AuditCommandsTest, TailShowsTheLastInTheirOrder) {
  v1::QueryAuditResponse page;
  *page.add_events() = EventOf(9);
  *page.add_events() = EventOf(8);
  vault_.audit_pages = {page};
  const CliRun run = Run({"audit", "tail", "--limit", "2"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_LT(run.out.find("caller-8"), run.out.find("caller-9"));
  EXPECT_EQ(vault_.audit_requests[0].page_size(), 2);
}

TEST_F(AuditCommandsTest, TailFollowsFromWhereItStoodUntilTheVaultGoes) {
  v1::QueryAuditResponse begin;
  *begin.add_events() = EventOf(7);
  v1::QueryAuditResponse more;
  *more.add_events() = EventOf(8);
  more.set_next_page_token("more");
  v1::QueryAuditResponse rest;
  *rest.add_events() = EventOf(10);
  vault_.audit_pages = {begin, more, rest};
  const grpc::Status gone =
      test::Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED");
  vault_.statuses = {grpc::Status::OK, grpc::Status::OK, grpc::Status::OK,
                     gone};
  const CliRun run =
      Run({"audit", "tail", "--follow", "--interval-ms", "1", "--limit", "1"});
  EXPECT_EQ(run.exit, 1);
  EXPECT_THAT(run.out, AllOf(HasSubstr("caller-7"), HasSubstr("caller-8"),
                             HasSubstr("caller-10")));
  ASSERT_THAT(vault_.audit_requests, SizeIs(4));
  EXPECT_EQ(vault_.audit_requests[1].first_sequence(), 8);
  EXPECT_TRUE(vault_.audit_requests[1].oldest_first());
  EXPECT_EQ(vault_.audit_requests[2].page_token(), "more");
  EXPECT_EQ(vault_.audit_requests[3].first_sequence(), 11);
}

TEST_F(AuditCommandsTest, ProvePrintsATlogProofAndVerifiesIt) {
  // Two entries: the other's leaf is the proof.
  auto& proof = vault_.inclusion.response;
  proof.set_sequence(1);
  proof.set_tree_size(2);
  proof.set_entry(Entry(1));
  proof.add_hashes(std::string(crypto::AsBytes(LeafHash(Entry(0)))));
  proof.set_checkpoint(HeadAt(2));
  const std::string& key = signer_.verifier_key();
  const CliRun run = Run({"audit", "prove", "1", "--verify-with", key});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("c2sp.org/tlog-proof@v1\nindex 1\n"));
  EXPECT_TRUE(run.out.ends_with("\n\n" + HeadAt(2)));
  EXPECT_EQ(vault_.inclusion.request.sequence(), 1);
  EXPECT_EQ(Run({"audit", "prove", "0", "--verify-with", key}).exit, 4);
  proof.set_entry("another entry");
  EXPECT_EQ(Run({"audit", "prove", "1", "--verify-with", key}).exit, 4);
  EXPECT_EQ(Run({"audit", "prove", "1"}).exit, 0);
  proof.set_entry(Entry(1));
  proof.set_hashes(0, "short");
  EXPECT_EQ(Run({"audit", "prove", "1", "--verify-with", key}).exit, 4);
  EXPECT_EQ(Run({"audit", "prove", "-1"}).exit, 2);
}

TEST_F(AuditCommandsTest, ContinuesVerifiesAgainstACheckpointThatWasKept) {
  auto& proof = vault_.consistency.response;
  proof.set_checkpoint(HeadAt(2));
  proof.add_hashes(std::string(crypto::AsBytes(LeafHash(Entry(1)))));
  const std::string& key = signer_.verifier_key();
  const std::string kept = WriteFile("kept", HeadAt(1));
  const auto continues = [&](const std::string& with) {
    return Run({"audit", "continues", kept, "--verify-with", with});
  };
  CliRun run = continues(key);
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out, HeadAt(2));
  EXPECT_EQ(vault_.consistency.request.older_size(), 1);
  proof.set_hashes(0, std::string(crypto::AsBytes(LeafHash(Entry(2)))));
  run = continues(key);
  EXPECT_EQ(run.exit, 4);
  EXPECT_THAT(run.err, HasSubstr("forked"));
  const crypto::NoteSigner other(kLog, crypto::Key::Random());
  EXPECT_EQ(continues(other.verifier_key()).exit, 4);
}

TEST_F(AuditCommandsTest, ContinuesTellsACutLog) {
  const std::string kept = WriteFile("kept", HeadAt(3));
  vault_.statuses = {
      test::Refusal(grpc::StatusCode::INVALID_ARGUMENT, "VALUE_INVALID")};
  const CliRun run = Run(
      {"audit", "continues", kept, "--verify-with", signer_.verifier_key()});
  EXPECT_EQ(run.exit, 4);
  EXPECT_THAT(run.err, HasSubstr("cut"));
}

TEST_F(AuditCommandsTest, ExportsWhatVerifies) {
  for (const int size : {1, 2, 300, 700}) {
    ServeExport(size);
    const std::string file = File("log" + std::to_string(size));
    const CliRun run = Run({"audit", "export", file});
    EXPECT_EQ(run.exit, 0) << run.err;
    EXPECT_EQ(run.out, std::to_string(size) + " entries\n");
    const CliRun verified = Verify(file);
    EXPECT_EQ(verified.exit, 0) << verified.err;
    EXPECT_THAT(verified.out, HasSubstr("verified: " + std::to_string(size)));
    EXPECT_FALSE(fs::exists(file + ".part"));
  }
}

TEST_F(AuditCommandsTest, VerifyNamesTheFirstBadEntry) {
  ServeExport(300);
  const std::string file = File("log");
  ASSERT_EQ(Run({"audit", "export", file}).exit, 0);
  std::string bytes = ReadBack(file);
  const size_t at = bytes.find(Entry(270));
  bytes[at] ^= 1;
  const CliRun run = Verify(WriteFile("bad", bytes));
  EXPECT_EQ(run.exit, 4);
  EXPECT_EQ(run.out, "first bad entry: 270\n");
  EXPECT_THAT(run.err, HasSubstr("entry 270 is not what was signed"));
}

TEST_F(AuditCommandsTest, VerifyHoldsTheLogAgainstEarlierCheckpoints) {
  ServeExport(300);
  const std::string file = File("log");
  ASSERT_EQ(Run({"audit", "export", file}).exit, 0);
  const std::string earlier = WriteFile("earlier", HeadAt(100));
  const std::string later = WriteFile("later", HeadAt(301));
  EXPECT_EQ(Verify(file, {"--checkpoint", earlier}).exit, 0);
  const CliRun cut =
      Verify(file, {"--checkpoint", earlier, "--checkpoint", later});
  EXPECT_EQ(cut.exit, 4);
  EXPECT_EQ(cut.out, "first bad entry: 300\n");
  EXPECT_THAT(cut.err, HasSubstr("cut"));
  const std::string forged = WriteFile(
      "forged",
      signer_.Sign(crypto::CheckpointText({kLog, {100, LeafHash("a fork")}})));
  EXPECT_THAT(Verify(file, {"--checkpoint", forged}).err, HasSubstr("forked"));
  const std::string unsigned_one = WriteFile("unsigned", "hizo/store\n1\n");
  EXPECT_EQ(Verify(file, {"--checkpoint", unsigned_one}).exit, 4);
  EXPECT_EQ(Verify(File("nowhere")).exit, 2);
}

TEST_F(AuditCommandsTest, ExportOverwritesNothingAndLeavesNothingHalf) {
  ServeExport(4);
  const std::string there = WriteFile("there", "mine");
  EXPECT_EQ(Run({"audit", "export", there}).exit, 2);
  EXPECT_EQ(ReadBack(there), "mine");
  vault_.statuses = {
      test::Refusal(grpc::StatusCode::UNAVAILABLE, "AUDIT_UNAVAILABLE")};
  EXPECT_EQ(Run({"audit", "export", File("half")}).exit, 1);
  // The second message is missing, one does not follow, hashes are missing.
  vault_.audit_export.response.pop_back();
  EXPECT_EQ(Run({"audit", "export", File("half")}).exit, 1);
  ServeExport(4);
  vault_.audit_export.response[1].set_first_sequence(1);
  EXPECT_EQ(Run({"audit", "export", File("half")}).exit, 1);
  ServeExport(4);
  vault_.audit_export.response[1].clear_leaf_hashes();
  EXPECT_EQ(Run({"audit", "export", File("half")}).exit, 1);
  vault_.audit_export.response.clear();
  EXPECT_EQ(Run({"audit", "export", File("half")}).exit, 1);
  EXPECT_FALSE(fs::exists(File("half")));
  EXPECT_FALSE(fs::exists(File("half.part")));
}

v1::AccessHistoryEntry HistoryEntry(const std::string& who) {
  v1::AccessHistoryEntry entry;
  entry.set_what("Read data of yours");
  entry.set_who(who);
  entry.add_fields("profile.full_name");
  entry.set_view(v1::VIEW_MASKED);
  entry.set_outcome(v1::OUTCOME_ALLOWED);
  return entry;
}

TEST_F(AuditCommandsTest, HistoryComesInEveryForm) {
  v1::GetAccessHistoryResponse page;
  *page.add_entries() = HistoryEntry("the service \"support\"");
  page.set_next_page_token("more");
  v1::GetAccessHistoryResponse last;
  *last.add_entries() = HistoryEntry("an auditor");
  const auto in_form = [&](std::vector<std::string> flags) {
    vault_.history_pages = {page, last};
    std::vector<std::string> arguments = {"audit", "history", kSubject};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const CliRun run = Run(arguments);
    EXPECT_EQ(run.exit, 0) << run.err;
    return run.out;
  };
  EXPECT_THAT(in_form({}), AllOf(HasSubstr("WHO"), HasSubstr("an auditor")));
  EXPECT_THAT(in_form({"--json"}), HasSubstr(R"("who":"an auditor")"));
  EXPECT_THAT(in_form({"--format", "json"}), HasSubstr(R"("view":"MASKED")"));
  EXPECT_THAT(in_form({"--format", "csv"}),
              HasSubstr("\"the service \"\"support\"\"\""));
  EXPECT_THAT(in_form({"--format", "html"}), HasSubstr("<!DOCTYPE html>"));
  EXPECT_EQ(vault_.history_requests.back().page_token(), "more");
  EXPECT_EQ(vault_.history_requests.back().subject(), kSubject);
  const std::string file = File("history.html");
  EXPECT_EQ(in_form({"--format", "html", "--out", file}), "");
  EXPECT_THAT(ReadBack(file), HasSubstr("An auditor"));
  EXPECT_EQ(Run({"audit", "history", kSubject, "--format", "pdf"}).exit, 2);
  EXPECT_EQ(Run({"audit", "history", kSubject, "--since", "monday"}).exit, 2);
}

TEST_F(AuditCommandsTest, HistoryStopsAtItsLimit) {
  v1::GetAccessHistoryResponse page;
  *page.add_entries() = HistoryEntry("a");
  page.set_next_page_token("more");
  vault_.history_pages = {page, page, page};
  Run({"audit", "history", kSubject, "--limit", "2", "--oldest-first"});
  ASSERT_THAT(vault_.history_requests, SizeIs(2));
  EXPECT_EQ(vault_.history_requests[0].page_size(), 2);
  EXPECT_EQ(vault_.history_requests[1].page_size(), 1);
  EXPECT_TRUE(vault_.history_requests[0].oldest_first());
}

class BreachTest : public AuditCommandsTest {
 protected:
  BreachTest() {
    auto& first = vault_.breach.response.emplace_back();
    AddSubject(first, "ann", 3, 1);
    AddSubject(first, "bob", 0, 2);
    first.set_checkpoint(HeadAt(9));
    first.set_erased_exposed(2);
    first.set_next_page_token("more");
    auto& last = vault_.breach.response.emplace_back();
    AddSubject(last, "eve", 0, 0);
    last.set_erased_exposed(1);
    last.set_erased_not_exposed(4);
    last.set_first_sequence(5);
    last.set_end_sequence(9);
    last.set_tree_size(9);
  }
  static void AddSubject(v1::GetBreachScopeResponse& to,
                         const std::string& name, int revealed, int masked) {
    v1::ExposedSubject& subject = *to.add_subjects();
    subject.set_subject(name);
    subject.mutable_calls()->set_revealed(revealed);
    subject.mutable_calls()->set_masked(masked);
    subject.set_notify(revealed > 0);
    subject.add_fields()->set_field("profile.full_name");
  }
};

TEST_F(BreachTest, SumsUpWhomItConcerns) {
  const CliRun run =
      Run({"audit", "breach", "--actor", "spiffe://a/b", "--class", "billing",
           "--since", "2026-05-10", "--until", "2026-05-11"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out,
              AllOf(HasSubstr("ann\tyes\t3\t1"), HasSubstr("bob\tno\t0\t2"),
                    HasSubstr("to be told:                1\n"),
                    HasSubstr("masks shown only:          1\n"),
                    HasSubstr("nothing shown:             1\n"),
                    HasSubstr("erased since, exposed:     3\n"),
                    HasSubstr("erased since, not exposed: 4\n"),
                    HasSubstr("5 to 8 of 9"), HasSubstr("public statement")));
  const v1::GetBreachScopeRequest& request = vault_.breach.request;
  EXPECT_EQ(request.actor(), "spiffe://a/b");
  EXPECT_EQ(request.record_class(), "billing");
  EXPECT_EQ(request.end_time().seconds() - request.start_time().seconds(),
            86400);
}

TEST_F(BreachTest, IsAsJsonLinesWithTheHeadThatProvesIt) {
  const CliRun run = Run(
      {"audit", "breach", "--json", "--verify-with", signer_.verifier_key()});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr(R"("subject":"eve")"),
                             HasSubstr(R"("erased_exposed":3)"),
                             HasSubstr("hizo/store\\n9\\n"),
                             Not(HasSubstr("public statement"))));
}

TEST_F(BreachTest, AHeadOfSomebodyElseOrAnAnswerThatStopsIsAnError) {
  const crypto::NoteSigner other(kLog, crypto::Key::Random());
  EXPECT_EQ(
      Run({"audit", "breach", "--verify-with", other.verifier_key()}).exit, 4);
  vault_.breach.response.pop_back();
  EXPECT_EQ(Run({"audit", "breach"}).exit, 1);
  EXPECT_EQ(Run({"audit", "breach", "--since", "monday"}).exit, 2);
}

}  // namespace
}  // namespace hizo::cli
