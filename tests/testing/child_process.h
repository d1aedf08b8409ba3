// ChildProcess: another program, what it prints, and its end.
//
// It dies with the test, whatever becomes of the test. Nothing here waits for
// ever: a wait that takes longer than kPatience throws.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_TESTS_TESTING_CHILD_PROCESS_H_
#define HIZO_TESTS_TESTING_CHILD_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace hizo::test {

class SyscallFaults;

class ChildProcess {
 public:
  static constexpr std::chrono::minutes kPatience{10};

  struct Options {
    std::vector<std::string> arguments;              // the program's path first
    std::map<std::string, std::string> environment;  // added to this process's
    SyscallFaults* faults = nullptr;                 // none; outlives it
  };
  explicit ChildProcess(const Options& options);  // throws if it cannot
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();  // kills it

  // Waits until `accept` says yes to a line of its standard output or error;
  // the line, or nullopt if it closed both before it printed such a line. Lines
  // of both are shown to `accept` in the order in which they came, those
  // printed before this call too.
  std::optional<std::string> WaitForLine(
      const std::function<bool(std::string_view)>& accept);
  void Signal(int number) const;
  // Waits for its end: its exit status, or 128 and the signal that ended it.
  int Wait();

  // Whether its end left a core dump. Only once it has ended.
  bool dumped_core() const { return dumped_core_; }

  pid_t id() const { return id_; }
  // The most memory that it held, in bytes, but at least as much as this
  // process held when it started it. Only once it has ended.
  size_t peak_memory() const { return peak_memory_; }
  // All that it printed so far, standard output and error.
  std::string output() const;
  std::vector<std::string> lines() const;

 private:
  void Run(const Options& options, int output);
  void Collect();
  pid_t id_ = -1;
  std::optional<int> status_;
  bool dumped_core_ = false;
  size_t peak_memory_ = 0;
  int output_ = -1;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  bool closed_ = false;
  std::thread collector_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_CHILD_PROCESS_H_
