// Reading many people in one stream: every answer in its place, every person
// with an event, and nothing ahead of the event.
#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <thread>
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
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class BatchGetTest : public ::testing::Test {
 protected:
  BatchGetTest() : full_(server_.As("acme/full")) {}

  std::vector<std::string> CreatePeople(int count) {
    std::vector<v1::ImportRecordsRequest> people;
    for (int i = 0; i < count; ++i) {
      const std::string number = std::to_string(i);
      people.push_back(
          ImportRequest("p" + number + "@example.com", "Person " + number));
    }
    const auto imported =
        full_.Stream<v1::ImportRecordsResponse>(people).value();
    std::vector<std::string> subjects;
    for (const v1::ImportStatus& item : imported.items()) {
      subjects.push_back(item.subject());
    }
    return subjects;
  }
  static v1::BatchGetRecordsRequest NamesOf(
      const std::vector<std::string>& subjects) {
    return BatchRequest(subjects, "profile", {"full_name"});
  }

  LiveServer server_;
  const Peer full_;
};

TEST_F(BatchGetTest, AnswersStandInTheOrderOfTheAsks) {
  constexpr int kPeople = 300;
  std::vector<std::string> subjects = CreatePeople(kPeople);
  std::reverse(subjects.begin(), subjects.end());
  subjects.push_back(subjects.front());
  const auto items = BatchGet(full_, NamesOf(subjects));
  ASSERT_THAT(items, IsOk());
  ASSERT_THAT(*items, SizeIs(kPeople + 1));
  for (int i = 0; i < kPeople; ++i) {
    EXPECT_EQ(
        TextsOf((*items)[static_cast<size_t>(i)].record()).at("full_name"),
        "Person " + std::to_string(kPeople - 1 - i));
  }
  EXPECT_EQ(items->back().record().etag(), items->front().record().etag());
}

TEST_F(BatchGetTest, SmallRecordsShareMessages) {
  const std::vector<std::string> subjects = CreatePeople(300);
  const Reply reply =
      full_.Call(PathOf(*v1::BatchGetRecordsRequest::descriptor()),
                 {NamesOf(subjects).SerializeAsString()});
  EXPECT_EQ(reply.code, 0);
  EXPECT_LT(reply.messages.size(), 150U);
}

TEST_F(BatchGetTest, EveryPersonHasExactlyOneEvent) {
  const std::vector<std::string> subjects = CreatePeople(100);
  const uint64_t before = server_.EventCount();
  ASSERT_THAT(BatchGet(full_, NamesOf(subjects)), IsOk());
  const auto events = server_.EventsFrom(before);
  ASSERT_THAT(events, SizeIs(subjects.size()));
  std::set<base::AuditReference> people;
  for (const audit::Event& event : events) {
    EXPECT_EQ(event.action, policy::Action::kRecordBatchGet);
    EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
    EXPECT_EQ(event.records, 1U);
    ASSERT_THAT(event.fields, SizeIs(1));
    people.insert(event.subject.value());
  }
  EXPECT_THAT(people, SizeIs(subjects.size()));
}

TEST_F(BatchGetTest, ARefusalIsTheAnswerToItsAskOnly) {
  const std::vector<std::string> subjects = CreatePeople(2);
  v1::BatchGetRecordsRequest request =
      NamesOf({subjects[0], NewUuid(), "no uuid", subjects[1], subjects[0]});
  request.mutable_records(3)->set_record_id(NewUuid());
  const uint64_t before = server_.EventCount();
  const auto items = BatchGet(full_, request);
  ASSERT_THAT(items, IsOk());
  std::vector<v1::Reason> reasons;
  for (const v1::BatchGetItem& item : *items) reasons.push_back(item.reason());
  EXPECT_THAT(reasons, ::testing::ElementsAre(
                           v1::REASON_UNSPECIFIED, v1::REASON_SUBJECT_NOT_FOUND,
                           v1::REASON_VALUE_INVALID, v1::REASON_VALUE_INVALID,
                           v1::REASON_UNSPECIFIED));
  EXPECT_FALSE((*items)[1].has_record());
  const auto events = server_.EventsFrom(before);
  ASSERT_THAT(events, SizeIs(5));
  std::multiset<Reason> recorded;
  for (const audit::Event& event : events) recorded.insert(event.reason);
  EXPECT_THAT(recorded, ::testing::ElementsAre(Reason::kNone, Reason::kNone,
                                               Reason::kSubjectNotFound,
                                               Reason::kValueInvalid,
                                               Reason::kValueInvalid));
}

TEST_F(BatchGetTest, WhoMayOnlyReadOnePersonAtATimeReadsNobody) {
  const std::vector<std::string> subjects = CreatePeople(3);
  const auto items = BatchGet(server_.As("acme/powerless"), NamesOf(subjects));
  ASSERT_THAT(items, IsOk());
  ASSERT_THAT(*items, SizeIs(3));
  for (const v1::BatchGetItem& item : *items) {
    EXPECT_EQ(item.reason(), v1::REASON_CALLER_NOT_ENTITLED);
    EXPECT_FALSE(item.has_record());
  }
}

TEST_F(BatchGetTest, ShowsMasksToWhoMaySeeNoValues) {
  const std::vector<std::string> subjects = CreatePeople(2);
  v1::BatchGetRecordsRequest request = NamesOf(subjects);
  *request.mutable_context() = ContextFor(kSupportPurpose);
  request.clear_view();
  const auto items = BatchGet(server_.As("acme/masked"), request);
  ASSERT_THAT(items, IsOk());
  for (const v1::BatchGetItem& item : *items) {
    ASSERT_EQ(item.record().fields_size(), 1);
    EXPECT_TRUE(item.record().fields(0).masked());
    EXPECT_THAT(TextsOf(item.record()).at("full_name"),
                Not(HasSubstr("Person")));
  }
}

TEST_F(BatchGetTest, APersonOfAnotherTenantIsNotThere) {
  const std::string other =
      CreatePerson(server_.As("globex/full"), "o@example.com", "Other");
  const auto items = BatchGet(full_, NamesOf({other}));
  ASSERT_THAT(items, IsOk());
  EXPECT_EQ(items->front().reason(), v1::REASON_SUBJECT_NOT_FOUND);
}

TEST_F(BatchGetTest, AnEmptyOrOversizedBatchIsRefusedAsAWhole) {
  const uint64_t before = server_.EventCount();
  EXPECT_THAT(BatchGet(full_, NamesOf({})), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(
      BatchGet(full_, NamesOf(std::vector<std::string>(1001, NewUuid()))),
      HasReason(Reason::kTooLarge));
  EXPECT_THAT(server_.EventsFrom(before),
              ::testing::ElementsAre(
                  Field(&audit::Event::reason, Reason::kValueInvalid),
                  Field(&audit::Event::reason, Reason::kTooLarge)));
}

TEST_F(BatchGetTest, NothingIsReleasedWhoseEventIsNotDurable) {
  const std::vector<std::string> subjects = CreatePeople(200);
  const uint64_t before = server_.EventCount();
  server_.data().FailCommit(2, FaultyEngine::When::kBeforeApplied,
                            absl::ResourceExhaustedError("injected"));
  const auto items = BatchGet(full_, NamesOf(subjects));
  ASSERT_THAT(items, IsOk());
  ASSERT_THAT(*items, SizeIs(subjects.size()));
  const auto released = static_cast<size_t>(
      std::ranges::count_if(*items, [](const v1::BatchGetItem& item) {
        return item.reason() == v1::REASON_UNSPECIFIED;
      }));
  EXPECT_LT(released, subjects.size());
  EXPECT_THAT(server_.EventsFrom(before), SizeIs(released));
  for (const v1::BatchGetItem& item : *items) {
    if (item.reason() == v1::REASON_UNSPECIFIED) continue;
    EXPECT_EQ(item.reason(), v1::REASON_AUDIT_UNAVAILABLE);
    EXPECT_FALSE(item.has_record());
  }
}

TEST_F(BatchGetTest, LargeRecordsComeOverTheBoundOfAMessageOneByOne) {
  const std::vector<std::string> subjects = CreatePeople(20);
  const std::string large(60 * 1024, 'x');
  for (const std::string& subject : subjects) {
    v1::NewRecord account;
    account.set_record_class("account");
    v1::Field& field = *account.add_fields();
    field.set_name("registration_info");
    field.mutable_value()->set_json("\"" + large + "\"");
    ASSERT_THAT(full_.Ask<v1::PutRecordResponse>(PutRequest(subject, account)),
                IsOk());
  }
  const Reply reply =
      full_.Call(PathOf(*v1::BatchGetRecordsRequest::descriptor()),
                 {BatchRequest(subjects, "account", {"registration_info"})
                      .SerializeAsString()});
  EXPECT_EQ(reply.code, 0);
  EXPECT_GT(reply.messages.size(), 3U);
  for (const std::string& message : reply.messages) {
    EXPECT_LT(message.size(), 300U * 1024);
  }
}

// The server must not go on reading people for somebody who has left.
TEST_F(BatchGetTest, ACallerThatGoesAwayLeavesNothingBehind) {
  const std::vector<std::string> subjects = CreatePeople(50);
  std::vector<std::string> many;
  while (many.size() < 1000) {
    many.insert(many.end(), subjects.begin(), subjects.end());
  }
  const std::string body = NamesOf(many).SerializeAsString();
  for (int i = 0; i < 5; ++i) {
    full_.Call(PathOf(*v1::BatchGetRecordsRequest::descriptor()), {body},
               std::chrono::milliseconds(2 + i));
  }
  // Served on, and the end waits for nothing.
  const auto items = BatchGet(full_, NamesOf(subjects));
  ASSERT_THAT(items, IsOk());
  EXPECT_THAT(*items, SizeIs(subjects.size()));
  server_.Stop();
}

}  // namespace
}  // namespace hizo::test
