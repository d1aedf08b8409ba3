// Dropping: what hizod is made of, in a process of this program, over a store
// that is there already; either as it is, or with an engine below it that drops
// whatever is committed: a vault that reads without leaving a trace, to be
// measured and for nothing else.
//
// Threads: one thread.
#ifndef HIZO_TESTS_BENCH_DROPPING_H_
#define HIZO_TESTS_BENCH_DROPPING_H_

#include <filesystem>
#include <string>

#include "tests/testing/child_process.h"

namespace hizo::bench {

enum class Commits { kKept, kDropped };

class Dropping {
 public:
  // Throws if it does not start; hizod must have ended.
  Dropping(const std::filesystem::path& config, Commits commits);

  const std::string& address() const { return address_; }
  int process() const { return process_.id(); }

 private:
  test::ChildProcess process_;
  std::string address_;
};

// The other process: serves until it is killed.
int DroppingMain(const std::string& spec);

}  // namespace hizo::bench

#endif  // HIZO_TESTS_BENCH_DROPPING_H_
