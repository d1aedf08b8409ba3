// FaultFileSystem: the file system under RocksDB, with a disk that fails, fills
// up or loses its power where a test says so. Everything that is not told to
// fail happens on the real one.
//
// Power: what was appended but not synced, and what a directory was not synced
// after (new files, renames), is remembered. `CutPower` makes all operations
// fail from then on; once the engine is gone, `DropUnsynced` leaves on the disk
// what a machine would find there.
//
// Threads: every method may be called concurrently.
#ifndef HIZO_TESTS_TESTING_FAULT_FILE_SYSTEM_H_
#define HIZO_TESTS_TESTING_FAULT_FILE_SYSTEM_H_

#include <rocksdb/file_system.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace hizo::test {

class FaultFileSystem : public rocksdb::FileSystemWrapper {
 public:
  enum class Operation { kOpen, kRead, kAppend, kSync };

  static rocksdb::IOStatus IoError();
  static rocksdb::IOStatus NoSpace();

  FaultFileSystem();
  const char* Name() const override { return "FaultFileSystem"; }

  // The next `operation` on a file whose name ends with `suffix` fails with
  // `status` without having been done.
  void Fail(Operation operation, std::string suffix, rocksdb::IOStatus status);
  // The `nth` such operation from now (1 is the next) fails.
  void FailNth(size_t nth, Operation operation, std::string suffix,
               rocksdb::IOStatus status);
  // The power goes in the middle of it: see CutPower.
  void CutPowerAtNth(size_t nth, Operation operation, std::string suffix);
  // Between the two, nothing can be made or appended, and no space is free.
  void FillDisk();
  // The disk says that so many bytes are free, and takes more all the same.
  void SetFreeSpace(uint64_t bytes);
  void FreeDisk();
  void CutPower();
  // Of each file's unsynced end at most `torn_bytes` are kept, as a disk may.
  void DropUnsynced(uint64_t torn_bytes);

  // For the files that this hands out.
  rocksdb::IOStatus Begin(Operation operation, const std::string& file);
  void Appended(const std::string& file, uint64_t bytes);
  void Truncated(const std::string& file, uint64_t size);
  uint64_t SizeOf(const std::string& file) const;
  void Synced(const std::string& file, uint64_t size);
  void DirectorySynced(const std::string& directory);

  rocksdb::IOStatus NewWritableFile(
      const std::string& file, const rocksdb::FileOptions& options,
      std::unique_ptr<rocksdb::FSWritableFile>* result,
      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(
      const std::string& file, const rocksdb::FileOptions& options,
      std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& directory,
                                 const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& file,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFreeSpace(const std::string& path,
                                 const rocksdb::IOOptions& options,
                                 uint64_t* free,
                                 rocksdb::IODebugContext* debug) override;

 private:
  struct Fault {
    Operation operation;
    std::string suffix;
    rocksdb::IOStatus status;
    size_t nth = 1;
    bool cuts_power = false;
  };
  struct Extent {
    uint64_t size = 0;
    uint64_t synced = 0;
  };

  mutable std::mutex mutex_;
  std::vector<Fault> faults_;
  bool full_ = false;
  std::optional<uint64_t> free_space_;
  bool power_cut_ = false;
  std::map<std::string, Extent> extents_;
  // What a name stood for when its directory was last synced: nullopt nothing.
  std::map<std::string, std::optional<std::string>> unsynced_names_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_FAULT_FILE_SYSTEM_H_
