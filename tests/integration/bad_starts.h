// BadStarts: the states of its files in which hizod must not start, row by row.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_TESTS_INTEGRATION_BAD_STARTS_H_
#define HIZO_TESTS_INTEGRATION_BAD_STARTS_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "service/app/config.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/vault_files.h"

namespace hizo::test {

// A store at rest, to be damaged.
struct Resting {
  VaultFiles& files;
  app::Config config;
  // Copies of what this store was, some events ago, and of another store.
  std::filesystem::path older;
  const app::Config& other;
};

struct BadStart {
  std::string name;
  // Does the damage. If it starts a server, that lives while the next tries to.
  std::function<std::unique_ptr<HizodProcess>(const Resting&)> damage;
  int exit_code = 1;
  std::string says;  // part of what hizod prints
};

// First slots, then the stores, the configuration, the anchor and the log.
std::vector<BadStart> BadStarts();

// Everything in the files of a store that must stay as it is when a start is
// refused: the rows of both stores, or their files where they do not open;
// slots, anchor and configuration.
std::string FingerprintOf(const Resting& resting);

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_BAD_STARTS_H_
