// What people consent and object to, over the wire, under the policies that are
// shipped. Scenarios of the requirements by their numbers.
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/consent.pb.h"
#include "hizo/v1/restriction.pb.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kFull[] = "acme/full";
constexpr char kMarketing[] = "communications_marketing";
constexpr char kNotices[] = "communications_service";
constexpr char kImprovement[] = "service_improvement";
constexpr char kNotice[] = "3f1e7b7c-94f4-4b57-9d0a-5a0a2a7c1b11";
constexpr char kEmail[] = "ann@example.com";

class ConsentTest : public ::testing::Test {
 protected:
  void Adopt(const std::string& company,
             const std::filesystem::path& overlay = {}) {
    server_.Stop();
    server_.files().AdoptPolicy(company, overlay);
    ASSERT_THAT(server_.Start(), IsOk());
  }
  // Somebody with an account and nothing else: not every policy has profiles.
  void Enter() {
    v1::CreateSubjectRequest request;
    *request.mutable_context() = ContextFor("onboarding");
    *request.add_records() =
        RecordOf("account", {{"email", kEmail}, {"subscription_plan", "gold"}});
    ann_ = server_.As(kFull)
               .Ask<v1::CreateSubjectResponse>(request)
               .value()
               .subject();
  }
  void Wait() { server_.clock().Advance(std::chrono::seconds(1)); }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Ask(Request request) {
    *request.mutable_context() = ContextFor(kServicePurpose);
    request.set_subject(ann_);
    return server_.As(kFull).Ask<Response>(request);
  }
  absl::Status Consent(const std::string& purpose) {
    return server_.As(kFull)
        .Ask<v1::RecordConsentResponse>(ConsentRequest(ann_, purpose))
        .status();
  }
  absl::Status Withdraw(const std::string& purpose) {
    v1::WithdrawConsentRequest request;
    request.set_consent_purpose(purpose);
    return Ask<v1::WithdrawConsentResponse>(request).status();
  }
  absl::Status Object(const std::string& purpose) {
    v1::RecordObjectionRequest request;
    request.set_objected_purpose(purpose);
    return Ask<v1::RecordObjectionResponse>(request).status();
  }
  absl::Status ObjectToMarketing() {
    v1::RecordObjectionRequest request;
    request.set_direct_marketing(true);
    return Ask<v1::RecordObjectionResponse>(request).status();
  }
  absl::Status Reject(v1::DecideObjectionRequest request,
                      const std::string& notice) {
    request.set_decision(v1::OBJECTION_STATE_REJECTED);
    request.set_ground(v1::OBJECTION_GROUND_COMPELLING);
    request.set_notice(notice);
    return Ask<v1::DecideObjectionResponse>(request).status();
  }
  absl::Status Restrict(v1::RestrictionGround ground) {
    v1::SetRestrictionRequest request;
    request.set_ground(ground);
    return Ask<v1::SetRestrictionResponse>(request).status();
  }
  absl::Status Lift(v1::RestrictionGround ground, const std::string& notice) {
    v1::LiftRestrictionRequest request;
    request.set_ground(ground);
    request.set_notice(notice);
    return Ask<v1::LiftRestrictionResponse>(request).status();
  }
  v1::ListConsentsResponse Said() {
    return Ask<v1::ListConsentsResponse>(v1::ListConsentsRequest()).value();
  }
  v1::GetRecordRequest ReadRequest(const std::string& purpose) const {
    v1::GetRecordRequest read =
        GetRequest(ann_, "account",
                   {purpose == kImprovement ? "subscription_plan" : "email"});
    *read.mutable_context() = ContextFor(purpose);
    return read;
  }
  // What a read for the purpose is told; a check says the same.
  absl::Status Read(const std::string& purpose) {
    const v1::GetRecordRequest read = ReadRequest(purpose);
    const absl::Status told =
        server_.As(kFull).Ask<v1::GetRecordResponse>(read).status();
    v1::CheckPurposeRequest check;
    check.set_checked_action(v1::ACTION_RECORD_GET);
    check.set_checked_purpose(purpose);
    check.add_fields("account." + read.read_mask().paths(0));
    check.set_view(v1::VIEW_PLAIN);
    const auto checked = Ask<v1::CheckPurposeResponse>(check);
    EXPECT_THAT(checked, IsOk());
    if (checked.ok()) {
      EXPECT_EQ(checked->allowed(), told.ok());
      EXPECT_EQ(static_cast<int>(checked->reason()),
                static_cast<int>(base::ReasonOf(told)));
      last_check_ = *checked;
    }
    return told;
  }

  LiveServer server_;
  std::string ann_;
  v1::CheckPurposeResponse last_check_;
};

TEST_F(ConsentTest, Scenario14CancellingIsWithdrawing) {
  Adopt("iotone");
  Enter();
  ASSERT_THAT(Read(kMarketing), HasReason(Reason::kConsentRequired));
  ASSERT_THAT(Consent(kMarketing), IsOk());
  EXPECT_THAT(Read(kMarketing), IsOk());
  EXPECT_EQ(last_check_.policy_purpose(), "marketing");
  EXPECT_EQ(last_check_.clause(), "l.68");
  EXPECT_EQ(last_check_.basis(), "consent");
  EXPECT_EQ(last_check_.policy_version(), 1);
  Wait();
  const uint64_t before = server_.EventCount();
  EXPECT_THAT(
      Ask<v1::CancelAccountResponse>(v1::CancelAccountRequest()).status(),
      IsOk());
  // One event, one write: there is no moment between the two.
  const auto events = server_.EventsFrom(before);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_THAT(events[0].writes, SizeIs(1));
  EXPECT_THAT(Read(kMarketing), HasReason(Reason::kConsentWithdrawn));
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_THAT(Read(kMarketing), HasReason(Reason::kConsentWithdrawn));
  const auto said = Said();
  ASSERT_EQ(said.consents_size(), 1);
  EXPECT_EQ(said.consents(0).withdrawal_cause(),
            v1::WITHDRAWAL_CAUSE_ACCOUNT_CANCELLED);
  EXPECT_FALSE(said.consents(0).in_force());
  EXPECT_THAT(Consent(kMarketing), HasReason(Reason::kPurposeNotAllowed));
}

TEST_F(ConsentTest, Scenario16WhatIsContestedIsOnlyKept) {
  Adopt("i7relay");
  Enter();
  ASSERT_THAT(Consent(kMarketing), IsOk());
  ASSERT_THAT(Withdraw(kMarketing), IsOk());
  const auto ground = v1::RESTRICTION_GROUND_ACCURACY_CONTESTED;
  ASSERT_THAT(Restrict(ground), IsOk());
  Wait();
  EXPECT_THAT(Read(kSupportPurpose), HasReason(Reason::kProcessingRestricted));
  EXPECT_THAT(Read(kNotices), HasReason(Reason::kProcessingRestricted));
  EXPECT_EQ(last_check_.rule(), "not-restricted");
  // GDPR 18(2): with a consent of theirs.
  ASSERT_THAT(Consent(kSupportPurpose), IsOk());
  EXPECT_THAT(Read(kSupportPurpose), IsOk());
  EXPECT_THAT(Lift(ground, ""), HasReason(Reason::kEvidenceMissing));
  EXPECT_THAT(Read(kNotices), HasReason(Reason::kProcessingRestricted));
  EXPECT_THAT(Said().restrictions(), SizeIs(1));
  EXPECT_THAT(Lift(ground, kNotice), IsOk());
  EXPECT_THAT(Read(kNotices), IsOk());
  EXPECT_THAT(Said().restrictions(), IsEmpty());
}

TEST_F(ConsentTest, Scenario18AnObjectionToAnInterestIsDecided) {
  Adopt("i7relay");
  Enter();
  ASSERT_THAT(Read(kImprovement), IsOk());
  EXPECT_EQ(last_check_.basis(), "legitimate_interest");
  ASSERT_THAT(Object(kImprovement), IsOk());
  EXPECT_THAT(Read(kImprovement), HasReason(Reason::kObjected));
  EXPECT_THAT(Read(kNotices), IsOk());
  v1::DecideObjectionRequest decision;
  decision.set_objected_purpose(kImprovement);
  EXPECT_THAT(Reject(decision, ""), HasReason(Reason::kEvidenceMissing));
  EXPECT_THAT(Read(kImprovement), HasReason(Reason::kObjected));
  ASSERT_THAT(Reject(decision, kNotice), IsOk());
  EXPECT_THAT(Read(kImprovement), IsOk());
  const auto said = Said();
  ASSERT_EQ(said.objections_size(), 1);
  EXPECT_EQ(said.objections(0).state(), v1::OBJECTION_STATE_REJECTED);
  EXPECT_EQ(said.objections(0).ground(), v1::OBJECTION_GROUND_COMPELLING);
  EXPECT_EQ(said.objections(0).notice(), kNotice);
}

TEST_F(ConsentTest, Scenario19NobodyRejectsAnObjectionToMarketing) {
  Adopt("i7relay");
  Enter();
  ASSERT_THAT(Consent(kMarketing), IsOk());
  ASSERT_THAT(Read(kMarketing), IsOk());
  ASSERT_THAT(ObjectToMarketing(), IsOk());
  EXPECT_THAT(Read(kMarketing), HasReason(Reason::kObjected));
  v1::DecideObjectionRequest decision;
  decision.set_direct_marketing(true);
  EXPECT_THAT(Reject(decision, kNotice), HasReason(Reason::kObjectionAbsolute));
  decision.set_direct_marketing(false);
  decision.set_objected_purpose(kMarketing);
  EXPECT_THAT(Reject(decision, kNotice), HasReason(Reason::kObjectionAbsolute));
  EXPECT_THAT(Read(kMarketing), HasReason(Reason::kObjected));
  EXPECT_THAT(Read(kNotices), IsOk());
  EXPECT_TRUE(Said().objections(0).direct_marketing());
}

TEST_F(ConsentTest, Scenario21TheSecondBasisGoesOn) {
  Adopt("ipro");
  Enter();
  ASSERT_THAT(Consent(kMarketing), IsOk());
  EXPECT_EQ(Said().consents(0).consent_purpose(), kMarketing);
  Wait();
  ASSERT_THAT(Withdraw(kMarketing), IsOk());
  EXPECT_THAT(Read(kMarketing), HasReason(Reason::kConsentWithdrawn));
  EXPECT_EQ(last_check_.policy_purpose(), "newsletter");
  EXPECT_EQ(last_check_.clause(), "3.A.2");
  // The same address, under another basis: it is there, and used.
  EXPECT_THAT(Read(kNotices), IsOk());
  EXPECT_THAT(Read(kServicePurpose), IsOk());
  // What was read while it was allowed stays in the log as it was.
  const auto said = Said();
  EXPECT_TRUE(said.consents(0).has_withdraw_time());
  EXPECT_EQ(said.consents(0).withdrawal_cause(), v1::WITHDRAWAL_CAUSE_PERSON);
}

// i7Relay says that using its service is accepting its terms. Nothing that can
// be written down of that opens a purpose: a consent names one, and proof.
TEST_F(ConsentTest, Scenario23AcceptingTermsIsNoConsent) {
  Adopt("i7relay");
  Enter();
  for (const char* all : {"", "*", "terms", "service_delivery", kNotices}) {
    const absl::Status told = Consent(all);
    EXPECT_FALSE(told.ok()) << all;
  }
  EXPECT_THAT(Consent("terms"), HasReason(Reason::kNotInPolicy));
  EXPECT_THAT(Consent("service_delivery"),
              HasReason(Reason::kConsentNotNeeded));
  v1::RecordConsentRequest unproved = ConsentRequest(ann_, kMarketing);
  unproved.clear_evidence();
  EXPECT_THAT(server_.As(kFull).Ask<v1::RecordConsentResponse>(unproved),
              HasReason(Reason::kEvidenceMissing));
  EXPECT_THAT(Said().consents(), IsEmpty());
  EXPECT_THAT(Read(kMarketing), HasReason(Reason::kConsentRequired));
}

TEST_F(ConsentTest, Scenario24ANewVersionMayAskPeopleAgain) {
  Adopt("ipro");
  Enter();
  ASSERT_THAT(Consent(kMarketing), IsOk());
  ASSERT_THAT(Consent(kImprovement), IsOk());
  std::string overlay =
      ReadFile(HIZO_SOURCE_DIR "/deploy/policies/operator/ipro.yaml");
  const auto change = [&overlay](const std::string& from,
                                 const std::string& to) {
    const size_t at = overlay.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    overlay.replace(at, from.size(), to);
  };
  change("\nversion: 1\n", "\nversion: 2\n");
  change("newsletter: {", "newsletter: {consent_from_version: 2, ");
  Adopt("ipro", server_.files().Write("overlay.yaml", overlay));
  // Only what was changed is asked again.
  EXPECT_THAT(Read(kMarketing), HasReason(Reason::kConsentRequired));
  EXPECT_EQ(last_check_.policy_version(), 2);
  EXPECT_THAT(Read(kImprovement), IsOk());
  const auto said = Said();
  EXPECT_EQ(said.policy_version(), 2);
  ASSERT_EQ(said.consents_size(), 2);
  EXPECT_FALSE(said.consents(0).in_force());
  EXPECT_TRUE(said.consents(1).in_force());
  Wait();
  ASSERT_THAT(Consent(kMarketing), IsOk());
  EXPECT_THAT(Read(kMarketing), IsOk());
}

// Which version decided each read stands in the log, and who asks is told.
TEST_F(ConsentTest, Scenario24TheLogNamesThePolicyThatDecided) {
  Adopt("i7relay");
  Enter();
  ASSERT_THAT(Read(kNotices), IsOk());
  v1::QueryAuditRequest query = AuditRequest<v1::QueryAuditRequest>();
  query.set_subject(ann_);
  query.set_action(v1::ACTION_RECORD_GET);
  const auto log =
      server_.As("acme/auditor").Ask<v1::QueryAuditResponse>(query);
  ASSERT_THAT(log, IsOk());
  ASSERT_GE(log->events_size(), 1);
  EXPECT_EQ(log->events(0).policy_version(), 1);
  EXPECT_EQ(log->events(0).policy_sha256_prefix().size(), 16U);
  EXPECT_EQ(log->events(0).clause(), "2");
}

// Whoever asks after the withdrawal was acknowledged is refused, whatever else
// was under way.
TEST_F(ConsentTest, NoReadThatBeginsAfterTheWithdrawalIsAnswered) {
  Adopt("i7relay");
  Enter();
  for (int round = 0; round < 5; ++round) {
    Wait();
    ASSERT_THAT(Consent(kMarketing), IsOk());
    std::atomic<bool> withdrawn = false;
    std::atomic<int> answered = 0;
    std::atomic<int> late = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; ++i) {
      readers.emplace_back([&, peer = server_.As(kFull)]() mutable {
        for (bool after = false; !after;) {
          after = withdrawn;
          const auto read =
              peer.Ask<v1::GetRecordResponse>(ReadRequest(kMarketing));
          if (read.ok()) ++(after ? late : answered);
        }
      });
    }
    while (answered < 8) std::this_thread::yield();
    Wait();
    EXPECT_THAT(Withdraw(kMarketing), IsOk());
    withdrawn = true;
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(late, 0);
  }
}

// In a server as it is shipped: without a policy nothing is promised.
TEST_F(ConsentTest, WithoutAPolicyNothingIsWrittenDown) {
  Enter();
  EXPECT_THAT(Consent(kMarketing), HasReason(Reason::kNotInPolicy));
  EXPECT_THAT(ObjectToMarketing(), HasReason(Reason::kNotInPolicy));
  EXPECT_THAT(Restrict(v1::RESTRICTION_GROUND_UNLAWFUL),
              HasReason(Reason::kNotInPolicy));
  EXPECT_THAT(Said().consents(), IsEmpty());
  EXPECT_EQ(Said().policy_version(), 0);
}

TEST_F(ConsentTest, WhatIsNoneOfTheProtosWordsIsRefused) {
  Adopt("i7relay");
  Enter();
  v1::RecordConsentRequest consent = ConsentRequest(ann_, kMarketing);
  for (const int channel : {0, 7, -1}) {
    consent.set_channel(static_cast<v1::Channel>(channel));
    EXPECT_THAT(server_.As(kFull).Ask<v1::RecordConsentResponse>(consent),
                HasReason(Reason::kValueInvalid));
  }
  consent = ConsentRequest(ann_, kMarketing);
  consent.set_evidence("Ann signed it");
  EXPECT_THAT(server_.As(kFull).Ask<v1::RecordConsentResponse>(consent),
              HasReason(Reason::kValueInvalid));
  consent = ConsentRequest(ann_, kMarketing);
  consent.set_policy_version(-1);
  EXPECT_THAT(server_.As(kFull).Ask<v1::RecordConsentResponse>(consent),
              HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Restrict(v1::RESTRICTION_GROUND_UNSPECIFIED),
              HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Restrict(static_cast<v1::RestrictionGround>(5)),
              HasReason(Reason::kValueInvalid));
  v1::DecideObjectionRequest decision;
  decision.set_objected_purpose(kImprovement);
  decision.set_decision(static_cast<v1::ObjectionState>(4));
  EXPECT_THAT(Ask<v1::DecideObjectionResponse>(decision),
              HasReason(Reason::kValueInvalid));
}

}  // namespace
}  // namespace hizo::test
