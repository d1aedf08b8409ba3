#include "crypto/blind_index.h"

#include <optional>
#include <string>

#include "crypto/aead.h"
#include "crypto/big_endian.h"
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
using test::IsOkAndHolds;
using test::StatusIs;
using testing::Optional;

constexpr char kText[] = "ada@example.com";
constexpr char kSubject[] = "subject-16-bytes";

class BlindIndexTest : public testing::Test, public EachSuite {
 protected:
  const Key shard_ = Key::Random(GetParam());
  const std::string entry_ = SealIndexEntry(shard_, "row", kSubject, kText);
};
class IndexRouteTest : public BlindIndexTest {};
class IndexTagTest : public BlindIndexTest {};
INSTANTIATE_TEST_SUITE_P(EachSuite, BlindIndexTest, AllSuites(), SuiteName);
INSTANTIATE_TEST_SUITE_P(EachSuite, IndexRouteTest, AllSuites(), SuiteName);
INSTANTIATE_TEST_SUITE_P(EachSuite, IndexTagTest, AllSuites(), SuiteName);

TEST_P(IndexRouteTest, DependsOnKeyKindAndValue) {
  // One route is 16 bits: compare 16 of them at once.
  const auto routes = [](const Key& key, uint16_t kind, std::string text) {
    std::string all;
    for (int i = 0; i < 16; ++i) {
      text.push_back('x');
      AppendBigEndian(all, IndexRoute(key, kind, text));
    }
    return all;
  };
  const Key key = Key::Random(GetParam());
  EXPECT_EQ(routes(key, 1, kText), routes(key, 1, kText));
  EXPECT_NE(routes(key, 1, kText), routes(Key::Random(GetParam()), 1, kText));
  EXPECT_NE(routes(key, 1, kText), routes(key, 2, kText));
  EXPECT_NE(routes(key, 1, kText), routes(key, 1, "eve@example.com"));
}

TEST_P(IndexTagTest, DependsOnKeyKindAndValue) {
  const Key key = Key::Random(GetParam());
  const std::string tag = IndexTag(key, 1, kText);
  EXPECT_EQ(tag.size(), kIndexTagSize);
  EXPECT_EQ(IndexTag(key, 1, kText), tag);
  EXPECT_NE(IndexTag(Key::Random(GetParam()), 1, kText), tag);
  EXPECT_NE(IndexTag(key, 2, kText), tag);  // a handle is no e-mail address
  EXPECT_NE(IndexTag(key, 1, "ada@example.con"), tag);
}

TEST_P(IndexTagTest, IsNotItsRoute) {
  const Key key = Key::Random(GetParam());
  EXPECT_NE(IndexTag(key, 1, kText).substr(0, 2) +
                IndexTag(key, 2, kText).substr(0, 2),
            BigEndian(IndexRoute(key, 1, kText)) +
                BigEndian(IndexRoute(key, 2, kText)));
}

TEST_P(BlindIndexTest, FindsTheSubject) {
  EXPECT_THAT(OpenIndexEntry(shard_, "row", entry_, kText),
              IsOkAndHolds(Optional(std::string(kSubject))));
}

TEST_P(BlindIndexTest, ACollisionIsNoHit) {
  for (const std::string& text :
       {""s, "eve@example.com"s, "ada@example.com\0"s, "ada@example.co"s}) {
    EXPECT_THAT(OpenIndexEntry(shard_, "row", entry_, text),
                IsOkAndHolds(std::nullopt));
  }
}

TEST_P(BlindIndexTest, ARekeyedShardMakesOldRowsUseless) {
  EXPECT_THAT(OpenIndexEntry(Key::Random(GetParam()), "row", entry_, kText),
              StatusIs(StatusCode::kDataLoss));
}

TEST_P(BlindIndexTest, RefusesAnEntryMovedToAnotherRow) {
  EXPECT_THAT(OpenIndexEntry(shard_, "roe", entry_, kText),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(OpenIndexEntry(shard_, "", entry_, kText),
              StatusIs(StatusCode::kDataLoss));
}

TEST_P(BlindIndexTest, RefusesEveryFlippedBitAndLength) {
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

TEST_P(BlindIndexTest, TheShardKeyItselfSealsNoEntries) {
  const std::string data = "hizo/index/v1\0\0\0\0\3row"s;
  EXPECT_THAT(Open(shard_, data, entry_), StatusIs(StatusCode::kDataLoss));
}

TEST_P(BlindIndexTest, TheLengthOfAValueDoesNotShow) {
  EXPECT_EQ(SealIndexEntry(shard_, "row", kSubject, "a@b.example").size(),
            SealIndexEntry(shard_, "row", kSubject, "abc@b.example").size());
}

TEST_P(BlindIndexTest, ValuesMayBeEmptyOrHoldAnything) {
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

TEST_P(BlindIndexTest, RefusesAnEntryOfTheOtherSuite) {
  const Suite other = GetParam() == kFirstSuite ? kAesSuite : kFirstSuite;
  EXPECT_THAT(OpenIndexEntry(shard_.In(other), "row", entry_, kText),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_NE(IndexTag(shard_.In(other), 1, kText), IndexTag(shard_, 1, kText));
}

TEST(BlindIndexFormatTest, AgreesWithAnIndependentEncoderInSuite2) {
  const Key shard = KeyFromHex(kVectorShardKey).In(kAesSuite);
  EXPECT_EQ(ToHex(IndexTag(shard, 3, kText)), kVectorAesIndexTag);
  EXPECT_EQ(ToHex(BigEndian(IndexRoute(shard, 3, kText))),
            kVectorAesIndexRoute);
  EXPECT_THAT(
      OpenIndexEntry(shard, "row key", FromHex(kVectorAesIndexEntry), kText),
      IsOkAndHolds(Optional(FromHex(kVectorSubject))));
}

TEST(BlindIndexFormatTest, AgreesWithAnIndependentEncoder) {
  const Key shard = KeyFromHex(kVectorShardKey);
  EXPECT_EQ(ToHex(IndexTag(shard, 3, kText)), kVectorIndexTag);
  EXPECT_EQ(ToHex(BigEndian(IndexRoute(shard, 3, kText))), kVectorIndexRoute);
  EXPECT_THAT(
      OpenIndexEntry(shard, "row key", FromHex(kVectorIndexEntry), kText),
      IsOkAndHolds(Optional(FromHex(kVectorSubject))));
}

TEST(MoveIndexEntryTest, OpensUnderTheNewKeyAndTagOnly) {
  for (const Suite suite : {kFirstSuite, kAesSuite}) {
    const Key from = Key::Random(kFirstSuite);
    const Key to = Key::Random(suite);
    const std::string subject(16, 's');
    const std::string row_key = "place" + IndexTag(from, 7, "value") + "end";
    const std::string sealed = SealIndexEntry(from, row_key, subject, "value");
    const auto moved = MoveIndexEntry(from, to, 7, 5, row_key, sealed);
    ASSERT_TRUE(moved.ok());
    EXPECT_EQ(moved->subject, subject);
    EXPECT_EQ(moved->row_key, "place" + IndexTag(to, 7, "value") + "end");
    const auto opened =
        OpenIndexEntry(to, moved->row_key, moved->sealed, "value");
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(*opened, subject);
    EXPECT_FALSE(
        OpenIndexEntry(from, moved->row_key, moved->sealed, "value").ok());
    EXPECT_FALSE(OpenIndexEntry(to, row_key, moved->sealed, "value").ok());
    EXPECT_FALSE(MoveIndexEntry(to, from, 7, 5, row_key, sealed).ok());
    EXPECT_FALSE(MoveIndexEntry(from, to, 7, 5, "place", sealed).ok());
    EXPECT_FALSE(
        MoveIndexEntry(from, to, 7, 5, row_key, sealed.substr(1)).ok());
  }
}

}  // namespace
}  // namespace hizo::crypto
