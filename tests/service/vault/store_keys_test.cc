#include "service/vault/store_keys.h"

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "crypto/root_slot.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "storage/memory/engine.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::TenantId;
using crypto::kAesSuite;
using crypto::kFirstSuite;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::Overwrite;
using test::StatusIs;
using test::Stored;

const std::vector<TenantSuite> kBoth = {{kAcme, kFirstSuite},
                                        {kGlobex, kFirstSuite}};

using Slots = std::vector<std::unique_ptr<crypto::RootSlot>>;

class StoreKeysTest : public ::testing::Test {
 protected:
  StoreKeysTest() {
    AddSlot(slots_, "slot");
    EXPECT_THAT(StoreKeys::Create(*keys_, slots_, kFirstSuite), IsOk());
  }
  void AddSlot(Slots& slots, const char* name) {
    auto slot = std::make_unique<crypto::FileRootSlot>(scratch_.path() / name);
    EXPECT_THAT(slot->Create(), IsOk());
    slots.push_back(std::move(slot));
  }
  std::unique_ptr<StoreKeys> OpenPrepared() {
    auto opened = StoreKeys::Open(*keys_, slots_, kFirstSuite);
    EXPECT_THAT(opened, IsOk());
    EXPECT_THAT((*opened)->Prepare(*keys_, kBoth), IsOk());
    return *std::move(opened);
  }
  static std::unique_ptr<Attempt> NewAttempt() {
    return std::make_unique<Attempt>(1, audit::Event());
  }

  const test::ScratchDirectory scratch_;
  const std::unique_ptr<storage::Engine> keys_ = storage::NewMemoryEngine();
  Slots slots_;
};

TEST_F(StoreKeysTest, OpensWhatItCreated) {
  const auto opened = StoreKeys::Open(*keys_, slots_, kFirstSuite);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ((*opened)->epoch(), 1);
  EXPECT_EQ((*opened)->healthy_slots(), 1);
  EXPECT_THAT(StoreKeys::IdOf(*keys_), IsOkAndHolds((*opened)->store_id()));
  EXPECT_FALSE((*opened)->store_id().is_nil());
}

TEST_F(StoreKeysTest, CreatesNothingWhereAStoreIs) {
  Slots fresh;
  AddSlot(fresh, "fresh");
  EXPECT_THAT(StoreKeys::Create(*keys_, fresh, kFirstSuite),
              StatusIs(absl::StatusCode::kAlreadyExists));
  const auto id = StoreKeys::IdOf(*keys_);
  EXPECT_THAT(fresh[0]->Read(id->bytes()), IsOkAndHolds(::testing::IsEmpty()));
}

TEST_F(StoreKeysTest, CreatesNothingInASlotOfAnotherStore) {
  const auto other = storage::NewMemoryEngine();
  EXPECT_THAT(StoreKeys::Create(*other, slots_, kFirstSuite),
              ::testing::Not(IsOk()));
  EXPECT_THAT(StoreKeys::IdOf(*other), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(StoreKeys::Open(*keys_, slots_, kFirstSuite), IsOk());
}

TEST_F(StoreKeysTest, FindsNoIdInAnEmptyStoreOrADamagedOne) {
  EXPECT_THAT(StoreKeys::IdOf(*storage::NewMemoryEngine()),
              StatusIs(absl::StatusCode::kNotFound));
  const std::string meta = Stored(*keys_, MetaKey());
  for (const std::string& damaged :
       {std::string(), meta.substr(0, meta.size() - 1), meta + "x",
        "\2" + meta.substr(1)}) {
    Overwrite(*keys_, MetaKey(), damaged);
    EXPECT_THAT(StoreKeys::IdOf(*keys_), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(StoreKeys::Open(*keys_, slots_, kFirstSuite),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST_F(StoreKeysTest, RefusesSlotsThatAreForeignFreshOrMissing) {
  Slots foreign;
  AddSlot(foreign, "foreign");
  ASSERT_THAT(
      StoreKeys::Create(*storage::NewMemoryEngine(), foreign, kFirstSuite),
      IsOk());
  Slots fresh;
  AddSlot(fresh, "fresh");
  Slots missing;
  missing.push_back(
      std::make_unique<crypto::FileRootSlot>(scratch_.path() / "missing"));
  Slots none;
  for (Slots* slots : {&foreign, &fresh, &missing, &none}) {
    EXPECT_THAT(StoreKeys::Open(*keys_, *slots, kFirstSuite),
                StatusIs(absl::StatusCode::kFailedPrecondition));
  }
}

TEST_F(StoreKeysTest, RefusesASlotOfAnotherEpochOrRoot) {
  const auto id = StoreKeys::IdOf(*keys_);
  ASSERT_THAT(slots_[0]->Erase(id->bytes(), 1), IsOk());
  ASSERT_THAT(slots_[0]->Put(id->bytes(), {2, crypto::Key::Random()}), IsOk());
  EXPECT_THAT(StoreKeys::Open(*keys_, slots_, kFirstSuite),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_THAT(slots_[0]->Put(id->bytes(), {1, crypto::Key::Random()}), IsOk());
  EXPECT_THAT(StoreKeys::Open(*keys_, slots_, kFirstSuite),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(StoreKeysTest, OpensWithWhicheverSlotHoldsTheRoot) {
  const auto store = storage::NewMemoryEngine();
  Slots slots;
  AddSlot(slots, "one");
  AddSlot(slots, "two");
  AddSlot(slots, "three");
  ASSERT_THAT(StoreKeys::Create(*store, slots, kFirstSuite), IsOk());
  std::filesystem::remove(scratch_.path() / "one");
  const auto opened = StoreKeys::Open(*store, slots, kFirstSuite);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ((*opened)->healthy_slots(), 2);
}

TEST_F(StoreKeysTest, RefusesATreeWithAPageMissingOrChanged) {
  const std::string page = Stored(*keys_, PageKey(1, 7));
  test::Remove(*keys_, PageKey(1, 7));
  EXPECT_THAT(StoreKeys::Open(*keys_, slots_, kFirstSuite),
              StatusIs(absl::StatusCode::kDataLoss));
  Overwrite(*keys_, PageKey(1, 7), Stored(*keys_, PageKey(1, 8)));
  EXPECT_THAT(StoreKeys::Open(*keys_, slots_, kFirstSuite),
              StatusIs(absl::StatusCode::kDataLoss));
  Overwrite(*keys_, PageKey(1, 7), page);
  EXPECT_THAT(StoreKeys::Open(*keys_, slots_, kFirstSuite), IsOk());
}

// The first one.
std::string PepperOf(const StoreKeys& keys, TenantId tenant) {
  Attempt attempt(0, {});
  const auto key = keys.ReadLeaf(attempt, PepperLeaf(tenant, 1));
  EXPECT_THAT(key, IsOk());
  return key.ok() && key->has_value() ? std::string((*key)->Expose()) : "";
}

TEST_F(StoreKeysTest, PreparesEverythingOnceAndFindsItAgain) {
  const auto first = OpenPrepared();
  const auto second = OpenPrepared();
  for (const TenantId tenant : {kAcme, kGlobex}) {
    EXPECT_EQ(first->TenantKey(tenant).Expose(),
              second->TenantKey(tenant).Expose());
    EXPECT_EQ(PepperOf(*first, tenant), PepperOf(*second, tenant));
  }
  EXPECT_EQ(first->AuditSigningSeed().Expose(),
            second->AuditSigningSeed().Expose());
  EXPECT_EQ(first->PageTokenKey(kAcme).Expose(),
            second->PageTokenKey(kAcme).Expose());
}

TEST_F(StoreKeysTest, GivesEveryPurposeAndTenantAKeyOfItsOwn) {
  const auto keys = OpenPrepared();
  const std::vector<std::string> all = {
      std::string(keys->TenantKey(kAcme).Expose()),
      std::string(keys->TenantKey(kGlobex).Expose()),
      PepperOf(*keys, kAcme),
      PepperOf(*keys, kGlobex),
      std::string(keys->AuditSigningSeed().Expose()),
      std::string(keys->PageTokenKey(kAcme).Expose())};
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
}

TEST_F(StoreKeysTest, RefusesToPrepareOverADamagedKey) {
  OpenPrepared();
  const auto leaves = test::RowsOf(*keys_, 'L');
  ASSERT_EQ(leaves.size(), 6);
  for (const storage::Row& leaf : leaves) {
    std::string changed = leaf.value;
    changed[0] ^= 1;
    Overwrite(*keys_, leaf.key, changed);
    auto opened = StoreKeys::Open(*keys_, slots_, kFirstSuite);
    EXPECT_THAT((*opened)->Prepare(*keys_, kBoth),
                StatusIs(absl::StatusCode::kDataLoss));
    Overwrite(*keys_, leaf.key, leaf.value);
  }
}

TEST_F(StoreKeysTest, TakesNoLostKeyForOneThatWasNeverMade) {
  OpenPrepared();
  for (const storage::Row& leaf : test::RowsOf(*keys_, 'L')) {
    test::Remove(*keys_, leaf.key);
    auto opened = StoreKeys::Open(*keys_, slots_, kFirstSuite);
    EXPECT_THAT((*opened)->Prepare(*keys_, kBoth),
                StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(keys_->Get(leaf.key), IsOkAndHolds(std::nullopt));
    Overwrite(*keys_, leaf.key, leaf.value);
  }
}

TEST_F(StoreKeysTest, OpensATenantsKeysUnderTheTenantsOwnKeyOnly) {
  auto attempt = NewAttempt();
  OpenPrepared()->CreateLeaf(*attempt, {kAcme, LeafKind::kTenant, ""});
  ASSERT_THAT(keys_->Commit(attempt->keys()), IsOk());
  auto opened = StoreKeys::Open(*keys_, slots_, kFirstSuite);
  ASSERT_THAT(opened, IsOk());
  EXPECT_THAT((*opened)->Prepare(*keys_, {{kGlobex, kFirstSuite}}), IsOk());
  EXPECT_THAT((*opened)->Prepare(*keys_, {{kAcme, kFirstSuite}}),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(StoreKeysTest, RefusesAStoreThatWasMadeInAnotherSuite) {
  EXPECT_THAT(StoreKeys::Open(*keys_, slots_, kAesSuite),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(StoreKeys::Open(*keys_, slots_, kFirstSuite), IsOk());
}

// The meta row's format and suite may be changed, by who can write to the disk:
// the root does not fit then.
TEST_F(StoreKeysTest, RefusesAMetaRowThatClaimsAnotherSuite) {
  const std::string meta = Stored(*keys_, MetaKey());
  Overwrite(*keys_, MetaKey(), "\2\2" + meta.substr(1));
  EXPECT_THAT(StoreKeys::Open(*keys_, slots_, kAesSuite),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  for (const char* head : {"\2\3", "\2"}) {
    Overwrite(*keys_, MetaKey(), head + meta.substr(1));
    EXPECT_THAT(StoreKeys::Open(*keys_, slots_, kFirstSuite),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST_F(StoreKeysTest, RefusesAMetaRowOfALaterFormat) {
  Overwrite(*keys_, MetaKey(), "\3" + Stored(*keys_, MetaKey()).substr(1));
  EXPECT_THAT(StoreKeys::IdOf(*keys_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(StoreKeys::Open(*keys_, slots_, kFirstSuite),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(StoreKeysTest, MakesLeavesInTheTenantsSuite) {
  auto keys = StoreKeys::Open(*keys_, slots_, kFirstSuite);
  ASSERT_THAT(keys, IsOk());
  ASSERT_THAT(
      (*keys)->Prepare(*keys_, {{kAcme, kAesSuite}, {kGlobex, kFirstSuite}}),
      IsOk());
  EXPECT_EQ((*keys)->SuiteOf(kAcme), kAesSuite);
  EXPECT_EQ((*keys)->SuiteOf(kGlobex), kFirstSuite);
  EXPECT_EQ((*keys)->SuiteOf(TenantId::kStore), kFirstSuite);
  EXPECT_EQ((*keys)->TenantKey(kAcme).suite(), kAesSuite);
  EXPECT_EQ((*keys)->PageTokenKey(kAcme).suite(), kAesSuite);
  EXPECT_NE((*keys)->PageTokenKey(kAcme).Expose(),
            (*keys)->PageTokenKey(kGlobex).Expose());
  EXPECT_EQ((*keys)->TenantKey(kGlobex).suite(), kFirstSuite);
  auto attempt = NewAttempt();
  EXPECT_EQ((*keys)
                ->CreateLeaf(*attempt, {kAcme, LeafKind::kIndexShard, "shard"})
                .suite(),
            kAesSuite);
}

TEST_F(StoreKeysTest, ALeafKeepsTheSuiteThatItWasMadeIn) {
  const auto before = OpenPrepared();
  const Leaf leaf{kAcme, LeafKind::kIndexShard, "detail"};
  auto attempt = NewAttempt();
  before->CreateLeaf(*attempt, leaf);
  ASSERT_THAT(keys_->Commit(attempt->keys()), IsOk());
  auto after = StoreKeys::Open(*keys_, slots_, kFirstSuite);
  ASSERT_THAT(after, IsOk());
  ASSERT_THAT((*after)->Prepare(*keys_, {{kAcme, kAesSuite}}), IsOk());
  EXPECT_EQ((*after)->TenantKey(kAcme).suite(), kFirstSuite);
  EXPECT_EQ((*after)->TenantKey(kAcme).Expose(),
            before->TenantKey(kAcme).Expose());
  const auto read = (*after)->ReadLeaf(*attempt, leaf);
  ASSERT_TRUE(read.ok() && read->has_value());
  EXPECT_EQ((*read)->suite(), kFirstSuite);
}

TEST_F(StoreKeysTest, MakesALeafAsPartOfTheAttempt) {
  const auto keys = OpenPrepared();
  const Leaf leaf{kAcme, LeafKind::kIndexShard, "detail"};
  auto attempt = NewAttempt();
  const auto absent = keys->ReadLeaf(*attempt, leaf);
  ASSERT_THAT(absent, IsOk());
  EXPECT_FALSE(absent->has_value());
  const crypto::Key made = keys->CreateLeaf(*attempt, leaf);
  ASSERT_THAT(keys_->Commit(attempt->keys()), IsOk());
  const auto read = keys->ReadLeaf(*attempt, leaf);
  ASSERT_TRUE(read.ok() && read->has_value());
  EXPECT_EQ((*read)->Expose(), made.Expose());
}

TEST_F(StoreKeysTest, RefusesALeafMovedToAnotherNameOrTenant) {
  const auto keys = OpenPrepared();
  auto attempt = NewAttempt();
  keys->CreateLeaf(*attempt, {kAcme, LeafKind::kIndexShard, "detail"});
  const std::string sealed = *attempt->keys().writes().front().value;
  const std::vector<Leaf> places = {{kGlobex, LeafKind::kIndexShard, "detail"},
                                    {kAcme, LeafKind::kRequestDay, "detail"},
                                    {kAcme, LeafKind::kIndexShard, "other"}};
  for (const Leaf& place : places) {
    auto other = NewAttempt();
    keys->CreateLeaf(*other, place);
    Overwrite(*keys_, other->keys().writes().front().key, sealed);
    EXPECT_THAT(keys->ReadLeaf(*other, place),
                HasReason(Reason::kIntegrityFailure));
  }
}

TEST_F(StoreKeysTest, ALeafIsReadOutsideOfAnAttemptToo) {
  const auto keys = OpenPrepared();
  const Leaf leaf{kAcme, LeafKind::kAuditMonth, "detail"};
  const auto before = keys->LeafOfNow(leaf);
  ASSERT_THAT(before, IsOk());
  EXPECT_FALSE(before->has_value());
  ASSERT_THAT(keys->Ensure(*keys_, {leaf}), IsOk());
  const std::string row = Stored(*keys_, StoreKeys::LeafKey(leaf));
  const auto key = keys->LeafOfNow(leaf);
  ASSERT_THAT(key, IsOk());
  EXPECT_TRUE(key->has_value());
  ASSERT_THAT(keys->Ensure(*keys_, {leaf}), IsOk());  // there is one
  EXPECT_EQ(Stored(*keys_, StoreKeys::LeafKey(leaf)), row);
  Overwrite(*keys_, StoreKeys::LeafKey(leaf), row.substr(1));
  EXPECT_THAT(keys->LeafOfNow(leaf).status(),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace hizo::vault
