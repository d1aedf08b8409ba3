// Importing: a stream of people, each committed, audited and answered for by
// itself, in order.
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Over the window of messages that are in work at once.
constexpr int kMany = 300;

std::string EmailOf(int i) { return "p" + std::to_string(i) + "@example.com"; }

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() : full_(server_.As("acme/full")) {}

  absl::StatusOr<v1::ImportRecordsResponse> Import(
      const std::vector<v1::ImportRecordsRequest>& people) {
    return full_.Stream<v1::ImportRecordsResponse>(people);
  }
  static std::vector<v1::ImportRecordsRequest> People(int count) {
    std::vector<v1::ImportRecordsRequest> people;
    for (int i = 0; i < count; ++i) {
      people.push_back(ImportRequest(EmailOf(i), "P " + std::to_string(i)));
    }
    return people;
  }

  LiveServer server_;
  const Peer full_;
};

TEST_F(ImportTest, AnswersForEachInTheOrderOfTheStream) {
  const auto response = Import(People(kMany));
  ASSERT_THAT(response, IsOk());
  ASSERT_EQ(response->items_size(), kMany);
  std::set<std::string> subjects;
  for (int i = 0; i < kMany; ++i) {
    EXPECT_EQ(response->items(i).reason(), v1::REASON_UNSPECIFIED);
    EXPECT_TRUE(response->items(i).has_commit_time());
    subjects.insert(response->items(i).subject());
  }
  EXPECT_THAT(subjects, SizeIs(kMany));
  for (const int i : {0, 1, 63, 64, 65, 150, kMany - 1}) {
    EXPECT_THAT(FindPerson(full_, EmailOf(i)),
                IsOkAndHolds(response->items(i).subject()));
  }
}

TEST_F(ImportTest, LeavesAnEventForEach) {
  ASSERT_THAT(Import(People(10)), IsOk());
  const auto events = server_.EventsFrom(0);
  ASSERT_THAT(events, SizeIs(10));
  std::set<base::AuditReference> references;
  for (const audit::Event& event : events) {
    EXPECT_EQ(event.action, policy::Action::kRecordImport);
    EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
    EXPECT_THAT(event.writes, SizeIs(3));  // two records, facts
    references.insert(event.subject.value());
  }
  EXPECT_THAT(references, SizeIs(10));
}

TEST_F(ImportTest, ABadPersonDoesNotHarmTheOthers) {
  auto people = People(6);
  people[1].mutable_records(0)->mutable_fields(0)->mutable_value()->set_text(
      "no address");
  people[2].mutable_records(1)->clear_fields();
  people[3].mutable_records(1)->set_record_class("nothing");
  people[4].mutable_context()->set_purpose("curiosity");
  const auto response = Import(people);
  ASSERT_THAT(response, IsOk());
  ASSERT_EQ(response->items_size(), 6);
  EXPECT_EQ(response->items(0).reason(), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(response->items(1).reason(), v1::REASON_VALUE_INVALID);
  EXPECT_EQ(response->items(1).field(), "account.email");
  EXPECT_EQ(response->items(2).reason(), v1::REASON_REQUIRED_FIELD_MISSING);
  EXPECT_EQ(response->items(2).field(), "profile.full_name");
  EXPECT_EQ(response->items(3).reason(), v1::REASON_FIELD_UNKNOWN);
  EXPECT_EQ(response->items(4).reason(), v1::REASON_PURPOSE_NOT_ALLOWED);
  EXPECT_EQ(response->items(5).reason(), v1::REASON_UNSPECIFIED);
  for (int i = 1; i < 5; ++i) {
    EXPECT_EQ(response->items(i).subject(), "");
    EXPECT_THAT(FindPerson(full_, EmailOf(i)),
                HasReason(Reason::kSubjectNotFound));
  }
}

TEST_F(ImportTest, BytesThatAreNoMessageAreRefusedByThemselves) {
  const std::string good = People(1)[0].SerializeAsString();
  const Reply reply = full_.Call(
      PathOf(*v1::ImportRecordsRequest::descriptor()), {"\xff\xff\xff", good});
  v1::ImportRecordsResponse response;
  ASSERT_THAT(reply.messages, SizeIs(1));
  ASSERT_TRUE(response.ParseFromString(reply.messages[0]));
  ASSERT_EQ(response.items_size(), 2);
  EXPECT_EQ(response.items(0).reason(), v1::REASON_MALFORMED_REQUEST);
  EXPECT_EQ(response.items(1).reason(), v1::REASON_UNSPECIFIED);
}

TEST_F(ImportTest, AStreamSentAgainHasOneEffect) {
  auto people = People(100);
  for (auto& person : people)
    person.mutable_context()->set_request_id(NewUuid());
  const auto first = Import(people);
  const auto second = Import(people);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  ASSERT_EQ(second->items_size(), 100);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(first->items(i).repeated_request());
    EXPECT_TRUE(second->items(i).repeated_request());
    EXPECT_EQ(first->items(i).subject(), second->items(i).subject());
  }
}

TEST_F(ImportTest, ARequestIdTwiceInOneStreamHasOneEffect) {
  auto people = People(1);
  people[0].mutable_context()->set_request_id(NewUuid());
  for (int i = 1; i < 20; ++i) people.push_back(people[0]);
  const auto response = Import(people);
  ASSERT_THAT(response, IsOk());
  ASSERT_EQ(response->items_size(), 20);
  int created = 0;
  for (const v1::ImportStatus& item : response->items()) {
    // Who lost the race for it twice may be told to come again.
    if (item.reason() == v1::REASON_CONFLICT) continue;
    EXPECT_EQ(item.reason(), v1::REASON_UNSPECIFIED);
    EXPECT_THAT(FindPerson(full_, EmailOf(0)), IsOkAndHolds(item.subject()));
    if (!item.repeated_request()) ++created;
  }
  EXPECT_EQ(created, 1);
}

TEST_F(ImportTest, AnAddressTwiceInOneStreamIsGivenOnce) {
  auto people = People(1);
  for (int i = 1; i < 20; ++i) {
    people.push_back(ImportRequest(EmailOf(0), "Rival " + std::to_string(i)));
  }
  const auto response = Import(people);
  ASSERT_THAT(response, IsOk());
  std::vector<std::string> winners;
  for (const v1::ImportStatus& item : response->items()) {
    if (item.reason() == v1::REASON_UNSPECIFIED) {
      winners.push_back(item.subject());
    } else {
      EXPECT_TRUE(item.reason() == v1::REASON_ALREADY_EXISTS ||
                  item.reason() == v1::REASON_CONFLICT);
    }
  }
  ASSERT_THAT(winners, SizeIs(1));
  EXPECT_THAT(FindPerson(full_, EmailOf(0)), IsOkAndHolds(winners[0]));
}

TEST_F(ImportTest, AnEmptyStreamIsAMalformedCall) {
  EXPECT_THAT(Import({}), HasReason(Reason::kMalformedRequest));
  EXPECT_THAT(server_.EventsFrom(0), SizeIs(1));
}

TEST_F(ImportTest, ACallerWhoMayNotImportIsToldSoForEach) {
  const auto response =
      server_.As("acme/masked").Stream<v1::ImportRecordsResponse>(People(3));
  ASSERT_THAT(response, IsOk());
  ASSERT_EQ(response->items_size(), 3);
  for (const v1::ImportStatus& item : response->items()) {
    EXPECT_EQ(item.reason(), v1::REASON_CALLER_NOT_ENTITLED);
  }
  EXPECT_THAT(FindPerson(full_, EmailOf(0)),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(ImportTest, WhatFailsInTheMiddleCanBeSentAgain) {
  auto people = People(kMany);
  for (auto& person : people)
    person.mutable_context()->set_request_id(NewUuid());
  server_.data().FailCommit(2, FaultyEngine::When::kBeforeApplied,
                            absl::ResourceExhaustedError("injected"));
  const auto first = Import(people);
  ASSERT_THAT(first, IsOk());
  int refused = 0;
  for (const v1::ImportStatus& item : first->items()) {
    if (item.reason() == v1::REASON_UNSPECIFIED) continue;
    // The second is what lost its race to a commit that failed, twice.
    EXPECT_TRUE(item.reason() == v1::REASON_AUDIT_UNAVAILABLE ||
                item.reason() == v1::REASON_CONFLICT);
    EXPECT_EQ(item.subject(), "");
    ++refused;
  }
  EXPECT_GT(refused, 0);
  const auto second = Import(people);
  ASSERT_THAT(second, IsOk());
  for (int i = 0; i < kMany; ++i) {
    const v1::ImportStatus& before = first->items(i);
    const v1::ImportStatus& after = second->items(i);
    EXPECT_EQ(after.reason(), v1::REASON_UNSPECIFIED);
    EXPECT_EQ(after.repeated_request(),
              before.reason() == v1::REASON_UNSPECIFIED);
    if (after.repeated_request()) {
      EXPECT_EQ(after.subject(), before.subject());
    }
  }
}

}  // namespace
}  // namespace hizo::test
