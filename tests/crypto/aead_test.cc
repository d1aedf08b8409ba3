#include "crypto/aead.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/hex.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using std::string_literals::operator""s;
using test::IsOkAndHolds;
using test::StatusIs;

// draft-irtf-cfrg-xchacha-03, A.3.1.
struct DraftVector {
  std::string key =
      "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
  std::string data = FromHex("50515253c0c1c2c3c4c5c6c7");
  std::string nonce =
      FromHex("404142434445464748494a4b4c4d4e4f5051525354555657");
  std::string plaintext =
      "Ladies and Gentlemen of the class of '99: If I could offer you only "
      "one tip for the future, sunscreen would be it.";
  std::string ciphertext = FromHex(
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
      "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
      "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
      "21f9664c97637da9768812f615c68b13b52e");
  std::string tag = FromHex("c0875924c1c7987947deafd8780acf49");
};

TEST(AeadTest, OpensThePublishedVector) {
  const DraftVector v;
  EXPECT_THAT(Open(KeyFromHex(v.key), v.data, v.nonce + v.ciphertext + v.tag),
              IsOkAndHolds(v.plaintext));
}

TEST(AeadTest, SealInPlaceGivesThePublishedVector) {
  const DraftVector v;
  std::string message = v.nonce + v.plaintext + std::string(kTagSize, '\0');
  SealInPlace(KeyFromHex(v.key), v.data, message);
  EXPECT_EQ(ToHex(message), ToHex(v.nonce + v.ciphertext + v.tag));
}

TEST(AeadTest, OpensWhatItSealed) {
  const Key key = Key::Random();
  for (const std::string& text :
       {""s, "x"s, "\0\0"s, "\xff\xfe not UTF-8"s, std::string(65536, 'z')}) {
    const std::string sealed = Seal(key, "data", text);
    EXPECT_EQ(sealed.size(), text.size() + kSealOverhead);
    EXPECT_THAT(Open(key, "data", sealed), IsOkAndHolds(text));
  }
}

TEST(AeadTest, SealsTheSameTextDifferentlyEachTime) {
  const Key key = Key::Random();
  const std::string first = Seal(key, "data", "text");
  const std::string second = Seal(key, "data", "text");
  EXPECT_NE(first.substr(0, kNonceSize), second.substr(0, kNonceSize));
  EXPECT_NE(first.substr(kNonceSize), second.substr(kNonceSize));
}

TEST(AeadTest, RefusesAnotherKeyOrOtherData) {
  const Key key = Key::Random();
  const std::string sealed = Seal(key, "data", "text");
  EXPECT_THAT(Open(Key::Random(), "data", sealed),
              StatusIs(StatusCode::kDataLoss));
  for (const std::string& data : {""s, "Data"s, "data\0"s, "dat"s}) {
    EXPECT_THAT(Open(key, data, sealed), StatusIs(StatusCode::kDataLoss));
  }
}

TEST(AeadTest, RefusesEveryFlippedBit) {
  const Key key = Key::Random();
  const std::string sealed = Seal(key, "data", "text");
  for (size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    std::string flipped = sealed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    EXPECT_THAT(Open(key, "data", flipped), StatusIs(StatusCode::kDataLoss))
        << bit;
  }
}

TEST(AeadTest, RefusesEveryOtherLength) {
  const Key key = Key::Random();
  const std::string sealed = Seal(key, "data", "text");
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_THAT(Open(key, "data", sealed.substr(0, size)),
                StatusIs(StatusCode::kDataLoss));
  }
  EXPECT_THAT(Open(key, "data", sealed + "x"), StatusIs(StatusCode::kDataLoss));
}

TEST(OpenSecretTest, OpensIntoASecret) {
  const Key key = Key::Random();
  const Secret secret = Secret::Random(Secret::kSizeMax);
  const absl::StatusOr<Secret> opened =
      OpenSecret(key, "data", Seal(key, "data", secret.Expose()));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->Expose(), secret.Expose());
}

TEST(OpenSecretTest, RefusesWhatNoSecretCanHold) {
  const Key key = Key::Random();
  for (const std::string& text :
       {""s, std::string(Secret::kSizeMax + 1, 'x')}) {
    EXPECT_THAT(OpenSecret(key, "", Seal(key, "", text)),
                StatusIs(StatusCode::kDataLoss));
  }
  EXPECT_THAT(OpenSecret(key, "", ""), StatusIs(StatusCode::kDataLoss));
}

TEST(OpenSecretTest, RefusesForgeriesAndGivesTheMemoryBack) {
  const Key key = Key::Random();
  std::string sealed = Seal(key, "data", "secret");
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  const size_t used = GetSlabStatus().used_bytes;
  EXPECT_THAT(OpenSecret(key, "data", sealed), StatusIs(StatusCode::kDataLoss));
  EXPECT_EQ(GetSlabStatus().used_bytes, used);
}

TEST(SealKeyTest, OpensTheSameKey) {
  const Key wrapping_key = Key::Random();
  const Key key = Key::Random();
  const std::string sealed = SealKey(wrapping_key, "data", key);
  EXPECT_EQ(sealed.size(), kSealedKeySize);
  const absl::StatusOr<Key> opened = OpenKey(wrapping_key, "data", sealed);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->Expose(), key.Expose());
}

TEST(SealKeyTest, RefusesAnotherKeyOtherDataAndOtherSizes) {
  const Key wrapping_key = Key::Random();
  const std::string sealed = SealKey(wrapping_key, "data", Key::Random());
  EXPECT_THAT(OpenKey(Key::Random(), "data", sealed),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(OpenKey(wrapping_key, "other", sealed),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(OpenKey(wrapping_key, "data", sealed.substr(1)),
              StatusIs(StatusCode::kDataLoss));
  for (const size_t size : {31u, 33u}) {
    EXPECT_THAT(OpenKey(wrapping_key, "data",
                        Seal(wrapping_key, "data", std::string(size, 'k'))),
                StatusIs(StatusCode::kDataLoss));
  }
}

}  // namespace
}  // namespace hizo::crypto
