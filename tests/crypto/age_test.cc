// age files that we write, read, and refuse.
#include "crypto/age.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "crypto/bech32.h"
#include "crypto/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/age_files.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr unsigned kQuick = 2;  // scrypt work

std::string Sealed(const AgeIdentity& identity, std::string_view plaintext) {
  const AgeRecipient recipient = identity.recipient();
  AgeWriter writer = *AgeWriter::ForRecipients({&recipient, 1});
  std::string file;
  writer.Write(plaintext, file);
  writer.Finish(file);
  return file;
}

AgeOpeners OpenersOf(const AgeIdentity& identity) {
  AgeOpeners openers;
  openers.identities.push_back(*AgeIdentity::Parse(identity.ExposeText()));
  return openers;
}

AgeOpeners OpenersOf(std::string_view passphrase) {
  AgeOpeners openers;
  openers.passphrase = Secret::CopyOf(passphrase);
  return openers;
}

// Sizes around the ends of chunks.
std::vector<size_t> Sizes() {
  return {0,
          1,
          kAgeChunkSize - 1,
          kAgeChunkSize,
          kAgeChunkSize + 1,
          2 * kAgeChunkSize,
          2 * kAgeChunkSize + 1,
          1'000'000};
}

TEST(AgeTest, OpensWhatItSealedInPiecesOfAnySize) {
  const AgeIdentity identity = AgeIdentity::Random();
  const AgeRecipient recipient = identity.recipient();
  for (const size_t size : Sizes()) {
    const std::string plaintext = RandomBytes(size);
    for (const size_t piece : {size_t{1} << 30, size_t{65'537}, size_t{4099}}) {
      AgeWriter writer = *AgeWriter::ForRecipients({&recipient, 1});
      std::string file;
      for (size_t at = 0; at < size; at += piece) {
        writer.Write(std::string_view(plaintext).substr(at, piece), file);
      }
      writer.Finish(file);
      EXPECT_THAT(ReadAge(OpenersOf(identity), file, piece),
                  IsOkAndHolds(plaintext))
          << size << " in pieces of " << piece;
    }
  }
}

TEST(AgeTest, GivesOutOneByteAtATimeToo) {
  const AgeIdentity identity = AgeIdentity::Random();
  const std::string plaintext = RandomBytes(kAgeChunkSize + 5);
  const std::string file = Sealed(identity, plaintext);
  EXPECT_THAT(ReadAge(OpenersOf(identity), file, 1), IsOkAndHolds(plaintext));
}

TEST(AgeTest, OpensWithAPassphrase) {
  AgeWriter writer =
      *AgeWriter::ForPassphrase(Secret::CopyOf("correct horse"), kQuick);
  std::string file;
  writer.Write("hello", file);
  writer.Finish(file);
  EXPECT_THAT(ReadAge(OpenersOf("correct horse"), file),
              IsOkAndHolds(std::string("hello")));
  EXPECT_THAT(ReadAge(OpenersOf("wrong horse"), file),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_THAT(ReadAge(OpenersOf(AgeIdentity::Random()), file),
              StatusIs(StatusCode::kPermissionDenied));
}

TEST(AgeTest, RefusesMoreWorkThanItMayTake) {
  AgeWriter writer = *AgeWriter::ForPassphrase(Secret::CopyOf("x"), 5);
  std::string file;
  writer.Finish(file);
  AgeOpeners openers = OpenersOf("x");
  openers.work_factor_max = 5;
  EXPECT_THAT(ReadAge(std::move(openers), file), IsOk());
  openers = OpenersOf("x");
  openers.work_factor_max = 4;
  EXPECT_THAT(ReadAge(std::move(openers), file),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(AgeTest, IsForEveryRecipientAndNobodyElse) {
  std::vector<AgeIdentity> identities;
  std::vector<AgeRecipient> recipients;
  for (int i = 0; i < 3; ++i) {
    identities.push_back(AgeIdentity::Random());
    recipients.push_back(identities.back().recipient());
  }
  AgeWriter writer = *AgeWriter::ForRecipients(recipients);
  std::string file;
  writer.Write("for three", file);
  writer.Finish(file);
  for (const AgeIdentity& identity : identities) {
    EXPECT_THAT(ReadAge(OpenersOf(identity), file),
                IsOkAndHolds(std::string("for three")));
  }
  EXPECT_THAT(ReadAge(OpenersOf(AgeIdentity::Random()), file),
              StatusIs(StatusCode::kPermissionDenied));
}

TEST(AgeTest, WritesForSomebodyOnly) {
  EXPECT_THAT(AgeWriter::ForRecipients({}),
              StatusIs(StatusCode::kInvalidArgument));
  const std::vector<AgeRecipient> many(21, AgeIdentity::Random().recipient());
  EXPECT_THAT(AgeWriter::ForRecipients(many),
              StatusIs(StatusCode::kInvalidArgument));
  for (const unsigned factor : {0U, 23U, 64U}) {
    EXPECT_THAT(AgeWriter::ForPassphrase(Secret::CopyOf("x"), factor),
                StatusIs(StatusCode::kInvalidArgument));
  }
}

TEST(AgeTest, NeverSealsTwiceAlike) {
  const AgeIdentity identity = AgeIdentity::Random();
  EXPECT_NE(Sealed(identity, "same"), Sealed(identity, "same"));
  EXPECT_THAT(Sealed(identity, "a canary value"),
              Not(HasSubstr("a canary value")));
}

TEST(AgeTest, RefusesEveryFlippedBit) {
  const AgeIdentity identity = AgeIdentity::Random();
  const std::string file = Sealed(identity, "some plaintext");
  for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
    std::string bad = file;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THAT(ReadAge(OpenersOf(identity), bad), Not(IsOk())) << bit;
  }
}

TEST(AgeTest, RefusesEveryCut) {
  const AgeIdentity identity = AgeIdentity::Random();
  const std::string file = Sealed(identity, "some plaintext");
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_THAT(ReadAge(OpenersOf(identity), file.substr(0, size)), Not(IsOk()))
        << size;
  }
  EXPECT_THAT(ReadAge(OpenersOf(identity), file + "x"), Not(IsOk()));
}

TEST(AgeTest, RefusesChunksInAnotherOrderOrLeftOut) {
  const AgeIdentity identity = AgeIdentity::Random();
  const std::string file =
      Sealed(identity, RandomBytes(3 * kAgeChunkSize + 100));
  constexpr size_t kSealed = kAgeChunkSize + 16;
  const size_t start = file.size() - 3 * kSealed - 116;
  const auto chunk = [&](size_t i) {
    return file.substr(start + i * kSealed, kSealed);
  };
  const std::string head = file.substr(0, start);
  for (const std::string& bad :
       {head + chunk(1) + chunk(0) + chunk(2) + chunk(3),
        head + chunk(0) + chunk(2) + chunk(3), head + chunk(0) + chunk(1),
        head + chunk(0) + chunk(1) + chunk(2),
        head + chunk(0) + chunk(0) + chunk(1) + chunk(2) + chunk(3),
        head + chunk(3), head}) {
    EXPECT_THAT(
        ReadAge(OpenersOf(identity), bad),
        StatusIs(bad == head ? StatusCode::kDataLoss : StatusCode::kDataLoss));
  }
  EXPECT_THAT(ReadAge(OpenersOf(identity),
                      head + chunk(0) + chunk(1) + chunk(2) + chunk(3)),
              IsOk());
}

TEST(AgeTest, RefusesAHeaderWithoutAnEnd) {
  std::string endless = "age-encryption.org/v1\n-> X25519 x\n";
  while (endless.size() < 200'000) endless += std::string(64, 'A') + "\n";
  AgeReader reader(OpenersOf(AgeIdentity::Random()));
  std::string out;
  EXPECT_THAT(reader.Read(endless, out),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(out, "");
}

TEST(AgeTest, ACloneGoesOnFromWhereItWasMade) {
  const AgeIdentity identity = AgeIdentity::Random();
  const AgeRecipient recipient = identity.recipient();
  AgeWriter writer = *AgeWriter::ForRecipients({&recipient, 1});
  const std::string first = RandomBytes(kAgeChunkSize + 10);
  std::string file;
  writer.Write(first, file);
  AgeWriter clone = writer.Clone();
  std::string other = file;
  writer.Write("left", file);
  writer.Finish(file);
  clone.Write("right", other);
  clone.Finish(other);
  EXPECT_THAT(ReadAge(OpenersOf(identity), file), IsOkAndHolds(first + "left"));
  EXPECT_THAT(ReadAge(OpenersOf(identity), other),
              IsOkAndHolds(first + "right"));
}

TEST(AgeTest, HoldsNoMoreThanAChunk) {
  const AgeIdentity identity = AgeIdentity::Random();
  const AgeRecipient recipient = identity.recipient();
  AgeWriter writer = *AgeWriter::ForRecipients({&recipient, 1});
  AgeReader reader(OpenersOf(identity));
  const std::string piece(10'000, 'p');
  size_t written = 0;
  size_t read = 0;
  for (int i = 0; i < 500; ++i) {
    std::string sealed;
    std::string opened;
    writer.Write(piece, sealed);
    written += piece.size();
    ASSERT_THAT(reader.Read(sealed, opened), IsOk());
    read += opened.size();
    ASSERT_LE(written - read, 2 * kAgeChunkSize);
  }
}

TEST(AgeKeysTest, ReadsItsOwnSpelling) {
  const AgeIdentity identity = AgeIdentity::Random();
  const std::string text = identity.recipient().ToText();
  EXPECT_THAT(text, ::testing::StartsWith("age1"));
  EXPECT_THAT(AgeRecipient::Parse(text), IsOkAndHolds(identity.recipient()));
  EXPECT_EQ(AgeIdentity::Parse(identity.ExposeText())->recipient(),
            identity.recipient());
}

TEST(AgeKeysTest, RefusesWhatIsNoKey) {
  const AgeIdentity identity = AgeIdentity::Random();
  std::string upper = identity.recipient().ToText();
  for (char& c : upper) c = static_cast<char>(toupper(c));
  for (const std::string& bad :
       {std::string(), std::string("age1"), identity.ExposeText(), upper,
        identity.recipient().ToText() + " "}) {
    EXPECT_THAT(AgeRecipient::Parse(bad),
                StatusIs(StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(AgeIdentity::Parse(identity.recipient().ToText()),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(AgeIdentity::Parse("AGE-SECRET-KEY-1"),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(AgeKeysTest, RefusesAPointThatMakesNoSecret) {
  // 0, 1, p - 1, p and p + 1 are of small order.
  for (const auto& [first, middle, last] :
       std::vector<std::tuple<uint8_t, uint8_t, uint8_t>>{{0, 0, 0},
                                                          {1, 0, 0},
                                                          {0xec, 0xff, 0x7f},
                                                          {0xed, 0xff, 0x7f},
                                                          {0xee, 0xff, 0x7f}}) {
    std::string point(32, static_cast<char>(middle));
    point.front() = static_cast<char>(first);
    point.back() = static_cast<char>(last);
    EXPECT_THAT(AgeRecipient::Parse(ToBech32("age", point)),
                StatusIs(StatusCode::kInvalidArgument));
    EXPECT_THAT(AgeRecipient::FromPoint(point),
                StatusIs(StatusCode::kInvalidArgument));
  }
}

TEST(AgeKeysTest, APublicKeyIsItsPoint) {
  const AgeRecipient recipient = AgeIdentity::Random().recipient();
  EXPECT_EQ(*AgeRecipient::FromPoint(recipient.point()), recipient);
  EXPECT_THAT(AgeRecipient::FromPoint(recipient.point().substr(1)),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(AgeRecipient::FromPoint(recipient.point() + "x"),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(AgeKeysTest, ReadsAFileOfAgeKeygen) {
  const AgeIdentity identity = AgeIdentity::Random();
  const std::string text =
      "# created: 2026-01-01T00:00:00Z\n# public key: x\n" +
      identity.ExposeText() + "\n";
  EXPECT_EQ(AgeIdentity::ParseFile(text)->recipient(), identity.recipient());
  EXPECT_THAT(AgeIdentity::ParseFile("# nothing\n\n"),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(AgeIdentity::ParseFile(std::string(70'000, '\n') + text),
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace hizo::crypto
