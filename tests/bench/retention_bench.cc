// Ending entries of everybody, and what that does to reads meanwhile.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/benchmarks.h"
#include "tests/bench/measure.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::bench {
namespace {

using std::chrono::duration;
using std::chrono::steady_clock;
using vault::Attempt;

constexpr size_t kEntriesPerPerson = 50;
constexpr size_t kAtOnce = 500;
constexpr size_t kPeopleMin = 200;
constexpr double kGoal = 50'000;
constexpr std::chrono::days kTerm{90};

void Check(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

// A whole vault in this process, with real RocksDB, whose people have entries
// that end together.
class EndingVault {
 public:
  explicit EndingVault(size_t people) : vault_(OnDisk()) {
    while (people_.size() < people) Create();
  }

  // Gives each person entries of this moment; how many there are.
  size_t Log() {
    std::vector<std::unique_ptr<test::Pending>> pending;
    // One at a time of a person: they would meet at their keys.
    for (size_t i = 0; i < kEntriesPerPerson; ++i) {
      for (const base::SubjectId& subject : people_) {
        Submit(pending, policy::Action::kRecordPut,
               [&](Attempt& attempt, const vault::Call& call) {
                 return vault_.store()
                     .records()
                     .Put(attempt, call, {subject, Entry(), {}, {}, {}})
                     .status();
               });
        if (pending.size() == kAtOnce) Await(pending);
      }
      Await(pending);
    }
    Await(pending);
    return people_.size() * kEntriesPerPerson;
  }
  double SecondsToEnd(size_t entries) {
    vault_.clock().Advance(kTerm);
    const auto start = steady_clock::now();
    const auto ended = vault_.store().EndPeriods(vault_.clock().Now(), nullptr);
    Check(ended.status());
    const double seconds =
        duration<double>(steady_clock::now() - start).count();
    if (ended->entries != entries || ended->periods != 1) {
      throw std::runtime_error("not all entries were ended");
    }
    return seconds;
  }
  // Reads profiles, one after the other, while `goes_on`; microseconds each.
  template <typename GoesOn>
  std::vector<double> Read(GoesOn goes_on) {
    std::vector<double> us;
    for (size_t i = 0; goes_on(); ++i) {
      const auto start = steady_clock::now();
      const vault::Call call = vault_.CallOf(
          test::kFull, policy::Action::kRecordGet, test::kService);
      Check(vault_
                .Run(call,
                     [&](Attempt& attempt) {
                       return vault_.store().records().Get(
                           attempt, call,
                           {people_[i % people_.size()],
                            std::nullopt,
                            {"profile", {"full_name"}, policy::View::kPlain}});
                     })
                .status());
      us.push_back(
          duration<double, std::micro>(steady_clock::now() - start).count());
    }
    return us;
  }

 private:
  static test::VaultFixture::Options OnDisk() {
    test::VaultFixture::Options options;
    options.engines = test::VaultFixture::Engines::kRocksDb;
    options.amend = test::LogUsage;
    return options;
  }
  vault::NewRecord Entry() {
    vault::NewRecord record;
    record.record_class = "usage";
    record.fields.push_back({"endpoint", vault::Text{base::Pii("/v1/chat")}});
    record.event_time = vault_.clock().Now();
    return record;
  }
  template <typename UseCase>
  void Submit(std::vector<std::unique_ptr<test::Pending>>& pending,
              policy::Action action, UseCase use_case) {
    const vault::Call call = vault_.CallOf(test::kFull, action, test::kService);
    auto attempt = vault_.NewAttempt(call);
    const absl::Status status = use_case(*attempt, call);
    Check(status);
    attempt->Conclude(status);
    pending.push_back(std::make_unique<test::Pending>());
    vault_.Submit(std::move(attempt), *pending.back());
  }
  static void Await(std::vector<std::unique_ptr<test::Pending>>& pending) {
    for (auto& of : pending) Check(of->Wait().status);
    pending.clear();
  }
  void Create() {
    std::vector<std::unique_ptr<test::Pending>> pending;
    Submit(pending, policy::Action::kSubjectCreate,
           [&](Attempt& attempt, const vault::Call& call) -> absl::Status {
             vault::NewRecord profile;
             profile.record_class = "profile";
             profile.fields.push_back(
                 {"full_name", vault::Text{base::Pii("Ann Other")}});
             std::vector<vault::NewRecord> records;
             records.push_back(std::move(profile));
             const auto created = vault_.store().subjects().Create(
                 attempt, call, std::move(records));
             if (created.ok()) people_.push_back(created->subject);
             return created.status();
           });
    Await(pending);
  }

  test::VaultFixture vault_;
  std::vector<base::SubjectId> people_;
};

}  // namespace

Figures RetentionRun(const Settings& settings) {
  const size_t people = std::max(settings.people, kPeopleMin);
  Say("retention_run: creating " + std::to_string(people) + " people");
  EndingVault vault(people);
  std::vector<Sample> ended;
  std::vector<Sample> quiet;
  std::vector<Sample> meanwhile;
  size_t entries = 0;
  for (size_t run = 0; run < kRuns; ++run) {
    Say("retention_run: writing entries, then ending them");
    entries = vault.Log();
    const auto until = steady_clock::now() + duration<double>(settings.seconds);
    quiet.push_back(
        SampleOf(vault.Read([&] { return steady_clock::now() < until; }),
                 settings.seconds));
    std::atomic<bool> over = false;
    std::vector<double> us;
    std::thread reader([&] { us = vault.Read([&] { return !over; }); });
    const double seconds = vault.SecondsToEnd(entries);
    over = true;
    reader.join();
    ended.push_back({.per_second = static_cast<double>(entries) / seconds});
    meanwhile.push_back(SampleOf(us, seconds));
  }
  const Sample before = MedianOf(quiet);
  const Sample during = MedianOf(meanwhile);
  const std::string here = "; here " + std::to_string(entries);
  return {{"retention_run", MedianOf(ended).per_second, "entries/s", kGoal,
           std::nullopt, std::nullopt, kRuns,
           "goal, a million entries that are due" + here},
          {"retention_run_read_p99", during.p99_us, "us", 2 * before.p99_us,
           during.p50_us, during.p99_us, kRuns,
           "goal, at most twice the p99 of reads before"}};
}

}  // namespace hizo::bench
