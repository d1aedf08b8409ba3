#include "service/audit/proofs.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "crypto/merkle.h"
#include "gtest/gtest.h"
#include "service/audit/tree.h"
#include "tests/service/audit/test_log.h"
#include "tests/testing/status_matchers.h"

namespace hizo::audit {
namespace {

using crypto::Digest;
using crypto::MerkleRoot;
using test::IsOk;
using test::StatusIs;

// Around the edges of tiles of the first two levels.
constexpr uint64_t kSize = 256 * 256 + 256 + 3;
constexpr std::array<uint64_t, 19> kSizes = {
    1,   2,    3,     7,     8,     255,   256,   257,   511,  512,
    513, 1000, 65535, 65536, 65537, 65791, 65792, 65793, kSize};

class ProofsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    log_ = new TestLog();
    log_->Append(kSize, 5000);
    roots_ = new std::vector<MerkleRoot>();
    crypto::MerklePeaks peaks;
    for (const uint64_t size : kSizes) {
      while (peaks.size() < size) peaks.Append(LeafOf(peaks.size()));
      roots_->push_back({size, peaks.Root()});
    }
  }
  static void TearDownTestSuite() {
    delete log_;
    delete roots_;
  }
  static TreeEdge edge() { return log_->log().edge(); }
  static Digest LeafOf(uint64_t sequence) {
    return crypto::LeafHash(log_->Stored(EntryKey(sequence)));
  }

  static TestLog* log_;
  static std::vector<MerkleRoot>* roots_;  // of kSizes
};
TestLog* ProofsTest::log_ = nullptr;
std::vector<MerkleRoot>* ProofsTest::roots_ = nullptr;

TEST_F(ProofsTest, ProveEntriesInTreesOfEverySize) {
  for (const MerkleRoot& tree : *roots_) {
    for (const uint64_t index : {uint64_t{0}, uint64_t{1}, uint64_t{255},
                                 uint64_t{256}, tree.size / 2, tree.size - 1}) {
      if (index >= tree.size) continue;
      const auto proof =
          InclusionProof(log_->engine(), edge(), tree.size, index);
      ASSERT_THAT(proof, IsOk());
      EXPECT_TRUE(ProvesInclusion(*proof, tree, index, LeafOf(index)))
          << index << " of " << tree.size;
    }
  }
}

TEST_F(ProofsTest, ProveThatEveryTreeContinuesEverySmallerOne) {
  for (const MerkleRoot& newer : *roots_) {
    for (const MerkleRoot& older : *roots_) {
      if (older.size > newer.size) break;
      const auto proof =
          ConsistencyProof(log_->engine(), edge(), newer.size, older.size);
      ASSERT_THAT(proof, IsOk());
      EXPECT_TRUE(ProvesConsistency(*proof, older, newer))
          << older.size << " to " << newer.size;
    }
  }
}

TEST_F(ProofsTest, TheEmptyTreeIsContinuedByAll) {
  const auto proof = ConsistencyProof(log_->engine(), edge(), kSize, 0);
  ASSERT_THAT(proof, IsOk());
  EXPECT_TRUE(
      ProvesConsistency(*proof, {0, TreeEdge().Root()}, roots_->back()));
}

TEST_F(ProofsTest, AreThoseOfALogThatWasNoLongerThen) {
  TestLog then;
  then.Append(300);
  for (const uint64_t index : {0, 44, 256, 299}) {
    const auto now = InclusionProof(log_->engine(), edge(), 300, index);
    const auto before =
        InclusionProof(then.engine(), then.log().edge(), 300, index);
    ASSERT_THAT(now, IsOk());
    ASSERT_THAT(before, IsOk());
    // The entries differ by their times, not the shape of the proof.
    EXPECT_EQ(now->size(), before->size());
  }
}

TEST_F(ProofsTest, OfWhatIsNotThereAreRefused) {
  const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument);
  const storage::Engine& engine = log_->engine();
  EXPECT_THAT(InclusionProof(engine, edge(), kSize, kSize), invalid);
  EXPECT_THAT(InclusionProof(engine, edge(), 0, 0), invalid);
  EXPECT_THAT(InclusionProof(engine, edge(), kSize + 1, 0), invalid);
  EXPECT_THAT(InclusionProof(engine, edge(), 5, UINT64_MAX), invalid);
  EXPECT_THAT(ConsistencyProof(engine, edge(), kSize + 1, 1), invalid);
  EXPECT_THAT(ConsistencyProof(engine, edge(), 5, 6), invalid);
  EXPECT_THAT(ConsistencyProof(engine, edge(), 5, UINT64_MAX), invalid);
}

TEST(ProofsOfADamagedLogTest, AMissingOrShortTileIsAnError) {
  const auto loss = StatusIs(absl::StatusCode::kDataLoss);
  TestLog log;
  log.Append(300);
  const TreeEdge edge = log.log().edge();
  EXPECT_THAT(InclusionProof(log.engine(), edge, 256, 0), IsOk());
  log.Overwrite(TileKey(0, 0), "short");
  EXPECT_THAT(InclusionProof(log.engine(), edge, 256, 0), loss);
  EXPECT_THAT(ConsistencyProof(log.engine(), edge, 200, 100), loss);
  log.Remove(TileKey(0, 0));
  EXPECT_THAT(InclusionProof(log.engine(), edge, 300, 0), loss);
}

// The tiles say what was written, so an entry that was changed later has no
// proof any more.
TEST(ProofsOfADamagedLogTest, AChangedEntryIsNotProved) {
  TestLog log;
  log.Append(300);
  const MerkleRoot tree{300, log.log().head().root};
  std::string entry = log.Stored(EntryKey(7));
  const Digest written = crypto::LeafHash(entry);
  entry.back() ^= 1;
  log.Overwrite(EntryKey(7), entry);
  const auto proof = InclusionProof(log.engine(), log.log().edge(), 300, 7);
  ASSERT_THAT(proof, IsOk());
  EXPECT_TRUE(ProvesInclusion(*proof, tree, 7, written));
  EXPECT_FALSE(ProvesInclusion(*proof, tree, 7, crypto::LeafHash(entry)));
}

}  // namespace
}  // namespace hizo::audit
