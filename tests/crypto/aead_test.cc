#include "crypto/aead.h"

#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "crypto/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/each_suite.h"
#include "tests/crypto/hex.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using std::string_literals::operator""s;
using test::IsOkAndHolds;
using test::StatusIs;

class AeadTest : public testing::Test, public EachSuite {
 protected:
  const Key key_ = Key::Random(GetParam());
};
class OpenSecretTest : public AeadTest {};
class SealKeyTest : public AeadTest {};

TEST_P(AeadTest, OpensWhatItSealed) {
  for (const std::string& text :
       {""s, "x"s, "\0\0"s, "\xff\xfe not UTF-8"s, std::string(65536, 'z')}) {
    const std::string sealed = Seal(key_, "data", text);
    EXPECT_EQ(sealed.size(), text.size() + kSealOverhead);
    EXPECT_THAT(Open(key_, "data", sealed), IsOkAndHolds(text));
  }
}

TEST_P(AeadTest, SealsTheSameTextDifferentlyEachTime) {
  const std::string first = Seal(key_, "data", "text");
  const std::string second = Seal(key_, "data", "text");
  EXPECT_NE(first.substr(0, kNonceSize), second.substr(0, kNonceSize));
  EXPECT_NE(first.substr(kNonceSize), second.substr(kNonceSize));
}

TEST_P(AeadTest, RefusesAnotherKeyOrOtherData) {
  const std::string sealed = Seal(key_, "data", "text");
  EXPECT_THAT(Open(Key::Random(GetParam()), "data", sealed),
              StatusIs(StatusCode::kDataLoss));
  for (const std::string& data : {""s, "Data"s, "data\0"s, "dat"s}) {
    EXPECT_THAT(Open(key_, data, sealed), StatusIs(StatusCode::kDataLoss));
  }
}

TEST_P(AeadTest, RefusesEveryFlippedBit) {
  const std::string sealed = Seal(key_, "data", "text");
  for (size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    std::string flipped = sealed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    EXPECT_THAT(Open(key_, "data", flipped), StatusIs(StatusCode::kDataLoss))
        << bit;
  }
}

TEST_P(AeadTest, RefusesEveryOtherLength) {
  const std::string sealed = Seal(key_, "data", "text");
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_THAT(Open(key_, "data", sealed.substr(0, size)),
                StatusIs(StatusCode::kDataLoss));
  }
  EXPECT_THAT(Open(key_, "data", sealed + "x"),
              StatusIs(StatusCode::kDataLoss));
}

TEST_P(OpenSecretTest, OpensIntoASecret) {
  const Secret secret = Secret::Random(Secret::kSizeMax);
  const absl::StatusOr<Secret> opened =
      OpenSecret(key_, "data", Seal(key_, "data", secret.Expose()));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->Expose(), secret.Expose());
}

TEST_P(OpenSecretTest, RefusesWhatNoSecretCanHold) {
  for (const std::string& text :
       {""s, std::string(Secret::kSizeMax + 1, 'x')}) {
    EXPECT_THAT(OpenSecret(key_, "", Seal(key_, "", text)),
                StatusIs(StatusCode::kDataLoss));
  }
  EXPECT_THAT(OpenSecret(key_, "", ""), StatusIs(StatusCode::kDataLoss));
}

TEST_P(OpenSecretTest, RefusesForgeriesAndGivesTheMemoryBack) {
  std::string sealed = Seal(key_, "data", "secret");
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  const size_t used = GetSlabStatus().used_bytes;
  EXPECT_THAT(OpenSecret(key_, "data", sealed),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_EQ(GetSlabStatus().used_bytes, used);
}

TEST_P(SealKeyTest, OpensTheSameKey) {
  const Key key = Key::Random(GetParam());
  const std::string sealed = SealKey(key_, "data", key);
  EXPECT_EQ(sealed.size(), kSealedKeySize);
  const absl::StatusOr<Key> opened = OpenKey(key_, "data", sealed);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->Expose(), key.Expose());
  EXPECT_EQ(opened->suite(), GetParam());
}

TEST_P(SealKeyTest, RefusesAnotherKeyOtherDataAndOtherSizes) {
  const std::string sealed = SealKey(key_, "data", Key::Random(GetParam()));
  EXPECT_THAT(OpenKey(Key::Random(GetParam()), "data", sealed),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(OpenKey(key_, "other", sealed), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(OpenKey(key_, "data", sealed.substr(1)),
              StatusIs(StatusCode::kDataLoss));
  for (const size_t size : {31u, 33u}) {
    EXPECT_THAT(
        OpenKey(key_, "data", Seal(key_, "data", std::string(size, 'k'))),
        StatusIs(StatusCode::kDataLoss));
  }
}

// A key made ready does what the functions do, for any number of messages.
class AeadKeyTest : public AeadTest {};

TEST_P(AeadKeyTest, DoesAsTheFunctionsDo) {
  const AeadKey ready(key_.Clone());
  for (const std::string& text : {""s, "text"s, std::string(65536, 'z')}) {
    std::string message =
        RandomBytes(kNonceSize) + text + std::string(kTagSize, '\0');
    ready.SealInPlace("data", message);
    EXPECT_THAT(Open(key_, "data", message), IsOkAndHolds(text));
    EXPECT_THAT(ready.Open("data", message), IsOkAndHolds(text));
    EXPECT_THAT(ready.Open("data", Seal(key_, "data", text)),
                IsOkAndHolds(text));
    EXPECT_THAT(ready.Open("other", message), StatusIs(StatusCode::kDataLoss));
  }
}

TEST_P(AeadKeyTest, SeveralKeysDoNotDisturbEachOther) {
  const AeadKey ready(key_.Clone());
  const std::string sealed = Seal(key_, "data", "text");
  std::optional<AeadKey> other = AeadKey(Key::Random(GetParam()));
  EXPECT_THAT(other->Open("data", sealed), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(ready.Open("data", sealed), IsOkAndHolds("text"));
  other.reset();
  EXPECT_THAT(ready.Open("data", sealed), IsOkAndHolds("text"));
}

TEST_P(AeadKeyTest, MayBeMovedAndLeftToAnotherThread) {
  AeadKey ready(key_.Clone());
  const std::string sealed = Seal(key_, "data", "text");
  std::thread([&sealed, moved = std::move(ready)] {
    EXPECT_THAT(moved.Open("data", sealed), IsOkAndHolds("text"));
  }).join();
  EXPECT_THAT(Open(key_, "data", sealed), IsOkAndHolds("text"));
}

// The same bytes are another key in another suite.
TEST_P(AeadTest, RefusesWhatTheOtherSuiteSealed) {
  for (const Suite suite : {kFirstSuite, kAesSuite}) {
    const std::string sealed = Seal(key_.In(suite), "data", "text");
    EXPECT_EQ(Open(key_, "data", sealed).ok(), suite == GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(EachSuite, AeadTest, AllSuites(), SuiteName);
INSTANTIATE_TEST_SUITE_P(EachSuite, OpenSecretTest, AllSuites(), SuiteName);
INSTANTIATE_TEST_SUITE_P(EachSuite, SealKeyTest, AllSuites(), SuiteName);
INSTANTIATE_TEST_SUITE_P(EachSuite, AeadKeyTest, AllSuites(), SuiteName);

}  // namespace
}  // namespace hizo::crypto
