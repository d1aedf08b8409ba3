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
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/policy/retention.h"
#include "service/vault/deks_row.h"
#include "service/vault/row_keys.h"
#include "storage/memory/engine.h"
#include "tests/service/vault/people.h"
#include "tests/testing/borrowed_engine.h"
#include "tests/testing/child_process.h"

namespace hizo::vault {
namespace {

namespace fs = std::filesystem;
using base::SubjectId;
using test::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kSteps = 400;
constexpr size_t kSlots = 2;
constexpr size_t kSubjectHex = 32;
constexpr int kAccount = 1;
constexpr int kTransaction = 4;

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

// What an attack opened, by person.
struct Loot {
  std::set<std::string> deks;
  std::set<std::string> index;
  std::set<std::string> kept;  // transactions of whom was erased in part
  std::map<std::pair<std::string, int>, std::set<uint32_t>> generations;
  std::map<std::string, std::set<std::string>> values;  // in the index
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

  std::string LastEmail() const {
    return "e" + std::to_string(emails_ - 1) + "@example.com";
  }
  // The generations of DEKs that the living have now, by class.
  std::map<std::pair<std::string, int>, std::set<uint32_t>> GenerationsOfNow()
      const {
    std::map<std::pair<std::string, int>, std::set<uint32_t>> generations;
    for (const auto& row : test::RowsOf(*keys_, base::kSpaceDeks)) {
      const std::string subject = HexOf(ParsePersonsRow(row.key)->subject);
      if (!living_.contains(subject)) continue;
      const auto deks = DecodeDeksRow(row.value);
      for (const WrappedDek& wrapped : deks->wrapped) {
        generations[{subject, wrapped.class_number}].insert(wrapped.generation);
      }
    }
    return generations;
  }

  void PutInvoice(const SubjectId& subject, int yen) {
    const policy::Day today = policy::DayOf(vault_->clock().Now());
    ASSERT_THAT(Put(*vault_, subject, InvoiceOf(yen, policy::ToText(today))),
                IsOk());
  }

  void RotateKeys() {
    const Call call = FullCall(*vault_, Action::kKeysRotate);
    ASSERT_THAT(vault_->Run(call,
                            [&](Attempt& attempt) {
                              return vault_->store().key_rotations().Begin(
                                  attempt, call, true);
                            }),
                IsOk());
    for (bool more = true; more;) {
      const auto rotated = vault_->store().RotateKeys();
      ASSERT_THAT(rotated, IsOk());
      more = *rotated;
    }
    KeepSlots();
  }

  // Creates, writes, moves, erasures, for good or not, seals, ends of terms,
  // renewals, a rotation of all keys and restarts in some order.
  void RunHistory() {
    std::mt19937 random(7);  // any seed will do
    std::vector<SubjectId> living;
    for (int step = 0; step < kSteps; ++step) {
      if (step == kSteps / 2) RotateKeys();
      const size_t which = living.empty() ? 0 : random() % living.size();
      switch (random() % 10) {
        case 0:
        case 1:
        case 2:
          living.push_back(NewPerson(*vault_, NewEmail()));
          emails_of_[HexOf(living.back())] = LastEmail();
          if (step % 2 == 0) break;
          PutInvoice(living.back(), step);
          break;
        case 3:
        case 4:
          if (living.empty()) break;
          ASSERT_THAT(Put(*vault_, living[which],
                          RecordOf("account", {{"email", NewEmail()}})),
                      IsOk());
          emails_of_[HexOf(living[which])] = LastEmail();
          break;
        case 5:
          if (living.empty()) break;
          PutInvoice(living[which], step);
          break;
        case 6:
          if (living.empty()) break;
          ASSERT_THAT(Erase(*vault_, living[which],
                            std::chrono::days(step % 3 == 0 ? 30 : 0)),
                      IsOk());
          if (step % 6 == 0) {
            ASSERT_THAT(CancelErasure(*vault_, living[which]), IsOk());
            break;
          }
          erased_.insert(HexOf(living[which]));
          gone_.push_back(living[which]);
          living.erase(living.begin() + static_cast<std::ptrdiff_t>(which));
          break;
        case 7:
        case 8:
          // A term is seven years and some: they end all the time.
          vault_->clock().Advance(std::chrono::hours(24 * 75));
          ASSERT_THAT(vault_->store().FinishErasures(), IsOk());
          KeepSlots();
          if (step % 2 == 0) break;
          ASSERT_THAT(vault_->store().Renew(), IsOk());
          KeepSlots();
          break;
        default:
          ASSERT_THAT(vault_->Reopen(), IsOk());
      }
    }
    ASSERT_THAT(vault_->store().FinishErasures(), IsOk());
    ASSERT_THAT(vault_->store().Renew(), IsOk());
    for (const SubjectId& subject : living) living_.insert(HexOf(subject));
    for (const SubjectId& subject : gone_) {
      const auto erasure = GetErasure(*vault_, subject);
      ASSERT_THAT(erasure, IsOk());
      if (!erasure->kept.empty()) kept_part_.insert(HexOf(subject));
      if (erasure->receipts.size() == 2) ++expired_;
    }
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
      int number = 0;
      uint32_t generation = 0;
      std::string value;
      if (what == "index" && (in >> value) && living_.contains(subject)) {
        loot.values[subject].insert(value);
      }
      // What a law has kept is there for whoever has everything of today.
      if (what == "dek" && (in >> number >> generation)) {
        if (living_.contains(subject)) {
          loot.generations[{subject, number}].insert(generation);
        }
        if (number == kTransaction && kept_part_.contains(subject)) {
          loot.kept.insert(subject);
          continue;
        }
      }
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
  std::vector<SubjectId> gone_;
  std::set<std::string> kept_part_;  // of the erased, with transactions kept
  size_t expired_ = 0;               // of whom they were kept and are no more
  std::set<std::string> living_;
  int emails_ = 0;
  std::map<std::string, std::string> emails_of_;  // by person
};

TEST_F(AttackerTest, OpensNothingOfTheErasedAndAllOfTheLiving) {
  ASSERT_GE(erased_.size(), 20);
  ASSERT_GE(living_.size(), 40);
  const Loot loot = Attack(SlotsOfNow());
  EXPECT_THAT(ErasedIn(loot.deks), IsEmpty());
  EXPECT_THAT(ErasedIn(loot.index), IsEmpty());
  ASSERT_GE(kept_part_.size(), 4);
  ASSERT_GE(expired_, 3);
  EXPECT_EQ(loot.kept, kept_part_);
  EXPECT_TRUE(std::ranges::includes(loot.deks, living_));
  EXPECT_TRUE(std::ranges::includes(loot.index, living_));
}

// Neither what their values were before, nor where they could be found.
TEST_F(AttackerTest, OpensNothingThatTheLivingCorrected) {
  const Loot loot = Attack(SlotsOfNow());
  EXPECT_EQ(loot.generations, GenerationsOfNow());
  size_t corrected = 0;
  for (const auto& [subject, values] : loot.values) {
    EXPECT_THAT(values, ElementsAre(emails_of_.at(subject)));
    const auto generations = loot.generations.find({subject, kAccount});
    ASSERT_NE(generations, loot.generations.end());
    if (*generations->second.begin() > 1) ++corrected;
  }
  EXPECT_GE(corrected, 20);
}

TEST_F(AttackerTest, GetsInWhereOlderSlotsCanBeRead) {
  std::vector<std::string> slots = SlotsOfNow();
  slots.insert(slots.end(), old_.begin(), old_.end());
  const Loot loot = Attack(slots);
  EXPECT_NE(loot.generations, GenerationsOfNow());
  EXPECT_TRUE(std::ranges::any_of(
      loot.values, [](const auto& of) { return of.second.size() > 1; }));
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
