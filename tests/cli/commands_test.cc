// Every subcommand against a vault: what it asks, what it prints, how it ends.
#include <fstream>
#include <string>

#include "crypto/secret.h"
#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/ids.h"
#include "tests/cli/fake_vault.h"

namespace hizo::cli {
namespace {

using ::hizo::test::CliRun;
using ::hizo::test::Refusal;
using ::hizo::test::RunCli;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kSubject[] = "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10";

class CommandsTest : public ::testing::Test {
 protected:
  CliRun Run(std::vector<std::string> arguments, const std::string& in = "") {
    return RunCli(vault_, std::move(arguments), in);
  }
  std::string Write(const std::string& name, const std::string& text) {
    const auto path = directory_.path() / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  test::FakeVault vault_;
  test::ScratchDirectory directory_;
};

TEST_F(CommandsTest, SubjectCreateSendsAPersonWithAFreshRequestId) {
  vault_.create_subject.response.set_subject(kSubject);
  v1::RecordRef& record = *vault_.create_subject.response.add_records();
  record.set_record_class("profile");
  record.set_record_id("r1");
  record.set_etag("e1");
  const CliRun run =
      Run({"subject", "create"}, R"({"profile":{"full_name":"佐藤 花子"}})");
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out,
            "subject 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10\n\n"
            "CLASS    RECORD  ETAG\n"
            "profile  r1      e1\n");
  const auto first = vault_.create_subject.request;
  EXPECT_EQ(first.context().purpose(), "support");
  EXPECT_TRUE(base::UuidBytes(first.context().request_id()).has_value());
  EXPECT_EQ(first.records(0).fields(0).value().text(), "佐藤 花子");
  Run({"subject", "create", Write("p", R"({"profile":{"full_name":"B"}})")});
  const auto& second = vault_.create_subject.request;
  EXPECT_EQ(second.records(0).fields(0).value().text(), "B");
  EXPECT_NE(first.context().request_id(), second.context().request_id());
}

TEST_F(CommandsTest, SubjectGetShowsWhatIsHeld) {
  auto& response = vault_.get_subject.response;
  response.set_subject(kSubject);
  response.set_state(v1::SUBJECT_STATE_ACTIVE);
  response.mutable_create_time()->set_seconds(0);
  v1::ClassSummary& held = *response.add_classes();
  held.set_record_class("profile");
  held.set_records(1);
  held.add_fields("company_name");
  held.add_fields("full_name");
  const CliRun run = Run({"subject", "get", kSubject});
  EXPECT_EQ(run.exit, 0);
  EXPECT_EQ(run.out,
            "subject  6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10\n"
            "created  1970-01-01T00:00:00Z\n\n"
            "CLASS    RECORDS  FIELDS\n"
            "profile  1        company_name, full_name\n");
  EXPECT_EQ(vault_.get_subject.request.subject(), kSubject);
  EXPECT_EQ(Run({"subject", "get", kSubject, "--json"}).out,
            R"({"subject":"6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10",)"
            R"("state":"ACTIVE","create_time":"1970-01-01T00:00:00Z",)"
            R"("classes":[{"record_class":"profile","records":1,)"
            R"("fields":["company_name","full_name"]}],)"
            R"("cancel_time":null})"
            "\n");
}

TEST_F(CommandsTest, SubjectGetSaysSinceWhenAnAccountIsCancelled) {
  vault_.get_subject.response.mutable_cancel_time()->set_seconds(60);
  EXPECT_THAT(Run({"subject", "get", kSubject}).out,
              HasSubstr("cancelled  1970-01-01T00:01:00Z"));
}

TEST_F(CommandsTest, SubjectCancelSaysWhen) {
  vault_.cancel_account.response.mutable_cancel_time()->set_seconds(0);
  const CliRun run = Run({"subject", "cancel", kSubject});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out, "cancelled 1970-01-01T00:00:00Z\n");
  const auto& request = vault_.cancel_account.request;
  EXPECT_EQ(request.subject(), kSubject);
  EXPECT_TRUE(base::UuidBytes(request.context().request_id()).has_value());
  EXPECT_EQ(Run({"subject", "cancel"}).exit, 2);
}

TEST_F(CommandsTest, SubjectFindTakesTheKeyFromFlagOrInput) {
  vault_.find_subject.response.set_subject(kSubject);
  EXPECT_EQ(Run({"subject", "find", "account.email=a@example.com"}).out,
            std::string(kSubject) + '\n');
  EXPECT_EQ(vault_.find_subject.request.key().field(), "account.email");
  EXPECT_EQ(vault_.find_subject.request.key().value(), "a@example.com");
  EXPECT_EQ(Run({"subject", "find"}, "account.username=hanako\n").exit, 0);
  EXPECT_EQ(vault_.find_subject.request.key().value(), "hanako");
  EXPECT_EQ(Run({"subject", "find", "hanako"}).exit, 2);
}

TEST_F(CommandsTest, SubjectFindPrintsEverybodyWhoSharesTheValue) {
  vault_.find_subject.response.set_subject("first");
  vault_.find_subject.response.add_more_subjects("second");
  EXPECT_EQ(Run({"subject", "find", "profile.phone_number=1"}).out,
            "first\nsecond\n");
  EXPECT_EQ(Run({"subject", "find", "profile.phone_number=1", "--json"}).out,
            "{\"subject\":\"first\",\"more_subjects\":[\"second\"],"
            "\"next_page_token\":\"\"}\n");
}

TEST_F(CommandsTest, ARefusalIsNamedOnStderrAndNothingIsPrinted) {
  vault_.statuses = {Refusal(grpc::StatusCode::NOT_FOUND, "SUBJECT_NOT_FOUND")};
  const CliRun run = Run({"subject", "get", kSubject});
  EXPECT_EQ(run.exit, 1);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "hizo: SUBJECT_NOT_FOUND: a fixed text\n");
}

TEST_F(CommandsTest, ARefusalIsJsonForPrograms) {
  vault_.statuses = {Refusal(grpc::StatusCode::ALREADY_EXISTS, "ALREADY_EXISTS",
                             "account.email")};
  const CliRun run =
      Run({"--json", "subject", "create"}, R"({"profile":{"n":"x"}})");
  EXPECT_EQ(run.exit, 1);
  EXPECT_EQ(run.err,
            R"({"exit":1,"reason":"ALREADY_EXISTS","field":"account.email",)"
            R"("message":"a fixed text"})"
            "\n");
}

TEST_F(CommandsTest, ARefusalCannotCommandTheTerminal) {
  vault_.statuses = {{grpc::StatusCode::INTERNAL, "\x1b[2J"}};
  EXPECT_THAT(Run({"status"}).err, Not(HasSubstr("\x1b")));
}

TEST_F(CommandsTest, RecordPutReplacesARecord) {
  vault_.put_record.response.mutable_record()->set_record_id("r1");
  vault_.put_record.response.mutable_record()->set_etag("e2");
  const CliRun run = Run({"record", "put", kSubject, "profile", "-"},
                         R"({"full_name":"A","company_name":"B"})");
  EXPECT_EQ(run.out, "record  r1\netag    e2\n");
  const auto& request = vault_.put_record.request;
  EXPECT_EQ(request.subject(), kSubject);
  EXPECT_EQ(request.record().record_class(), "profile");
  EXPECT_EQ(request.record().fields_size(), 2);
  EXPECT_FALSE(request.has_update_mask());
  EXPECT_FALSE(request.record().has_event_time());
  EXPECT_TRUE(base::UuidBytes(request.context().request_id()).has_value());
}

TEST_F(CommandsTest, RecordPutChangesSomeFieldsOfOneRecordOfASeries) {
  const CliRun run =
      Run({"record", "put", kSubject, "transaction",
           Write("r", R"({"payment_status":"paid"})"), "--record-id", "r7",
           "--etag", "e1", "--fields", "payment_status,refund", "--event-time",
           "2026-05-10", "--json"});
  EXPECT_EQ(run.exit, 0) << run.err;
  const auto& request = vault_.put_record.request;
  EXPECT_EQ(request.record_id(), "r7");
  EXPECT_EQ(request.etag(), "e1");
  EXPECT_THAT(request.update_mask().paths(),
              ElementsAre("payment_status", "refund"));
  EXPECT_EQ(request.record().event_time().seconds() % 86400, 0);
}

TEST_F(CommandsTest, RecordPutAsksNothingOfTheVaultWhenItsInputIsWrong) {
  const CliRun run =
      Run({"record", "put", kSubject, "profile"}, R"({"full_name":["佐藤"]})");
  EXPECT_EQ(run.exit, 2);
  EXPECT_THAT(run.err,
              AllOf(HasSubstr("profile.full_name"), Not(HasSubstr("佐藤"))));
  EXPECT_EQ(vault_.put_record.request.subject(), "");
  EXPECT_EQ(Run({"record", "put", kSubject, "profile", "/none"}).exit, 2);
  EXPECT_EQ(
      Run({"record", "put", kSubject, "x", "--event-time", "soon"}, "{}").exit,
      2);
}

v1::Record OneRecord(const std::string& id, const std::string& text) {
  v1::Record record;
  record.set_record_class("profile");
  record.set_record_id(id);
  v1::Field& field = *record.add_fields();
  field.set_name("full_name");
  field.mutable_value()->set_text(text);
  return record;
}

TEST_F(CommandsTest, RecordGetAsksForMasksUnlessTold) {
  *vault_.get_record.response.mutable_record() = OneRecord("r1", "佐***");
  const CliRun run =
      Run({"record", "get", kSubject, "profile", "--fields", "full_name,x"});
  EXPECT_EQ(run.out,
            "FIELD      VALUE\n"
            "full_name  佐***\n");
  EXPECT_EQ(vault_.get_record.request.view(), v1::VIEW_MASKED);
  EXPECT_THAT(vault_.get_record.request.read_mask().paths(),
              ElementsAre("full_name", "x"));
  Run({"record", "get", kSubject, "profile", "--fields", "a", "--masked"});
  EXPECT_EQ(vault_.get_record.request.view(), v1::VIEW_MASKED);
}

TEST_F(CommandsTest, RecordGetShowsPlainValuesAsJson) {
  *vault_.get_record.response.mutable_record() = OneRecord("r1", "佐藤");
  const CliRun run =
      Run({"record", "get", kSubject, "profile", "--plain", "--fields",
           "full_name", "--record-id", "r1", "--json"});
  EXPECT_THAT(run.out, HasSubstr(R"("fields":{"full_name":"佐藤"})"));
  EXPECT_EQ(vault_.get_record.request.view(), v1::VIEW_PLAIN);
  EXPECT_EQ(vault_.get_record.request.record_id(), "r1");
}

TEST_F(CommandsTest, RecordGetRefusesFlagsThatContradict) {
  EXPECT_EQ(Run({"record", "get", kSubject, "profile"}).exit, 2);
  EXPECT_EQ(Run({"record", "get", kSubject, "profile", "--fields", "a",
                 "--plain", "--masked"})
                .exit,
            2);
}

TEST_F(CommandsTest, RecordListPagesThroughAndKeepsMissingFieldsEmpty) {
  v1::ListRecordsResponse page;
  *page.add_records() = OneRecord("r1", "A");
  page.mutable_records(0)->mutable_event_time()->set_seconds(0);
  page.set_next_page_token("more");
  vault_.record_pages.push_back(page);
  page.Clear();
  *page.add_records() = OneRecord("r2", "B");
  page.mutable_records(0)->clear_fields();
  vault_.record_pages.push_back(page);
  const CliRun run = Run({"record", "list", kSubject, "transaction", "--fields",
                          "full_name", "--plain"});
  EXPECT_EQ(run.out,
            "RECORD  EVENT TIME            full_name\n"
            "r1      1970-01-01T00:00:00Z  A\n"
            "r2\n");
  ASSERT_EQ(vault_.list_requests.size(), 2U);
  EXPECT_EQ(vault_.list_requests[0].page_token(), "");
  EXPECT_EQ(vault_.list_requests[1].page_token(), "more");
  EXPECT_EQ(vault_.list_requests[1].view(), v1::VIEW_PLAIN);
}

TEST_F(CommandsTest, RecordListStopsAtItsLimitAndPrintsJsonLines) {
  v1::ListRecordsResponse page;
  *page.add_records() = OneRecord("r1", "A");
  *page.add_records() = OneRecord("r2", "B");
  page.set_next_page_token("more");
  vault_.record_pages = {page, page, page};
  const CliRun run = Run({"record", "list", kSubject, "profile", "--fields",
                          "full_name", "--limit", "4", "--json"});
  EXPECT_EQ(std::ranges::count(run.out, '\n'), 4);
  ASSERT_EQ(vault_.list_requests.size(), 2U);
  EXPECT_EQ(vault_.list_requests[0].page_size(), 4);
  EXPECT_EQ(vault_.list_requests[1].page_size(), 2);
}

TEST_F(CommandsTest, RecordListGoesOnPastAnEmptyPage) {
  v1::ListRecordsResponse empty;
  empty.set_next_page_token("more");
  v1::ListRecordsResponse last;
  *last.add_records() = OneRecord("r1", "A");
  vault_.record_pages = {empty, last};
  EXPECT_THAT(Run({"record", "list", kSubject, "profile", "--fields", "f"}).out,
              HasSubstr("r1"));
}

TEST_F(CommandsTest, PasswordSetTakesItFromFileOrInputOnly) {
  EXPECT_EQ(Run({"password", "set", kSubject}, "pässwörd\n").out,
            "the password is set\n");
  EXPECT_EQ(vault_.set_password.request.password(), "pässwörd");
  EXPECT_EQ(vault_.set_password.request.subject(), kSubject);
  Run({"password", "set", kSubject, "--password-file", Write("p", "other\n")});
  EXPECT_EQ(vault_.set_password.request.password(), "other");
  EXPECT_EQ(Run({"password", "set", kSubject, "on-the-command-line"}).exit, 2);
  EXPECT_EQ(Run({"password", "set", kSubject, "--password", "x"}).exit, 2);
}

TEST_F(CommandsTest, PasswordVerifyEndsWithFourWhenItIsNotRight) {
  const CliRun wrong = Run({"password", "verify", kSubject}, "guess\n");
  EXPECT_EQ(wrong.exit, 4);
  EXPECT_EQ(wrong.out, "");
  EXPECT_THAT(wrong.err,
              AllOf(HasSubstr("not right"), Not(HasSubstr("guess"))));
  const CliRun json =
      Run({"password", "verify", kSubject, "--json"}, "guess\n");
  EXPECT_EQ(json.exit, 4);
  EXPECT_EQ(json.out, "{\"verified\":false,\"subject\":\"\"}\n");
}

TEST_F(CommandsTest, PasswordVerifyFindsThePersonByAKey) {
  vault_.verify_password.response.set_verified(true);
  vault_.verify_password.response.set_subject(kSubject);
  const CliRun run =
      Run({"password", "verify", "--by", "account.email=a@example.com"},
          "secret\n");
  EXPECT_EQ(run.exit, 0);
  EXPECT_THAT(run.out, HasSubstr(kSubject));
  EXPECT_EQ(vault_.verify_password.request.key().value(), "a@example.com");
  EXPECT_EQ(vault_.verify_password.request.password(), "secret");
}

TEST_F(CommandsTest, PasswordVerifyWantsExactlyOnePerson) {
  EXPECT_EQ(Run({"password", "verify"}, "secret\n").exit, 2);
  EXPECT_EQ(Run({"password", "verify", kSubject, "--by", "a=b"}, "s\n").exit,
            2);
  EXPECT_EQ(Run({"password", "verify", "--by", "nonsense"}, "s\n").exit, 2);
  EXPECT_EQ(Run({"password", "verify", kSubject}, "").exit, 2);
}

v1::AuditEvent OneEvent(int64_t sequence) {
  v1::AuditEvent event;
  event.set_sequence(sequence);
  event.mutable_time()->set_seconds(0);
  event.set_actor("spiffe://hizo.example/acme/shop");
  event.set_action(v1::ACTION_RECORD_GET);
  event.set_outcome(v1::OUTCOME_DENIED);
  event.set_reason(v1::REASON_PURPOSE_NOT_ALLOWED);
  event.set_purpose("support");
  event.set_subject_reference("0f");
  event.add_fields("profile.full_name");
  return event;
}

TEST_F(CommandsTest, AuditQueryPrintsEvents) {
  v1::QueryAuditResponse page;
  *page.add_events() = OneEvent(9);
  *page.add_events() = OneEvent(8);
  page.mutable_events(1)->set_subject(kSubject);
  page.mutable_events(1)->set_reason(v1::REASON_UNSPECIFIED);
  vault_.audit_pages = {page};
  const CliRun run = Run({"audit", "query"});
  EXPECT_EQ(run.exit, 0);
  EXPECT_THAT(run.out,
              AllOf(HasSubstr("9         1970-01-01T00:00:00Z  "
                              "spiffe://hizo.example/acme/shop  RECORD_GET  "
                              "DENIED   PURPOSE_NOT_ALLOWED  support  0f"),
                    HasSubstr(kSubject), Not(HasSubstr("UNSPECIFIED"))));
}

TEST_F(CommandsTest, AuditQuerySendsItsFilters) {
  const CliRun run = Run(
      {"audit", "query", "--subject", kSubject, "--actor", "spiffe://a/b",
       "--action", "record_get", "--outcome", "DENIED", "--since", "2026-05-10",
       "--until", "2026-05-11T00:00:00Z", "--limit", "1000", "--oldest-first"});
  EXPECT_EQ(run.exit, 0) << run.err;
  ASSERT_EQ(vault_.audit_requests.size(), 1U);
  const v1::QueryAuditRequest& request = vault_.audit_requests[0];
  EXPECT_EQ(request.subject(), kSubject);
  EXPECT_EQ(request.actor(), "spiffe://a/b");
  EXPECT_EQ(request.action(), v1::ACTION_RECORD_GET);
  EXPECT_EQ(request.outcome(), v1::OUTCOME_DENIED);
  EXPECT_EQ(request.end_time().seconds() - request.start_time().seconds(),
            86400);
  EXPECT_EQ(request.page_size(), 500);
  EXPECT_TRUE(request.oldest_first());
}

TEST_F(CommandsTest, AuditQueryPagesThroughAsJsonLines) {
  v1::QueryAuditResponse page;
  *page.add_events() = OneEvent(9);
  page.set_next_page_token("more");
  v1::QueryAuditResponse last;
  *last.add_events() = OneEvent(8);
  vault_.audit_pages = {page, last};
  const CliRun run = Run({"audit", "query", "--json"});
  EXPECT_EQ(std::ranges::count(run.out, '\n'), 2);
  EXPECT_THAT(run.out, HasSubstr(R"("sequence":8)"));
  EXPECT_EQ(vault_.audit_requests[1].page_token(), "more");
}

TEST_F(CommandsTest, AuditQueryRefusesFiltersThatAreNone) {
  EXPECT_EQ(Run({"audit", "query", "--action", "read"}).exit, 2);
  EXPECT_EQ(Run({"audit", "query", "--outcome", "maybe"}).exit, 2);
  EXPECT_EQ(Run({"audit", "query", "--since", "monday"}).exit, 2);
  EXPECT_EQ(Run({"audit", "query", "--until", "monday"}).exit, 2);
  EXPECT_EQ(Run({"audit", "query", "--limit", "0"}).exit, 2);
  EXPECT_THAT(vault_.audit_requests, IsEmpty());
}

TEST_F(CommandsTest, AuditCheckpointPrintsTheNoteAndNothingElse) {
  vault_.checkpoint.response.set_checkpoint("hizo/main\n1\nAA==\n\n— x y\n");
  vault_.checkpoint.response.set_verifier_key("key");
  const CliRun run = Run({"audit", "checkpoint"});
  EXPECT_EQ(run.exit, 0);
  EXPECT_EQ(run.out, "hizo/main\n1\nAA==\n\n— x y\n");
  EXPECT_EQ(run.err, "verifier key: key\n");
  EXPECT_EQ(Run({"audit", "checkpoint", "--json"}).err, "");
}

TEST_F(CommandsTest, AuditCheckpointVerifiesWithATrustedKey) {
  const crypto::NoteSigner signer("hizo/main", crypto::Key::Random());
  const crypto::NoteSigner other("hizo/main", crypto::Key::Random());
  vault_.checkpoint.response.set_checkpoint(
      signer.Sign("hizo/main\n1\nAA==\n"));
  EXPECT_EQ(
      Run({"audit", "checkpoint", "--verify-with", signer.verifier_key()}).exit,
      0);
  EXPECT_EQ(
      Run({"audit", "checkpoint", "--verify-with", other.verifier_key()}).exit,
      4);
  EXPECT_EQ(Run({"audit", "checkpoint", "--verify-with", "nonsense"}).exit, 4);
}

TEST_F(CommandsTest, StatusShowsHowTheVaultIs) {
  auto& response = vault_.status.response;
  response.set_version("0.1.0");
  response.set_store("s");
  response.set_audit_events(7);
  response.set_healthy_slots(1);
  response.set_slots(2);
  response.set_memory_locked(true);
  const CliRun run = Run({"status"});
  EXPECT_EQ(run.exit, 0);
  EXPECT_THAT(run.out, AllOf(HasSubstr("version               0.1.0\n"),
                             HasSubstr("root slots            1 of 2\n"),
                             HasSubstr("memory locked         yes\n")));
  EXPECT_THAT(Run({"status", "--json"}).out, HasSubstr(R"("audit_events":7)"));
}

}  // namespace
}  // namespace hizo::cli
