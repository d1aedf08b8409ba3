#include "crypto/key_tree.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "crypto/aead.h"
#include "crypto/big_endian.h"
#include "crypto/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/each_suite.h"
#include "tests/crypto/format_vectors.h"
#include "tests/crypto/hex.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using std::string_literals::operator""s;
using test::IsOk;
using test::StatusIs;

using Identity = KeyTree::Identity;
using Pages = std::map<PageId, std::string>;
constexpr PageId kTop = {.level = 0, .index = 0};

Identity RandomIdentity(Suite suite, uint64_t epoch = 1) {
  return {.store_id = RandomBytes(kStoreIdSize),
          .store_salt = RandomBytes(32),
          .epoch = epoch,
          .suite = suite};
}

KeyTree::ReadPage Reader(const Pages& pages) {
  return [&pages](PageId id) -> absl::StatusOr<std::string> {
    const auto found = pages.find(id);
    if (found == pages.end()) return absl::NotFoundError("no such page");
    return found->second;
  };
}

class KeyTreeTest : public testing::Test, public EachSuite {
 protected:
  KeyTreeTest() {
    auto [tree, sealed] = KeyTree::Create(root_, identity_);
    tree_ = std::move(tree);
    last_ = sealed.back().id;
    for (auto& page : sealed) pages_[page.id] = std::move(page.bytes);
  }

  absl::StatusOr<std::unique_ptr<KeyTree>> Reopen() const {
    return KeyTree::Open(root_, identity_, Reader(pages_));
  }
  void ExpectDamaged() const {
    EXPECT_THAT(Reopen(), StatusIs(StatusCode::kDataLoss));
  }

  const Key root_ = Key::Random();
  const Identity identity_ = RandomIdentity(GetParam(), 5);
  std::unique_ptr<KeyTree> tree_;
  Pages pages_;
  PageId last_ = {};
};

INSTANTIATE_TEST_SUITE_P(EachSuite, KeyTreeTest, AllSuites(), SuiteName);

TEST_P(KeyTreeTest, MakesTheTopAndAllPages) {
  EXPECT_EQ(pages_.size(), kPagesPerLevel + 1);
  EXPECT_EQ(last_, kTop);
  for (const auto& [id, bytes] : pages_) {
    EXPECT_EQ(bytes.size(), KeyTree::kSealedPageSize);
    EXPECT_EQ(LoadBigEndian<uint64_t>(bytes, 0), 5u);
  }
}

TEST_P(KeyTreeTest, ResealsWithFreshKeysUpThePath) {
  const Key root = Key::Random();
  const Key key = Key::Random(GetParam());
  const std::string wrapped = tree_->WrapKey("gone", "d", nullptr, key);
  const uint16_t bucket = tree_->BucketOf("gone");
  std::string stays = "a";
  while (tree_->BucketOf(stays) / 256 == bucket / 256) stays += 'a';
  const std::string kept = tree_->WrapKey(stays, "d", nullptr, key);
  auto [next, sealed] = tree_->Reseal(root, {bucket});
  ASSERT_EQ(sealed.size(), 2);
  EXPECT_EQ(sealed[0].id.index, bucket / 256);
  EXPECT_EQ(sealed[1].id, kTop);
  EXPECT_EQ(next->identity().epoch, identity_.epoch + 1);
  // Whoever has the tree of before goes on with it.
  EXPECT_THAT(tree_->UnwrapKey("gone", "d", nullptr, wrapped), IsOk());
  EXPECT_THAT(next->UnwrapKey("gone", "d", nullptr, wrapped),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(next->UnwrapKey(stays, "d", nullptr, kept), IsOk());

  const Pages before = pages_;
  for (auto& page : sealed) pages_[page.id] = page.bytes;
  {
    // Given up again: the memory for secrets holds three trees at most.
    const auto reopened = KeyTree::Open(root, next->identity(), Reader(pages_));
    ASSERT_THAT(reopened, IsOk());
    EXPECT_THAT((*reopened)->UnwrapKey(stays, "d", nullptr, kept), IsOk());
    EXPECT_THAT((*reopened)->UnwrapKey("gone", "d", nullptr, wrapped),
                StatusIs(StatusCode::kDataLoss));
  }
  // Neither root opens the other's pages, nor does an older page stand in.
  EXPECT_THAT(KeyTree::Open(root_, next->identity(), Reader(pages_)),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(KeyTree::Open(root, identity_, Reader(before)),
              StatusIs(StatusCode::kDataLoss));
  pages_[sealed[0].id] = before.at(sealed[0].id);
  EXPECT_THAT(KeyTree::Open(root, next->identity(), Reader(pages_)),
              StatusIs(StatusCode::kDataLoss));
}

TEST_P(KeyTreeTest, AResealOfNothingStillHasANewRoot) {
  const Key root = Key::Random();
  auto [next, sealed] = tree_->Reseal(root, {});
  ASSERT_EQ(sealed.size(), 1);
  pages_[kTop] = sealed[0].bytes;
  EXPECT_THAT(KeyTree::Open(root, next->identity(), Reader(pages_)), IsOk());
  EXPECT_THAT(KeyTree::Open(root_, next->identity(), Reader(pages_)),
              StatusIs(StatusCode::kDataLoss));
}

TEST_P(KeyTreeTest, OpensWithTheSameBucketKeys) {
  const auto reopened = Reopen();
  ASSERT_THAT(reopened, IsOk());
  const Key key = Key::Random();
  for (int i = 0; i < 200; ++i) {
    const std::string name = "name" + std::to_string(i);
    const std::string sealed = tree_->WrapKey(name, "detail", nullptr, key);
    ASSERT_EQ((*reopened)->BucketOf(name), tree_->BucketOf(name));
    const auto unwrapped =
        (*reopened)->UnwrapKey(name, "detail", nullptr, sealed);
    ASSERT_THAT(unwrapped, IsOk());
    ASSERT_EQ(unwrapped->Expose(), key.Expose());
  }
}

TEST_P(KeyTreeTest, RefusesAnotherRoot) {
  EXPECT_THAT(KeyTree::Open(Key::Random(), identity_, Reader(pages_)),
              StatusIs(StatusCode::kDataLoss));
}

TEST_P(KeyTreeTest, RefusesAnotherStoreOrEpoch) {
  Identity other = identity_;
  other.store_id = RandomBytes(kStoreIdSize);
  EXPECT_THAT(KeyTree::Open(root_, other, Reader(pages_)),
              StatusIs(StatusCode::kDataLoss));
  for (const uint64_t epoch : {4u, 6u}) {
    other = identity_;
    other.epoch = epoch;
    EXPECT_THAT(KeyTree::Open(root_, other, Reader(pages_)),
                StatusIs(StatusCode::kDataLoss));
  }
}

TEST_P(KeyTreeTest, RefusesAnotherSuite) {
  Identity other = identity_;
  other.suite = GetParam() == kFirstSuite ? kAesSuite : kFirstSuite;
  EXPECT_THAT(KeyTree::Open(root_, other, Reader(pages_)),
              StatusIs(StatusCode::kDataLoss));
}

TEST_P(KeyTreeTest, RefusesADamagedIdentity) {
  Identity other = identity_;
  other.store_id.pop_back();
  EXPECT_THAT(KeyTree::Open(root_, other, Reader(pages_)),
              StatusIs(StatusCode::kDataLoss));
  other = identity_;
  other.store_salt.push_back('x');
  EXPECT_THAT(KeyTree::Open(root_, other, Reader(pages_)),
              StatusIs(StatusCode::kDataLoss));
}

TEST_P(KeyTreeTest, RefusesSwappedPages) {
  std::swap(pages_[PageId{1, 3}], pages_[PageId{1, 4}]);
  ExpectDamaged();
}

TEST_P(KeyTreeTest, RefusesAPageInPlaceOfTheTop) {
  pages_[kTop] = pages_[PageId{1, 0}];
  ExpectDamaged();
}

TEST_P(KeyTreeTest, RefusesAPageOfAnotherTreeOfTheStore) {
  auto [tree, sealed] = KeyTree::Create(root_, identity_);
  pages_[sealed[7].id] = sealed[7].bytes;
  ExpectDamaged();
}

TEST_P(KeyTreeTest, RefusesAnOldTop) {
  Identity older = identity_;
  older.epoch = 4;
  auto [tree, sealed] = KeyTree::Create(root_, older);
  pages_[kTop] = sealed.back().bytes;
  ExpectDamaged();
}

TEST_P(KeyTreeTest, RefusesAChangedEpoch) {
  for (const PageId id : {kTop, PageId{1, 9}}) {
    const std::string before = pages_[id];
    for (const uint64_t epoch : {0u, 4u, 6u}) {
      pages_[id].replace(0, 8, BigEndian(epoch));
      ExpectDamaged();
    }
    pages_[id] = before;
  }
}

TEST_P(KeyTreeTest, RefusesFlippedBytesAndOtherSizes) {
  const std::string before = pages_[PageId{1, 255}];
  for (const size_t at : {8u, 31u, 32u, 4000u, 8239u}) {
    std::string& page = pages_[PageId{1, 255}];
    page = before;
    page[at] = static_cast<char>(page[at] ^ 0x10);
    ExpectDamaged();
  }
  for (const std::string& page : {""s, before.substr(1), before + "x"}) {
    pages_[PageId{1, 255}] = page;
    ExpectDamaged();
  }
}

TEST_P(KeyTreeTest, AMissingPageIsDataLoss) {
  pages_.erase(PageId{1, 100});
  ExpectDamaged();
  pages_.erase(kTop);
  ExpectDamaged();
}

TEST_P(KeyTreeTest, PassesErrorsOfTheReaderOn) {
  const auto failing = [](PageId) -> absl::StatusOr<std::string> {
    return absl::UnavailableError("no disk");
  };
  EXPECT_THAT(KeyTree::Open(root_, identity_, failing),
              StatusIs(StatusCode::kUnavailable));
}

TEST_P(KeyTreeTest, AFailedOpeningGivesAllMemoryBack) {
  const size_t used = GetSlabStatus().used_bytes;
  pages_.erase(PageId{1, 200});
  ExpectDamaged();
  EXPECT_EQ(GetSlabStatus().used_bytes, used);
}

TEST_P(KeyTreeTest, SpreadsNamesOverBuckets) {
  std::set<uint16_t> buckets;
  for (int i = 0; i < 1000; ++i) {
    buckets.insert(tree_->BucketOf("name" + std::to_string(i)));
  }
  EXPECT_GT(buckets.size(), 950u);  // 992 expected of 65,536
}

TEST_P(KeyTreeTest, TheBucketOfANameIsTheStoresOwn) {
  const auto [other, pages] =
      KeyTree::Create(root_, RandomIdentity(GetParam()));
  int same = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "name" + std::to_string(i);
    same += tree_->BucketOf(name) == other->BucketOf(name);
  }
  EXPECT_LT(same, 5);
}

class WrapKeyTest : public KeyTreeTest {
 protected:
  WrapKeyTest() : sealed_(tree_->WrapKey("name", "detail", &tenant_, key_)) {}

  const Key tenant_ = Key::Random(GetParam());
  const Key key_ = Key::Random(GetParam());
  const std::string sealed_;
};

INSTANTIATE_TEST_SUITE_P(EachSuite, WrapKeyTest, AllSuites(), SuiteName);

TEST_P(WrapKeyTest, UnwrapsWhatItWrapped) {
  EXPECT_EQ(sealed_.size(),
            kSealedKeySize + (GetParam() == kFirstSuite ? 0 : 1));
  const auto unwrapped = tree_->UnwrapKey("name", "detail", &tenant_, sealed_);
  ASSERT_THAT(unwrapped, IsOk());
  EXPECT_EQ(unwrapped->Expose(), key_.Expose());
  EXPECT_EQ(unwrapped->suite(), GetParam());
}

// The suite's number may be taken off, put on or changed: it decides nothing
// that the wrap itself does not confirm.
TEST_P(WrapKeyTest, RefusesAWrapOfAnotherSuite) {
  const std::string wrap = sealed_.substr(sealed_.size() - kSealedKeySize);
  for (const std::string& number : {""s, "\1"s, "\2"s, "\3"s}) {
    const std::string bytes = number + wrap;
    const auto unwrapped = tree_->UnwrapKey("name", "detail", &tenant_, bytes);
    if (bytes == sealed_) continue;
    EXPECT_THAT(unwrapped, StatusIs(StatusCode::kDataLoss));
  }
}

TEST_P(WrapKeyTest, ATreeWrapsKeysOfEitherSuite) {
  for (const Suite suite : {kFirstSuite, kAesSuite}) {
    const Key key = key_.In(suite);
    const auto unwrapped =
        tree_->UnwrapKey("name", "detail", &tenant_,
                         tree_->WrapKey("name", "detail", &tenant_, key));
    ASSERT_THAT(unwrapped, IsOk());
    EXPECT_EQ(unwrapped->suite(), suite);
    EXPECT_EQ(unwrapped->Expose(), key.Expose());
  }
}

TEST_P(WrapKeyTest, RefusesAnotherNameDetailOrTenant) {
  const Key other = Key::Random();
  EXPECT_THAT(tree_->UnwrapKey("nome", "detail", &tenant_, sealed_),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(tree_->UnwrapKey("name", "detais", &tenant_, sealed_),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(tree_->UnwrapKey("named", "etail", &tenant_, sealed_),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(tree_->UnwrapKey("name", "detail", &other, sealed_),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(tree_->UnwrapKey("name", "detail", nullptr, sealed_),
              StatusIs(StatusCode::kDataLoss));
}

TEST_P(WrapKeyTest, RefusesAnotherStore) {
  Identity other = identity_;
  other.store_id = RandomBytes(kStoreIdSize);
  const auto [tree, pages] = KeyTree::Create(root_, other);
  EXPECT_THAT(tree->UnwrapKey("name", "detail", &tenant_, sealed_),
              StatusIs(StatusCode::kDataLoss));
}

TEST_P(WrapKeyTest, RefusesEveryFlippedBitAndOtherLengths) {
  for (size_t bit = 0; bit < 8 * sealed_.size(); ++bit) {
    std::string flipped = sealed_;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    ASSERT_THAT(tree_->UnwrapKey("name", "detail", &tenant_, flipped),
                StatusIs(StatusCode::kDataLoss));
  }
  for (const std::string& bytes : {""s, sealed_.substr(1), sealed_ + "x"}) {
    EXPECT_THAT(tree_->UnwrapKey("name", "detail", &tenant_, bytes),
                StatusIs(StatusCode::kDataLoss));
  }
}

TEST_P(WrapKeyTest, ANameWrapperDoesTheSame) {
  const KeyTree::NameWrapper wrapper =
      tree_->ForName("name", &tenant_, GetParam());
  const std::string wrap = sealed_.substr(sealed_.size() - kSealedKeySize);
  const auto unwrapped = wrapper.Unwrap("detail", wrap);
  ASSERT_THAT(unwrapped, IsOk());
  EXPECT_EQ(unwrapped->Expose(), key_.Expose());
  EXPECT_THAT(wrapper.Unwrap("x", wrapper.Wrap("x", key_)), IsOk());
  EXPECT_THAT(wrapper.Unwrap("x", wrap), StatusIs(StatusCode::kDataLoss));
  for (const Suite suite : {kFirstSuite, kAesSuite}) {
    EXPECT_EQ(
        tree_->ForName("name", &tenant_, suite).Unwrap("detail", wrap).ok(),
        suite == GetParam());
  }
}

TEST_P(KeyTreeTest, RootCheckTellsRootsStoresAndEpochsApart) {
  const std::string check = KeyTree::RootCheck(root_, identity_);
  EXPECT_EQ(check.size(), 32u);
  EXPECT_EQ(KeyTree::RootCheck(root_, identity_), check);
  EXPECT_NE(KeyTree::RootCheck(Key::Random(), identity_), check);
  Identity other = identity_;
  other.suite = GetParam() == kFirstSuite ? kAesSuite : kFirstSuite;
  EXPECT_NE(KeyTree::RootCheck(root_, other), check);
  other = identity_;
  ++other.epoch;
  EXPECT_NE(KeyTree::RootCheck(root_, other), check);
  other = identity_;
  other.store_id[0] = static_cast<char>(other.store_id[0] ^ 1);
  EXPECT_NE(KeyTree::RootCheck(root_, other), check);
}

// A tree sealed by hand as crypto/FORMAT.md says, in which the key of a bucket
// is its number 16 times over, opens a key that format_vectors.py wrapped.
struct TreeVector {
  Suite suite;
  const char* bucket;
  const char* wrap;
  const char* root_check;
};

class KeyTreeFormatTest : public testing::TestWithParam<TreeVector> {};

TEST_P(KeyTreeFormatTest, OpensTheTreeOfAnIndependentEncoder) {
  const TreeVector& vector = GetParam();
  const Identity identity = {.store_id = FromHex(kVectorStoreId),
                             .store_salt = FromHex(kVectorStoreSalt),
                             .epoch = 6,
                             .suite = vector.suite};
  const Key root = KeyFromHex(kVectorRoot).In(vector.suite);
  const auto seal = [&identity](const Key& parent, PageId id, uint64_t epoch,
                                const std::string& keys) {
    const std::string data = "hizo/page/v1\0"s + identity.store_id +
                             BigEndian(id.level) + BigEndian(id.index) +
                             BigEndian(epoch);
    return BigEndian(epoch) + Seal(parent, data, keys);
  };
  const std::string page_keys = RandomBytes(kPagesPerLevel * Key::kSize);
  Pages pages = {{kTop, seal(root, kTop, 6, page_keys)}};
  for (uint16_t page = 0; page < kPagesPerLevel; ++page) {
    std::string keys;
    for (uint16_t slot = 0; slot < 256; ++slot) {
      const auto bucket = static_cast<uint16_t>(page << 8 | slot);
      for (int i = 0; i < 16; ++i) AppendBigEndian(keys, bucket);
    }
    const PageId id = {.level = 1, .index = page};
    // Pages that no erasure has touched keep their older epoch.
    pages[id] =
        seal(Key::CopyOf(page_keys.substr(page * Key::kSize, 32), vector.suite),
             id, page % 7, keys);
  }
  const auto tree = KeyTree::Open(root, identity, Reader(pages));
  ASSERT_THAT(tree, IsOk());
  EXPECT_EQ(ToHex(BigEndian((*tree)->BucketOf("\0name"s))), vector.bucket);
  const Key tenant_key = KeyFromHex(kVectorTenantKey);
  const auto key = (*tree)->UnwrapKey("\0name"s, "detail", &tenant_key,
                                      FromHex(vector.wrap));
  ASSERT_THAT(key, IsOk());
  EXPECT_EQ(ToHex(key->Expose()), kVectorWrappedKey);
  EXPECT_EQ(ToHex(KeyTree::RootCheck(root, identity)), vector.root_check);
}

INSTANTIATE_TEST_SUITE_P(
    EachSuite, KeyTreeFormatTest,
    testing::Values(TreeVector{kFirstSuite, kVectorBucket, kVectorWrap,
                               kVectorRootCheck},
                    TreeVector{kAesSuite, kVectorAesBucket, kVectorAesWrap,
                               kVectorAesRootCheck}));

}  // namespace
}  // namespace hizo::crypto
