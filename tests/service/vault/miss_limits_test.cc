#include "service/vault/miss_limits.h"

#include <chrono>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::vault {
namespace {

using base::Reason;
using policy::Action;
using std::chrono::seconds;
using test::HasReason;
using test::IsOk;

class MissLimitsTest : public ::testing::Test {
 protected:
  MissLimitsTest() {
    catalogue_ = *policy::Catalogue::Create(test::VaultCatalogueSource());
    policy::AccessSource source = test::VaultAccessSource();
    for (auto& role : source.roles) {
      if (role.name == "masked") role.misses_per_minute = 2;
      if (role.name == "auditor") role.misses_per_minute = 0;
    }
    access_ = *policy::AccessTable::Create(source, *catalogue_);
  }
  const policy::Principal& Caller(const char* id) const {
    return *access_->Find(id);
  }
  // How many misses the caller has before it is told to wait.
  int Spend(MissLimits& limits, const char* caller, Action action) const {
    int misses = 0;
    while (misses < 1000 && limits.Check(Caller(caller), action, now_).ok()) {
      limits.Count(Caller(caller), action, now_);
      ++misses;
    }
    return misses;
  }

  std::unique_ptr<const policy::Catalogue> catalogue_;
  std::unique_ptr<const policy::AccessTable> access_;
  base::Timestamp now_ = base::FromMicros(1'700'000'000'000'000);
};

TEST_F(MissLimitsTest, ACallerHasAMinutesWorthAtOnce) {
  MissLimits limits(*access_, 30);
  EXPECT_EQ(Spend(limits, test::kFull, Action::kSubjectFind), 30);
  EXPECT_THAT(limits.Check(Caller(test::kFull), Action::kSubjectFind, now_),
              HasReason(Reason::kRateLimited));
}

TEST_F(MissLimitsTest, TheyComeBackEvenly) {
  MissLimits limits(*access_, 30);
  Spend(limits, test::kFull, Action::kSubjectFind);
  now_ += seconds(4);
  EXPECT_EQ(Spend(limits, test::kFull, Action::kSubjectFind), 2);
  now_ += std::chrono::minutes(10);
  EXPECT_EQ(Spend(limits, test::kFull, Action::kSubjectFind), 30);
}

TEST_F(MissLimitsTest, TellsWhenToComeBack) {
  MissLimits limits(*access_, 6);
  Spend(limits, test::kFull, Action::kSubjectFind);
  const absl::Status status =
      limits.Check(Caller(test::kFull), Action::kSubjectFind, now_);
  now_ += base::RetryAfterOf(status);
  EXPECT_GT(base::RetryAfterOf(status), seconds(0));
  EXPECT_THAT(limits.Check(Caller(test::kFull), Action::kSubjectFind, now_),
              IsOk());
}

TEST_F(MissLimitsTest, CallersAndKindsAreCountedApart) {
  MissLimits limits(*access_, 5);
  EXPECT_EQ(Spend(limits, test::kFull, Action::kSubjectFind), 5);
  EXPECT_EQ(Spend(limits, test::kFull, Action::kSubjectCreate), 5);
  EXPECT_EQ(Spend(limits, test::kFull, Action::kRecordGet), 5);
  EXPECT_EQ(Spend(limits, test::kClerk, Action::kSubjectFind), 5);
}

TEST_F(MissLimitsTest, LeaveWrongPasswordsToTheWaitsOfCallers) {
  MissLimits limits(*access_, 5);
  EXPECT_EQ(Spend(limits, test::kFull, Action::kCredentialVerify), 1000);
  EXPECT_EQ(Spend(limits, test::kFull, Action::kCredentialChange), 1000);
}

TEST_F(MissLimitsTest, WaysOfAddingPeopleAreOneKind) {
  MissLimits limits(*access_, 5);
  Spend(limits, test::kFull, Action::kSubjectCreate);
  EXPECT_EQ(Spend(limits, test::kFull, Action::kRecordImport), 0);
  EXPECT_EQ(Spend(limits, test::kFull, Action::kRecordPut), 0);
}

TEST_F(MissLimitsTest, ARoleSaysOtherwise) {
  MissLimits limits(*access_, 5);
  EXPECT_EQ(Spend(limits, test::kMaskedOnly, Action::kSubjectFind), 2);
  EXPECT_EQ(Spend(limits, test::kAuditor, Action::kAuditQuery), 1000);
}

TEST_F(MissLimitsTest, ZeroIsNoLimit) {
  MissLimits limits(*access_, 0);
  EXPECT_EQ(Spend(limits, test::kFull, Action::kSubjectFind), 1000);
  EXPECT_EQ(Spend(limits, test::kMaskedOnly, Action::kSubjectFind), 2);
}

// Calls under way were let through before their misses were known.
TEST_F(MissLimitsTest, WhatIsOverdrawnCostsAtMostAnotherMinute) {
  MissLimits limits(*access_, 10);
  for (int i = 0; i < 1000; ++i) {
    limits.Count(Caller(test::kFull), Action::kSubjectFind, now_);
  }
  const absl::Status status =
      limits.Check(Caller(test::kFull), Action::kSubjectFind, now_);
  EXPECT_GT(base::RetryAfterOf(status), seconds(50));
  EXPECT_LE(base::RetryAfterOf(status), seconds(61));
}

TEST_F(MissLimitsTest, AClockThatGoesBackLocksNobodyOut) {
  MissLimits limits(*access_, 10);
  Spend(limits, test::kFull, Action::kSubjectFind);
  now_ -= std::chrono::hours(24);
  EXPECT_EQ(Spend(limits, test::kFull, Action::kSubjectFind), 10);
}

TEST_F(MissLimitsTest, CountsMissesOfManyThreads) {
  MissLimits limits(*access_, 4000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 999; ++j) {
        limits.Count(Caller(test::kFull), Action::kSubjectFind, now_);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Spend(limits, test::kFull, Action::kSubjectFind), 4);
}

}  // namespace
}  // namespace hizo::vault
