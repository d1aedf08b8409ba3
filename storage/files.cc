#include "storage/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace hizo::storage {

FileDescriptor::~FileDescriptor() {
  if (valid()) close(fd_);
}

absl::Status SyncDirectory(const std::filesystem::path& directory) {
  const char* path = directory.empty() ? "." : directory.c_str();
  const FileDescriptor fd(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || fsync(fd.get()) != 0) {
    return absl::UnavailableError("a directory could not be made durable");
  }
  return absl::OkStatus();
}

absl::Status MakeDirectory(const std::filesystem::path& directory) {
  struct stat info {};
  if (directory.empty() || stat(directory.c_str(), &info) == 0) {
    return absl::OkStatus();
  }
  const std::filesystem::path parent = directory.parent_path();
  if (absl::Status status = MakeDirectory(parent); !status.ok()) return status;
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::UnavailableError("a directory could not be made");
  }
  return SyncDirectory(parent);
}

}  // namespace hizo::storage
