// Whoever kept everything and comes late, with today's slots: opens nothing of
// the erased and all of the living. What RocksDB's files hold at any moment is
// a part of what was ever written into it, so the attacker is given that: every
// row of every batch, whether or not its copy would have been taken in time.
//
// Where a seal is broken, or an older slot is to be had, it gets in: else the
// test would prove nothing.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "crypto/root_slot.h"
#include "crypto/slot_passphrases.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/memory/engine.h"
#include "tests/attack/history.h"
#include "tests/attack/loot.h"
#include "tests/service/vault/people.h"
#include "tests/testing/borrowed_engine.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::vault {
namespace {

namespace fs = std::filesystem;
using test::IsOk;
using test::Loot;
using test::VaultFixture;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kSteps = 400;
constexpr size_t kSlots = 2;

void AppendSized(std::ostream& out, const std::string& bytes) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.put(static_cast<char>((bytes.size() >> shift) & 0xFF));
  }
  out << bytes;
}

// Keeps whatever is written into an engine, which outlives it.
class KeepingEngine final : public test::BorrowedEngine {
 public:
  KeepingEngine(char store, storage::Engine& engine, const fs::path& kept)
      : BorrowedEngine(engine),
        store_(store),
        kept_(kept, std::ios::binary | std::ios::app) {}
  absl::Status Commit(const storage::Batch& batch) override {
    for (const storage::Batch::Write& write : batch.writes()) {
      if (!write.value.has_value()) continue;
      kept_.put(store_);
      AppendSized(kept_, write.key);
      AppendSized(kept_, *write.value);
    }
    kept_.flush();
    return BorrowedEngine::Commit(batch);
  }

 private:
  const char store_;
  std::ofstream kept_;
};

class AttackerTest : public ::testing::Test {
 protected:
  AttackerTest() {
    VaultFixture::Options options;
    options.slots = kSlots;
    options.amend = test::KeepTransactions;
    options.open = [this](const fs::path& directory, bool) {
      return directory.filename() == "keys"
                 ? std::make_unique<KeepingEngine>('K', *keys_, kept_)
                 : std::make_unique<KeepingEngine>('D', *data_, kept_);
    };
    vault_ = std::make_unique<VaultFixture>(options);
    history_.emplace(*vault_, scratch_.path());
    history_->Run(kSteps, [](int) {});
  }
  Loot AttackWith(const std::vector<std::string>& slots,
                  const std::vector<std::string>& more = {}) const {
    return test::Attack(*history_, kept_, slots, more);
  }
  void ExpectGetsIn(const Loot& loot) const {
    EXPECT_THAT(ErasedIn(*history_, loot.deks), Not(IsEmpty()));
  }
  // With keys that a wrong seal would have left.
  std::vector<std::string> Broken(const std::string& what) const {
    std::vector<std::string> more = {"--break", what, "--old"};
    more.insert(more.end(), history_->old_slots.begin(),
                history_->old_slots.end());
    return more;
  }

  const test::ScratchDirectory scratch_;
  const fs::path kept_ = scratch_.path() / "kept";
  const std::unique_ptr<storage::Engine> keys_ = storage::NewMemoryEngine();
  const std::unique_ptr<storage::Engine> data_ = storage::NewMemoryEngine();
  std::unique_ptr<VaultFixture> vault_;
  std::optional<test::History> history_;
};

TEST_F(AttackerTest, OpensNothingOfTheErasedAndAllOfTheLiving) {
  ASSERT_GE(history_->erased.size(), 20);
  ASSERT_GE(history_->living.size(), 40);
  ASSERT_GE(history_->kept_part.size(), 4);
  ASSERT_GE(history_->expired, 3);
  test::ExpectOnlyTheLiving(*history_, AttackWith(history_->SlotsOfNow()));
}

// Neither what their values were before, nor where they could be found.
TEST_F(AttackerTest, OpensNothingThatTheLivingCorrected) {
  const Loot loot = AttackWith(history_->SlotsOfNow());
  EXPECT_EQ(loot.generations, history_->GenerationsOfNow());
  size_t corrected = 0;
  for (const auto& [subject, values] : loot.values) {
    EXPECT_THAT(values, ElementsAre(history_->emails_of.at(subject)));
    const auto generations =
        loot.generations.find({subject, test::kAccountClass});
    ASSERT_NE(generations, loot.generations.end());
    if (*generations->second.begin() > 1) ++corrected;
  }
  EXPECT_GE(corrected, 20);
}

TEST_F(AttackerTest, GetsInWhereOlderSlotsCanBeRead) {
  std::vector<std::string> slots = history_->SlotsOfNow();
  slots.insert(slots.end(), history_->old_slots.begin(),
               history_->old_slots.end());
  const Loot loot = AttackWith(slots);
  EXPECT_NE(loot.generations, history_->GenerationsOfNow());
  EXPECT_TRUE(std::ranges::any_of(
      loot.values, [](const auto& of) { return of.second.size() > 1; }));
  EXPECT_EQ(ErasedIn(*history_, loot.deks), history_->erased);
  EXPECT_EQ(ErasedIn(*history_, loot.index), history_->erased);
}

// As if seals kept the root: then the one of the first is the one of today.
TEST_F(AttackerTest, GetsInWhereTheRootStaysTheSame) {
  ExpectGetsIn(AttackWith({history_->old_slots.front()}));
}

TEST_F(AttackerTest, GetsInWhereABucketKeepsItsKey) {
  ExpectGetsIn(AttackWith(history_->SlotsOfNow(), Broken("bucket")));
}

TEST_F(AttackerTest, GetsInWhereAPageKeepsItsKey) {
  ExpectGetsIn(AttackWith(history_->SlotsOfNow(), Broken("page")));
}

// Slots on a medium that forgets nothing, sealed with a passphrase that is
// known today.
class SealedSlotsTest : public ::testing::Test {
 protected:
  SealedSlotsTest() { Start("the first passphrase"); }
  // The next process, with these passphrases.
  void Start(const std::string& lines) {
    vault_.reset();
    VaultFixture::Options options;
    options.directory = directory_;
    fs::create_directories(directory_);
    options.open = [this](const fs::path& directory, bool) {
      return directory.filename() == "keys"
                 ? std::make_unique<KeepingEngine>('K', *keys_, kept_)
                 : std::make_unique<KeepingEngine>('D', *data_, kept_);
    };
    options.wrap_slot = [&](std::unique_ptr<crypto::RootSlot>) {
      constexpr crypto::SlotPassphrases::Cost kCheap{1, 8};
      auto passphrases = crypto::SlotPassphrases::FromLines(
          crypto::Secret::CopyOf(lines), kCheap);
      EXPECT_THAT(passphrases, IsOk());
      return std::make_unique<crypto::FileRootSlot>(directory_ / "slot",
                                                    *std::move(passphrases));
    };
    vault_.emplace(options);
    std::vector<std::string> old;
    std::set<std::string> erased;
    if (history_.has_value()) {
      old = history_->old_slots;
      erased = history_->erased;
    }
    history_.emplace(*vault_, scratch_.path(), old);
    history_->erased = erased;
  }
  base::SubjectId NewOne() {
    return NewPerson(*vault_, "p" + std::to_string(++people_) + "@example.com");
  }
  void EraseAndSeal(const base::SubjectId& subject) {
    ASSERT_THAT(Erase(*vault_, subject), IsOk());
    ASSERT_THAT(vault_->store().FinishErasures(), IsOk());
    history_->erased.insert(test::HexOf(subject));
    history_->KeepSlots();
  }
  std::set<std::string> OpenedWith(const std::string& passphrase) const {
    std::vector<std::string> slots = history_->SlotsOfNow();
    slots.insert(slots.end(), history_->old_slots.begin(),
                 history_->old_slots.end());
    return ErasedIn(*history_, test::Attack(*history_, kept_, slots,
                                            {"--passphrase", passphrase})
                                   .deks);
  }

  const test::ScratchDirectory scratch_;
  const fs::path directory_ = scratch_.path() / "vault";
  const fs::path kept_ = scratch_.path() / "kept";
  const std::unique_ptr<storage::Engine> keys_ = storage::NewMemoryEngine();
  const std::unique_ptr<storage::Engine> data_ = storage::NewMemoryEngine();
  std::optional<VaultFixture> vault_;
  std::optional<test::History> history_;
  int people_ = 0;
};

// Why receipts do not say more of files than they do.
TEST_F(SealedSlotsTest, GetsInWhereThePassphraseStaysTheSame) {
  const base::SubjectId ann = NewOne();
  EraseAndSeal(ann);
  EXPECT_THAT(OpenedWith("the first passphrase"),
              ElementsAre(test::HexOf(ann)));
  EXPECT_THAT(OpenedWith("another passphrase"), IsEmpty());
}

TEST_F(SealedSlotsTest, OpensOnlyThoseErasedSinceThePassphraseWasReplaced) {
  const base::SubjectId ann = NewOne();
  const base::SubjectId bob = NewOne();
  const base::SubjectId eve = NewOne();
  EraseAndSeal(ann);
  Start("the second passphrase\nthe first passphrase");
  EraseAndSeal(bob);  // with a root of before still: the first seal since
  EXPECT_THAT(OpenedWith("the second passphrase"), IsEmpty());
  EraseAndSeal(eve);
  EXPECT_THAT(OpenedWith("the second passphrase"),
              ElementsAre(test::HexOf(eve)));
}

}  // namespace
}  // namespace hizo::vault
