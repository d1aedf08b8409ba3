// Recipients on the command line, and bundles for them.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fake_vault.h"
#include "tests/service/bundle/sample.h"
#include "tests/testing/scratch_directory.h"

namespace hizo::cli {
namespace {

namespace fs = std::filesystem;
using test::CliRun;
using test::RunCli;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kRefusedExit = 1;
constexpr int kUsageExit = 2;
constexpr int kNotVerifiedExit = 4;
constexpr char kKey[] =
    "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
constexpr char kWord[] = "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2";

class RecipientCommandsTest : public ::testing::Test {
 protected:
  CliRun Add(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {
        "recipient", "add",     "other-shop",  "--to", kKey,
        "--kind",    "company", "--agreement", "a/1"};
    for (std::string& one : more) arguments.push_back(std::move(one));
    return RunCli(vault_, arguments);
  }
  test::FakeVault vault_;
};

TEST_F(RecipientCommandsTest, AddsOne) {
  vault_.register_recipient.response.set_etag("0123456789abcdef");
  vault_.register_recipient.response.set_changed(true);
  const CliRun run = Add();
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("registered, with the etag 0123456789abcdef"));
  const v1::RegisterRecipientRequest& asked = vault_.register_recipient.request;
  EXPECT_EQ(asked.recipient().name(), "other-shop");
  EXPECT_EQ(asked.recipient().key(), kKey);
  EXPECT_EQ(asked.recipient().kind(), v1::RECIPIENT_KIND_COMPANY);
  EXPECT_EQ(asked.recipient().agreement(), "a/1");
  EXPECT_THAT(asked.etag(), IsEmpty());
  EXPECT_THAT(asked.context().request_id(), Not(IsEmpty()));
}

TEST_F(RecipientCommandsTest, SaysThatItWasThere) {
  EXPECT_THAT(Add().out, HasSubstr("was registered so"));
}

TEST_F(RecipientCommandsTest, ReplacesOneByItsEtag) {
  EXPECT_EQ(Add({"--etag", "fedc"}).exit, 0);
  EXPECT_EQ(vault_.register_recipient.request.etag(), "fedc");
}

TEST_F(RecipientCommandsTest, TellsWhyItIsRefused) {
  vault_.statuses.push_back(
      test::Refusal(grpc::StatusCode::INVALID_ARGUMENT, "RECIPIENT_UNSAFE"));
  const CliRun run = Add();
  EXPECT_EQ(run.exit, kRefusedExit);
  EXPECT_THAT(run.err, HasSubstr("RECIPIENT_UNSAFE"));
}

TEST_F(RecipientCommandsTest, NeedsAllOfIt) {
  EXPECT_EQ(RunCli(vault_, {"recipient", "add", "other-shop"}).exit,
            kUsageExit);
  EXPECT_EQ(RunCli(vault_, {"recipient", "add", "x", "--to", kKey, "--kind",
                            "friend", "--agreement", "a"})
                .exit,
            kUsageExit);
  EXPECT_EQ(RunCli(vault_, {"recipient", "remove"}).exit, kUsageExit);
}

TEST_F(RecipientCommandsTest, RemovesOne) {
  const CliRun run =
      RunCli(vault_, {"recipient", "remove", "other-shop", "--etag", "0123"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(vault_.remove_recipient.request.name(), "other-shop");
  EXPECT_EQ(vault_.remove_recipient.request.etag(), "0123");
  EXPECT_THAT(vault_.remove_recipient.request.context().request_id(),
              Not(IsEmpty()));
}

TEST_F(RecipientCommandsTest, ListsAll) {
  v1::Recipient& one = *vault_.recipients.response.add_recipients();
  one.set_name("other-shop");
  one.set_key(kKey);
  one.set_kind(v1::RECIPIENT_KIND_AUTHORITY);
  one.set_agreement("a/1");
  one.set_etag("0123456789abcdef");
  const CliRun run = RunCli(vault_, {"recipient", "list"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("other-shop"), HasSubstr(kKey),
                             HasSubstr("AUTHORITY"), HasSubstr("a/1"),
                             HasSubstr("0123456789abcdef")));
  EXPECT_THAT(RunCli(vault_, {"--json", "recipient", "list"}).out,
              HasSubstr("\"kind\":\"AUTHORITY\""));
}

class BundleTransmitTest : public ::testing::Test {
 protected:
  BundleTransmitTest() : made_(bundle::MakeSample(keys_)) {
    for (size_t at = 0; at < made_.file.size(); at += 5000) {
      v1::TransmitBundleResponse& piece =
          vault_.transmit.response.emplace_back();
      piece.set_chunk(made_.file.substr(at, 5000));
      piece.set_bundle_id(bundle::kSampleId);
      piece.set_records(6);
    }
    last().set_signature(made_.signature);
    last().set_public_key(keys_.public_key());
    last().set_sha256(std::string(crypto::AsBytes(crypto::Sha256(made_.file))));
  }
  v1::TransmitBundleResponse& last() { return vault_.transmit.response.back(); }
  std::string File(const std::string& name) const {
    return (scratch_.path() / name).string();
  }
  std::string Slurp(const std::string& name) const {
    std::ifstream in(File(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  CliRun Transmit() {
    return RunCli(vault_, {"bundle", "transmit", bundle::kSampleSubject, "--to",
                           "other-shop", "--authorisation", kWord, "--out",
                           File("b.age"), "--language", "ja"});
  }
  void ExpectNothingLeft() const {
    EXPECT_FALSE(fs::exists(File("b.age")));
    EXPECT_FALSE(fs::exists(File("b.age.part")));
    EXPECT_FALSE(fs::exists(File("b.age.minisig")));
  }

  const bundle::Keys keys_;
  const bundle::Made made_;
  test::FakeVault vault_;
  test::ScratchDirectory scratch_;
};

TEST_F(BundleTransmitTest, WritesFileAndSignatureAndTellsTheReceipt) {
  const CliRun run = Transmit();
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(Slurp("b.age"), made_.file);
  EXPECT_EQ(Slurp("b.age.minisig"), made_.signature);
  EXPECT_THAT(run.out,
              AllOf(HasSubstr("receipt (SHA-256)"), HasSubstr("other-shop"),
                    HasSubstr(bundle::kSampleId)));
  const v1::TransmitBundleRequest& asked = vault_.transmit.request;
  EXPECT_EQ(asked.subject(), bundle::kSampleSubject);
  EXPECT_EQ(asked.recipient(), "other-shop");
  EXPECT_EQ(asked.authorisation(), kWord);
  EXPECT_EQ(asked.language(), v1::BUNDLE_LANGUAGE_JAPANESE);
}

TEST_F(BundleTransmitTest, LeavesNothingOfWhatIsNotAsTheReceiptSays) {
  last().set_sha256(std::string(32, 'x'));
  const CliRun run = Transmit();
  EXPECT_EQ(run.exit, kNotVerifiedExit);
  EXPECT_THAT(run.err, HasSubstr("CUT_OR_CHANGED"));
  ExpectNothingLeft();
  last().clear_sha256();
  EXPECT_EQ(Transmit().exit, kNotVerifiedExit);
  ExpectNothingLeft();
}

TEST_F(BundleTransmitTest, LeavesNothingOfWhatWasNotSigned) {
  vault_.transmit.response.front().mutable_chunk()->front() ^= 1;
  const CliRun run = Transmit();
  EXPECT_EQ(run.exit, kNotVerifiedExit);
  EXPECT_THAT(run.err, HasSubstr("FORGED"));
  ExpectNothingLeft();
}

TEST_F(BundleTransmitTest, LeavesNothingOfAStreamThatBreaksOff) {
  vault_.statuses.push_back(
      test::Refusal(grpc::StatusCode::NOT_FOUND, "RECIPIENT_UNKNOWN"));
  const CliRun run = Transmit();
  EXPECT_EQ(run.exit, kRefusedExit);
  EXPECT_THAT(run.err, HasSubstr("RECIPIENT_UNKNOWN"));
  ExpectNothingLeft();
}

TEST_F(BundleTransmitTest, NeedsTheRecipientAndThePersonsWord) {
  EXPECT_EQ(RunCli(vault_, {"bundle", "transmit", bundle::kSampleSubject,
                            "--to", "other-shop", "--out", File("b.age")})
                .exit,
            kUsageExit);
  EXPECT_EQ(RunCli(vault_, {"bundle", "transmit", bundle::kSampleSubject,
                            "--authorisation", kWord, "--out", File("b.age")})
                .exit,
            kUsageExit);
}

}  // namespace
}  // namespace hizo::cli
