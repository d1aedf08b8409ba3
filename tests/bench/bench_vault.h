// BenchVault: the real hizod over a fresh store on the disk, as it is shipped
// but for a catalogue of twelve texts a person (catalogue.yaml), and the people
// in it.
//
// Threads: one thread.
#ifndef HIZO_TESTS_BENCH_BENCH_VAULT_H_
#define HIZO_TESTS_BENCH_BENCH_VAULT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/load.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/vault_files.h"

namespace hizo::bench {

// bcrypt's; the lowest that hizod allows, where what Hizo adds shows most.
inline constexpr int kPasswordCost = 10;

class BenchVault {
 public:
  BenchVault();  // throws if it does not start

  // Kills it and starts it again; seconds until it serves.
  double Restart();

  // Ends it, and leaves the store to others; its configuration.
  std::filesystem::path Leave();

  // Imports so many more people over several streams at once; throws if one is
  // refused.
  void Import(size_t count);
  // UUIDs of those imported.
  const std::vector<std::string>& people() const { return people_; }

  // The requests of these calls, one for each of the first `count` people.
  std::vector<std::string> Reads(size_t count) const;
  std::vector<std::string> Writes(size_t count) const;
  std::vector<std::string> Verifications(size_t count) const;
  // Gives a password to the first `count` people.
  void SetPasswords(size_t count);

  // What a load of `requests` on the method of the message `request` is.
  Load LoadOf(const std::string& method,
              const std::vector<std::string>& requests);
  const std::filesystem::path& directory() const { return files_.directory(); }
  int process() { return hizod_->process().id(); }

 private:
  void Start();
  test::VaultFiles files_;
  std::optional<test::HizodProcess> hizod_;
  std::vector<std::string> people_;
};

}  // namespace hizo::bench

#endif  // HIZO_TESTS_BENCH_BENCH_VAULT_H_
