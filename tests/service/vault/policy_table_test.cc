#include "service/vault/policy_table.h"

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::vault {
namespace {

using test::kAcme;
using test::kGlobex;
using test::VaultFixture;

class PolicyTableTest : public ::testing::Test {
 protected:
  static VaultFixture::Options WithAPolicy() {
    VaultFixture::Options options;
    options.company = test::VaultPolicySource();
    return options;
  }
  PolicyInForce Made(uint32_t version) const {
    policy::PolicySource source = test::VaultPolicySource();
    source.version = version;
    PolicyInForce made;
    made.owned =
        policy::CompanyPolicy::Create(source, vault_.catalogue()).value();
    made.policy = made.owned.get();
    made.activation = Activation{"somebody", base::Timestamp()};
    return made;
  }
  bool PutInForce(uint32_t version) {
    const auto effect = table_.Prepare(kAcme, Made(version));
    if (effect == nullptr) return false;
    effect->Happen();
    return true;
  }
  uint32_t VersionOf(const PolicyTable::Pin& pin) const {
    return pin.get() == nullptr ? 0 : pin.get()->version();
  }

  VaultFixture vault_{WithAPolicy()};
  PolicyTable table_{vault_.Policy().access};
};

TEST_F(PolicyTableTest, TenantsAreDecidedByTheirFilesAtFirst) {
  EXPECT_EQ(VersionOf(table_.Look(kAcme)), 3U);
  EXPECT_FALSE(table_.Look(kAcme).activation().has_value());
  EXPECT_EQ(table_.Look(kGlobex).get(), nullptr);
  EXPECT_FALSE(table_.Look(kGlobex).activation().has_value());
  EXPECT_EQ(table_.Look(base::TenantId{77}).get(), nullptr);
  EXPECT_EQ(table_.Prepare(base::TenantId{77}, Made(1)), nullptr);
}

TEST_F(PolicyTableTest, NothingIsInForceBeforeItHappens) {
  auto effect = table_.Prepare(kAcme, Made(4));
  ASSERT_NE(effect, nullptr);
  EXPECT_EQ(VersionOf(table_.Look(kAcme)), 3U);
  effect->Happen();
  EXPECT_EQ(VersionOf(table_.Look(kAcme)), 4U);
  EXPECT_EQ(table_.Look(kAcme).activation()->actor, "somebody");
}

TEST_F(PolicyTableTest, APinKeepsWhatWasFollowed) {
  const PolicyTable::Pin before = table_.Look(kAcme);
  for (uint32_t version = 4; version < 20; ++version) {
    ASSERT_TRUE(PutInForce(version));
  }
  EXPECT_EQ(VersionOf(before), 3U);
  EXPECT_EQ(VersionOf(table_.Look(kAcme)), 19U);
}

TEST_F(PolicyTableTest, WhileAllPlacesAreTakenNothingNewComesIntoForce) {
  std::vector<PolicyTable::Pin> pins;
  pins.push_back(table_.Look(kAcme));
  uint32_t version = 4;
  for (; PutInForce(version); ++version) pins.push_back(table_.Look(kAcme));
  EXPECT_EQ(pins.size(), PolicyTable::kPlaces);
  EXPECT_EQ(VersionOf(table_.Look(kAcme)), version - 1);
  pins.pop_back();
  EXPECT_FALSE(PutInForce(version));  // that is the one in force
  pins.clear();
  EXPECT_TRUE(PutInForce(version));
}

TEST_F(PolicyTableTest, WhatNeverHappensGivesItsPlaceBack) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_NE(table_.Prepare(kAcme, Made(4)), nullptr);
  }
  std::vector<std::unique_ptr<Attempt::Effect>> waiting;
  while (auto effect = table_.Prepare(kAcme, Made(4))) {
    waiting.push_back(std::move(effect));
  }
  EXPECT_EQ(waiting.size(), PolicyTable::kPlaces - 1);
}

TEST_F(PolicyTableTest, AMovedPinIsOne) {
  {
    PolicyTable::Pin pin = table_.Look(kAcme);
    const PolicyTable::Pin moved = std::move(pin);
    EXPECT_EQ(VersionOf(moved), 3U);
  }
  // All are given back.
  for (uint32_t version = 4; version < 12; ++version) {
    ASSERT_TRUE(PutInForce(version));
  }
}

TEST_F(PolicyTableTest, WhoeverLooksMeanwhileSeesOneOrTheOtherWhole) {
  std::atomic<bool> done{false};
  std::vector<std::thread> lookers;
  for (int i = 0; i < 3; ++i) {
    lookers.emplace_back([&] {
      uint32_t last = 0;
      while (!done) {
        const PolicyTable::Pin pin = table_.Look(kAcme);
        ASSERT_NE(pin.get(), nullptr);
        EXPECT_GE(pin.get()->version(), last);  // never back
        EXPECT_EQ(pin.get()->profile_id(), "small");
        EXPECT_EQ(pin.get()->For(test::kService).clause, "2.1");
        last = pin.get()->version();
      }
    });
  }
  uint32_t version = 4;
  while (version < 500) version += PutInForce(version) ? 1 : 0;
  done = true;
  for (std::thread& looker : lookers) looker.join();
}

}  // namespace
}  // namespace hizo::vault
