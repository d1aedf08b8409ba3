#include "service/base/ids.h"

#include <optional>
#include <string>
#include <type_traits>

#include "gtest/gtest.h"

namespace hizo::base {
namespace {

constexpr char kText[] = "00112233-4455-6677-8899-aabbccddeeff";
const std::string kBytes =
    "\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";

static_assert(!std::is_convertible_v<SubjectId, RecordId>);
static_assert(!std::is_constructible_v<SubjectId, RecordId>);
static_assert(!std::is_constructible_v<SubjectId, std::string>);
static_assert(std::is_trivially_copyable_v<SubjectId>);

TEST(IdTest, DefaultIsNil) {
  EXPECT_TRUE(SubjectId().is_nil());
  EXPECT_EQ(ToText(SubjectId()), "00000000-0000-0000-0000-000000000000");
}

TEST(IdTest, KeepsItsBytes) {
  const std::string bytes = std::string(1, '\0') + kBytes;
  const std::optional<SubjectId> id = SubjectId::FromBytes(bytes);
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->bytes(), bytes);
  EXPECT_FALSE(id->is_nil());
}

TEST(IdTest, RefusesBytesOfAnotherLength) {
  EXPECT_FALSE(SubjectId::FromBytes("").has_value());
  EXPECT_FALSE(SubjectId::FromBytes(std::string(15, 'x')).has_value());
  EXPECT_FALSE(SubjectId::FromBytes(std::string(17, 'x')).has_value());
}

TEST(IdTest, OrdersByBytes) {
  const auto low = ParseId<SubjectId>("00000000-0000-0000-0000-000000000001");
  const auto high = ParseId<SubjectId>("00000000-0000-0000-0000-000000000002");
  EXPECT_LT(low, high);
  EXPECT_NE(low, high);
}

TEST(IdTest, TextGoesThereAndBack) {
  const std::optional<RecordId> id = ParseId<RecordId>(kText);
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(ToText(*id), kText);
}

TEST(IdTest, AcceptsUpperCaseAndWritesLowerCase) {
  const auto id = ParseId<RecordId>("00112233-4455-6677-8899-AABBCCDDEEFF");
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(ToText(*id), kText);
}

class UuidFormTest : public ::testing::TestWithParam<const char*> {};

TEST_P(UuidFormTest, IsRefused) {
  EXPECT_FALSE(UuidBytes(GetParam()).has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Malformed, UuidFormTest,
    ::testing::Values("", "00112233445566778899aabbccddeeff",
                      "{00112233-4455-6677-8899-aabbccddeeff}",
                      "00112233-4455-6677-8899-aabbccddeef",
                      "00112233-4455-6677-8899-aabbccddeefff",
                      "00112233-4455-6677-8899-aabbccddeefg",
                      "00112233-4455-6677-8899-aabbccddee f",
                      "001122334-455-6677-8899-aabbccddeeff",
                      "00112233-4455-6677-8899aabbccddeeff-",
                      "00112233-4455-6677-8899-aabbccddee-f",
                      "+0112233-4455-6677-8899-aabbccddeeff",
                      "00112233_4455_6677_8899_aabbccddeeff"));

TEST(UuidBytesTest, RefusesANulByte) {
  std::string text = kText;
  text[35] = '\0';
  EXPECT_FALSE(UuidBytes(text).has_value());
}

}  // namespace
}  // namespace hizo::base
