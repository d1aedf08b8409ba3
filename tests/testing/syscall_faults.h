// SyscallFaults: system calls of another process that fail where a test says
// so, as on a disk that breaks, fills up or becomes read-only under a program
// that is not made for testing. All others happen as they would.
//
//   SyscallFaults faults;
//   ChildProcess child({{program}, {}, &faults});
//   faults.Fail(Call::kSync, ".log", EIO);
//
// Works by seccomp's user notification, and looks at open files of the child
// under /proc: for root only, see Permitted.
//
// Threads: every method may be called concurrently. Lifetime: outlives the
// child.
#ifndef HIZO_TESTS_TESTING_SYSCALL_FAULTS_H_
#define HIZO_TESTS_TESTING_SYSCALL_FAULTS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace hizo::test {

class SyscallFaults {
 public:
  // kSync: fsync, fdatasync. kWrite: write, pwrite. kMakeFile: opening for
  // writing, renaming, removing, making a directory.
  enum class Call { kSync, kWrite, kMakeFile };

  static bool Permitted();

  SyscallFaults();  // throws if it cannot
  SyscallFaults(const SyscallFaults&) = delete;
  SyscallFaults& operator=(const SyscallFaults&) = delete;
  ~SyscallFaults();

  // From now on every such call on a file whose path contains `part` fails
  // with `error`, until Heal. One fault at a time.
  void Fail(Call call, std::string part, int error);
  // The `nth` such call from now on (1 is the next) fails, and no other.
  void FailNth(size_t nth, Call call, std::string part, int error);
  // Instead of the `nth` call of any kind on such a file the child is killed.
  void KillAtNth(size_t nth, std::string part);
  void Heal();
  size_t failed() const;  // calls, a killing one too
  size_t seen() const;    // calls that the present fault looked for

  // For ChildProcess. In the child, between fork and exec; false if it cannot.
  bool PutOn() const;
  // In the parent, meanwhile; throws if it cannot.
  void Attach(pid_t child);

 private:
  struct Fault {
    std::optional<Call> call;  // nullopt: any
    std::string part;
    int error = 0;   // 0: the child is killed
    size_t nth = 0;  // counts down; 0: all
  };
  void Serve();
  // The error that this call is to fail with; 0 none. Kills the child where it
  // is to die of it.
  int ErrorFor(pid_t thread, int number, const uint64_t* arguments);

  int sockets_[2] = {-1, -1};  // the parent's end, the child's
  int stop_[2] = {-1, -1};
  int listener_ = -1;
  pid_t child_ = -1;
  mutable std::mutex mutex_;
  std::optional<Fault> fault_;
  size_t failed_ = 0;
  size_t seen_ = 0;
  std::thread thread_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_SYSCALL_FAULTS_H_
