#include "crypto/minisign.h"

#include <string>

#include "absl/strings/str_replace.h"
#include "crypto/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::Not;
using ::testing::StartsWith;

class MinisignTest : public ::testing::Test {
 protected:
  const Key seed_ = Key::Random();
  const MinisignSigner signer_{seed_};
  const std::string digest_ = MinisignHash::Of("a file");
  const std::string signature_ = signer_.Sign(digest_, "made for a test");
};

TEST_F(MinisignTest, VerifiesWhatItSigned) {
  EXPECT_THAT(CheckMinisign(signer_.public_key(), digest_, signature_),
              IsOkAndHolds(std::string("made for a test")));
}

TEST_F(MinisignTest, TakesTheKeyAsAFileToo) {
  EXPECT_THAT(CheckMinisign("untrusted comment: minisign public key\n" +
                                signer_.public_key() + "\n",
                            digest_, signature_),
              IsOk());
  EXPECT_THAT(CheckMinisign(signer_.public_key() + "\n", digest_, signature_),
              IsOk());
}

TEST_F(MinisignTest, IsTheSameKeyForTheSameSeed) {
  EXPECT_EQ(MinisignSigner(seed_).public_key(), signer_.public_key());
  EXPECT_NE(MinisignSigner(Key::Random()).public_key(), signer_.public_key());
  EXPECT_THAT(signer_.public_key(), StartsWith("RW"));  // "Ed"
}

TEST_F(MinisignTest, RefusesAnotherFile) {
  EXPECT_THAT(CheckMinisign(signer_.public_key(),
                            MinisignHash::Of("another file"), signature_),
              StatusIs(StatusCode::kDataLoss));
}

TEST_F(MinisignTest, RefusesAnotherKey) {
  const MinisignSigner other(Key::Random());
  EXPECT_THAT(CheckMinisign(other.public_key(), digest_, signature_),
              StatusIs(StatusCode::kPermissionDenied));
}

TEST_F(MinisignTest, RefusesAnotherTrustedComment) {
  EXPECT_THAT(
      CheckMinisign(signer_.public_key(), digest_,
                    absl::StrReplaceAll(signature_, {{"a test", "a lie"}})),
      StatusIs(StatusCode::kDataLoss));
}

TEST_F(MinisignTest, RefusesEveryChangedByteButTheUntrustedComment) {
  const size_t start = signature_.find('\n');
  for (size_t i = start; i < signature_.size(); ++i) {
    std::string bad = signature_;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_THAT(CheckMinisign(signer_.public_key(), digest_, bad), Not(IsOk()))
        << i;
  }
}

TEST_F(MinisignTest, RefusesWhatIsNoSignature) {
  for (const std::string& bad :
       {std::string(), signature_.substr(1), signature_ + "\n",
        signature_.substr(0, signature_.size() - 1), "x" + signature_,
        std::string(10'000, '\n')}) {
    EXPECT_THAT(CheckMinisign(signer_.public_key(), digest_, bad),
                StatusIs(StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(CheckMinisign(signer_.public_key(), "short", signature_),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(MinisignTest, RefusesWhatIsNoKey) {
  for (const std::string& bad :
       {std::string(), signer_.public_key().substr(1),
        signer_.public_key() + "A", "comment\n" + signer_.public_key() + "\n",
        "untrusted comment: x\n" + signer_.public_key() + "\n\n"}) {
    EXPECT_THAT(CheckMinisign(bad, digest_, signature_),
                StatusIs(StatusCode::kInvalidArgument));
  }
}

TEST_F(MinisignTest, TellsAKeyFromWhatIsNone) {
  EXPECT_TRUE(IsMinisignKey(signer_.public_key()));
  EXPECT_TRUE(
      IsMinisignKey("untrusted comment: x\n" + signer_.public_key() + "\n"));
  EXPECT_FALSE(IsMinisignKey(""));
  EXPECT_FALSE(IsMinisignKey(signature_));
}

TEST(MinisignHashTest, TakesAFileInPieces) {
  const std::string bytes = RandomBytes(10'000);
  MinisignHash hash;
  for (size_t at = 0; at < bytes.size(); at += 77) {
    hash.Add(std::string_view(bytes).substr(at, 77));
  }
  EXPECT_EQ(hash.Digest(), MinisignHash::Of(bytes));
  EXPECT_EQ(hash.Digest(), MinisignHash::Of(bytes));  // asking changes nothing
}

TEST(MinisignHashTest, ACopyGoesOnByItself) {
  MinisignHash hash;
  hash.Add("one");
  MinisignHash copy = hash;
  copy.Add("two");
  EXPECT_EQ(hash.Digest(), MinisignHash::Of("one"));
  EXPECT_EQ(copy.Digest(), MinisignHash::Of("onetwo"));
  hash = copy;
  EXPECT_EQ(hash.Digest(), copy.Digest());
}

}  // namespace
}  // namespace hizo::crypto
