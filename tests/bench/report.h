// What was measured, as a table for people and as JSON for programs.
//
// Threads: pure functions.
#ifndef HIZO_TESTS_BENCH_REPORT_H_
#define HIZO_TESTS_BENCH_REPORT_H_

#include <string>
#include <vector>

#include "tests/bench/measure.h"

namespace hizo::bench {

std::string ToTable(const std::vector<Figure>& figures);
// An array of {name, value, unit, ceiling, ratio, p50_us, p99_us, runs}; null
// where a figure has no latencies.
std::string ToJson(const std::vector<Figure>& figures);

}  // namespace hizo::bench

#endif  // HIZO_TESTS_BENCH_REPORT_H_
