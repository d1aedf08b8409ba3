// The one path of every call: who may enter it, that nothing leaves it before
// it is durable, and that each call leaves one event.
#include "service/rpc/dispatch.h"

#include <chrono>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/service/rpc/dispatch_world.h"

namespace hizo::rpc {
namespace {

using base::Reason;
using test::FaultyEngine;
using test::HasReason;
using test::IsOk;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kRow[] = "Zrow";

absl::StatusOr<std::string> Secret(const Incoming& /*incoming*/,
                                   vault::Attempt& /*attempt*/) {
  return std::string("a secret");
}

// For methods that must not be reached.
absl::StatusOr<std::string> Unreachable(const Incoming& /*incoming*/,
                                        vault::Attempt& /*attempt*/) {
  ADD_FAILURE() << "the use case ran";
  return std::string();
}

TEST(DispatchTest, GivesTheUseCaseWhatItKnowsOfTheCall) {
  DispatchWorld world;
  const Answered answered =
      world.Call([&world](const Incoming& incoming, vault::Attempt&) {
        EXPECT_EQ(incoming.principal.spiffe_id, test::kFull);
        EXPECT_EQ(incoming.tenant.id, test::kAcme);
        EXPECT_EQ(incoming.action, policy::Action::kRecordGet);
        EXPECT_EQ(incoming.now, world.vault().clock().Now());
        return std::string(incoming.body);
      });
  EXPECT_THAT(answered.status, IsOk());
  EXPECT_EQ(answered.answer, "body");
}

TEST(DispatchTest, LeavesOneEventThatSaysWhoAskedForWhat) {
  DispatchWorld world;
  ASSERT_THAT(world.Call(Secret).status, IsOk());
  ASSERT_THAT(world.vault().Events(), SizeIs(1));
  const audit::Event event = world.vault().LastEvent();
  EXPECT_EQ(event.actor, test::kFull);
  EXPECT_EQ(event.tenant, test::kAcme);
  EXPECT_EQ(event.action, policy::Action::kRecordGet);
  EXPECT_EQ(event.catalogue_version, world.vault().catalogue().version());
}

TEST(DispatchTest, AnswersOnlyOnceTheEventIsDurable) {
  DispatchWorld world;
  const Method method = MethodOf(Secret);
  Inbox inbox;
  bool answered_early = true;
  uint64_t events_at_answer = 0;
  world.vault().data().BeforeCommit([&] { answered_early = inbox.answered(); });
  world.Serve(DispatchWorld::RequestOf(&method), inbox);
  EXPECT_EQ(inbox.Wait().answer, "a secret");
  events_at_answer = world.vault().store().log().head().size;
  EXPECT_FALSE(answered_early);
  EXPECT_EQ(events_at_answer, 1U);
}

TEST(DispatchTest, GivesNothingOutIfTheEventCannotBeWritten) {
  DispatchWorld world;
  world.vault().data().FailCommit(1, FaultyEngine::When::kBeforeApplied,
                                  absl::ResourceExhaustedError("full"));
  const Answered answered = world.Call(Secret);
  EXPECT_THAT(answered.status, HasReason(Reason::kAuditUnavailable));
  EXPECT_EQ(answered.answer, "");
  EXPECT_THAT(world.vault().Events(), IsEmpty());
  // A full disk may have room again.
  EXPECT_EQ(world.Call(Secret).answer, "a secret");
}

TEST(DispatchTest, GivesNothingOutWhileNobodyKnowsWhetherTheEventIsThere) {
  DispatchWorld world;
  world.vault().data().FailCommit(1, FaultyEngine::When::kAfterApplied,
                                  absl::UnknownError("injected"));
  const Answered unknown = world.Call(Secret);
  EXPECT_THAT(unknown.status, HasReason(Reason::kOutcomeUnknown));
  EXPECT_EQ(unknown.answer, "");
  const Answered after = world.Call(Secret);
  EXPECT_THAT(after.status, HasReason(Reason::kAuditUnavailable));
  EXPECT_EQ(after.answer, "");
  EXPECT_FALSE(world.vault().store().committer().healthy());
}

// A use case whose answer is that nobody is there.
absl::StatusOr<std::string> Miss(const Incoming& /*incoming*/,
                                 vault::Attempt& attempt) {
  attempt.NoteMiss();
  return base::Fail(Reason::kSubjectNotFound);
}

TEST(DispatchTest, ACallerThatMissesTooOftenHasToWait) {
  DispatchWorld world;
  for (uint32_t i = 0; i < DispatchWorld::kMissesPerMinute; ++i) {
    EXPECT_THAT(world.Call(Miss).status, HasReason(Reason::kSubjectNotFound));
  }
  const Answered limited = world.Call(Unreachable);
  EXPECT_THAT(limited.status, HasReason(Reason::kRateLimited));
  EXPECT_GT(base::RetryAfterOf(limited.status).count(), 0);
  const audit::Event event = world.vault().LastEvent();
  EXPECT_EQ(event.outcome, audit::Outcome::kDenied);
  EXPECT_EQ(event.reason, Reason::kRateLimited);
  world.vault().clock().Advance(base::RetryAfterOf(limited.status));
  EXPECT_THAT(world.Call(Secret).status, IsOk());
}

TEST(DispatchTest, WhatIsNoMissCostsNothing) {
  DispatchWorld world;
  for (uint32_t i = 0; i < 10 * DispatchWorld::kMissesPerMinute; ++i) {
    EXPECT_THAT(world.Call(Secret).status, IsOk());
  }
}

TEST(DispatchTest, TryingAValueThatIsTakenIsAMiss) {
  DispatchWorld world;
  const auto taken = [](const Incoming&,
                        vault::Attempt&) -> absl::StatusOr<std::string> {
    return base::Fail(Reason::kAlreadyExists, 102);
  };
  for (uint32_t i = 0; i < DispatchWorld::kMissesPerMinute; ++i) {
    EXPECT_THAT(world.Call(taken).status, HasReason(Reason::kAlreadyExists));
  }
  EXPECT_THAT(world.Call(taken).status, HasReason(Reason::kRateLimited));
}

TEST(DispatchTest, AFailedUseCaseLeavesAnEventAndNoneOfItsWrites) {
  DispatchWorld world;
  const Answered answered =
      world.Call([](const Incoming&,
                    vault::Attempt& attempt) -> absl::StatusOr<std::string> {
        attempt.data().Put(kRow, "written");
        return base::Fail(Reason::kValueInvalid, 102);
      });
  EXPECT_THAT(answered.status, HasReason(Reason::kValueInvalid));
  EXPECT_EQ(base::FieldOf(answered.status), 102);
  EXPECT_EQ(answered.answer, "");
  EXPECT_FALSE(world.vault().data().Get(kRow)->has_value());
  ASSERT_THAT(world.vault().Events(), SizeIs(1));
  EXPECT_EQ(world.vault().LastEvent().outcome, audit::Outcome::kFailed);
  EXPECT_EQ(world.vault().LastEvent().reason, Reason::kValueInvalid);
}

TEST(DispatchTest, RefusesACallerWhoIsNotConfigured) {
  DispatchWorld world;
  const Method method = MethodOf(Unreachable);
  for (const char* actor : {"", "spiffe://acme.example/stranger"}) {
    Exchange::Request request = DispatchWorld::RequestOf(&method);
    request.actor = actor;
    EXPECT_THAT(world.Call(std::move(request)).status,
                HasReason(Reason::kUnauthenticated));
  }
  ASSERT_THAT(world.vault().Events(), SizeIs(2));
  const audit::Event event = world.vault().LastEvent();
  EXPECT_EQ(event.outcome, audit::Outcome::kDenied);
  EXPECT_EQ(event.reason, Reason::kUnauthenticated);
  EXPECT_EQ(event.action, policy::Action::kRecordGet);
  EXPECT_EQ(event.tenant, base::TenantId::kStore);
}

TEST(DispatchTest, AnEndlessNameOfAStrangerDoesNotKeepItsEventOut) {
  DispatchWorld world;
  Exchange::Request request = DispatchWorld::RequestOf(nullptr);
  request.actor = "spiffe://" + std::string(100'000, 'x');
  EXPECT_THAT(world.Call(std::move(request)).status,
              HasReason(Reason::kUnauthenticated));
  ASSERT_THAT(world.vault().Events(), SizeIs(1));
  EXPECT_LE(world.vault().LastEvent().actor.size(), audit::kActorSizeMax);
}

TEST(DispatchTest, ACallOfNoMethodLeavesAnEvent) {
  DispatchWorld world;
  EXPECT_THAT(world.Call(DispatchWorld::RequestOf(nullptr)).status,
              HasReason(Reason::kMethodUnknown));
  ASSERT_THAT(world.vault().Events(), SizeIs(1));
  EXPECT_EQ(world.vault().LastEvent().action, policy::Action::kNone);
  EXPECT_EQ(world.vault().LastEvent().reason, Reason::kMethodUnknown);
}

TEST(DispatchTest, WhatTheTransportRefusedLeavesAnEvent) {
  DispatchWorld world;
  const Method method = MethodOf(Unreachable);
  Exchange::Request request = DispatchWorld::RequestOf(&method);
  request.refused = Reason::kMalformedRequest;
  EXPECT_THAT(world.Call(std::move(request)).status,
              HasReason(Reason::kMalformedRequest));
  ASSERT_THAT(world.vault().Events(), SizeIs(1));
  EXPECT_EQ(world.vault().LastEvent().reason, Reason::kMalformedRequest);
}

TEST(DispatchTest, ACallWhoseDeadlinePassedIsNotRun) {
  DispatchWorld world;
  const Method method = MethodOf(Unreachable);
  Exchange::Request request = DispatchWorld::RequestOf(&method);
  request.deadline = world.vault().clock().Now() - std::chrono::microseconds(1);
  EXPECT_THAT(world.Call(std::move(request)).status,
              HasReason(Reason::kDeadlineExceeded));
  ASSERT_THAT(world.vault().Events(), SizeIs(1));
  EXPECT_EQ(world.vault().LastEvent().reason, Reason::kDeadlineExceeded);
}

TEST(DispatchTest, ACallWhoseCallerHasGoneIsNotRun) {
  DispatchWorld world;
  const Method method = MethodOf(Unreachable, Lane::kPassword);
  Inbox inbox;
  inbox.Abandon();
  world.Serve(DispatchWorld::RequestOf(&method), inbox);
  EXPECT_THAT(inbox.Wait().status, HasReason(Reason::kDeadlineExceeded));
  ASSERT_THAT(world.vault().Events(), SizeIs(1));
  EXPECT_EQ(world.vault().LastEvent().reason, Reason::kDeadlineExceeded);
}

TEST(DispatchTest, WhatIsRefusedTakesNoPlaceAmongThePasswords) {
  DispatchWorld world;
  const PoolFiller busy(world.passwords(), DispatchWorld::kPoolQueueMax);
  const Method method = MethodOf(Unreachable, Lane::kPassword);
  Exchange::Request request = DispatchWorld::RequestOf(&method);
  request.refused = Reason::kMalformedRequest;
  EXPECT_THAT(world.Call(std::move(request)).status,
              HasReason(Reason::kMalformedRequest));
}

TEST(DispatchTest, ACallIsRunUpToItsDeadline) {
  DispatchWorld world;
  const Method method = MethodOf(Secret);
  Exchange::Request request = DispatchWorld::RequestOf(&method);
  request.deadline = world.vault().clock().Now();
  EXPECT_THAT(world.Call(std::move(request)).status, IsOk());
}

TEST(DispatchTest, HashesPasswordsOnTheirOwnThread) {
  DispatchWorld world;
  std::thread::id ran_on;
  const auto note_thread = [&ran_on](const Incoming&, vault::Attempt&) {
    ran_on = std::this_thread::get_id();
    return std::string();
  };
  const Method hashing = MethodOf(note_thread, Lane::kPassword);
  ASSERT_THAT(world.Call(DispatchWorld::RequestOf(&hashing)).status, IsOk());
  EXPECT_NE(ran_on, std::this_thread::get_id());
  const Method serving = MethodOf(note_thread, Lane::kServe);
  ASSERT_THAT(world.Call(DispatchWorld::RequestOf(&serving)).status, IsOk());
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(DispatchTest, APasswordCallThatFindsNoPlaceIsRefusedWithAnEvent) {
  DispatchWorld world;
  const Method method = MethodOf(Unreachable, Lane::kPassword);
  {
    const PoolFiller filler(world.passwords(), DispatchWorld::kPoolQueueMax);
    const absl::Status refused =
        world.Call(DispatchWorld::RequestOf(&method)).status;
    EXPECT_THAT(refused, HasReason(Reason::kOverloaded));
    EXPECT_EQ(base::RetryAfterOf(refused), std::chrono::seconds(1));
    // Others are served meanwhile.
    EXPECT_THAT(world.Call(Secret).status, IsOk());
  }
  ASSERT_THAT(world.vault().Events(), SizeIs(2));
  EXPECT_EQ(world.vault().Events().front().reason, Reason::kOverloaded);
  EXPECT_EQ(world.vault().Events().front().outcome, audit::Outcome::kFailed);
}

TEST(DispatchTest, APasswordCallThatWouldNotBeInTimeIsRefusedAtOnce) {
  DispatchWorld world;
  const auto spend = [](const Incoming&, vault::Attempt&) {
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin <
           std::chrono::milliseconds(1)) {
    }
    return std::string();
  };
  const Method slow = MethodOf(spend, Lane::kPassword);
  ASSERT_THAT(world.Call(DispatchWorld::RequestOf(&slow)).status, IsOk());
  const Method never = MethodOf(Unreachable, Lane::kPassword);
  const Method secret = MethodOf(Secret, Lane::kPassword);
  const base::Timestamp now = world.vault().clock().Now();
  Inbox in_time;
  {
    const PoolFiller busy(world.passwords(), 0);
    Exchange::Request request = DispatchWorld::RequestOf(&never);
    request.deadline = now + std::chrono::microseconds(1);
    const Answered refused = world.Call(std::move(request));
    EXPECT_THAT(refused.status, HasReason(Reason::kOverloaded));
    EXPECT_GE(base::RetryAfterOf(refused.status), std::chrono::seconds(1));
    EXPECT_EQ(world.vault().LastEvent().reason, Reason::kOverloaded);
    request = DispatchWorld::RequestOf(&secret);
    request.deadline = now + std::chrono::hours(1);
    world.Serve(std::move(request), in_time);
  }
  EXPECT_THAT(in_time.Wait().status, IsOk());
}

TEST(DispatchTest, RefusesMoreThanTheCommitterTakes) {
  test::VaultFixture::Options options;
  options.committer.queue_max = 1;
  DispatchWorld world(options);
  const Method method = MethodOf(Secret);
  std::latch busy(1);
  std::latch release(1);
  world.vault().data().BeforeCommit([&] {
    busy.count_down();
    release.wait();
  });
  Inbox committing;
  Inbox waiting;
  world.Serve(DispatchWorld::RequestOf(&method), committing);
  busy.wait();
  world.Serve(DispatchWorld::RequestOf(&method), waiting);
  const Answered refused = world.Call(DispatchWorld::RequestOf(&method));
  release.count_down();
  EXPECT_THAT(refused.status, HasReason(Reason::kOverloaded));
  EXPECT_EQ(refused.answer, "");
  EXPECT_EQ(committing.Wait().answer, "a secret");
  EXPECT_EQ(waiting.Wait().answer, "a secret");
}

}  // namespace
}  // namespace hizo::rpc
