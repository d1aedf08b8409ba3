// The record of processing, out of what is in force.
#include "service/cli/processing_record.h"

#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/export.pb.h"
#include "hizo/v1/policy.pb.h"
#include "tests/cli/fake_vault.h"

namespace hizo::cli {
namespace {

using ::hizo::test::CliRun;
using ::hizo::test::RunCli;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

v1::PolicyClass ClassOf(const std::string& name, const std::string& field) {
  v1::PolicyClass of;
  of.set_name(name);
  v1::PolicyField& made = *of.add_fields();
  made.set_name(field);
  made.set_type(v1::FIELD_TYPE_EMAIL);
  made.set_sensitivity_level(v1::SENSITIVITY_CONTACT);
  made.set_export_kind(v1::FIELD_EXPORT_PORTABLE);
  made.add_purposes("support");
  made.add_purposes("curiosity");
  return of;
}

v1::GetEffectivePolicyResponse Policy() {
  v1::GetEffectivePolicyResponse policy;
  policy.mutable_tenant()->set_name("acme");
  policy.set_catalogue_version(2);
  v1::PolicyPurpose& purpose = *policy.add_purposes();
  purpose.set_name("support");
  purpose.set_text("Answering questions.");
  *policy.add_classes() = ClassOf("account", "email");
  *policy.add_classes() = ClassOf("social", "handle");
  *policy.add_classes() = ClassOf("credential", "password_hash");
  policy.mutable_classes(2)->set_internal(true);
  v1::PolicyClass& invoices = *policy.add_classes() =
      ClassOf("transaction", "amount");
  invoices.set_retention_law("Tax Act 57");
  invoices.set_retention_years(7);
  invoices.add_retention_purposes("tax_audit");
  v1::PolicyRole& role = *policy.add_roles();
  role.set_name("agent");
  role.set_text("Answers people.");
  role.add_principals("spiffe://acme/agent");
  v1::PolicyGrant& grant = *role.add_grants();
  grant.add_purposes("support");
  grant.add_fields("account.email");
  v1::CompanyPolicy& company = *policy.mutable_company_policy();
  company.set_profile_id("i7relay");
  company.set_version(3);
  company.add_classes("account");
  company.add_classes("transaction");
  v1::PolicyTerms& terms = *company.add_terms();
  terms.set_purpose("support");
  terms.set_policy_purpose("service_delivery");
  terms.set_clause("2");
  terms.set_basis("contract");
  v1::PolicyLegalTerm& term = *company.add_legal_terms();
  term.set_name("modules.jp_tax.loss_year");
  term.set_days(3650);
  return policy;
}

std::string Markdown(const v1::GetEffectivePolicyResponse& policy) {
  const v1::ListRecipientsResponse nobody;
  return MarkdownOf(MakeProcessingRecord(policy, &nobody, {}, {}));
}

TEST(ProcessingRecordTest, SaysWhatArticle30AsksFor) {
  const std::string text = Markdown(Policy());
  for (const char* part : {"(a)", "(b)", "(c)", "(d)", "(e)", "(f)", "(g)"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(
      text,
      AllOf(HasSubstr("| Controller | acme |\n"),
            HasSubstr("i7relay, version 3"),
            HasSubstr("| support | Answering questions. | service\\_delivery | "
                      "2 | contract | no |\n"),
            HasSubstr("| account | email |\n"),
            HasSubstr("| agent | Answers people. | spiffe://acme/agent | "
                      "support |\n"),
            HasSubstr("| account | until erasure | - | - |\n"),
            HasSubstr("| transaction | 7 years after the fiscal year | Tax Act "
                      "57 | tax\\_audit |\n"),
            HasSubstr("| modules.jp\\_tax.loss\\_year | 3650 days |"),
            HasSubstr("Nobody is registered.")));
}

TEST(ProcessingRecordTest, TheMapSaysWhoSeesWhatAndWhatFor) {
  EXPECT_THAT(Markdown(Policy()),
              HasSubstr("| account.email | EMAIL | CONTACT | PORTABLE | "
                        "support | - | agent |\n"));
}

TEST(ProcessingRecordTest, WhatThePolicyDoesNotKeepIsNotThere) {
  EXPECT_THAT(Markdown(Policy()),
              AllOf(Not(HasSubstr("social")), Not(HasSubstr("password")),
                    Not(HasSubstr("curiosity"))));
}

TEST(ProcessingRecordTest, WithoutAPolicyNoBasisIsInvented) {
  v1::GetEffectivePolicyResponse policy = Policy();
  policy.clear_company_policy();
  EXPECT_THAT(
      Markdown(policy),
      AllOf(HasSubstr("none is in force"), HasSubstr("no legal basis is known"),
            HasSubstr("| support | Answering questions. | - | - | - | - |\n"),
            HasSubstr("social.handle"), Not(HasSubstr("contract"))));
}

TEST(ProcessingRecordTest, WhatTheVaultDoesNotKnowIsSaid) {
  EXPECT_THAT(Markdown(Policy()),
              AllOf(HasSubstr("not known to the vault: to be filled in"),
                    HasSubstr("Not known to the vault: where it")));
  const auto record =
      MakeProcessingRecord(Policy(), nullptr, {"Acme KK", "dpo at acme"}, {});
  EXPECT_THAT(MarkdownOf(record), AllOf(HasSubstr("| Controller | Acme KK |\n"),
                                        HasSubstr("dpo at acme"),
                                        HasSubstr("not shown to the caller")));
}

TEST(ProcessingRecordTest, RecipientsAreNamed) {
  v1::ListRecipientsResponse recipients;
  v1::Recipient& of = *recipients.add_recipients();
  of.set_name("other-shop");
  of.set_kind(v1::RECIPIENT_KIND_COMPANY);
  of.set_agreement("art20/2026-07");
  EXPECT_THAT(MarkdownOf(MakeProcessingRecord(Policy(), &recipients, {}, {})),
              HasSubstr("| other-shop | COMPANY | art20/2026-07 |\n"));
}

TEST(ProcessingRecordTest, NothingInItIsMarkup) {
  v1::GetEffectivePolicyResponse policy = Policy();
  policy.mutable_roles(0)->set_text("a | b\n<script>*x*</script>");
  EXPECT_THAT(Markdown(policy),
              HasSubstr("a \\| b \\<script\\>\\*x\\*\\</script\\>"));
  const std::string html =
      HtmlOf(MakeProcessingRecord(policy, nullptr, {}, {}));
  EXPECT_THAT(html,
              AllOf(Not(HasSubstr("<script>")), HasSubstr("&lt;script&gt;"),
                    HasSubstr("default-src 'none'"),
                    HasSubstr("<td>account.email</td>")));
}

TEST(PolicyRecordCommandTest, PrintsOneOrTheOther) {
  test::FakeVault vault;
  vault.policy.response = Policy();
  const CliRun markdown = RunCli(vault, {"policy", "record"});
  EXPECT_EQ(markdown.exit, 0) << markdown.err;
  EXPECT_THAT(markdown.out, HasSubstr("# Record of processing of acme\n"));
  const CliRun html =
      RunCli(vault, {"policy", "record", "--html", "--contact", "dpo"});
  EXPECT_THAT(html.out, AllOf(HasSubstr("<h1>Record of processing of acme"),
                              HasSubstr("<td>dpo</td>")));
}

TEST(PolicyRecordCommandTest, WhoMayNotSeeRecipientsCanStillMakeOne) {
  test::FakeVault vault;
  vault.policy.response = Policy();
  vault.statuses.push_back(grpc::Status::OK);
  vault.statuses.push_back(test::Refusal(grpc::StatusCode::PERMISSION_DENIED,
                                         "CALLER_NOT_ENTITLED"));
  const CliRun run = RunCli(vault, {"policy", "record"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("not shown to the caller"));
  vault.statuses.push_back(test::Refusal(grpc::StatusCode::PERMISSION_DENIED,
                                         "CALLER_NOT_ENTITLED"));
  EXPECT_EQ(RunCli(vault, {"policy", "record"}).exit, 1);
}

}  // namespace
}  // namespace hizo::cli
