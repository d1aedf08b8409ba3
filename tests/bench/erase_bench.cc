// Letting people go: one at a time, a thousand at once, and beside readers;
// fresh keys for everybody, and a restore after which nobody has come back.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/root_slot.h"
#include "service/base/reason.h"
#include "storage/anchor.h"
#include "storage/rocksdb/engine.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/disk_ceiling.h"
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
// What one erasure waits for the disk, but for slots: accepted (keys, data),
// sealed (keys), finished (keys, data).
constexpr double kSyncs = 5;
// Goals at a million people: a thousand in 2 s, all of them wrapped anew in
// 15 s, 50,000 a second restored, readers that lose a tenth at most.
constexpr double kGoalTogether = 500;
constexpr double kGoalRewrapped = 1e6 / 15;
constexpr double kGoalRestored = 50'000;
constexpr size_t kReadsInFlight = 64;
constexpr size_t kErasedPerSecond = 100;

// Adds up how long a slot takes.
class TimedSlot final : public crypto::RootSlot {
 public:
  TimedSlot(std::unique_ptr<crypto::RootSlot> slot, double& seconds)
      : slot_(std::move(slot)), seconds_(seconds) {}
  absl::StatusOr<std::vector<Root>> Read(std::string_view store_id) override {
    return Timed([&] { return slot_->Read(store_id); });
  }
  absl::Status Put(std::string_view store_id, const Root& root) override {
    return Timed([&] { return slot_->Put(store_id, root); });
  }
  absl::Status Erase(std::string_view store_id, uint64_t epoch) override {
    return Timed([&] { return slot_->Erase(store_id, epoch); });
  }
  ErasureLevel erasure_level() const override { return slot_->erasure_level(); }

 private:
  template <typename Use>
  auto Timed(Use use) -> decltype(use()) {
    const auto start = steady_clock::now();
    auto result = use();
    seconds_ += duration<double>(steady_clock::now() - start).count();
    return result;
  }
  const std::unique_ptr<crypto::RootSlot> slot_;
  double& seconds_;
};

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

  // From the call's decision to the receipt, without what the slot takes;
  // microseconds each.
  std::vector<double> EraseOneByOne(size_t count) {
    std::vector<double> us;
    for (size_t i = 0; i < count; ++i) {
      in_slots_ = 0;
      const auto start = steady_clock::now();
      Accept(1);
      Finish();
      const duration<double> took = steady_clock::now() - start;
      us.push_back((took.count() - in_slots_) * 1e6);
    }
    return us;
  }
  double SecondsToErase(size_t count) {
    Accept(count);
    const auto start = steady_clock::now();
    Finish();
    return duration<double>(steady_clock::now() - start).count();
  }

  size_t people() const { return people_.size(); }

  // Audited reads for `seconds`, meanwhile so many people let go each second;
  // reads a second.
  double ReadsPerSecond(double seconds, size_t erased_per_second) {
    std::atomic<bool> ended = false;
    size_t reads = 0;
    const auto start = steady_clock::now();
    std::mutex pause;
    std::condition_variable next_second;  // nobody calls it before its time
    // The last are there as long as anything is read.
    const std::vector<base::SubjectId> readable(
        people_.begin(),
        people_.begin() + static_cast<std::ptrdiff_t>(people_.size() / 2));
    std::jthread reader([&] {
      std::deque<std::unique_ptr<test::Pending>> pending;
      const auto settle = [&] {
        const absl::Status status = pending.front()->Wait().status;
        if (status.ok()) ++reads;
        pending.pop_front();
      };
      while (!ended) {
        pending.push_back(BeginRead(readable[reads % readable.size()]));
        if (pending.size() == kReadsInFlight) settle();
      }
      while (!pending.empty()) settle();
    });
    for (size_t second = 1; second <= static_cast<size_t>(seconds); ++second) {
      if (erased_per_second > 0) {
        Accept(erased_per_second);
        Finish();
      }
      std::unique_lock lock(pause);
      next_second.wait_until(lock, start + std::chrono::seconds(second));
    }
    ended = true;
    reader.join();
    return static_cast<double>(reads) /
           duration<double>(steady_clock::now() - start).count();
  }

  // Fresh keys on every level of the tree.
  double SecondsToRewrap() {
    const auto start = steady_clock::now();
    std::vector<std::unique_ptr<test::Pending>> pending;
    Submit(pending, policy::Action::kKeysRotate,
           [&](Attempt& attempt, const vault::Call& call) {
             return vault_.store()
                 .key_rotations()
                 .Begin(attempt, call, false)
                 .status();
           });
    Await(pending);
    for (bool more = true; more;) {
      const auto rotated = vault_.store().RotateKeys();
      if (!rotated.ok()) throw std::runtime_error(rotated.status().ToString());
      more = *rotated;
    }
    return duration<double>(steady_clock::now() - start).count();
  }

  // The state of now is the backup that SecondsToRestore restores.
  void BackUp() { backup_ = Taken(vault_.data().NewSnapshot()); }
  // From a backup to a store that is whole. The last thing that is done.
  double SecondsToRestore() {
    const auto id = Taken(vault::StoreKeys::IdOf(vault_.keys()));
    vault_.Close();
    auto anchor = Taken(storage::Anchor::Open(vault_.anchor_file(),
                                              std::string(id.bytes()), false));
    storage::RocksDbOptions fresh;
    fresh.directory = vault_.directory() / "restored";
    fresh.create = true;
    const auto into = Taken(storage::OpenRocksDb(fresh));
    const auto start = steady_clock::now();
    const auto counts = Taken(vault::Store::Restore(
        vault_.Parts(), std::move(anchor), vault_.Policy(), vault_.clock(),
        *backup_, *into));
    if (counts.people != people_.size()) {
      throw std::runtime_error("others came back than were there");
    }
    return duration<double>(steady_clock::now() - start).count();
  }

 private:
  template <typename T>
  static T Taken(absl::StatusOr<T> result) {
    if (!result.ok()) throw std::runtime_error(result.status().ToString());
    return *std::move(result);
  }
  test::VaultFixture::Options OnDisk() {
    test::VaultFixture::Options options;
    options.engines = test::VaultFixture::Engines::kRocksDb;
    options.wrap_slot = [this](std::unique_ptr<crypto::RootSlot> slot) {
      return std::make_unique<TimedSlot>(std::move(slot), in_slots_);
    };
    return options;
  }
  std::unique_ptr<test::Pending> BeginRead(base::SubjectId subject) {
    std::vector<std::unique_ptr<test::Pending>> pending;
    Submit(pending, policy::Action::kRecordGet,
           [&](Attempt& attempt, const vault::Call& call) {
             return vault_.store()
                 .records()
                 .Get(attempt, call,
                      {subject,
                       std::nullopt,
                       {"profile", {"full_name"}, policy::View::kPlain}})
                 .status();
           });
    return std::move(pending.front());
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

  double in_slots_ = 0;
  test::VaultFixture vault_;
  std::unique_ptr<storage::Snapshot> backup_;
  std::vector<base::SubjectId> people_;
};

}  // namespace

Figures EraseSealed(const Settings& settings) {
  const size_t beside =
      kRuns * kErasedPerSecond *
      std::max<size_t>(1, static_cast<size_t>(settings.seconds));
  const size_t people =
      std::max(settings.people, kRuns * (kOneByOne + kTogether) + 4 * beside);
  Say("erase_sealed: creating " + std::to_string(people) + " people");
  ErasingVault vault(people);
  vault.BackUp();
  std::vector<Sample> one;
  std::vector<Sample> syncs;
  std::vector<Sample> together;
  std::vector<Sample> quiet;
  std::vector<Sample> busy;
  for (size_t run = 0; run < kRuns; ++run) {
    Say("erase_sealed: one by one, a thousand, beside readers");
    const std::vector<double> us = vault.EraseOneByOne(kOneByOne);
    double sum = 0;
    for (const double of : us) sum += of;
    one.push_back(SampleOf(us, sum / 1e6));
    syncs.push_back(SyncedAppends(1));
    together.push_back({.per_second = static_cast<double>(kTogether) /
                                      vault.SecondsToErase(kTogether)});
    quiet.push_back({.per_second = vault.ReadsPerSecond(settings.seconds, 0)});
    busy.push_back({.per_second = vault.ReadsPerSecond(settings.seconds,
                                                       kErasedPerSecond)});
  }
  Say("erase_sealed: everybody's keys wrapped anew; a restore");
  const auto left = static_cast<double>(vault.people());
  const double rewrapped = left / vault.SecondsToRewrap();
  const double restored = left / vault.SecondsToRestore();
  const Sample single = MedianOf(one);
  const std::string here = "; here " + std::to_string(people);
  const auto figure = [](std::string name, double value, std::string unit,
                         double ceiling, std::string against) {
    return Figure{
        std::move(name), value,        std::move(unit), ceiling,
        std::nullopt,    std::nullopt, kRuns,           std::move(against)};
  };
  return {
      {"erase_sealed", single.per_second, "people/s",
       1e6 / (kSyncs * MedianOf(syncs).p50_us), single.p50_us, single.p99_us,
       kRuns, "the five syncs that each waits for; slot not counted" + here},
      figure("erase_sealed_batch", MedianOf(together).per_second, "people/s",
             kGoalTogether, "goal, a thousand in 2 s, a million people" + here),
      figure("erase_sealed_reads", MedianOf(busy).per_second, "reads/s",
             MedianOf(quiet).per_second,
             "the same while nobody is let go; goal 0.9 with 100 a second"),
      figure("erase_sealed_rewrap", rewrapped, "people/s", kGoalRewrapped,
             "goal, a million people in 15 s" + here),
      figure("erase_sealed_restore", restored, "people/s", kGoalRestored,
             "goal" + here)};
}

}  // namespace hizo::bench
