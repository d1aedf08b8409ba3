// History: what people go through in a vault, at random but the same each time:
// creates, writes, moves, erasures, for good or not, seals, ends of terms,
// renewals, a rotation of all keys and restarts.
//
// Threads: one thread at a time. Lifetime: the vault outlives it.
#ifndef HIZO_TESTS_ATTACK_HISTORY_H_
#define HIZO_TESTS_ATTACK_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "service/base/ids.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::test {

inline constexpr int kAccountClass = 1;
inline constexpr int kTransactionClass = 4;

// As attacker.py writes it.
std::string HexOf(const base::SubjectId& subject);

class History {
 public:
  // Slots are copied into `directory` after each seal, as somebody might have.
  // `old` are those of before.
  History(VaultFixture& vault, std::filesystem::path directory,
          std::vector<std::string> old = {});

  // Fails the running test where a step fails. `after_step` is told of each.
  void Run(int steps, const std::function<void(int step)>& after_step);

  // People, as HexOf has them.
  std::set<std::string> living;
  std::set<std::string> erased;
  std::set<std::string> kept_part;  // of the erased, with transactions kept
  size_t expired = 0;               // of whom they were kept and are no more
  std::map<std::string, std::string> emails_of;
  std::vector<std::string> old_slots;

  std::vector<std::string> SlotsOfNow() const;
  // The generations of DEKs that the living have now, by class.
  std::map<std::pair<std::string, int>, std::set<uint32_t>> GenerationsOfNow()
      const;
  void KeepSlots();

 private:
  void Step(int step);
  void Create(int step);
  void Erase(int step, size_t which);
  void EndTermsAndRenew(int step);
  void PutInvoice(const base::SubjectId& subject, int yen);
  void RotateKeys();
  std::filesystem::path SlotFile(size_t i) const;
  std::string NewEmail();

  VaultFixture& vault_;
  const std::filesystem::path directory_;
  std::mt19937 random_{7};  // any seed will do
  std::vector<base::SubjectId> present_;
  std::vector<base::SubjectId> gone_;
  std::string last_email_;
  int emails_ = 0;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_ATTACK_HISTORY_H_
