#include "tests/testing/scratch_directory.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace hizo::test {

ScratchDirectory::ScratchDirectory() {
  std::string name = std::filesystem::temp_directory_path() / "hizo-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category());
  }
  path_ = name;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace hizo::test
