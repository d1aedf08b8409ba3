// Files: the few calls to the operating system that whoever keeps files needs
// beyond the standard library.
//
// Threads: a FileDescriptor from one thread at a time.
#ifndef HIZO_STORAGE_FILES_H_
#define HIZO_STORAGE_FILES_H_

#include <filesystem>

#include "absl/status/status.h"

namespace hizo::storage {

// FileDescriptor closes what `open` gave, and with it gives up its locks.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor();

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  const int fd_;
};

// Makes durable which files `directory` holds; empty is the working directory.
absl::Status SyncDirectory(const std::filesystem::path& directory);

// Makes `directory` and what is missing above it, durably, for its owner only.
absl::Status MakeDirectory(const std::filesystem::path& directory);

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_FILES_H_
