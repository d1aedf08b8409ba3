#include "crypto/signed_note.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
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

// The example of golang.org/x/mod/sumdb/note.
constexpr char kVerifier[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr char kSeedBase64[] = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr char kText[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
constexpr char kLine[] =
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
    "otpRZb6KE6RyyBwJnAM=\n";

std::string Note() { return kText + "\n"s + kLine; }

Key PublishedSeed() {
  std::string seed;
  EXPECT_TRUE(absl::Base64Unescape(kSeedBase64, &seed));
  return Key::CopyOf(seed.substr(1));
}

TEST(SignedNoteTest, OpensThePublishedNote) {
  EXPECT_THAT(OpenNote(Note(), kVerifier), IsOkAndHolds(std::string(kText)));
}

TEST(SignedNoteTest, SignsThePublishedNote) {
  const NoteSigner signer("PeterNeumann", PublishedSeed());
  EXPECT_EQ(signer.verifier_key(), kVerifier);
  EXPECT_EQ(signer.Sign(kText), Note());
}

TEST(SignedNoteTest, DerivesThePublicKeysOfRfc8032) {
  const std::pair<const char*, const char*> vectors[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"}};
  for (const auto& [seed, public_key] : vectors) {
    const NoteSigner signer("x", KeyFromHex(seed));
    std::string encoded;
    ASSERT_TRUE(
        absl::Base64Unescape(signer.verifier_key().substr(11), &encoded));
    EXPECT_EQ(ToHex(encoded), "01"s + public_key);
  }
}

TEST(SignedNoteTest, OpensWhatItSigned) {
  const NoteSigner signer("hizo/store", Key::Random());
  for (const std::string& text :
       {"\n"s, "one\n"s, "one\n\ntwo\n\n"s, "\xe2\x80\x94 not a line\n"s}) {
    EXPECT_THAT(OpenNote(signer.Sign(text), signer.verifier_key()),
                IsOkAndHolds(text));
  }
}

TEST(SignedNoteTest, RefusesAChangedText) {
  std::string changed = Note();
  changed[0] = 'i';
  EXPECT_THAT(OpenNote(changed, kVerifier), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(OpenNote("x\n" + Note(), kVerifier),
              StatusIs(StatusCode::kDataLoss));
}

TEST(SignedNoteTest, NoChangedByteOpensAnotherText) {
  const std::string note = Note();
  for (size_t bit = 0; bit < 8 * note.size(); ++bit) {
    std::string flipped = note;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    ASSERT_FALSE(OpenNote(flipped, kVerifier).ok()) << bit;
  }
}

TEST(SignedNoteTest, RefusesEveryOtherLength) {
  const std::string note = Note();
  for (size_t size = 0; size < note.size(); ++size) {
    ASSERT_FALSE(OpenNote(note.substr(0, size), kVerifier).ok()) << size;
  }
}

TEST(SignedNoteTest, RefusesASignatureOfAnotherKey) {
  const NoteSigner same_name("PeterNeumann", Key::Random());
  EXPECT_THAT(OpenNote(same_name.Sign(kText), kVerifier),
              StatusIs(StatusCode::kDataLoss));
  const NoteSigner same_key("EnochRoot", PublishedSeed());
  EXPECT_THAT(OpenNote(same_key.Sign(kText), kVerifier),
              StatusIs(StatusCode::kDataLoss));
}

TEST(SignedNoteTest, PassesSignaturesOfOthersOver) {
  const NoteSigner other("EnochRoot", Key::Random());
  const std::string line = other.Sign(kText).substr(sizeof(kText));
  EXPECT_THAT(OpenNote(kText + "\n"s + line + kLine, kVerifier),
              IsOkAndHolds(std::string(kText)));
  EXPECT_THAT(OpenNote(kText + "\n"s + kLine + line, kVerifier),
              IsOkAndHolds(std::string(kText)));
}

TEST(SignedNoteTest, AWrongSignatureOfTheKeyIsNotMadeGoodByALaterOne) {
  const NoteSigner signer("PeterNeumann", PublishedSeed());
  const std::string wrong = signer.Sign("other\n").substr(7);
  EXPECT_THAT(OpenNote(kText + "\n"s + wrong + kLine, kVerifier),
              StatusIs(StatusCode::kDataLoss));
}

TEST(SignedNoteTest, RefusesWhatIsNotANote) {
  const std::string text = kText;
  const std::string line = kLine;
  const std::string without_end = line.substr(0, line.size() - 1);
  for (const std::string& note :
       {""s,
        "\n"s,
        "\n\n"s,
        text,
        text + "\n",
        text + line,
        text + "\n" + without_end,
        text + "\n" + line + "\n",
        text + "\n" + line + "more\n",
        text + "\n" + line + "\n" + text,
        text + "\r\n\n" + line,
        "\0\n\n"s + line,
        "\xff\n\n" + line,
        text + "\n" + absl::StrReplaceAll(line, {{"\xe2\x80\x94", "--"}}),
        text + "\n" + absl::StrReplaceAll(line, {{"=\n", "\n"}}),
        text + "\n" + absl::StrReplaceAll(line, {{"M=\n", "N=\n"}}),
        text + "\n" + absl::StrReplaceAll(line, {{"=\n", " =\n"}}),
        text + "\n" + absl::StrReplaceAll(line, {{"PeterNeumann ", ""}}),
        text + "\n\xe2\x80\x94 name AAAA\n",
        text + "\n\xe2\x80\x94 na+me AAAAAAAA\n",
        text + "\n\xe2\x80\x94  AAAAAAAA\n"}) {
    EXPECT_THAT(OpenNote(note, kVerifier),
                StatusIs(StatusCode::kInvalidArgument))
        << note;
  }
}

TEST(SignedNoteTest, RefusesASignatureOfAnotherSize) {
  const std::string short_line = "\xe2\x80\x94 PeterNeumann x08go/ZJkuBS\n";
  EXPECT_THAT(OpenNote(kText + "\n"s + short_line, kVerifier),
              StatusIs(StatusCode::kDataLoss));
}

TEST(SignedNoteTest, BoundsSignaturesAndSize) {
  std::string note = kText + "\n"s + kLine;
  for (int i = 1; i < 100; ++i) note += "\xe2\x80\x94 x AAAAAAAA\n";
  EXPECT_THAT(OpenNote(note, kVerifier), IsOkAndHolds(std::string(kText)));
  note += "\xe2\x80\x94 x AAAAAAAA\n";
  EXPECT_THAT(OpenNote(note, kVerifier),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(
      OpenNote(std::string(1024 * 1024, 'x') + "\n\n" + kLine, kVerifier),
      StatusIs(StatusCode::kInvalidArgument));
}

TEST(SignedNoteTest, RefusesWhatIsNotAVerifierKey) {
  const std::string key = kVerifier;
  for (const std::string& wrong :
       {""s, "+"s, "++"s, "PeterNeumann"s, "PeterNeumann+c74f20a3"s,
        "PeterNeumann+c74f20a3+"s, key.substr(0, key.size() - 1), key + "A",
        key + "\n", key.substr(1), "Peter Neumann" + key.substr(12),
        absl::StrReplaceAll(key, {{"c74f20a3", "c74f20a4"}}),
        absl::StrReplaceAll(key, {{"c74f20a3", "C74F20A3"}}),
        absl::StrReplaceAll(key, {{"+ARpc", "+AhpC"}}),
        absl::StrReplaceAll(key, {{"+ARpc", "+ARpd"}})}) {
    EXPECT_THAT(OpenNote(Note(), wrong), StatusIs(StatusCode::kInvalidArgument))
        << wrong;
  }
}

TEST(SignedNoteDeathTest, NeedsANameAndALastNewline) {
  const Key seed = Key::Random();
  for (const char* const name : {"", "a b", "a+b", "a\nb"}) {
    EXPECT_DEATH(NoteSigner(name, seed), "name");
  }
  const NoteSigner signer("name", seed);
  EXPECT_DEATH(signer.Sign("no newline"), "newline");
  EXPECT_DEATH(signer.Sign(""), "newline");
}

}  // namespace
}  // namespace hizo::crypto
