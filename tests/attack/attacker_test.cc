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
#include <iterator>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/memory/engine.h"
#include "tests/service/vault/people.h"
#include "tests/testing/child_process.h"

namespace hizo::vault {
namespace {

namespace fs = std::filesystem;
using base::SubjectId;
using test::IsOk;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kSteps = 400;
constexpr size_t kSlots = 2;
constexpr size_t kSubjectHex = 32;

std::string HexOf(const SubjectId& subject) {
  std::string hex = base::ToText(subject);
  std::erase(hex, '-');
  return hex;
}

void AppendSized(std::ostream& out, const std::string& bytes) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.put(static_cast<char>((bytes.size() >> shift) & 0xFF));
  }
  out << bytes;
}

// Keeps whatever is written into an engine, which outlives it.
class KeepingEngine final : public storage::Engine {
 public:
  KeepingEngine(char store, storage::Engine& engine, const fs::path& kept)
      : store_(store),
        engine_(engine),
        kept_(kept, std::ios::binary | std::ios::app) {}
  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const override {
    return engine_.Get(key);
  }
  absl::StatusOr<std::vector<storage::Row>> Scan(
      const storage::ScanRange& range) const override {
    return engine_.Scan(range);
  }
  absl::Status Commit(const storage::Batch& batch) override {
    for (const storage::Batch::Write& write : batch.writes()) {
      if (!write.value.has_value()) continue;
      kept_.put(store_);
      AppendSized(kept_, write.key);
      AppendSized(kept_, *write.value);
    }
    kept_.flush();
    return engine_.Commit(batch);
  }
  absl::StatusOr<std::unique_ptr<storage::Snapshot>> NewSnapshot()
      const override {
    return engine_.NewSnapshot();
  }
  absl::Status Health() const override { return engine_.Health(); }

 private:
  const char store_;
  storage::Engine& engine_;
  std::ofstream kept_;
};

// What an attack opened, by person.
struct Loot {
  std::set<std::string> deks;
  std::set<std::string> index;
};

class AttackerTest : public ::testing::Test {
 protected:
  AttackerTest() {
    VaultFixture::Options options;
    options.slots = kSlots;
    options.open = [this](const fs::path& directory, bool) {
      return directory.filename() == "keys"
                 ? std::make_unique<KeepingEngine>('K', *keys_, kept_)
                 : std::make_unique<KeepingEngine>('D', *data_, kept_);
    };
    vault_ = std::make_unique<VaultFixture>(options);
    KeepSlots();
    RunHistory();
  }

  void KeepSlots() {
    for (size_t i = 0; i < kSlots; ++i) {
      const fs::path to =
          scratch_.path() / ("old" + std::to_string(old_.size()));
      fs::copy_file(SlotFile(i), to);
      old_.push_back(to.string());
    }
  }
  fs::path SlotFile(size_t i) const {
    return vault_->directory() / (i == 0 ? "slot" : "slot" + std::to_string(i));
  }
  std::string NewEmail() {
    return "e" + std::to_string(emails_++) + "@example.com";
  }

  // Creates, writes, moves, erasures, seals and restarts in some order.
  void RunHistory() {
    std::mt19937 random(7);  // any seed will do
    std::vector<SubjectId> living;
    for (int step = 0; step < kSteps; ++step) {
      const size_t which = living.empty() ? 0 : random() % living.size();
      switch (random() % 10) {
        case 0:
        case 1:
        case 2:
          living.push_back(NewPerson(*vault_, NewEmail()));
          break;
        case 3:
        case 4:
          if (living.empty()) break;
          ASSERT_THAT(Put(*vault_, living[which],
                          RecordOf("account", {{"email", NewEmail()}})),
                      IsOk());
          break;
        case 5:
          if (living.empty()) break;
          ASSERT_THAT(Put(*vault_, living[which],
                          PaymentOf(step, vault_->clock().Now())),
                      IsOk());
          break;
        case 6:
          if (living.empty()) break;
          ASSERT_THAT(Erase(*vault_, living[which]), IsOk());
          erased_.insert(HexOf(living[which]));
          living.erase(living.begin() + static_cast<std::ptrdiff_t>(which));
          break;
        case 7:
        case 8:
          ASSERT_THAT(vault_->store().FinishErasures(), IsOk());
          KeepSlots();
          break;
        default:
          ASSERT_THAT(vault_->Reopen(), IsOk());
      }
    }
    ASSERT_THAT(vault_->store().FinishErasures(), IsOk());
    for (const SubjectId& subject : living) living_.insert(HexOf(subject));
  }

  Loot Attack(std::vector<std::string> slots,
              const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {
        "/usr/bin/python3", HIZO_SOURCE_DIR "/tests/attack/attacker.py",
        kept_.string()};
    arguments.insert(arguments.end(), slots.begin(), slots.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    test::ChildProcess::Options options;
    options.arguments = arguments;
    test::ChildProcess attacker(options);
    EXPECT_EQ(attacker.Wait(), 0) << attacker.output();
    Loot loot;
    for (const std::string& line : attacker.lines()) {
      std::istringstream in(line);
      std::string what;
      std::string subject;
      in >> what >> subject;
      EXPECT_EQ(subject.size(), kSubjectHex) << line;
      (what == "dek" ? loot.deks : loot.index).insert(subject);
    }
    return loot;
  }
  std::vector<std::string> SlotsOfNow() const {
    std::vector<std::string> slots;
    for (size_t i = 0; i < kSlots; ++i) slots.push_back(SlotFile(i).string());
    return slots;
  }
  std::set<std::string> ErasedIn(const std::set<std::string>& subjects) const {
    std::set<std::string> found;
    std::ranges::set_intersection(subjects, erased_,
                                  std::inserter(found, found.end()));
    return found;
  }
  void ExpectGetsIn(const Loot& loot) const {
    EXPECT_THAT(ErasedIn(loot.deks), Not(IsEmpty()));
  }

  const test::ScratchDirectory scratch_;
  const fs::path kept_ = scratch_.path() / "kept";
  const std::unique_ptr<storage::Engine> keys_ = storage::NewMemoryEngine();
  const std::unique_ptr<storage::Engine> data_ = storage::NewMemoryEngine();
  std::unique_ptr<VaultFixture> vault_;
  std::vector<std::string> old_;  // slots, copied after each seal
  std::set<std::string> erased_;
  std::set<std::string> living_;
  int emails_ = 0;
};

TEST_F(AttackerTest, OpensNothingOfTheErasedAndAllOfTheLiving) {
  ASSERT_GE(erased_.size(), 20);
  ASSERT_GE(living_.size(), 40);
  const Loot loot = Attack(SlotsOfNow());
  EXPECT_THAT(ErasedIn(loot.deks), IsEmpty());
  EXPECT_THAT(ErasedIn(loot.index), IsEmpty());
  EXPECT_TRUE(std::ranges::includes(loot.deks, living_));
  EXPECT_TRUE(std::ranges::includes(loot.index, living_));
}

TEST_F(AttackerTest, GetsInWhereOlderSlotsCanBeRead) {
  std::vector<std::string> slots = SlotsOfNow();
  slots.insert(slots.end(), old_.begin(), old_.end());
  const Loot loot = Attack(slots);
  EXPECT_EQ(ErasedIn(loot.deks), erased_);
  EXPECT_EQ(ErasedIn(loot.index), erased_);
}

// As if seals kept the root: then the one of the first is the one of today.
TEST_F(AttackerTest, GetsInWhereTheRootStaysTheSame) {
  ExpectGetsIn(Attack({old_.front()}));
}

TEST_F(AttackerTest, GetsInWhereABucketKeepsItsKey) {
  std::vector<std::string> more = {"--break", "bucket", "--old"};
  more.insert(more.end(), old_.begin(), old_.end());
  ExpectGetsIn(Attack(SlotsOfNow(), more));
}

TEST_F(AttackerTest, GetsInWhereAPageKeepsItsKey) {
  std::vector<std::string> more = {"--break", "page", "--old"};
  more.insert(more.end(), old_.begin(), old_.end());
  ExpectGetsIn(Attack(SlotsOfNow(), more));
}

}  // namespace
}  // namespace hizo::vault
