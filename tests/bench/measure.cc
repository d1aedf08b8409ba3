#include "tests/bench/measure.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <mutex>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace hizo::bench {
namespace {

using Clock = std::chrono::steady_clock;

double MicrosSince(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start)
      .count();
}

double MedianOf(const std::vector<Sample>& samples, double Sample::*member) {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(sample.*member);
  return Percentile(std::move(values), 0.5);
}

std::string ReadProc(int process, const std::string& name) {
  std::ifstream in("/proc/" + std::to_string(process) + "/" + name);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  if (text.empty()) throw std::runtime_error("the process has ended");
  return text;
}

}  // namespace

double Percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  const auto rank =
      static_cast<size_t>(part * static_cast<double>(values.size()));
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(
                                        std::min(rank, values.size() - 1));
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

Sample MedianOf(const std::vector<Sample>& samples) {
  return {MedianOf(samples, &Sample::per_second),
          MedianOf(samples, &Sample::p50_us),
          MedianOf(samples, &Sample::p99_us),
          MedianOf(samples, &Sample::cpu_us),
          MedianOf(samples, &Sample::bytes),
          MedianOf(samples, &Sample::shed_per_second),
          MedianOf(samples, &Sample::shed_p99_us)};
}

Sample SampleOf(std::vector<double> latencies_us, double seconds) {
  Sample sample;
  sample.per_second = static_cast<double>(latencies_us.size()) / seconds;
  sample.p50_us = Percentile(latencies_us, 0.50);
  sample.p99_us = Percentile(std::move(latencies_us), 0.99);
  return sample;
}

std::vector<Sample> Alternate(const std::vector<Side>& sides) {
  std::vector<std::vector<Sample>> samples(sides.size());
  for (size_t run = 0; run < kRuns; ++run) {
    for (size_t i = 0; i < sides.size(); ++i) samples[i].push_back(sides[i]());
  }
  std::vector<Sample> medians;
  for (const auto& of_side : samples) medians.push_back(MedianOf(of_side));
  return medians;
}

Sample Repeat(const Crowd& crowd, const Work& work) {
  std::mutex mutex;
  std::vector<double> latencies;
  std::exception_ptr failure;
  const Clock::time_point begin = Clock::now();
  const auto call = [&](size_t thread, std::vector<double>& mine) {
    do {
      const Clock::time_point start = Clock::now();
      work(thread, mine.size());
      mine.push_back(MicrosSince(start));
    } while (MicrosSince(begin) < crowd.seconds * 1e6);
  };
  const auto run = [&](size_t thread) {
    std::vector<double> mine;
    std::exception_ptr thrown;
    try {
      call(thread, mine);
    } catch (...) {
      thrown = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    if (thrown != nullptr) failure = thrown;
    latencies.insert(latencies.end(), mine.begin(), mine.end());
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < crowd.threads; ++i) threads.emplace_back(run, i);
  for (std::thread& thread : threads) thread.join();
  if (failure != nullptr) std::rethrow_exception(failure);
  return SampleOf(std::move(latencies), MicrosSince(begin) / 1e6);
}

std::string Filler(size_t seed, size_t size) {
  // No digits: the vault refuses what looks like the number of a card.
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed));
  std::string text;
  text.reserve(size);
  for (size_t i = 0; i < size; ++i) {
    text.push_back(kLetters[random() % kLetters.size()]);
  }
  return text;
}

double CpuSeconds(int process) {
  const std::string text = ReadProc(process, "stat");
  // What follows the name, which may contain anything: state is field 3.
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  constexpr int kFieldsBeforeTimes = 11;
  std::string skipped;
  for (int i = 0; i < kFieldsBeforeTimes; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double ResidentBytes(int process) {
  std::istringstream fields(ReadProc(process, "statm"));
  double total = 0;
  double resident = 0;
  fields >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void Say(const std::string& text) { std::cerr << text << std::endl; }

}  // namespace hizo::bench
