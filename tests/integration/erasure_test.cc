// Erasing people over the network, with real keys on a real disk.
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/erasure.pb.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;

constexpr char kFull[] = "acme/full";
constexpr char kAnns[] = "ann@example.com";

class ErasureTest : public ::testing::Test {
 protected:
  template <typename Response, typename Request>
  absl::StatusOr<Response> Ask(const std::string& subject) {
    return server_.As(kFull).Ask<Response>(EraseRequest<Request>(subject));
  }
  absl::StatusOr<v1::ExecuteErasureResponse> Erase(const std::string& subject) {
    return Ask<v1::ExecuteErasureResponse, v1::ExecuteErasureRequest>(subject);
  }
  absl::StatusOr<v1::GetErasureReceiptResponse> Receipt(
      const std::string& subject) {
    return Ask<v1::GetErasureReceiptResponse, v1::GetErasureReceiptRequest>(
        subject);
  }
  void ExpectGone(const std::string& subject) {
    EXPECT_THAT(ReadProfile(server_.As(kFull), subject),
                HasReason(Reason::kSubjectNotFound));
  }

  LiveServer server_;
  const std::string ann_ = CreatePerson(server_.As(kFull), kAnns, "Ann Other");
  const std::string bob_ =
      CreatePerson(server_.As(kFull), "bob@example.com", "Bob Other");
};

TEST_F(ErasureTest, CanBeTakenBackInItsGrace) {
  auto request = EraseRequest<v1::ExecuteErasureRequest>(ann_);
  request.set_grace_days(7);
  const auto erased =
      server_.As(kFull).Ask<v1::ExecuteErasureResponse>(request);
  ASSERT_THAT(erased, IsOk());
  EXPECT_TRUE(erased->has_grace_until_time());
  ExpectGone(ann_);
  auto cancel = EraseRequest<v1::CancelErasureRequest>(ann_);
  cancel.mutable_context()->set_request_id(NewUuid());
  // Sent twice, as after a lost answer.
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(server_.As(kFull).Ask<v1::CancelErasureResponse>(cancel),
                IsOk());
  }
  EXPECT_THAT(ReadProfile(server_.As(kFull), ann_), IsOk());
  EXPECT_THAT(FindPerson(server_.As(kFull), kAnns), IsOkAndHolds(ann_));
  EXPECT_THAT(Receipt(ann_), HasReason(Reason::kRecordNotFound));
  request.set_grace_days(91);
  EXPECT_THAT(server_.As(kFull).Ask<v1::ExecuteErasureResponse>(request),
              HasReason(Reason::kValueInvalid));
}

TEST_F(ErasureTest, ALateRepeatDoesNotEraseWhoWasTakenBack) {
  auto request = EraseRequest<v1::ExecuteErasureRequest>(ann_);
  request.set_grace_days(7);
  request.mutable_context()->set_request_id(NewUuid());
  const auto ask = [&] {
    return server_.As(kFull).Ask<v1::ExecuteErasureResponse>(request);
  };
  const auto erased = ask();
  ASSERT_THAT(erased, IsOk());
  ASSERT_THAT((Ask<v1::CancelErasureResponse, v1::CancelErasureRequest>(ann_)),
              IsOk());
  const auto repeated = ask();
  ASSERT_THAT(repeated, IsOk());
  EXPECT_EQ(repeated->SerializeAsString(), erased->SerializeAsString());
  EXPECT_THAT(ReadProfile(server_.As(kFull), ann_), IsOk());
  request.clear_grace_days();
  EXPECT_THAT(ask(), HasReason(Reason::kRequestIdReused));
  EXPECT_THAT(ReadProfile(server_.As(kFull), ann_), IsOk());
}

// By the server's own thread, when its clock says so.
TEST_F(ErasureTest, IsFinalWhenItsGraceIsOver) {
  auto request = EraseRequest<v1::ExecuteErasureRequest>(ann_);
  request.set_grace_days(1);
  ASSERT_THAT(server_.As(kFull).Ask<v1::ExecuteErasureResponse>(request),
              IsOk());
  server_.Stop();
  server_.clock().Advance(std::chrono::days(1));
  ASSERT_THAT(server_.Start(), IsOk());
  ASSERT_THAT(server_.store().FinishErasures(), IsOk());
  const auto receipt = Receipt(ann_);
  ASSERT_THAT(receipt, IsOk());
  EXPECT_EQ(receipt->state(), v1::ERASURE_STATE_SEALED);
  EXPECT_FALSE(receipt->has_grace_until_time());
}

TEST_F(ErasureTest, ErasesSealsAndProvesIt) {
  const auto plan = Ask<v1::PlanErasureResponse, v1::PlanErasureRequest>(ann_);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->classes_size(), 3);
  ASSERT_THAT(Erase(ann_), IsOk());
  ExpectGone(ann_);
  EXPECT_THAT(FindPerson(server_.As(kFull), kAnns),
              HasReason(Reason::kSubjectNotFound));
  ASSERT_THAT(server_.store().FinishErasures(), IsOk());
  const auto receipt = Receipt(ann_);
  ASSERT_THAT(receipt, IsOk());
  EXPECT_EQ(receipt->state(), v1::ERASURE_STATE_SEALED);
  EXPECT_THAT(crypto::OpenNote(receipt->receipt(), receipt->verifier_key()),
              IsOk());
  const auto check =
      Ask<v1::VerifyErasedResponse, v1::VerifyErasedRequest>(ann_);
  ASSERT_THAT(check, IsOk());
  EXPECT_TRUE(check->erased());
  EXPECT_THAT(ReadProfile(server_.As(kFull), bob_), IsOk());
  EXPECT_THAT(Receipt(bob_), HasReason(Reason::kRecordNotFound));
  EXPECT_NE(CreatePerson(server_.As(kFull), kAnns, "Ann Again"), ann_);
}

TEST_F(ErasureTest, IsFinishedBeforeTheNextStartServesAnybody) {
  server_.Stop();
  // Without a slot nothing can be sealed: the fence must outlive the process.
  const auto slot = server_.config().slots.back();
  auto away = slot;
  away += ".away";
  ASSERT_THAT(server_.Start(), IsOk());
  std::filesystem::rename(slot, away);
  ASSERT_THAT(Erase(ann_), IsOk());
  server_.Stop();
  ASSERT_GE(server_.config().slots.size(), 2);
  ASSERT_THAT(server_.Start(), IsOk());
  ExpectGone(ann_);
  EXPECT_EQ(Receipt(ann_)->state(), v1::ERASURE_STATE_ACCEPTED);
  server_.Stop();
  std::filesystem::rename(away, slot);
  ASSERT_THAT(server_.Start(), IsOk());
  ExpectGone(ann_);
  EXPECT_EQ(Receipt(ann_)->state(), v1::ERASURE_STATE_SEALED);
  EXPECT_THAT(ReadProfile(server_.As(kFull), bob_), IsOk());
}

absl::StatusOr<v1::GetRecordResponse> ReadInvoice(const Peer& peer,
                                                  const std::string& subject,
                                                  const std::string& record,
                                                  const std::string& purpose) {
  v1::GetRecordRequest request =
      GetRequest(subject, "transaction", {"invoice_number", "invoice_date"});
  *request.mutable_context() = ContextFor(purpose);
  request.set_record_id(record);
  return peer.Ask<v1::GetRecordResponse>(request);
}

TEST_F(ErasureTest, KeepsWhatTheTaxLawHasKeptAndSaysSo) {
  const auto put = server_.As(kFull).Ask<v1::PutRecordResponse>(
      PutRequest(ann_, InvoiceOf("I-1", 5400)));
  ASSERT_THAT(put, IsOk());
  const auto plan = Ask<v1::PlanErasureResponse, v1::PlanErasureRequest>(ann_);
  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->classes_size(), 4);
  EXPECT_EQ(plan->classes(0).fate(), v1::CLASS_FATE_SHRED);
  EXPECT_EQ(plan->classes(2).fate(), v1::CLASS_FATE_KEEP);
  EXPECT_EQ(plan->classes(2).kept().until(), "2034-05-31");
  const auto erased = Erase(ann_);
  ASSERT_THAT(erased, IsOk());
  ASSERT_EQ(erased->kept_size(), 1);
  EXPECT_EQ(erased->kept(0).record_class(), "transaction");
  EXPECT_THAT(erased->kept(0).purposes(),
              ::testing::ElementsAre("tax_audit", "legal_retention"));
  ASSERT_THAT(server_.store().FinishErasures(), IsOk());
  ExpectGone(ann_);
  const Peer peer = server_.As(kFull);
  EXPECT_THAT(
      ReadInvoice(peer, ann_, put->record().record_id(), kBillingPurpose),
      HasReason(Reason::kRetainedForLaw));
  const auto invoice =
      ReadInvoice(peer, ann_, put->record().record_id(), "tax_audit");
  ASSERT_THAT(invoice, IsOk());
  EXPECT_EQ(TextsOf(invoice->record()).at("invoice_number"), "I-1");
  v1::GetSubjectRequest whole = SubjectRequest(ann_);
  *whole.mutable_context() = ContextFor("tax_audit");
  const auto described = peer.Ask<v1::GetSubjectResponse>(whole);
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ(described->state(), v1::SUBJECT_STATE_PARTIALLY_SHREDDED);
  EXPECT_FALSE(described->has_create_time());
  auto receipt = Receipt(ann_);
  ASSERT_THAT(receipt, IsOk());
  EXPECT_EQ(receipt->state(), v1::ERASURE_STATE_SEALED_IN_PART);
  EXPECT_THAT(receipt->receipt(),
              ::testing::HasSubstr("kept: transaction until 2034-05-31 for "
                                   "tax_audit, legal_retention; Japan: "));
  EXPECT_EQ(receipt->addenda_size(), 0);
  const auto decades = std::chrono::hours(24 * 366 * 20);
  server_.clock().Advance(decades);
  ASSERT_THAT(server_.store().FinishErasures(), IsOk());
  // Back again, for calls have deadlines.
  server_.clock().Advance(-decades);
  receipt = Receipt(ann_);
  ASSERT_THAT(receipt, IsOk());
  EXPECT_EQ(receipt->state(), v1::ERASURE_STATE_SEALED);
  ASSERT_EQ(receipt->addenda_size(), 1);
  EXPECT_THAT(crypto::OpenNote(receipt->addenda(0), receipt->verifier_key()),
              IsOk());
  EXPECT_THAT(ReadInvoice(peer, ann_, put->record().record_id(), "tax_audit"),
              HasReason(Reason::kSubjectNotFound));
}

// Items of a batch that come after the acknowledgement do not have the person.
TEST_F(ErasureTest, ABatchThatBeginsAfterwardsHasNobody) {
  ASSERT_THAT(Erase(ann_), IsOk());
  const auto items =
      BatchGet(server_.As(kFull),
               BatchRequest({ann_, bob_, ann_}, "profile", {"full_name"}));
  ASSERT_THAT(items, IsOk());
  ASSERT_EQ(items->size(), 3);
  EXPECT_EQ((*items)[0].reason(), v1::REASON_SUBJECT_NOT_FOUND);
  EXPECT_EQ((*items)[1].reason(), v1::REASON_UNSPECIFIED);
  EXPECT_EQ((*items)[2].reason(), v1::REASON_SUBJECT_NOT_FOUND);
}

}  // namespace
}  // namespace hizo::test
