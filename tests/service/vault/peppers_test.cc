#include "service/vault/peppers.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kAuthentication;
using test::StatusIs;

class PeppersTest : public ::testing::Test {
 protected:
  Call RotateCall() {
    return vault_.CallOf(kFull, Action::kCredentialRotatePepper,
                         kAuthentication);
  }
  absl::StatusOr<uint32_t> Rotate() {
    const Call call = RotateCall();
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().credentials().RotatePepper(attempt, call);
    });
  }
  Peppers Of() { return {vault_.keys(), vault_.store().store_keys()}; }
  absl::StatusOr<Pepper> Current(base::TenantId tenant) {
    const auto attempt = vault_.NewAttempt(RotateCall());
    return Of().Current(*attempt, tenant);
  }
  std::string Key(base::TenantId tenant, uint32_t id) {
    const auto attempt = vault_.NewAttempt(RotateCall());
    const auto key = Of().Read(*attempt, tenant, id);
    EXPECT_THAT(key, IsOk());
    return key.ok() && key->has_value() ? std::string((*key)->Expose()) : "";
  }

  VaultFixture vault_;
};

TEST_F(PeppersTest, BeginWithOneOfEachTenant) {
  for (const base::TenantId tenant : {kAcme, kGlobex}) {
    const auto current = Current(tenant);
    ASSERT_THAT(current, IsOk());
    EXPECT_EQ(current->id, 1U);
    EXPECT_EQ(current->key.Expose(), Key(tenant, 1));
  }
  EXPECT_NE(Key(kAcme, 1), Key(kGlobex, 1));
}

TEST_F(PeppersTest, AreNumberedOneByOneAndKeepTheEarlierOnes) {
  const std::string first = Key(kAcme, 1);
  EXPECT_THAT(Rotate(), IsOkAndHolds(2U));
  EXPECT_THAT(Rotate(), IsOkAndHolds(3U));
  EXPECT_EQ(Current(kAcme)->id, 3U);
  EXPECT_EQ(Key(kAcme, 1), first);
  EXPECT_NE(Key(kAcme, 2), first);
  EXPECT_NE(Key(kAcme, 3), Key(kAcme, 2));
  EXPECT_EQ(Current(kGlobex)->id, 1U);
}

TEST_F(PeppersTest, AreMadeOnceForOneRequest) {
  for (int i = 0; i < 3; ++i) {
    Call call = RotateCall();
    call.request = RequestOf(1);
    EXPECT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().credentials().RotatePepper(
                                 attempt, call);
                           }),
                IsOkAndHolds(2U));
  }
  EXPECT_EQ(Current(kAcme)->id, 2U);
}

TEST_F(PeppersTest, OutliveARestart) {
  ASSERT_THAT(Rotate(), IsOk());
  const std::string second = Key(kAcme, 2);
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(Current(kAcme)->id, 2U);
  EXPECT_EQ(Key(kAcme, 2), second);
}

TEST_F(PeppersTest, HaveNoOtherNumber) {
  EXPECT_EQ(Key(kAcme, 0), "");
  EXPECT_EQ(Key(kAcme, 2), "");
}

TEST_F(PeppersTest, AreNotMadeTwiceWithOneNumber) {
  const Call call = RotateCall();
  auto slower = vault_.NewAttempt(call);
  EXPECT_THAT(vault_.store().credentials().RotatePepper(*slower, call),
              IsOkAndHolds(2U));
  slower->Conclude(absl::OkStatus());
  ASSERT_THAT(Rotate(), IsOkAndHolds(2U));
  const std::string second = Key(kAcme, 2);
  EXPECT_THAT(vault_.Commit(std::move(slower)).status,
              HasReason(Reason::kConflict));
  EXPECT_EQ(Key(kAcme, 2), second);
}

TEST_F(PeppersTest, AreMissedWhenOneIsGone) {
  ASSERT_THAT(Rotate(), IsOk());
  ASSERT_THAT(Rotate(), IsOk());
  test::Remove(vault_.keys(), StoreKeys::LeafKey(PepperLeaf(kAcme, 2)));
  EXPECT_THAT(Current(kAcme), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Rotate(), HasReason(Reason::kIntegrityFailure));
}

TEST_F(PeppersTest, OfOneTenantDoNotOpenForAnother) {
  test::Overwrite(
      vault_.keys(), StoreKeys::LeafKey(PepperLeaf(kAcme, 1)),
      test::Stored(vault_.keys(), StoreKeys::LeafKey(PepperLeaf(kGlobex, 1))));
  EXPECT_THAT(Current(kAcme), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(PeppersTest, AreMadeByNobodyWhoMayNot) {
  const Call call = vault_.CallOf(
      test::kNobody, Action::kCredentialRotatePepper, kAuthentication);
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().credentials().RotatePepper(
                               attempt, call);
                         }),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(Current(kAcme)->id, 1U);
}

}  // namespace
}  // namespace hizo::vault
