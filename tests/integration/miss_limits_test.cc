// A caller that asks for people one after the other to learn who is there is
// slowed down; one that works with people it knows is not.
#include <chrono>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;

constexpr int kMisses = 5;

class MissLimitsLiveTest : public ::testing::Test {
 protected:
  MissLimitsLiveTest() {
    server_.Stop();
    server_.config().misses_per_minute = kMisses;
    EXPECT_THAT(server_.Start(), IsOk());
    subject_ = CreatePerson(Full(), "a@example.com", "A");
    EXPECT_THAT(
        Full().Ask<v1::SetPasswordResponse>(PasswordRequest(subject_, "right")),
        IsOk());
  }
  Peer Full() { return server_.As("acme/full"); }
  absl::Status Find(const std::string& email) {
    return FindPerson(Full(), email).status();
  }
  absl::Status Create(const std::string& email) {
    return Full()
        .Ask<v1::CreateSubjectResponse>(CreateRequest(email, "B"))
        .status();
  }
  absl::Status Verify(const std::string& password) {
    return Full()
        .Ask<v1::VerifyPasswordResponse>(VerifyRequest(subject_, password))
        .status();
  }

  LiveServer server_;
  std::string subject_;
};

TEST_F(MissLimitsLiveTest, AddressesThatNobodyHasCanBeTriedSoOften) {
  for (int i = 0; i < kMisses; ++i) {
    EXPECT_THAT(Find(std::to_string(i) + "@example.com"),
                HasReason(Reason::kSubjectNotFound));
  }
  EXPECT_THAT(Find("x@example.com"), HasReason(Reason::kRateLimited));
  // Also for an address that somebody has: it must not be told apart.
  EXPECT_THAT(Find("a@example.com"), HasReason(Reason::kRateLimited));
  const audit::Event event =
      server_.EventsFrom(server_.EventCount() - 1).front();
  EXPECT_EQ(event.reason, Reason::kRateLimited);
  EXPECT_EQ(event.outcome, audit::Outcome::kDenied);
  EXPECT_EQ(event.subject, std::nullopt);
}

TEST_F(MissLimitsLiveTest, TheAnswerSaysWhenToComeBack) {
  for (int i = 0; i < kMisses; ++i) Find("x@example.com").IgnoreError();
  const Reply reply =
      Full().Call(PathOf(*v1::FindSubjectRequest::descriptor()),
                  {FindRequest("x@example.com").SerializeAsString()});
  EXPECT_EQ(reply.reason, "RATE_LIMITED");
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(reply.details));
  google::rpc::RetryInfo retry;
  ASSERT_EQ(details.details_size(), 2);
  ASSERT_TRUE(details.details(1).UnpackTo(&retry));
  EXPECT_GT(retry.retry_delay().seconds(), 0);
  server_.clock().Advance(std::chrono::seconds(retry.retry_delay().seconds()));
  EXPECT_THAT(Find("a@example.com"), IsOk());
}

TEST_F(MissLimitsLiveTest, TakenAddressesCanBeTriedSoOften) {
  for (int i = 0; i < kMisses; ++i) {
    EXPECT_THAT(Create("a@example.com"), HasReason(Reason::kAlreadyExists));
  }
  EXPECT_THAT(Create("new@example.com"), HasReason(Reason::kRateLimited));
  EXPECT_THAT(Find("a@example.com"), IsOk());
}

TEST_F(MissLimitsLiveTest, WrongPasswordsCanBeTriedSoOften) {
  for (int i = 0; i < kMisses; ++i) EXPECT_THAT(Verify("wrong"), IsOk());
  EXPECT_THAT(Verify("right"), HasReason(Reason::kRateLimited));
  EXPECT_THAT(ReadProfile(Full(), subject_), IsOk());
}

TEST_F(MissLimitsLiveTest, WorkWithKnownPeopleIsNotSlowedDown) {
  for (int i = 0; i < 4 * kMisses; ++i) {
    EXPECT_THAT(Find("a@example.com"), IsOk());
    EXPECT_THAT(ReadProfile(Full(), subject_), IsOk());
    EXPECT_THAT(Create(std::to_string(i) + "@example.com"), IsOk());
    EXPECT_THAT(Verify("right"), IsOk());
  }
}

TEST_F(MissLimitsLiveTest, EveryItemOfABatchCounts) {
  const auto items =
      BatchGet(Full(), BatchRequest(std::vector<std::string>(100, NewUuid()),
                                    "profile", {"full_name"}));
  ASSERT_THAT(items, IsOk());
  EXPECT_EQ(items->back().reason(), v1::REASON_RATE_LIMITED);
  EXPECT_THAT(ReadProfile(Full(), subject_), HasReason(Reason::kRateLimited));
}

TEST_F(MissLimitsLiveTest, CallersDoNotSlowEachOtherDown) {
  for (int i = 0; i <= kMisses; ++i) Find("x@example.com").IgnoreError();
  EXPECT_THAT(Find("a@example.com"), HasReason(Reason::kRateLimited));
  EXPECT_THAT(FindPerson(server_.As("globex/full"), "x@example.com"),
              HasReason(Reason::kSubjectNotFound));
}

}  // namespace
}  // namespace hizo::test
