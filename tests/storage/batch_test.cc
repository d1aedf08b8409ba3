#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/bounds.h"
#include "storage/engine.h"

namespace hizo::storage {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Field;
using ::testing::Optional;

auto WriteOf(std::string key, std::string value) {
  return AllOf(Field(&Batch::Write::key, Eq(std::move(key))),
               Field(&Batch::Write::value, Optional(Eq(std::move(value)))));
}

auto DeletionOf(std::string key) {
  return AllOf(Field(&Batch::Write::key, Eq(std::move(key))),
               Field(&Batch::Write::value, Eq(std::nullopt)));
}

auto ValueRequired(std::string key, std::string value) {
  return AllOf(
      Field(&Batch::Precondition::key, Eq(std::move(key))),
      Field(&Batch::Precondition::value, Optional(Eq(std::move(value)))));
}

auto AbsenceRequired(std::string key) {
  return AllOf(Field(&Batch::Precondition::key, Eq(std::move(key))),
               Field(&Batch::Precondition::value, Eq(std::nullopt)));
}

TEST(BatchTest, BeginsEmpty) {
  const Batch batch;
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.bytes(), 0u);
}

TEST(BatchTest, KeepsWritesInTheirOrder) {
  Batch batch;
  batch.Put("b", "1");
  batch.Delete("a");
  batch.Put("b", "2");
  EXPECT_FALSE(batch.empty());
  EXPECT_THAT(batch.writes(), ElementsAre(WriteOf("b", "1"), DeletionOf("a"),
                                          WriteOf("b", "2")));
}

TEST(BatchTest, KeepsPreconditions) {
  Batch batch;
  batch.RequireAbsent("a");
  batch.RequireValue("b", "1");
  EXPECT_FALSE(batch.empty());
  EXPECT_THAT(batch.preconditions(),
              ElementsAre(AbsenceRequired("a"), ValueRequired("b", "1")));
}

TEST(BatchTest, CountsTheBytesOfAllItHolds) {
  Batch batch;
  batch.Put("12", "345");
  EXPECT_EQ(batch.bytes(), 5u);
  batch.Delete("1234");
  EXPECT_EQ(batch.bytes(), 9u);
  batch.RequireAbsent("1");
  EXPECT_EQ(batch.bytes(), 10u);
  batch.RequireValue("1", "23");
  EXPECT_EQ(batch.bytes(), 13u);
}

TEST(BatchTest, AppendsAnotherAndLeavesItEmpty) {
  Batch batch;
  batch.Put("a", "1");
  batch.RequireAbsent("a");
  Batch other;
  other.Delete("b");
  other.RequireValue("b", "2");
  batch.Append(std::move(other));
  EXPECT_THAT(batch.writes(), ElementsAre(WriteOf("a", "1"), DeletionOf("b")));
  EXPECT_THAT(batch.preconditions(),
              ElementsAre(AbsenceRequired("a"), ValueRequired("b", "2")));
  EXPECT_EQ(batch.bytes(), 6u);
  // NOLINTNEXTLINE(bugprone-use-after-move): what Append leaves is promised.
  EXPECT_TRUE(other.empty());
  EXPECT_EQ(other.bytes(), 0u);
}

TEST(PrefixRangeTest, EndsAtThePrefixCountedUp) {
  const ScanRange range = PrefixRange("ab", 7);
  EXPECT_EQ(range.from, "ab");
  EXPECT_EQ(range.until, "ac");
  EXPECT_EQ(range.limit, 7u);
  EXPECT_FALSE(range.reverse);
}

TEST(PrefixRangeTest, CarriesOverBytesThatCannotBeCountedUp) {
  EXPECT_EQ(PrefixRange("a\xFF\xFF", 1).until, "b");
  EXPECT_EQ(PrefixRange("a\x7F", 1).until, "a\x80");
  EXPECT_EQ(PrefixRange("a\xFE", 1).until, "a\xFF");
}

TEST(BoundsTest, CallsARangeEmptyWhereNoKeyFits) {
  EXPECT_TRUE(IsEmpty({"b", "b", 1}));
  EXPECT_TRUE(IsEmpty({"b", "a", 1}));
  EXPECT_TRUE(IsEmpty({"\xFF", "a", 1}));
  EXPECT_FALSE(IsEmpty({"a", "b", 1}));
  EXPECT_FALSE(IsEmpty({"a", "", 1}));
  EXPECT_FALSE(IsEmpty({"", "", 1}));
}

}  // namespace
}  // namespace hizo::storage
