// HizodProcess: the real hizod over VaultFiles, as a process of its own.
//
// Threads: one object from one thread at a time. Lifetime: the files outlive
// it.
#ifndef HIZO_TESTS_TESTING_HIZOD_PROCESS_H_
#define HIZO_TESTS_TESTING_HIZOD_PROCESS_H_

#include <map>
#include <string>
#include <vector>

#include "tests/testing/child_process.h"
#include "tests/testing/peer.h"
#include "tests/testing/vault_files.h"

namespace hizo::test {

// A program of this build.
std::string BuiltProgram(const std::string& name);

class HizodProcess {
 public:
  struct Options {
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;
    std::string program = "hizod";  // of this build
    // A program that runs it, and that program's arguments: prlimit, setpriv.
    std::vector<std::string> run_by = {};
    SyscallFaults* faults = nullptr;
  };
  // Starts it; does not wait for anything.
  HizodProcess(VaultFiles& files, const Options& options);
  explicit HizodProcess(VaultFiles& files) : HizodProcess(files, Options()) {}

  // Makes the store of `files`; throws if that fails.
  static void Init(VaultFiles& files);

  // Waits until it serves, or has ended without: false.
  bool WaitUntilReady();
  // "127.0.0.1:port"; only once ready.
  const std::string& address() const { return address_; }
  Peer As(const std::string& name) const;
  // Ends it at once, as a crash does.
  void Kill();
  // Tells it to stop; its exit status.
  int Stop();

  ChildProcess& process() { return process_; }

 private:
  VaultFiles& files_;
  ChildProcess process_;
  std::string address_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_HIZOD_PROCESS_H_
