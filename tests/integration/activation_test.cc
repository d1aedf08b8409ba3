// A company's policy, put in force over the wire: at once, for good, and not if
// its files are not in order. Scenario 25 of the requirements.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "hizo/v1/consent.pb.h"
#include "hizo/v1/policy.pb.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kFull[] = "acme/full";
constexpr char kOperator[] = "acme/operator";
constexpr char kCompany[] = "i7relay";

// `text` with the first `from` made `to`.
std::string With(std::string text, const std::string& from,
                 const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

std::string OverlayOf(uint32_t version) {
  return With(PolicyFilesOf(kCompany).overlay(), "\nversion: 1\n",
              "\nversion: " + std::to_string(version) + "\n");
}

// Without a basis for support and the like.
std::string OverlayWithoutSupport(uint32_t version) {
  return With(OverlayOf(version),
              "serves: [service_delivery, onboarding, authentication, support]",
              "serves: [service_delivery, onboarding, authentication]");
}

template <typename Server>
absl::StatusOr<v1::ActivatePolicyResponse> Activate(
    Server& server, const std::string& overlay) {
  return server.As(kOperator).template Ask<v1::ActivatePolicyResponse>(
      PolicyRequest<v1::ActivatePolicyRequest>(kCompany, overlay));
}

template <typename Server>
v1::CompanyPolicy Effective(Server& server) {
  v1::GetEffectivePolicyRequest request;
  *request.mutable_context() = ContextFor("operations");
  const auto policy =
      server.As(kOperator).template Ask<v1::GetEffectivePolicyResponse>(
          request);
  EXPECT_THAT(policy, IsOk());
  return policy.ok() ? policy->company_policy() : v1::CompanyPolicy();
}

class ActivationTest : public ::testing::Test {
 protected:
  ActivationTest() {
    server_.Stop();
    server_.files().AdoptPolicy(kCompany);
    EXPECT_THAT(server_.Start(), IsOk());
    ann_ = CreatePerson(server_.As(kFull), "ann@example.com", "Ann Other");
  }
  v1::ValidatePolicyResponse Validate(const v1::PolicyFiles& files) {
    auto request = PolicyRequest<v1::ValidatePolicyRequest>(kCompany);
    *request.mutable_files() = files;
    const auto verdict =
        server_.As(kOperator).Ask<v1::ValidatePolicyResponse>(request);
    EXPECT_THAT(verdict, IsOk());
    return verdict.value_or(v1::ValidatePolicyResponse());
  }
  absl::Status Read(const std::string& purpose) {
    v1::GetRecordRequest read = GetRequest(ann_, "account", {"email"});
    *read.mutable_context() = ContextFor(purpose);
    return server_.As(kFull).Ask<v1::GetRecordResponse>(read).status();
  }

  LiveServer server_;
  std::string ann_;
};

TEST_F(ActivationTest, ItDecidesAtOnceAndAfterARestart) {
  EXPECT_THAT(Read("support"), IsOk());
  const auto activated = Activate(server_, OverlayWithoutSupport(2));
  ASSERT_THAT(activated, IsOk());
  EXPECT_TRUE(activated->changed());
  EXPECT_THAT(Read("support"), HasReason(Reason::kPurposeNotAllowed));
  EXPECT_THAT(Read("service_delivery"), IsOk());
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_THAT(Read("support"), HasReason(Reason::kPurposeNotAllowed));
  EXPECT_EQ(Effective(server_).version(), 2);
  EXPECT_EQ(Effective(server_).sha256(), activated->sha256());
}

TEST_F(ActivationTest, WhatIsInForceIsShownWithWhoPutItThere) {
  v1::CompanyPolicy policy = Effective(server_);
  EXPECT_EQ(policy.profile_id(), kCompany);
  EXPECT_EQ(policy.version(), 1);
  EXPECT_EQ(policy.origin(), v1::POLICY_ORIGIN_FILES);
  EXPECT_EQ(policy.activated_by(), "");
  bool seen = false;
  for (const v1::PolicyTerms& terms : policy.terms()) {
    if (terms.purpose() != "communications_marketing") continue;
    seen = true;
    EXPECT_EQ(terms.basis(), "consent");
    EXPECT_TRUE(terms.consent() && terms.marketing());
    EXPECT_NE(terms.clause(), "");
  }
  EXPECT_TRUE(seen);
  ASSERT_THAT(Activate(server_, OverlayOf(2)), IsOk());
  policy = Effective(server_);
  EXPECT_EQ(policy.origin(), v1::POLICY_ORIGIN_ACTIVATED);
  EXPECT_EQ(policy.activated_by(), "spiffe://hizo.example/acme/operator");
  EXPECT_TRUE(policy.has_activate_time());
  v1::GetStatusRequest request;
  *request.mutable_context() = ContextFor("operations");
  const auto status = server_.As(kOperator).Ask<v1::GetStatusResponse>(request);
  ASSERT_THAT(status, IsOk());
  ASSERT_EQ(status->policies_size(), 1);
  EXPECT_EQ(status->policies(0).tenant(), "acme");
  EXPECT_TRUE(status->policies(0).activated());
  EXPECT_TRUE(status->policies(0).files_differ());
}

TEST_F(ActivationTest, AValidationTellsWhatWouldChange) {
  v1::PolicyFiles files = PolicyFilesOf(kCompany);
  EXPECT_THAT(Validate(files).changes(), IsEmpty());
  files.set_overlay(OverlayWithoutSupport(2));
  const v1::ValidatePolicyResponse verdict = Validate(files);
  EXPECT_EQ(verdict.refusal(), v1::REASON_UNSPECIFIED);
  EXPECT_THAT(verdict.problems(), IsEmpty());
  EXPECT_EQ(verdict.version(), 2);
  ASSERT_EQ(verdict.changes_size(), 2);
  EXPECT_EQ(verdict.changes(0).name(), "version");
  EXPECT_EQ(verdict.changes(1).kind(), v1::POLICY_CHANGE_KIND_PURPOSE);
  EXPECT_EQ(verdict.changes(1).name(), "support");
  EXPECT_THAT(verdict.changes(1).before(), HasSubstr("contract"));
  EXPECT_EQ(verdict.changes(1).after(), "");
  EXPECT_EQ(Effective(server_).version(), 1);
}

TEST_F(ActivationTest, WhatIsLeftOpenIsListedWithWhoAcceptedIt) {
  server_.Stop();
  server_.files().AdoptPolicy("iotone");
  ASSERT_THAT(server_.Start(), IsOk());
  v1::ListConflictsRequest request;
  *request.mutable_context() = ContextFor("operations");
  const auto listed =
      server_.As(kOperator).Ask<v1::ListConflictsResponse>(request);
  ASSERT_THAT(listed, IsOk());
  ASSERT_GT(listed->conflicts_size(), 0);
  for (const v1::PolicyConflict& conflict : listed->conflicts()) {
    EXPECT_TRUE(conflict.accepted());
    EXPECT_NE(conflict.accepted_by(), "");
    EXPECT_NE(conflict.because(), "");
    EXPECT_NE(conflict.text(), "");
  }
}

TEST_F(ActivationTest, Scenario25WhatGoesBackIsAConflict) {
  ASSERT_THAT(Activate(server_, OverlayOf(3)), IsOk());
  EXPECT_THAT(Activate(server_, OverlayOf(2)),
              HasReason(Reason::kPolicyConflict));
  EXPECT_THAT(Activate(server_, OverlayWithoutSupport(3)),
              HasReason(Reason::kPolicyConflict));
  v1::PolicyFiles shorter = PolicyFilesOf(kCompany);
  shorter.set_overlay(OverlayOf(4));
  shorter.set_profile(
      With(shorter.profile(), "duration: P7Y", "duration: P5Y"));
  auto request = PolicyRequest<v1::ActivatePolicyRequest>(kCompany);
  *request.mutable_files() = shorter;
  EXPECT_THAT(server_.As(kOperator).Ask<v1::ActivatePolicyResponse>(request),
              HasReason(Reason::kPolicyConflict));
  const auto verdict = Validate(shorter);
  ASSERT_THAT(verdict.problems(), SizeIs(1));
  EXPECT_EQ(verdict.problems(0).file(), v1::POLICY_FILE_OPERATOR);
  EXPECT_THAT(verdict.problems(0).text(), HasSubstr("retention.transaction"));
  shorter = PolicyFilesOf(kCompany);
  shorter.set_overlay(OverlayOf(4));
  shorter.set_statutory(
      With(shorter.statutory(), "loss_year: P10Y", "loss_year: P9Y"));
  EXPECT_EQ(Validate(shorter).refusal(), v1::REASON_POLICY_CONFLICT);
  // Another company's policy, whatever its version.
  v1::PolicyFiles other = PolicyFilesOf("imd");
  other.set_overlay(With(other.overlay(), "\nversion: 1\n", "\nversion: 9\n"));
  EXPECT_EQ(Validate(other).refusal(), v1::REASON_POLICY_CONFLICT);
  EXPECT_EQ(Effective(server_).version(), 3);
  EXPECT_THAT(Read("support"), IsOk());
}

TEST_F(ActivationTest, APolicyMayReplaceAnotherThatItNames) {
  v1::PolicyFiles other = PolicyFilesOf("imd");
  other.set_overlay(
      With(other.overlay(), "\nversion: 1\n", "\nversion: 9\n") +
      "replaces:\n  i7relay: {by: privacy officer, because: \"A merger.\"}\n");
  // IMD keeps transactions no seven years.
  EXPECT_THAT(Validate(other).problems(0).text(),
              HasSubstr("retention.transaction"));
}

// A file, changed, and what is said of it.
struct BadFile {
  v1::PolicyFile file;
  std::string from;
  std::string to;
  v1::Reason refusal;
  int line;  // 0: where `to` stands
  std::string what;
};

std::vector<BadFile> BadFiles() {
  constexpr auto kProfile = v1::POLICY_FILE_PROFILE;
  constexpr auto kStatutory = v1::POLICY_FILE_STATUTORY;
  constexpr auto kOverlay = v1::POLICY_FILE_OPERATOR;
  constexpr auto kInvalid = v1::REASON_POLICY_INVALID;
  return {
      // Malformed.
      {kProfile, "purposes:", "purposes: [", kInvalid, -1, ""},
      {kProfile, "profile_id: i7relay", "profile_id: &a i7relay", kInvalid, 0,
       ""},
      {kProfile, "rights:\n", "rihgts:\n", kInvalid, 0, "unknown key `rihgts`"},
      {kProfile, "duration: P90D", "duration: ninety", kInvalid, 0,
       "wanted a duration"},
      {kProfile, "source:", "purposes: []\nsource:", kInvalid, -1, ""},
      {kStatutory, "kind: statutory_overlay", "kind: overlay", kInvalid, -1,
       "wanted kind statutory_overlay"},
      {kStatutory, "loss_year:", "lose_year:", kInvalid, 0, "unknown key"},
      {kOverlay, "\nversion: 1\n", "\nversion: one\n", kInvalid, 0, ""},
      {kOverlay, "\nversion: 1\n", "\nversion: 0\n", kInvalid, 0,
       "versions begin with 1"},
      {kOverlay, "\nversion: 1\n", "\n", kInvalid, -1, "`version` is missing"},
      {kOverlay, "legal_basis: contract", "legal_basis: habit", kInvalid, 0,
       "no legal basis"},
      {kOverlay, "by: privacy officer, ", "", kInvalid, -1, "`by` is missing"},
      {kOverlay, "\nversion: 1\n",
       "\nversion: 1\nnotices: {fax: {by: a, "
       "because: b}}\n",
       kInvalid, -1, "there is no channel `fax`"},
      // Contradictory.
      {kOverlay, "profile_id: i7relay", "profile_id: imd", kInvalid, -1,
       "an overlay of `imd`"},
      {kOverlay, "serves: [security]", "serves: [support]", kInvalid, 0,
       "already served"},
      {kOverlay, "  service_delivery: {", "  service_deliverance: {", kInvalid,
       0, "no purpose `service_deliverance`"},
      {kOverlay, "serves: [security]", "serves: [secrecy]", kInvalid, 0,
       "the catalogue has no purpose `secrecy`"},
      {kOverlay, "serves: [security],",
       "serves: [security], acceptance_from_version: 2,", kInvalid, 0,
       "nobody can have accepted version 2"},
      {kOverlay, "serves: [security],",
       "serves: [security], consent_from_version: 1,", kInvalid, 0,
       "cannot count from version 1"},
      {kOverlay, "  billing: {legal_basis: contract", "  billing: {by: x",
       kInvalid, -1, ""},
      {kOverlay, "\nretention:\n", "\naccepted_conflicts:\n", kInvalid, -1, ""},
      // Huge.
      {kProfile, "source:", "#" + std::string(256 * 1024, 'x') + "\nsource:",
       v1::REASON_TOO_LARGE, -1, "larger than 256 KiB"},
  };
}

std::string& TextOf(v1::PolicyFiles& files, v1::PolicyFile file) {
  if (file == v1::POLICY_FILE_PROFILE) return *files.mutable_profile();
  if (file == v1::POLICY_FILE_STATUTORY) return *files.mutable_statutory();
  return *files.mutable_overlay();
}

TEST_F(ActivationTest, FilesThatAreNotInOrderAreRefusedWithFileLineAndReason) {
  const std::string before = Effective(server_).sha256();
  for (const BadFile& bad : BadFiles()) {
    SCOPED_TRACE(bad.from + " -> " + bad.to.substr(0, 60));
    v1::PolicyFiles files = PolicyFilesOf(kCompany);
    std::string& text = TextOf(files, bad.file);
    size_t at = text.find(bad.from);
    ASSERT_NE(at, std::string::npos);
    at += bad.from.starts_with('\n') ? 1 : 0;
    text = With(text, bad.from, bad.to);
    const v1::ValidatePolicyResponse verdict = Validate(files);
    EXPECT_EQ(verdict.refusal(), bad.refusal);
    ASSERT_THAT(verdict.problems(), Not(IsEmpty()));
    const v1::PolicyProblem& problem = verdict.problems(0);
    EXPECT_EQ(problem.file(), bad.file);
    EXPECT_THAT(problem.text(), AllOf(Not(IsEmpty()), HasSubstr(bad.what)));
    if (bad.line == 0) {
      EXPECT_EQ(
          problem.line(),
          1 + std::count(text.begin(),
                         text.begin() + static_cast<ptrdiff_t>(at), '\n'));
    }
    if (bad.refusal == v1::REASON_POLICY_INVALID) {
      EXPECT_GT(problem.line(), 0);
    }
    auto request = PolicyRequest<v1::ActivatePolicyRequest>(kCompany);
    *request.mutable_files() = files;
    const auto told =
        server_.As(kOperator).Ask<v1::ActivatePolicyResponse>(request);
    EXPECT_EQ(static_cast<int>(base::ReasonOf(told.status())),
              static_cast<int>(bad.refusal));
    EXPECT_EQ(Effective(server_).sha256(), before);
  }
  EXPECT_THAT(Read("support"), IsOk());
}

TEST_F(ActivationTest, NothingIsNoPolicy) {
  const v1::ValidatePolicyResponse verdict = Validate({});
  EXPECT_EQ(verdict.refusal(), v1::REASON_POLICY_INVALID);
  EXPECT_EQ(verdict.profile_id(), "");
  EXPECT_EQ(verdict.version(), 0);
}

TEST_F(ActivationTest, TheLogSaysWhoActivatedWhat) {
  const uint64_t before = server_.EventCount();
  const auto activated = Activate(server_, OverlayOf(2));
  ASSERT_THAT(activated, IsOk());
  EXPECT_THAT(Activate(server_, OverlayOf(1)),
              HasReason(Reason::kPolicyConflict));
  const auto events = server_.EventsFrom(before);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].action, policy::Action::kPolicyActivate);
  EXPECT_EQ(events[0].outcome, audit::Outcome::kAllowed);
  EXPECT_EQ(events[0].policy_version, 2U);
  EXPECT_EQ(events[0].policy_digest,
            std::stoull(activated->sha256().substr(0, 16), nullptr, 16));
  EXPECT_EQ(events[1].outcome, audit::Outcome::kFailed);
  EXPECT_EQ(events[1].reason, Reason::kPolicyConflict);
  EXPECT_EQ(events[1].policy_version, 2U);  // that decided who may ask
}

TEST(ActivationProcessTest, ItSurvivesAKill) {
  VaultFiles files;
  files.AdoptPolicy(kCompany);
  HizodProcess::Init(files);
  std::string digest;
  {
    HizodProcess hizod(files);
    ASSERT_TRUE(hizod.WaitUntilReady());
    EXPECT_THAT(hizod.process().output(),
                HasSubstr("from the configured files"));
    const auto activated = Activate(hizod, OverlayWithoutSupport(2));
    ASSERT_THAT(activated, IsOk());
    digest = activated->sha256();
    hizod.Kill();
  }
  HizodProcess hizod(files);
  ASSERT_TRUE(hizod.WaitUntilReady());
  EXPECT_EQ(Effective(hizod).sha256(), digest);
  EXPECT_THAT(hizod.process().output(),
              AllOf(HasSubstr("activated by spiffe://hizo.example"),
                    HasSubstr("the configured files say something else")));
}

}  // namespace
}  // namespace hizo::test
