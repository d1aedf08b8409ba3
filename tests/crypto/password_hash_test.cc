#include "crypto/password_hash.h"

#include <chrono>
#include <string>
#include <thread>

#include "crypto/normalise.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/hex.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using std::string_literals::operator""s;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;

constexpr char kBcrypt[] =
    "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

Key Pepper() { return KeyFromHex(std::string(64, 'a')); }

absl::StatusOr<bool> Verify(const std::string& password,
                            std::string_view stored,
                            const Key& pepper = Pepper()) {
  const absl::StatusOr<StoredHash> hash = ParseStoredHash(stored);
  if (!hash.ok()) return hash.status();
  return VerifyPassword(Secret::CopyOf(password), pepper, *hash);
}

std::string Hash(const std::string& password) {
  const absl::StatusOr<std::string> hash =
      HashPassword(Secret::CopyOf(password), Pepper(), 7, kBcryptCostMin);
  EXPECT_THAT(hash, IsOk());
  return hash.value_or("");
}

struct PublishedHash {
  const char* name;
  std::string password;
  std::string stored;
};

class PublishedHashTest : public testing::TestWithParam<PublishedHash> {};

TEST_P(PublishedHashTest, Verifies) {
  const PublishedHash& tested = GetParam();
  EXPECT_THAT(Verify(tested.password, tested.stored), IsOkAndHolds(true));
  EXPECT_THAT(Verify("x" + tested.password, tested.stored),
              IsOkAndHolds(false));
}

// Openwall crypt_blowfish 1.3, wrapper.c.
INSTANTIATE_TEST_SUITE_P(
    Openwall, PublishedHashTest,
    testing::Values(
        PublishedHash{
            "Short", "U*U",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
        PublishedHash{
            "Longer", "U*U*",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"},
        PublishedHash{
            "AnotherSalt", "U*U*U",
            "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"},
        PublishedHash{
            "CutAt72",
            "0123456789abcdefghijklmnopqrstuvwxyz"
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
            "chars after 72 are ignored",
            "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"},
        PublishedHash{
            "HighBitY", "\xa3",
            "$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"},
        PublishedHash{
            "HighBitA", "\xa3",
            "$2a$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"},
        PublishedHash{
            "HighBitB", "\xa3",
            "$2b$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"}),
    [](const auto& tested) { return tested.param.name; });

TEST(PasswordHashTest, VerifiesWhatItHashed) {
  const std::string stored = Hash("correct horse");
  EXPECT_THAT(Verify("correct horse", stored), IsOkAndHolds(true));
  EXPECT_THAT(Verify("correct horsf", stored), IsOkAndHolds(false));
  EXPECT_THAT(Verify("correct hors", stored), IsOkAndHolds(false));
}

TEST(PasswordHashTest, WritesSchemePepperAndCost) {
  const std::string stored = Hash("x");
  EXPECT_EQ(stored.substr(0, 12), "v1$7$$2b$04$");
  const absl::StatusOr<StoredHash> hash = ParseStoredHash(stored);
  ASSERT_THAT(hash, IsOk());
  EXPECT_EQ(hash->scheme, 1);
  EXPECT_EQ(hash->pepper_id, 7u);
  EXPECT_EQ(hash->cost, 4);
  EXPECT_EQ(hash->bcrypt, stored.substr(5));
}

TEST(PasswordHashTest, SaltsEachHash) { EXPECT_NE(Hash("x"), Hash("x")); }

TEST(PasswordHashTest, AHashIsUselessWithoutItsPepper) {
  EXPECT_THAT(Verify("x", Hash("x"), Key::Random()), IsOkAndHolds(false));
}

TEST(PasswordHashTest, EveryByteOfAPasswordCounts) {
  // bcrypt alone stops at 72 bytes and at NUL.
  const std::string long_text(4096, 'x');
  const std::string stored = Hash(long_text);
  EXPECT_THAT(Verify(long_text, stored), IsOkAndHolds(true));
  EXPECT_THAT(Verify(long_text.substr(1), stored), IsOkAndHolds(false));
  EXPECT_THAT(Verify(std::string(4095, 'x') + "y", stored),
              IsOkAndHolds(false));
  const std::string with_nul = Hash("a\0b"s);
  EXPECT_THAT(Verify("a\0b"s, with_nul), IsOkAndHolds(true));
  EXPECT_THAT(Verify("a\0c"s, with_nul), IsOkAndHolds(false));
  EXPECT_THAT(Verify("a", with_nul), IsOkAndHolds(false));
}

// OpenSSL's command line and base64 made the phrase of this hash:
// printf x | openssl dgst -sha384 -mac HMAC -macopt hexkey:aa..aa -binary
TEST(PasswordHashTest, ThePhraseIsAKeyedSha384InBase64) {
  constexpr char kPhrase[] =
      "hU/9YJwrd3QKDVQpaQmHYOaOYm4WhOcLWYo+aklZqsoDdNQeNIpU+e05npKKv30h";
  const std::string stored = Hash("x");
  EXPECT_THAT(Verify(kPhrase, stored.substr(5)), IsOkAndHolds(true));
}

TEST(PasswordHashTest, RefusesCostsOutsideItsBounds) {
  for (const int cost : {-1, 0, 3, 15, 31, 1000}) {
    EXPECT_THAT(HashPassword(Secret::CopyOf("x"), Pepper(), 1, cost),
                StatusIs(StatusCode::kInvalidArgument))
        << cost;
  }
}

TEST(PasswordHashTest, ImportedHashesAreCutAsTheyAlwaysWere) {
  // Scheme 0 keeps the 72 bytes that every bcrypt looks at, but not the stop at
  // NUL, behind which anything could stand.
  EXPECT_THAT(Verify("U*U", kBcrypt), IsOkAndHolds(true));
  EXPECT_THAT(Verify("U*U\0more"s, kBcrypt), IsOkAndHolds(false));
  EXPECT_THAT(Verify("U*U\0"s, kBcrypt), IsOkAndHolds(false));
  const std::string longer(600, 'x');
  const absl::StatusOr<StoredHash> hash = ParseStoredHash(kBcrypt);
  ASSERT_THAT(hash, IsOk());
  EXPECT_THAT(VerifyPassword(Secret::CopyOf(longer), Pepper(), *hash),
              IsOkAndHolds(false));
}

TEST(PasswordHashTest, AnUnusableHashIsAnErrorAndNoMatch) {
  const StoredHash forged = {.scheme = 0,
                             .pepper_id = 0,
                             .cost = 4,
                             .bcrypt = "$2b$03$" + std::string(53, '.')};
  EXPECT_THAT(VerifyPassword(Secret::CopyOf("x"), Pepper(), forged),
              StatusIs(StatusCode::kInternal));
  const StoredHash failed = {
      .scheme = 0, .pepper_id = 0, .cost = 4, .bcrypt = "*0"};
  EXPECT_THAT(VerifyPassword(Secret::CopyOf("x"), Pepper(), failed),
              StatusIs(StatusCode::kInternal));
}

TEST(PasswordHashTest, ThreadsHashAtTheSameTime) {
  const std::string stored = Hash("x");
  const auto work = [&stored] {
    for (int i = 0; i < 5; ++i) {
      EXPECT_THAT(Verify("x", stored), IsOkAndHolds(true));
    }
  };
  const std::jthread other(work);
  work();
}

// CPU time, so that a busy machine does not decide.
std::chrono::nanoseconds CpuTime(int cost) {
  const Secret password = Secret::CopyOf("x");
  timespec before = {};
  timespec after = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  SpendVerifyTime(password, Pepper(), cost);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  return std::chrono::seconds(after.tv_sec - before.tv_sec) +
         std::chrono::nanoseconds(after.tv_nsec - before.tv_nsec);
}

TEST(SpendVerifyTimeTest, CostsMoreWithEachStep) {
  EXPECT_GT(CpuTime(8), 3 * CpuTime(5));  // 8 times the work
}

TEST(SpendVerifyTimeTest, StaysWithinTheBounds) {
  EXPECT_LT(CpuTime(0), CpuTime(8));
  EXPECT_LT(CpuTime(-100), CpuTime(8));
}

TEST(ParseStoredHashTest, TakesBareBcryptAsSchemeZero) {
  const absl::StatusOr<StoredHash> hash = ParseStoredHash(kBcrypt);
  ASSERT_THAT(hash, IsOk());
  EXPECT_EQ(hash->scheme, 0);
  EXPECT_EQ(hash->pepper_id, 0u);
  EXPECT_EQ(hash->cost, 5);
  EXPECT_EQ(hash->bcrypt, kBcrypt);
}

TEST(ParseStoredHashTest, TakesEveryPepperId) {
  for (const std::string id : {"0", "1", "4294967295"}) {
    const absl::StatusOr<StoredHash> hash =
        ParseStoredHash("v1$" + id + "$" + kBcrypt);
    ASSERT_THAT(hash, IsOk()) << id;
    EXPECT_EQ(std::to_string(hash->pepper_id), id);
  }
}

TEST(ParseStoredHashTest, MakesOtherSpellingsOfAHashCanonical) {
  // The last character of the salt carries two bits, that of the hash four.
  const absl::StatusOr<StoredHash> hash = ParseStoredHash(
      "$2b$05$abcdefghijklmnopqrstuv5s2v8.iXieOjg/.AySBTTZIIVFJeBuj");
  ASSERT_THAT(hash, IsOk());
  EXPECT_EQ(hash->bcrypt,
            "$2b$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui");
}

TEST(ParseImportedHashTest, TakesWhatOtherSystemsKeep) {
  for (const char* name : {"$2a$", "$2b$", "$2y$"}) {
    const auto hash =
        ParseImportedHash(name + std::string(kBcrypt).substr(4), 5);
    ASSERT_THAT(hash, IsOk()) << name;
    EXPECT_EQ(hash->scheme, 0);
    EXPECT_EQ(hash->cost, 5);
  }
}

TEST(ParseImportedHashTest, TellsACostOutOfBoundsFromNoHash) {
  const std::string tail = std::string(kBcrypt).substr(6);
  for (const char* cost : {"00", "03", "07", "15", "31", "99"}) {
    EXPECT_THAT(ParseImportedHash("$2b$"s + cost + tail, 6),
                StatusIs(StatusCode::kOutOfRange))
        << cost;
  }
  // The bound of all hashes holds whatever the caller's is.
  EXPECT_THAT(ParseImportedHash("$2b$15" + tail, 31),
              StatusIs(StatusCode::kOutOfRange));
  for (const std::string& text :
       {""s, "$2x$05" + tail, "$2b$5$" + tail, "$2b$+5" + tail,
        "v1$1$"s + kBcrypt, "*0"s, "$6$salt$hash"s}) {
    EXPECT_THAT(ParseImportedHash(text, 14),
                StatusIs(StatusCode::kInvalidArgument))
        << text;
  }
}

TEST(MeasureHashTimeTest, GrowsWithTheCost) {
  EXPECT_GT(MeasureHashTime(9), 2 * MeasureHashTime(4));  // 32 times the work
}

TEST(ParseStoredHashTest, RefusesEveryOtherText) {
  const std::string tail(53, '.');
  for (const std::string& stored : {""s,
                                    "*0"s,
                                    "*1"s,
                                    "$2b$05$"s,
                                    "$2$05$" + tail,
                                    "$2x$05$" + tail,
                                    "$2c$05$" + tail,
                                    "$2b$03$" + tail,
                                    "$2b$15$" + tail,
                                    "$2b$31$" + tail,
                                    "$2b$5$" + tail,
                                    "$2b$-5$" + tail,
                                    "$2b$+5$" + tail,
                                    "$2b$ 5$" + tail,
                                    "$2b$5x$" + tail,
                                    "$2b$050" + tail,
                                    "$2b$05$" + tail.substr(1),
                                    "$2b$05$" + tail + ".",
                                    "$2b$05$" + tail.substr(1) + "$",
                                    "$2b$05$" + tail.substr(1) + "\0"s,
                                    "$2b$05$" + tail.substr(1) + "=",
                                    " $2b$05$" + tail.substr(1),
                                    "$6$rounds=999999999$salt$" + tail,
                                    "$y$j9T$salt$" + tail,
                                    "v1$"s,
                                    "v1$1"s,
                                    "v1$1$"s,
                                    "v1$$"s + kBcrypt,
                                    "v1$x$"s + kBcrypt,
                                    "v1$01$"s + kBcrypt,
                                    "v1$-1$"s + kBcrypt,
                                    "v1$+1$"s + kBcrypt,
                                    "v1$ 1$"s + kBcrypt,
                                    "v1$4294967296$"s + kBcrypt,
                                    "v2$1$"s + kBcrypt,
                                    "v1$1$v1$1$"s + kBcrypt}) {
    EXPECT_THAT(ParseStoredHash(stored), StatusIs(StatusCode::kDataLoss))
        << stored;
  }
}

}  // namespace
}  // namespace hizo::crypto
