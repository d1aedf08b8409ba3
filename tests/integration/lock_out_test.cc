// Waits after wrong passwords, over the whole service: killed between guesses,
// guessed at from many sides, seen and ended by whoever may.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "crypto/breached_list.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "hizo/v1/credential.pb.h"
#include "hizo/v1/erasure.pb.h"
#include "service/base/clock.h"
#include "service/base/reason.h"
#include "service/vault/guesses.h"
#include "tests/integration/requests.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using vault::kFreeGuesses;

bool Verify(const Peer& peer, const std::string& subject,
            const std::string& password) {
  const auto answer =
      peer.Ask<v1::VerifyPasswordResponse>(VerifyRequest(subject, password));
  EXPECT_THAT(answer, IsOk());
  return answer.ok() && answer->verified();
}

v1::CredentialState StateOf(const Peer& peer, const std::string& subject) {
  const auto answer = peer.Ask<v1::GetCredentialStateResponse>(
      CredentialRequest<v1::GetCredentialStateRequest>(subject));
  EXPECT_THAT(answer, IsOk());
  return answer.value_or(v1::GetCredentialStateResponse()).state();
}

std::string NewPerson(const Peer& peer) {
  const std::string subject =
      CreatePerson(peer, NewUuid() + "@example.com", "Ann Other");
  EXPECT_THAT(
      peer.Ask<v1::SetPasswordResponse>(PasswordRequest(subject, "right")),
      IsOk());
  return subject;
}

// SIGKILL after each wrong password, as soon as it is answered.
TEST(LockOutProcessTest, IsNotForgottenByAProcessThatIsKilled) {
  VaultFiles files;
  HizodProcess::Init(files);
  std::string subject;
  {
    HizodProcess hizod(files);
    ASSERT_TRUE(hizod.WaitUntilReady());
    subject = NewPerson(hizod.As("acme/full"));
    hizod.Kill();
  }
  for (size_t wrong = 1; wrong <= kFreeGuesses; ++wrong) {
    HizodProcess hizod(files);
    ASSERT_TRUE(hizod.WaitUntilReady());
    const Peer peer = hizod.As("acme/full");
    EXPECT_EQ(StateOf(peer, subject).wrong_guesses(),
              static_cast<int>(wrong) - 1);
    EXPECT_FALSE(Verify(peer, subject, "wrong"));
    hizod.Kill();
  }
  HizodProcess hizod(files);
  ASSERT_TRUE(hizod.WaitUntilReady());
  const Peer peer = hizod.As("acme/full");
  EXPECT_EQ(StateOf(peer, subject).wrong_guesses(),
            static_cast<int>(kFreeGuesses));
  // The wait is one of a second; if the start took longer, it is over.
  const bool verified = Verify(peer, subject, "right");
  const v1::CredentialState after = StateOf(peer, subject);
  EXPECT_EQ(verified, after.wrong_guesses() == 0);
  EXPECT_FALSE(verified && after.has_wait_until_time());
}

class LockOutTest : public ::testing::Test {
 protected:
  Peer Full() { return server_.As("acme/full"); }
  // Reasons of the password checks since `first`, and how many of each.
  std::map<Reason, size_t> ReasonsSince(uint64_t first) const {
    std::map<Reason, size_t> reasons;
    for (const audit::Event& event : server_.EventsFrom(first)) {
      if (event.action == policy::Action::kCredentialVerify) {
        ++reasons[event.reason];
      }
    }
    return reasons;
  }

  LiveServer server_;
};

TEST_F(LockOutTest, OfSixtyFourGuessesAtOnceGivesVerdictsToFive) {
  const std::string subject = NewPerson(Full());
  const uint64_t first = server_.EventCount();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([this, &subject, peer = Full()] {
      EXPECT_FALSE(Verify(peer, subject, "wrong"));
    });
  }
  threads.clear();
  const auto reasons = ReasonsSince(first);
  EXPECT_LE(reasons.at(Reason::kPasswordWrong), kFreeGuesses);
  EXPECT_EQ(reasons.at(Reason::kPasswordWrong) + reasons.at(Reason::kLockedOut),
            64U);
  EXPECT_FALSE(Verify(Full(), subject, "right"));
}

TEST_F(LockOutTest, GivesOneAnswerToEverythingThatIsNotRight) {
  const Peer peer = Full();
  const std::string locked = NewPerson(peer);
  for (size_t i = 0; i < kFreeGuesses; ++i) Verify(peer, locked, "wrong");
  const std::string erased = NewPerson(peer);
  ASSERT_THAT(peer.Ask<v1::ExecuteErasureResponse>(
                  EraseRequest<v1::ExecuteErasureRequest>(erased)),
              IsOk());
  const std::string revoked = NewPerson(peer);
  ASSERT_THAT(peer.Ask<v1::RevokeCredentialsResponse>(
                  CredentialRequest<v1::RevokeCredentialsRequest>(revoked)),
              IsOk());
  const auto answer_of = [&](const std::string& subject) {
    const Reply reply =
        peer.Call("/hizo.v1.CredentialService/VerifyPassword",
                  {VerifyRequest(subject, "not right").SerializeAsString()});
    EXPECT_EQ(reply.code, 0);
    EXPECT_THAT(reply.messages, SizeIs(1));
    return reply.messages.at(0);
  };
  const std::string wrong = answer_of(NewPerson(peer));
  for (const std::string& subject : {locked, erased, revoked, NewUuid()}) {
    EXPECT_EQ(answer_of(subject), wrong);
  }
}

TEST_F(LockOutTest, IsSeenAndEndedByWhoMay) {
  const std::string subject = NewPerson(Full());
  for (size_t i = 0; i < kFreeGuesses; ++i) Verify(Full(), subject, "wrong");
  EXPECT_TRUE(StateOf(Full(), subject).has_wait_until_time());
  EXPECT_FALSE(Verify(Full(), subject, "right"));
  const auto unlocked = Full().Ask<v1::UnlockCredentialsResponse>(
      CredentialRequest<v1::UnlockCredentialsRequest>(subject));
  ASSERT_THAT(unlocked, IsOk());
  EXPECT_EQ(unlocked->state().wrong_guesses(), static_cast<int>(kFreeGuesses));
  EXPECT_TRUE(Verify(Full(), subject, "right"));
}

TEST_F(LockOutTest, OfACallerIsShownInTheStatusAndEnded) {
  server_.Stop();
  server_.config().misses_per_minute = 3;
  ASSERT_THAT(server_.Start(), IsOk());
  const std::string subject = NewPerson(Full());
  for (int i = 0; i < 3; ++i) Verify(Full(), NewUuid(), "wrong");
  EXPECT_THAT(
      Full().Ask<v1::VerifyPasswordResponse>(VerifyRequest(subject, "right")),
      HasReason(Reason::kRateLimited));
  const Peer operator_peer = server_.As("acme/operator");
  v1::GetStatusRequest status;
  *status.mutable_context() = ContextFor("operations");
  const auto waiting = [&] {
    const auto answer = operator_peer.Ask<v1::GetStatusResponse>(status);
    EXPECT_THAT(answer, IsOk());
    std::vector<std::string> callers;
    for (const auto& wait : answer->waiting_callers()) {
      callers.push_back(wait.caller());
    }
    return callers;
  };
  EXPECT_THAT(waiting(), ElementsAre("spiffe://hizo.example/acme/full"));
  v1::UnlockCallerRequest unlock;
  *unlock.mutable_context() = ContextFor("operations");
  unlock.set_caller("spiffe://hizo.example/acme/full");
  const auto unlocked = operator_peer.Ask<v1::UnlockCallerResponse>(unlock);
  ASSERT_THAT(unlocked, IsOk());
  EXPECT_EQ(unlocked->seconds_left(), 1);
  EXPECT_THAT(waiting(), IsEmpty());
  EXPECT_TRUE(Verify(Full(), subject, "right"));
}

TEST_F(LockOutTest, LeavesRotatedPeppersAndChangedPasswordsRight) {
  const std::string subject = NewPerson(Full());
  v1::RotatePepperRequest rotate;
  *rotate.mutable_context() = ContextFor("operations");
  const auto rotated =
      server_.As("acme/operator").Ask<v1::RotatePepperResponse>(rotate);
  ASSERT_THAT(rotated, IsOk());
  EXPECT_EQ(rotated->pepper(), 2);
  EXPECT_TRUE(Verify(Full(), subject, "right"));
  const auto changed = Full().Ask<v1::ChangePasswordResponse>(
      ChangeRequest(subject, "right", "another"));
  ASSERT_THAT(changed, IsOk());
  EXPECT_TRUE(changed->changed());
  server_.Stop();
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_TRUE(Verify(Full(), subject, "another"));
  EXPECT_FALSE(Verify(Full(), subject, "right"));
}

TEST_F(LockOutTest, TakesNoPasswordOfTheOperatorsList) {
  const auto file = server_.files().directory() / "breached.list";
  server_.Stop();
  server_.config().password_breached_file = file;
  server_.files().Write("breached.list", "no list");
  const absl::Status refused = server_.Start();
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("password.breached_file"));
  std::filesystem::remove(file);
  auto writer = crypto::BreachedListWriter::Create(file);
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT(
      writer->Add(crypto::BreachedPrefix(crypto::Secret::CopyOf("password1"))),
      IsOk());
  ASSERT_THAT(writer->Finish(), IsOk());
  ASSERT_THAT(server_.Start(), IsOk());
  const std::string subject = NewPerson(Full());
  EXPECT_THAT(Full().Ask<v1::SetPasswordResponse>(
                  PasswordRequest(subject, "password1")),
              HasReason(Reason::kPasswordBreached));
  EXPECT_TRUE(Verify(Full(), subject, "right"));
}

}  // namespace
}  // namespace hizo::test
