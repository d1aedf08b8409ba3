#include "tests/bench/report.h"

#include <iomanip>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

namespace hizo::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string Number(double value) {
  constexpr double kWholeFrom = 100;
  std::ostringstream out;
  out << std::fixed << std::setprecision(value < kWholeFrom ? 2 : 0) << value;
  return out.str();
}

std::string Number(const std::optional<double>& value) {
  return value.has_value() ? Number(*value) : "-";
}

Json OrNull(const std::optional<double>& value) {
  return value.has_value() ? Json(*value) : Json(nullptr);
}

std::string Line(const std::vector<std::string>& cells) {
  constexpr int kWidths[] = {24, 10, 12, 10, 7, 9, 9, 0};
  std::ostringstream out;
  for (size_t i = 0; i < cells.size(); ++i) {
    const bool text = i == 0 || i == 2 || i + 1 == cells.size();
    out << (text ? std::left : std::right) << std::setw(kWidths[i]) << cells[i]
        << (i + 1 == cells.size() ? "\n" : "  ");
  }
  return out.str();
}

}  // namespace

std::string ToTable(const std::vector<Figure>& figures) {
  std::string table = Line({"name", "value", "unit", "ceiling", "ratio",
                            "p50 us", "p99 us", "ceiling is"});
  for (const Figure& figure : figures) {
    table +=
        Line({figure.name, Number(figure.value), figure.unit,
              Number(figure.ceiling), Number(figure.ratio()),
              Number(figure.p50_us), Number(figure.p99_us), figure.against});
  }
  return table;
}

std::string ToJson(const std::vector<Figure>& figures) {
  Json array = Json::array();
  for (const Figure& figure : figures) {
    array.push_back({{"name", figure.name},
                     {"value", figure.value},
                     {"unit", figure.unit},
                     {"ceiling", figure.ceiling},
                     {"ratio", figure.ratio()},
                     {"p50_us", OrNull(figure.p50_us)},
                     {"p99_us", OrNull(figure.p99_us)},
                     {"runs", figure.runs}});
  }
  return array.dump(2) + "\n";
}

}  // namespace hizo::bench
