#include <array>
#include <stdexcept>
#include <string>

#include "tests/bench/bench_vault.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/disk_ceiling.h"
#include "tests/bench/dropping.h"
#include "tests/bench/echo.h"
#include "tests/bench/load.h"

namespace hizo::bench {
namespace {

constexpr size_t kInFlight = 64;

// The vault with its people, one kind of call on it, and the echo of that call.
struct Stage {
  BenchVault vault;
  Load calls;
  Load echoes;
  std::optional<Echo> echo;

  Sample Call(size_t in_flight, double seconds) {
    return Run(calls, in_flight, seconds, vault.process());
  }
  Sample Ask(size_t in_flight, double seconds) {
    return Run(echoes, in_flight, seconds, echo->process());
  }

 private:
  static Sample Run(Load load, size_t in_flight, double seconds, int server) {
    load.in_flight = in_flight;
    load.seconds = seconds;
    return RunLoad(load, server);
  }
};

// The echo answers with as many bytes as the call does.
void Prepare(Stage& stage, const std::string& method,
             const std::vector<std::string>& requests) {
  stage.calls = stage.vault.LoadOf(method, requests);
  constexpr double kProbeSeconds = 0.5;
  const Sample probe = stage.Call(1, kProbeSeconds);
  stage.echo.emplace(stage.vault.directory(),
                     static_cast<size_t>(probe.bytes + 0.5));
  stage.echoes = stage.calls;
  stage.echoes.address = stage.echo->address();
}

void Import(Stage& stage, const Settings& settings) {
  Say("importing " + std::to_string(settings.people) + " people");
  stage.vault.Import(settings.people);
}

Figure Throughput(const std::string& name, const Sample& thing,
                  const Sample& ceiling, const std::string& against) {
  return {name,         thing.per_second, "calls/s", ceiling.per_second,
          thing.p50_us, thing.p99_us,     kRuns,     against};
}

Figure Tail(const std::string& name, const Sample& thing, const Sample& echo) {
  return {name,         thing.p99_us, "us",  echo.p99_us,
          thing.p50_us, thing.p99_us, kRuns, "p99 of an empty echo"};
}

Figure Cpu(const std::string& name, const Sample& thing, const Sample& ceiling,
           const std::string& of) {
  return {name,         thing.cpu_us, "us/call", ceiling.cpu_us,
          std::nullopt, std::nullopt, kRuns,     "server CPU of " + of};
}

}  // namespace

Figures ReadProfile(const Settings& settings) {
  Stage stage;
  Import(stage, settings);
  Prepare(stage, "RecordService/GetRecord", stage.vault.Reads(settings.people));
  const double seconds = settings.seconds;
  Say("read_profile: 64 in flight, the vault and an empty echo in turns");
  const auto many = Alternate({[&] { return stage.Ask(kInFlight, seconds); },
                               [&] { return stage.Call(kInFlight, seconds); }});
  Say("read_profile: 1 in flight");
  const auto one = Alternate({[&] { return stage.Ask(1, seconds); },
                              [&] { return SyncedAppends(seconds); },
                              [&] { return stage.Call(1, seconds); }});
  return {Throughput("read_profile", many[1], many[0],
                     "empty echo of the same sizes"),
          Tail("read_profile_p99", many[1], many[0]),
          Cpu("read_profile_cpu", many[1], many[0], "an empty echo"),
          {"read_profile_single", one[2].p50_us, "us",
           one[0].p50_us + one[1].p50_us, one[2].p50_us, one[2].p99_us, kRuns,
           "p50 of an echo and of one fdatasync"}};
}

Figures WriteProfile(const Settings& settings) {
  Stage stage;
  Import(stage, settings);
  Prepare(stage, "RecordService/PutRecord",
          stage.vault.Writes(settings.people));
  BareStore store;
  const double seconds = settings.seconds;
  Say("write_profile: 64 in flight, the vault, bare RocksDB and an echo");
  const auto samples = Alternate(
      {[&] {
         return store.PutRecords({.threads = kInFlight, .seconds = seconds});
       },
       [&] { return stage.Ask(kInFlight, seconds); },
       [&] { return stage.Call(kInFlight, seconds); }});
  return {Throughput("write_profile", samples[2], samples[0],
                     "RocksDB, 64 threads of synced Put + audit"),
          Tail("write_profile_p99", samples[2], samples[1]),
          Cpu("write_profile_cpu", samples[2], samples[1], "an empty echo")};
}

// Each over a store of its own, since one of them forgets what it was told.
Figures ReadUnaudited(const Settings& settings) {
  struct Vault {
    BenchVault before;
    Load reads;
    std::optional<Dropping> server;
  };
  std::array<Vault, 2> vaults;
  for (Vault& vault : vaults) {
    Say("read_unaudited: importing " + std::to_string(settings.people) +
        " people");
    vault.before.Import(settings.people);
    vault.reads = vault.before.LoadOf("RecordService/GetRecord",
                                      vault.before.Reads(settings.people));
    const bool keeps = &vault == &vaults.front();
    vault.server.emplace(vault.before.Leave(),
                         keeps ? Commits::kKept : Commits::kDropped);
    vault.reads.address = vault.server->address();
    vault.reads.in_flight = kInFlight;
    vault.reads.seconds = settings.seconds;
  }
  Say("read_unaudited: 64 in flight, with a log and with none, in turns");
  const auto read = [](Vault& vault) {
    return RunLoad(vault.reads, vault.server->process());
  };
  const auto samples = Alternate(
      {[&] { return read(vaults[1]); }, [&] { return read(vaults[0]); }});
  return {Throughput("read_unaudited", samples[1], samples[0],
                     "the same reads, with an engine that drops appends"),
          Cpu("read_unaudited_cpu", samples[1], samples[0], "those")};
}

}  // namespace hizo::bench
