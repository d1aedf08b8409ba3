#include "service/audit/export.h"

#include <cstdint>
#include <string>

#include "crypto/merkle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/event.h"
#include "service/audit/tree.h"
#include "tests/service/audit/test_log.h"
#include "tests/testing/status_matchers.h"

namespace hizo::audit {
namespace {

using base::TenantId;
using crypto::AsBytes;
using crypto::LeafHash;
using test::IsOk;
using ::testing::SizeIs;
using Form = ExportedEntry::Form;

constexpr uint64_t kSize = 300;

class ExportTest : public ::testing::Test {
 protected:
  ExportTest() { log_.Append(kSize); }
  ExportedTile Ask(const Span& span, TenantId tenant = TenantId{1}) const {
    const auto tile = ExportTile(log_.engine(), kSize, span, tenant);
    EXPECT_THAT(tile, IsOk());
    return tile.ok() ? *tile : ExportedTile();
  }
  std::string Entry(uint64_t sequence) const {
    return log_.Stored(EntryKey(sequence));
  }
  TestLog log_;
};

TEST_F(ExportTest, GivesEntriesAndTheHashesThatMakeTheRoot) {
  crypto::MerklePeaks peaks;
  for (const Span span : {Span{0, 256}, Span{256, 300}}) {
    const ExportedTile tile = Ask(span);
    ASSERT_THAT(tile.entries, SizeIs(span.end - span.begin));
    ASSERT_THAT(tile.hashes, SizeIs(span.end - span.begin));
    for (size_t i = 0; i < tile.entries.size(); ++i) {
      EXPECT_EQ(tile.entries[i].form, Form::kEntry);
      EXPECT_EQ(tile.entries[i].bytes, Entry(span.begin + i));
      peaks.Append(tile.hashes[i]);
    }
  }
  EXPECT_EQ(peaks.Root(), log_.log().head().root);
}

TEST_F(ExportTest, GivesPartOfATile) {
  const ExportedTile tile = Ask({10, 12});
  ASSERT_THAT(tile.entries, SizeIs(2));
  EXPECT_EQ(tile.entries[1].bytes, Entry(11));
  EXPECT_EQ(tile.hashes[1], LeafHash(Entry(11)));
  EXPECT_THAT(Ask({12, 12}).entries, SizeIs(0));
}

TEST_F(ExportTest, TellsNothingOfAnotherTenantButAHash) {
  for (const Span span : {Span{3, 4}, Span{299, 300}}) {
    const ExportedTile tile = Ask(span, TenantId{2});
    ASSERT_THAT(tile.entries, SizeIs(1));
    EXPECT_EQ(tile.entries[0].form, Form::kLeaf);
    EXPECT_EQ(tile.entries[0].bytes, AsBytes(LeafHash(Entry(span.begin))));
  }
}

TEST_F(ExportTest, GivesTheHashOfTheTreeBesideAnEntryThatWasChanged) {
  const crypto::Digest written = LeafHash(Entry(7));
  std::string entry = Entry(7);
  entry.back() ^= 1;
  log_.Overwrite(EntryKey(7), entry);
  const ExportedTile tile = Ask({7, 8});
  EXPECT_EQ(tile.entries[0].bytes, entry);
  EXPECT_EQ(tile.hashes[0], written);
}

TEST_F(ExportTest, GivesWhatIsNoEntryAsItsHash) {
  log_.Overwrite(EntryKey(7), "nonsense");
  const ExportedTile tile = Ask({7, 8});
  EXPECT_EQ(tile.entries[0].form, Form::kLeaf);
  EXPECT_EQ(tile.entries[0].bytes, AsBytes(LeafHash("nonsense")));
}

TEST_F(ExportTest, SaysWhichEntryIsGone) {
  log_.Remove(EntryKey(7));
  log_.Remove(EntryKey(299));
  log_.Overwrite(EntryKey(8) + "x", "no entry's row");
  const ExportedTile full = Ask({6, 10});
  EXPECT_EQ(full.entries[0].form, Form::kEntry);
  EXPECT_EQ(full.entries[1].form, Form::kGone);
  EXPECT_EQ(full.entries[3].bytes, Entry(9));
  EXPECT_NE(full.hashes[1], crypto::Digest());
  const ExportedTile last = Ask({298, 300});
  EXPECT_EQ(last.entries[1].form, Form::kGone);
  EXPECT_EQ(last.hashes[1], crypto::Digest());
}

TEST_F(ExportTest, DoesWithoutATileThatIsDamaged) {
  log_.Overwrite(TileKey(0, 0), "short");
  const ExportedTile tile = Ask({0, 2});
  EXPECT_EQ(tile.hashes[1], LeafHash(Entry(1)));
}

}  // namespace
}  // namespace hizo::audit
