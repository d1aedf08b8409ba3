// A fresh empty directory, gone with everything in it when the object is.
#ifndef HIZO_TESTS_TESTING_SCRATCH_DIRECTORY_H_
#define HIZO_TESTS_TESTING_SCRATCH_DIRECTORY_H_

#include <filesystem>

namespace hizo::test {

class ScratchDirectory {
 public:
  ScratchDirectory();  // throws where there is no room for one
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_SCRATCH_DIRECTORY_H_
