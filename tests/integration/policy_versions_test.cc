// Scenario 24 of the requirements: a new version of a policy adds a purpose.
// Under i7Relay's people are told over its channels and confirm it at their
// next log-in; under i-PRO's, whose Californian appendix asks for express
// consent, everybody is asked for it; under IJGN's only once a law is named
// that asks for it. The old purposes go on as before.
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/consent.pb.h"
#include "hizo/v1/policy.pb.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::SizeIs;

constexpr char kFull[] = "acme/full";
constexpr char kImprovement[] = "service_improvement";
constexpr char kNotice[] = "3f1e7b7c-94f4-4b57-9d0a-5a0a2a7c1b11";

class PolicyVersionsTest : public ::testing::Test {
 protected:
  void Adopt(const std::string& company) {
    company_ = company;
    files_ = PolicyFilesOf(company);
    server_.Stop();
    server_.files().AdoptPolicy(company);
    ASSERT_THAT(server_.Start(), IsOk());
    v1::CreateSubjectRequest request;
    *request.mutable_context() = ContextFor("onboarding");
    *request.add_records() =
        RecordOf("account",
                 {{"email", "ann@example.com"}, {"subscription_plan", "gold"}});
    const auto created =
        server_.As(kFull).Ask<v1::CreateSubjectResponse>(request);
    ASSERT_THAT(created, IsOk());
    ann_ = created->subject();
  }
  // The next version: `purpose` into the profile, `use` and `more` into the
  // overlay.
  void AddPurpose(const std::string& purpose, const std::string& use,
                  const std::string& more = "") {
    Insert("\npurposes:\n", "  - {id: " + purpose + ", clause: \"new\"}\n",
           *files_.mutable_profile());
    NextVersion(use, more);
  }
  // The next version, with another word on a purpose that is there.
  void NextVersion(const std::string& use, const std::string& more = "") {
    std::string& overlay = *files_.mutable_overlay();
    const std::string was = "\nversion: " + std::to_string(version_) + "\n";
    ++version_;
    const size_t at = overlay.find(was);
    ASSERT_NE(at, std::string::npos);
    overlay.replace(at, was.size(),
                    "\nversion: " + std::to_string(version_) + "\n" + more);
    Insert("\npurposes:\n", use, overlay);
  }
  void Forget(const std::string& use) {
    std::string& overlay = *files_.mutable_overlay();
    const size_t at = overlay.find(use);
    ASSERT_NE(at, std::string::npos);
    overlay.erase(at, use.size());
  }
  void Activate() {
    auto request = PolicyRequest<v1::ActivatePolicyRequest>(company_);
    *request.mutable_files() = files_;
    const auto activated =
        server_.As("acme/operator").Ask<v1::ActivatePolicyResponse>(request);
    EXPECT_THAT(activated, IsOk());
    if (activated.ok()) return;
    auto asked = PolicyRequest<v1::ValidatePolicyRequest>(company_);
    *asked.mutable_files() = files_;
    ADD_FAILURE() << server_.As("acme/operator")
                         .Ask<v1::ValidatePolicyResponse>(asked)
                         ->DebugString();
  }
  absl::Status Acknowledge(v1::AcknowledgementKind kind, v1::Channel channel) {
    v1::AcknowledgePolicyRequest request;
    *request.mutable_context() = ContextFor(kServicePurpose);
    request.set_subject(ann_);
    request.set_kind(kind);
    request.set_channel(channel);
    request.set_evidence(kNotice);
    return server_.As(kFull)
        .Ask<v1::AcknowledgePolicyResponse>(request)
        .status();
  }
  absl::Status Consent(const std::string& purpose) {
    return server_.As(kFull)
        .Ask<v1::RecordConsentResponse>(ConsentRequest(ann_, purpose))
        .status();
  }
  // What a read is told; its event names the version that decided.
  absl::Status Read(const std::string& purpose) {
    v1::GetRecordRequest read =
        GetRequest(ann_, "account",
                   {purpose == kImprovement ? "subscription_plan" : "email"});
    *read.mutable_context() = ContextFor(purpose);
    const uint64_t before = server_.EventCount();
    const absl::Status told =
        server_.As(kFull).Ask<v1::GetRecordResponse>(read).status();
    const auto events = server_.EventsFrom(before);
    EXPECT_THAT(events, SizeIs(1));
    EXPECT_EQ(events.at(0).policy_version, version_);
    return told;
  }

  LiveServer server_;
  std::string company_;
  v1::PolicyFiles files_;
  uint32_t version_ = 1;
  std::string ann_;

 private:
  static void Insert(const std::string& after, const std::string& what,
                     std::string& text) {
    const size_t at = text.find(after);
    ASSERT_NE(at, std::string::npos) << after;
    text.insert(at + after.size(), what);
  }
};

TEST_F(PolicyVersionsTest, Scenario24I7RelayTellsThreeTimesAndAsksAtTheLogIn) {
  Adopt("i7relay");
  EXPECT_THAT(Read("onboarding"), IsOk());
  // `onboarding` becomes a purpose of its own, of who has confirmed it.
  std::string& overlay = *files_.mutable_overlay();
  const std::string serves = "service_delivery, onboarding, authentication";
  overlay.replace(overlay.find(serves), serves.size(),
                  "service_delivery, authentication");
  AddPurpose("guided_tour, marketing: false",
             "  guided_tour: {serves: [onboarding], legal_basis: contract, "
             "acceptance_from_version: 2, by: dpo, because: \"New.\"}\n",
             "notices:\n  web: {by: dpo, because: \"11\"}\n"
             "  email: {by: dpo, because: \"11\"}\n"
             "  login: {by: dpo, because: \"11\"}\n");
  Activate();
  EXPECT_THAT(Read("onboarding"), HasReason(Reason::kPolicyReconsentRequired));
  EXPECT_THAT(Read("service_delivery"), IsOk());
  EXPECT_THAT(Read("support"), IsOk());
  for (const v1::Channel channel :
       {v1::CHANNEL_WEB, v1::CHANNEL_EMAIL, v1::CHANNEL_LOGIN}) {
    EXPECT_THAT(
        Acknowledge(v1::ACKNOWLEDGEMENT_KIND_ACCEPTED, v1::CHANNEL_LOGIN),
        HasReason(Reason::kEvidenceMissing));
    EXPECT_THAT(Acknowledge(v1::ACKNOWLEDGEMENT_KIND_NOTIFIED, channel),
                IsOk());
    EXPECT_THAT(Read("onboarding"),
                HasReason(Reason::kPolicyReconsentRequired));
  }
  EXPECT_THAT(Acknowledge(v1::ACKNOWLEDGEMENT_KIND_ACCEPTED, v1::CHANNEL_LOGIN),
              IsOk());
  EXPECT_THAT(Read("onboarding"), IsOk());
  v1::ListConsentsRequest list;
  *list.mutable_context() = ContextFor(kServicePurpose);
  list.set_subject(ann_);
  const auto said = server_.As(kFull).Ask<v1::ListConsentsResponse>(list);
  ASSERT_THAT(said, IsOk());
  EXPECT_THAT(said->acknowledgements(), SizeIs(4));
  EXPECT_THAT(said->consents(), SizeIs(0));
}

TEST_F(PolicyVersionsTest, Scenario24IproAsksForExpressConsent) {
  Adopt("ipro");
  EXPECT_THAT(Read("support"), IsOk());
  EXPECT_THAT(Read("authentication"), HasReason(Reason::kPurposeNotAllowed));
  AddPurpose("customer_portal, marketing: false",
             "  customer_portal: {serves: [authentication], "
             "legal_basis: consent, by: dpo, because: \"A3.\"}\n");
  Activate();
  EXPECT_THAT(Read("support"), IsOk());
  EXPECT_THAT(Read("authentication"), HasReason(Reason::kConsentRequired));
  EXPECT_THAT(Acknowledge(v1::ACKNOWLEDGEMENT_KIND_ACCEPTED, v1::CHANNEL_LOGIN),
              IsOk());
  EXPECT_THAT(Read("authentication"), HasReason(Reason::kConsentRequired));
  EXPECT_THAT(Consent("authentication"), IsOk());
  EXPECT_THAT(Read("authentication"), IsOk());
}

TEST_F(PolicyVersionsTest, Scenario24IjgnAsksOnlyOnceALawIsNamed) {
  Adopt("ijgn");
  EXPECT_THAT(Read("service_delivery"), IsOk());
  std::string& overlay = *files_.mutable_overlay();
  const std::string serves = "[service_delivery, service_improvement]";
  overlay.replace(overlay.find(serves), serves.size(), "[service_delivery]");
  const std::string use =
      "  customer_research: {serves: [service_improvement], "
      "legal_basis: legitimate_interest, by: dpo, because: \"New.\"}\n";
  AddPurpose("customer_research, marketing: false", use);
  Activate();
  EXPECT_THAT(Read(kImprovement), IsOk());
  // Then a law asks for consent after all.
  Forget(use);
  NextVersion(
      "  customer_research: {serves: [service_improvement], "
      "legal_basis: consent, by: dpo, because: \"APPI 18(1).\"}\n");
  Activate();
  EXPECT_THAT(Read(kImprovement), HasReason(Reason::kConsentRequired));
  EXPECT_THAT(Read("service_delivery"), IsOk());
  EXPECT_THAT(Consent(kImprovement), IsOk());
  EXPECT_THAT(Read(kImprovement), IsOk());
}

}  // namespace
}  // namespace hizo::test
