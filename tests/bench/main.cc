// hizo_bench: measures Hizo, each piece of work together with its ceiling.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/benchmarks.h"
#include "tests/bench/dropping.h"
#include "tests/bench/echo.h"
#include "tests/bench/load.h"
#include "tests/bench/report.h"

namespace {

using hizo::bench::Figures;
using hizo::bench::Settings;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

using Benchmark = Figures (*)(const Settings&);
constexpr auto kBenchmarks =
    std::to_array<std::pair<std::string_view, Benchmark>>(
        {{"read_profile", hizo::bench::ReadProfile},
         {"write_profile", hizo::bench::WriteProfile},
         {"read_unaudited", hizo::bench::ReadUnaudited},
         {"verify_password", hizo::bench::VerifyPassword},
         {"policy_decide", hizo::bench::PolicyDecide},
         {"erase_sealed", hizo::bench::EraseSealed},
         {"retention_run", hizo::bench::RetentionRun},
         {"export_bundle", hizo::bench::ExportBundle},
         {"audit_append", hizo::bench::AuditAppend},
         {"audit_query", hizo::bench::AuditQuery},
         {"import", hizo::bench::Import},
         {"memory", hizo::bench::Memory}});

struct Arguments {
  std::vector<std::string> names;
  std::string json;
  Settings settings;
  std::string load;  // what a process of this program's own making is told
  std::string echo;
  std::string serve;
};

std::string Names() {
  std::string names;
  for (const auto& [name, benchmark] : kBenchmarks) {
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return names;
}

void Declare(CLI::App& app, Arguments& arguments) {
  app.add_option("name", arguments.names, "which to run; all if none is named")
      ->check([](const std::string& wanted) -> std::string {
        for (const auto& [name, benchmark] : kBenchmarks) {
          if (name == wanted) return "";
        }
        return "there is no benchmark `" + wanted + "`; there are " + Names();
      });
  app.add_option("--json", arguments.json, "file for the figures as JSON");
  app.add_option("--seconds", arguments.settings.seconds,
                 "that each side of each turn takes")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_option("--people", arguments.settings.people, "in the vault")
      ->check(CLI::Range(1000, 10'000'000))
      ->capture_default_str();
  app.add_option("--load", arguments.load)->group("");
  app.add_option("--echo", arguments.echo)->group("");
  app.add_option("--serve", arguments.serve)->group("");
}

bool Wanted(const Arguments& arguments, std::string_view name) {
  const auto& names = arguments.names;
  return names.empty() ||
         std::find(names.begin(), names.end(), name) != names.end();
}

int RunAll(const Arguments& arguments) {
  Figures all;
  for (const auto& [name, benchmark] : kBenchmarks) {
    if (!Wanted(arguments, name)) continue;
    const Figures figures = benchmark(arguments.settings);
    all.insert(all.end(), figures.begin(), figures.end());
  }
  std::cout << hizo::bench::ToTable(all);
  if (arguments.json.empty()) return 0;
  std::ofstream out(arguments.json);
  out << hizo::bench::ToJson(all);
  out.close();
  if (out) return 0;
  std::cerr << "cannot write " << arguments.json << "\n";
  return kExitFailed;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures Hizo, each piece of work together with its ceiling.");
  Arguments arguments;
  Declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  try {
    if (!arguments.load.empty()) return hizo::bench::LoadMain(arguments.load);
    if (!arguments.echo.empty()) return hizo::bench::EchoMain(arguments.echo);
    if (!arguments.serve.empty()) {
      return hizo::bench::DroppingMain(arguments.serve);
    }
    return RunAll(arguments);
  } catch (const std::exception& error) {
    std::cerr << "hizo_bench: " << error.what() << "\n";
    return kExitFailed;
  }
}
