#include "service/vault/access_history.h"

#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/history_words.h"
#include "tests/service/vault/audit_reports.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using policy::View;
using test::HasReason;
using test::IsOk;
using test::kAuditor;
using test::kMaskedOnly;
using test::kOtherAuditor;
using test::kSupport;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class AccessHistoryTest : public ::testing::Test {
 protected:
  absl::StatusOr<HistoryPage> Read(int32_t size = 0,
                                   const std::string& token = "") {
    AccessHistoryInput input;
    input.subject = ann_;
    input.order = audit::Order::kOldestFirst;
    input.page_size = size;
    input.page_token = token;
    return ReadHistory(vault_, input);
  }
  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, "ann@example.com");
  const SubjectId bob_ = NewPerson(vault_, "bob@example.com");
};

TEST_F(AccessHistoryTest, TellsWhatWasDoneInWords) {
  EXPECT_THAT(ReadAs(vault_, kMaskedOnly, kSupport, ann_, "account", {"email"},
                     View::kMasked),
              IsOk());
  const auto page = Read();
  ASSERT_THAT(page, IsOk());
  ASSERT_THAT(page->entries, SizeIs(2));
  EXPECT_EQ(page->entries[0].what, "Opened your account");
  const HistoryEntry& read = page->entries[1];
  EXPECT_EQ(read.what, "Read data of yours");
  EXPECT_EQ(read.who, "the service \"masked\"");
  EXPECT_EQ(read.staff, "");
  ASSERT_NE(read.purpose, nullptr);
  EXPECT_EQ(read.purpose->name, "support");
  ASSERT_THAT(read.fields, SizeIs(1));
  EXPECT_EQ(read.fields[0]->full_name, "account.email");
  EXPECT_EQ(read.view, View::kMasked);
  EXPECT_EQ(read.refusal, "");
}

TEST_F(AccessHistoryTest, TellsOfNobodyElse) {
  EXPECT_THAT(Get(vault_, bob_, "profile", {"full_name"}), IsOk());
  const auto page = Read();
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->entries, SizeIs(1));
}

TEST_F(AccessHistoryTest, TellsOfRefusals) {
  EXPECT_THAT(ReadAs(vault_, kMaskedOnly, kSupport, ann_, "account", {"email"},
                     View::kPlain),
              HasReason(Reason::kCallerNotEntitled));
  const auto page = Read();
  ASSERT_THAT(page, IsOk());
  ASSERT_THAT(page->entries, SizeIs(2));
  EXPECT_EQ(page->entries[1].outcome, audit::Outcome::kDenied);
  EXPECT_EQ(page->entries[1].refusal, "Refused: not allowed to do this.");
}

TEST_F(AccessHistoryTest, ShowsStaffUnderANumberOfThisPersonOnly) {
  const auto number_in = [&](SubjectId subject) {
    AccessHistoryInput input;
    input.subject = subject;
    std::string staff;
    // The first look is in the second one's list.
    for (int i = 0; i < 2; ++i) {
      const auto page = ReadHistory(vault_, input);
      EXPECT_THAT(page, IsOk());
      const HistoryEntry& newest = page->entries.front();
      staff = newest.staff;
      if (i == 1) {
        EXPECT_EQ(newest.who, "an auditor");
        EXPECT_THAT(newest.what, HasSubstr("Asked for this list"));
      }
    }
    return staff;
  };
  const std::string of_ann = number_in(ann_);
  EXPECT_THAT(of_ann, SizeIs(6));
  EXPECT_EQ(number_in(ann_), of_ann);
  EXPECT_NE(number_in(bob_), of_ann);
}

TEST_F(AccessHistoryTest, NamesNoCallerByItsCertificate) {
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}), IsOk());
  ASSERT_THAT(Read(), IsOk());
  const auto page = Read();
  ASSERT_THAT(page, IsOk());
  for (const HistoryEntry& entry : page->entries) {
    EXPECT_THAT(entry.who + entry.staff + entry.about,
                Not(HasSubstr("spiffe")));
  }
}

TEST_F(AccessHistoryTest, PagesMeetAndDoNotShift) {
  for (int i = 0; i < 6; ++i) {
    EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}), IsOk());
  }
  std::string token;
  size_t entries = 0;
  int pages = 0;
  do {
    const auto page = Read(3, token);
    ASSERT_THAT(page, IsOk());
    entries += page->entries.size();
    token = page->next_page_token;
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(entries, 7U);  // the looks meanwhile are not among them
  EXPECT_EQ(pages, 3);
}

TEST_F(AccessHistoryTest, ATokenIsForOnePersonOnly) {
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}), IsOk());
  const auto page = Read(1);
  ASSERT_THAT(page, IsOk());
  AccessHistoryInput input;
  input.subject = bob_;
  input.order = audit::Order::kOldestFirst;
  input.page_token = page->next_page_token;
  EXPECT_THAT(ReadHistory(vault_, input), HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(Read(-1), HasReason(Reason::kValueInvalid));
}

TEST_F(AccessHistoryTest, IsOfAWindow) {
  vault_.clock().Advance(std::chrono::hours(1));
  const base::Timestamp later = vault_.clock().Now();
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}), IsOk());
  AccessHistoryInput input;
  input.subject = ann_;
  input.start = later;
  EXPECT_THAT(ReadHistory(vault_, input)->entries, SizeIs(1));
  input.start.reset();
  input.end = later;
  EXPECT_THAT(ReadHistory(vault_, input)->entries, SizeIs(1));
  input.start = later;
  EXPECT_THAT(ReadHistory(vault_, input)->entries, IsEmpty());
}

TEST_F(AccessHistoryTest, IsRefusedToOthersAndOfNobody) {
  AccessHistoryInput input;
  input.subject = ann_;
  EXPECT_THAT(ReadHistory(vault_, input, kOtherAuditor),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(ReadHistory(vault_, input, test::kFull),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
  input.subject = SubjectId();
  EXPECT_THAT(ReadHistory(vault_, input), HasReason(Reason::kSubjectNotFound));
}

TEST(HistoryWordsTest, EveryActionHasWordsForPeople) {
  for (int i = 0; i < policy::kActionCount; ++i) {
    const auto words = WordsOf(static_cast<policy::Action>(i));
    EXPECT_THAT(std::string(words), Not(IsEmpty())) << i;
    EXPECT_EQ(words.find('.'), words.npos) << words;
  }
}

TEST(HistoryWordsTest, EveryRefusalHasASentence) {
  audit::Event event;
  for (int i = 1; i < base::kReasonCount; ++i) {
    event.reason = *base::ReasonFromNumber(static_cast<uint32_t>(i));
    event.outcome = audit::Outcome::kDenied;
    EXPECT_TRUE(RefusalOf(event).ends_with('.')) << i;
    event.outcome = audit::Outcome::kFailed;
    EXPECT_TRUE(RefusalOf(event).ends_with('.')) << i;
  }
  event.outcome = audit::Outcome::kAllowed;
  EXPECT_EQ(RefusalOf(event), "");
}

TEST(HistoryWordsTest, EveryKindOfStaffHasAName) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(policy::RoleKind::kAdministrator);
       ++i) {
    names.insert(WordsOf(static_cast<policy::RoleKind>(i)));
  }
  EXPECT_THAT(names, SizeIs(5));
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace hizo::vault
