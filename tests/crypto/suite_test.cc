#include "crypto/suite.h"

#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "crypto/digest.h"
#include "crypto/keyed_hash.h"
#include "crypto/secret.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/each_suite.h"
#include "tests/crypto/hex.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using test::IsOk;
using test::StatusIs;

TEST(SuiteTest, NumbersAreStored) {
  EXPECT_EQ(NumberOf(kFirstSuite), 1);
  EXPECT_EQ(NumberOf(kAesSuite), 2);
  EXPECT_EQ(SuiteFromNumber(1), kFirstSuite);
  EXPECT_EQ(SuiteFromNumber(2), kAesSuite);
  for (const uint64_t number : {0u, 3u, 255u, 257u, 258u}) {
    EXPECT_EQ(SuiteFromNumber(number), std::nullopt);
  }
}

TEST(SuiteTest, TheAesSuiteNeedsAProcessorThatHasIt) {
  EXPECT_THAT(RequireSuite(kAesSuite, AesSupport::kMissing),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(RequireSuite(kAesSuite, AesSupport::kPresent), IsOk());
  for (const AesSupport aes : {AesSupport::kMissing, AesSupport::kPresent}) {
    EXPECT_THAT(RequireSuite(kFirstSuite, aes), IsOk());
  }
}

TEST(KeySuiteTest, AKeyKeepsItsSuite) {
  EXPECT_EQ(Key().suite(), kFirstSuite);
  EXPECT_EQ(Key::Random().suite(), kFirstSuite);
  Key key = Key::Random(kAesSuite);
  EXPECT_EQ(key.suite(), kAesSuite);
  EXPECT_EQ(key.Clone().suite(), kAesSuite);
  EXPECT_EQ(key.Clone().Expose(), key.Expose());
  const Key moved = std::move(key);
  EXPECT_EQ(moved.suite(), kAesSuite);
  EXPECT_EQ(moved.In(kFirstSuite).suite(), kFirstSuite);
  EXPECT_EQ(moved.In(kFirstSuite).Expose(), moved.Expose());
}

class KeyedHashTest : public testing::Test, public EachSuite {
 protected:
  static std::string Finish(KeyedHash& hash) {
    Digest digest;
    hash.Finish(digest.data());
    return ToHex(digest);
  }
  std::string HashOf(const Key& key, std::string_view text) const {
    KeyedHash hash(key);
    hash.Update(text);
    return Finish(hash);
  }
  const Key key_ = Key::Random(GetParam());
};
INSTANTIATE_TEST_SUITE_P(EachSuite, KeyedHashTest, AllSuites(), SuiteName);

TEST_P(KeyedHashTest, PiecesDoNotCount) {
  const std::string text(1000, 'x');
  for (const size_t size : {1u, 63u, 64u, 65u, 999u}) {
    KeyedHash hash(key_);
    hash.Update(std::string_view(text).substr(0, size));
    hash.Update("");
    hash.Update(std::string_view(text).substr(size));
    EXPECT_EQ(Finish(hash), HashOf(key_, text)) << size;
  }
}

TEST_P(KeyedHashTest, SeveralAtATimeDoNotDisturbEachOther) {
  const Key other = Key::Random(GetParam());
  const std::string first = HashOf(key_, "first text");
  const std::string second = HashOf(other, "second text");
  KeyedHash one(key_);
  one.Update("first ");
  KeyedHash two(other);
  two.Update("second ");
  one.Update("text");
  EXPECT_EQ(Finish(one), first);
  two.Update("text");
  EXPECT_EQ(Finish(two), second);
}

TEST_P(KeyedHashTest, OneThatWasGivenUpLeavesNothing) {
  const std::string expected = HashOf(key_, "text");
  { KeyedHash(key_).Update("something else"); }
  EXPECT_EQ(HashOf(key_, "text"), expected);
}

TEST_P(KeyedHashTest, ThreadsDoNotDisturbEachOther) {
  const std::string expected = HashOf(key_, "text");
  const auto work = [this, &expected] {
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(HashOf(key_, "text"), expected);
  };
  const std::jthread first(work);
  const std::jthread second(work);
  work();
}

TEST_P(KeyedHashTest, IsNotThatOfTheOtherSuite) {
  const Suite other = GetParam() == kFirstSuite ? kAesSuite : kFirstSuite;
  EXPECT_NE(HashOf(key_, "text"), HashOf(key_.In(other), "text"));
}

TEST_P(KeyedHashTest, ExpandKeyDependsOnKeyAndText) {
  const auto expand = [](const Key& key, std::string_view info) {
    return ToHex(ExpandKey(key, "label", info, 64).Expose());
  };
  const std::string expanded = expand(key_, "info");
  EXPECT_EQ(expanded.size(), 128u);
  EXPECT_EQ(expand(key_, "info"), expanded);
  EXPECT_NE(expand(key_, "inf"), expanded);
  EXPECT_NE(expand(Key::Random(GetParam()), "info"), expanded);
  EXPECT_NE(expanded.substr(0, 64), expanded.substr(64));
}

}  // namespace
}  // namespace hizo::crypto
