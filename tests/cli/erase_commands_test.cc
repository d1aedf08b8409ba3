// Letting people go, and what proves it.
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "crypto/secret.h"
#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fake_vault.h"

namespace hizo::cli {
namespace {

using ::hizo::test::CliRun;
using ::hizo::test::RunCli;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kSubject[] = "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10";
constexpr int kNotVerifiedExit = 4;
constexpr int kUsageExit = 2;

class EraseCommandsTest : public ::testing::Test {
 protected:
  CliRun Run(std::vector<std::string> arguments) {
    return RunCli(vault_, std::move(arguments));
  }
  std::string FileOf(const std::string& text) {
    const auto path = directory_.path() / "receipt";
    std::ofstream(path) << text;
    return path.string();
  }

  test::FakeVault vault_;
  const test::ScratchDirectory directory_;
  const crypto::NoteSigner signer_{"hizo/test", crypto::Key::Random()};
  const std::string receipt_ =
      signer_.Sign("hizo erasure receipt v1\nkey_epoch: 2\n");
};

TEST_F(EraseCommandsTest, PlanShowsWhatWouldGo) {
  auto& planned = *vault_.plan_erasure.response.add_classes();
  planned.set_record_class("profile");
  planned.set_records(3);
  vault_.plan_erasure.response.add_classes();
  const CliRun run = Run({"erase", "plan", kSubject});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("profile"), HasSubstr("3"),
                             HasSubstr("destroyed"), HasSubstr("hizo's own")));
  EXPECT_EQ(vault_.plan_erasure.request.subject(), kSubject);
}

TEST_F(EraseCommandsTest, RunErasesAndSaysHowFarItIs) {
  vault_.execute_erasure.response.set_state(v1::ERASURE_STATE_ACCEPTED);
  const CliRun run = Run({"erase", "run", kSubject});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("accepted"));
  EXPECT_EQ(vault_.execute_erasure.request.subject(), kSubject);
  EXPECT_NE(vault_.execute_erasure.request.context().request_id(), "");
  vault_.execute_erasure.response.set_state(v1::ERASURE_STATE_SEALED);
  EXPECT_THAT(Run({"erase", "run", kSubject, "--json"}).out,
              HasSubstr("SEALED"));
}

TEST_F(EraseCommandsTest, ReceiptIsPrintedAsItIs) {
  vault_.erasure_receipt.response.set_receipt(receipt_);
  vault_.erasure_receipt.response.set_verifier_key(signer_.verifier_key());
  const CliRun run = Run({"erase", "receipt", kSubject});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out, receipt_);
  EXPECT_THAT(run.err, HasSubstr(signer_.verifier_key()));
  EXPECT_EQ(Run({"erase", "receipt", kSubject, "--verify-with",
                 signer_.verifier_key()})
                .exit,
            0);
  const crypto::NoteSigner other("hizo/test", crypto::Key::Random());
  EXPECT_EQ(
      Run({"erase", "receipt", kSubject, "--verify-with", other.verifier_key()})
          .exit,
      kNotVerifiedExit);
}

TEST_F(EraseCommandsTest, AReceiptIsVerifiedWithoutAVault) {
  const CliRun run = RunCli({"erase", "receipt", "--verify", FileOf(receipt_),
                             "--verify-with", signer_.verifier_key()});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out, "hizo erasure receipt v1\nkey_epoch: 2\n");
}

TEST_F(EraseCommandsTest, AForgedReceiptAndAnotherNoteAreFound) {
  std::string forged = receipt_;
  forged.replace(forged.find("epoch: 2"), 8, "epoch: 1");
  for (const std::string& text :
       {forged, std::string("no note"), std::string(),
        signer_.Sign("hizo/test\n7\nroot\n")}) {  // a checkpoint's key, too
    const CliRun run = RunCli({"erase", "receipt", "--verify", FileOf(text),
                               "--verify-with", signer_.verifier_key()});
    EXPECT_EQ(run.exit, kNotVerifiedExit) << text;
    EXPECT_EQ(run.out, "");
  }
}

TEST_F(EraseCommandsTest, AReceiptNeedsAKeyOrAPerson) {
  EXPECT_EQ(RunCli({"erase", "receipt", "--verify", FileOf(receipt_)}).exit,
            kUsageExit);
  EXPECT_EQ(Run({"erase", "receipt"}).exit, kUsageExit);
}

TEST_F(EraseCommandsTest, VerifyFailsWhereSomethingIsLeft) {
  auto& found = vault_.verify_erased.response;
  found.set_keys_gone(true);
  found.set_records_gone(true);
  EXPECT_EQ(Run({"erase", "verify", kSubject}).exit, kNotVerifiedExit);
  found.set_receipt_valid(true);
  found.set_erased(true);
  const CliRun run = Run({"erase", "verify", kSubject});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("records gone"));
}

}  // namespace
}  // namespace hizo::cli
