#include "crypto/merkle.h"

#include <bit>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace hizo::crypto {
namespace {

constexpr uint64_t kSizeMax = 40;

Digest LeafOf(uint64_t number) { return LeafHash(std::to_string(number)); }

// The definitions of RFC 6962 2.1, word for word.
Digest RootOf(uint64_t begin, uint64_t end) {
  if (begin == end) return Sha256("");
  if (end - begin == 1) return LeafOf(begin);
  const uint64_t half = std::bit_floor(end - begin - 1);
  return NodeHash(RootOf(begin, begin + half), RootOf(begin + half, end));
}

std::vector<Digest> PathOf(uint64_t leaf, uint64_t begin, uint64_t end) {
  if (end - begin == 1) return {};
  const uint64_t middle = begin + std::bit_floor(end - begin - 1);
  const bool left = leaf < middle;
  std::vector<Digest> path =
      left ? PathOf(leaf, begin, middle) : PathOf(leaf, middle, end);
  path.push_back(left ? RootOf(middle, end) : RootOf(begin, middle));
  return path;
}

std::vector<Digest> SubProofOf(uint64_t older, uint64_t begin, uint64_t end,
                               bool whole) {
  if (older == end) {
    return whole ? std::vector<Digest>()
                 : std::vector<Digest>{RootOf(begin, end)};
  }
  const uint64_t middle = begin + std::bit_floor(end - begin - 1);
  const bool left = older <= middle;
  std::vector<Digest> proof = left ? SubProofOf(older, begin, middle, whole)
                                   : SubProofOf(older, middle, end, false);
  proof.push_back(left ? RootOf(middle, end) : RootOf(begin, middle));
  return proof;
}

MerkleRoot TreeOf(uint64_t size) { return {size, RootOf(0, size)}; }
std::vector<Digest> ConsistencyOf(uint64_t older, uint64_t newer) {
  if (older == 0 || older == newer) return {};
  return SubProofOf(older, 0, newer, true);
}

TEST(MerklePeaksTest, HasTheRootOfTheDefinition) {
  MerklePeaks peaks;
  for (uint64_t size = 0; size <= 2 * kSizeMax; ++size) {
    EXPECT_EQ(peaks.size(), size);
    EXPECT_EQ(peaks.Root(), RootOf(0, size)) << size;
    peaks.Append(LeafOf(size));
  }
}

TEST(ProvesInclusionTest, TakesEveryProofOfTheDefinition) {
  for (uint64_t size = 1; size <= kSizeMax; ++size) {
    for (uint64_t leaf = 0; leaf < size; ++leaf) {
      EXPECT_TRUE(ProvesInclusion(PathOf(leaf, 0, size), TreeOf(size), leaf,
                                  LeafOf(leaf)))
          << leaf << " of " << size;
    }
  }
}

TEST(ProvesInclusionTest, RefusesAnotherLeafPlaceOrRoot) {
  for (uint64_t size = 2; size <= kSizeMax; ++size) {
    const MerkleRoot tree = TreeOf(size);
    for (uint64_t leaf = 0; leaf < size; ++leaf) {
      const std::vector<Digest> proof = PathOf(leaf, 0, size);
      EXPECT_FALSE(ProvesInclusion(proof, tree, leaf, LeafOf(leaf + 1)));
      const uint64_t other = (leaf + 1) % size;
      EXPECT_FALSE(ProvesInclusion(proof, tree, other, LeafOf(leaf)));
      EXPECT_FALSE(ProvesInclusion(proof, {size, RootOf(0, size - 1)}, leaf,
                                   LeafOf(leaf)));
      EXPECT_FALSE(ProvesInclusion(proof, tree, size, LeafOf(leaf)));
    }
  }
}

TEST(ProvesInclusionTest, RefusesAProofThatIsChangedCutOrLengthened) {
  for (uint64_t size = 2; size <= kSizeMax; ++size) {
    const uint64_t leaf = size / 2;
    const std::vector<Digest> proof = PathOf(leaf, 0, size);
    for (size_t i = 0; i < proof.size(); ++i) {
      std::vector<Digest> changed = proof;
      changed[i][0] ^= 1;
      EXPECT_FALSE(ProvesInclusion(changed, TreeOf(size), leaf, LeafOf(leaf)));
    }
    std::vector<Digest> cut = proof;
    cut.pop_back();
    EXPECT_FALSE(ProvesInclusion(cut, TreeOf(size), leaf, LeafOf(leaf)));
    std::vector<Digest> longer = proof;
    longer.push_back(LeafOf(0));
    EXPECT_FALSE(ProvesInclusion(longer, TreeOf(size), leaf, LeafOf(leaf)));
  }
}

TEST(ProvesInclusionTest, NothingIsInAnEmptyTree) {
  EXPECT_FALSE(ProvesInclusion({}, TreeOf(0), 0, Sha256("")));
}

TEST(ProvesConsistencyTest, TakesEveryProofOfTheDefinition) {
  for (uint64_t newer = 0; newer <= kSizeMax; ++newer) {
    for (uint64_t older = 0; older <= newer; ++older) {
      EXPECT_TRUE(ProvesConsistency(ConsistencyOf(older, newer), TreeOf(older),
                                    TreeOf(newer)))
          << older << " to " << newer;
    }
  }
}

TEST(ProvesConsistencyTest, RefusesOtherRootsAndOtherSizes) {
  for (uint64_t newer = 2; newer <= kSizeMax; ++newer) {
    for (uint64_t older = 1; older < newer; ++older) {
      const std::vector<Digest> proof = ConsistencyOf(older, newer);
      const MerkleRoot before = TreeOf(older);
      const MerkleRoot after = TreeOf(newer);
      EXPECT_FALSE(ProvesConsistency(proof, {older, LeafHash("x")}, after));
      EXPECT_FALSE(ProvesConsistency(proof, before, {newer, LeafHash("x")}));
      EXPECT_FALSE(ProvesConsistency(proof, after, before));
      EXPECT_FALSE(ProvesConsistency(proof, {older - 1, before.root}, after));
    }
  }
}

TEST(ProvesConsistencyTest, RefusesAProofThatIsChangedCutOrLengthened) {
  for (uint64_t newer = 2; newer <= kSizeMax; ++newer) {
    for (uint64_t older = 1; older < newer; ++older) {
      const std::vector<Digest> proof = ConsistencyOf(older, newer);
      for (size_t i = 0; i < proof.size(); ++i) {
        std::vector<Digest> changed = proof;
        changed[i][31] ^= 0x80;
        EXPECT_FALSE(ProvesConsistency(changed, TreeOf(older), TreeOf(newer)));
      }
      std::vector<Digest> cut = proof;
      cut.pop_back();
      EXPECT_FALSE(ProvesConsistency(cut, TreeOf(older), TreeOf(newer)));
      std::vector<Digest> longer = proof;
      longer.push_back(LeafOf(0));
      EXPECT_FALSE(ProvesConsistency(longer, TreeOf(older), TreeOf(newer)));
    }
  }
}

TEST(ProvesConsistencyTest, AForkOfTheSameSizeIsNone) {
  EXPECT_TRUE(ProvesConsistency({}, TreeOf(7), TreeOf(7)));
  EXPECT_FALSE(ProvesConsistency({}, TreeOf(7), {7, LeafHash("fork")}));
  EXPECT_FALSE(ProvesConsistency({}, {0, LeafHash("fork")}, TreeOf(7)));
}

}  // namespace
}  // namespace hizo::crypto
