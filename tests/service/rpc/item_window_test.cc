#include "service/rpc/item_window.h"

#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"

namespace hizo::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;

ItemResult ResultOf(std::string answer) {
  return {absl::OkStatus(), std::move(answer)};
}

std::vector<std::string> AnswersOf(const std::vector<ItemResult>& results) {
  std::vector<std::string> answers;
  for (const ItemResult& result : results) answers.push_back(result.answer);
  return answers;
}

size_t BeginAll(ItemWindow& window) {
  size_t begun = 0;
  while (window.Begin().has_value()) ++begun;
  return begun;
}

// A sequence, whose length shows at its end.
TEST(ItemWindowTest, EndsWhereItIsToldTo) {
  ItemWindow window(std::numeric_limits<size_t>::max(), {.items_max = 1});
  EXPECT_THAT(window.Begin(), Optional(Eq(0U)));
  EXPECT_EQ(window.Begin(), std::nullopt);
  window.Done(0, ResultOf("a"));
  EXPECT_THAT(AnswersOf(window.Take()), ElementsAre("a"));
  EXPECT_FALSE(window.finished());
  EXPECT_THAT(window.Begin(), Optional(Eq(1U)));
  window.End();
  window.Done(1, ResultOf("b"));
  EXPECT_FALSE(window.finished());
  EXPECT_THAT(AnswersOf(window.Take()), ElementsAre("b"));
  EXPECT_TRUE(window.finished());
  EXPECT_EQ(window.Begin(), std::nullopt);
}

TEST(ItemWindowTest, BeginsInOrderAndEndsAfterTheLast) {
  ItemWindow window(2, {});
  EXPECT_THAT(window.Begin(), Optional(Eq(0U)));
  EXPECT_THAT(window.Begin(), Optional(Eq(1U)));
  EXPECT_EQ(window.Begin(), std::nullopt);
  EXPECT_FALSE(window.finished());
}

TEST(ItemWindowTest, HandsOutInTheOrderOfTheAsks) {
  ItemWindow window(3, {});
  BeginAll(window);
  window.Done(2, ResultOf("c"));
  EXPECT_THAT(window.Take(), IsEmpty());
  window.Done(0, ResultOf("a"));
  EXPECT_THAT(AnswersOf(window.Take()), ElementsAre("a"));
  EXPECT_FALSE(window.finished());
  window.Done(1, ResultOf("b"));
  EXPECT_THAT(AnswersOf(window.Take()), ElementsAre("b", "c"));
  EXPECT_TRUE(window.finished());
}

TEST(ItemWindowTest, KeepsTheStatusOfEach) {
  ItemWindow window(1, {});
  BeginAll(window);
  window.Done(0, {base::Fail(base::Reason::kSubjectNotFound), ""});
  const auto taken = window.Take();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(base::ReasonOf(taken[0].status), base::Reason::kSubjectNotFound);
}

TEST(ItemWindowTest, HoldsNoMoreItemsThanItMay) {
  ItemWindow window(10, {.items_max = 3});
  EXPECT_EQ(BeginAll(window), 3U);
  window.Done(1, ResultOf("b"));
  window.Done(2, ResultOf("c"));
  // Done, but not handed out: the first is missing.
  EXPECT_EQ(BeginAll(window), 0U);
  window.Done(0, ResultOf("a"));
  EXPECT_EQ(BeginAll(window), 0U);
  EXPECT_THAT(AnswersOf(window.Take()), ElementsAre("a", "b", "c"));
  EXPECT_EQ(BeginAll(window), 3U);
}

TEST(ItemWindowTest, BeginsWithFewUntilItKnowsHowLargeAnswersAre) {
  ItemWindow window(100, {.items_max = 50});
  const size_t first = BeginAll(window);
  EXPECT_LT(first, 50U);
  for (size_t i = 0; i < first; ++i) window.Done(i, ResultOf("small"));
  window.Take();
  EXPECT_EQ(BeginAll(window), 50U);
}

TEST(ItemWindowTest, HoldsFewWhereAnswersAreLarge) {
  ItemWindow window(100, {.items_max = 50, .bytes_max = 1000});
  const size_t first = BeginAll(window);
  for (size_t i = 0; i < first; ++i) {
    window.Done(i, ResultOf(std::string(400, 'x')));
  }
  EXPECT_EQ(BeginAll(window), 0U);
  while (!window.Take().empty()) continue;
  EXPECT_EQ(BeginAll(window), 2U);
}

TEST(ItemWindowTest, AlwaysHasRoomForOne) {
  ItemWindow window(3, {.items_max = 1, .bytes_max = 1});
  EXPECT_EQ(BeginAll(window), 1U);
  window.Done(0, ResultOf("far too large"));
  EXPECT_THAT(AnswersOf(window.Take()), ElementsAre("far too large"));
  EXPECT_EQ(BeginAll(window), 1U);
}

TEST(ItemWindowTest, AMessageIsBoundedInItemsAndBytes) {
  ItemWindow window(5, {.message_items_max = 2, .message_bytes_max = 10});
  BeginAll(window);
  size_t index = 0;
  for (const char* answer : {"a", "b", "cccccc", "dddddd", "eeeeeeeeeeeeeee"}) {
    window.Done(index++, ResultOf(answer));
  }
  EXPECT_THAT(AnswersOf(window.Take()), ElementsAre("a", "b"));
  EXPECT_THAT(AnswersOf(window.Take()), ElementsAre("cccccc"));
  EXPECT_THAT(AnswersOf(window.Take()), ElementsAre("dddddd"));
  // One that is over the bound goes alone.
  EXPECT_THAT(AnswersOf(window.Take()), ElementsAre("eeeeeeeeeeeeeee"));
  EXPECT_TRUE(window.finished());
}

TEST(ItemWindowTest, OnceStoppedItOnlyWaitsForWhatIsInWork) {
  ItemWindow window(10, {.items_max = 2});
  BeginAll(window);
  window.Done(0, ResultOf("a"));
  window.Stop();
  EXPECT_EQ(window.Begin(), std::nullopt);
  EXPECT_THAT(window.Take(), IsEmpty());
  EXPECT_FALSE(window.finished());
  window.Done(1, ResultOf("b"));
  EXPECT_THAT(window.Take(), IsEmpty());
  EXPECT_TRUE(window.finished());
}

}  // namespace
}  // namespace hizo::rpc
