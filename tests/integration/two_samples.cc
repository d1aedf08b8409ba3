#include "tests/integration/two_samples.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace hizo::test {

double KolmogorovSmirnov(std::vector<double> a, std::vector<double> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  double distance = 0;
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    const double next = std::min(a[i], b[j]);
    while (i < a.size() && a[i] == next) ++i;
    while (j < b.size() && b[j] == next) ++j;
    distance = std::max(distance, std::abs(static_cast<double>(i) / n -
                                           static_cast<double>(j) / m));
  }
  return distance * std::sqrt(n * m / (n + m));
}

double MannWhitney(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<std::pair<double, bool>> all;
  for (const double value : a) all.emplace_back(value, true);
  for (const double value : b) all.emplace_back(value, false);
  std::ranges::sort(all);
  double rank_sum = 0;  // of a
  for (size_t from = 0; from < all.size();) {
    size_t until = from;
    size_t of_a = 0;
    for (; until < all.size() && all[until].first == all[from].first; ++until) {
      if (all[until].second) ++of_a;
    }
    // Equal values share their ranks.
    rank_sum +=
        static_cast<double>(of_a) * (static_cast<double>(from + until + 1) / 2);
    from = until;
  }
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  const double mean = n * (n + m + 1) / 2;
  return (rank_sum - mean) / std::sqrt(n * m * (n + m + 1) / 12);
}

}  // namespace hizo::test
