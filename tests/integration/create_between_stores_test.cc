// A create writes keys first, then data. What dies in between is taken back, at
// once or at the next start: no obstacle to the same create coming again.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "storage/engine.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using When = FaultyEngine::When;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr char kEmail[] = "a@example.com";

size_t RowsIn(const storage::Reader& reader, char space) {
  const auto rows = reader.Scan(
      storage::PrefixRange(std::string(1, space), storage::kScanLimitMax));
  EXPECT_THAT(rows, IsOk());
  return rows.ok() ? rows->size() : 0;
}

class CreateBetweenStoresTest : public ::testing::Test {
 protected:
  CreateBetweenStoresTest() {
    request_ = CreateRequest(kEmail, "Ann Other");
    request_.mutable_context()->set_request_id(NewUuid());
  }

  absl::StatusOr<v1::CreateSubjectResponse> Create() {
    return server_.As("acme/full").Ask<v1::CreateSubjectResponse>(request_);
  }
  // The person is there, once, and everybody finds the same.
  void ExpectOnePerson(const std::string& subject) {
    const Peer full = server_.As("acme/full");
    EXPECT_THAT(FindPerson(full, kEmail), IsOkAndHolds(subject));
    EXPECT_THAT(
        ReadProfile(full, subject),
        IsOkAndHolds(UnorderedElementsAre(Pair("full_name", "Ann Other"))));
    EXPECT_EQ(RowsIn(server_.data(), base::kSpaceFacts), 1U);
    EXPECT_EQ(RowsIn(server_.keys(), base::kSpaceIndex), 1U);
  }

  LiveServer server_;
  v1::CreateSubjectRequest request_;
};

TEST_F(CreateBetweenStoresTest, CanBeRepeatedAfterAFullDisk) {
  server_.data().FailCommit(1, When::kBeforeApplied,
                            absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(Create(), HasReason(Reason::kAuditUnavailable));
  EXPECT_EQ(RowsIn(server_.keys(), base::kSpaceIndex), 0U);
  EXPECT_EQ(RowsIn(server_.data(), base::kSpaceFacts), 0U);
  EXPECT_THAT(FindPerson(server_.As("acme/full"), kEmail),
              HasReason(Reason::kSubjectNotFound));
  const auto created = Create();
  ASSERT_THAT(created, IsOk());
  ExpectOnePerson(created->subject());
}

TEST_F(CreateBetweenStoresTest, CanBeRepeatedAfterADeathInBetween) {
  server_.data().FailCommit(1, When::kBeforeApplied,
                            absl::UnknownError("injected"));
  EXPECT_THAT(Create(), HasReason(Reason::kOutcomeUnknown));
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_EQ(RowsIn(server_.keys(), base::kSpaceIndex), 0U);
  EXPECT_EQ(RowsIn(server_.data(), base::kSpaceFacts), 0U);
  const auto created = Create();
  ASSERT_THAT(created, IsOk());
  ExpectOnePerson(created->subject());
}

TEST_F(CreateBetweenStoresTest, ARepeatFindsWhatWasDoneAfterAll) {
  server_.data().FailCommit(1, When::kAfterApplied,
                            absl::UnknownError("injected"));
  EXPECT_THAT(Create(), HasReason(Reason::kOutcomeUnknown));
  ASSERT_THAT(server_.Start(), IsOk());
  const auto found = FindPerson(server_.As("acme/full"), kEmail);
  ASSERT_THAT(found, IsOk());
  const auto repeated = Create();
  ASSERT_THAT(repeated, IsOk());
  EXPECT_EQ(repeated->subject(), *found);
  ExpectOnePerson(*found);
}

TEST_F(CreateBetweenStoresTest, AnotherPersonMayTakeTheAddressOfNobody) {
  server_.data().FailCommit(1, When::kBeforeApplied,
                            absl::UnknownError("injected"));
  EXPECT_THAT(Create(), HasReason(Reason::kOutcomeUnknown));
  ASSERT_THAT(server_.Start(), IsOk());
  const std::string other =
      CreatePerson(server_.As("acme/full"), kEmail, "Bob Other");
  EXPECT_THAT(Create(), HasReason(Reason::kAlreadyExists));
  EXPECT_THAT(FindPerson(server_.As("acme/full"), kEmail), IsOkAndHolds(other));
}

TEST_F(CreateBetweenStoresTest, NothingIsThereIfTheKeysFailed) {
  server_.keys().FailCommit(1, When::kBeforeApplied,
                            absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(Create(), HasReason(Reason::kAuditUnavailable));
  EXPECT_EQ(RowsIn(server_.keys(), base::kSpaceIndex), 0U);
  EXPECT_EQ(RowsIn(server_.data(), base::kSpaceFacts), 0U);
  EXPECT_EQ(server_.EventCount(), 0U);
  const auto created = Create();
  ASSERT_THAT(created, IsOk());
  ExpectOnePerson(created->subject());
}

TEST_F(CreateBetweenStoresTest, NothingIsGivenOutAfterAFailedWrite) {
  const auto created = Create();
  ASSERT_THAT(created, IsOk());
  server_.data().FailCommit(1, When::kBeforeApplied,
                            absl::UnknownError("injected"));
  const Peer full = server_.As("acme/full");
  EXPECT_THAT(ReadProfile(full, created->subject()),
              HasReason(Reason::kOutcomeUnknown));
  EXPECT_THAT(ReadProfile(full, created->subject()),
              HasReason(Reason::kAuditUnavailable));
  EXPECT_FALSE(server_.healthy());
  ASSERT_THAT(server_.Start(), IsOk());
  ExpectOnePerson(created->subject());
}

}  // namespace
}  // namespace hizo::test
