// What a shop, a help desk and an auditor do all day, from end to end.
#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr char kEmail[] = "hanako@example.com";
constexpr char kName[] = "佐藤 花子";

class ProfileFlowTest : public ::testing::Test {
 protected:
  ProfileFlowTest()
      : full_(server_.As("acme/full")),
        subject_(CreatePerson(full_, kEmail, kName)) {}

  absl::StatusOr<v1::QueryAuditResponse> Query(v1::QueryAuditRequest request) {
    *request.mutable_context() = ContextFor(kAuditPurpose);
    return server_.As("acme/auditor").Ask<v1::QueryAuditResponse>(request);
  }
  v1::ListRecordsRequest ListInvoices(int page_size) const {
    v1::ListRecordsRequest request;
    *request.mutable_context() = ContextFor(kBillingPurpose);
    request.set_subject(subject_);
    request.set_record_class("transaction");
    request.mutable_read_mask()->add_paths("invoice_number");
    request.set_view(v1::VIEW_PLAIN);
    request.set_page_size(page_size);
    return request;
  }

  LiveServer server_;
  const Peer full_;
  const std::string subject_;
};

TEST_F(ProfileFlowTest, WhatIsWrittenIsRead) {
  EXPECT_THAT(ReadProfile(full_, subject_),
              IsOkAndHolds(UnorderedElementsAre(Pair("full_name", kName))));
  EXPECT_THAT(FindPerson(full_, kEmail), IsOkAndHolds(subject_));
  const auto described =
      full_.Ask<v1::GetSubjectResponse>(SubjectRequest(subject_));
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ(described->state(), v1::SUBJECT_STATE_ACTIVE);
  ASSERT_EQ(described->classes_size(), 2);
  EXPECT_THAT(described->classes(0).fields(), ElementsAre("email"));
  EXPECT_THAT(described->classes(1).fields(), ElementsAre("full_name"));
}

TEST_F(ProfileFlowTest, APutReplacesTheRecordAndChangesItsEtag) {
  const v1::NewRecord profile = RecordOf(
      "profile", {{"full_name", "佐藤 太郎"}, {"company_name", "株式会社"}});
  const auto first =
      full_.Ask<v1::PutRecordResponse>(PutRequest(subject_, profile));
  ASSERT_THAT(first, IsOk());
  v1::PutRecordRequest second =
      PutRequest(subject_, RecordOf("profile", {{"full_name", "佐藤"}}));
  second.set_etag(first->record().etag());
  ASSERT_THAT(full_.Ask<v1::PutRecordResponse>(second), IsOk());
  EXPECT_THAT(full_.Ask<v1::PutRecordResponse>(second),
              HasReason(Reason::kEtagMismatch));
  EXPECT_THAT(ReadProfile(full_, subject_),
              IsOkAndHolds(UnorderedElementsAre(Pair("full_name", "佐藤"))));
}

TEST_F(ProfileFlowTest, AMaskChangesOnlyItsFields) {
  v1::PutRecordRequest put =
      PutRequest(subject_, RecordOf("profile", {{"company_name", "Ltd."}}));
  put.mutable_update_mask()->add_paths("company_name");
  ASSERT_THAT(full_.Ask<v1::PutRecordResponse>(put), IsOk());
  EXPECT_THAT(ReadProfile(full_, subject_),
              IsOkAndHolds(UnorderedElementsAre(Pair("full_name", kName),
                                                Pair("company_name", "Ltd."))));
}

TEST_F(ProfileFlowTest, TheHelpDeskSeesMasksOnly) {
  const Peer desk = server_.As("acme/masked");
  v1::GetRecordRequest request = GetRequest(subject_, "account", {"email"});
  *request.mutable_context() = ContextFor(kSupportPurpose);
  EXPECT_THAT(desk.Ask<v1::GetRecordResponse>(request),
              HasReason(Reason::kCallerNotEntitled));
  request.clear_view();
  const auto masked = desk.Ask<v1::GetRecordResponse>(request);
  ASSERT_THAT(masked, IsOk());
  ASSERT_EQ(masked->record().fields_size(), 1);
  EXPECT_TRUE(masked->record().fields(0).masked());
  EXPECT_THAT(TextsOf(masked->record()).at("email"), Not(HasSubstr("hanako")));
}

TEST_F(ProfileFlowTest, TheSameRequestIdHasOneEffect) {
  v1::CreateSubjectRequest request = CreateRequest("twice@example.com", "T");
  request.mutable_context()->set_request_id(NewUuid());
  const auto first = full_.Ask<v1::CreateSubjectResponse>(request);
  const auto second = full_.Ask<v1::CreateSubjectResponse>(request);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(first->SerializeAsString(), second->SerializeAsString());
  *request.mutable_records(1)->mutable_fields(0)->mutable_value() = v1::Value();
  request.mutable_records(1)->mutable_fields(0)->mutable_value()->set_text("U");
  EXPECT_THAT(full_.Ask<v1::CreateSubjectResponse>(request),
              HasReason(Reason::kRequestIdReused));
}

TEST_F(ProfileFlowTest, AnAddressIsTakenOnce) {
  const auto reply = full_.Call(
      PathOf(*v1::CreateSubjectRequest::descriptor()),
      {CreateRequest("HANAKO@example.com", "B").SerializeAsString()});
  EXPECT_THAT(reply, HasReason(Reason::kAlreadyExists));
  EXPECT_EQ(reply.field, "account.email");
  EXPECT_EQ(reply.domain, "hizo");
}

TEST_F(ProfileFlowTest, InvoicesAreListedPageByPageInTheOrderOfWriting) {
  std::vector<std::string> written;
  for (int i = 0; i < 7; ++i) {
    written.push_back("I-" + std::to_string(i));
    ASSERT_THAT(full_.Ask<v1::PutRecordResponse>(
                    PutRequest(subject_, InvoiceOf(written.back(), i))),
                IsOk());
    server_.clock().Advance(std::chrono::milliseconds(1));
  }
  std::vector<std::string> read;
  v1::ListRecordsRequest request = ListInvoices(3);
  do {
    const auto page = full_.Ask<v1::ListRecordsResponse>(request);
    ASSERT_THAT(page, IsOk());
    EXPECT_LE(page->records_size(), 3);
    for (const v1::Record& record : page->records()) {
      read.push_back(TextsOf(record).at("invoice_number"));
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(read, written);
}

TEST_F(ProfileFlowTest, APageTokenIsForItsCallerItsQueryAndItsHour) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(full_.Ask<v1::PutRecordResponse>(
                    PutRequest(subject_, InvoiceOf("I", i))),
                IsOk());
  }
  v1::ListRecordsRequest request = ListInvoices(1);
  const auto page = full_.Ask<v1::ListRecordsResponse>(request);
  ASSERT_THAT(page, IsOk());
  request.set_page_token(page->next_page_token());
  v1::ListRecordsRequest other_query = request;
  other_query.mutable_read_mask()->add_paths("amount");
  EXPECT_THAT(full_.Ask<v1::ListRecordsResponse>(other_query),
              HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(full_.Ask<v1::ListRecordsResponse>(request), IsOk());
  server_.clock().Advance(std::chrono::minutes(61));
  EXPECT_THAT(full_.Ask<v1::ListRecordsResponse>(request),
              HasReason(Reason::kPageTokenInvalid));
}

TEST_F(ProfileFlowTest, APasswordIsCheckedAndNeverTold) {
  ASSERT_THAT(full_.Ask<v1::SetPasswordResponse>(
                  PasswordRequest(subject_, "correct horse")),
              IsOk());
  v1::VerifyPasswordRequest by_email = VerifyRequest("", "correct horse");
  by_email.mutable_key()->set_field("account.email");
  by_email.mutable_key()->set_value(kEmail);
  const auto right = full_.Ask<v1::VerifyPasswordResponse>(by_email);
  ASSERT_THAT(right, IsOk());
  EXPECT_TRUE(right->verified());
  EXPECT_EQ(right->subject(), subject_);
  by_email.mutable_key()->set_value("nobody@example.com");
  for (const auto& request : {VerifyRequest(subject_, "wrong"), by_email}) {
    const auto wrong = full_.Ask<v1::VerifyPasswordResponse>(request);
    ASSERT_THAT(wrong, IsOk());
    EXPECT_FALSE(wrong->verified());
    EXPECT_EQ(wrong->subject(), "");
  }
  v1::GetRecordRequest read =
      GetRequest(subject_, "credential", {"password_hash"});
  *read.mutable_context() = ContextFor(kSignInPurpose);
  EXPECT_THAT(full_.Ask<v1::GetRecordResponse>(read),
              HasReason(Reason::kFieldUnknown));
}

TEST_F(ProfileFlowTest, TheAuditorSeesWhoDidWhatToThePerson) {
  ASSERT_THAT(ReadProfile(full_, subject_), IsOk());
  EXPECT_THAT(server_.As("acme/powerless")
                  .Ask<v1::GetSubjectResponse>(SubjectRequest(subject_)),
              HasReason(Reason::kCallerNotEntitled));
  v1::QueryAuditRequest request;
  request.set_subject(subject_);
  request.set_oldest_first(true);
  const auto page = Query(request);
  ASSERT_THAT(page, IsOk());
  ASSERT_EQ(page->events_size(), 3);
  std::set<std::string> references;
  for (const v1::AuditEvent& event : page->events()) {
    references.insert(event.subject_reference());
    EXPECT_EQ(event.subject(), subject_);
  }
  EXPECT_EQ(references.size(), 1U);
  EXPECT_EQ(page->events(0).action(), v1::ACTION_SUBJECT_CREATE);
  EXPECT_THAT(page->events(0).fields(),
              ElementsAre("account.email", "profile.full_name"));
  const v1::AuditEvent& read = page->events(1);
  EXPECT_EQ(read.action(), v1::ACTION_RECORD_GET);
  EXPECT_EQ(read.view(), v1::VIEW_PLAIN);
  EXPECT_EQ(read.purpose(), kServicePurpose);
  EXPECT_EQ(read.actor(), "spiffe://hizo.example/acme/full");
  EXPECT_EQ(page->events(2).outcome(), v1::OUTCOME_DENIED);
  EXPECT_EQ(page->events(2).actor(), "spiffe://hizo.example/acme/powerless");
}

TEST_F(ProfileFlowTest, TheAuditorSeesRefusalsAndItsOwnQuestions) {
  EXPECT_THAT(server_.As("acme/powerless")
                  .Ask<v1::FindSubjectResponse>(FindRequest(kEmail)),
              HasReason(Reason::kCallerNotEntitled));
  v1::QueryAuditRequest denied;
  denied.set_outcome(v1::OUTCOME_DENIED);
  const auto refusals = Query(denied);
  ASSERT_THAT(refusals, IsOk());
  ASSERT_EQ(refusals->events_size(), 1);
  EXPECT_EQ(refusals->events(0).reason(), v1::REASON_CALLER_NOT_ENTITLED);
  v1::QueryAuditRequest own;
  own.set_action(v1::ACTION_AUDIT_QUERY);
  const auto questions = Query(own);
  ASSERT_THAT(questions, IsOk());
  EXPECT_EQ(questions->events_size(), 1);
}

TEST_F(ProfileFlowTest, AnAuditorOfAnotherTenantSeesNothingOfIt) {
  v1::QueryAuditRequest request;
  *request.mutable_context() = ContextFor(kAuditPurpose);
  const Peer other = server_.As("globex/auditor");
  const auto page = other.Ask<v1::QueryAuditResponse>(request);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->events_size(), 0);
  request.set_subject(subject_);
  EXPECT_THAT(other.Ask<v1::QueryAuditResponse>(request),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(ProfileFlowTest, TheCheckpointNamesLogAndSize) {
  v1::GetCheckpointRequest request;
  *request.mutable_context() = ContextFor(kAuditPurpose);
  const auto checkpoint =
      server_.As("acme/auditor").Ask<v1::GetCheckpointResponse>(request);
  ASSERT_THAT(checkpoint, IsOk());
  EXPECT_THAT(checkpoint->checkpoint(), StartsWith("hizo/main\n1\n"));
  EXPECT_THAT(checkpoint->verifier_key(), StartsWith("hizo/main+"));
}

TEST_F(ProfileFlowTest, TheOperatorSeesHowItIs) {
  v1::GetStatusRequest request;
  *request.mutable_context() = ContextFor("operations");
  const auto status =
      server_.As("acme/operator").Ask<v1::GetStatusResponse>(request);
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(status->slots(), 2);
  EXPECT_EQ(status->healthy_slots(), 2);
  EXPECT_EQ(status->audit_events(), 1);
  EXPECT_NE(status->version(), "");
  EXPECT_EQ(status->store(),
            base::ToText(server_.store().store_keys().store_id()));
}

TEST_F(ProfileFlowTest, ACallWhoseDeadlinePassedIsNotServed) {
  server_.clock().Set(base::FromMicros(
      std::chrono::duration_cast<std::chrono::microseconds>(
          (std::chrono::system_clock::now() + std::chrono::hours(24))
              .time_since_epoch())
          .count()));
  EXPECT_THAT(ReadProfile(full_, subject_),
              HasReason(Reason::kDeadlineExceeded));
}

TEST_F(ProfileFlowTest, EverythingIsThereAfterARestart) {
  const uint64_t events = server_.EventCount();
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_EQ(server_.EventCount(), events);
  const Peer again = server_.As("acme/full");
  EXPECT_THAT(FindPerson(again, kEmail), IsOkAndHolds(subject_));
  EXPECT_THAT(ReadProfile(again, subject_),
              IsOkAndHolds(UnorderedElementsAre(Pair("full_name", kName))));
}

}  // namespace
}  // namespace hizo::test
