#include "service/vault/audits.h"

#include <chrono>
#include <string>
#include <vector>

#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::HasReason;
using test::IsOk;
using test::kAuditor;
using test::kOtherAuditor;
using test::kSecurityAudit;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AuditsTest : public ::testing::Test {
 protected:
  Call AuditCall(const char* actor = kAuditor,
                 Action action = Action::kAuditQuery) const {
    return vault_.CallOf(actor, action, kSecurityAudit);
  }
  absl::StatusOr<AuditPage> QueryAs(const Call& call,
                                    const QueryAuditInput& input) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().audits().Query(attempt, call, input);
    });
  }
  absl::StatusOr<AuditPage> Query(const QueryAuditInput& input) {
    return QueryAs(AuditCall(), input);
  }
  QueryAuditInput Pages(int32_t page_size, const std::string& token = "") {
    QueryAuditInput input;
    input.order = audit::Order::kOldestFirst;
    input.page_size = page_size;
    input.page_token = token;
    return input;
  }
  static std::vector<uint64_t> SequencesOf(const AuditPage& page) {
    std::vector<uint64_t> sequences;
    for (const ShownEvent& event : page.events) {
      sequences.push_back(event.found.sequence);
    }
    return sequences;
  }
  void Look(SubjectId subject) {
    EXPECT_THAT(Get(vault_, subject, "profile", {"full_name"}), IsOk());
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, "ann@example.com");  // event 0
  const SubjectId bob_ = NewPerson(vault_, "bob@example.com");  // event 1
};

TEST_F(AuditsTest, ShowsWhatHappenedNewestFirst) {
  Look(ann_);
  const auto page = Query({});
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(SequencesOf(*page), ElementsAre(2, 1, 0));
  EXPECT_EQ(page->next_page_token, "");
  EXPECT_EQ(page->events[0].found.event.action, Action::kRecordGet);
  EXPECT_EQ(page->events[0].subject, ann_);
  EXPECT_EQ(page->events[1].subject, bob_);
}

TEST_F(AuditsTest, ShowsWhatHappenedToOnePerson) {
  Look(ann_);
  Look(bob_);
  QueryAuditInput input;
  input.subject = ann_;
  const auto page = Query(input);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(SequencesOf(*page), ElementsAre(2, 0));
  for (const ShownEvent& event : page->events) EXPECT_EQ(event.subject, ann_);
}

TEST_F(AuditsTest, RecordsThatItWasAskedAndAboutWhom) {
  QueryAuditInput input;
  input.subject = ann_;
  ASSERT_THAT(Query(input), IsOk());
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.action, Action::kAuditQuery);
  EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
  EXPECT_EQ(event.subject,
            AdmitFully(vault_, kFull, ann_).grant.facts().audit_reference);
  EXPECT_EQ(event.records, 1);
  // And so is found the next time.
  const auto page = Query(input);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->events, SizeIs(2));
}

TEST_F(AuditsTest, FiltersByActorActionOutcomeAndTime) {
  vault_.clock().Advance(std::chrono::hours(1));
  Look(ann_);
  EXPECT_THAT(Find(vault_, "account.email", "eve@example.com"),
              HasReason(Reason::kSubjectNotFound));
  const auto count = [this](const audit::Filter& filter) {
    QueryAuditInput input;
    input.filter = filter;
    const auto page = Query(input);
    EXPECT_THAT(page, IsOk());
    return page->events.size();
  };
  audit::Filter filter;
  filter.action = Action::kRecordGet;
  EXPECT_EQ(count(filter), 1);
  filter = {};
  filter.outcome = audit::Outcome::kFailed;
  EXPECT_EQ(count(filter), 1);
  filter = {};
  filter.actor = kFull;
  EXPECT_EQ(count(filter), 4);
  filter.end = vault_.clock().Now();
  EXPECT_EQ(count(filter), 2);
  filter = {};
  filter.actor = test::kClerk;
  EXPECT_EQ(count(filter), 0);
}

TEST_F(AuditsTest, ShowsNothingOfAnotherTenant) {
  const SubjectId other = NewPersonOfGlobex(vault_, "ann@example.com");
  const auto theirs = QueryAs(AuditCall(kOtherAuditor), {});
  ASSERT_THAT(theirs, IsOk());
  ASSERT_THAT(theirs->events, SizeIs(1));
  EXPECT_EQ(theirs->events[0].subject, other);
  EXPECT_EQ(theirs->events[0].found.event.tenant, kGlobex);
  const auto ours = Query({});
  ASSERT_THAT(ours, IsOk());
  for (const ShownEvent& event : ours->events) {
    EXPECT_EQ(event.found.event.tenant, kAcme);
  }
  QueryAuditInput about_ann;
  about_ann.subject = ann_;
  EXPECT_THAT(QueryAs(AuditCall(kOtherAuditor), about_ann),
              HasReason(Reason::kSubjectNotFound));
  QueryAuditInput pretending;
  pretending.filter.tenant = kAcme;
  const auto page = QueryAs(AuditCall(kOtherAuditor), pretending);
  ASSERT_THAT(page, IsOk());
  for (const ShownEvent& event : page->events) {
    EXPECT_EQ(event.found.event.tenant, kGlobex);
  }
}

TEST_F(AuditsTest, RefusesThoseWhoMayNotAskAlsoAboutNobody) {
  for (const char* actor : {kFull, test::kNobody}) {
    const Call call = vault_.CallOf(actor, Action::kAuditQuery, kSecurityAudit);
    for (const SubjectId subject : {ann_, NewSubjectId()}) {
      QueryAuditInput input;
      input.subject = subject;
      EXPECT_THAT(QueryAs(call, input), HasReason(Reason::kCallerNotEntitled));
    }
    EXPECT_THAT(QueryAs(call, {}), HasReason(Reason::kCallerNotEntitled));
    EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
  }
}

TEST_F(AuditsTest, FindsNothingAboutSomebodyWhoIsNotThere) {
  QueryAuditInput input;
  input.subject = NewSubjectId();
  EXPECT_THAT(Query(input), HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kFailed);
  EXPECT_EQ(vault_.LastEvent().reason, Reason::kSubjectNotFound);
}

TEST_F(AuditsTest, ShowsPageAfterPageOfTheLogAsItWas) {
  for (int i = 0; i < 3; ++i) Look(ann_);
  const auto first = Query(Pages(2));
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(SequencesOf(*first), ElementsAre(0, 1));
  // That the first page was asked for does not shift the pages.
  const auto second = Query(Pages(2, first->next_page_token));
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(SequencesOf(*second), ElementsAre(2, 3));
  const auto third = Query(Pages(2, second->next_page_token));
  ASSERT_THAT(third, IsOk());
  EXPECT_THAT(SequencesOf(*third), ElementsAre(4));
  EXPECT_EQ(third->next_page_token, "");
}

TEST_F(AuditsTest, RefusesATokenOfAnotherQueryOrCaller) {
  const auto first = Query(Pages(1));
  ASSERT_THAT(first, IsOk());
  const QueryAuditInput good = Pages(1, first->next_page_token);
  std::vector<QueryAuditInput> others(7, good);
  others[0].subject = ann_;
  others[1].filter.actor = kFull;
  others[2].filter.action = Action::kRecordGet;
  others[3].filter.outcome = audit::Outcome::kAllowed;
  others[4].filter.start = vault_.clock().Now();
  others[5].filter.end = vault_.clock().Now();
  others[6].order = audit::Order::kNewestFirst;
  for (const QueryAuditInput& other : others) {
    EXPECT_THAT(Query(other), HasReason(Reason::kPageTokenInvalid));
  }
  EXPECT_THAT(QueryAs(AuditCall(kOtherAuditor), good),
              HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(Query(Pages(1, "forged")), HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(Query(good), IsOk());
  EXPECT_THAT(Query(Pages(-1)), HasReason(Reason::kValueInvalid));
}

TEST_F(AuditsTest, ShowsEventsWithoutThePersonOnceTheWayBackIsGone) {
  for (const storage::Row& row :
       test::RowsOf(vault_.keys(), base::kSpaceWayBack)) {
    test::Remove(vault_.keys(), row.key);
  }
  const auto page = Query({});
  ASSERT_THAT(page, IsOk());
  ASSERT_THAT(page->events, SizeIs(2));
  for (const ShownEvent& event : page->events) {
    EXPECT_EQ(event.subject, std::nullopt);
    EXPECT_NE(event.found.event.subject, std::nullopt);
  }
}

TEST_F(AuditsTest, BelievesNoWayBackThatWasMoved) {
  const auto rows = test::RowsOf(vault_.keys(), base::kSpaceWayBack);
  ASSERT_THAT(rows, SizeIs(2));
  test::Overwrite(vault_.keys(), rows[0].key, rows[1].value);
  test::Overwrite(vault_.keys(), rows[1].key, rows[0].value);
  const auto page = Query({});
  ASSERT_THAT(page, IsOk());
  for (const ShownEvent& event : page->events) {
    EXPECT_EQ(event.subject, std::nullopt);
  }
}

TEST_F(AuditsTest, ShowsNothingWithoutADurableEvent) {
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(Query({}), HasReason(Reason::kAuditUnavailable));
}

TEST_F(AuditsTest, GivesOutACheckpointThatAnOutsiderCanVerify) {
  const Call call = AuditCall(kAuditor, Action::kAuditCheckpoint);
  const auto checkpoint = vault_.Run(call, [&](Attempt& attempt) {
    return vault_.store().audits().GetCheckpoint(attempt, call);
  });
  ASSERT_THAT(checkpoint, IsOk());
  const auto text =
      crypto::OpenNote(checkpoint->note, checkpoint->verifier_key);
  ASSERT_THAT(text, IsOk());
  EXPECT_TRUE(text->starts_with("hizo/test\n2\n"));
  EXPECT_EQ(vault_.LastEvent().action, Action::kAuditCheckpoint);
}

TEST_F(AuditsTest, GivesOutNoCheckpointToThoseWhoMayNot) {
  const Call call =
      vault_.CallOf(kFull, Action::kAuditCheckpoint, kSecurityAudit);
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().audits().GetCheckpoint(attempt,
                                                                        call);
                         }),
              HasReason(Reason::kCallerNotEntitled));
}

}  // namespace
}  // namespace hizo::vault
