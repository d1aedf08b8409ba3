// Letting people go: one at a time, and a thousand at once.
#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "service/base/reason.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/measure.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::bench {
namespace {

using std::chrono::duration;
using std::chrono::steady_clock;
using vault::Attempt;

constexpr size_t kOneByOne = 200;
constexpr size_t kTogether = 1000;
constexpr size_t kAtOnce = 500;
// Goals at a million people: one in 2 ms, a thousand in 2 s.
constexpr double kGoalOne = 500;
constexpr double kGoalTogether = 500;

// A whole vault in this process, so that the seal can be timed alone: real
// RocksDB, one slot and the anchor on the disk.
class ErasingVault {
 public:
  explicit ErasingVault(size_t people) : vault_(OnDisk()) {
    for (size_t done = 0; done < people;) {
      const size_t some = std::min(kAtOnce, people - done);
      Create(done, some);
      done += some;
    }
  }

  // From the call's decision to the receipt, slot included; microseconds each.
  std::vector<double> EraseOneByOne(size_t count) {
    std::vector<double> us;
    for (size_t i = 0; i < count; ++i) {
      const auto start = steady_clock::now();
      Accept(1);
      Finish();
      us.push_back(
          duration<double, std::micro>(steady_clock::now() - start).count());
    }
    return us;
  }
  double SecondsToErase(size_t count) {
    Accept(count);
    const auto start = steady_clock::now();
    Finish();
    return duration<double>(steady_clock::now() - start).count();
  }

 private:
  static test::VaultFixture::Options OnDisk() {
    test::VaultFixture::Options options;
    options.engines = test::VaultFixture::Engines::kRocksDb;
    return options;
  }
  static vault::NewRecord RecordOf(const std::string& of,
                                   const std::string& field,
                                   const std::string& text) {
    vault::NewRecord record;
    record.record_class = of;
    record.fields.push_back({field, vault::Text{base::Pii(text)}});
    return record;
  }
  template <typename UseCase>
  void Submit(std::vector<std::unique_ptr<test::Pending>>& pending,
              policy::Action action, UseCase use_case) {
    const vault::Call call = vault_.CallOf(test::kFull, action, test::kService);
    auto attempt = vault_.NewAttempt(call);
    const absl::Status status = use_case(*attempt, call);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    attempt->Conclude(status);
    pending.push_back(std::make_unique<test::Pending>());
    vault_.Submit(std::move(attempt), *pending.back());
  }
  static void Await(std::vector<std::unique_ptr<test::Pending>>& pending) {
    for (auto& of : pending) {
      const absl::Status status = of->Wait().status;
      if (!status.ok()) throw std::runtime_error(status.ToString());
    }
  }
  void Create(size_t first, size_t count) {
    std::vector<size_t> left(count);
    std::iota(left.begin(), left.end(), first);
    // Those that make the same shard of the index meet, and one loses.
    while (!left.empty()) {
      std::vector<std::unique_ptr<test::Pending>> pending;
      std::vector<base::SubjectId> made;
      for (const size_t i : left) {
        Submit(pending, policy::Action::kSubjectCreate,
               [&](Attempt& attempt, const vault::Call& call) -> absl::Status {
                 const auto created = vault_.store().subjects().Create(
                     attempt, call, RecordsOf(i));
                 if (created.ok()) made.push_back(created->subject);
                 return created.status();
               });
      }
      std::vector<size_t> lost;
      for (size_t n = 0; n < pending.size(); ++n) {
        const absl::Status status = pending[n]->Wait().status;
        if (status.ok()) {
          people_.push_back(made[n]);
        } else if (base::ReasonOf(status) == base::Reason::kConflict) {
          lost.push_back(left[n]);
        } else {
          throw std::runtime_error(status.ToString());
        }
      }
      left = std::move(lost);
    }
  }
  static std::vector<vault::NewRecord> RecordsOf(size_t person) {
    std::vector<vault::NewRecord> records;
    records.push_back(RecordOf("account", "email",
                               "p" + std::to_string(person) + "@example.com"));
    records.push_back(RecordOf("profile", "full_name", "Ann Other"));
    records.push_back(RecordOf("billing", "card_last4", "4242"));
    return records;
  }
  void Accept(size_t count) {
    std::vector<std::unique_ptr<test::Pending>> pending;
    for (size_t i = 0; i < count; ++i) {
      const base::SubjectId subject = people_.back();
      people_.pop_back();
      Submit(pending, policy::Action::kErasureExecute,
             [&](Attempt& attempt, const vault::Call& call) {
               return vault_.store()
                   .erasures()
                   .Execute(attempt, call, subject, {})
                   .status();
             });
    }
    Await(pending);
  }
  void Finish() {
    const auto finished = vault_.store().FinishErasures();
    if (!finished.ok()) throw std::runtime_error(finished.status().ToString());
  }

  test::VaultFixture vault_;
  std::vector<base::SubjectId> people_;
};

}  // namespace

Figures EraseSealed(const Settings& settings) {
  const size_t people =
      std::max(settings.people, kRuns * (kOneByOne + kTogether));
  Say("erase_sealed: creating " + std::to_string(people) + " people");
  ErasingVault vault(people);
  std::vector<Sample> one;
  std::vector<Sample> together;
  for (size_t run = 0; run < kRuns; ++run) {
    Say("erase_sealed: one by one, then a thousand");
    const std::vector<double> us = vault.EraseOneByOne(kOneByOne);
    double sum = 0;
    for (const double of : us) sum += of;
    one.push_back(SampleOf(us, sum / 1e6));
    together.push_back({.per_second = static_cast<double>(kTogether) /
                                      vault.SecondsToErase(kTogether)});
  }
  const Sample single = MedianOf(one);
  const std::string here = "; here " + std::to_string(people);
  return {{"erase_sealed", single.per_second, "people/s", kGoalOne,
           single.p50_us, single.p99_us, kRuns,
           "goal, 2 ms each without the slot, a million people" + here},
          {"erase_sealed_batch", MedianOf(together).per_second, "people/s",
           kGoalTogether, std::nullopt, std::nullopt, kRuns,
           "goal, a thousand in 2 s, a million people" + here}};
}

}  // namespace hizo::bench
