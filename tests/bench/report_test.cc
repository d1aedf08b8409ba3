#include "tests/bench/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hizo::bench {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

Figure Timed() { return {"read", 30, "calls/s", 60, 1.5, 9.25, 3, "an echo"}; }
Figure Untimed() {
  return {"memory", 75, "MiB", 300, std::nullopt, std::nullopt, 1, "goal"};
}

TEST(ToJsonTest, HasTheAgreedMembersInTheirOrder) {
  EXPECT_EQ(Json::parse(ToJson({Timed()})), Json::parse(R"([
    {"name": "read", "value": 30.0, "unit": "calls/s", "ceiling": 60.0,
     "ratio": 0.5, "p50_us": 1.5, "p99_us": 9.25, "runs": 3}])"));
}

TEST(ToJsonTest, WritesNullWhereThereAreNoLatencies) {
  const Json json = Json::parse(ToJson({Untimed()}));
  EXPECT_TRUE(json.at(0).at("p50_us").is_null());
  EXPECT_TRUE(json.at(0).at("p99_us").is_null());
}

TEST(ToJsonTest, IsAnArrayAlsoOfNothing) { EXPECT_EQ(ToJson({}), "[]\n"); }

TEST(ToTableTest, HasALineForEachFigure) {
  const std::string table = ToTable({Timed(), Untimed()});
  EXPECT_THAT(table, HasSubstr("0.50"));
  EXPECT_THAT(table, HasSubstr("0.25"));
  EXPECT_THAT(table, HasSubstr("an echo\n"));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 3);
}

}  // namespace
}  // namespace hizo::bench
