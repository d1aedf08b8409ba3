#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/committer.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;

VaultFixture::Options AnchorDelay(std::chrono::milliseconds delay) {
  VaultFixture::Options options;
  options.committer.anchor_delay = delay;
  return options;
}

void CommitNothing(VaultFixture& vault) {
  auto attempt = vault.NewAttempt(FullCall(vault, Action::kRecordGet));
  ASSERT_THAT(vault.Commit(std::move(attempt)).status, IsOk());
}

// What a start would find in the anchor's file.
storage::Anchor::Head AnchoredHead(VaultFixture& vault) {
  const auto id = StoreKeys::IdOf(vault.keys());
  const auto anchor = storage::Anchor::Open(vault.anchor_file(),
                                            std::string(id->bytes()), false);
  return (*anchor)->head();
}

TEST(CommitterAnchorTest, AnchorsTheHeadWithoutAFurtherCommit) {
  VaultFixture vault(AnchorDelay(std::chrono::milliseconds(1)));
  for (int i = 0; i < 3; ++i) CommitNothing(vault);
  // Ends only because an idle committer writes the anchor.
  while (vault.store().committer().anchored() < 3) std::this_thread::yield();
  EXPECT_EQ(AnchoredHead(vault).size, 3);
}

TEST(CommitterAnchorTest, AnchorsNoMoreOftenThanItsDelay) {
  VaultFixture vault(AnchorDelay(std::chrono::hours(1)));
  for (int i = 0; i < 4; ++i) CommitNothing(vault);
  // The first was due at once, and nothing since.
  EXPECT_EQ(vault.store().committer().anchored(), 1);
}

TEST(CommitterAnchorTest, AnchorsWhatIsLeftWhenItEnds) {
  VaultFixture vault(AnchorDelay(std::chrono::hours(1)));
  for (int i = 0; i < 4; ++i) CommitNothing(vault);
  const audit::Head head = vault.store().log().head();
  vault.Close();
  EXPECT_EQ(AnchoredHead(vault).size, 4);
  EXPECT_EQ(AnchoredHead(vault).root, crypto::AsBytes(head.root));
}

TEST(CommitterAnchorTest, AnchorsNothingThatWasNotCommitted) {
  VaultFixture vault(AnchorDelay(std::chrono::hours(1)));
  CommitNothing(vault);
  vault.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                          absl::ResourceExhaustedError("injected"));
  auto attempt = vault.NewAttempt(FullCall(vault, Action::kRecordGet));
  EXPECT_THAT(vault.Commit(std::move(attempt)).status,
              HasReason(Reason::kAuditUnavailable));
  vault.Close();
  EXPECT_EQ(AnchoredHead(vault).size, 1);
  EXPECT_THAT(vault.Reopen(), IsOk());
}

TEST(CommitterAnchorTest, GoesOnFromTheAnchorOfTheProcessBefore) {
  VaultFixture vault;
  for (int i = 0; i < 3; ++i) CommitNothing(vault);
  ASSERT_THAT(vault.Reopen(), IsOk());
  EXPECT_EQ(vault.store().committer().anchored(), 3);
  CommitNothing(vault);
  vault.Close();
  EXPECT_EQ(AnchoredHead(vault).size, 4);
}

// Reads the counter and adds 1 to it.
std::unique_ptr<Attempt> AddsOne(VaultFixture& vault, const Call& call) {
  auto attempt = vault.NewAttempt(call);
  const auto read = attempt->Read(vault.data(), "counter");
  EXPECT_THAT(read, IsOk());
  const int count = read->has_value() ? std::stoi(**read) : 0;
  attempt->data().Put("counter", std::to_string(count + 1));
  attempt->Conclude(absl::OkStatus());
  return attempt;
}

TEST(CommitterHammerTest, LosesNoUpdateOfManyThreads) {
  constexpr int kThreads = 64;
  constexpr int kRounds = 4;
  VaultFixture vault;
  const Call call = FullCall(vault, Action::kRecordPut);
  std::latch all_have_read(kThreads);
  std::atomic<int> conflicts = 0;
  const auto count_up = [&] {
    auto attempt = AddsOne(vault, call);
    all_have_read.arrive_and_wait();
    for (int done = 0; done < kRounds;) {
      const absl::Status status = vault.Commit(std::move(attempt)).status;
      if (status.ok()) {
        ++done;
      } else {
        EXPECT_THAT(status, HasReason(Reason::kConflict));
        ++conflicts;
      }
      attempt = AddsOne(vault, call);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(count_up);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(test::Stored(vault.data(), "counter"),
            std::to_string(kThreads * kRounds));
  // One event for each success, none for a conflict.
  EXPECT_EQ(vault.Events().size(), kThreads * kRounds);
  EXPECT_GE(conflicts, kThreads - 1);
  EXPECT_THAT(vault.Reopen(), IsOk());
}

}  // namespace
}  // namespace hizo::vault
