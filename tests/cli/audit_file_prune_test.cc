// Exported logs whose first entries were pruned, or are said to have been.
#include "service/cli/audit_file_prune.h"

#include <sstream>
#include <string>
#include <vector>

#include "crypto/checkpoint.h"
#include "crypto/signed_note.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/options.pb.h"
#include "service/cli/audit_file.h"

namespace hizo::cli {
namespace {

using crypto::Digest;
using crypto::LeafHash;
using ::testing::HasSubstr;
using Form = AuditFileEntry::Form;

constexpr char kLog[] = "hizo/store";
constexpr uint64_t kSize = 700;
constexpr uint64_t kPrunesAt = 600;  // the entry that says so
constexpr char kPruneAction = v1::ACTION_AUDIT_PRUNE;
constexpr char kTidyAction = 18;

std::string Part(char tag, const std::string& bytes) {
  std::string part(1, tag);
  part += '\0';
  part += static_cast<char>(bytes.size());
  return part + bytes;
}

// What service/audit writes, with this many tiles pruned.
std::string Says(char tiles, char action = kPruneAction, char outcome = 1,
                 const std::string& actor = "hizod",
                 const std::string& tenant = "") {
  return std::string(1, '\1') + Part(1, "\7") +
         (tenant.empty() ? "" : Part(2, tenant)) + Part(3, actor) +
         Part(4, std::string(1, action)) + Part(5, std::string(1, outcome)) +
         Part(12, std::string(1, tiles));
}

TEST(PrunedByTest, IsWhatTheEntrySays) {
  EXPECT_EQ(PrunedBy(Says(2)), 512);
  EXPECT_EQ(PrunedBy(Says(1)), 256);
}

TEST(PrunedByTest, AnythingElseSaysNothing) {
  EXPECT_EQ(PrunedBy(""), 0);
  EXPECT_EQ(PrunedBy("\1"), 0);
  EXPECT_EQ(PrunedBy("\2" + Says(2).substr(1)), 0);
  EXPECT_EQ(PrunedBy(Says(2, kTidyAction)), 0);
  EXPECT_EQ(PrunedBy(Says(2, kPruneAction, 2)), 0);
  EXPECT_EQ(PrunedBy(Says(2, kPruneAction, 1, "spiffe://acme/x")), 0);
  EXPECT_EQ(PrunedBy(Says(2, kPruneAction, 1, "hizod", "\1")), 0);
  const std::string entry = Says(2);
  for (size_t i = 0; i < entry.size(); ++i) {
    EXPECT_EQ(PrunedBy(entry.substr(0, i)), 0) << i;
  }
  EXPECT_EQ(PrunedBy(entry + Part('\x7F', "x")), 0);
}

class PrunedFileTest : public ::testing::Test {
 protected:
  void Make(const std::string& says) {
    for (uint64_t i = 0; i < kSize; ++i) {
      entries_.push_back(i == kPrunesAt ? says
                                        : "\1entry " + std::to_string(i));
      leaves_.push_back(LeafHash(entries_.back()));
    }
  }
  Digest RootOf(uint64_t size) const {
    crypto::MerklePeaks peaks;
    for (uint64_t i = 0; i < size; ++i) peaks.Append(leaves_[i]);
    return peaks.Root();
  }
  // With the entries from `from` on to `until` gone.
  std::string Written(uint64_t from, uint64_t until) const {
    std::ostringstream out;
    AuditFileWriter writer(
        out,
        signer_.Sign(crypto::CheckpointText({kLog, {kSize, RootOf(kSize)}})));
    for (uint64_t i = 0; i < kSize; ++i) {
      const bool gone = i >= from && i < until;
      writer.Add({gone ? Form::kGone : Form::kEntry, gone ? "" : entries_[i]},
                 leaves_[i]);
    }
    writer.Finish();
    return out.str();
  }
  AuditVerdict Verify(const std::string& file,
                      const std::vector<crypto::Checkpoint>& earlier = {}) {
    std::istringstream in(file);
    return VerifyAuditFile(in, signer_.verifier_key(), earlier);
  }

  const crypto::NoteSigner signer_{
      kLog, crypto::Key::CopyOf(std::string(crypto::Key::kSize, 'k'))};
  std::vector<std::string> entries_;
  std::vector<Digest> leaves_;
};

TEST_F(PrunedFileTest, IsVerifiedAndSaysWhatIsGone) {
  Make(Says(2));
  const AuditVerdict verdict = Verify(Written(0, 512));
  EXPECT_TRUE(verdict.verified) << verdict.text;
  EXPECT_EQ(verdict.pruned, 512);
  EXPECT_EQ(verdict.entries, kSize);
  EXPECT_EQ(verdict.shown, kSize - 512);
}

TEST_F(PrunedFileTest, LessMayBeGoneThanWasSaid) {
  Make(Says(2));  // it was exported before
  EXPECT_TRUE(Verify(Written(0, 256)).verified);
  EXPECT_TRUE(Verify(Written(0, 0)).verified);
  EXPECT_EQ(Verify(Written(0, 0)).pruned, 0);
}

TEST_F(PrunedFileTest, HeadsOfBeforeHold) {
  Make(Says(2));
  const std::string file = Written(0, 512);
  for (const uint64_t size : {1, 255, 256, 300, 512, 650}) {
    EXPECT_TRUE(Verify(file, {{kLog, {size, RootOf(size)}}}).verified) << size;
    EXPECT_FALSE(Verify(file, {{kLog, {size, RootOf(size - 1)}}}).verified);
  }
}

TEST_F(PrunedFileTest, MoreThanTheLogSaysIsTheFirstBadEntry) {
  Make(Says(1));
  const AuditVerdict verdict = Verify(Written(0, 512));
  EXPECT_FALSE(verdict.verified);
  EXPECT_EQ(verdict.first_bad, 256U);
  EXPECT_THAT(verdict.text, HasSubstr("does not say that it was pruned"));
}

TEST_F(PrunedFileTest, WithoutASayingEntryAllOfItIsBad) {
  Make(Says(2, kTidyAction));
  const AuditVerdict verdict = Verify(Written(0, 256));
  EXPECT_FALSE(verdict.verified);
  EXPECT_EQ(verdict.first_bad, 0U);
}

TEST_F(PrunedFileTest, AGapBehindTheBeginningIsNotPruning) {
  Make(Says(2));
  AuditVerdict verdict = Verify(Written(256, 512));
  EXPECT_FALSE(verdict.verified);
  EXPECT_EQ(verdict.first_bad, 256U);
  verdict = Verify(Written(0, 300));
  EXPECT_FALSE(verdict.verified);
  EXPECT_EQ(verdict.first_bad, 256U);
}

TEST_F(PrunedFileTest, AChangedHashOfWhatIsGoneIsFound) {
  Make(Says(2));
  leaves_[3][0] ^= 1;
  std::string changed = Written(0, 512);
  leaves_[3][0] ^= 1;
  const std::string good = Written(0, 512);
  // The signed head of the one before the tiles of the other.
  const size_t head = good.find("\n\n");
  ASSERT_NE(head, std::string::npos);
  EXPECT_FALSE(
      Verify(good.substr(0, head + 120) + changed.substr(head + 120)).verified);
}

}  // namespace
}  // namespace hizo::cli
