#include "storage/key_bytes.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hizo::storage {
namespace {

using ::testing::Eq;
using ::testing::Optional;

std::string U64Key(uint64_t value) { return KeyWriter('s').U64(value).Take(); }

TEST(KeyWriterTest, LaysPartsEndToEndBigEndian) {
  EXPECT_EQ(KeyWriter('s')
                .U8(0x01)
                .U16(0x0203)
                .U32(0x04050607)
                .U64(0x08090A0B0C0D0E0F)
                .Bytes("tail")
                .Take(),
            "s\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F"
            "tail");
}

TEST(KeyWriterTest, KeepsZeroBytes) {
  const std::string key =
      KeyWriter('s').U16(0).Bytes(std::string_view("\0x", 2)).Take();
  EXPECT_EQ(key, std::string("s\0\0\0x", 5));
}

TEST(KeyWriterTest, OrdersNumbersAsTheyAreOrdered) {
  const std::vector<uint64_t> numbers = {0,
                                         1,
                                         127,
                                         128,
                                         255,
                                         256,
                                         0xFFFF,
                                         0xFFFFFFFF,
                                         0x100000000ULL,
                                         std::numeric_limits<uint64_t>::max()};
  std::vector<std::string> keys;
  for (const uint64_t number : numbers) keys.push_back(U64Key(number));
  EXPECT_TRUE(std::ranges::is_sorted(keys));
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
}

TEST(KeyWriterTest, OrdersByTheEarlierPartFirst) {
  EXPECT_LT(KeyWriter('s').U16(1).U64(~uint64_t{0}).Take(),
            KeyWriter('s').U16(2).U64(0).Take());
  EXPECT_LT(KeyWriter('a').U8(255).Take(), KeyWriter('b').U8(0).Take());
  EXPECT_LT(KeyWriter('s').U8(1).Bytes("z").Take(),
            KeyWriter('s').U8(2).Bytes("a").Take());
}

TEST(KeyReaderTest, TakesApartWhatTheWriterMade) {
  const std::string key = KeyWriter('\xFE')
                              .U8(200)
                              .U16(65535)
                              .U32(4000000000)
                              .U64(~uint64_t{0} - 1)
                              .Bytes("0123456789abcdef")
                              .Bytes("rest")
                              .Take();
  KeyReader reader(key);
  EXPECT_THAT(reader.Space(), Optional(Eq('\xFE')));
  EXPECT_THAT(reader.U8(), Optional(Eq(200)));
  EXPECT_THAT(reader.U16(), Optional(Eq(65535)));
  EXPECT_THAT(reader.U32(), Optional(Eq(4000000000)));
  EXPECT_THAT(reader.U64(), Optional(Eq(~uint64_t{0} - 1)));
  EXPECT_THAT(reader.Bytes(16), Optional(Eq("0123456789abcdef")));
  EXPECT_FALSE(reader.done());
  EXPECT_THAT(reader.Bytes(4), Optional(Eq("rest")));
  EXPECT_TRUE(reader.done());
}

TEST(KeyReaderTest, RefusesEveryPartOfATruncatedKey) {
  const std::string seven(7, 'x');
  EXPECT_EQ(KeyReader("").Space(), std::nullopt);
  EXPECT_EQ(KeyReader("").U8(), std::nullopt);
  EXPECT_EQ(KeyReader(seven.substr(0, 1)).U16(), std::nullopt);
  EXPECT_EQ(KeyReader(seven.substr(0, 3)).U32(), std::nullopt);
  EXPECT_EQ(KeyReader(seven).U64(), std::nullopt);
  EXPECT_EQ(KeyReader(seven).Bytes(8), std::nullopt);
}

TEST(KeyReaderTest, LeavesTheBytesWhereAPartDoesNotFit) {
  KeyReader reader("abc");
  EXPECT_EQ(reader.U32(), std::nullopt);
  EXPECT_EQ(reader.Bytes(4), std::nullopt);
  EXPECT_THAT(reader.Bytes(3), Optional(Eq("abc")));
  EXPECT_TRUE(reader.done());
}

TEST(KeyReaderTest, ReadsNoBytesFromAnEmptyRest) {
  KeyReader reader("");
  EXPECT_TRUE(reader.done());
  EXPECT_THAT(reader.Bytes(0), Optional(Eq("")));
  EXPECT_EQ(reader.Bytes(1), std::nullopt);
}

}  // namespace
}  // namespace hizo::storage
