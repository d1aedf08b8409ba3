#include "service/vault/attempt.h"

#include <array>
#include <bit>
#include <type_traits>

#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;

// A receipt is what opens answers: nothing but the committer may make one.
static_assert(!std::is_default_constructible_v<CommitReceipt>);
static_assert(!std::is_constructible_v<CommitReceipt, uint64_t>);
static_assert(!std::is_copy_constructible_v<CommitReceipt>);
static_assert(!std::is_move_constructible_v<CommitReceipt>);
static_assert(!std::is_copy_assignable_v<CommitReceipt>);
static_assert(!std::is_move_assignable_v<CommitReceipt>);
static_assert(!std::is_aggregate_v<CommitReceipt>);
static_assert(!std::is_trivially_copyable_v<CommitReceipt>);
template <typename T>
concept CanBeMadeFromBraces = requires {
  T{};
};
static_assert(!CanBeMadeFromBraces<CommitReceipt>);
template <typename T>
concept CanBeMadeFromBytes = requires(std::array<char, sizeof(T)> bytes) {
  std::bit_cast<T>(bytes);
};
static_assert(CanBeMadeFromBytes<uint64_t>);
static_assert(!CanBeMadeFromBytes<CommitReceipt>);
// An answer is not taken out without one, nor out of an Attempt that is kept.
template <typename A, typename... With>
concept CanRelease = requires(A attempt, const With&... with) {
  static_cast<A>(attempt).Release(with...);
};
static_assert(CanRelease<Attempt&&, CommitReceipt>);
static_assert(!CanRelease<Attempt&&>);
static_assert(!CanRelease<Attempt&, CommitReceipt>);
static_assert(!CanRelease<Attempt&&, uint64_t>);
static_assert(!std::is_copy_constructible_v<Attempt>);
static_assert(!std::is_move_constructible_v<Attempt>);

audit::RowWrite SomeWrite() { return {2, base::RecordId(), 1, {}}; }

TEST(AttemptTest, BeginsWithAnEventThatSaysThatNothingWasDecided) {
  VaultFixture vault;
  const auto attempt = vault.NewAttempt(FullCall(vault, Action::kRecordPut));
  EXPECT_EQ(attempt->event().outcome, audit::Outcome::kFailed);
  EXPECT_EQ(attempt->event().reason, Reason::kInternal);
  EXPECT_FALSE(attempt->writes());
}

TEST(AttemptTest, ReadsWhatIsThereAndNothingWhereNothingIs) {
  VaultFixture vault;
  test::Overwrite(vault.data(), "key", "value");
  const auto attempt = vault.NewAttempt(FullCall(vault, Action::kRecordGet));
  EXPECT_THAT(attempt->Read(vault.data(), "key"),
              IsOkAndHolds(std::optional<std::string>("value")));
  EXPECT_THAT(attempt->Read(vault.data(), "other"),
              IsOkAndHolds(std::optional<std::string>()));
}

TEST(AttemptTest, PassesOnThatAReadFailed) {
  VaultFixture vault;
  const auto attempt = vault.NewAttempt(FullCall(vault, Action::kRecordGet));
  vault.data().FailRead(1, absl::DataLossError("injected"));
  EXPECT_THAT(attempt->Read(vault.data(), "key"),
              HasReason(Reason::kIntegrityFailure));
  vault.data().FailRead(1, absl::UnavailableError("injected"));
  EXPECT_THAT(attempt->Scan(vault.data(), storage::PrefixRange("k", 1), "k"),
              HasReason(Reason::kAuditUnavailable));
}

TEST(AttemptTest, ConcludesAFailureByTakingBackEverythingButItsEvent) {
  VaultFixture vault;
  auto attempt = vault.NewAttempt(FullCall(vault, Action::kRecordPut));
  attempt->keys().Put("key", "value");
  attempt->data().Put("key", "value");
  attempt->Withhold("answer");
  attempt->event().outcome = audit::Outcome::kAllowed;
  attempt->event().reason = Reason::kNone;
  attempt->event().writes.push_back(SomeWrite());
  attempt->event().records = 1;
  EXPECT_TRUE(attempt->writes());

  attempt->Conclude(base::Fail(Reason::kEtagMismatch));

  EXPECT_FALSE(attempt->writes());
  EXPECT_THAT(attempt->status(), HasReason(Reason::kEtagMismatch));
  const test::Committed committed = vault.Commit(std::move(attempt));
  EXPECT_THAT(committed.status, IsOk());
  EXPECT_EQ(committed.answer, "");
  ASSERT_EQ(vault.Events().size(), 1);
  const audit::Event event = vault.LastEvent();
  EXPECT_EQ(event.outcome, audit::Outcome::kFailed);
  EXPECT_EQ(event.reason, Reason::kEtagMismatch);
  EXPECT_TRUE(event.writes.empty());
  EXPECT_EQ(event.records, 0);
  EXPECT_THAT(vault.data().Get("key"),
              IsOkAndHolds(std::optional<std::string>()));
}

TEST(AttemptTest, ConcludesAFailedScanNameWithoutDeclaringItChanged) {
  VaultFixture vault;
  auto reader = vault.NewAttempt(FullCall(vault, Action::kRecordList));
  ASSERT_THAT(reader->Scan(vault.data(), storage::PrefixRange("k", 1), "range"),
              IsOk());
  auto failed = vault.NewAttempt(FullCall(vault, Action::kRecordPut));
  failed->AlsoChanges("range");
  failed->Conclude(base::Fail(Reason::kValueInvalid));
  ASSERT_THAT(vault.Commit(std::move(failed)).status, IsOk());
  EXPECT_THAT(vault.Commit(std::move(reader)).status, IsOk());
}

TEST(AttemptTest, KeepsTheGatesRefusalAsTheReasonOfAFailure) {
  VaultFixture vault;
  auto attempt = vault.NewAttempt(FullCall(vault, Action::kRecordPut));
  const absl::Status refused =
      AccessGate::Refuse(*attempt, Reason::kUnauthenticated);
  attempt->Conclude(refused);
  EXPECT_EQ(attempt->event().outcome, audit::Outcome::kDenied);
  EXPECT_EQ(attempt->event().reason, Reason::kUnauthenticated);
}

TEST(AttemptTest, ConcludesASuccessByKeepingWhatItWrote) {
  VaultFixture vault;
  auto attempt = vault.NewAttempt(FullCall(vault, Action::kRecordPut));
  attempt->data().Put("key", "value");
  attempt->Withhold("answer");
  attempt->event().outcome = audit::Outcome::kAllowed;
  attempt->event().reason = Reason::kNone;
  attempt->Conclude(absl::OkStatus());
  const test::Committed committed = vault.Commit(std::move(attempt));
  EXPECT_THAT(committed.status, IsOk());
  EXPECT_EQ(committed.answer, "answer");
  EXPECT_EQ(test::Stored(vault.data(), "key"), "value");
  EXPECT_EQ(vault.LastEvent().outcome, audit::Outcome::kAllowed);
}

TEST(AttemptTest, LeavesExactlyOneEventWhateverBecameOfIt) {
  VaultFixture vault;
  const Call call = FullCall(vault, Action::kRecordPut);
  const std::vector<absl::Status> ends = {
      absl::OkStatus(), base::Fail(Reason::kValueInvalid),
      absl::DataLossError("injected"), absl::UnknownError("injected"),
      absl::CancelledError("injected")};
  for (size_t i = 0; i < ends.size(); ++i) {
    auto attempt = vault.NewAttempt(call);
    attempt->Conclude(ends[i]);
    ASSERT_THAT(vault.Commit(std::move(attempt)).status, IsOk());
    EXPECT_EQ(vault.Events().size(), i + 1);
  }
}

TEST(AttemptTest, NotesErrorsThatAreNotItsOwnByWhatTheyMean) {
  VaultFixture vault;
  const Call call = FullCall(vault, Action::kRecordPut);
  auto attempt = vault.NewAttempt(call);
  attempt->Conclude(absl::DataLossError("injected"));
  EXPECT_EQ(attempt->event().reason, Reason::kIntegrityFailure);
  attempt = vault.NewAttempt(call);
  attempt->Conclude(absl::InvalidArgumentError("injected"));
  EXPECT_EQ(attempt->event().reason, Reason::kInternal);
}

TEST(AttemptTest, LeavesAnEventForEachPersonOfAnAnswer) {
  VaultFixture vault;
  auto attempt = vault.NewAttempt(FullCall(vault, Action::kSubjectFind));
  attempt->event().outcome = audit::Outcome::kAllowed;
  attempt->event().reason = Reason::kNone;
  attempt->event().fields = {102};
  attempt->event().records = 1;
  attempt->BeginAnotherEvent();
  // The second says nothing until it is decided upon.
  EXPECT_EQ(attempt->event().outcome, audit::Outcome::kFailed);
  EXPECT_EQ(attempt->event().reason, Reason::kInternal);
  EXPECT_TRUE(attempt->event().fields.empty());
  EXPECT_EQ(attempt->event().records, 0);
  EXPECT_EQ(attempt->event().actor, kFull);
  attempt->Conclude(absl::OkStatus());
  ASSERT_THAT(vault.Commit(std::move(attempt)).status, IsOk());
  const auto events = vault.Events();
  ASSERT_EQ(events.size(), 2);
  EXPECT_EQ(events[0].outcome, audit::Outcome::kAllowed);
  EXPECT_EQ(events[1].outcome, audit::Outcome::kFailed);
}

TEST(AttemptTest, LeavesOneEventOfAnAnswerThatWasTakenBack) {
  VaultFixture vault;
  auto attempt = vault.NewAttempt(FullCall(vault, Action::kSubjectFind));
  attempt->event().outcome = audit::Outcome::kAllowed;
  attempt->BeginAnotherEvent();
  attempt->Conclude(base::Fail(Reason::kIntegrityFailure));
  ASSERT_THAT(vault.Commit(std::move(attempt)).status, IsOk());
  ASSERT_EQ(vault.Events().size(), 1);
  EXPECT_EQ(vault.LastEvent().reason, Reason::kIntegrityFailure);
}

TEST(VersionTokenTest, DiffersForDifferentKeys) {
  EXPECT_EQ(TokenOf("key"), TokenOf(std::string("key")));
  EXPECT_NE(TokenOf("key"), TokenOf("kez"));
  EXPECT_NE(TokenOf("key"), TokenOf(std::string_view("key\0", 4)));
}

}  // namespace
}  // namespace hizo::vault
