// ScratchFile: hostile bytes as a file, for parsers that open one.
//
// One file for the process, in memory where the system has such. Threads: one.
#ifndef HIZO_TESTS_FUZZ_SCRATCH_FILE_H_
#define HIZO_TESTS_FUZZ_SCRATCH_FILE_H_

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "tests/fuzz/require.h"

namespace hizo::fuzz {

class ScratchFile {
 public:
  ScratchFile() {
    const std::string folder =
        std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : "/tmp";
    std::string name = folder + "/hizo-fuzz-XXXXXX";
    const int fd = mkostemp(name.data(), O_CLOEXEC);
    Require(fd >= 0, "there is a place for a file");
    close(fd);
    path_ = name;
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() { std::filesystem::remove(path_); }

  // The file, which now holds just these bytes.
  const std::filesystem::path& Holding(std::string_view bytes) const {
    const int fd = open(path_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
    Require(fd >= 0 && write(fd, bytes.data(), bytes.size()) ==
                           static_cast<ssize_t>(bytes.size()),
            "the file can be written");
    close(fd);
    return path_;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace hizo::fuzz

#endif  // HIZO_TESTS_FUZZ_SCRATCH_FILE_H_
