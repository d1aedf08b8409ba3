#include "crypto/slot_passphrases.h"

#include <memory>
#include <string>
#include <string_view>

#include "crypto/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/hex.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using test::IsOk;
using test::StatusIs;

constexpr char kOne[] = "correct horse battery";
constexpr char kOther[] = "staple, and a word more";
constexpr char kHead[] = "the head of a block";
// As cheap as Argon2id lets it be.
constexpr SlotPassphrases::Cost kCheap{1, 8};
constexpr size_t kSaltAt = 8;
constexpr size_t kKeyAt = kSaltAt + SlotPassphrases::kSaltSize;

std::unique_ptr<SlotPassphrases> Passphrases(const std::string& lines) {
  auto passphrases = SlotPassphrases::FromLines(Secret::CopyOf(lines), kCheap);
  EXPECT_THAT(passphrases, IsOk());
  return *std::move(passphrases);
}

std::string Sealed(SlotPassphrases& passphrases, const Key& root) {
  auto sealed = passphrases.Seal(kHead, root);
  EXPECT_THAT(sealed, IsOk());
  return sealed.value_or("");
}

void ExpectOpens(SlotPassphrases& passphrases, const std::string& sealed,
                 const Key& root) {
  const auto opened = passphrases.Open(kHead, sealed);
  ASSERT_THAT(opened, IsOk());
  EXPECT_TRUE(ConstantTimeEquals(opened->Expose(), root.Expose()));
}

TEST(SlotPassphrasesTest, GivesBackWhatWasSealed) {
  const Key root = Key::Random();
  const auto ours = Passphrases(kOne);
  const std::string sealed = Sealed(*ours, root);
  EXPECT_EQ(sealed.size(), SlotPassphrases::kSealedSize);
  EXPECT_EQ(sealed.find(root.Expose()), sealed.npos);
  ExpectOpens(*ours, sealed, root);
  // The next process.
  ExpectOpens(*Passphrases(kOne), sealed, root);
  ExpectOpens(*Passphrases(std::string(kOne) + "\n"), sealed, root);
}

// From Debian's argon2 (the reference implementation):
//   echo -n PASSPHRASE | argon2 0123456789abcdef -id -t 3 -k 65536 -p 1 -l 32
//   -r
TEST(SlotPassphrasesTest, DerivesAsTheReferenceImplementationDoes) {
  const std::string key = FromHex(
      "00bac562b407875296682e0b8043688e09be94fcea326e99aa62d0edb44404fc");
  const Key root = Key::Random();
  std::string sealed = FromHex("0000000300010000");
  sealed += "0123456789abcdef" + SealKey(Key::CopyOf(key), kHead, root);
  auto passphrases = SlotPassphrases::FromLines(Secret::CopyOf(kOne));
  ASSERT_THAT(passphrases, IsOk());
  ExpectOpens(**passphrases, sealed, root);
  // What it opened could have been its own.
  EXPECT_EQ(Sealed(**passphrases, root).substr(0, kKeyAt),
            sealed.substr(0, kKeyAt));
}

TEST(SlotPassphrasesTest, AnotherPassphraseOpensNothing) {
  const std::string sealed = Sealed(*Passphrases(kOne), Key::Random());
  for (const char* wrong :
       {kOther, "correct horse batterz", "correct horse battery "}) {
    EXPECT_THAT(Passphrases(wrong)->Open(kHead, sealed),
                StatusIs(StatusCode::kPermissionDenied));
  }
}

TEST(SlotPassphrasesTest, TheFirstSealsAndAllOpen) {
  const Key root = Key::Random();
  const std::string before = Sealed(*Passphrases(kOne), root);
  const auto both = Passphrases(std::string(kOther) + "\n" + kOne);
  ExpectOpens(*both, before, root);
  const std::string after = Sealed(*both, root);
  ExpectOpens(*both, after, root);
  ExpectOpens(*Passphrases(kOther), after, root);
  EXPECT_THAT(Passphrases(kOne)->Open(kHead, after),
              StatusIs(StatusCode::kPermissionDenied));
}

TEST(SlotPassphrasesTest, EachProcessHasASaltOfItsOwn) {
  const Key root = Key::Random();
  const auto one = Passphrases(kOne);
  const std::string first = Sealed(*one, root);
  EXPECT_EQ(Sealed(*one, root).substr(0, kKeyAt), first.substr(0, kKeyAt));
  EXPECT_NE(Sealed(*one, root), first);
  EXPECT_NE(Sealed(*Passphrases(kOne), root).substr(kSaltAt, kKeyAt - kSaltAt),
            first.substr(kSaltAt, kKeyAt - kSaltAt));
}

TEST(SlotPassphrasesTest, AnyChangedByteOpensNothing) {
  const auto ours = Passphrases(kOne);
  const std::string sealed = Sealed(*ours, Key::Random());
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    // A cost that is changed may be one that nobody has.
    EXPECT_THAT(ours->Open(kHead, changed), testing::Not(IsOk())) << i;
  }
  EXPECT_THAT(ours->Open("another head", sealed),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_THAT(ours->Open(kHead, sealed.substr(1)),
              StatusIs(StatusCode::kDataLoss));
}

TEST(SlotPassphrasesTest, ACostThatNobodyHasIsNotTried) {
  const auto ours = Passphrases(kOne);
  const std::string sealed = Sealed(*ours, Key::Random());
  for (const char* cost :
       {"0000000000000008", "0000004100000008", "0000000100000007",
        "0000000100400001", "ffffffffffffffff"}) {
    EXPECT_THAT(ours->Open(kHead, FromHex(cost) + sealed.substr(kSaltAt)),
                StatusIs(StatusCode::kDataLoss))
        << cost;
  }
}

TEST(SlotPassphrasesTest, RefusesWhatIsNoPassphrase) {
  const std::string least(SlotPassphrases::kSizeMin, 'x');
  const std::string most(SlotPassphrases::kSizeMax, 'x');
  for (const std::string& lines :
       {std::string("\n"), least.substr(1), most + "x", least + "\n\n" + least,
        least + "\nshort",
        least + "\n" + least + "\n" + least + "\n" + least + "\n" + least}) {
    const auto refused =
        SlotPassphrases::FromLines(Secret::CopyOf(lines), kCheap);
    EXPECT_THAT(refused, StatusIs(StatusCode::kInvalidArgument));
    EXPECT_EQ(refused.status().message().find("short"), std::string::npos);
  }
  for (const std::string& lines : {least, most, least + "\n" + most + "\n"}) {
    EXPECT_THAT(SlotPassphrases::FromLines(Secret::CopyOf(lines), kCheap),
                IsOk());
  }
}

}  // namespace
}  // namespace hizo::crypto
