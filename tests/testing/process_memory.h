// ProcessMemory: what another process has in its memory, as a debugger run by
// root would see it, or whoever finds a core dump of everything.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_TESTS_TESTING_PROCESS_MEMORY_H_
#define HIZO_TESTS_TESTING_PROCESS_MEMORY_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/testing/needles.h"

namespace hizo::test {

class ProcessMemory {
 public:
  // Throws if this process may not: it takes root, or CAP_SYS_PTRACE.
  explicit ProcessMemory(pid_t process);
  ProcessMemory(const ProcessMemory&) = delete;
  ProcessMemory& operator=(const ProcessMemory&) = delete;
  ~ProcessMemory();

  // Whether this process may look at others' at all.
  static bool IsAllowed();

  struct Found {
    // By name of the needle, in which mappings: "[heap]", "[stack]", the path
    // of a file, "anonymous".
    std::map<std::string, std::vector<std::string>> needles;
    size_t bytes = 0;  // gone through
  };
  // Goes through all that is readable; leaves out what is locked into memory
  // if told to.
  enum class Locked { kToo, kLeftOut };
  Found Find(const Needles& needles, Locked locked) const;

 private:
  struct Mapping {
    uint64_t from = 0;
    uint64_t until = 0;
    std::string name;
    bool readable = false;
    bool locked = false;
  };
  std::vector<Mapping> Mappings() const;
  void FindIn(const Mapping& mapping, const Needles& needles,
              Found& found) const;

  const std::string directory_;  // of the process in /proc
  int memory_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_PROCESS_MEMORY_H_
