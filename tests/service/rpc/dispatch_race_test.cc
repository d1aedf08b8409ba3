// A call whose grounds changed before it was durable is run once more, and
// never answered from what it saw first.
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/rpc/dispatch.h"
#include "tests/service/rpc/dispatch_world.h"

namespace hizo::rpc {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using ::testing::SizeIs;

constexpr char kRow[] = "Zrow";

// Changes the row, as a call of somebody else would.
void ChangeRow(test::VaultFixture& vault, const std::string& value) {
  auto attempt = vault.NewAttempt(
      vault.CallOf(test::kFull, policy::Action::kRecordPut, test::kService));
  attempt->data().Put(kRow, value);
  attempt->event().outcome = audit::Outcome::kAllowed;
  attempt->event().reason = Reason::kNone;
  ASSERT_THAT(vault.Commit(std::move(attempt)).status, IsOk());
}

std::string ReadRow(test::VaultFixture& vault, vault::Attempt& attempt) {
  const auto value = attempt.Read(vault.data(), kRow);
  return value.ok() ? value->value_or("nothing") : "an error";
}

// A use case that reads the row; somebody changes it right after, the first
// `rivals` times that it runs.
struct Racing {
  test::VaultFixture& vault;
  int& runs;
  int rivals;

  absl::StatusOr<std::string> operator()(const Incoming& /*incoming*/,
                                         vault::Attempt& attempt) const {
    std::string seen = ReadRow(vault, attempt);
    if (++runs <= rivals) ChangeRow(vault, "change " + std::to_string(runs));
    return seen;
  }
};

TEST(DispatchRaceTest, AnswersFromWhatIsThereNow) {
  DispatchWorld world;
  int runs = 0;
  ChangeRow(world.vault(), "old");
  const Answered answered = world.Call(Racing{world.vault(), runs, 1});
  EXPECT_THAT(answered.status, IsOk());
  EXPECT_EQ(answered.answer, "change 1");
  EXPECT_EQ(runs, 2);
}

TEST(DispatchRaceTest, LeavesOneEventHoweverOftenItRan) {
  DispatchWorld world;
  int runs = 0;
  ASSERT_THAT(world.Call(Racing{world.vault(), runs, 1}).status, IsOk());
  // The rival's and its own.
  ASSERT_THAT(world.vault().Events(), SizeIs(2));
  EXPECT_EQ(world.vault().Events()[0].action, policy::Action::kRecordPut);
  EXPECT_EQ(world.vault().Events()[1].action, policy::Action::kRecordGet);
}

TEST(DispatchRaceTest, GivesUpAfterTheSecondLostRace) {
  DispatchWorld world;
  int runs = 0;
  const Answered answered = world.Call(Racing{world.vault(), runs, 5});
  EXPECT_THAT(answered.status, HasReason(Reason::kConflict));
  EXPECT_EQ(answered.answer, "");
  EXPECT_EQ(runs, 2);
  ASSERT_THAT(world.vault().Events(), SizeIs(3));
  EXPECT_EQ(world.vault().LastEvent().action, policy::Action::kRecordGet);
  EXPECT_EQ(world.vault().LastEvent().outcome, audit::Outcome::kFailed);
  EXPECT_EQ(world.vault().LastEvent().reason, Reason::kConflict);
}

TEST(DispatchRaceTest, IsRefusedIfItCannotBeRunAgain) {
  DispatchWorld world;
  int runs = 0;
  {
    const PoolFiller filler(world.reruns(), DispatchWorld::kPoolQueueMax);
    const Answered answered = world.Call(Racing{world.vault(), runs, 1});
    EXPECT_THAT(answered.status, HasReason(Reason::kConflict));
    EXPECT_EQ(answered.answer, "");
  }
  EXPECT_EQ(runs, 1);
  ASSERT_THAT(world.vault().Events(), SizeIs(2));
  EXPECT_EQ(world.vault().LastEvent().reason, Reason::kConflict);
}

TEST(DispatchRaceTest, ARefusalIsDecidedAnewToo) {
  DispatchWorld world;
  int runs = 0;
  const Answered answered =
      world.Call([&](const Incoming&,
                     vault::Attempt& attempt) -> absl::StatusOr<std::string> {
        const std::string seen = ReadRow(world.vault(), attempt);
        if (++runs == 1) ChangeRow(world.vault(), "allowed");
        if (seen != "allowed") return base::Fail(Reason::kCallerNotEntitled);
        return seen;
      });
  EXPECT_THAT(answered.status, IsOk());
  EXPECT_EQ(answered.answer, "allowed");
}

TEST(DispatchRaceTest, WritesOfALostRunAreNotThere) {
  DispatchWorld world;
  int runs = 0;
  const Answered answered =
      world.Call([&](const Incoming&,
                     vault::Attempt& attempt) -> absl::StatusOr<std::string> {
        ReadRow(world.vault(), attempt);
        const bool first = ++runs == 1;
        if (first) ChangeRow(world.vault(), "rival");
        attempt.data().Put(first ? "Zlost" : "Zkept", "x");
        return std::string();
      });
  EXPECT_THAT(answered.status, IsOk());
  EXPECT_FALSE(world.vault().data().Get("Zlost")->has_value());
  EXPECT_TRUE(world.vault().data().Get("Zkept")->has_value());
}

TEST(DispatchRaceTest, AChangeOfOtherRowsIsNoRace) {
  DispatchWorld world;
  int runs = 0;
  const Answered answered =
      world.Call([&](const Incoming&, vault::Attempt& attempt) {
        ++runs;
        const auto other = attempt.Read(world.vault().data(), "Zother");
        EXPECT_THAT(other, IsOk());
        ChangeRow(world.vault(), "rival");
        return std::string();
      });
  EXPECT_THAT(answered.status, IsOk());
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace hizo::rpc
