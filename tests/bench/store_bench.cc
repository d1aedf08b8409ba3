#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "crypto/secret.h"
#include "crypto/signed_note.h"
#include "service/audit/log.h"
#include "tests/bench/bench_vault.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/disk_ceiling.h"

namespace hizo::bench {
namespace {

// About what 64 calls in flight make.
constexpr size_t kBatch = 64;
constexpr char kOrigin[] = "hizo/bench";
constexpr double kBytesPerMebibyte = 1024 * 1024;
// The goal for a million people, the caches and buffers as shipped.
constexpr double kMemoryGoalMebibytes = 300;
constexpr double kReadyGoalSeconds = 3;

template <typename T>
T Require(absl::StatusOr<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

// As an allowed read of twelve fields leaves it.
audit::Event ReadEvent(size_t person) {
  audit::Event event;
  event.tenant = base::TenantId{1};
  event.actor = "spiffe://hizo.example/acme/full";
  event.action = policy::Action::kRecordGet;
  event.outcome = audit::Outcome::kAllowed;
  event.reason = base::Reason::kNone;
  event.purpose = 1;
  event.catalogue_version = 1;
  event.subject = base::AuditReference::FromBytes(
      Filler(person, base::AuditReference::kSize));
  event.fields = {201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211, 212};
  event.view = policy::View::kPlain;
  event.records = 1;
  return event;
}

// The log by itself, over a store of its own.
class LogOnDisk {
 public:
  LogOnDisk()
      : log_(Require(audit::Log::Open(
            store_.engine(), kOrigin,
            crypto::NoteSigner(kOrigin, crypto::Key::Random())))) {
    for (size_t i = 0; i < kBatch; ++i) events_.push_back(ReadEvent(i));
    for (audit::Event& event : events_) pointers_.push_back(&event);
  }

  Sample Append(double seconds) {
    Sample sample = Repeat({1, seconds}, [this](size_t, size_t) {
      auto staged = Require(log_->Stage(pointers_, clock_.Now()));
      const absl::Status status = store_.engine().Commit(staged.batch);
      if (!status.ok()) throw std::runtime_error(status.ToString());
      log_->Advance(std::move(staged));
    });
    sample.per_second *= static_cast<double>(kBatch);
    return sample;
  }

  size_t entry_bytes() const {
    return Require(audit::Encode(events_.front())).size();
  }

 private:
  BareStore store_;
  const base::SystemClock clock_;
  std::unique_ptr<audit::Log> log_;
  std::vector<audit::Event> events_;
  std::vector<audit::Event*> pointers_;
};

Sample TimedImport(BenchVault& vault, size_t count) {
  const auto start = std::chrono::steady_clock::now();
  const double cpu = CpuSeconds(vault.process());
  vault.Import(count);
  const std::chrono::duration<double> taken =
      std::chrono::steady_clock::now() - start;
  Sample sample;
  sample.per_second = static_cast<double>(count) / taken.count();
  sample.cpu_us =
      (CpuSeconds(vault.process()) - cpu) * 1e6 / static_cast<double>(count);
  return sample;
}

}  // namespace

Figures AuditAppend(const Settings& settings) {
  LogOnDisk log;
  BareStore store;
  Say("audit_append: the log and bare RocksDB in turns");
  const auto samples = Alternate(
      {[&] {
         return store.PutEntries(kBatch, log.entry_bytes(), settings.seconds);
       },
       [&] { return log.Append(settings.seconds); }});
  return {{"audit_append", samples[1].per_second, "events/s",
           samples[0].per_second, samples[1].p50_us, samples[1].p99_us, kRuns,
           "RocksDB, 64 entries a synced batch; us are of a batch"}};
}

Figures Import(const Settings& settings) {
  BenchVault vault;
  BareStore store;
  Say("import: the vault and bare RocksDB in turns");
  const auto samples =
      Alternate({[&] {
                   return store.PutRecords({1, kBatch, settings.seconds});
                 },
                 [&] { return TimedImport(vault, settings.people); }});
  return {{"import", samples[1].per_second, "people/s", samples[0].per_second,
           std::nullopt, std::nullopt, kRuns,
           "RocksDB, 64 synced Put + audit a batch, one thread"}};
}

Figures Memory(const Settings& settings) {
  BenchVault vault;
  Say("memory: importing " + std::to_string(settings.people) + " people");
  vault.Import(settings.people);
  // What is read lies in caches.
  Load reads =
      vault.LoadOf("RecordService/GetRecord", vault.Reads(settings.people));
  reads.seconds = settings.seconds;
  RunLoad(reads, vault.process());
  const std::string people = "here " + std::to_string(settings.people);
  const double resident = ResidentBytes(vault.process()) / kBytesPerMebibyte;
  Say("memory: killing the vault and starting it again");
  const double ready = vault.Restart();
  return {
      {"memory", resident, "MiB", kMemoryGoalMebibytes, std::nullopt,
       std::nullopt, 1, "goal for a million people; " + people},
      {"memory_ready", ready, "s", kReadyGoalSeconds, std::nullopt,
       std::nullopt, 1, "goal for a million people, killed before; " + people}};
}

}  // namespace hizo::bench
