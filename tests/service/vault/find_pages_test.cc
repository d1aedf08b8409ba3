// Finding people who share a value, page by page.
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/subjects.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::HasReason;
using test::IsOk;
using test::kMaskedOnly;
using test::kSupport;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class FindPagesTest : public ::testing::Test {
 protected:
  FindPagesTest() {
    for (int i = 0; i < 5; ++i) {
      people_.push_back(
          Create(vault_, RecordsOf(RecordOf("account", {{"phone", kPhone}})))
              ->subject);
    }
  }
  absl::StatusOr<SubjectPage> Page(const Call& call, std::string phone,
                                   int32_t size, std::string token) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().subjects().Find(
          attempt, call,
          {"account.phone", base::Pii(std::move(phone)), size,
           std::move(token)});
    });
  }
  absl::StatusOr<SubjectPage> Page(int32_t size, std::string token) {
    return Page(FullCall(vault_, Action::kSubjectFind), kPhone, size,
                std::move(token));
  }
  void Cancel(SubjectId subject) {
    const Call call = FullCall(vault_, Action::kSubjectCancel);
    EXPECT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().subjects().Cancel(
                                 attempt, call, subject);
                           }),
                IsOk());
  }

  static constexpr char kPhone[] = "+81312345678";
  VaultFixture vault_;
  std::vector<SubjectId> people_;
};

TEST_F(FindPagesTest, GivesEverybodyOnceAndEachAnEvent) {
  const size_t before = vault_.Events().size();
  std::vector<SubjectId> found;
  std::string token;
  int pages = 0;
  do {
    const auto page = Page(2, token);
    ASSERT_THAT(page, IsOk());
    EXPECT_LE(page->subjects.size(), 2U);
    found.insert(found.end(), page->subjects.begin(), page->subjects.end());
    token = page->next_page_token;
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(found, ::testing::UnorderedElementsAreArray(people_));
  EXPECT_THAT(vault_.Events(), SizeIs(before + 5));
}

TEST_F(FindPagesTest, ATokenIsForItsCallerAndItsValue) {
  const auto page = Page(2, "");
  ASSERT_THAT(page, IsOk());
  ASSERT_NE(page->next_page_token, "");
  EXPECT_THAT(Page(FullCall(vault_, Action::kSubjectFind), "+81399999999", 2,
                   page->next_page_token),
              HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(Page(vault_.CallOf(kMaskedOnly, Action::kSubjectFind, kSupport),
                   kPhone, 2, page->next_page_token),
              HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(Page(2, page->next_page_token + "x"),
              HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(Page(-1, ""), HasReason(Reason::kValueInvalid));
  vault_.clock().Advance(std::chrono::minutes(61));
  EXPECT_THAT(Page(2, page->next_page_token),
              HasReason(Reason::kPageTokenInvalid));
}

TEST_F(FindPagesTest, ATokenTellsNothingOfTheValue) {
  const auto page = Page(2, "");
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->next_page_token,
              ::testing::Not(::testing::HasSubstr("312345678")));
}

TEST_F(FindPagesTest, APageOfPeopleWhoHaveLeftIsPassedOver) {
  const auto all = Page(5, "");
  ASSERT_THAT(all, IsOk());
  ASSERT_THAT(all->subjects, SizeIs(5));
  Cancel(all->subjects[0]);
  Cancel(all->subjects[1]);
  const size_t before = vault_.Events().size();
  const auto page = Page(2, "");
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->subjects, ElementsAre(all->subjects[2], all->subjects[3]));
  EXPECT_NE(page->next_page_token, "");
  // Everybody who was looked at has an event of their own.
  const auto events = vault_.Events();
  ASSERT_THAT(events, SizeIs(before + 4));
  std::set<std::optional<base::AuditReference>> looked_at;
  for (size_t i = before; i < events.size(); ++i) {
    looked_at.insert(events[i].subject);
    EXPECT_THAT(events[i].fields, ElementsAre(104));
  }
  EXPECT_THAT(looked_at, SizeIs(4));
}

TEST_F(FindPagesTest, NobodyIsFoundWhenAllHaveLeft) {
  for (const SubjectId subject : people_) Cancel(subject);
  EXPECT_THAT(Page(2, ""), HasReason(Reason::kSubjectNotFound));
}

}  // namespace
}  // namespace hizo::vault
