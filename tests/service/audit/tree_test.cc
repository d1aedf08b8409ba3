#include "service/audit/tree.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/memory/engine.h"
#include "tests/testing/status_matchers.h"

namespace hizo::audit {
namespace {

using crypto::Digest;
using test::IsOkAndHolds;
using test::StatusIs;

std::string Hex(const Digest& digest) {
  return absl::BytesToHexString(std::string(crypto::AsBytes(digest)));
}

std::string EntryOf(uint64_t number) {
  return "entry " + std::to_string(number);
}

// RFC 6962 2.1, word for word.
Digest NaiveRoot(const std::vector<Digest>& leaves, size_t from, size_t to) {
  const size_t size = to - from;
  if (size == 0) return crypto::Sha256("");
  if (size == 1) return leaves[from];
  size_t split = 1;
  while (split * 2 < size) split *= 2;
  return crypto::NodeHash(NaiveRoot(leaves, from, from + split),
                          NaiveRoot(leaves, from + split, to));
}

std::vector<Digest> Leaves(size_t count) {
  std::vector<Digest> leaves;
  for (size_t i = 0; i < count; ++i) {
    leaves.push_back(crypto::LeafHash(EntryOf(i)));
  }
  return leaves;
}

// The test vectors of the Certificate Transparency project.
TEST(TreeEdgeTest, HasThePublishedRoots) {
  const std::vector<std::string> entries = {
      "",
      std::string(1, '\0'),
      "\x10",
      "\x20\x21",
      "\x30\x31",
      "\x40\x41\x42\x43",
      "\x50\x51\x52\x53\x54\x55\x56\x57",
      "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
  const std::vector<std::string> roots = {
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  TreeEdge edge;
  std::vector<TreeEdge::Tile> full;
  for (size_t i = 0; i < entries.size(); ++i) {
    edge.Append(crypto::LeafHash(entries[i]), full);
    EXPECT_EQ(Hex(edge.Root()), roots[i]) << "size " << i + 1;
  }
  EXPECT_TRUE(full.empty());
}

TEST(TreeEdgeTest, EmptyTreeIsTheHashOfNothing) {
  EXPECT_EQ(TreeEdge().size(), 0u);
  EXPECT_EQ(Hex(TreeEdge().Root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// An engine with the entries and tiles of a tree.
class StoredTree {
 public:
  explicit StoredTree(uint64_t size) : engine_(storage::NewMemoryEngine()) {
    storage::Batch batch;
    std::vector<TreeEdge::Tile> full;
    for (uint64_t i = 0; i < size; ++i) {
      edge_.Append(crypto::LeafHash(EntryOf(i)), full);
      batch.Put(EntryKey(i), EntryOf(i));
    }
    for (const TreeEdge::Tile& tile : full) {
      batch.Put(TileKey(tile.level, tile.index), tile.hashes);
    }
    tiles_ = full.size();
    EXPECT_TRUE(engine_->Commit(batch).ok());
  }
  void Put(const std::string& key, const std::string& value) {
    storage::Batch batch;
    batch.Put(key, value);
    EXPECT_TRUE(engine_->Commit(batch).ok());
  }
  void Delete(const std::string& key) {
    storage::Batch batch;
    batch.Delete(key);
    EXPECT_TRUE(engine_->Commit(batch).ok());
  }
  TreeReader reader() const { return TreeReader(*engine_); }
  const TreeEdge& edge() const { return edge_; }
  size_t tiles() const { return tiles_; }

 private:
  std::unique_ptr<storage::Engine> engine_;
  TreeEdge edge_;
  size_t tiles_ = 0;
};

class TreeSizeTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(TreeSizeTest, RootIsTheNaiveOne) {
  const std::vector<Digest> leaves = Leaves(GetParam());
  TreeEdge edge;
  std::vector<TreeEdge::Tile> full;
  for (const Digest& leaf : leaves) edge.Append(leaf, full);
  EXPECT_EQ(edge.size(), leaves.size());
  EXPECT_EQ(edge.Root(), NaiveRoot(leaves, 0, leaves.size()));
}

TEST_P(TreeSizeTest, IsReadBackFromTilesAndEntries) {
  const StoredTree tree(GetParam());
  EXPECT_THAT(tree.reader().RootAt(GetParam()),
              IsOkAndHolds(tree.edge().Root()));
}

TEST_P(TreeSizeTest, GoesOnFromWhatWasReadBack) {
  const StoredTree tree(GetParam());
  absl::StatusOr<TreeEdge> read = tree.reader().EdgeAt(GetParam());
  ASSERT_TRUE(read.ok()) << read.status();
  TreeEdge kept = tree.edge();
  std::vector<TreeEdge::Tile> from_read;
  std::vector<TreeEdge::Tile> from_kept;
  for (uint64_t i = 0; i < 300; ++i) {
    read->Append(crypto::LeafHash(EntryOf(i)), from_read);
    kept.Append(crypto::LeafHash(EntryOf(i)), from_kept);
    ASSERT_EQ(read->Root(), kept.Root());
  }
  ASSERT_EQ(from_read.size(), from_kept.size());
  for (size_t i = 0; i < from_read.size(); ++i) {
    EXPECT_EQ(from_read[i].level, from_kept[i].level);
    EXPECT_EQ(from_read[i].index, from_kept[i].index);
    EXPECT_EQ(from_read[i].hashes, from_kept[i].hashes);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, TreeSizeTest,
                         ::testing::Values(0, 1, 2, 3, 7, 255, 256, 257, 511,
                                           512, 1000, 65535, 65536, 65537));

TEST(TreeReaderTest, FindsEveryEarlierRoot) {
  constexpr uint64_t kSize = 700;
  const StoredTree tree(kSize);
  const std::vector<Digest> leaves = Leaves(kSize);
  for (uint64_t size = 0; size <= kSize; ++size) {
    EXPECT_THAT(tree.reader().RootAt(size),
                IsOkAndHolds(NaiveRoot(leaves, 0, size)));
  }
}

TEST(TreeReaderTest, TilesHoldTheHashesOfTheFormat) {
  const StoredTree tree(65536);
  EXPECT_EQ(tree.tiles(), 257u);
  const std::vector<Digest> leaves = Leaves(65536);
  TreeEdge edge;
  std::vector<TreeEdge::Tile> full;
  for (const Digest& leaf : leaves) edge.Append(leaf, full);
  const TreeEdge::Tile& first = full.front();
  EXPECT_EQ(first.level, 0);
  EXPECT_EQ(first.index, 0u);
  EXPECT_EQ(first.hashes.substr(32, 32), crypto::AsBytes(leaves[1]));
  const TreeEdge::Tile& top = full.back();
  EXPECT_EQ(top.level, 1);
  EXPECT_EQ(top.index, 0u);
  ASSERT_EQ(top.hashes.size(), 8192u);
  EXPECT_EQ(top.hashes.substr(32, 32),
            crypto::AsBytes(NaiveRoot(leaves, 256, 512)));
}

TEST(TreeReaderTest, MissingRowsAreDataLoss) {
  StoredTree tree(600);
  EXPECT_THAT(tree.reader().RootAt(601), StatusIs(absl::StatusCode::kDataLoss));
  tree.Delete(EntryKey(512));
  EXPECT_THAT(tree.reader().RootAt(600), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(tree.reader().RootAt(512), test::IsOk());
  tree.Delete(TileKey(0, 1));
  EXPECT_THAT(tree.reader().RootAt(512), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(TreeReaderTest, TilesOfAWrongSizeAreDataLoss) {
  StoredTree tree(256);
  tree.Put(TileKey(0, 0), std::string(8191, 'x'));
  EXPECT_THAT(tree.reader().RootAt(256), StatusIs(absl::StatusCode::kDataLoss));
  tree.Put(TileKey(0, 0), std::string(8193, 'x'));
  EXPECT_THAT(tree.reader().RootAt(256), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(TreeReaderTest, ChangedRowsChangeTheRoot) {
  StoredTree tree(300);
  tree.Put(EntryKey(299), EntryOf(298));
  EXPECT_NE(*tree.reader().RootAt(300), tree.edge().Root());
}

}  // namespace
}  // namespace hizo::audit
