// TempFolder: a folder of a test's own that files are written to.
#ifndef HIZO_TESTS_SERVICE_APP_TEMP_FOLDER_H_
#define HIZO_TESTS_SERVICE_APP_TEMP_FOLDER_H_

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/testing/scratch_directory.h"

namespace hizo::app {

class TempFolder {
 public:
  const std::filesystem::path& path() const { return directory_.path(); }
  // Writes `text` to the file `name`, replacing what it held.
  std::filesystem::path Write(const std::filesystem::path& name,
                              const std::string& text) const {
    const std::filesystem::path file = path() / name;
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }

 private:
  test::ScratchDirectory directory_;
};

}  // namespace hizo::app

#endif  // HIZO_TESTS_SERVICE_APP_TEMP_FOLDER_H_
