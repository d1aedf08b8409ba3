#include <crypt.h>

#include <future>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "service/app/config.h"
#include "service/base/worker_pool.h"
#include "tests/bench/bench_vault.h"
#include "tests/bench/benchmarks.h"

namespace hizo::bench {
namespace {

constexpr size_t kInFlight = 16;
// Of a flood: so many times what the threads can hash, and how soon who is
// turned away must know.
constexpr double kFlood = 20;
constexpr size_t kFloodInFlight = 160;
constexpr double kShedMaxUs = 50'000;
constexpr size_t kReadsInFlight = 64;
constexpr size_t kReaders = 2000;
constexpr double kMebibyte = 1024.0 * 1024.0;
// As hizod's pool for passwords, so that what else runs meets both alike.
constexpr int kNice = 19;

std::string BareSetting() {
  crypt_data data{};
  const char* setting = crypt_gensalt_rn("$2b$", kPasswordCost, nullptr, 0,
                                         data.output, sizeof(data.output));
  if (setting == nullptr) throw std::runtime_error("no bcrypt here");
  return setting;
}

// crypt_rn and nothing else, on as many threads of the same priority.
Sample BareHashes(double seconds) {
  constexpr size_t kHashedBytes = 64;  // as long as what Hizo hashes
  const size_t threads = app::Config().password_threads;
  const std::string setting = BareSetting();
  const std::string password = Filler(0, kHashedBytes);
  std::vector<crypt_data> data(threads);
  const auto hash = [&](size_t thread, size_t) {
    crypt_rn(password.c_str(), setting.c_str(), &data[thread],
             sizeof(crypt_data));
  };
  Sample sample;
  {
    // Threads inherit the priority of the one that starts them.
    base::WorkerPool pool({.threads = 1, .queue_max = 1, .nice = kNice});
    pool.Submit([&] { sample = Repeat({threads, seconds}, hash); });
  }
  return sample;
}

// Reads of profiles alone and under a flood of passwords.
Figures Flood(BenchVault& vault, double hashes_per_second,
              const Settings& settings) {
  vault.Import(kReaders);
  Load reads = vault.LoadOf("RecordService/GetRecord", vault.Reads(kReaders));
  reads.in_flight = kReadsInFlight;
  reads.seconds = settings.seconds;
  Load flood = vault.LoadOf("CredentialService/VerifyPassword",
                            vault.Verifications(kInFlight));
  flood.in_flight = kFloodInFlight;
  flood.begun_per_second = kFlood * hashes_per_second;
  flood.may_be_shed = true;
  flood.seconds = settings.seconds + 2;
  Say("verify_password: reads alone and under a flood in turns");
  std::vector<Sample> floods;
  // What reads alone fill: caches, RocksDB's memory for the audit log.
  RunLoad(reads, vault.process());
  RunLoad(reads, vault.process());
  const double before = ResidentBytes(vault.process());
  const auto samples =
      Alternate({[&] { return RunLoad(reads, vault.process()); },
                 [&] {
                   auto flooding = std::async(std::launch::async, [&] {
                     return RunLoad(flood, vault.process());
                   });
                   const Sample sample = RunLoad(reads, vault.process());
                   floods.push_back(flooding.get());
                   return sample;
                 }});
  const double after = ResidentBytes(vault.process());
  const Sample flooded = MedianOf(floods);
  const std::string alone = "the same reads without the flood";
  return {{"verify_password_flood_reads", samples[1].per_second, "calls/s",
           samples[0].per_second, samples[1].p50_us, samples[1].p99_us, kRuns,
           alone},
          {"verify_password_flood_reads_p99",
           samples[1].p99_us,
           "us",
           samples[0].p99_us,
           {},
           {},
           kRuns,
           alone},
          {"verify_password_flood_shed_p99",
           flooded.shed_p99_us,
           "us",
           kShedMaxUs,
           {},
           flooded.shed_p99_us,
           kRuns,
           "50 ms"},
          {"verify_password_flood_offered",
           flooded.shed_per_second + flooded.per_second,
           "calls/s",
           hashes_per_second,
           {},
           {},
           kRuns,
           "bare crypt_rn, same threads"},
          {"verify_password_flood_memory",
           after / kMebibyte,
           "MiB",
           before / kMebibyte,
           {},
           {},
           1,
           "before the floods"}};
}

}  // namespace

Figures VerifyPassword(const Settings& settings) {
  BenchVault vault;
  Say("verify_password: setting passwords");
  vault.Import(kInFlight);
  vault.SetPasswords(kInFlight);
  Load calls = vault.LoadOf("CredentialService/VerifyPassword",
                            vault.Verifications(kInFlight));
  calls.in_flight = kInFlight;
  calls.seconds = settings.seconds;
  Say("verify_password: the vault and bare bcrypt in turns");
  const auto samples =
      Alternate({[&] { return BareHashes(settings.seconds); },
                 [&] { return RunLoad(calls, vault.process()); }});
  Figures figures = {{"verify_password", samples[1].per_second, "calls/s",
                      samples[0].per_second, samples[1].p50_us,
                      samples[1].p99_us, kRuns,
                      "bare crypt_rn, same threads and cost"}};
  for (Figure& figure : Flood(vault, samples[0].per_second, settings)) {
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace hizo::bench
