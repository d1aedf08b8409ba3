#include "service/vault/requests.h"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using std::chrono::hours;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RequestsTest : public ::testing::Test {
 protected:
  // A create with a request id; its body stands for what came over the wire.
  Call CreateCall(uint8_t request, std::string_view body,
                  const char* actor = kFull) {
    Call call = vault_.CallOf(actor, Action::kSubjectCreate, kService);
    call.request = RequestOf(request);
    call.body = body;
    return call;
  }
  absl::StatusOr<CreatedSubject> CreateAnn(const Call& call,
                                           const std::string& name = "ann") {
    return Create(vault_, call,
                  RecordsOf(RecordOf("account", {{"username", name}}),
                            PaymentOf(5, base::Timestamp())));
  }
  size_t People() {
    return test::RowsOf(vault_.data(), base::kSpaceFacts).size();
  }
  size_t RequestRows() {
    return test::RowsOf(vault_.data(), base::kSpaceRequest).size();
  }
  size_t LeafRows() {
    return test::RowsOf(vault_.keys(), base::kSpaceLeafKey).size();
  }

  VaultFixture vault_;
};

TEST_F(RequestsTest, AnswersARepeatAsTheFirstTimeWithoutDoingItAgain) {
  const auto first = CreateAnn(CreateCall(1, "body"));
  ASSERT_THAT(first, IsOk());
  EXPECT_FALSE(first->repeated);
  const auto again = CreateAnn(CreateCall(1, "body"));
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->subject, first->subject);
  ASSERT_THAT(again->records, SizeIs(2));
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(again->records[i].name.id, first->records[i].name.id);
    EXPECT_EQ(again->records[i].spec, first->records[i].spec);
    EXPECT_EQ(again->records[i].version, first->records[i].version);
  }
  EXPECT_EQ(People(), 1);
}

TEST_F(RequestsTest, RecordsARepeatAsAnEventWithoutWrites) {
  ASSERT_THAT(CreateAnn(CreateCall(1, "body")), IsOk());
  EXPECT_THAT(vault_.LastEvent().writes, SizeIs(3));  // two records, facts
  ASSERT_THAT(CreateAnn(CreateCall(1, "body")), IsOk());
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(vault_.Events().size(), 2);
  EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
  EXPECT_EQ(event.request, RequestOf(1));
  EXPECT_THAT(event.writes, IsEmpty());
  EXPECT_EQ(event.subject, std::nullopt);
}

TEST_F(RequestsTest, AnswersARepeatedPutWithWhatItWrote) {
  const base::SubjectId ann = NewPerson(vault_, "ann@example.com");
  const auto put = [&](uint8_t request, int64_t yen) {
    Call call = FullCall(vault_, Action::kRecordPut);
    call.request = RequestOf(request);
    call.body = "body";
    PutRecordInput input;
    input.subject = ann;
    input.record = PaymentOf(yen, base::Timestamp());
    return Put(vault_, call, std::move(input));
  };
  const auto first = put(1, 5);
  const auto again = put(1, 5);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(again->name.id, first->name.id);
  EXPECT_EQ(again->version, first->version);
  EXPECT_EQ(again->spec, first->spec);
  const auto other = put(2, 5);
  ASSERT_THAT(other, IsOk());
  EXPECT_NE(other->name.id, first->name.id);
}

TEST_F(RequestsTest, RefusesARequestIdThatStoodForAnotherBody) {
  ASSERT_THAT(CreateAnn(CreateCall(1, "body")), IsOk());
  EXPECT_THAT(CreateAnn(CreateCall(1, "another body"), "bob"),
              HasReason(Reason::kRequestIdReused));
  EXPECT_EQ(People(), 1);
  EXPECT_EQ(vault_.LastEvent().reason, Reason::kRequestIdReused);
}

TEST_F(RequestsTest, RemembersNothingWithoutARequestId) {
  Call call = CreateCall(1, "body");
  call.request.reset();
  ASSERT_THAT(CreateAnn(call), IsOk());
  EXPECT_EQ(RequestRows(), 0);
  EXPECT_THAT(CreateAnn(call), HasReason(Reason::kAlreadyExists));
}

TEST_F(RequestsTest, RemembersNothingOfARequestThatFailed) {
  ASSERT_THAT(CreateAnn(CreateCall(1, "body")), IsOk());
  ASSERT_THAT(CreateAnn(CreateCall(2, "body")),
              HasReason(Reason::kAlreadyExists));
  EXPECT_EQ(RequestRows(), 1);
  EXPECT_THAT(CreateAnn(CreateCall(2, "another body"), "bob"), IsOk());
}

TEST_F(RequestsTest, KeepsCallersTenantsAndActionsApart) {
  ASSERT_THAT(CreateAnn(CreateCall(1, "body")), IsOk());
  const auto other = CreateAnn(CreateCall(1, "body", test::kOtherFull));
  ASSERT_THAT(other, IsOk());
  EXPECT_FALSE(other->repeated);
  const Call call = CreateCall(1, "body");
  const auto recall = [&](const Call& of) {
    auto attempt = vault_.NewAttempt(of);
    return vault_.services().requests.Recall(*attempt, of);
  };
  ASSERT_TRUE(recall(call)->has_value());
  Call other_action = call;
  other_action.action = Action::kRecordImport;
  EXPECT_THAT(recall(other_action), IsOkAndHolds(std::nullopt));
  Call other_id = call;
  other_id.request = RequestOf(9);
  EXPECT_THAT(recall(other_id), IsOkAndHolds(std::nullopt));
  const auto clerk =
      vault_.CallOf(test::kClerk, Action::kSubjectCreate, kService);
  const Call other_caller{clerk.principal, call.tenant, call.action,
                          call.purpose,    true,        call.request,
                          call.body,       call.now};
  EXPECT_THAT(recall(other_caller), IsOkAndHolds(std::nullopt));
}

TEST_F(RequestsTest, RemembersThroughTheNextDayAndForgetsAfterIt) {
  const auto first = CreateAnn(CreateCall(1, "body"));
  ASSERT_THAT(first, IsOk());
  vault_.clock().Advance(hours(24));
  const auto next_day = CreateAnn(CreateCall(1, "body"));
  ASSERT_THAT(next_day, IsOk());
  EXPECT_EQ(next_day->subject, first->subject);
  EXPECT_THAT(CreateAnn(CreateCall(1, "another body")),
              HasReason(Reason::kRequestIdReused));
  vault_.clock().Advance(hours(24));
  EXPECT_THAT(CreateAnn(CreateCall(1, "body")),
              HasReason(Reason::kAlreadyExists));
  EXPECT_THAT(CreateAnn(CreateCall(1, "body"), "bob"), IsOk());
}

TEST_F(RequestsTest, RemembersAcrossARestart) {
  const auto first = CreateAnn(CreateCall(1, "body"));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  const auto again = CreateAnn(CreateCall(1, "body"));
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(again->subject, first->subject);
}

TEST_F(RequestsTest, HaveOneEffectHoweverManyComeAtOnce) {
  constexpr int kThreads = 16;
  std::vector<absl::StatusOr<CreatedSubject>> answers(
      kThreads, absl::UnknownError("not answered"));
  const Call call = CreateCall(1, "body");
  std::vector<std::thread> threads;
  for (auto& answer : answers) {
    threads.emplace_back([&] {
      do {
        answer = CreateAnn(call);
      } while (base::ReasonOf(answer.status()) == Reason::kConflict);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& answer : answers) {
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(answer->subject, answers.front()->subject);
  }
  EXPECT_EQ(People(), 1);
}

TEST_F(RequestsTest, ConflictsWithATwinThatWasDecidedAtTheSameTime) {
  const Call call = CreateCall(1, "body");
  auto attempt = vault_.NewAttempt(call);
  const auto created = vault_.store().subjects().Create(
      *attempt, call, RecordsOf(RecordOf("account", {{"username", "ann"}})));
  ASSERT_THAT(created, IsOk());
  attempt->Conclude(absl::OkStatus());
  ASSERT_THAT(CreateAnn(call), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(attempt)).status,
              HasReason(Reason::kConflict));
  EXPECT_EQ(People(), 1);
}

// On the other side of midnight the later of two repeats may be done first.
TEST_F(RequestsTest, HaveOneEffectWhenATwinOfTomorrowIsDoneFirst) {
  const Call before = CreateCall(1, "body");
  auto attempt = vault_.NewAttempt(before);
  ASSERT_THAT(vault_.store().subjects().Create(
                  *attempt, before, RecordsOf(PaymentOf(5, base::Timestamp()))),
              IsOk());
  attempt->Conclude(absl::OkStatus());
  vault_.clock().Advance(hours(24));
  ASSERT_THAT(CreateAnn(CreateCall(1, "body")), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(attempt)).status,
              HasReason(Reason::kConflict));
  EXPECT_EQ(People(), 1);
}

TEST_F(RequestsTest, RemembersWhenTheClockIsSetBackOverMidnight) {
  const auto first = CreateAnn(CreateCall(1, "body"));
  ASSERT_THAT(first, IsOk());
  vault_.clock().Advance(-hours(24));
  const auto again = CreateAnn(CreateCall(1, "body"));
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->subject, first->subject);
  EXPECT_EQ(People(), 1);
}

TEST_F(RequestsTest, RefusesRowsThatWereMovedOrChanged) {
  ASSERT_THAT(CreateAnn(CreateCall(1, "body")), IsOk());
  ASSERT_THAT(CreateAnn(CreateCall(2, "body"), "bob"), IsOk());
  const auto rows = test::RowsOf(vault_.data(), base::kSpaceRequest);
  ASSERT_THAT(rows, SizeIs(2));
  test::Overwrite(vault_.data(), rows[0].key, rows[1].value);
  test::Overwrite(vault_.data(), rows[1].key, rows[1].value + "x");
  for (const uint8_t request : {uint8_t{1}, uint8_t{2}}) {
    EXPECT_THAT(CreateAnn(CreateCall(request, "body")),
                HasReason(Reason::kIntegrityFailure));
  }
}

TEST_F(RequestsTest, KeepsNothingOfTheBodyOrTheCallerInReach) {
  ASSERT_THAT(CreateAnn(CreateCall(1, "the body of the request")), IsOk());
  const auto rows = test::RowsOf(vault_.data(), base::kSpaceRequest);
  ASSERT_THAT(rows, SizeIs(1));
  const std::string bytes = rows[0].key + rows[0].value;
  for (const std::string& part : {std::string("the body"), std::string(kFull),
                                  std::string(RequestOf(1).bytes())}) {
    EXPECT_EQ(bytes.find(part), std::string::npos);
  }
}

TEST_F(RequestsTest, ForgetsDaysBeforeYesterdayAndTheirKeys) {
  ASSERT_THAT(CreateAnn(CreateCall(1, "body")), IsOk());
  const size_t leaves = LeafRows();
  const auto tidy = [this] {
    return vault_.store().Tidy(vault_.Policy().access, vault_.clock().Now());
  };
  EXPECT_THAT(tidy(), IsOkAndHolds(size_t{0}));
  vault_.clock().Advance(hours(24));
  EXPECT_THAT(tidy(), IsOkAndHolds(size_t{0}));
  EXPECT_EQ(RequestRows(), 1);
  EXPECT_EQ(vault_.Events().size(), 1);
  vault_.clock().Advance(hours(24));
  EXPECT_THAT(tidy(), IsOkAndHolds(size_t{2}));
  EXPECT_EQ(RequestRows(), 0);
  EXPECT_EQ(LeafRows(), leaves - 1);
  EXPECT_EQ(vault_.LastEvent().action, Action::kStoreTidy);
  EXPECT_THAT(tidy(), IsOkAndHolds(size_t{0}));
  EXPECT_EQ(vault_.Events().size(), 2);
}

TEST_F(RequestsTest, ForgetsForEachTenantUnderItsOwnEvent) {
  for (uint8_t i = 1; i <= 3; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    ASSERT_THAT(CreateAnn(CreateCall(i, "body"), name), IsOk());
    vault_.clock().Advance(hours(12));
  }
  ASSERT_THAT(CreateAnn(CreateCall(1, "body", test::kOtherFull)), IsOk());
  vault_.clock().Advance(hours(72));
  const size_t before = vault_.Events().size();
  // Each tenant's requests and the keys of its days.
  const size_t acme_days = 2;
  EXPECT_THAT(vault_.store().Tidy(vault_.Policy().access, vault_.clock().Now()),
              IsOkAndHolds(3 + acme_days + 1 + 1));
  EXPECT_EQ(RequestRows(), 0);
  const auto events = vault_.Events();
  ASSERT_EQ(events.size(), before + 2);
  EXPECT_EQ(events[before].tenant, test::kAcme);
  EXPECT_EQ(events[before].records, 3 + acme_days);
  EXPECT_EQ(events[before + 1].tenant, test::kGlobex);
  EXPECT_EQ(events[before + 1].records, 2);
}

TEST_F(RequestsTest, SaysThatItCouldNotForget) {
  ASSERT_THAT(CreateAnn(CreateCall(1, "body")), IsOk());
  vault_.clock().Advance(hours(48));
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  const auto tidy = [this] {
    return vault_.store().Tidy(vault_.Policy().access, vault_.clock().Now());
  };
  EXPECT_THAT(tidy(), HasReason(Reason::kAuditUnavailable));
  // Neither the row nor the day's key is gone: the next time takes both.
  EXPECT_EQ(RequestRows(), 1);
  EXPECT_THAT(tidy(), IsOkAndHolds(size_t{2}));
  EXPECT_EQ(RequestRows(), 0);
}

}  // namespace
}  // namespace hizo::vault
