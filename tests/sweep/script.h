// Script: a fixed row of some thirty calls of all kinds, through dispatch and
// use cases, over a vault in which something fails on the way.
//
//   Script script;
//   script.Run(vault);                 // remembers what was answered
//   ... the vault is opened anew ...
//   script.RunAgain(vault);            // the same requests: all succeed
//
// Threads: one thread at a time.
#ifndef HIZO_TESTS_SWEEP_SCRIPT_H_
#define HIZO_TESTS_SWEEP_SCRIPT_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "tests/integration/ledger.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::test {

// What the caller of each step knows, in memory that a child process can share
// with its parent.
struct Progress {
  enum Told : uint8_t { kNotAsked = 0, kAsked, kRefused, kDone };
  static constexpr size_t kStepsMax = 128;
  std::array<std::atomic<uint8_t>, kStepsMax> told{};
};

class Script {
 public:
  static size_t steps();
  // What the script needs of a vault: a policy, for what people say.
  static VaultFixture::Options Options();

  // Makes every call once, whatever becomes of it. Fails the running test where
  // a call is refused for anything but the store's trouble.
  void Run(VaultFixture& vault, Progress& progress);
  // Makes every call as before, with the same request ids; all must succeed.
  // Fails the running test where one does not, or a person that was
  // acknowledged is another now.
  void RunAgain(VaultFixture& vault);

  // What the log must tell of, after Run had `progress` and any RunAgain.
  static void Enter(const Progress& progress, size_t runs_again,
                    Ledger& ledger);

 private:
  // By "@ann" and "@bob".
  std::map<std::string, std::string> people_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_SWEEP_SCRIPT_H_
