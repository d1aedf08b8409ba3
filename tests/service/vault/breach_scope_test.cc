#include "service/vault/breach_scope.h"

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "crypto/checkpoint.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/service/vault/audit_reports.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using policy::View;
using test::HasReason;
using test::IsOk;
using test::kFull;
using test::kMaskedOnly;
using test::kOtherAuditor;
using test::kSupport;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class BreachScopeTest : public ::testing::Test {
 protected:
  BreachScopePage Ask(const BreachScopeInput& input) {
    const auto page = ReadScope(vault_, input);
    EXPECT_THAT(page, IsOk());
    return page.ok() ? *page : BreachScopePage();
  }
  static BreachScopeInput By(const char* actor) {
    BreachScopeInput input;
    input.actor = actor;
    return input;
  }
  absl::Status Look(const char* actor, SubjectId subject, View view) {
    return ReadAs(vault_, actor, kSupport, subject, "account", {"email"}, view)
        .status();
  }
  static std::map<SubjectId, ExposedSubject> ById(const BreachScopePage& page) {
    std::map<SubjectId, ExposedSubject> by_id;
    for (const ExposedSubject& subject : page.subjects) {
      by_id.emplace(subject.subject, subject);
    }
    return by_id;
  }
  void Forget(SubjectId subject) {
    EXPECT_THAT(Erase(vault_, subject), IsOk());
    EXPECT_THAT(vault_.store().FinishErasures(), IsOk());
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, "ann@example.com");
  const SubjectId bob_ = NewPerson(vault_, "bob@example.com");
  const SubjectId eve_ = NewPerson(vault_, "eve@example.com");
};

TEST_F(BreachScopeTest, SplitsWhatACallerSaw) {
  EXPECT_THAT(Look(kMaskedOnly, ann_, View::kMasked), IsOk());
  EXPECT_THAT(Look(kMaskedOnly, bob_, View::kPlain),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_THAT(Look(kFull, eve_, View::kPlain), IsOk());
  const auto masked = ById(Ask(By(kMaskedOnly)));
  ASSERT_THAT(masked, SizeIs(2));
  EXPECT_EQ(masked.at(ann_).exposure.calls, audit::Counts{.masked = 1});
  EXPECT_FALSE(masked.at(ann_).notify());
  EXPECT_EQ(masked.at(bob_).exposure.calls, audit::Counts{.denied = 1});
  // Everybody was created by it, too.
  const auto full = ById(Ask(By(kFull)));
  ASSERT_THAT(full, SizeIs(3));
  EXPECT_EQ(full.at(eve_).exposure.calls,
            (audit::Counts{.revealed = 1, .other = 1}));
  EXPECT_TRUE(full.at(eve_).notify());
  EXPECT_FALSE(full.at(ann_).notify());
}

TEST_F(BreachScopeTest, IsOfAWindowAndSaysWhichEntriesThatAre) {
  vault_.clock().Advance(std::chrono::hours(1));
  BreachScopeInput input;
  input.start = vault_.clock().Now();
  EXPECT_THAT(Look(kFull, ann_, View::kPlain), IsOk());
  vault_.clock().Advance(std::chrono::hours(1));
  input.end = vault_.clock().Now();
  EXPECT_THAT(Look(kFull, bob_, View::kPlain), IsOk());
  const BreachScopePage page = Ask(input);
  ASSERT_THAT(page.subjects, SizeIs(1));
  EXPECT_EQ(page.subjects[0].subject, ann_);
  EXPECT_EQ(page.entries.begin, 3U);
  EXPECT_EQ(page.entries.end, 4U);
  EXPECT_EQ(page.tree_size, 5U);
  ASSERT_TRUE(page.checkpoint.has_value());
  const auto head = crypto::OpenCheckpoint(page.checkpoint->note,
                                           page.checkpoint->verifier_key);
  ASSERT_THAT(head, IsOk());
  EXPECT_EQ(head->tree.size, 5U);
}

TEST_F(BreachScopeTest, IsOfAClass) {
  EXPECT_THAT(Look(kFull, ann_, View::kPlain), IsOk());
  EXPECT_THAT(Get(vault_, bob_, "profile", {"full_name"}), IsOk());
  BreachScopeInput input = By(kFull);
  input.record_class = "profile";
  const auto by_id = ById(Ask(input));
  EXPECT_TRUE(by_id.at(bob_).notify());
  for (const auto& [id, subject] : by_id) {
    if (id != bob_) {
      EXPECT_FALSE(subject.notify());
    }
  }
  input.record_class = "nothing";
  EXPECT_THAT(ReadScope(vault_, input), HasReason(Reason::kFieldUnknown));
}

TEST_F(BreachScopeTest, CountsTheErasedAndNamesNobody) {
  EXPECT_THAT(Look(kFull, ann_, View::kPlain), IsOk());
  EXPECT_THAT(Look(kFull, bob_, View::kPlain), IsOk());
  Forget(ann_);
  Forget(eve_);  // of whom nothing was shown
  const BreachScopePage page = Ask({});
  ASSERT_THAT(page.subjects, SizeIs(1));
  EXPECT_EQ(page.subjects[0].subject, bob_);
  EXPECT_EQ(page.erased_exposed, 1U);
  EXPECT_EQ(page.erased_not_exposed, 1U);
}

TEST_F(BreachScopeTest, IsOfTheOwnTenant) {
  const SubjectId foreign = NewPersonOfGlobex(vault_, "gus@example.com");
  EXPECT_FALSE(ById(Ask({})).contains(foreign));
  const auto theirs = ReadScope(vault_, {}, kOtherAuditor);
  ASSERT_THAT(theirs, IsOk());
  ASSERT_THAT(theirs->subjects, SizeIs(1));
  EXPECT_EQ(theirs->subjects[0].subject, foreign);
}

TEST_F(BreachScopeTest, ATokenIsForOneQuestionOnly) {
  BreachScopeInput input;
  input.page_token = "made up";
  EXPECT_THAT(ReadScope(vault_, input), HasReason(Reason::kPageTokenInvalid));
}

TEST_F(BreachScopeTest, IsRefusedToOthersAndRecorded) {
  EXPECT_THAT(ReadScope(vault_, {}, kFull),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
  const BreachScopePage page = Ask({});
  EXPECT_EQ(vault_.LastEvent().action, Action::kAuditBreach);
  EXPECT_EQ(vault_.LastEvent().records, page.subjects.size());
  EXPECT_THAT(Ask(By("spiffe://acme.example/nobody")).subjects, IsEmpty());
}

// More people than a page holds, in a log in which others are, too.
TEST_F(BreachScopeTest, PagesMeetWithoutGapOrRepetition) {
  std::map<SubjectId, int> seen;
  for (int i = 0; i < 1100; ++i) {
    seen[NewPerson(vault_, std::to_string(i) + "@example.com")] = 0;
  }
  BreachScopeInput input;
  int pages = 0;
  do {
    const BreachScopePage page = Ask(input);
    for (const ExposedSubject& subject : page.subjects) {
      ++seen[subject.subject];
    }
    EXPECT_EQ(page.checkpoint.has_value(), pages == 0);
    EXPECT_EQ(page.tree_size, 1103U);
    input.page_token = page.next_page_token;
    ++pages;
  } while (!input.page_token.empty());
  EXPECT_EQ(pages, 2);
  EXPECT_THAT(seen, SizeIs(1103));
  for (const auto& [subject, times] : seen) EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace hizo::vault
