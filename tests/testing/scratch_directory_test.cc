#include "tests/testing/scratch_directory.h"

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hizo::test {
namespace {

TEST(ScratchDirectoryTest, IsAnEmptyDirectoryOfItsOwn) {
  const ScratchDirectory one;
  const ScratchDirectory other;
  EXPECT_TRUE(std::filesystem::is_empty(one.path()));
  EXPECT_NE(one.path(), other.path());
}

TEST(ScratchDirectoryTest, TakesItsContentsAlong) {
  std::filesystem::path path;
  {
    const ScratchDirectory scratch;
    path = scratch.path();
    std::ofstream(path / "file") << "contents";
    ASSERT_TRUE(std::filesystem::exists(path / "file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace hizo::test
