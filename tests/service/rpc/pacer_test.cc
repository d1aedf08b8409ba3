#include "service/rpc/pacer.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/service/rpc/dispatch_world.h"

namespace hizo::rpc {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::HasReason;
using test::IsOk;

TEST(PacerStepTest, IsTwiceAHashAndBounded) {
  EXPECT_EQ(Pacer::StepFor(milliseconds(175)), milliseconds(350));
  EXPECT_EQ(Pacer::StepFor(milliseconds(1)), Pacer::kStepMin);
  EXPECT_EQ(Pacer::StepFor(seconds(10)), Pacer::kStepMax);
}

TEST(PacerStepTest, EndsAtTheFirstWholeStepThatLiesAhead) {
  const Pacer::Time began{hours(1)};
  const milliseconds step(20);
  const auto next = [&](nanoseconds passed) {
    return Pacer::NextStep(began, began + passed, step) - began;
  };
  EXPECT_EQ(next(nanoseconds(0)), step);
  EXPECT_EQ(next(nanoseconds(1)), step);
  EXPECT_EQ(next(step - nanoseconds(1)), step);
  EXPECT_EQ(next(step), 2 * step);
  EXPECT_EQ(next(5 * step + nanoseconds(1)), 6 * step);
  // Nobody answers before the call came.
  EXPECT_EQ(next(-hours(1)), step);
}

// Notes when it was answered, and lets a test wait for it.
class Noting final : public Exchange {
 public:
  explicit Noting(Inbox& inbox) : Exchange(Request()), inbox_(inbox) {}
  void Answer(const absl::Status& status, std::string answer) override {
    inbox_.Put({status, std::move(answer)});
  }

 private:
  Inbox& inbox_;
};

TEST(PacerTest, AnswersNotBeforeTheStepIsOver) {
  const milliseconds step(30);
  Pacer pacer(step);
  std::vector<Inbox> inboxes(5);
  const auto began = steady_clock::now();
  for (Inbox& inbox : inboxes) {
    pacer.Answer(std::make_unique<Noting>(inbox),
                 base::Fail(base::Reason::kConflict), "answer");
  }
  for (Inbox& inbox : inboxes) {
    const Answered answered = inbox.Wait();
    EXPECT_GE(steady_clock::now() - began, step);
    EXPECT_THAT(answered.status, HasReason(base::Reason::kConflict));
    EXPECT_EQ(answered.answer, "answer");
  }
}

TEST(PacerTest, AnswersEverythingAtItsEnd) {
  Inbox inbox;
  {
    Pacer pacer{hours(1)};
    pacer.Answer(std::make_unique<Noting>(inbox), absl::OkStatus(), "answer");
    EXPECT_FALSE(inbox.answered());
  }
  EXPECT_TRUE(inbox.answered());
}

TEST(PacerTest, WithoutAStepAnswersAtOnce) {
  Inbox inbox;
  Pacer pacer{nanoseconds(0)};
  pacer.Answer(std::make_unique<Noting>(inbox), absl::OkStatus(), "answer");
  EXPECT_TRUE(inbox.answered());
}

// Which answers of dispatch are held.
class HeldTest : public ::testing::Test {
 protected:
  // Whether the answer of `method` waits for a step that never ends.
  bool IsHeld(const Method& method) {
    Inbox inbox;
    bool held = false;
    {
      DispatchWorld world{test::VaultFixture::Options(), hours(1)};
      world.Serve(DispatchWorld::RequestOf(&method), inbox);
      while (world.vault().Events().empty()) std::this_thread::yield();
      // Committed behind the other one, and so answered or held after it.
      const Method last = MethodOf(
          [](const Incoming&, vault::Attempt&) { return std::string(); },
          method.lane);
      EXPECT_THAT(world.Call(DispatchWorld::RequestOf(&last)).status, IsOk());
      held = !inbox.answered();
    }
    EXPECT_TRUE(inbox.answered());
    return held;
  }
};

absl::StatusOr<std::string> Miss(const Incoming&, vault::Attempt& attempt) {
  attempt.NoteMiss();
  return std::string();
}
absl::StatusOr<std::string> Hit(const Incoming&, vault::Attempt&) {
  return std::string();
}

TEST_F(HeldTest, AreThoseOfPasswordsThatAreNotRightAndNoOthers) {
  EXPECT_TRUE(IsHeld(MethodOf(Miss, Lane::kPassword)));
  EXPECT_FALSE(IsHeld(MethodOf(Hit, Lane::kPassword)));
  EXPECT_FALSE(IsHeld(MethodOf(Miss, Lane::kServe)));
}

}  // namespace
}  // namespace hizo::rpc
