#include "service/base/pii.h"

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "gtest/gtest.h"

namespace hizo::base {
namespace {

constexpr std::string_view kShort = "Hanako";
constexpr std::string_view kLong =
    "a value that is far too long for the small-string buffer";

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
template <typename T>
concept Comparable = requires(const T& a, const T& b) {
  a == b;
};

static_assert(!std::is_copy_constructible_v<Pii>);
static_assert(!std::is_copy_assignable_v<Pii>);
static_assert(!std::is_convertible_v<std::string, Pii>);
static_assert(!std::is_convertible_v<Pii, std::string>);
static_assert(!Printable<Pii>);
static_assert(!Comparable<Pii>);

// Looks at memory whose object may have ended, as a thief would.
bool MemoryHolds(const void* memory, size_t size, std::string_view text) {
  const auto* bytes = static_cast<const volatile unsigned char*>(memory);
  std::string seen;
  for (size_t i = 0; i < size; ++i) seen.push_back(static_cast<char>(bytes[i]));
  return seen.find(text) != std::string::npos;
}

TEST(PiiTest, RevealsWhatItWasGiven) {
  const Pii pii{std::string(kLong)};
  EXPECT_EQ(pii.Reveal(), kLong);
  EXPECT_EQ(pii.size(), kLong.size());
  EXPECT_FALSE(pii.empty());
  EXPECT_TRUE(Pii().empty());
}

TEST(PiiTest, ClonesAreApart) {
  Pii first{std::string(kShort)};
  const Pii second = first.Clone();
  first = Pii();
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(second.Reveal(), kShort);
}

TEST(PiiTest, MovingLeavesNothingBehind) {
  for (const std::string_view text : {kShort, kLong}) {
    Pii from{std::string(text)};
    const Pii to = std::move(from);
    EXPECT_EQ(to.Reveal(), text);
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): the point
    EXPECT_FALSE(MemoryHolds(&from, sizeof(from), text));
  }
}

TEST(PiiTest, MovingOntoItselfKeepsTheValue) {
  Pii pii{std::string(kShort)};
  Pii& same = pii;
  pii = std::move(same);
  EXPECT_EQ(pii.Reveal(), kShort);
}

TEST(PiiTest, DestructionOverwritesTheSmallStringBuffer) {
  alignas(Pii) std::array<std::byte, sizeof(Pii)> memory{};
  Pii* pii = new (memory.data()) Pii(std::string(kShort));
  ASSERT_TRUE(MemoryHolds(memory.data(), memory.size(), kShort));
  std::destroy_at(pii);
  EXPECT_FALSE(MemoryHolds(memory.data(), memory.size(), kShort));
}

TEST(PiiTest, AssignmentOverwritesTheHeapBuffer) {
  Pii pii{std::string(kLong)};
  const char* buffer = pii.Reveal().data();
  // Assigning a short string keeps the buffer, so that it can still be read.
  pii = Pii(std::string(kShort));
  ASSERT_EQ(pii.Reveal().data(), buffer);
  EXPECT_EQ(pii.Reveal(), kShort);
  EXPECT_FALSE(
      MemoryHolds(buffer, kLong.size(), kLong.substr(kShort.size() + 1)));
}

}  // namespace
}  // namespace hizo::base
