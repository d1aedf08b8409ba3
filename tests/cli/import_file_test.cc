#include "service/cli/import_file.h"

#include <filesystem>
#include <fstream>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/ids.h"
#include "service/cli/failure.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::cli {
namespace {

using ::hizo::test::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;

class ImportFileTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  void WriteState(const std::string& text) { std::ofstream(state_) << text; }
  absl::StatusOr<std::unique_ptr<ImportFile>> Open() {
    return ImportFile::Open(path_, state_);
  }
  // Texts of the next batch, with a bar behind each.
  static std::string Next(ImportFile& file, size_t lines_max) {
    const auto batch = file.Next(lines_max);
    EXPECT_THAT(batch, IsOk());
    std::string texts;
    for (const ImportLine& line : batch->lines) texts += line.text + '|';
    return texts;
  }
  // Reads and acknowledges `lines` lines of a fresh import.
  void AcknowledgeFirst(size_t lines) {
    const auto file = Open();
    ASSERT_THAT(file, IsOk());
    const auto batch = (*file)->Next(lines);
    ASSERT_THAT(batch, IsOk());
    ASSERT_THAT((*file)->Acknowledge(*batch), IsOk());
  }

  test::ScratchDirectory directory_;
  std::string path_ = directory_.path() / "people.jsonl";
  std::string state_ = directory_.path() / "people.jsonl.hizo-progress";
};

TEST_F(ImportFileTest, ReadsBatchesInOrder) {
  Write("a\nb\n\nc\nd");
  const auto file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(Next(**file, 2), "a|b|");
  EXPECT_EQ(Next(**file, 2), "|c|");
  EXPECT_EQ(Next(**file, 2), "d|");
  EXPECT_EQ(Next(**file, 2), "");
}

TEST_F(ImportFileTest, NumbersLinesFromOneAndCountsBytes) {
  Write("a\nbb\n");
  const auto file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ((*file)->size_bytes(), 5);
  const auto batch = (*file)->Next(10);
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(batch->lines[0].number, 1);
  EXPECT_EQ(batch->lines[1].number, 2);
  EXPECT_EQ(batch->bytes_read, 5);
}

TEST_F(ImportFileTest, EndsABatchThatHasGrownLarge) {
  const std::string half(ImportFile::kBatchBytesEnough / 2, 'x');
  Write(half + "\n" + half + "\n" + half + "\n");
  const auto file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(Next(**file, 10), half + '|' + half + '|');
  EXPECT_EQ(Next(**file, 10), half + '|');
}

TEST_F(ImportFileTest, HasNothingInAnEmptyFile) {
  Write("");
  const auto file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(Next(**file, 2), "");
}

TEST_F(ImportFileTest, RefusesAFileThatIsAbsent) {
  EXPECT_THAT(Open(), Not(IsOk()));
}

TEST_F(ImportFileTest, GoesOnBehindTheLastAcknowledgedBatch) {
  Write("a\nb\nc\nd\n");
  AcknowledgeFirst(3);
  const auto file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ((*file)->lines_done(), 3);
  const auto batch = (*file)->Next(10);
  ASSERT_THAT(batch, IsOk());
  ASSERT_EQ(batch->lines.size(), 1U);
  EXPECT_EQ(batch->lines[0].number, 4);
  EXPECT_EQ(batch->lines[0].text, "d");
  EXPECT_EQ(batch->bytes_read, 8);
}

TEST_F(ImportFileTest, DoesNotCountWhatWasReadButNotAcknowledged) {
  Write("a\nb\nc\nd\n");
  {
    const auto file = Open();
    ASSERT_THAT(file, IsOk());
    const auto first = (*file)->Next(1);
    ASSERT_THAT(first, IsOk());
    EXPECT_EQ(Next(**file, 2), "b|c|");
    ASSERT_THAT((*file)->Acknowledge(*first), IsOk());
  }
  const auto file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(Next(**file, 10), "b|c|d|");
}

TEST_F(ImportFileTest, GoesOnWhenLinesWereAddedBehind) {
  Write("a\nb\n");
  AcknowledgeFirst(2);
  Write("a\nb\nc\n");
  const auto file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(Next(**file, 10), "c|");
}

TEST_F(ImportFileTest, RefusesAFileThatChangedBeforeThatPoint) {
  Write("a\nb\nc\n");
  AcknowledgeFirst(2);
  for (const char* changed :
       {"a\nB\nc\n", "b\na\nc\n", "ab\nc\nd\n", "a\n", ""}) {
    Write(changed);
    const auto file = Open();
    ASSERT_THAT(file, Not(IsOk())) << changed;
    EXPECT_THAT(FailureOf(file.status()).text, HasSubstr("changed"));
  }
}

TEST_F(ImportFileTest, RefusesARecordThatIsNone) {
  Write("a\n");
  for (const char* state :
       {"", "something else", "hizo-import-1 x y", "hizo-import-1 -1 00",
        "hizo-import-2 1 00", "hizo-import-1 1"}) {
    WriteState(state);
    EXPECT_THAT(Open(), Not(IsOk())) << state;
  }
}

TEST_F(ImportFileTest, RefusesARecordOfAnotherFile) {
  Write("a\nb\n");
  WriteState("hizo-import-1 1 " + std::string(64, '0') + "\n");
  EXPECT_THAT(Open(), Not(IsOk()));
}

TEST_F(ImportFileTest, StartsAgainOnceItHasFinished) {
  Write("a\nb\n");
  AcknowledgeFirst(2);
  const auto file = Open();
  ASSERT_THAT(file, IsOk());
  (*file)->Finish();
  EXPECT_FALSE(std::filesystem::exists(state_));
  const auto again = Open();
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(Next(**again, 10), "a|b|");
}

TEST_F(ImportFileTest, LeavesNoHalfWrittenRecord) {
  Write("a\nb\n");
  AcknowledgeFirst(1);
  AcknowledgeFirst(1);  // replaces
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory_.path())) {
    ++files;
    EXPECT_THAT(entry.path().string(), Not(HasSubstr(".next")));
  }
  EXPECT_EQ(files, 2U);
}

TEST_F(ImportFileTest, SaysSoWhenProgressCannotBeRecorded) {
  Write("a\n");
  state_ = directory_.path() / "none" / "state";
  const auto file = Open();
  ASSERT_THAT(file, IsOk());
  const auto batch = (*file)->Next(1);
  ASSERT_THAT(batch, IsOk());
  EXPECT_THAT((*file)->Acknowledge(*batch), Not(IsOk()));
}

TEST_F(ImportFileTest, TakesALineAtTheBoundAndNotBeyond) {
  Write(std::string(ImportFile::kLineBytesMax, 'x') + "\n" +
        std::string(ImportFile::kLineBytesMax + 1, 'y') + "\n");
  const auto file = Open();
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(Next(**file, 1).size(), ImportFile::kLineBytesMax + 1);
  const auto batch = (*file)->Next(1);
  ASSERT_THAT(batch, Not(IsOk()));
  EXPECT_THAT(FailureOf(batch.status()).text, HasSubstr("line 2"));
}

TEST(ImportRequestIdTest, IsTheSameForTheSameLineAtTheSamePlace) {
  EXPECT_EQ(ImportRequestId({7, "{}"}), ImportRequestId({7, "{}"}));
}

TEST(ImportRequestIdTest, IsStableAcrossReleases) {
  // An import that an older release began must go on with this one.
  EXPECT_EQ(ImportRequestId({1, "{}"}), "2abb7496-35de-8a7f-9d45-ce3a27636ef3");
}

TEST(ImportRequestIdTest, DiffersByTextAndByPlace) {
  const std::set<std::string> ids = {
      ImportRequestId({1, "a"}),    ImportRequestId({2, "a"}),
      ImportRequestId({1, "b"}),    ImportRequestId({11, "a"}),
      ImportRequestId({1, "1\na"}), ImportRequestId({1, ""})};
  EXPECT_EQ(ids.size(), 6U);
}

TEST(ImportRequestIdTest, IsAUuidOfVersionEight) {
  const std::string id = ImportRequestId({3, "text"});
  EXPECT_TRUE(base::UuidBytes(id).has_value());
  EXPECT_EQ(id[14], '8');
  EXPECT_THAT("89ab", HasSubstr(std::string(1, id[19])));
}

}  // namespace
}  // namespace hizo::cli
