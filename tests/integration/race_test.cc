// A read that raced a change is run again, or told to come back, and never
// answered from what it saw before the change: no answer from a past that has
// ended.
//
// The change is stopped just before it becomes durable; the read then decides
// on what is there, and waits behind it for its turn to be recorded.
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr std::chrono::minutes kPatience{1};
constexpr char kOldEmail[] = "old@example.com";
constexpr char kNewEmail[] = "new@example.com";

template <typename Answer>
using Ask = std::function<absl::StatusOr<Answer>()>;

class RaceTest : public ::testing::Test {
 protected:
  RaceTest()
      : full_(server_.As("acme/full")),
        subject_(CreatePerson(full_, kOldEmail, "Old Name")) {}

  // Waits until `count` calls wait for the committer, which is in a hook.
  void AwaitQueued(size_t count) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (server_.store().committer().queued() < count) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }

  // Makes `change`; before it is durable, `read` has read and decided.
  template <typename Answer>
  absl::StatusOr<Answer> RaceAgainst(const std::function<void()>& change,
                                     const Ask<Answer>& read) {
    std::future<absl::StatusOr<Answer>> reading;
    before_ = server_.EventCount();
    server_.data().BeforeCommit([&] {
      reading = std::async(std::launch::async, read);
      AwaitQueued(1);
    });
    change();
    return reading.get();
  }

  void Put(v1::NewRecord record) const {
    EXPECT_THAT(full_.Ask<v1::PutRecordResponse>(
                    PutRequest(subject_, std::move(record))),
                IsOk());
  }

  void ExpectOneEventEach() const {
    EXPECT_THAT(server_.EventsFrom(before_), SizeIs(2));
  }

  LiveServer server_;
  const Peer full_;
  const std::string subject_;
  uint64_t before_ = 0;
};

TEST_F(RaceTest, AReadSeesTheRecordAsItIsNow) {
  const auto read = RaceAgainst<Texts>(
      [this] {
        Put(RecordOf("profile", {{"full_name", "New Name"}}));
      },
      [this] { return ReadProfile(full_, subject_); });
  EXPECT_THAT(
      read, IsOkAndHolds(UnorderedElementsAre(Pair("full_name", "New Name"))));
  ExpectOneEventEach();
}

TEST_F(RaceTest, ADescriptionFollowsFactsThatChanged) {
  // A second address: the person's facts get another pointer to the index.
  const auto described = RaceAgainst<v1::GetSubjectResponse>(
      [this] {
        Put(RecordOf("account", {{"email", kOldEmail}, {"username", "ann"}}));
      },
      [this] {
        return full_.Ask<v1::GetSubjectResponse>(SubjectRequest(subject_));
      });
  ASSERT_THAT(described, IsOk());
  EXPECT_THAT(described->classes(0).fields(),
              ::testing::ElementsAre("email", "username"));
  ExpectOneEventEach();
}

TEST_F(RaceTest, NobodyIsFoundByAnAddressThatWasGivenUp) {
  const auto found = RaceAgainst<std::string>(
      [this] {
        Put(RecordOf("account", {{"email", kNewEmail}}));
      },
      [this] { return FindPerson(full_, kOldEmail); });
  EXPECT_THAT(found, HasReason(Reason::kSubjectNotFound));
  ExpectOneEventEach();
}

TEST_F(RaceTest, ANewAddressIsFoundAtOnce) {
  const auto found = RaceAgainst<std::string>(
      [this] {
        Put(RecordOf("account", {{"email", kNewEmail}}));
      },
      [this] { return FindPerson(full_, kNewEmail); });
  EXPECT_THAT(found, IsOkAndHolds(subject_));
  ExpectOneEventEach();
}

TEST_F(RaceTest, AListHasTheRecordThatWasAdded) {
  v1::ListRecordsRequest list;
  *list.mutable_context() = ContextFor(kBillingPurpose);
  list.set_subject(subject_);
  list.set_record_class("transaction");
  list.mutable_read_mask()->add_paths("invoice_number");
  const auto listed = RaceAgainst<v1::ListRecordsResponse>(
      [this] { Put(InvoiceOf("I-1", 100)); },
      [&] { return full_.Ask<v1::ListRecordsResponse>(list); });
  ASSERT_THAT(listed, IsOk());
  EXPECT_EQ(listed->records_size(), 1);
  ExpectOneEventEach();
}

TEST_F(RaceTest, AnOldPasswordDoesNotOpenAnAccountAnyMore) {
  ASSERT_THAT(full_.Ask<v1::SetPasswordResponse>(
                  PasswordRequest(subject_, "old password")),
              IsOk());
  const auto verified = RaceAgainst<v1::VerifyPasswordResponse>(
      [this] {
        EXPECT_THAT(full_.Ask<v1::SetPasswordResponse>(
                        PasswordRequest(subject_, "new password")),
                    IsOk());
      },
      [this] {
        return full_.Ask<v1::VerifyPasswordResponse>(
            VerifyRequest(subject_, "old password"));
      });
  ASSERT_THAT(verified, IsOk());
  EXPECT_FALSE(verified->verified());
  ExpectOneEventEach();
}

TEST_F(RaceTest, TwoWritesOfOneEtagHaveOneWinner) {
  const auto first = full_.Ask<v1::PutRecordResponse>(
      PutRequest(subject_, RecordOf("profile", {{"full_name", "First"}})));
  ASSERT_THAT(first, IsOk());
  const auto put = [&](const char* name) {
    v1::PutRecordRequest request =
        PutRequest(subject_, RecordOf("profile", {{"full_name", name}}));
    request.set_etag(first->record().etag());
    return full_.Ask<v1::PutRecordResponse>(request);
  };
  const auto second = RaceAgainst<v1::PutRecordResponse>(
      [&] { EXPECT_THAT(put("Winner"), IsOk()); },
      [&] { return put("Loser"); });
  EXPECT_THAT(second, HasReason(Reason::kEtagMismatch));
  EXPECT_THAT(ReadProfile(full_, subject_),
              IsOkAndHolds(UnorderedElementsAre(Pair("full_name", "Winner"))));
}

TEST_F(RaceTest, TwoPeopleNeverGetOneAddress) {
  const auto create = [this](const char* name) {
    return full_.Ask<v1::CreateSubjectResponse>(CreateRequest(kNewEmail, name));
  };
  absl::StatusOr<v1::CreateSubjectResponse> winner;
  const auto loser = RaceAgainst<v1::CreateSubjectResponse>(
      [&] { winner = create("Winner"); }, [&] { return create("Loser"); });
  ASSERT_THAT(winner, IsOk());
  EXPECT_THAT(loser, HasReason(Reason::kAlreadyExists));
  EXPECT_THAT(FindPerson(full_, kNewEmail), IsOkAndHolds(winner->subject()));
}

}  // namespace
}  // namespace hizo::test
