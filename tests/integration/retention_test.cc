// What ends by itself, over the network, with real keys on a real disk. The
// clock is moved from the past: calls have deadlines, which are of now.
#include "service/policy/retention.h"

#include <chrono>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/erasure.pb.h"
#include "hizo/v1/retention.pb.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::IsEmpty;

constexpr char kFull[] = "acme/full";
constexpr char kOperator[] = "acme/operator";
constexpr char kClaimPurpose[] = "legal_claim";
constexpr std::chrono::seconds kSecond{1};

base::Timestamp At(const std::string& day) {
  return base::Timestamp(policy::DayFromText(day).value());
}

class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() { server_.clock().Set(At("2018-06-01")); }

  std::string Put(const std::string& subject, v1::NewRecord record,
                  base::Timestamp event) {
    record.mutable_event_time()->set_seconds(
        base::ToMicros(event) / std::chrono::microseconds(kSecond).count());
    const auto put = server_.As(kFull).Ask<v1::PutRecordResponse>(
        PutRequest(subject, std::move(record)));
    EXPECT_THAT(put, IsOk());
    return put.ok() ? put->record().record_id() : "";
  }
  std::string LogCall(const std::string& subject) {
    return Put(subject, RecordOf("usage", {{"api_request_content", "hello"}}),
               server_.clock().Now());
  }
  std::string PutInvoice(const std::string& subject, const std::string& day) {
    v1::NewRecord invoice = InvoiceOf("I-1", 5400);
    for (v1::Field& field : *invoice.mutable_fields()) {
      if (field.name() == "invoice_date") field.mutable_value()->set_text(day);
    }
    return Put(subject, std::move(invoice), At(day));
  }
  absl::StatusOr<v1::GetRecordResponse> Read(const std::string& subject,
                                             const std::string& record_class,
                                             const std::string& field,
                                             const std::string& record,
                                             const std::string& purpose) {
    v1::GetRecordRequest request = GetRequest(subject, record_class, {field});
    *request.mutable_context() = ContextFor(purpose);
    request.set_record_id(record);
    return server_.As(kFull).Ask<v1::GetRecordResponse>(request);
  }
  auto ReadCall(const std::string& subject, const std::string& record,
                const std::string& purpose = kServicePurpose) {
    return Read(subject, "usage", "api_request_content", record, purpose);
  }
  auto ReadInvoice(const std::string& subject, const std::string& record) {
    return Read(subject, "transaction", "invoice_number", record, "tax_audit");
  }
  void Erase(const std::string& subject) {
    ASSERT_THAT(server_.As(kFull).Ask<v1::ExecuteErasureResponse>(
                    EraseRequest<v1::ExecuteErasureRequest>(subject)),
                IsOk());
    ASSERT_THAT(server_.store().FinishErasures(), IsOk());
  }
  v1::ErasureState StateOf(const std::string& subject) {
    const auto receipt = server_.As(kFull).Ask<v1::GetErasureReceiptResponse>(
        EraseRequest<v1::GetErasureReceiptRequest>(subject));
    EXPECT_THAT(receipt, IsOk());
    return receipt.ok() ? receipt->state() : v1::ERASURE_STATE_UNSPECIFIED;
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> AskAsOperator(Request request) {
    *request.mutable_context() = ContextFor("operations");
    return server_.As(kOperator).Ask<Response>(request);
  }
  v1::ListDueResponse Due() {
    const auto due = AskAsOperator<v1::ListDueResponse>(v1::ListDueRequest());
    EXPECT_THAT(due, IsOk());
    v1::ListDueResponse entries;
    if (!due.ok()) return entries;
    for (const v1::DueEntries& entry : due->due()) {
      if (!entry.subject().empty()) *entries.add_due() = entry;
    }
    *entries.mutable_newest_run() = due->newest_run();
    return entries;
  }
  v1::RetentionRun Run() {
    EXPECT_THAT(
        AskAsOperator<v1::RunRetentionResponse>(v1::RunRetentionRequest()),
        IsOk());
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::minutes(1);
    v1::ListDueResponse due = Due();
    while (!due.newest_run().has_end_time() &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
      due = Due();
    }
    EXPECT_EQ(due.newest_run().reason(), v1::REASON_UNSPECIFIED);
    return due.newest_run();
  }

  LiveServer server_;
};

TEST_F(RetentionTest, Scenario1EndsWithTheTermOfTheTaxRecord) {
  const std::string ann =
      CreatePerson(server_.As(kFull), "ann@example.com", "Ann Other");
  const std::string invoice = PutInvoice(ann, "2018-05-10");
  Erase(ann);
  EXPECT_EQ(StateOf(ann), v1::ERASURE_STATE_SEALED_IN_PART);
  server_.clock().Set(At("2026-06-01") - kSecond);
  Run();
  EXPECT_THAT(ReadInvoice(ann, invoice), IsOk());
  EXPECT_EQ(StateOf(ann), v1::ERASURE_STATE_SEALED_IN_PART);
  for (const auto by : {0 * kSecond, kSecond}) {
    server_.clock().Set(At("2026-06-01") + by);
    EXPECT_THAT(ReadInvoice(ann, invoice), HasReason(Reason::kSubjectNotFound));
    Run();
    EXPECT_EQ(StateOf(ann), v1::ERASURE_STATE_SEALED);
  }
}

TEST_F(RetentionTest, Scenario3KeepsAYearOfALossLongerAndRevivesNone) {
  const std::string ann =
      CreatePerson(server_.As(kFull), "ann@example.com", "Ann Other");
  const std::string bob =
      CreatePerson(server_.As(kFull), "bob@example.com", "Bob Other");
  const std::string of_ann = PutInvoice(ann, "2018-05-10");
  const std::string of_bob = PutInvoice(bob, "2017-05-10");
  Erase(ann);
  Erase(bob);
  v1::MarkLossYearRequest mark;
  mark.set_record_class("transaction");
  mark.set_year_ends("2019-03-31");
  const auto marked = AskAsOperator<v1::MarkLossYearResponse>(mark);
  ASSERT_THAT(marked, IsOk());
  EXPECT_EQ(marked->until(), "2029-05-31");
  EXPECT_THAT(marked->law(), ::testing::HasSubstr("years of a loss"));
  EXPECT_EQ(server_.EventsFrom(server_.EventCount() - 1).back().clause,
            marked->law());
  server_.clock().Set(At("2026-06-01"));
  Run();
  EXPECT_THAT(ReadInvoice(ann, of_ann), IsOk());
  EXPECT_EQ(StateOf(ann), v1::ERASURE_STATE_SEALED_IN_PART);
  // Bob's year was over in 2025.
  EXPECT_THAT(ReadInvoice(bob, of_bob), HasReason(Reason::kSubjectNotFound));
  mark.set_year_ends("2018-03-31");
  EXPECT_THAT(AskAsOperator<v1::MarkLossYearResponse>(mark),
              HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(ReadInvoice(bob, of_bob), HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(StateOf(bob), v1::ERASURE_STATE_SEALED);
}

TEST_F(RetentionTest, Scenario8KeepsTwoHeldCallsAndEndsTheRest) {
  server_.clock().Set(At("2026-01-10"));
  const std::string ann =
      CreatePerson(server_.As(kFull), "ann@example.com", "Ann Other");
  const std::string bob =
      CreatePerson(server_.As(kFull), "bob@example.com", "Bob Other");
  const std::string first = LogCall(ann);
  const std::string second = LogCall(ann);
  const std::string rest = LogCall(bob);
  server_.clock().Advance(std::chrono::days(80));
  auto hold = HoldRequest<v1::PlaceLegalHoldRequest>(ann);
  hold.set_record_class("usage");
  ASSERT_THAT(server_.As(kFull).Ask<v1::PlaceLegalHoldResponse>(hold), IsOk());
  server_.clock().Set(At("2026-04-10") - kSecond);
  EXPECT_THAT(ReadCall(bob, rest), IsOk());
  for (const auto by : {0 * kSecond, kSecond}) {
    server_.clock().Set(At("2026-04-10") + by);
    for (const std::string& id : {first, second}) {
      EXPECT_THAT(ReadCall(ann, id), HasReason(Reason::kRecordNotFound));
      EXPECT_THAT(ReadCall(ann, id, kClaimPurpose), IsOk());
    }
    for (const char* purpose : {kServicePurpose, kClaimPurpose}) {
      EXPECT_THAT(ReadCall(bob, rest, purpose),
                  HasReason(Reason::kRecordNotFound));
    }
    Run();
  }
  const v1::ListDueResponse due = Due();
  ASSERT_EQ(due.due_size(), 1);
  EXPECT_EQ(due.due(0).state(), v1::DUE_STATE_HELD);
  EXPECT_EQ(due.due(0).subject(), ann);
  EXPECT_EQ(due.due(0).entries(), 2);
  EXPECT_EQ(due.due(0).end_date(), "2026-04-10");
  // After another start too.
  server_.Stop();
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_THAT(ReadCall(ann, first, kClaimPurpose), IsOk());
  EXPECT_THAT(ReadCall(bob, rest, kClaimPurpose),
              HasReason(Reason::kRecordNotFound));
}

TEST_F(RetentionTest, Scenario17ShowsWhatARestrictionKeepsFromItsEnd) {
  server_.Stop();
  server_.files().AdoptPolicy("i7relay");
  ASSERT_THAT(server_.Start(), IsOk());
  server_.clock().Set(At("2026-01-10"));
  const std::string ann =
      CreatePerson(server_.As(kFull), "ann@example.com", "Ann Other");
  LogCall(ann);
  ASSERT_THAT(server_.As(kFull).Ask<v1::SetRestrictionResponse>(
                  RestrictionRequest<v1::SetRestrictionRequest>(ann)),
              IsOk());
  server_.clock().Set(At("2026-04-10"));
  EXPECT_EQ(Run().entries_ended(), 0);
  const v1::ListDueResponse due = Due();
  ASSERT_EQ(due.due_size(), 1);
  EXPECT_EQ(due.due(0).state(), v1::DUE_STATE_BLOCKED_RESTRICTED);
  EXPECT_EQ(due.due(0).record_class(), "usage");
}

TEST_F(RetentionTest, EndsEntriesOnceADayWithoutBeingAsked) {
  server_.clock().Set(At("2026-01-10"));
  const std::string ann =
      CreatePerson(server_.As(kFull), "ann@example.com", "Ann Other");
  LogCall(ann);
  server_.clock().Set(At("2026-04-10"));
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (Due().due_size() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_THAT(Due().due(), IsEmpty());
  EXPECT_FALSE(Due().has_newest_run() && Due().newest_run().has_start_time());
}

TEST_F(RetentionTest, RefusesTimesThatAreNone) {
  v1::RunRetentionRequest run;
  run.mutable_as_of()->set_seconds(
      base::ToMicros(server_.clock().Now()) / 1'000'000 + 60);
  EXPECT_THAT(AskAsOperator<v1::RunRetentionResponse>(run),
              HasReason(Reason::kValueInvalid));
  run.mutable_as_of()->set_nanos(-1);
  EXPECT_THAT(AskAsOperator<v1::RunRetentionResponse>(run),
              HasReason(Reason::kValueInvalid));
  v1::ListDueRequest list;
  list.mutable_as_of()->set_nanos(2'000'000'000);
  EXPECT_THAT(AskAsOperator<v1::ListDueResponse>(list),
              HasReason(Reason::kValueInvalid));
  list.clear_as_of();
  *list.mutable_context() = ContextFor(kServicePurpose);
  EXPECT_THAT(server_.As(kFull).Ask<v1::ListDueResponse>(list),
              HasReason(Reason::kCallerNotEntitled));
}

}  // namespace
}  // namespace hizo::test
