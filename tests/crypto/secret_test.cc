#include "crypto/secret.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace hizo::crypto {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);
static_assert(!std::is_copy_constructible_v<Key>);
template <typename T>
concept Comparable = requires(const T& a, const T& b) {
  a == b;
};
template <typename T>
concept Printable = requires(std::ostream& out, const T& a) {
  out << a;
};
static_assert(!Comparable<Secret> && !Comparable<Key>);
static_assert(!Printable<Secret> && !Printable<Key>);

size_t Used() { return GetSlabStatus().used_bytes; }

bool AllZero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

TEST(SecretTest, IsZeroAtBirth) {
  for (const size_t size : {1u, 31u, 32u, 33u, 2048u, 2049u, 16384u}) {
    const Secret secret(size);
    EXPECT_EQ(secret.size(), size);
    EXPECT_TRUE(AllZero(secret.Expose())) << size;
  }
}

TEST(SecretTest, HoldsItsOwnCopy) {
  std::string source = "a\0b"s + std::string(100, 'x');
  const Secret secret = Secret::CopyOf(source);
  const std::string before = source;
  std::ranges::fill(source, 'y');
  EXPECT_EQ(secret.Expose(), before);
}

TEST(SecretTest, MovesItsBytesWithoutCopyingThem) {
  Secret from = Secret::CopyOf("moved");
  const char* const at = from.Expose().data();
  Secret to = std::move(from);
  EXPECT_EQ(to.Expose().data(), at);
  EXPECT_EQ(to.Expose(), "moved");
  EXPECT_TRUE(from.Expose().empty());  // NOLINT(bugprone-use-after-move)
  to = Secret::CopyOf("assigned");
  EXPECT_EQ(to.Expose(), "assigned");
}

TEST(SecretTest, MovingOntoItselfKeepsTheBytes) {
  Secret secret = Secret::CopyOf("kept");
  Secret& same = secret;
  secret = std::move(same);
  EXPECT_EQ(secret.Expose(), "kept");
}

TEST(SecretTest, LeavesOnlyZerosBehind) {
  for (const size_t size : {32u, 100u, 4096u}) {
    const char* where = nullptr;
    {
      const Secret secret = Secret::Random(size);
      where = secret.Expose().data();
      ASSERT_FALSE(AllZero({where, size}));
    }
    // The slab is never unmapped: what a dead secret left can be looked at.
    EXPECT_TRUE(AllZero({where, size})) << size;
  }
}

TEST(SecretTest, GivesEveryByteBack) {
  const size_t before = Used();
  {
    std::vector<Secret> secrets;
    for (size_t size = 1; size <= Secret::kSizeMax; size = size * 3 + 1) {
      secrets.emplace_back(size);
    }
    Secret replaced(5000);
    replaced = Secret(1);
    EXPECT_GT(Used(), before);
  }
  EXPECT_EQ(Used(), before);
}

TEST(SecretTest, MemoryGivenBackIsUsedAgain) {
  for (const size_t size : {32u, 1000u, 8192u}) {
    const size_t rounds = 2 * GetSlabStatus().capacity_bytes / size / 100;
    for (size_t round = 0; round < rounds; ++round) {
      std::vector<Secret> secrets;
      for (size_t i = 0; i < 100; ++i) secrets.emplace_back(size);
      ASSERT_GE(Used(), 100 * size);
    }
  }
}

TEST(SecretTest, SecretsDoNotOverlap) {
  std::vector<Secret> secrets;
  for (size_t i = 0; i < 300; ++i) {
    secrets.emplace_back(1 + i * 37 % 5000);
    std::ranges::fill(secrets.back().ExposeMutable(),
                      static_cast<uint8_t>(i % 255 + 1));
    // Holes of all sizes, to be filled again.
    if (i % 3 == 2) secrets[i - 1] = Secret(1);
  }
  for (size_t i = 0; i < secrets.size(); ++i) {
    const bool replaced = i % 3 == 1;
    const char expected = replaced ? '\0' : static_cast<char>(i % 255 + 1);
    EXPECT_EQ(secrets[i].Expose().find_first_not_of(expected),
              std::string_view::npos)
        << i;
  }
}

TEST(SecretTest, HoldsAFullTreeTwiceAndStillSmallSecrets) {
  // 65,536 bucket keys, once more while they are being replaced.
  std::vector<Secret> blocks;
  for (size_t i = 0; i < 512; ++i) blocks.emplace_back(8192);
  std::vector<Key> keys(10'000);
  EXPECT_LE(Used(), GetSlabStatus().capacity_bytes);
  std::set<const uint8_t*> places;
  for (const Key& key : keys) places.insert(key.data());
  EXPECT_EQ(places.size(), keys.size());
}

TEST(SecretTest, ThreadsGetSecretsOfTheirOwn) {
  const size_t before = Used();
  const auto work = [](char mark) {
    for (size_t i = 0; i < 2000; ++i) {
      Secret small = Secret::CopyOf(std::string(1 + i % 90, mark));
      const Secret large = Secret::CopyOf(std::string(3000, mark));
      ASSERT_EQ(small.Expose().find_first_not_of(mark), std::string::npos);
      ASSERT_EQ(large.Expose().find_first_not_of(mark), std::string::npos);
    }
  };
  {
    const std::jthread first(work, 'a');
    const std::jthread second(work, 'b');
    work('c');
  }
  EXPECT_EQ(Used(), before);
}

TEST(SecretTest, RandomSecretsDiffer) {
  const Secret a = Secret::Random(32);
  const Secret b = Secret::Random(32);
  EXPECT_NE(a.Expose(), b.Expose());
}

TEST(SecretDeathTest, RefusesImpossibleSizes) {
  EXPECT_DEATH(Secret(0), "impossible size");
  EXPECT_DEATH(Secret(Secret::kSizeMax + 1), "impossible size");
  EXPECT_DEATH(Key::CopyOf("short"), "impossible size");
  EXPECT_DEATH(Key::CopyOf(std::string(33, 'x')), "impossible size");
}

TEST(SecretDeathTest, AbortsWhenTheSlabIsExhausted) {
  const auto exhaust = [](size_t size) {
    std::vector<Secret> secrets;
    for (;;) secrets.emplace_back(size);
  };
  EXPECT_DEATH(exhaust(32), "exhausted");
  EXPECT_DEATH(exhaust(Secret::kSizeMax), "exhausted");
}

TEST(SecretDeathTest, CannotBeReadBeyondTheSlab) {
  const auto read_on = [] {
    const Secret secret(Secret::kSizeMax);  // blocks begin at the far end
    const volatile char* const end = secret.Expose().data() + secret.size();
    std::exit(*end);
  };
  EXPECT_DEATH(read_on(), "");
}

TEST(SlabTest, SaysWhetherItIsLocked) {
  // A process of its own, whose slab meets a limit that refuses it.
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto check = [] {
    const rlimit none = {0, 0};
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0) std::exit(2);
    void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const bool can_lock = mlock(page, 4096) == 0;  // root may all the same
    std::exit(GetSlabStatus().locked == can_lock ? 0 : 1);
  };
  EXPECT_EXIT(check(), testing::ExitedWithCode(0), "");
}

TEST(SlabTest, CountsInSlots) {
  const size_t before = Used();
  const Secret one(1);
  EXPECT_EQ(Used(), before + 32);
  const Secret two(33);
  EXPECT_EQ(Used(), before + 96);
  EXPECT_EQ(GetSlabStatus().capacity_bytes, 6u * 1024 * 1024);
}

TEST(KeyTest, CloneIsEqualAndSeparate) {
  Key key = Key::Random();
  const Key clone = key.Clone();
  EXPECT_EQ(clone.Expose(), key.Expose());
  key.mutable_data()[0] ^= 1;
  EXPECT_NE(clone.Expose(), key.Expose());
}

TEST(KeyTest, IsZeroUntilFilled) { EXPECT_TRUE(AllZero(Key().Expose())); }

TEST(ConstantTimeEqualsTest, ComparesBytesAndLengths) {
  EXPECT_TRUE(ConstantTimeEquals("", ""));
  EXPECT_TRUE(ConstantTimeEquals("a\0b"sv, "a\0b"sv));
  EXPECT_FALSE(ConstantTimeEquals("a\0b"sv, "a\0c"sv));
  EXPECT_FALSE(ConstantTimeEquals("ab", "abc"));
  EXPECT_FALSE(ConstantTimeEquals("abc", ""));
  EXPECT_FALSE(ConstantTimeEquals("xbc", "abc"));
}

TEST(WipeStringTest, OverwritesAndEmpties) {
  std::string text(100, 'x');
  const char* const at = text.data();
  const size_t capacity = text.capacity();
  WipeString(text);
  EXPECT_TRUE(text.empty());
  ASSERT_EQ(text.capacity(), capacity);
  // resize would write zeros itself: append one character and look behind it.
  text.push_back('y');
  ASSERT_EQ(text.data(), at);
  EXPECT_EQ(std::count(at + 2, at + 100, '\0'), 98);
}

}  // namespace
}  // namespace hizo::crypto
