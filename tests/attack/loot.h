// Loot: what attacker.py opened, told apart by whose it is.
//
// Threads: may be called concurrently.
#ifndef HIZO_TESTS_ATTACK_LOOT_H_
#define HIZO_TESTS_ATTACK_LOOT_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/attack/history.h"

namespace hizo::test {

// By person, as HexOf has them.
struct Loot {
  std::set<std::string> deks;
  std::set<std::string> index;
  std::set<std::string> kept;  // transactions of whom was erased in part
  std::map<std::pair<std::string, int>, std::set<uint32_t>> generations;
  std::map<std::string, std::set<std::string>> values;  // in the index
};

// Attacks `rows` with `slots`; `more` are further arguments. Fails the running
// test where the attacker does.
Loot Attack(const History& history, const std::filesystem::path& rows,
            const std::vector<std::string>& slots,
            const std::vector<std::string>& more = {});

// Those of `subjects` who are erased.
std::set<std::string> ErasedIn(const History& history,
                               const std::set<std::string>& subjects);

// Opens nothing of the erased but what a law has kept, and all of the living.
void ExpectOnlyTheLiving(const History& history, const Loot& loot);

}  // namespace hizo::test

#endif  // HIZO_TESTS_ATTACK_LOOT_H_
