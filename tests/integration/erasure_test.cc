// Erasing people over the network, with real keys on a real disk.
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
