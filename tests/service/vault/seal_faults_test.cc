// Every step of a seal, failing and dying: afterwards the person is gone, all
// others are there, and what was begun is finished by the next who tries.
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::FaultyEngine;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::SizeIs;

// Lets one write to slots fail: before it happens, or after.
struct SlotFault {
  size_t countdown = 0;  // 0: none
  bool after = false;
  bool fired = false;
};

class FaultySlot final : public crypto::RootSlot {
 public:
  FaultySlot(std::unique_ptr<crypto::RootSlot> slot, SlotFault& fault)
      : slot_(std::move(slot)), fault_(fault) {}
  absl::StatusOr<std::vector<Root>> Read(std::string_view store_id) override {
    return slot_->Read(store_id);
  }
  absl::Status Put(std::string_view store_id, const Root& root) override {
    return Run([&] { return slot_->Put(store_id, root); });
  }
  absl::Status Erase(std::string_view store_id, uint64_t epoch) override {
    return Run([&] { return slot_->Erase(store_id, epoch); });
  }
  ErasureLevel erasure_level() const override { return slot_->erasure_level(); }

 private:
  template <typename Write>
  absl::Status Run(Write write) {
    const bool fails = fault_.countdown > 0 && --fault_.countdown == 0;
    if (!fails) return write();
    fault_.fired = true;
    if (fault_.after) write().IgnoreError();
    return absl::UnavailableError("injected");
  }
  std::unique_ptr<crypto::RootSlot> slot_;
  SlotFault& fault_;
};

constexpr char kAnns[] = "ann@example.com";
constexpr char kBobs[] = "bob@example.com";

class SealFaultsTest : public ::testing::Test {
 protected:
  // A vault with Ann, whose erasure is acknowledged, and Bob.
  void Begin() {
    fault_ = {};
    VaultFixture::Options options;
    options.slots = 2;
    options.wrap_slot = [this](std::unique_ptr<crypto::RootSlot> slot) {
      return std::make_unique<FaultySlot>(std::move(slot), fault_);
    };
    vault_.emplace(options);
    ann_ = NewPerson(*vault_, kAnns);
    bob_ = NewPerson(*vault_, kBobs);
    ASSERT_THAT(Erase(*vault_, ann_), IsOk());
  }
  void ExpectAnnGoneBobThere() {
    EXPECT_THAT(Get(*vault_, ann_, "profile", {"full_name"}),
                HasReason(Reason::kSubjectNotFound));
    EXPECT_THAT(Find(*vault_, "account.email", kAnns),
                HasReason(Reason::kSubjectNotFound));
    EXPECT_THAT(Get(*vault_, bob_, "profile", {"full_name"}), IsOk());
    EXPECT_THAT(Find(*vault_, "account.email", kBobs),
                IsOkAndHolds(ElementsAre(bob_)));
  }
  void ExpectFinished() {
    const auto check = VerifyErasure(*vault_, ann_);
    ASSERT_THAT(check, IsOk());
    EXPECT_TRUE(check->erased());
    EXPECT_THAT(GetErasure(*vault_, ann_)->receipts, SizeIs(1));
    const StoreKeys& keys = vault_->store().store_keys();
    for (const auto& slot : vault_->slots()) {
      const auto roots = slot->Read(keys.store_id().bytes());
      ASSERT_THAT(roots, IsOkAndHolds(SizeIs(1)));
      EXPECT_EQ(roots->front().epoch, keys.epoch());
    }
    NewPerson(*vault_, kAnns);
  }
  // The seal has failed: goes on in this process or in the next.
  void GoOn(bool dies) {
    if (dies) {
      ASSERT_THAT(vault_->Reopen(), IsOk());
    }
    ExpectAnnGoneBobThere();
    ASSERT_THAT(vault_->store().FinishErasures(), IsOk());
    ExpectAnnGoneBobThere();
    ExpectFinished();
    ASSERT_THAT(vault_->Reopen(), IsOk());
    EXPECT_THAT(Get(*vault_, bob_, "profile", {"full_name"}), IsOk());
  }

  SlotFault fault_;
  std::optional<VaultFixture> vault_;
  SubjectId ann_;
  SubjectId bob_;
};

TEST_F(SealFaultsTest, AnyWriteToASlotMayFailOrBeTheLast) {
  size_t steps = 0;
  for (const bool after : {false, true}) {
    for (const bool dies : {false, true}) {
      for (size_t n = 1;; ++n) {
        SCOPED_TRACE(testing::Message()
                     << "write " << n << ' ' << after << dies);
        ASSERT_NO_FATAL_FAILURE(Begin());
        fault_ = {.countdown = n, .after = after};
        const auto finished = vault_->store().FinishErasures();
        if (!fault_.fired) {
          EXPECT_THAT(finished, IsOkAndHolds(1));
          break;
        }
        ++steps;
        EXPECT_THAT(finished, Not(IsOk()));
        fault_ = {};
        ASSERT_NO_FATAL_FAILURE(GoOn(dies));
      }
    }
  }
  // Two slots, each put and erased once.
  EXPECT_EQ(steps, 4 * 4);
}

TEST_F(SealFaultsTest,
       Scenario4ACrashInTheMiddleOfAnErasureAtAnyCommitOrFullDisk) {
  struct Way {
    absl::Status status;
    FaultyEngine::When when;
  };
  const Way ways[] = {
      {absl::ResourceExhaustedError("full"),
       FaultyEngine::When::kBeforeApplied},
      {absl::UnknownError("sync"), FaultyEngine::When::kBeforeApplied},
      {absl::UnknownError("sync"), FaultyEngine::When::kAfterApplied},
  };
  size_t steps = 0;
  for (const Way& way : ways) {
    for (const bool keys : {true, false}) {
      for (size_t n = 1;; ++n) {
        SCOPED_TRACE(testing::Message()
                     << way.status << ' ' << static_cast<int>(way.when) << keys
                     << " commit " << n);
        ASSERT_NO_FATAL_FAILURE(Begin());
        FaultyEngine& engine = keys ? vault_->keys() : vault_->data();
        engine.FailCommit(n, way.when, way.status);
        const auto finished = vault_->store().FinishErasures();
        if (finished.ok()) break;
        ++steps;
        const bool dies = absl::IsUnknown(way.status);
        if (!dies) engine.Restart();
        ASSERT_NO_FATAL_FAILURE(GoOn(dies));
      }
    }
  }
  // The seal and the last step write keys, the last step writes data.
  EXPECT_EQ(steps, 3 * 3);
}

TEST_F(SealFaultsTest, ASlotThatIsAwayStopsTheSealAndNotTheFence) {
  Begin();
  const auto slot = vault_->directory() / "slot1";
  std::filesystem::rename(slot, vault_->directory() / "away");
  EXPECT_THAT(vault_->store().FinishErasures(), Not(IsOk()));
  EXPECT_EQ(vault_->store().store_keys().epoch(), 1);
  ExpectAnnGoneBobThere();
  ASSERT_THAT(vault_->Reopen(), IsOk());
  ExpectAnnGoneBobThere();
  EXPECT_EQ(GetErasure(*vault_, ann_)->stage, ErasureStage::kAccepted);
  std::filesystem::rename(vault_->directory() / "away", slot);
  GoOn(false);
}

TEST_F(SealFaultsTest, AnOlderSlotStopsTheSealAndIsNotTouched) {
  Begin();
  const auto slot = vault_->directory() / "slot1";
  const auto older = vault_->directory() / "older";
  std::filesystem::copy_file(slot, older);
  ASSERT_THAT(vault_->store().FinishErasures(), IsOk());
  std::filesystem::rename(older, slot);
  ASSERT_THAT(Erase(*vault_, bob_), IsOk());
  EXPECT_THAT(vault_->store().FinishErasures(), Not(IsOk()));
  EXPECT_EQ(vault_->store().store_keys().epoch(), 2);
}

TEST_F(SealFaultsTest, KeysOfBeforeASealDoNotOpenWithTheSlotsOfAfter) {
  Begin();
  const std::string meta = test::Stored(vault_->keys(), MetaKey());
  ASSERT_THAT(vault_->store().FinishErasures(), IsOk());
  test::Overwrite(vault_->keys(), MetaKey(), meta);
  EXPECT_THAT(vault_->Reopen(),
              test::StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace hizo::vault
