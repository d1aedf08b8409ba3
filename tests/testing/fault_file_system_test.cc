#include "tests/testing/fault_file_system.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_directory.h"

namespace hizo::test {
namespace {

using Operation = FaultFileSystem::Operation;
using rocksdb::IOOptions;

class FaultFileSystemTest : public ::testing::Test {
 protected:
  std::string PathOf(const std::string& name) const {
    return scratch_.path() / name;
  }

  std::unique_ptr<rocksdb::FSWritableFile> Make(const std::string& name) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    EXPECT_TRUE(disk_.NewWritableFile(PathOf(name), {}, &file, nullptr).ok());
    return file;
  }

  bool Append(rocksdb::FSWritableFile& file, const std::string& bytes) {
    return file.Append(bytes, IOOptions(), nullptr).ok();
  }
  bool Sync(rocksdb::FSWritableFile& file) {
    return file.Sync(IOOptions(), nullptr).ok();
  }

  void SyncDirectory() {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    ASSERT_TRUE(
        disk_.NewDirectory(scratch_.path(), IOOptions(), &directory, nullptr)
            .ok());
    ASSERT_TRUE(directory->FsyncWithDirOptions(IOOptions(), nullptr, {}).ok());
  }

  std::string Contents(const std::string& name) const {
    std::ifstream stream(PathOf(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  }
  bool Exists(const std::string& name) const {
    return std::filesystem::exists(PathOf(name));
  }

  ScratchDirectory scratch_;
  FaultFileSystem disk_;
};

TEST_F(FaultFileSystemTest, IsTheRealOneWhereNothingFails) {
  const auto file = Make("file");
  EXPECT_TRUE(Append(*file, "bytes"));
  EXPECT_TRUE(Sync(*file));
  EXPECT_EQ(Contents("file"), "bytes");
  uint64_t free = 0;
  EXPECT_TRUE(
      disk_.GetFreeSpace(scratch_.path(), IOOptions(), &free, nullptr).ok());
  EXPECT_GT(free, 0u);
}

TEST_F(FaultFileSystemTest, FailsOneOperationOnFilesOfThatName) {
  const auto log = Make("1.log");
  const auto table = Make("2.sst");
  disk_.Fail(Operation::kAppend, ".log", FaultFileSystem::IoError());
  EXPECT_TRUE(Append(*table, "table"));
  EXPECT_TRUE(Sync(*log));
  EXPECT_FALSE(Append(*log, "lost"));
  EXPECT_TRUE(Append(*log, "log"));
  EXPECT_EQ(Contents("1.log"), "log");
}

TEST_F(FaultFileSystemTest, FailsTheNthAndNoOther) {
  const auto file = Make("1.log");
  disk_.FailNth(3, Operation::kAppend, ".log", FaultFileSystem::IoError());
  EXPECT_TRUE(Append(*file, "a"));
  EXPECT_TRUE(Append(*file, "b"));
  EXPECT_FALSE(Append(*file, "lost"));
  EXPECT_TRUE(Append(*file, "c"));
  EXPECT_EQ(Contents("1.log"), "abc");
}

TEST_F(FaultFileSystemTest, LosesPowerInTheMiddleOfTheNth) {
  const auto file = Make("1.log");
  SyncDirectory();
  disk_.CutPowerAtNth(2, Operation::kSync, ".log");
  EXPECT_TRUE(Sync(*file));
  EXPECT_TRUE(Append(*file, "unsynced"));
  EXPECT_FALSE(Sync(*file));
  EXPECT_FALSE(Append(*file, "later"));
  disk_.DropUnsynced(0);
  EXPECT_EQ(Contents("1.log"), "");
}

TEST_F(FaultFileSystemTest, FailsSyncsAndReadsAndOpens) {
  const auto file = Make("file");
  ASSERT_TRUE(Append(*file, "bytes"));
  disk_.Fail(Operation::kSync, "file", FaultFileSystem::IoError());
  EXPECT_FALSE(Sync(*file));
  std::unique_ptr<rocksdb::FSRandomAccessFile> reader;
  ASSERT_TRUE(
      disk_.NewRandomAccessFile(PathOf("file"), {}, &reader, nullptr).ok());
  disk_.Fail(Operation::kRead, "file", FaultFileSystem::IoError());
  char scratch[5];
  rocksdb::Slice read;
  EXPECT_FALSE(reader->Read(0, 5, IOOptions(), &read, scratch, nullptr).ok());
  EXPECT_TRUE(reader->Read(0, 5, IOOptions(), &read, scratch, nullptr).ok());
  EXPECT_EQ(read.ToString(), "bytes");
  disk_.Fail(Operation::kOpen, "other", FaultFileSystem::NoSpace());
  std::unique_ptr<rocksdb::FSWritableFile> other;
  EXPECT_TRUE(
      disk_.NewWritableFile(PathOf("other"), {}, &other, nullptr).IsNoSpace());
  EXPECT_FALSE(Exists("other"));
}

TEST_F(FaultFileSystemTest, TakesNothingWhileTheDiskIsFull) {
  const auto file = Make("file");
  disk_.FillDisk();
  EXPECT_TRUE(file->Append("bytes", IOOptions(), nullptr).IsNoSpace());
  EXPECT_TRUE(Sync(*file));
  std::unique_ptr<rocksdb::FSWritableFile> other;
  EXPECT_TRUE(
      disk_.NewWritableFile(PathOf("other"), {}, &other, nullptr).IsNoSpace());
  uint64_t free = 1;
  EXPECT_TRUE(
      disk_.GetFreeSpace(scratch_.path(), IOOptions(), &free, nullptr).ok());
  EXPECT_EQ(free, 0u);
  disk_.FreeDisk();
  EXPECT_TRUE(Append(*file, "bytes"));
}

TEST_F(FaultFileSystemTest, DropsWhatWasNotSynced) {
  const auto file = Make("file");
  SyncDirectory();
  ASSERT_TRUE(Append(*file, "synced"));
  ASSERT_TRUE(Sync(*file));
  ASSERT_TRUE(Append(*file, "unsynced"));
  disk_.CutPower();
  disk_.DropUnsynced(0);
  EXPECT_EQ(Contents("file"), "synced");
}

TEST_F(FaultFileSystemTest, KeepsATornEndWhereTold) {
  const auto file = Make("file");
  SyncDirectory();
  ASSERT_TRUE(Append(*file, "synced"));
  ASSERT_TRUE(Sync(*file));
  ASSERT_TRUE(Append(*file, "unsynced"));
  disk_.CutPower();
  disk_.DropUnsynced(2);
  EXPECT_EQ(Contents("file"), "syncedun");
  disk_.DropUnsynced(100);
  EXPECT_EQ(Contents("file").size(), std::string("syncedunsynced").size());
}

TEST_F(FaultFileSystemTest, DoesNothingOnceThePowerIsCut) {
  const auto file = Make("file");
  disk_.CutPower();
  EXPECT_FALSE(Append(*file, "bytes"));
  EXPECT_FALSE(Sync(*file));
  std::unique_ptr<rocksdb::FSWritableFile> other;
  EXPECT_FALSE(
      disk_.NewWritableFile(PathOf("other"), {}, &other, nullptr).ok());
  EXPECT_FALSE(
      disk_.RenameFile(PathOf("file"), PathOf("other"), IOOptions(), nullptr)
          .ok());
  EXPECT_FALSE(disk_.DeleteFile(PathOf("file"), IOOptions(), nullptr).ok());
  EXPECT_TRUE(Exists("file"));
}

TEST_F(FaultFileSystemTest, DropsAFileWhoseDirectoryWasNotSynced) {
  const auto early = Make("early");
  ASSERT_TRUE(Sync(*early));
  SyncDirectory();
  const auto late = Make("late");
  ASSERT_TRUE(Sync(*late));
  disk_.CutPower();
  disk_.DropUnsynced(0);
  EXPECT_TRUE(Exists("early"));
  EXPECT_FALSE(Exists("late"));
}

TEST_F(FaultFileSystemTest, UndoesARenameWhoseDirectoryWasNotSynced) {
  for (const std::string name : {"CURRENT", "draft"}) {
    const auto file = Make(name);
    ASSERT_TRUE(Append(*file, "contents of " + name));
    ASSERT_TRUE(Sync(*file));
    if (name == "CURRENT") SyncDirectory();
  }
  ASSERT_TRUE(
      disk_.RenameFile(PathOf("draft"), PathOf("CURRENT"), IOOptions(), nullptr)
          .ok());
  EXPECT_EQ(Contents("CURRENT"), "contents of draft");
  disk_.CutPower();
  disk_.DropUnsynced(0);
  EXPECT_EQ(Contents("CURRENT"), "contents of CURRENT");
}

TEST_F(FaultFileSystemTest, ForgetsDeletedFiles) {
  const auto file = Make("file");
  ASSERT_TRUE(Append(*file, "bytes"));
  ASSERT_TRUE(disk_.DeleteFile(PathOf("file"), IOOptions(), nullptr).ok());
  disk_.CutPower();
  disk_.DropUnsynced(0);
  EXPECT_FALSE(Exists("file"));
}

}  // namespace
}  // namespace hizo::test
