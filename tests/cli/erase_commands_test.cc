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

TEST_F(EraseCommandsTest, RunTellsUntilWhenItCanBeTakenBack) {
  auto& response = vault_.execute_erasure.response;
  response.set_state(v1::ERASURE_STATE_ACCEPTED);
  response.mutable_grace_until_time()->set_seconds(1'700'000'000);
  const CliRun run = Run({"erase", "run", kSubject, "--grace-days", "14"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(vault_.execute_erasure.request.grace_days(), 14);
  EXPECT_THAT(run.out, HasSubstr("until 2023-11-14T22:13:20Z it can be taken "
                                 "back: hizo erase cancel\n"));
  auto& receipt = vault_.erasure_receipt.response;
  receipt.set_state(v1::ERASURE_STATE_ACCEPTED);
  *receipt.mutable_grace_until_time() = response.grace_until_time();
  EXPECT_THAT(Run({"erase", "receipt", kSubject}).out,
              HasSubstr("until 2023-11-14T22:13:20Z"));
  for (const char* bad : {"-1", "91", "soon"}) {
    EXPECT_EQ(Run({"erase", "run", kSubject, "--grace-days", bad}).exit,
              kUsageExit);
  }
}

TEST_F(EraseCommandsTest, CancelTakesAnErasureBack) {
  CliRun run = Run({"erase", "cancel", kSubject});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(vault_.cancel_erasure.request.subject(), kSubject);
  EXPECT_NE(vault_.cancel_erasure.request.context().request_id(), "");
  EXPECT_THAT(run.out, HasSubstr("taken back"));
  EXPECT_EQ(Run({"erase", "cancel"}).exit, kUsageExit);
}

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

// An invoice, kept for tax audits.
void Keep(v1::KeptClass& kept) {
  kept.set_record_class("transaction");
  kept.set_until("2034-05-31");
  kept.set_law("Tax Act 57-4(6)");
  kept.add_purposes("tax_audit");
  kept.add_purposes("legal_retention");
}
constexpr char kKept[] =
    "kept until 2034-05-31 for tax_audit, legal_retention; Tax Act 57-4(6)";

TEST_F(EraseCommandsTest, PlanShowsWhatALawHasKept) {
  auto& planned = *vault_.plan_erasure.response.add_classes();
  planned.set_record_class("transaction");
  planned.set_fate(v1::CLASS_FATE_KEEP);
  Keep(*planned.mutable_kept());
  const CliRun run = Run({"erase", "plan", kSubject});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr(kKept));
  EXPECT_THAT(run.out, Not(HasSubstr("destroyed")));
  EXPECT_THAT(Run({"erase", "plan", kSubject, "--json"}).out,
              HasSubstr("2034-05-31"));
}

TEST_F(EraseCommandsTest, RunAndVerifySayWhatIsKept) {
  vault_.execute_erasure.response.set_state(v1::ERASURE_STATE_SEALED_IN_PART);
  Keep(*vault_.execute_erasure.response.add_kept());
  CliRun run = Run({"erase", "run", kSubject});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("sealed in part"), HasSubstr(kKept)));
  vault_.verify_erased.response.set_erased(true);
  Keep(*vault_.verify_erased.response.add_kept());
  run = Run({"erase", "verify", kSubject});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr(kKept));
}

TEST_F(EraseCommandsTest, AddendaFollowTheReceiptAndAreCheckedLikeIt) {
  const std::string addendum =
      signer_.Sign("hizo erasure receipt v1\nkey_epoch: 3\n");
  vault_.erasure_receipt.response.set_receipt(receipt_);
  vault_.erasure_receipt.response.add_addenda(addendum);
  CliRun run = Run({"erase", "receipt", kSubject});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out, receipt_ + "\n" + addendum);
  const std::vector<std::string> checked = {
      "erase", "receipt", kSubject, "--verify-with", signer_.verifier_key()};
  EXPECT_EQ(Run(checked).exit, 0);
  const crypto::NoteSigner other("hizo/test", crypto::Key::Random());
  vault_.erasure_receipt.response.set_addenda(
      0, other.Sign("hizo erasure receipt v1\n"));
  EXPECT_EQ(Run(checked).exit, kNotVerifiedExit);
}

TEST_F(EraseCommandsTest, PlanShowsWhatIsHeld) {
  auto& planned = *vault_.plan_erasure.response.add_classes();
  planned.set_record_class("account");
  planned.set_fate(v1::CLASS_FATE_KEEP);
  planned.mutable_kept()->set_held(true);
  planned.mutable_kept()->add_purposes("legal_claim");
  EXPECT_THAT(Run({"erase", "plan", kSubject}).out,
              HasSubstr("kept as long as it is held for legal_claim"));
}

TEST_F(EraseCommandsTest, HoldsArePlacedAndReleased) {
  constexpr char kClaim[] = "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2";
  vault_.place_hold.response.set_holds(2);
  CliRun run =
      Run({"hold", "place", kSubject, "--class", "account", "--claim", kClaim});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out, "held for 2 claims\n");
  EXPECT_EQ(vault_.place_hold.request.subject(), kSubject);
  EXPECT_EQ(vault_.place_hold.request.record_class(), "account");
  EXPECT_EQ(vault_.place_hold.request.claim(), kClaim);
  EXPECT_NE(vault_.place_hold.request.context().request_id(), "");
  run = Run(
      {"hold", "release", kSubject, "--class", "account", "--claim", kClaim});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out, "not held any more\n");
  EXPECT_EQ(vault_.release_hold.request.claim(), kClaim);
  EXPECT_EQ(Run({"hold", "place", kSubject, "--class", "account"}).exit,
            kUsageExit);
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
