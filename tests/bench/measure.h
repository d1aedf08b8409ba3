// How things are measured: a thing and its ceiling in turns, in one run, so
// that whatever else the machine does meets both.
//
// Threads: value types and pure functions.
#ifndef HIZO_TESTS_BENCH_MEASURE_H_
#define HIZO_TESTS_BENCH_MEASURE_H_

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hizo::bench {

// How much is done; from the command line.
struct Settings {
  double seconds = 3;  // that one side of one turn takes
  size_t people = 20'000;
};

// What one turn of one side gave. What it does not have is 0.
struct Sample {
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
  double cpu_us = 0;  // of the server, for one call
  double bytes = 0;   // of an answer, on average
  // Of calls that were refused for want of room, which the others leave out.
  double shed_per_second = 0;
  double shed_p99_us = 0;
};

// A line of the report. `ratio` is value : ceiling; whether it should be large
// or small follows from the unit.
struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
  double ceiling = 0;
  std::optional<double> p50_us;
  std::optional<double> p99_us;
  size_t runs = 0;
  std::string against;  // what the ceiling is, for people

  double ratio() const { return value / ceiling; }
};

// The value that is larger than `part` (0 to 1) of `values`; 0 of none.
double Percentile(std::vector<double> values, double part);
// Of each member by itself.
Sample MedianOf(const std::vector<Sample>& samples);
// `latencies_us` of all calls that ended in `seconds`.
Sample SampleOf(std::vector<double> latencies_us, double seconds);

inline constexpr size_t kRuns = 3;
using Side = std::function<Sample()>;
// The medians of kRuns turns of each side, in their order.
std::vector<Sample> Alternate(const std::vector<Side>& sides);

// Calls `work` from `threads` threads for `seconds`, from each at least once.
// `work` is told which thread it is and how often that has called it.
using Work = std::function<void(size_t thread, size_t turn)>;
struct Crowd {
  size_t threads = 1;
  double seconds = 0;
};
Sample Repeat(const Crowd& crowd, const Work& work);

// A text of `size` letters, the same for the same seed.
std::string Filler(size_t seed, size_t size);

// Seconds of processor that a process has used.
double CpuSeconds(int process);
// Bytes of memory that a process holds now.
double ResidentBytes(int process);

// Prints what is being done, on stderr.
void Say(const std::string& text);

}  // namespace hizo::bench

#endif  // HIZO_TESTS_BENCH_MEASURE_H_
