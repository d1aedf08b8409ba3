#include "crypto/blind_index.h"

#include <optional>
#include <string>

#include "crypto/aead.h"
#include "crypto/big_endian.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/format_vectors.h"
#include "tests/crypto/hex.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using std::string_literals::operator""s;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::Optional;

constexpr char kText[] = "ada@example.com";
constexpr char kSubject[] = "subject-16-bytes";

class BlindIndexTest : public testing::Test {
 protected:
  const Key shard_ = Key::Random();
  const std::string entry_ = SealIndexEntry(shard_, "row", kSubject, kText);
};

TEST(IndexRouteTest, DependsOnKeyKindAndValue) {
  // One route is 16 bits: compare 16 of them at once.
  const auto routes = [](const Key& key, uint16_t kind, std::string text) {
    std::string all;
    for (int i = 0; i < 16; ++i) {
      text.push_back('x');
      AppendBigEndian(all, IndexRoute(key, kind, text));
    }
    return all;
  };
  const Key key = Key::Random();
  EXPECT_EQ(routes(key, 1, kText), routes(key, 1, kText));
  EXPECT_NE(routes(key, 1, kText), routes(Key::Random(), 1, kText));
  EXPECT_NE(routes(key, 1, kText), routes(key, 2, kText));
  EXPECT_NE(routes(key, 1, kText), routes(key, 1, "eve@example.com"));
}

TEST(IndexTagTest, DependsOnKeyKindAndValue) {
  const Key key = Key::Random();
  const std::string tag = IndexTag(key, 1, kText);
  EXPECT_EQ(tag.size(), kIndexTagSize);
  EXPECT_EQ(IndexTag(key, 1, kText), tag);
  EXPECT_NE(IndexTag(Key::Random(), 1, kText), tag);
  EXPECT_NE(IndexTag(key, 2, kText), tag);  // a handle is no e-mail address
  EXPECT_NE(IndexTag(key, 1, "ada@example.con"), tag);
}

TEST(IndexTagTest, IsNotItsRoute) {
  const Key key = Key::Random();
  EXPECT_NE(IndexTag(key, 1, kText).substr(0, 2) +
                IndexTag(key, 2, kText).substr(0, 2),
            BigEndian(IndexRoute(key, 1, kText)) +
                BigEndian(IndexRoute(key, 2, kText)));
}

TEST_F(BlindIndexTest, FindsTheSubject) {
  EXPECT_THAT(OpenIndexEntry(shard_, "row", entry_, kText),
              IsOkAndHolds(Optional(std::string(kSubject))));
}

TEST_F(BlindIndexTest, ACollisionIsNoHit) {
  for (const std::string& text :
       {""s, "eve@example.com"s, "ada@example.com\0"s, "ada@example.co"s}) {
    EXPECT_THAT(OpenIndexEntry(shard_, "row", entry_, text),
                IsOkAndHolds(std::nullopt));
  }
}

TEST_F(BlindIndexTest, ARekeyedShardMakesOldRowsUseless) {
  EXPECT_THAT(OpenIndexEntry(Key::Random(), "row", entry_, kText),
              StatusIs(StatusCode::kDataLoss));
}

TEST_F(BlindIndexTest, RefusesAnEntryMovedToAnotherRow) {
  EXPECT_THAT(OpenIndexEntry(shard_, "roe", entry_, kText),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(OpenIndexEntry(shard_, "", entry_, kText),
              StatusIs(StatusCode::kDataLoss));
}

TEST_F(BlindIndexTest, RefusesEveryFlippedBitAndLength) {
  for (size_t bit = 0; bit < 8 * entry_.size(); ++bit) {
    std::string flipped = entry_;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    ASSERT_THAT(OpenIndexEntry(shard_, "row", flipped, kText),
                StatusIs(StatusCode::kDataLoss));
  }
  for (size_t size = 0; size < entry_.size(); ++size) {
    ASSERT_THAT(OpenIndexEntry(shard_, "row", entry_.substr(0, size), kText),
                StatusIs(StatusCode::kDataLoss));
  }
}

TEST_F(BlindIndexTest, TheShardKeyItselfSealsNoEntries) {
  const std::string data = "hizo/index/v1\0\0\0\0\3row"s;
  EXPECT_THAT(Open(shard_, data, entry_), StatusIs(StatusCode::kDataLoss));
}

TEST_F(BlindIndexTest, TheLengthOfAValueDoesNotShow) {
  EXPECT_EQ(SealIndexEntry(shard_, "row", kSubject, "a@b.example").size(),
            SealIndexEntry(shard_, "row", kSubject, "abc@b.example").size());
}

TEST_F(BlindIndexTest, ValuesMayBeEmptyOrHoldAnything) {
  for (const std::string& text : {""s, "\0\x80\0"s, std::string(1000, 'x')}) {
    EXPECT_THAT(
        OpenIndexEntry(shard_, "row",
                       SealIndexEntry(shard_, "row", kSubject, text), text),
        IsOkAndHolds(Optional(std::string(kSubject))));
  }
}

TEST(BlindIndexDeathTest, ASubjectHasSixteenBytes) {
  const Key shard = Key::Random();
  EXPECT_DEATH(SealIndexEntry(shard, "row", "short", kText), "impossible size");
}

TEST(BlindIndexFormatTest, AgreesWithAnIndependentEncoder) {
  const Key shard = KeyFromHex(kVectorShardKey);
  EXPECT_EQ(ToHex(IndexTag(shard, 3, kText)), kVectorIndexTag);
  EXPECT_EQ(ToHex(BigEndian(IndexRoute(shard, 3, kText))), kVectorIndexRoute);
  EXPECT_THAT(
      OpenIndexEntry(shard, "row key", FromHex(kVectorIndexEntry), kText),
      IsOkAndHolds(Optional(FromHex(kVectorSubject))));
}

}  // namespace
}  // namespace hizo::crypto
