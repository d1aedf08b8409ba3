#include "service/vault/subject_index.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class SubjectIndexTest : public ::testing::Test {
 protected:
  const SubjectIndex& index() { return vault_.services().index; }
  std::unique_ptr<Attempt> NewAttempt() {
    return vault_.NewAttempt(FullCall(vault_, Action::kRecordPut));
  }
  absl::Status Add(std::string_view field, std::string_view text,
                   SubjectId subject, base::TenantId tenant = kAcme) {
    auto attempt = NewAttempt();
    const auto added = index().Add(*attempt, vault_.Tenant(tenant),
                                   vault_.Field(field), text, subject);
    if (!added.ok()) return added.status();
    return vault_.Commit(std::move(attempt)).status;
  }
  absl::Status Remove(std::string_view field, std::string_view text,
                      SubjectId subject) {
    auto attempt = NewAttempt();
    const absl::Status removed = index().Remove(
        *attempt, vault_.Tenant(kAcme), vault_.Field(field), text, subject);
    if (!removed.ok()) return removed;
    return vault_.Commit(std::move(attempt)).status;
  }
  absl::StatusOr<std::vector<SubjectId>> FindIn(base::TenantId tenant,
                                                std::string_view field,
                                                std::string_view text) {
    auto attempt = NewAttempt();
    const auto found = index().Find(*attempt, vault_.Tenant(tenant),
                                    vault_.Field(field), text, {});
    if (!found.ok()) return found.status();
    EXPECT_EQ(found->next, "");
    return found->subjects;
  }
  std::vector<SubjectId> Found(std::string_view field, std::string_view text) {
    const auto found = FindIn(kAcme, field, text);
    EXPECT_THAT(found, IsOk());
    return found.value_or(std::vector<SubjectId>());
  }
  size_t Rows() {
    return test::RowsOf(vault_.keys(), base::kSpaceIndex).size();
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, "ann@example.com");
  const SubjectId bob_ = NewPerson(vault_, "bob@example.com");
};

TEST_F(SubjectIndexTest, FindsWhoHasAValueAndNobodyElse) {
  EXPECT_THAT(Found("account.email", "ann@example.com"), ElementsAre(ann_));
  EXPECT_THAT(Found("account.email", "bob@example.com"), ElementsAre(bob_));
  EXPECT_THAT(Found("account.email", "eve@example.com"), IsEmpty());
  EXPECT_THAT(Found("account.username", "ann"), IsEmpty());
}

TEST_F(SubjectIndexTest, FindsAValueInWhateverWayItIsWritten) {
  EXPECT_THAT(Found("account.email", " Ann@EXAMPLE.com"), ElementsAre(ann_));
  ASSERT_THAT(Add("account.phone", "03-1234-5678", ann_), IsOk());
  EXPECT_THAT(Found("account.phone", "+81 3 1234 5678"), ElementsAre(ann_));
  ASSERT_THAT(Add("account.username", "Ann.O", ann_), IsOk());
  EXPECT_THAT(Found("account.username", "ann.o"), ElementsAre(ann_));
  ASSERT_THAT(Add("account.reference", "No 7", ann_), IsOk());
  EXPECT_THAT(Found("account.reference", " No 7 "), ElementsAre(ann_));
  EXPECT_THAT(Found("account.reference", "no 7"), IsEmpty());
}

TEST_F(SubjectIndexTest, RefusesTextThatIsNotOfTheFieldsType) {
  EXPECT_THAT(FindIn(kAcme, "account.email", "no address"),
              HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Add("account.phone", "a phone", ann_),
              HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Remove("account.username", "", ann_),
              HasReason(Reason::kValueInvalid));
  const auto refused = FindIn(kAcme, "account.email", "no address");
  EXPECT_EQ(base::FieldOf(refused.status()), 102);
}

TEST_F(SubjectIndexTest, ReadsNationalNumbersOnlyWhereTheTenantHasARegion) {
  ASSERT_THAT(Add("account.phone", "03-1234-5678", ann_), IsOk());
  EXPECT_THAT(FindIn(kGlobex, "account.phone", "03-1234-5678"),
              HasReason(Reason::kValueInvalid));
}

TEST_F(SubjectIndexTest, RefusesAUniqueValueThatSomebodyElseHas) {
  const absl::Status refused = Add("account.email", "ann@example.com", bob_);
  EXPECT_THAT(refused, HasReason(Reason::kAlreadyExists));
  EXPECT_EQ(base::FieldOf(refused), 102);
  EXPECT_THAT(Found("account.email", "ann@example.com"), ElementsAre(ann_));
}

TEST_F(SubjectIndexTest, ChangesNothingForAValueThatThePersonHasAlready) {
  const size_t rows = Rows();
  EXPECT_THAT(Add("account.email", "ann@example.com", ann_), IsOk());
  EXPECT_EQ(Rows(), rows);
  EXPECT_THAT(Found("account.email", "ann@example.com"), ElementsAre(ann_));
}

TEST_F(SubjectIndexTest, FindsEverybodyWhoSharesAPhone) {
  ASSERT_THAT(Add("account.phone", "+81312345678", ann_), IsOk());
  ASSERT_THAT(Add("account.phone", "+81312345678", bob_), IsOk());
  EXPECT_THAT(Found("account.phone", "+81312345678"),
              UnorderedElementsAre(ann_, bob_));
  ASSERT_THAT(Remove("account.phone", "+81312345678", ann_), IsOk());
  EXPECT_THAT(Found("account.phone", "+81312345678"), ElementsAre(bob_));
}

TEST_F(SubjectIndexTest, RefusesOneMoreThanMayShareAValue) {
  const std::string phone = "+81312345678";
  for (size_t i = 0; i < kSubjectsPerValueMax; ++i) {
    const SubjectId subject =
        NewPerson(vault_, "p" + std::to_string(i) + "@example.com");
    ASSERT_THAT(Add("account.phone", phone, subject), IsOk());
  }
  const absl::Status refused = Add("account.phone", phone, ann_);
  EXPECT_THAT(refused, HasReason(Reason::kTooLarge));
  EXPECT_EQ(base::FieldOf(refused), 104);
  EXPECT_THAT(Found("account.phone", phone), SizeIs(kSubjectsPerValueMax));
}

TEST_F(SubjectIndexTest, GoesOnWhereItStopped) {
  const std::string phone = "+81312345678";
  std::vector<SubjectId> people;
  for (int i = 0; i < 5; ++i) {
    people.push_back(NewPerson(vault_, "p" + std::to_string(i) + "@e.com"));
    ASSERT_THAT(Add("account.phone", phone, people.back()), IsOk());
  }
  std::vector<SubjectId> found;
  SubjectIndex::Range range{.after = "", .limit = 2};
  std::vector<size_t> sizes;
  do {
    auto attempt = NewAttempt();
    const auto page = index().Find(*attempt, vault_.Tenant(kAcme),
                                   vault_.Field("account.phone"), phone, range);
    ASSERT_THAT(page, IsOk());
    sizes.push_back(page->subjects.size());
    found.insert(found.end(), page->subjects.begin(), page->subjects.end());
    range.after = page->next;
  } while (!range.after.empty());
  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
  EXPECT_THAT(found, ::testing::UnorderedElementsAreArray(people));
}

TEST_F(SubjectIndexTest, APageThatEndsWithTheLastOneIsTheLast) {
  ASSERT_THAT(Add("account.phone", "+81312345678", ann_), IsOk());
  ASSERT_THAT(Add("account.phone", "+81312345678", bob_), IsOk());
  auto attempt = NewAttempt();
  const auto page = index().Find(*attempt, vault_.Tenant(kAcme),
                                 vault_.Field("account.phone"), "+81312345678",
                                 {.after = "", .limit = 2});
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->subjects, SizeIs(2));
  EXPECT_EQ(page->next, "");
}

TEST_F(SubjectIndexTest, RefusesAPlaceThatIsNone) {
  auto attempt = NewAttempt();
  EXPECT_THAT(index().Find(*attempt, vault_.Tenant(kAcme),
                           vault_.Field("account.phone"), "+81312345678",
                           {.after = "short", .limit = 2}),
              HasReason(Reason::kValueInvalid));
}

TEST_F(SubjectIndexTest, FreesAValueThatIsRemoved) {
  ASSERT_THAT(Remove("account.email", "ann@example.com", ann_), IsOk());
  EXPECT_THAT(Found("account.email", "ann@example.com"), IsEmpty());
  EXPECT_THAT(Add("account.email", "ann@example.com", bob_), IsOk());
  EXPECT_THAT(Found("account.email", "ann@example.com"), ElementsAre(bob_));
}

TEST_F(SubjectIndexTest, RemovesNobodyElse) {
  EXPECT_THAT(Remove("account.email", "ann@example.com", bob_), IsOk());
  EXPECT_THAT(Remove("account.email", "eve@example.com", bob_), IsOk());
  EXPECT_THAT(Found("account.email", "ann@example.com"), ElementsAre(ann_));
}

TEST_F(SubjectIndexTest, CountsARowWhosePersonDoesNotExistAsAbsent) {
  const SubjectId ghost = NewSubjectId();
  ASSERT_THAT(Add("account.email", "ghost@example.com", ghost), IsOk());
  EXPECT_THAT(Found("account.email", "ghost@example.com"), IsEmpty());
}

TEST_F(SubjectIndexTest, ReplacesTheRowOfSomebodyWhoDoesNotExist) {
  for (const char* field : {"account.username", "account.phone"}) {
    const char* text =
        field == std::string("account.username") ? "ghost" : "+81312345678";
    ASSERT_THAT(Add(field, text, NewSubjectId()), IsOk());
    const size_t rows = Rows();
    ASSERT_THAT(Add(field, text, ann_), IsOk());
    EXPECT_EQ(Rows(), rows);
    EXPECT_THAT(Found(field, text), ElementsAre(ann_));
  }
}

TEST_F(SubjectIndexTest, KeepsTenantsApart) {
  EXPECT_THAT(FindIn(kGlobex, "account.email", "ann@example.com"),
              IsOkAndHolds(IsEmpty()));
  const SubjectId other = NewPersonOfGlobex(vault_, "ann@example.com");
  EXPECT_THAT(FindIn(kGlobex, "account.email", "ann@example.com"),
              IsOkAndHolds(ElementsAre(other)));
  EXPECT_THAT(Found("account.email", "ann@example.com"), ElementsAre(ann_));
}

TEST_F(SubjectIndexTest, TellsWhereAValueStandsAlwaysTheSame) {
  auto attempt = NewAttempt();
  const auto add = [&](std::string_view text) {
    return *index().Add(*attempt, vault_.Tenant(kAcme),
                        vault_.Field("account.reference"), text, ann_);
  };
  const IndexPointer pointer = add("No 7");
  EXPECT_EQ(pointer.kind, 103);
  EXPECT_EQ(pointer, add(" No 7"));
  EXPECT_NE(pointer, add("No 8"));
}

TEST_F(SubjectIndexTest, LetsOnlyOneOfTwoRivalsHaveAUniqueValue) {
  auto first = NewAttempt();
  auto second = NewAttempt();
  const auto& field = vault_.Field("account.username");
  ASSERT_THAT(index().Add(*first, vault_.Tenant(kAcme), field, "it", ann_),
              IsOk());
  ASSERT_THAT(index().Add(*second, vault_.Tenant(kAcme), field, "it", bob_),
              IsOk());
  EXPECT_THAT(vault_.Commit(std::move(first)).status, IsOk());
  EXPECT_THAT(vault_.Commit(std::move(second)).status,
              HasReason(Reason::kConflict));
  EXPECT_THAT(Found("account.username", "it"), ElementsAre(ann_));
}

TEST_F(SubjectIndexTest, ReliesOnWhoWasFound) {
  const auto& field = vault_.Field("account.email");
  auto gone = NewAttempt();
  auto nobody = NewAttempt();
  const auto found = [](const auto& matcher) {
    return IsOkAndHolds(::testing::Field(&FoundSubjects::subjects, matcher));
  };
  ASSERT_THAT(
      index().Find(*gone, vault_.Tenant(kAcme), field, "ann@example.com", {}),
      found(ElementsAre(ann_)));
  ASSERT_THAT(
      index().Find(*nobody, vault_.Tenant(kAcme), field, "eve@example.com", {}),
      found(IsEmpty()));
  ASSERT_THAT(Add("account.phone", "+81312345678", ann_), IsOk());
  auto alone = NewAttempt();
  ASSERT_THAT(index().Find(*alone, vault_.Tenant(kAcme),
                           vault_.Field("account.phone"), "+81312345678", {}),
              found(ElementsAre(ann_)));
  ASSERT_THAT(Remove("account.email", "ann@example.com", ann_), IsOk());
  ASSERT_THAT(Add("account.email", "eve@example.com", bob_), IsOk());
  ASSERT_THAT(Add("account.phone", "+81312345678", bob_), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(alone)).status,
              HasReason(Reason::kConflict));
  EXPECT_THAT(vault_.Commit(std::move(gone)).status,
              HasReason(Reason::kConflict));
  EXPECT_THAT(vault_.Commit(std::move(nobody)).status,
              HasReason(Reason::kConflict));
}

// The index as records are written.
class ReindexTest : public SubjectIndexTest {
 protected:
  absl::Status PutAccount(const TextFields& fields) {
    return Put(vault_, ann_, RecordOf("account", fields)).status();
  }
};

TEST_F(ReindexTest, FindsTheNewAddressAndFreesTheOld) {
  ASSERT_THAT(PutAccount({{"email", "new@example.com"}}), IsOk());
  EXPECT_THAT(Found("account.email", "new@example.com"), ElementsAre(ann_));
  EXPECT_THAT(Found("account.email", "ann@example.com"), IsEmpty());
  EXPECT_THAT(
      Put(vault_, bob_, RecordOf("account", {{"email", "ann@example.com"}})),
      IsOk());
}

TEST_F(ReindexTest, FindsAnAddressWrittenInAnotherWay) {
  ASSERT_THAT(PutAccount({{"email", "ANN@example.com"}}), IsOk());
  EXPECT_THAT(Found("account.email", "ann@example.com"), ElementsAre(ann_));
  EXPECT_THAT(
      Put(vault_, bob_, RecordOf("account", {{"email", "ann@example.com"}})),
      HasReason(Reason::kAlreadyExists));
  const auto shown = Get(vault_, ann_, "account", {"email"});
  ASSERT_THAT(shown, IsOk());
  EXPECT_THAT(TextsOf(*shown),
              ElementsAre(std::pair("email", "ANN@example.com")));
}

TEST_F(ReindexTest, TakesRemovedFieldsOutOfTheIndex) {
  ASSERT_THAT(PutAccount({{"username", "ann"}}), IsOk());
  EXPECT_THAT(Found("account.username", "ann"), ElementsAre(ann_));
  EXPECT_THAT(Found("account.email", "ann@example.com"), IsEmpty());
}

TEST_F(ReindexTest, LeavesFieldsOutsideOfTheMaskInTheIndex) {
  ASSERT_THAT(
      PutMasked(vault_, ann_, RecordOf("account", {{"username", "ann"}}),
                {"username"}),
      IsOk());
  EXPECT_THAT(Found("account.username", "ann"), ElementsAre(ann_));
  EXPECT_THAT(Found("account.email", "ann@example.com"), ElementsAre(ann_));
  ASSERT_THAT(PutMasked(vault_, ann_, RecordOf("account", {}), {"username"}),
              IsOk());
  EXPECT_THAT(Found("account.username", "ann"), IsEmpty());
  EXPECT_THAT(Found("account.email", "ann@example.com"), ElementsAre(ann_));
}

TEST_F(ReindexTest, WantsNoPermissionForSearchableFieldsThatAreNotThere) {
  // The record lacks username, reference and phone, and the put too.
  EXPECT_THAT(PutMasked(vault_, ann_, RecordOf("account", {{"plan", "free"}}),
                        {"plan"}),
              IsOk());
  EXPECT_THAT(PutAccount({{"email", "ann@example.com"}, {"plan", "paid"}}),
              IsOk());
  const Call call =
      vault_.CallOf(test::kClerk, Action::kRecordPut, test::kBilling);
  PutRecordInput input;
  input.subject = ann_;
  input.record = RecordOf("account", {{"phone", "+81312345678"}});
  input.update_mask = {"phone"};
  EXPECT_THAT(Put(vault_, call, std::move(input)), IsOk());
  EXPECT_THAT(Found("account.phone", "+81312345678"), ElementsAre(ann_));
}

TEST_F(ReindexTest, ChangesNothingWhenTheValueIsTaken) {
  EXPECT_THAT(PutAccount({{"email", "bob@example.com"}}),
              HasReason(Reason::kAlreadyExists));
  EXPECT_THAT(Found("account.email", "ann@example.com"), ElementsAre(ann_));
  EXPECT_THAT(Found("account.email", "bob@example.com"), ElementsAre(bob_));
}

TEST_F(ReindexTest, IsPutRightByRepeatingAChangeThatDiedBetweenTheStores) {
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::UnknownError("injected"));
  EXPECT_THAT(PutAccount({{"email", "new@example.com"}}),
              HasReason(Reason::kOutcomeUnknown));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  ASSERT_THAT(PutAccount({{"email", "new@example.com"}}), IsOk());
  EXPECT_THAT(Found("account.email", "new@example.com"), ElementsAre(ann_));
  EXPECT_THAT(Found("account.email", "ann@example.com"), IsEmpty());
}

TEST_F(ReindexTest, AddsAPointerForEachPlaceThatAPersonWasEverIn) {
  const auto pointers = [this] {
    return AdmitFully(vault_, kFull, ann_).grant.facts().pointers;
  };
  const auto before = pointers();
  ASSERT_THAT(before, SizeIs(1));
  ASSERT_THAT(PutAccount({{"email", "new@example.com"}}), IsOk());
  const auto after = pointers();
  ASSERT_THAT(after, SizeIs(2));
  EXPECT_TRUE(std::ranges::is_sorted(after));
  EXPECT_TRUE(std::ranges::includes(after, before));
  ASSERT_THAT(PutAccount({{"email", "ann@example.com"}}), IsOk());
  EXPECT_EQ(pointers(), after);
}

}  // namespace
}  // namespace hizo::vault
