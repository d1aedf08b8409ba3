#include "storage/files.h"

#include <fcntl.h>

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::storage {
namespace {

using std::filesystem::perms;
using test::IsOk;
using test::StatusIs;

TEST(FileDescriptorTest, ClosesWhatItHolds) {
  const test::ScratchDirectory scratch;
  int number = -1;
  {
    const FileDescriptor fd(open(scratch.path().c_str(), O_RDONLY));
    ASSERT_TRUE(fd.valid());
    number = fd.get();
    EXPECT_NE(fcntl(number, F_GETFD), -1);
  }
  EXPECT_EQ(fcntl(number, F_GETFD), -1);
}

TEST(FileDescriptorTest, IsInvalidWhereOpenFailed) {
  EXPECT_FALSE(FileDescriptor(open("/nonexistent", O_RDONLY)).valid());
}

TEST(MakeDirectoryTest, MakesWhatIsMissingAboveIt) {
  const test::ScratchDirectory scratch;
  const auto directory = scratch.path() / "a" / "b" / "c";
  ASSERT_THAT(MakeDirectory(directory), IsOk());
  EXPECT_TRUE(std::filesystem::is_directory(directory));
  for (const auto& made : {directory, directory.parent_path()}) {
    EXPECT_EQ(std::filesystem::status(made).permissions(), perms::owner_all);
  }
}

TEST(MakeDirectoryTest, AcceptsATrailingSlash) {
  const test::ScratchDirectory scratch;
  ASSERT_THAT(MakeDirectory(scratch.path() / "a" / ""), IsOk());
  EXPECT_TRUE(std::filesystem::is_directory(scratch.path() / "a"));
}

TEST(MakeDirectoryTest, LeavesAnExistingOneAlone) {
  const test::ScratchDirectory scratch;
  std::ofstream(scratch.path() / "file") << "kept";
  ASSERT_THAT(MakeDirectory(scratch.path()), IsOk());
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "file"));
}

TEST(MakeDirectoryTest, SaysSoWhereAFileIsInTheWay) {
  const test::ScratchDirectory scratch;
  std::ofstream(scratch.path() / "file") << "in the way";
  EXPECT_THAT(MakeDirectory(scratch.path() / "file" / "directory"),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(SyncDirectoryTest, SyncsDirectoriesOnly) {
  const test::ScratchDirectory scratch;
  EXPECT_THAT(SyncDirectory(scratch.path()), IsOk());
  EXPECT_THAT(SyncDirectory(""), IsOk());  // the working directory
  std::ofstream(scratch.path() / "file") << "no directory";
  EXPECT_THAT(SyncDirectory(scratch.path() / "file"),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(SyncDirectory(scratch.path() / "missing"),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace hizo::storage
