#include "service/vault/user_keys.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using policy::ClassNumber;
using policy::kClassFacts;
using test::HasReason;
using test::IsOk;
using test::kOtherFull;
using test::Overwrite;
using test::Stored;

constexpr ClassNumber kAccount = 1;
constexpr ClassNumber kProfile = 2;
constexpr ClassNumber kTransaction = 4;

// The row: format and count, then for each class its number, generation,
// flags and sealed key.
constexpr size_t kHeadSize = 2;
constexpr size_t kEntryHeadSize = 7;
constexpr size_t kEntrySize = kEntryHeadSize + 72;

class UserKeysTest : public ::testing::Test {
 protected:
  std::string KeyOfRow(base::TenantId tenant, base::SubjectId subject) {
    const auto bucket = vault_.services().store_keys.tree()->BucketOf(
        DeksName(tenant, subject));
    return DeksKey(bucket, tenant, subject);
  }
  std::string RowOf(base::SubjectId subject) {
    return Stored(vault_.keys(), KeyOfRow(kAcme, subject));
  }
  void OverwriteRowOf(base::SubjectId subject, const std::string& row) {
    Overwrite(vault_.keys(), KeyOfRow(kAcme, subject), row);
  }
  absl::StatusOr<std::string> DekOf(base::SubjectId subject,
                                    ClassNumber class_number) {
    const Admitted admitted = AdmitFully(vault_, kFull, subject);
    const auto key =
        vault_.services().user_keys.Unlock(admitted.grant, class_number);
    if (!key.ok()) return key.status();
    return key->has_value() ? std::string((*key)->dek.Expose()) : "none";
  }
  // What somebody who may do everything is told.
  absl::Status StatusOfReading(std::string_view actor,
                               base::SubjectId subject) {
    const Call call = vault_.CallOf(actor, Action::kSubjectGet, kService);
    return vault_
        .Run(call,
             [&](Attempt& attempt) {
               return vault_.store().subjects().Get(attempt, call, subject);
             })
        .status();
  }

  VaultFixture vault_;
  const base::SubjectId ann_ = NewPerson(vault_, "ann@example.com");
  const base::SubjectId bob_ = NewPerson(vault_, "bob@example.com");
};

TEST_F(UserKeysTest, UnlocksTheSameKeyEachTime) {
  EXPECT_EQ(*DekOf(ann_, kProfile), *DekOf(ann_, kProfile));
  const std::string before = *DekOf(ann_, kProfile);
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(*DekOf(ann_, kProfile), before);
}

TEST_F(UserKeysTest, GivesEveryPersonAndClassAKeyOfItsOwn) {
  EXPECT_NE(*DekOf(ann_, kProfile), *DekOf(ann_, kAccount));
  EXPECT_NE(*DekOf(ann_, kProfile), *DekOf(ann_, kClassFacts));
  EXPECT_NE(*DekOf(ann_, kProfile), *DekOf(bob_, kProfile));
}

TEST_F(UserKeysTest, HasNoKeyForAClassThatThePersonHasNothingIn) {
  EXPECT_EQ(*DekOf(ann_, kTransaction), "none");
}

TEST_F(UserKeysTest, RefusesAClassThatTheGrantDoesNotCover) {
  const Call call = FullCall(vault_, Action::kRecordGet);
  auto attempt = vault_.NewAttempt(call);
  Ask ask;
  ask.subject = ann_;
  ask.classes.set(kProfile);
  auto grant = vault_.services().gate.Admit(*attempt, call, ask);
  ASSERT_THAT(grant, IsOk());
  const UserKeys& user_keys = vault_.services().user_keys;
  EXPECT_THAT(user_keys.Unlock(*grant, kProfile), IsOk());
  EXPECT_THAT(user_keys.Unlock(*grant, kAccount), HasReason(Reason::kInternal));
  EXPECT_THAT(user_keys.Unlock(*grant, kClassFacts),
              HasReason(Reason::kInternal));
  const ClassNumber wanted = kAccount;
  EXPECT_THAT(user_keys.Ensure(*attempt, *grant, {&wanted, 1}),
              HasReason(Reason::kInternal));
}

TEST_F(UserKeysTest, EnsuresKeysThatUnlockAtOnceAndAfterTheCommit) {
  Admitted admitted = AdmitFully(vault_, kFull, ann_);
  const UserKeys& user_keys = vault_.services().user_keys;
  const ClassNumber wanted = kTransaction;
  ASSERT_THAT(user_keys.Ensure(*admitted.attempt, admitted.grant, {&wanted, 1}),
              IsOk());
  const auto made = user_keys.Unlock(admitted.grant, kTransaction);
  ASSERT_TRUE(made.ok() && made->has_value());
  EXPECT_EQ((*made)->generation, 1);
  const std::string dek((*made)->dek.Expose());
  const std::string profile = *DekOf(ann_, kProfile);
  ASSERT_THAT(vault_.Commit(std::move(admitted.attempt)).status, IsOk());
  EXPECT_EQ(*DekOf(ann_, kTransaction), dek);
  EXPECT_EQ(*DekOf(ann_, kProfile), profile);
}

TEST_F(UserKeysTest, WritesNothingForKeysThatAreThere) {
  Admitted admitted = AdmitFully(vault_, kFull, ann_);
  const std::vector<ClassNumber> present = {kAccount, kProfile, kClassFacts};
  EXPECT_THAT(vault_.services().user_keys.Ensure(*admitted.attempt,
                                                 admitted.grant, present),
              IsOk());
  EXPECT_FALSE(admitted.attempt->writes());
}

TEST_F(UserKeysTest, GivesNobodyTheKeyOfARivalWhoEnsuredFirst) {
  Admitted winner = AdmitFully(vault_, kFull, ann_);
  Admitted loser = AdmitFully(vault_, kFull, ann_);
  const ClassNumber wanted = kTransaction;
  for (Admitted* rival : {&winner, &loser}) {
    ASSERT_THAT(vault_.services().user_keys.Ensure(*rival->attempt,
                                                   rival->grant, {&wanted, 1}),
                IsOk());
  }
  EXPECT_THAT(vault_.Commit(std::move(winner.attempt)).status, IsOk());
  EXPECT_THAT(vault_.Commit(std::move(loser.attempt)).status,
              HasReason(Reason::kConflict));
}

TEST_F(UserKeysTest, RefusesKeysMovedToAnotherPerson) {
  OverwriteRowOf(ann_, RowOf(bob_));
  EXPECT_THAT(StatusOfReading(kFull, ann_),
              HasReason(Reason::kIntegrityFailure));
  EXPECT_THAT(StatusOfReading(kFull, bob_), IsOk());
}

TEST_F(UserKeysTest, RefusesOneKeyMovedToAnotherPerson) {
  std::string row = RowOf(ann_);
  row.replace(kHeadSize, kEntrySize, RowOf(bob_), kHeadSize, kEntrySize);
  OverwriteRowOf(ann_, row);
  EXPECT_THAT(DekOf(ann_, kAccount), HasReason(Reason::kIntegrityFailure));
  EXPECT_THAT(DekOf(ann_, kProfile), IsOk());
}

TEST_F(UserKeysTest, RefusesKeysMovedToAnotherClass) {
  std::string row = RowOf(ann_);
  const size_t first = kHeadSize + kEntryHeadSize;
  const std::string account = row.substr(first, 72);
  const std::string profile = row.substr(first + kEntrySize, 72);
  row.replace(first, 72, profile).replace(first + kEntrySize, 72, account);
  OverwriteRowOf(ann_, row);
  EXPECT_THAT(DekOf(ann_, kAccount), HasReason(Reason::kIntegrityFailure));
  EXPECT_THAT(DekOf(ann_, kProfile), HasReason(Reason::kIntegrityFailure));
}

TEST_F(UserKeysTest, RefusesKeysMovedToAnotherTenant) {
  Overwrite(vault_.keys(), KeyOfRow(kGlobex, ann_), RowOf(ann_));
  Overwrite(vault_.data(), FactsKey(kGlobex, ann_),
            Stored(vault_.data(), FactsKey(kAcme, ann_)));
  EXPECT_THAT(StatusOfReading(kOtherFull, ann_),
              HasReason(Reason::kIntegrityFailure));
}

TEST_F(UserKeysTest, RefusesAnotherClassNumberGenerationOrFlag) {
  const std::string row = RowOf(ann_);
  // The last byte of each part before the first sealed key.
  for (const size_t offset : {size_t{1}, size_t{5}, size_t{6}}) {
    std::string changed = row;
    changed[kHeadSize + offset] ^= 0x02;
    OverwriteRowOf(ann_, changed);
    const ClassNumber class_number = offset == 1 ? kAccount ^ 2 : kAccount;
    EXPECT_THAT(DekOf(ann_, class_number),
                HasReason(Reason::kIntegrityFailure));
  }
}

TEST_F(UserKeysTest, RefusesARowOfAnotherForm) {
  const std::string row = RowOf(ann_);
  std::string other_format = row;
  other_format[0] = 2;
  std::string other_count = row;
  other_count[1] += 1;
  for (const std::string& damaged :
       {std::string(), row.substr(0, row.size() - 1), row + '\0', other_format,
        other_count}) {
    OverwriteRowOf(ann_, damaged);
    EXPECT_THAT(StatusOfReading(kFull, ann_),
                HasReason(Reason::kIntegrityFailure));
  }
  OverwriteRowOf(ann_, row);
  EXPECT_THAT(StatusOfReading(kFull, ann_), IsOk());
}

TEST_F(UserKeysTest, FindsNobodyWhereTheKeysAreGone) {
  test::Remove(vault_.keys(), KeyOfRow(kAcme, ann_));
  EXPECT_THAT(StatusOfReading(kFull, ann_),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(UserKeysTest, FindsNothingInAClassWhoseKeyIsGone) {
  // An erased class: its entry is the first of the row.
  std::string row = RowOf(ann_);
  row.erase(kHeadSize, kEntrySize);
  row[1] -= 1;
  OverwriteRowOf(ann_, row);
  EXPECT_THAT(Get(vault_, ann_, "account", {"email"}),
              HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}), IsOk());
}

}  // namespace
}  // namespace hizo::vault
