#include <crypt.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "service/app/config.h"
#include "service/base/worker_pool.h"
#include "tests/bench/bench_vault.h"
#include "tests/bench/benchmarks.h"

namespace hizo::bench {
namespace {

constexpr size_t kInFlight = 16;
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
    base::WorkerPool pool({1, 1, kNice});
    pool.Submit([&] { sample = Repeat({threads, seconds}, hash); });
  }
  return sample;
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
  return {{"verify_password", samples[1].per_second, "calls/s",
           samples[0].per_second, samples[1].p50_us, samples[1].p99_us, kRuns,
           "bare crypt_rn, same threads and cost"}};
}

}  // namespace hizo::bench
