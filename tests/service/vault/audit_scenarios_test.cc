// The scenarios of requirements.md about incidents and the audit log, each by
// its number.
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "crypto/merkle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/tree.h"
#include "service/base/reason.h"
#include "tests/service/vault/audit_reports.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using policy::View;
using std::chrono::hours;
using test::HasReason;
using test::IsOk;
using test::kBilling;
using test::kFull;
using test::kMaskedOnly;
using test::kSupport;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AuditScenariosTest : public ::testing::Test {
 protected:
  void ReadEmail(SubjectId subject) {
    EXPECT_THAT(ReadAs(vault_, kFull, kSupport, subject, "account", {"email"},
                       View::kPlain),
                IsOk());
  }
  void Forget(SubjectId subject) {
    EXPECT_THAT(Erase(vault_, subject), IsOk());
    EXPECT_THAT(vault_.store().FinishErasures(), IsOk());
  }
  // Everybody in all pages.
  struct Scope {
    std::set<SubjectId> notify;
    uint64_t erased_exposed = 0;
    uint64_t erased_not_exposed = 0;
  };
  Scope ScopeOf(BreachScopeInput input) {
    Scope scope;
    do {
      const auto page = ReadScope(vault_, input);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) return scope;
      for (const ExposedSubject& subject : page->subjects) {
        if (subject.notify()) scope.notify.insert(subject.subject);
      }
      scope.erased_exposed += page->erased_exposed;
      scope.erased_not_exposed += page->erased_not_exposed;
      input.page_token = page->next_page_token;
    } while (!input.page_token.empty());
    return scope;
  }
  // An hour of which a breach is suspected, and what happens in it.
  template <typename Happens>
  BreachScopeInput Window(Happens happens) {
    BreachScopeInput window;
    vault_.clock().Advance(hours(1));
    window.start = vault_.clock().Now();
    happens();
    vault_.clock().Advance(hours(1));
    window.end = vault_.clock().Now();
    return window;
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, "ann@example.com");
  const SubjectId bob_ = NewPerson(vault_, "bob@example.com");
  const SubjectId eve_ = NewPerson(vault_, "eve@example.com");
};

// The list is everybody with live exposed data of the class in the window.
TEST_F(AuditScenariosTest, Scenario57WhoIsToBeToldOfABreach) {
  ReadEmail(eve_);  // before
  BreachScopeInput window = Window([&] {
    ReadEmail(ann_);
    ReadEmail(ann_);
    EXPECT_THAT(Get(vault_, bob_, "profile", {"full_name"}), IsOk());
  });
  ReadEmail(eve_);  // after
  window.record_class = "account";
  EXPECT_THAT(ScopeOf(window).notify, ElementsAre(ann_));
  window.record_class.clear();
  EXPECT_THAT(ScopeOf(window).notify,
              ::testing::UnorderedElementsAre(ann_, bob_));
  // The list itself was recorded, and their addresses are read with a purpose.
  EXPECT_EQ(vault_.LastEvent().action, Action::kAuditBreach);
}

TEST_F(AuditScenariosTest, Scenario58SomeWereErasedAlready) {
  const SubjectId gone = NewPerson(vault_, "gone@example.com");
  ReadEmail(gone);
  Forget(gone);  // before the window: nothing of it was exposed in there
  const BreachScopeInput window = Window([&] {
    ReadEmail(ann_);
    ReadEmail(bob_);
    EXPECT_THAT(VerifyErasure(vault_, gone), IsOk());
  });
  Forget(ann_);  // exposed, and erased before anybody knew
  const Scope scope = ScopeOf(window);
  EXPECT_THAT(scope.notify, ElementsAre(bob_));
  EXPECT_EQ(scope.erased_exposed, 1U);
  EXPECT_EQ(scope.erased_not_exposed, 1U);
}

// A row of the log is changed behind the vault's back: what is let out shows
// where, and nothing is proved of it any more.
TEST_F(AuditScenariosTest, Scenario63TheLogIsTamperedWith) {
  for (int i = 0; i < 300; ++i) ReadEmail(ann_);
  const std::string key = audit::EntryKey(77);
  audit::Event event = *audit::Decode(**vault_.data().Get(key));
  event.actor = kMaskedOnly;
  test::Overwrite(vault_.data(), key, *audit::Encode(event));
  const Call call = AuditCall(vault_, Action::kAuditExport);
  const auto page = vault_.Run(call, [&](Attempt& attempt) {
    return vault_.store().audits().Export(attempt, call, {});
  });
  ASSERT_THAT(page, IsOk());
  std::vector<size_t> changed;
  for (size_t i = 0; i < page->entries.entries.size(); ++i) {
    const audit::ExportedEntry& entry = page->entries.entries[i];
    if (entry.form == audit::ExportedEntry::Form::kEntry &&
        crypto::LeafHash(entry.bytes) != page->entries.hashes[i]) {
      changed.push_back(i);
    }
  }
  EXPECT_THAT(changed, ElementsAre(77));
}

TEST_F(AuditScenariosTest, Scenario64WhoSawMyData) {
  EXPECT_THAT(ReadAs(vault_, kMaskedOnly, kSupport, ann_, "account", {"email"},
                     View::kMasked),
              IsOk());
  AccessHistoryInput input;
  input.subject = ann_;
  ASSERT_THAT(ReadHistory(vault_, input), IsOk());
  const auto page = ReadHistory(vault_, input);
  ASSERT_THAT(page, IsOk());
  ASSERT_THAT(page->entries, SizeIs(3));
  const HistoryEntry& staff = page->entries[0];
  EXPECT_EQ(staff.who, "an auditor");
  EXPECT_THAT(staff.staff, SizeIs(6));
  const HistoryEntry& service = page->entries[1];
  EXPECT_EQ(service.who, "the service \"masked\"");
  EXPECT_EQ(service.time, vault_.clock().Now());
  EXPECT_EQ(service.purpose->name, "support");
  ASSERT_THAT(service.fields, SizeIs(1));
  EXPECT_EQ(service.fields[0]->full_name, "account.email");
}

TEST_F(AuditScenariosTest, Scenario65ReadsOfAnAddressForAnotherPurpose) {
  const auto read = [&](policy::PurposeNumber purpose) {
    EXPECT_THAT(ReadAs(vault_, kFull, purpose, ann_, "profile", {"full_name"},
                       View::kPlain),
                IsOk());
  };
  read(kSupport);  // 91 days ago
  vault_.clock().Advance(hours(91 * 24));
  read(kBilling);
  read(kSupport);
  ReadEmail(ann_);  // another field
  QueryAuditInput input;
  input.field = "profile.full_name";
  input.other_than_purpose = "billing";
  input.filter.start = vault_.clock().Now() - hours(90 * 24);
  const auto page = ReadLog(vault_, input);
  ASSERT_THAT(page, IsOk());
  ASSERT_THAT(page->events, SizeIs(1));
  EXPECT_EQ(page->events[0].found.event.purpose, kSupport);
  // The auditor cannot see what was read.
  EXPECT_THAT(ReadAs(vault_, test::kAuditor, test::kSecurityAudit, ann_,
                     "profile", {"full_name"}, View::kMasked),
              HasReason(Reason::kCallerNotEntitled));
}

TEST_F(AuditScenariosTest, Scenario66RefusedCallsAreListedToo) {
  EXPECT_THAT(ReadAs(vault_, kMaskedOnly, kSupport, ann_, "account", {"email"},
                     View::kPlain),
              HasReason(Reason::kCallerNotEntitled));
  Forget(bob_);
  EXPECT_THAT(Get(vault_, bob_, "profile", {"full_name"}),
              HasReason(Reason::kSubjectNotFound));
  QueryAuditInput input;
  input.filter.outcome = audit::Outcome::kDenied;
  auto page = ReadLog(vault_, input);
  ASSERT_THAT(page, IsOk());
  ASSERT_THAT(page->events, SizeIs(1));
  EXPECT_EQ(page->events[0].found.event.reason, Reason::kCallerNotEntitled);
  input.filter.outcome.reset();
  input.filter.reason = Reason::kSubjectNotFound;
  page = ReadLog(vault_, input);
  ASSERT_THAT(page, IsOk());
  ASSERT_THAT(page->events, SizeIs(1));
  EXPECT_EQ(page->events[0].found.event.action, Action::kRecordGet);
}

TEST_F(AuditScenariosTest, Scenario67NothingIsReadThatCannotBeRecorded) {
  const size_t before = vault_.Events().size();
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("full"));
  const auto read = Get(vault_, ann_, "profile", {"full_name"});
  EXPECT_THAT(read, HasReason(Reason::kAuditUnavailable));
  EXPECT_THAT(vault_.Events(), SizeIs(before));
  // With room again it goes on, without a restart.
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}), IsOk());
}

// The conditions of a query that the vault looks up by their names.
TEST_F(AuditScenariosTest, QueriesNameWhatTheyLookFor) {
  EXPECT_THAT(ReadAs(vault_, kMaskedOnly, kSupport, ann_, "account", {"email"},
                     View::kMasked),
              IsOk());
  const auto count = [&](auto set) {
    QueryAuditInput input;
    set(input);
    const auto page = ReadLog(vault_, input);
    EXPECT_THAT(page, IsOk());
    return page.ok() ? page->events.size() : 0;
  };
  EXPECT_EQ(count([](auto& in) { in.role = "masked"; }), 1U);
  EXPECT_EQ(count([](auto& in) { in.role = "clerk"; }), 0U);
  EXPECT_EQ(count([](auto& in) { in.purpose = "support"; }), 1U);
  EXPECT_EQ(count([](auto& in) { in.field = "account.email"; }), 4U);
  EXPECT_EQ(count([](auto& in) { in.record_class = "billing"; }), 0U);
  const auto refused = [&](auto set) {
    QueryAuditInput input;
    set(input);
    return ReadLog(vault_, input);
  };
  EXPECT_THAT(refused([](auto& in) { in.role = "nobody"; }),
              HasReason(Reason::kValueInvalid));
  EXPECT_THAT(refused([](auto& in) { in.purpose = "curiosity"; }),
              HasReason(Reason::kValueInvalid));
  EXPECT_THAT(refused([](auto& in) { in.field = "account.nothing"; }),
              HasReason(Reason::kFieldUnknown));
  EXPECT_THAT(refused([](auto& in) { in.record_class = "nothing"; }),
              HasReason(Reason::kFieldUnknown));
}

}  // namespace
}  // namespace hizo::vault
