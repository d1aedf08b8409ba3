#include "storage/rows.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/memory/engine.h"
#include "tests/testing/faulty_engine.h"
#include "tests/testing/status_matchers.h"

namespace hizo::storage {
namespace {

using test::IsOk;
using test::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> KeysOf(Rows rows) {
  std::vector<std::string> keys;
  for (;;) {
    const auto row = rows.Peek();
    EXPECT_THAT(row, IsOk());
    if (!row.ok() || *row == nullptr) return keys;
    keys.push_back((*row)->key);
    rows.Pop();
  }
}

class RowsTest : public ::testing::Test {
 protected:
  void Put(const std::string& key, const std::string& value = "v") {
    Batch batch;
    batch.Put(key, value);
    ASSERT_THAT(engine_.Commit(batch), IsOk());
  }
  test::FaultyEngine engine_{NewMemoryEngine()};
};

TEST_F(RowsTest, AreThoseOfTheRangeInOrder) {
  for (const char* key : {"a", "b", "ba", "c"}) Put(key);
  EXPECT_THAT(KeysOf({engine_, "b", "c"}), ElementsAre("b", "ba"));
  EXPECT_THAT(KeysOf({engine_, "", ""}), ElementsAre("a", "b", "ba", "c"));
  EXPECT_THAT(KeysOf({engine_, "d", ""}), IsEmpty());
}

TEST_F(RowsTest, PeekingTakesNothingAway) {
  Put("a", "1");
  Rows rows(engine_, "", "");
  EXPECT_EQ((*rows.Peek())->value, "1");
  EXPECT_EQ((*rows.Peek())->value, "1");
  rows.Pop();
  EXPECT_EQ(*rows.Peek(), nullptr);
  EXPECT_EQ(*rows.Peek(), nullptr);
}

TEST_F(RowsTest, ComeFromAsManyReadsAsItTakes) {
  for (int i = 0; i < 4500; ++i) Put(std::to_string(10'000 + i));
  Put("x", std::string(5 << 20, 'v'));
  Put("y", std::string(5 << 20, 'v'));
  Put("z");
  EXPECT_EQ(KeysOf({engine_, "", ""}).size(), 4503);
}

TEST_F(RowsTest, AFailingReadIsNotTheEnd) {
  for (int i = 0; i < 4500; ++i) Put(std::to_string(10'000 + i));
  engine_.FailRead(2, absl::DataLossError("injected"));
  Rows rows(engine_, "", "");
  int seen = 0;
  for (;; ++seen, rows.Pop()) {
    const auto row = rows.Peek();
    if (!row.ok()) {
      EXPECT_THAT(row, StatusIs(absl::StatusCode::kDataLoss));
      break;
    }
    ASSERT_NE(*row, nullptr);
  }
  EXPECT_EQ(seen, 2000);
}

}  // namespace
}  // namespace hizo::storage
