#include "tests/testing/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace hizo::test {
namespace {

namespace fs = std::filesystem;

constexpr char kBallast[] = "ballast";

void Check(bool ok) {
  if (!ok) throw std::system_error(errno, std::generic_category());
}

// Once for the process: mounts are its own from then on.
bool PartFromOthers() {
  static const bool parted =
      unshare(CLONE_NEWNS) == 0 &&
      mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return parted;
}

}  // namespace

bool SmallDisk::Permitted() { return geteuid() == 0 && PartFromOthers(); }

SmallDisk::SmallDisk(fs::path directory, size_t megabytes)
    : directory_(std::move(directory)) {
  Check(PartFromOthers());
  const fs::path kept = directory_.string() + ".kept";
  fs::create_directories(directory_);
  fs::rename(directory_, kept);
  fs::create_directory(directory_);
  const std::string size = "mode=0700,size=" + std::to_string(megabytes) + "m";
  Check(mount("none", directory_.c_str(), "tmpfs", 0, size.c_str()) == 0);
  fs::copy(kept, directory_, fs::copy_options::recursive);
  fs::remove_all(kept);
}

SmallDisk::~SmallDisk() { umount2(directory_.c_str(), MNT_DETACH); }

void SmallDisk::Fill(size_t left) {
  const fs::path file = directory_ / kBallast;
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  Check(fd >= 0);
  const std::string block(1 << 16, 'b');
  size_t size = block.size();
  // Ever smaller, down to the last byte of the last page.
  while (size > 0 && fs::space(directory_).available > left) {
    if (write(fd, block.data(), size) <= 0) size /= 2;
  }
  close(fd);
}

void SmallDisk::Free() { fs::remove(directory_ / kBallast); }

void SmallDisk::Remount(unsigned long flags) {
  Check(mount("none", directory_.c_str(), "tmpfs", MS_REMOUNT | flags,
              nullptr) == 0);
}

void SmallDisk::MakeReadOnly() { Remount(MS_RDONLY); }
void SmallDisk::MakeWritable() { Remount(0); }

}  // namespace hizo::test
