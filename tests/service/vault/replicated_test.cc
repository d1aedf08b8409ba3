// A vault whose stores have a replica: nothing that the replica still needs is
// destroyed, and what it has is a whole vault.
#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "storage/memory/engine.h"
#include "storage/replica.h"
#include "tests/service/vault/people.h"
#include "tests/testing/borrowed_engine.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::BorrowedEngine;
using test::FaultyEngine;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kAnns[] = "ann@example.com";
constexpr char kBobs[] = "bob@example.com";

class ReplicatedTest : public ::testing::Test {
 protected:
  ReplicatedTest() : vault_(OptionsFor(*replica_)) {
    CatchUp();
    ann_ = NewPerson(vault_, kAnns);
    bob_ = NewPerson(vault_, kBobs);
  }
  static test::VaultFixture::Options OptionsFor(storage::Replica& replica) {
    test::VaultFixture::Options options;
    options.slots = 2;
    options.replica = &replica;
    options.open = [&replica](const std::filesystem::path& directory, bool) {
      return std::make_unique<BorrowedEngine>(
          directory.filename() == "keys" ? replica.keys() : replica.data());
    };
    return options;
  }
  std::unique_ptr<storage::Replica> NewReplica() {
    return std::make_unique<storage::Replica>(keys_, data_, [this] {
      if (!place_.Health().ok()) place_.Restart();
      return std::make_unique<BorrowedEngine>(place_);
    });
  }
  void CatchUp() {
    const std::string id(vault_.store().store_keys().store_id().bytes());
    ASSERT_THAT(replica_->CatchUp(id, stop_), IsOk());
  }
  // The disk of the stores is lost: what the replica has takes their place.
  void LoseTheStores() {
    const std::string id(vault_.store().store_keys().store_id().bytes());
    vault_.CloseEngines();
    replica_.reset();
    Clear(keys_);
    Clear(data_);
    ASSERT_THAT(storage::Replica::CopyTo(place_, id, keys_, data_), IsOk());
    rebuilt_ = NewReplica();
    again_.emplace(OptionsOfTheSame());
  }
  test::VaultFixture::Options OptionsOfTheSame() {
    auto options = OptionsFor(*rebuilt_);
    options.directory = vault_.directory();
    return options;
  }
  static void Clear(storage::Engine& engine) {
    const auto rows = engine.Scan({.from = "", .until = "", .limit = 10'000});
    ASSERT_THAT(rows, IsOk());
    storage::Batch batch;
    for (const storage::Row& row : *rows) batch.Delete(row.key);
    ASSERT_THAT(engine.Commit(batch), IsOk());
  }
  void ExpectSlotsHold(size_t roots) {
    const StoreKeys& keys = vault_.store().store_keys();
    for (const auto& slot : vault_.slots()) {
      EXPECT_THAT(slot->Read(keys.store_id().bytes()),
                  IsOkAndHolds(SizeIs(roots)));
    }
  }

  FaultyEngine keys_{storage::NewMemoryEngine()};
  FaultyEngine data_{storage::NewMemoryEngine()};
  FaultyEngine place_{storage::NewMemoryEngine()};
  std::atomic<bool> stop_ = false;
  std::unique_ptr<storage::Replica> replica_ = NewReplica();
  std::unique_ptr<storage::Replica> rebuilt_;
  test::VaultFixture vault_;
  std::optional<test::VaultFixture> again_;
  SubjectId ann_;
  SubjectId bob_;
};

TEST_F(ReplicatedTest, NothingIsSealedWhileItIsBehind) {
  place_.FailCommit(1, FaultyEngine::When::kBeforeApplied,
                    absl::UnavailableError("injected"));
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  const uint64_t epoch = vault_.store().store_keys().epoch();
  EXPECT_THAT(vault_.store().FinishErasures(), Not(IsOk()));
  EXPECT_EQ(vault_.store().store_keys().epoch(), epoch);
  // She is behind the fence all the same.
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(GetErasure(vault_, ann_)->stage, ErasureStage::kAccepted);
  CatchUp();
  EXPECT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_EQ(vault_.store().store_keys().epoch(), epoch + 1);
  EXPECT_THAT(GetErasure(vault_, ann_)->receipts, SizeIs(1));
}

TEST_F(ReplicatedTest, NoRootIsErasedThatItStillNeeds) {
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  // The seal itself does not reach it.
  place_.FailCommit(1, FaultyEngine::When::kBeforeApplied,
                    absl::UnavailableError("injected"));
  EXPECT_THAT(vault_.store().FinishErasures(), Not(IsOk()));
  ExpectSlotsHold(2);
  EXPECT_THAT(Get(vault_, bob_, "profile", {"full_name"}), IsOk());
  CatchUp();
  EXPECT_THAT(vault_.store().FinishErasures(), IsOk());
  ExpectSlotsHold(1);
  EXPECT_TRUE(VerifyErasure(vault_, ann_)->erased());
}

// Killed where the replica has not got the seal, and the disk is gone as well.
TEST_F(ReplicatedTest, OpensWithTheSlotsWhereverASealEnded) {
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  place_.FailCommit(1, FaultyEngine::When::kBeforeApplied,
                    absl::UnavailableError("injected"));
  EXPECT_THAT(vault_.store().FinishErasures(), Not(IsOk()));
  ASSERT_NO_FATAL_FAILURE(LoseTheStores());
  EXPECT_THAT(Get(*again_, bob_, "profile", {"full_name"}), IsOk());
  EXPECT_THAT(Get(*again_, ann_, "profile", {"full_name"}),
              HasReason(Reason::kSubjectNotFound));
  const std::string id(again_->store().store_keys().store_id().bytes());
  ASSERT_THAT(rebuilt_->CatchUp(id, stop_), IsOk());
  EXPECT_THAT(again_->store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_TRUE(VerifyErasure(*again_, ann_)->erased());
}

TEST_F(ReplicatedTest, WhatItHasIsTheWholeVault) {
  ASSERT_THAT(
      Put(vault_, bob_, RecordOf("account", {{"email", "b@example.com"}})),
      IsOk());
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  const uint64_t size = vault_.store().log().head().size;
  ASSERT_NO_FATAL_FAILURE(LoseTheStores());
  EXPECT_GE(again_->store().log().head().size, size);
  EXPECT_THAT(Find(*again_, "account.email", "b@example.com"),
              IsOkAndHolds(ElementsAre(bob_)));
  EXPECT_THAT(Get(*again_, bob_, "profile", {"full_name"}), IsOk());
  EXPECT_THAT(Get(*again_, ann_, "profile", {"full_name"}),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_TRUE(VerifyErasure(*again_, ann_)->erased());
  NewPerson(*again_, kAnns);
}

// What was acknowledged while it was behind is not in it: the anchor, which has
// seen more, does not let the vault go on as if that had never been.
TEST_F(ReplicatedTest, OneThatWasBehindIsRefusedByTheAnchor) {
  place_.FailCommit(1, FaultyEngine::When::kBeforeApplied,
                    absl::UnavailableError("injected"));
  NewPerson(vault_, "eve@example.com");
  const std::string id(vault_.store().store_keys().store_id().bytes());
  vault_.CloseEngines();  // writes the anchor
  replica_.reset();
  Clear(keys_);
  Clear(data_);
  ASSERT_THAT(storage::Replica::CopyTo(place_, id, keys_, data_), IsOk());
  rebuilt_ = NewReplica();
  EXPECT_ANY_THROW(again_.emplace(OptionsOfTheSame()));
}

}  // namespace
}  // namespace hizo::vault
