// Disks that are full but for their reserve: nothing is shown or changed, and
// who wants to be erased is erased.
#include <chrono>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using std::chrono::days;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::Gt;
using ::testing::SizeIs;

constexpr char kAnns[] = "ann@example.com";

class FullDiskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(
        Put(vault_, ann_, RecordOf("profile", {{"full_name", "Ann Other"}})),
        IsOk());
  }
  void SetFull(bool full) {
    vault_.keys().SetOnlyReserveLeft(full);
    vault_.data().SetOnlyReserveLeft(full);
  }
  auto Name(SubjectId subject) {
    return Get(vault_, subject, "profile", {"full_name"});
  }
  absl::Status Rename(SubjectId subject) {
    return Put(vault_, subject, RecordOf("profile", {{"full_name", "Else"}}))
        .status();
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, kAnns);
  const SubjectId bob_ = NewPerson(vault_, "bob@example.com");
};

TEST_F(FullDiskTest, ShowsAndChangesNothingAndGoesOnWhenThereIsRoom) {
  SetFull(true);
  EXPECT_THAT(Name(ann_), HasReason(Reason::kAuditUnavailable));
  EXPECT_THAT(Rename(ann_), HasReason(Reason::kAuditUnavailable));
  EXPECT_THAT(Create(vault_, {}), HasReason(Reason::kAuditUnavailable));
  const size_t commits = vault_.data().commits();
  EXPECT_THAT(Name(ann_), HasReason(Reason::kAuditUnavailable));
  EXPECT_EQ(vault_.data().commits(), commits) << "the reserve was tried";
  SetFull(false);
  EXPECT_THAT(Name(ann_), IsOk());
  EXPECT_THAT(Rename(ann_), IsOk());
}

TEST_F(FullDiskTest, ErasesSealsAndFinishesAllTheSame) {
  SetFull(true);
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  SetFull(false);
  EXPECT_THAT(GetErasure(vault_, ann_)->receipts, SizeIs(1));
  EXPECT_TRUE(VerifyErasure(vault_, ann_)->erased());
  EXPECT_THAT(Name(ann_), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Rename(bob_), IsOk());
}

TEST_F(FullDiskTest, AGraceEndsAllTheSame) {
  ASSERT_THAT(Erase(vault_, ann_, days(1)), IsOk());
  SetFull(true);
  vault_.clock().Advance(days(1));
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  SetFull(false);
  EXPECT_TRUE(VerifyErasure(vault_, ann_)->erased());
}

// The reserve is no one's but theirs who go: what only makes things new waits.
TEST_F(FullDiskTest, RotatesAndRenewsNothing) {
  const Call call = FullCall(vault_, Action::kKeysRotate);
  ASSERT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().key_rotations().Begin(
                               attempt, call, /*data_keys=*/false);
                         }),
              IsOk());
  ASSERT_THAT(Rename(ann_), IsOk());
  ASSERT_THAT(vault_.store().WaitingRenewals(), IsOkAndHolds(Gt(0U)));
  const auto epoch = vault_.store().store_keys().epoch();
  SetFull(true);
  EXPECT_THAT(vault_.store().RotateKeys(),
              StatusIs(absl::StatusCode::kResourceExhausted));
  // Before it seals, it writes.
  EXPECT_THAT(vault_.store().Renew(), HasReason(Reason::kAuditUnavailable));
  EXPECT_EQ(vault_.store().store_keys().epoch(), epoch);
  SetFull(false);
  EXPECT_THAT(vault_.store().RotateKeys(), IsOkAndHolds(true));
  EXPECT_THAT(vault_.store().Renew(), IsOkAndHolds(Gt(0U)));
}

// An erasure takes nobody else along into the reserve.
TEST_F(FullDiskTest, LetsOnlyErasuresOfABatchThrough) {
  const SubjectId eve = NewPerson(vault_, "eve@example.com");
  absl::Status erased;
  absl::Status renamed;
  {
    HeldDisk disk(vault_.data());
    const std::jthread first([&] { EXPECT_THAT(Erase(vault_, eve), IsOk()); });
    disk.AwaitReached();
    SetFull(true);
    const std::jthread eraser([&] { erased = Erase(vault_, ann_).status(); });
    const std::jthread renamer([&] { renamed = Rename(bob_); });
    while (vault_.store().committer().queued() < 2) std::this_thread::yield();
    disk.Release();
  }
  EXPECT_THAT(erased, IsOk());
  EXPECT_THAT(renamed, HasReason(Reason::kAuditUnavailable));
}

// Only what needs the room that is missing waits for it.
TEST_F(FullDiskTest, ReadsGoOnWhileOnlyKeysAreFull) {
  vault_.keys().SetOnlyReserveLeft(true);
  EXPECT_THAT(Name(ann_), IsOk());
  EXPECT_THAT(Rename(ann_), IsOk());
  EXPECT_THAT(Create(vault_, {}), HasReason(Reason::kAuditUnavailable));
  EXPECT_THAT(Erase(vault_, ann_), IsOk());
}

// What a batch had written to the keys goes back, reserve or not.
TEST_F(FullDiskTest, TakesBackWhatOnlyTheKeysHadTaken) {
  vault_.data().BeforeCommit([&] { SetFull(true); });
  EXPECT_THAT(Create(vault_, {}), HasReason(Reason::kAuditUnavailable));
  SetFull(false);
  EXPECT_TRUE(vault_.store().committer().healthy());
  EXPECT_THAT(Name(ann_), IsOk());
}

}  // namespace
}  // namespace hizo::vault
