// A company's policy, out of its files.
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fake_vault.h"
#include "tests/testing/scratch_directory.h"

namespace hizo::cli {
namespace {

using ::hizo::test::CliRun;
using ::hizo::test::RunCli;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class PolicyFileCommandsTest : public ::testing::Test {
 protected:
  PolicyFileCommandsTest()
      : profile_(Write("profile.yaml", "a profile")),
        statutory_(Write("statutory.yaml", "laws")),
        operator_(Write("operator.yaml", "an overlay")) {}

  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = (directory_.path() / name).string();
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  CliRun Run(const std::string& command,
             const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"policy", command, profile_,
                                          statutory_, operator_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunCli(vault_, arguments);
  }
  // The vault would refuse the files, for a line of the overlay.
  void RefuseAll(v1::Reason reason) {
    v1::ValidatePolicyResponse& verdict = vault_.validate_policy.response;
    verdict.set_refusal(reason);
    v1::PolicyProblem& problem = *verdict.add_problems();
    problem.set_file(v1::POLICY_FILE_OPERATOR);
    problem.set_line(12);
    problem.set_text("unknown key `x`");
  }

  test::ScratchDirectory directory_;
  const std::string profile_;
  const std::string statutory_;
  const std::string operator_;
  test::FakeVault vault_;
};

TEST_F(PolicyFileCommandsTest, ValidateSendsTheFilesAndShowsWhatIsOpen) {
  v1::ValidatePolicyResponse& verdict = vault_.validate_policy.response;
  verdict.set_profile_id("i7relay");
  verdict.set_version(2);
  verdict.set_sha256("c0ffee");
  v1::PolicyConflict& conflict = *verdict.add_conflicts();
  conflict.set_id("RETENTION_UNSET:profile");
  conflict.set_accepted(true);
  conflict.set_accepted_by("dpo");
  conflict.set_because("For now.");
  const CliRun run = Run("validate");
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out,
              AllOf(HasSubstr("profile  i7relay\n"), HasSubstr("version  2\n"),
                    HasSubstr("RETENTION_UNSET:profile  dpo")));
  const v1::PolicyFiles& files = vault_.validate_policy.request.files();
  EXPECT_EQ(files.profile(), "a profile");
  EXPECT_EQ(files.statutory(), "laws");
  EXPECT_EQ(files.overlay(), "an overlay");
  EXPECT_THAT(Run("validate", {"--json"}).out,
              HasSubstr(R"("profile_id":"i7relay")"));
}

TEST_F(PolicyFileCommandsTest, WhatIsWrongIsToldWithFileLineAndReason) {
  RefuseAll(v1::REASON_POLICY_INVALID);
  for (const char* command : {"validate", "diff"}) {
    const CliRun run = Run(command);
    EXPECT_EQ(run.exit, 1);
    EXPECT_THAT(run.err, AllOf(HasSubstr("POLICY_INVALID"),
                               HasSubstr(operator_ + ":12: unknown key `x`")));
  }
}

TEST_F(PolicyFileCommandsTest, DiffShowsBeforeAndAfter) {
  EXPECT_EQ(Run("diff").out, "nothing would change\n");
  v1::PolicyChange& change = *vault_.validate_policy.response.add_changes();
  change.set_kind(v1::POLICY_CHANGE_KIND_PURPOSE);
  change.set_name("support");
  change.set_after("support, contract");
  const CliRun run = Run("diff");
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("PURPOSE  support  -    support, contract"));
}

TEST_F(PolicyFileCommandsTest, ActivateSaysWhatIsInForce) {
  vault_.activate_policy.response.set_version(2);
  vault_.activate_policy.response.set_sha256("c0ffee");
  vault_.activate_policy.response.set_changed(true);
  EXPECT_EQ(Run("activate").out, "version 2 is in force, sha256 c0ffee\n");
  EXPECT_NE(vault_.activate_policy.request.context().request_id(), "");
  vault_.activate_policy.response.set_changed(false);
  EXPECT_EQ(Run("activate").out, "version 2 was in force, sha256 c0ffee\n");
}

TEST_F(PolicyFileCommandsTest, ARefusedActivationIsAskedAbout) {
  RefuseAll(v1::REASON_POLICY_CONFLICT);
  vault_.statuses.push_back(test::Refusal(grpc::StatusCode::FAILED_PRECONDITION,
                                          "POLICY_CONFLICT", "no"));
  const CliRun run = Run("activate");
  EXPECT_EQ(run.exit, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr("POLICY_CONFLICT"),
                             HasSubstr(operator_ + ":12: unknown key `x`")));
}

TEST_F(PolicyFileCommandsTest, ARefusalOfTheCallerIsNotAskedAbout) {
  vault_.statuses.push_back(test::Refusal(grpc::StatusCode::PERMISSION_DENIED,
                                          "CALLER_NOT_ENTITLED", "no"));
  const CliRun run = Run("activate");
  EXPECT_EQ(run.exit, 1);
  EXPECT_THAT(run.err, HasSubstr("CALLER_NOT_ENTITLED"));
  EXPECT_FALSE(vault_.validate_policy.request.has_files());
}

TEST_F(PolicyFileCommandsTest, AFileThatIsNotThereIsAWrongUse) {
  std::filesystem::remove(statutory_);
  for (const char* command : {"validate", "diff", "activate"}) {
    const CliRun run = Run(command);
    EXPECT_EQ(run.exit, 2);
    EXPECT_THAT(run.err, HasSubstr(statutory_));
  }
  EXPECT_EQ(RunCli(vault_, {"policy", "activate", profile_}).exit, 2);
}

TEST_F(PolicyFileCommandsTest, ConflictsInForceAreListed) {
  v1::PolicyConflict& conflict = *vault_.conflicts.response.add_conflicts();
  conflict.set_id("BASIS_UNSET:newsletter");
  conflict.set_text("no legal basis is stated");
  const CliRun run = RunCli(vault_, {"policy", "conflicts"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("BASIS_UNSET:newsletter  nobody"),
                             HasSubstr("no legal basis is stated"),
                             Not(HasSubstr("dpo"))));
}

TEST_F(PolicyFileCommandsTest, EffectiveShowsTheCompanysPolicy) {
  v1::CompanyPolicy& company = *vault_.policy.response.mutable_company_policy();
  company.set_profile_id("i7relay");
  company.set_version(2);
  company.set_sha256("c0ffee");
  company.set_origin(v1::POLICY_ORIGIN_ACTIVATED);
  company.set_activated_by("spiffe://hizo.example/acme/dpo");
  v1::PolicyTerms& terms = *company.add_terms();
  terms.set_purpose("communications_marketing");
  terms.set_policy_purpose("newsletter");
  terms.set_clause("2");
  terms.set_basis("consent");
  terms.set_consent(true);
  terms.set_consent_from_version(2);
  terms.set_acceptance_from_version(3);
  const CliRun run = RunCli(vault_, {"policy", "effective"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(
      run.out,
      AllOf(HasSubstr("policy version     2\n"), HasSubstr("acme/dpo"),
            HasSubstr("communications_marketing  newsletter     2       "
                      "consent  consent of version 2 on, acceptance of "
                      "version 3 on")));
}

TEST_F(PolicyFileCommandsTest, AnAcknowledgementIsWrittenDown) {
  vault_.acknowledge.response.set_policy_version(2);
  const CliRun run = RunCli(
      vault_, {"consent", "acknowledge", "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10",
               "accepted", "--channel", "login", "--evidence",
               "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2", "--at", "2026-03-15"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("accepted version 2"));
  const v1::AcknowledgePolicyRequest& request = vault_.acknowledge.request;
  EXPECT_EQ(request.kind(), v1::ACKNOWLEDGEMENT_KIND_ACCEPTED);
  EXPECT_EQ(request.channel(), v1::CHANNEL_LOGIN);
  EXPECT_TRUE(request.has_acknowledge_time());
  EXPECT_NE(request.context().request_id(), "");
  EXPECT_EQ(RunCli(vault_, {"consent", "acknowledge",
                            "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10", "ignored",
                            "--channel", "login", "--evidence", "x"})
                .exit,
            2);
}

}  // namespace
}  // namespace hizo::cli
