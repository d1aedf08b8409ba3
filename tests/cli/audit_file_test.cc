// An exported log is accepted as it was written, and whatever somebody does to
// it is found, with the first position that is wrong.
#include "service/cli/audit_file.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/audit_file_format.h"

namespace hizo::cli {
namespace {

using crypto::Digest;
using crypto::LeafHash;
using crypto::MerklePeaks;
using ::testing::HasSubstr;
using Form = AuditFileEntry::Form;

constexpr char kLog[] = "hizo/store";
// Two full tiles and a part of one.
constexpr uint64_t kSize = 600;

// A file taken apart, to be put together again as somebody wants it to be.
struct Parts {
  std::string checkpoint;
  std::vector<AuditFileTile> tiles;
  std::vector<Digest> roots;

  std::string Text() const {
    std::string text(kAuditMagic);
    text += EncodePart(AuditPart::kCheckpoint, checkpoint);
    for (const AuditFileTile& tile : tiles) {
      text += EncodePart(AuditPart::kTile, EncodeTile(tile));
    }
    return text + EncodePart(AuditPart::kRoots, EncodeRoots(roots)) +
           EncodePart(AuditPart::kEnd, "");
  }
};

class AuditFileTest : public ::testing::Test {
 protected:
  AuditFileTest() {
    for (uint64_t i = 0; i < kSize; ++i) leaves_.push_back(LeafHash(Entry(i)));
  }
  static std::string Entry(uint64_t number) {
    return "entry " + std::to_string(number);
  }
  static Digest RootOf(const std::vector<Digest>& leaves, uint64_t size) {
    MerklePeaks peaks;
    for (uint64_t i = 0; i < size; ++i) peaks.Append(leaves[i]);
    return peaks.Root();
  }
  crypto::Checkpoint HeadAt(uint64_t size) const {
    return {kLog, {size, RootOf(leaves_, size)}};
  }
  std::string Signed(const crypto::Checkpoint& head) const {
    return signer_.Sign(CheckpointText(head));
  }
  // The file as `hizo audit export` writes it.
  std::string Written(uint64_t size = kSize) const {
    std::ostringstream out;
    AuditFileWriter writer(out, Signed(HeadAt(size)));
    for (uint64_t i = 0; i < size; ++i) {
      writer.Add({Form::kEntry, Entry(i)}, leaves_[i]);
    }
    writer.Finish();
    return out.str();
  }
  Parts Taken(uint64_t size = kSize) const {
    std::istringstream in(Written(size));
    EXPECT_TRUE(ReadMagic(in));
    Parts parts;
    while (const auto part = ReadPart(in)) {
      switch (part->part) {
        case AuditPart::kCheckpoint:
          parts.checkpoint = part->bytes;
          break;
        case AuditPart::kTile:
          parts.tiles.push_back(DecodeTile(part->bytes).value());
          break;
        case AuditPart::kRoots:
          parts.roots = DecodeRoots(part->bytes).value();
          break;
        case AuditPart::kEnd:
          return parts;
      }
    }
    ADD_FAILURE() << "the file has no end";
    return parts;
  }
  AuditVerdict Verify(const std::string& file,
                      const std::vector<crypto::Checkpoint>& earlier = {}) {
    std::istringstream in(file);
    return VerifyAuditFile(in, signer_.verifier_key(), earlier);
  }
  void ExpectBad(const Parts& parts, std::optional<uint64_t> position,
                 const std::string& text) {
    const AuditVerdict verdict = Verify(parts.Text());
    EXPECT_FALSE(verdict.verified);
    EXPECT_EQ(verdict.first_bad, position) << verdict.text;
    EXPECT_THAT(verdict.text, HasSubstr(text));
  }
  // The hash beside an entry follows the entry, as somebody would have it who
  // knows the format.
  static void Rehash(AuditFileTile& tile) {
    tile.hashes.clear();
    for (const AuditFileEntry& entry : tile.entries) {
      tile.hashes.push_back(LeafHash(entry.bytes));
    }
  }

  const crypto::NoteSigner signer_{
      kLog, crypto::Key::CopyOf(std::string(crypto::Key::kSize, 'k'))};
  std::vector<Digest> leaves_;
};

TEST_F(AuditFileTest, IsVerifiedAsItWasWritten) {
  for (const uint64_t size : {0, 1, 2, 255, 256, 257, 511, 512, 513, 600}) {
    const AuditVerdict verdict = Verify(Written(size));
    EXPECT_TRUE(verdict.verified) << size << ": " << verdict.text;
    EXPECT_EQ(verdict.entries, size);
    EXPECT_EQ(verdict.shown, size);
    EXPECT_FALSE(verdict.first_bad.has_value());
  }
}

TEST_F(AuditFileTest, IsVerifiedWithHashesInPlaceOfEntriesOfOthers) {
  Parts parts = Taken();
  for (AuditFileTile& tile : parts.tiles) {
    for (size_t i = 0; i < tile.entries.size(); i += 2) {
      tile.entries[i] = {Form::kLeaf,
                         std::string(crypto::AsBytes(tile.hashes[i]))};
    }
  }
  const AuditVerdict verdict = Verify(parts.Text());
  EXPECT_TRUE(verdict.verified) << verdict.text;
  EXPECT_EQ(verdict.entries, kSize);
  EXPECT_EQ(verdict.shown, kSize / 2);
}

TEST_F(AuditFileTest, ContinuesEveryEarlierHead) {
  std::vector<crypto::Checkpoint> earlier;
  for (const uint64_t size : {0, 1, 255, 256, 257, 300, 512, 599, 600}) {
    earlier.push_back(HeadAt(size));
    EXPECT_TRUE(Verify(Written(), {HeadAt(size)}).verified) << size;
  }
  EXPECT_TRUE(Verify(Written(), earlier).verified);
}

// An entry is changed and nothing else: found where it is.

TEST_F(AuditFileTest, AFlippedByteIsFoundInEveryTile) {
  for (const uint64_t position : {0, 7, 255, 256, 400, 511, 512, 599}) {
    Parts parts = Taken();
    parts.tiles[position / kAuditTile]
        .entries[position % kAuditTile]
        .bytes[0] ^= 1;
    ExpectBad(parts, position, "is not what was signed");
  }
}

TEST_F(AuditFileTest, TheFirstOfSeveralIsNamed) {
  Parts parts = Taken();
  parts.tiles[2].entries[3].bytes += "x";
  parts.tiles[1].entries[9].bytes += "x";
  parts.tiles[1].entries[8].bytes += "x";
  ExpectBad(parts, 256 + 8, "entry 264");
}

TEST_F(AuditFileTest, ADroppedEntryIsFound) {
  Parts parts = Taken();
  auto& entries = parts.tiles[1].entries;
  entries.erase(entries.begin() + 44);
  ExpectBad(parts, 300, "entry 300");
}

TEST_F(AuditFileTest, TheLastEntryDroppedIsFound) {
  Parts parts = Taken();
  parts.tiles[2].entries.pop_back();
  ExpectBad(parts, 599, "entry 599");
}

TEST_F(AuditFileTest, ReorderedEntriesAreFound) {
  Parts parts = Taken();
  std::swap(parts.tiles[1].entries[44], parts.tiles[1].entries[45]);
  ExpectBad(parts, 300, "entry 300");
}

TEST_F(AuditFileTest, EntriesReorderedAcrossTilesAreFound) {
  Parts parts = Taken();
  std::swap(parts.tiles[0].entries[44], parts.tiles[1].entries[45]);
  ExpectBad(parts, 44, "entry 44");
}

TEST_F(AuditFileTest, ADuplicatedEntryIsFound) {
  Parts parts = Taken();
  auto& entries = parts.tiles[1].entries;
  entries.insert(entries.begin() + 44, entries[43]);
  ExpectBad(parts, 300, "entry 300");
}

TEST_F(AuditFileTest, AnInventedEntryIsFound) {
  Parts parts = Taken();
  auto& entries = parts.tiles[2].entries;
  entries.insert(entries.begin() + 1, {Form::kEntry, "never happened"});
  ExpectBad(parts, 513, "entry 513");
}

TEST_F(AuditFileTest, AnInventedLastEntryIsFound) {
  Parts parts = Taken();
  parts.tiles[2].entries.push_back({Form::kEntry, "never happened"});
  ExpectBad(parts, 600, "entry 600");
}

TEST_F(AuditFileTest, AnEntryThatTheVaultDoesNotHaveIsFound) {
  Parts parts = Taken();
  parts.tiles[0].entries[3] = {Form::kGone, ""};
  ExpectBad(parts, 3, "entry 3");
}

// The hash beside it is changed, too: the root of the tile tells which tile.

TEST_F(AuditFileTest, ARewrittenEntryIsFoundByItsTile) {
  Parts parts = Taken();
  parts.tiles[1].entries[44].bytes = "rewritten";
  Rehash(parts.tiles[1]);
  ExpectBad(parts, 256, "entry 256, or one of the 255 behind it");
}

TEST_F(AuditFileTest, AnEntryDroppedWithItsHashIsFoundByItsTile) {
  Parts parts = Taken();
  parts.tiles[1].entries.erase(parts.tiles[1].entries.begin() + 44);
  Rehash(parts.tiles[1]);
  parts.tiles[2].first -= 1;
  ExpectBad(parts, 256, "entry 256, or one of the 255 behind it");
}

TEST_F(AuditFileTest, AnEntryInventedWithItsHashAtTheEndIsFound) {
  Parts parts = Taken();
  parts.tiles[2].entries.push_back({Form::kEntry, "never happened"});
  Rehash(parts.tiles[2]);
  ExpectBad(parts, 512, "entry 512, or one of the 255 behind it");
}

// All hashes in the file are changed: only what was signed tells, and it does
// not tell where.
TEST_F(AuditFileTest, AFileRewrittenThroughoutIsFound) {
  Parts parts = Taken();
  parts.tiles[1].entries[44].bytes = "rewritten";
  Rehash(parts.tiles[1]);
  parts.roots[1] = RootOf(parts.tiles[1].hashes, kAuditTile);
  ExpectBad(parts, std::nullopt, "nothing in it leads to");
}

TEST_F(AuditFileTest, ADamagedHashIsToldFromADamagedEntry) {
  Parts parts = Taken();
  parts.tiles[1].hashes[44][5] ^= 1;
  ExpectBad(parts, 300, "the entries are as they were signed");
}

// Tiles as a whole.

TEST_F(AuditFileTest, ADroppedTileIsFound) {
  Parts parts = Taken();
  parts.tiles.erase(parts.tiles.begin() + 1);
  ExpectBad(parts, 256, "entry 256 does not follow");
}

TEST_F(AuditFileTest, ReorderedTilesAreFound) {
  Parts parts = Taken();
  std::swap(parts.tiles[0], parts.tiles[1]);
  ExpectBad(parts, 0, "entry 0 does not follow");
}

TEST_F(AuditFileTest, ARepeatedTileIsFound) {
  Parts parts = Taken();
  parts.tiles.insert(parts.tiles.begin() + 1, parts.tiles[0]);
  ExpectBad(parts, 256, "entry 256 does not follow");
}

TEST_F(AuditFileTest, ADroppedLastTileIsFound) {
  Parts parts = Taken();
  parts.tiles.pop_back();
  ExpectBad(parts, 512, "ends before entry 512 of 600");
}

TEST_F(AuditFileTest, WhatIsWrongBeforeADroppedTileIsNamedFirst) {
  Parts parts = Taken();
  parts.tiles[0].entries[5].bytes += "x";
  parts.tiles.pop_back();
  ExpectBad(parts, 5, "entry 5 is not what was signed");
}

// Against an earlier head.

TEST_F(AuditFileTest, ACutTailIsFoundByEveryLaterHead) {
  // Somebody has the head of then, so the file is whole as such.
  const std::string cut = Written(500);
  EXPECT_TRUE(Verify(cut).verified);
  for (const uint64_t size : {501, 512, 600}) {
    const AuditVerdict verdict = Verify(cut, {HeadAt(10), HeadAt(size)});
    EXPECT_FALSE(verdict.verified);
    EXPECT_EQ(verdict.first_bad, 500U);
    EXPECT_THAT(verdict.text,
                HasSubstr("it had " + std::to_string(size) + " entries"));
  }
}

TEST_F(AuditFileTest, AForkIsFoundByAnyHeadBehindIt) {
  const crypto::Checkpoint before = HeadAt(300);
  const crypto::Checkpoint behind = HeadAt(400);
  const crypto::Checkpoint same_size = HeadAt(kSize);
  leaves_[350] = LeafHash("another entry 350");
  Parts fork = Taken();
  fork.tiles[1].entries[350 - 256].bytes = "another entry 350";
  EXPECT_TRUE(Verify(fork.Text()).verified);
  EXPECT_TRUE(Verify(fork.Text(), {before}).verified);
  for (const crypto::Checkpoint& earlier : {behind, same_size}) {
    const AuditVerdict verdict = Verify(fork.Text(), {before, earlier});
    EXPECT_FALSE(verdict.verified);
    EXPECT_THAT(verdict.text,
                HasSubstr("the log was forked: the first " +
                          std::to_string(earlier.tree.size) + " entries"));
  }
}

TEST_F(AuditFileTest, AHeadOfNothingThatIsNotTheEmptyRootIsAFork) {
  EXPECT_FALSE(Verify(Written(), {{kLog, {0, LeafHash("x")}}}).verified);
}

// The frame.

TEST_F(AuditFileTest, AnotherKeyOrAChangedHeadIsRefused) {
  const crypto::NoteSigner other(kLog, crypto::Key::Random());
  std::istringstream in(Written());
  EXPECT_THAT(VerifyAuditFile(in, other.verifier_key(), {}).text,
              HasSubstr("not signed with that key"));
  Parts parts = Taken();
  parts.checkpoint[parts.checkpoint.find("600")] = '5';
  ExpectBad(parts, std::nullopt, "not signed with that key");
}

TEST_F(AuditFileTest, AFileThatIsCutAnywhereIsRefused) {
  const std::string file = Written();
  for (size_t size = 0; size < file.size(); size += 97) {
    EXPECT_FALSE(Verify(file.substr(0, size)).verified) << size;
  }
  EXPECT_FALSE(Verify(file.substr(0, file.size() - 1)).verified);
  EXPECT_FALSE(Verify(file + "x").verified);
}

// Whatever single byte of the file is changed.
TEST_F(AuditFileTest, NoFlippedByteAnywhereIsOverlooked) {
  const std::string file = Written(20);
  // The roots are a help to find a place, and prove nothing.
  const size_t roots = file.size() - 5 - 32;
  for (size_t at = 0; at < roots - 5; ++at) {
    std::string changed = file;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_FALSE(Verify(changed).verified) << at;
  }
}

TEST_F(AuditFileTest, ASizeThatCannotBeIsRefusedBeforeItIsRead) {
  std::string file(kAuditMagic);
  file += "C\xff\xff\xff\xff";
  EXPECT_THAT(Verify(file).text, HasSubstr("no signed head"));
  EXPECT_THAT(Verify("").text, HasSubstr("no exported audit log"));
  EXPECT_THAT(Verify("hizo-audit-2\n").text,
              HasSubstr("no exported audit log"));
}

}  // namespace
}  // namespace hizo::cli
