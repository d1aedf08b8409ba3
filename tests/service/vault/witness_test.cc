// A store whose log its witness knows otherwise does not start, unless somebody
// says that it shall, which the log records.
#include "storage/witness.h"

#include <filesystem>
#include <memory>
#include <string>

#include "crypto/checkpoint.h"
#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/tree.h"
#include "service/base/reason.h"
#include "service/vault/store.h"
#include "tests/service/vault/people.h"
#include "tests/testing/scratch_directory.h"

namespace hizo::vault {
namespace {

using test::IsOk;
using test::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class WitnessedStoreTest : public ::testing::Test {
 protected:
  WitnessedStoreTest() {
    NewPerson(vault_, "ann@example.com");
    NewPerson(vault_, "bob@example.com");
    origin_ = vault_.store().log().verifier_key();
    origin_.erase(origin_.find('+'));
    seed_.emplace(crypto::Key::CopyOf(
        vault_.store().store_keys().AuditSigningSeed().Expose()));
    const audit::Head head = vault_.store().log().head();
    present_ = {head.size, head.root};
    vault_.Close();
  }
  // A head that the store's own key signs.
  std::string Signed(const crypto::MerkleRoot& tree) const {
    return crypto::NoteSigner(origin_, *seed_)
        .Sign(crypto::CheckpointText({origin_, tree}));
  }
  void Show(const crypto::MerkleRoot& tree) {
    EXPECT_THAT(witness_->Show({tree.size, Signed(tree)}), IsOk());
  }
  absl::StatusOr<std::unique_ptr<Store>> Open(
      std::optional<uint64_t> override_size = std::nullopt) {
    Store::Parts parts = vault_.Parts();
    parts.witness = witness_.get();
    Store::Options options;
    options.witness_override = override_size;
    const auto id = StoreKeys::IdOf(vault_.keys());
    auto anchor = storage::Anchor::Open(vault_.anchor_file(),
                                        std::string(id->bytes()), false);
    return Store::Open(parts, *std::move(anchor), vault_.Policy(),
                       vault_.clock(), options);
  }

  VaultFixture vault_;
  test::ScratchDirectory scratch_;
  const std::unique_ptr<storage::Witness> witness_ =
      *storage::Witness::Open(scratch_.path());
  std::string origin_;
  std::optional<crypto::Key> seed_;
  crypto::MerkleRoot present_;
};

TEST_F(WitnessedStoreTest, StartsWithAWitnessThatHasSeenNothing) {
  const auto store = Open();
  ASSERT_THAT(store, IsOk());
  ASSERT_THAT((*store)->ShowWitness(), IsOk());
  ASSERT_THAT(*witness_->Sizes(), ElementsAre(present_.size));
  // Once is enough, until the log has grown.
  ASSERT_THAT((*store)->ShowWitness(), IsOk());
  EXPECT_THAT(*witness_->Sizes(), SizeIs(1));
}

TEST_F(WitnessedStoreTest, StartsBehindWhatItHasShown) {
  Show(present_);
  EXPECT_THAT(Open(), IsOk());
}

TEST_F(WitnessedStoreTest, DoesNotStartIfTheWitnessHasSeenMore) {
  Show(present_);
  Show({present_.size + 5, crypto::LeafHash("what came later")});
  const auto store = Open();
  EXPECT_THAT(store, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(store.status().message()),
              HasSubstr("--witness.override=7"));
  EXPECT_THAT(*witness_->Sizes(), SizeIs(2));
}

TEST_F(WitnessedStoreTest, DoesNotStartIfTheWitnessHasSeenAFork) {
  Show({present_.size - 1, crypto::LeafHash("another")});
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(WitnessedStoreTest, StartsOnceIfSomebodySaysThatItShall) {
  Show(present_);
  Show({present_.size + 5, crypto::LeafHash("later")});
  Show({present_.size + 9, crypto::LeafHash("much later")});
  // Of the newest one, or of none.
  EXPECT_THAT(Open(present_.size + 5),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Open(1), StatusIs(absl::StatusCode::kFailedPrecondition));
  {
    const auto store = Open(present_.size + 9);
    ASSERT_THAT(store, IsOk());
    EXPECT_EQ((*store)->log().head().size, present_.size + 1);
  }
  EXPECT_THAT(*witness_->Sizes(), ElementsAre(present_.size));
  const audit::Event event = *audit::Decode(
      test::Stored(vault_.data(), audit::EntryKey(present_.size)));
  EXPECT_EQ(event.actor, "hizod");
  EXPECT_EQ(event.action, Action::kAuditCheckpoint);
  EXPECT_EQ(event.outcome, audit::Outcome::kFailed);
  EXPECT_EQ(event.reason, base::Reason::kIntegrityFailure);
  EXPECT_EQ(event.records, 2U);
  // And from then on without.
  EXPECT_THAT(Open(), IsOk());
}

TEST_F(WitnessedStoreTest, AnOverrideOfNothingIsNoEvent) {
  Show(present_);
  const auto store = Open(present_.size);
  ASSERT_THAT(store, IsOk());
  EXPECT_EQ((*store)->log().head().size, present_.size);
}

TEST_F(WitnessedStoreTest, DoesNotStartWithAFolderThatIsNotItsOwn) {
  const crypto::NoteSigner other(origin_, crypto::Key::Random());
  EXPECT_THAT(witness_->Show(
                  {1, other.Sign(crypto::CheckpointText({origin_, {1, {}}}))}),
              IsOk());
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Open(1), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(WitnessedStoreTest, DoesNotStartWithAHeadUnderAnotherSize) {
  EXPECT_THAT(witness_->Show({1, Signed(present_)}), IsOk());
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(WitnessedStoreTest, DoesNotStartWithAWitnessThatCannotBeAsked) {
  std::filesystem::remove(scratch_.path());
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(WitnessedStoreTest, GoesOnIfTheWitnessIsAway) {
  const auto store = Open();
  ASSERT_THAT(store, IsOk());
  std::filesystem::remove(scratch_.path());
  EXPECT_THAT((*store)->ShowWitness(),
              StatusIs(absl::StatusCode::kUnavailable));
  std::filesystem::create_directory(scratch_.path());
  EXPECT_THAT((*store)->ShowWitness(), IsOk());
  EXPECT_THAT(*witness_->Sizes(), ElementsAre(present_.size));
}

}  // namespace
}  // namespace hizo::vault
