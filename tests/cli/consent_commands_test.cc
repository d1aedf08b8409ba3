// What people have said, and what is made of it.
#include <string>
#include <utility>
#include <vector>

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
constexpr char kProof[] = "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2";

class ConsentCommandsTest : public ::testing::Test {
 protected:
  CliRun Run(std::vector<std::string> arguments) {
    return RunCli(vault_, std::move(arguments));
  }

  test::FakeVault vault_;
};

TEST_F(ConsentCommandsTest, RecordsAConsentToOnePurpose) {
  vault_.record_consent.response.mutable_give_time()->set_seconds(86400);
  vault_.record_consent.response.set_policy_version(3);
  const CliRun run =
      Run({"consent", "record", kSubject, "communications_marketing",
           "--channel", "in_person", "--evidence", kProof, "--given",
           "1970-01-02", "--policy-version", "3"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out, "consented since 1970-01-02T00:00:00Z under version 3\n");
  const v1::RecordConsentRequest& request = vault_.record_consent.request;
  EXPECT_EQ(request.subject(), kSubject);
  EXPECT_EQ(request.consent_purpose(), "communications_marketing");
  EXPECT_EQ(request.channel(), v1::CHANNEL_IN_PERSON);
  EXPECT_EQ(request.evidence(), kProof);
  EXPECT_EQ(request.give_time().seconds(), 86400);
  EXPECT_EQ(request.policy_version(), 3);
  EXPECT_NE(request.context().request_id(), "");
}

TEST_F(ConsentCommandsTest, TakesNoConsentToEverythingAndNoneWithoutEvidence) {
  EXPECT_EQ(Run({"consent", "record", kSubject, "--channel", "web",
                 "--evidence", kProof})
                .exit,
            2);
  EXPECT_EQ(
      Run({"consent", "record", kSubject, "marketing", "--channel", "web"})
          .exit,
      2);
  const CliRun run = Run({"consent", "record", kSubject, "marketing",
                          "--channel", "telepathy", "--evidence", kProof});
  EXPECT_EQ(run.exit, 2);
  EXPECT_THAT(run.err, HasSubstr("web, app, email, phone, paper, in_person"));
}

TEST_F(ConsentCommandsTest, TellsWhetherThereWasAConsentToWithdraw) {
  EXPECT_EQ(Run({"consent", "withdraw", kSubject, "marketing"}).out,
            "there was no consent to withdraw\n");
  EXPECT_EQ(vault_.withdraw_consent.request.subject(), kSubject);
  EXPECT_EQ(vault_.withdraw_consent.request.consent_purpose(), "marketing");
  EXPECT_NE(vault_.withdraw_consent.request.context().request_id(), "");
  vault_.withdraw_consent.response.mutable_withdraw_time()->set_seconds(60);
  EXPECT_EQ(Run({"consent", "withdraw", kSubject, "marketing"}).out,
            "withdrawn since 1970-01-01T00:01:00Z\n");
}

TEST_F(ConsentCommandsTest, ListsAllThatWasSaid) {
  v1::ListConsentsResponse& said = vault_.list_consents.response;
  v1::Consent& consent = *said.add_consents();
  consent.set_consent_purpose("marketing");
  consent.set_policy_version(2);
  consent.set_channel(v1::CHANNEL_PAPER);
  consent.set_evidence(kProof);
  consent.mutable_give_time()->set_seconds(60);
  consent.mutable_withdraw_time()->set_seconds(120);
  consent.set_withdrawal_cause(v1::WITHDRAWAL_CAUSE_ACCOUNT_CANCELLED);
  said.add_objections()->set_direct_marketing(true);
  said.mutable_objections(0)->set_state(v1::OBJECTION_STATE_UPHELD);
  said.mutable_objections(0)->mutable_decide_time()->set_seconds(180);
  said.add_objections()->set_objected_purpose("service_improvement");
  said.mutable_objections(1)->set_state(v1::OBJECTION_STATE_OPEN);
  said.add_restrictions()->set_ground(v1::RESTRICTION_GROUND_UNLAWFUL);
  const CliRun run = Run({"consent", "list", kSubject});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(
      run.out,
      AllOf(HasSubstr("marketing   1970-01-01T00:01:00Z  2        PAPER"),
            HasSubstr("1970-01-01T00:02:00Z with the account  no"),
            HasSubstr("direct-marketing     1970-01-01T00:00:00Z  UPHELD  "
                      "1970-01-01T00:03:00Z"),
            HasSubstr("service_improvement  1970-01-01T00:00:00Z  OPEN"),
            HasSubstr("UNLAWFUL           1970-01-01T00:00:00Z")));
  EXPECT_EQ(vault_.list_consents.request.subject(), kSubject);
}

TEST_F(ConsentCommandsTest, ObjectsToAPurposeOrToDirectMarketing) {
  vault_.record_objection.response.set_state(v1::OBJECTION_STATE_OPEN);
  EXPECT_THAT(Run({"consent", "object", kSubject, "service_improvement"}).out,
              HasSubstr("closed until it is decided"));
  EXPECT_EQ(vault_.record_objection.request.objected_purpose(),
            "service_improvement");
  EXPECT_FALSE(vault_.record_objection.request.direct_marketing());
  vault_.record_objection.response.set_state(v1::OBJECTION_STATE_UPHELD);
  EXPECT_EQ(Run({"consent", "object", kSubject, "direct-marketing"}).out,
            "closed\n");
  EXPECT_EQ(vault_.record_objection.request.objected_purpose(), "");
  EXPECT_TRUE(vault_.record_objection.request.direct_marketing());
}

TEST_F(ConsentCommandsTest, DecidesUponAnObjection) {
  const CliRun run =
      Run({"consent", "decide", kSubject, "service_improvement", "rejected",
           "--ground", "legal_claims", "--notice", kProof});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out, "rejected: the purpose is open again\n");
  const v1::DecideObjectionRequest& request = vault_.decide_objection.request;
  EXPECT_EQ(request.objected_purpose(), "service_improvement");
  EXPECT_EQ(request.decision(), v1::OBJECTION_STATE_REJECTED);
  EXPECT_EQ(request.ground(), v1::OBJECTION_GROUND_LEGAL_CLAIMS);
  EXPECT_EQ(request.notice(), kProof);
  EXPECT_EQ(
      Run({"consent", "decide", kSubject, "service_improvement", "upheld"}).out,
      "upheld: the purpose stays closed\n");
  EXPECT_EQ(
      Run({"consent", "decide", kSubject, "service_improvement", "perhaps"})
          .exit,
      2);
}

TEST_F(ConsentCommandsTest, RestrictsAndLifts) {
  vault_.set_restriction.response.mutable_set_time()->set_seconds(60);
  EXPECT_EQ(
      Run({"restrict", "set", kSubject, "--ground", "accuracy_contested"}).out,
      "only kept since 1970-01-01T00:01:00Z\n");
  EXPECT_EQ(vault_.set_restriction.request.ground(),
            v1::RESTRICTION_GROUND_ACCURACY_CONTESTED);
  vault_.lift_restriction.response.set_grounds(1);
  const CliRun run = Run({"restrict", "lift", kSubject, "--ground", "unlawful",
                          "--notice", kProof});
  EXPECT_THAT(run.out, HasSubstr("still only kept on other grounds"));
  EXPECT_EQ(vault_.lift_restriction.request.notice(), kProof);
  EXPECT_EQ(vault_.lift_restriction.request.ground(),
            v1::RESTRICTION_GROUND_UNLAWFUL);
  EXPECT_EQ(Run({"restrict", "lift", kSubject, "--ground", "unlawful"}).exit,
            2);
  EXPECT_EQ(Run({"restrict", "set", kSubject, "--ground", "mood"}).exit, 2);
}

}  // namespace
}  // namespace hizo::cli
