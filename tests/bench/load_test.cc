#include "tests/bench/load.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_directory.h"

namespace hizo::bench {
namespace {

TEST(LoadMainTest, FailsWithoutRequests) {
  const test::ScratchDirectory scratch;
  WriteRequests(scratch.path() / "none", {});
  const std::string spec = R"({"address": "127.0.0.1:1", "path": "/x/Y",
      "identity": ")" + scratch.path().string() +
                           R"(", "requests": ")" +
                           (scratch.path() / "none").string() +
                           R"(", "in_flight": 1, "seconds": 0.1})";
  EXPECT_THROW(LoadMain(spec), std::runtime_error);
}

TEST(LoadMainTest, RefusesASpecThatIsNone) {
  EXPECT_ANY_THROW(LoadMain("nonsense"));
  EXPECT_ANY_THROW(LoadMain("{}"));
}

}  // namespace
}  // namespace hizo::bench
