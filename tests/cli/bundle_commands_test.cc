// Bundles on the command line: asked for, checked offline, looked into.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

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

class BundleCommandsTest : public ::testing::Test {
 protected:
  BundleCommandsTest() {
    Write("key", keys_.identity().ExposeText() + "\n");
    Write("vault.pub", "untrusted comment: minisign public key\n" +
                           keys_.public_key() + "\n");
  }
  std::string File(const std::string& name) const {
    return (scratch_.path() / name).string();
  }
  void Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(File(name), std::ios::binary) << bytes;
  }
  std::string Slurp(const std::string& name) const {
    std::ifstream in(File(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // What the vault answers with: `made` in pieces.
  static std::vector<v1::ExportBundleResponse> Pieces(
      const bundle::Made& made, const std::string& public_key) {
    std::vector<v1::ExportBundleResponse> pieces;
    for (size_t at = 0; at < made.file.size(); at += 5000) {
      v1::ExportBundleResponse& piece = pieces.emplace_back();
      piece.set_chunk(made.file.substr(at, 5000));
      piece.set_bundle_id(bundle::kSampleId);
      piece.set_records(6);
    }
    pieces.back().set_signature(made.signature);
    pieces.back().set_public_key(public_key);
    return pieces;
  }
  CliRun Export(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"bundle", "export",
                                          bundle::kSampleSubject};
    for (std::string& one : more) arguments.push_back(std::move(one));
    return RunCli(vault_, arguments);
  }
  std::vector<std::string> Open(const std::string& command) const {
    return {"bundle",    command, File("b.age"),    "--identity",
            File("key"), "--key", File("vault.pub")};
  }

  const bundle::Keys keys_;
  test::FakeVault vault_;
  test::ScratchDirectory scratch_;
};

TEST_F(BundleCommandsTest, ExportsToAKeyAndKeepsTheSignatureBeside) {
  const bundle::Made made = bundle::MakeSample(keys_);
  vault_.pieces = Pieces(made, keys_.public_key());
  const std::string to = keys_.identity().recipient().ToText();
  const CliRun run = Export({"--to", to, "--out", File("b.age")});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr(bundle::kSampleId), HasSubstr("records"),
                             HasSubstr(keys_.public_key())));
  EXPECT_EQ(Slurp("b.age"), made.file);
  EXPECT_EQ(Slurp("b.age.minisig"), made.signature);
  EXPECT_EQ(fs::status(File("b.age")).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(vault_.bundle_request.recipient(), to);
  EXPECT_EQ(vault_.bundle_request.selection(),
            v1::BUNDLE_SELECTION_PORTABILITY);
  EXPECT_EQ(vault_.bundle_request.language(), v1::BUNDLE_LANGUAGE_ENGLISH);
}

TEST_F(BundleCommandsTest, AsksForWhatItIsTold) {
  vault_.pieces = Pieces(bundle::MakeSample(keys_), keys_.public_key());
  const CliRun run = Export({"--to", "age1x", "--access", "--language", "ja",
                             "--out", File("b.age"), "--json"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(vault_.bundle_request.selection(), v1::BUNDLE_SELECTION_ACCESS);
  EXPECT_EQ(vault_.bundle_request.language(), v1::BUNDLE_LANGUAGE_JAPANESE);
  EXPECT_THAT(run.out, HasSubstr(R"("records":6)"));
}

TEST_F(BundleCommandsTest, SealsAnewForAPassphraseThatTheVaultNeverLearns) {
  Write("passphrase", "correct horse\n");
  vault_.make_bundle = [this](const v1::ExportBundleRequest& request) {
    const auto recipient = crypto::AgeRecipient::Parse(request.recipient());
    bundle::Writer writer(*crypto::AgeWriter::ForRecipients({&*recipient, 1}),
                          bundle::SampleAbout());
    bundle::Made made;
    for (const bundle::Piece& piece : bundle::SamplePieces()) {
      writer.Add(piece.name, piece.content, piece.kind, made.file);
    }
    writer.manifest().records = {
        {"account", 1}, {"billing", 1}, {"profile", 1}, {"transaction", 3}};
    made.signature = writer.Finish(keys_.signer(), made.file);
    return Pieces(made, keys_.public_key());
  };
  const CliRun run =
      Export({"--passphrase-file", File("passphrase"), "--out", File("b.age")});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(vault_.bundle_request.DebugString(),
              Not(HasSubstr("correct horse")));
  EXPECT_FALSE(fs::exists(File("b.age.minisig")));
  const CliRun verify =
      RunCli({"bundle", "verify", File("b.age"), "--passphrase-file",
              File("passphrase"), "--key", keys_.public_key()});
  EXPECT_EQ(verify.exit, 0) << verify.err;
  Write("wrong", "wrong horse\n");
  const CliRun wrong =
      RunCli({"bundle", "verify", File("b.age"), "--passphrase-file",
              File("wrong"), "--key", keys_.public_key()});
  EXPECT_EQ(wrong.exit, kNotVerifiedExit);
  EXPECT_THAT(wrong.err, HasSubstr("OTHER_RECIPIENT"));
}

TEST_F(BundleCommandsTest, LeavesNothingBehindIfItFails) {
  const bundle::Made made = bundle::MakeSample(keys_);
  vault_.pieces = Pieces(made, keys_.public_key());
  vault_.statuses.push_back(
      test::Refusal(grpc::StatusCode::NOT_FOUND, "SUBJECT_NOT_FOUND"));
  const CliRun refused = Export({"--to", "age1x", "--out", File("b.age")});
  EXPECT_EQ(refused.exit, kRefusedExit);
  EXPECT_THAT(refused.err, HasSubstr("SUBJECT_NOT_FOUND"));
  EXPECT_FALSE(fs::exists(File("b.age")));
  EXPECT_FALSE(fs::exists(File("b.age.part")));
  // A piece that was lost or changed on the way.
  vault_.pieces[1].set_chunk("other bytes");
  const CliRun changed = Export({"--to", "age1x", "--out", File("b.age")});
  EXPECT_EQ(changed.exit, kNotVerifiedExit);
  EXPECT_THAT(changed.err, HasSubstr("FORGED"));
  EXPECT_FALSE(fs::exists(File("b.age")));
}

TEST_F(BundleCommandsTest, NeedsToKnowForWhom) {
  EXPECT_EQ(Export({"--out", File("b.age")}).exit, kUsageExit);
  EXPECT_EQ(Export({"--to", "age1x"}).exit, kUsageExit);
  EXPECT_EQ(Export({"--to", "age1x", "--passphrase", "--out", "x"}).exit,
            kUsageExit);
  EXPECT_EQ(Export({"--to", "age1x", "--language", "de", "--out", "x"}).exit,
            kUsageExit);
  Write("empty", "\n");
  EXPECT_EQ(
      Export({"--passphrase-file", File("empty"), "--out", File("b.age")}).exit,
      kUsageExit);
}

TEST_F(BundleCommandsTest, VerifiesWithoutAVault) {
  Write("b.age", bundle::MakeSample(keys_).file);
  const CliRun run = RunCli(Open("verify"));
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("good: 9 files, 6 records"),
                             HasSubstr(bundle::kSampleSubject)));
}

TEST_F(BundleCommandsTest, SaysWhyABundleIsNotGood) {
  std::string file = bundle::MakeSample(keys_).file;
  file[file.size() / 2] = static_cast<char>(file[file.size() / 2] ^ 1);
  Write("b.age", file);
  const CliRun changed = RunCli(Open("verify"));
  EXPECT_EQ(changed.exit, kNotVerifiedExit);
  EXPECT_THAT(changed.err, HasSubstr("CUT_OR_CHANGED"));
  const bundle::Keys other;
  Write("b.age", bundle::MakeSample(other).file);
  const CliRun foreign = RunCli(Open("verify"));
  EXPECT_EQ(foreign.exit, kNotVerifiedExit);
  EXPECT_THAT(foreign.err, HasSubstr("OTHER_RECIPIENT"));
  Write("b.age", bundle::MakeSample(keys_).file);
  const CliRun signer = RunCli({"bundle", "verify", File("b.age"), "--identity",
                                File("key"), "--key", other.public_key()});
  EXPECT_EQ(signer.exit, kNotVerifiedExit);
  EXPECT_THAT(signer.err, HasSubstr("OTHER_SIGNER"));
  EXPECT_THAT(signer.out, IsEmpty());
}

TEST_F(BundleCommandsTest, ShowsWhatABundleHolds) {
  Write("b.age", bundle::MakeSample(keys_).file);
  const CliRun run = RunCli(Open("show"));
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("profile.json"), HasSubstr("hizo/store"),
                             HasSubstr("not shown: secret")));
  std::vector<std::string> member = Open("show");
  member.insert(member.end(), {"--member", "contact.vcf"});
  EXPECT_THAT(RunCli(member).out, HasSubstr("BEGIN:VCARD"));
  member.back() = "manifest.json";
  EXPECT_THAT(RunCli(member).out, HasSubstr("hizo-bundle/1"));
  member.back() = "nothing";
  EXPECT_EQ(RunCli(member).exit, kUsageExit);
}

// Nothing of a bundle is shown before all of it is known to be good.
TEST_F(BundleCommandsTest, ShowsNothingOfABadBundle) {
  const std::string file = bundle::MakeSample(keys_).file;
  Write("b.age", file.substr(0, file.size() - 1));
  std::vector<std::string> member = Open("show");
  member.insert(member.end(), {"--member", "profile.json"});
  const CliRun run = RunCli(member);
  EXPECT_EQ(run.exit, kNotVerifiedExit);
  EXPECT_THAT(run.out, IsEmpty());
}

TEST_F(BundleCommandsTest, NeedsFilesThatItCanRead) {
  Write("b.age", "x");
  EXPECT_EQ(RunCli({"bundle", "verify", File("none"), "--identity", File("key"),
                    "--key", keys_.public_key()})
                .exit,
            kUsageExit);
  EXPECT_EQ(RunCli({"bundle", "verify", File("b.age"), "--identity",
                    File("b.age"), "--key", keys_.public_key()})
                .exit,
            kUsageExit);
  EXPECT_EQ(
      RunCli({"bundle", "verify", File("b.age"), "--key", keys_.public_key()})
          .exit,
      kUsageExit);
}

}  // namespace
}  // namespace hizo::cli
