// Two-sample tests: whether two sets of measurements could be of one
// distribution.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_TESTS_INTEGRATION_TWO_SAMPLES_H_
#define HIZO_TESTS_INTEGRATION_TWO_SAMPLES_H_

#include <vector>

namespace hizo::test {

// Kolmogorov and Smirnov: the largest distance of the two distribution
// functions, times sqrt(nm / (n + m)). Of one distribution, it is over 1.95 in
// one of 1,000 cases and over 2.70 in one of a million (Smirnov 1948).
double KolmogorovSmirnov(std::vector<double> a, std::vector<double> b);

// Mann and Whitney: how far the chance that one of `a` is less than one of `b`
// is from one half, in standard deviations. Of one distribution, it is beyond
// 3.29 on either side in one of 1,000 cases and beyond 4.89 in one of a
// million.
double MannWhitney(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_TWO_SAMPLES_H_
