#include "tests/attack/loot.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/child_process.h"

namespace hizo::test {
namespace {

constexpr size_t kSubjectHex = 32;

void Take(const History& history, const std::string& line, Loot& loot) {
  std::istringstream in(line);
  std::string what;
  std::string subject;
  in >> what >> subject;
  EXPECT_EQ(subject.size(), kSubjectHex) << line;
  const bool lives = history.living.contains(subject);
  int number = 0;
  uint32_t generation = 0;
  std::string value;
  if (what == "index") {
    if (in >> value && lives) loot.values[subject].insert(value);
    loot.index.insert(subject);
    return;
  }
  if (in >> number >> generation) {
    if (lives) loot.generations[{subject, number}].insert(generation);
    // What a law has kept is there for whoever has everything of today.
    if (number == kTransactionClass && history.kept_part.contains(subject)) {
      loot.kept.insert(subject);
      return;
    }
  }
  loot.deks.insert(subject);
}

}  // namespace

Loot Attack(const History& history, const std::filesystem::path& rows,
            const std::vector<std::string>& slots,
            const std::vector<std::string>& more) {
  ChildProcess::Options options;
  options.arguments = {"/usr/bin/python3",
                       HIZO_SOURCE_DIR "/tests/attack/attacker.py",
                       rows.string()};
  for (const auto* part : {&slots, &more}) {
    options.arguments.insert(options.arguments.end(), part->begin(),
                             part->end());
  }
  ChildProcess attacker(options);
  EXPECT_EQ(attacker.Wait(), 0) << attacker.output();
  Loot loot;
  for (const std::string& line : attacker.lines()) Take(history, line, loot);
  return loot;
}

std::set<std::string> ErasedIn(const History& history,
                               const std::set<std::string>& subjects) {
  std::set<std::string> found;
  std::ranges::set_intersection(subjects, history.erased,
                                std::inserter(found, found.end()));
  return found;
}

void ExpectOnlyTheLiving(const History& history, const Loot& loot) {
  EXPECT_THAT(ErasedIn(history, loot.deks), ::testing::IsEmpty());
  EXPECT_THAT(ErasedIn(history, loot.index), ::testing::IsEmpty());
  EXPECT_EQ(loot.kept, history.kept_part);
  EXPECT_TRUE(std::ranges::includes(loot.deks, history.living));
  EXPECT_TRUE(std::ranges::includes(loot.index, history.living));
}

}  // namespace hizo::test
