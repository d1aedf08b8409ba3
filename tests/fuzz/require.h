// What a fuzz target expects of every input.
#ifndef HIZO_TESTS_FUZZ_REQUIRE_H_
#define HIZO_TESTS_FUZZ_REQUIRE_H_

#include <cstdio>
#include <cstdlib>

namespace hizo::fuzz {

// Ends the process, which libFuzzer and the replayer take for a finding.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

}  // namespace hizo::fuzz

#endif  // HIZO_TESTS_FUZZ_REQUIRE_H_
