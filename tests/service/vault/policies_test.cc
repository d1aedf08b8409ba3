// A company's policy, put in force on a running vault.
#include "service/vault/policies.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/company_vault.h"

namespace hizo::vault {
namespace {

using base::Reason;
using policy::PolicySource;
using policy::PolicyTexts;
using test::HasReason;
using test::IsOk;
using test::kMaskedOnly;
using test::kOtherFull;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class PoliciesTest : public CompanyVault {
 protected:
  absl::StatusOr<ActivatedPolicy> Activate(const Call& call,
                                           const PolicyTexts& texts) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().policies().Activate(attempt, call, texts);
    });
  }
  absl::StatusOr<ActivatedPolicy> Activate(const PolicyTexts& texts) {
    return Activate(FullCall(vault_, Action::kPolicyActivate), texts);
  }
  PolicyVerdict Validate(const PolicyTexts& texts) {
    const Call call = FullCall(vault_, Action::kPolicyValidate);
    return vault_
        .Run(call,
             [&](Attempt& attempt) {
               return vault_.store().policies().Validate(attempt, call, texts);
             })
        .value();
  }
  // VaultPolicySource, in a version.
  static PolicySource Version(uint32_t version) {
    PolicySource source = test::VaultPolicySource();
    source.version = version;
    return source;
  }
  // Without a place for service; in version 4.
  PolicyTexts WithoutService() {
    PolicySource source = Version(4);
    std::erase_if(source.purposes,
                  [](const auto& purpose) { return purpose.id == "service"; });
    std::erase_if(source.uses,
                  [](const auto& use) { return use.id == "service"; });
    return vault_.FilesOf(std::move(source));
  }
  uint32_t InForce() {
    const auto pin = vault_.store().policies().table().Look(test::kAcme);
    return pin.get() == nullptr ? 0 : pin.get()->version();
  }
};

TEST_F(PoliciesTest, AnActivationDecidesFromThenOn) {
  EXPECT_THAT(ReadFor(test::kService), IsOk());
  const auto activated = Activate(WithoutService());
  ASSERT_THAT(activated, IsOk());
  EXPECT_EQ(activated->version, 4U);
  EXPECT_TRUE(activated->changed);
  EXPECT_THAT(ReadFor(test::kService), HasReason(Reason::kPurposeNotAllowed));
  EXPECT_EQ(vault_.LastEvent().policy_version, 4U);
}

TEST_F(PoliciesTest, ItsEventNamesWhatWasPutInForce) {
  const auto activated = Activate(WithoutService());
  ASSERT_THAT(activated, IsOk());
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.action, Action::kPolicyActivate);
  EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
  EXPECT_EQ(event.actor, kFull);
  EXPECT_EQ(event.policy_version, 4U);
  EXPECT_EQ(event.policy_digest,
            std::stoull(activated->digest.substr(0, 16), nullptr, 16));
}

TEST_F(PoliciesTest, ItIsThereAfterAStartAndGoesBeforeTheFiles) {
  ASSERT_THAT(Activate(WithoutService()), IsOk());
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(ReadFor(test::kService), HasReason(Reason::kPurposeNotAllowed));
  const auto states = vault_.store().policies().States();
  ASSERT_THAT(states, SizeIs(1));
  EXPECT_EQ(states[0].tenant, "acme");
  EXPECT_EQ(states[0].version, 4U);
  EXPECT_TRUE(states[0].files_differ);
  ASSERT_TRUE(states[0].activation.has_value());
  EXPECT_EQ(states[0].activation->actor, kFull);
  EXPECT_EQ(states[0].activation->time, vault_.clock().Now());
  // Files that are newer do not come into force by themselves either.
  ASSERT_THAT(vault_.ReopenUnder(Version(9)), IsOk());
  EXPECT_EQ(InForce(), 4U);
}

TEST_F(PoliciesTest, ATenantWithoutAPolicyCanBeGivenOne) {
  const auto other = [&](Action action) {
    return vault_.CallOf(kOtherFull, action, test::kService);
  };
  const Call call = other(Action::kPolicyActivate);
  EXPECT_EQ(call.company, nullptr);
  ASSERT_THAT(Activate(call, test::VaultPolicyTexts(1)), IsOk());
  EXPECT_NE(other(Action::kPolicyActivate).company, nullptr);
  EXPECT_EQ(InForce(), 3U);  // of acme
}

TEST_F(PoliciesTest, TheSameAgainChangesNothing) {
  ASSERT_THAT(Activate(test::VaultPolicyTexts(4)), IsOk());
  const auto again = Activate(test::VaultPolicyTexts(4));
  ASSERT_THAT(again, IsOk());
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(again->version, 4U);
}

TEST_F(PoliciesTest, WhatIsOfTheFilesOnlyIsKeptOnceItIsActivated) {
  PolicySource same = Version(3);
  const PolicyTexts texts = vault_.FilesOf(same);
  same.digest = Validate(texts).digest;
  ASSERT_THAT(vault_.ReopenUnder(same), IsOk());
  const auto activated = Activate(texts);
  ASSERT_THAT(activated, IsOk());
  EXPECT_TRUE(activated->changed);
  EXPECT_FALSE(vault_.store().policies().States()[0].files_differ);
  EXPECT_FALSE(Activate(texts)->changed);
}

TEST_F(PoliciesTest, ARepeatIsAnsweredAsTheFirstTime) {
  Call call = FullCall(vault_, Action::kPolicyActivate);
  call.request = *base::RequestId::FromBytes(std::string(16, 'r'));
  call.body = "body";
  ASSERT_TRUE(Activate(call, test::VaultPolicyTexts(4))->changed);
  ASSERT_THAT(Activate(test::VaultPolicyTexts(5)), IsOk());
  const auto repeated = Activate(call, test::VaultPolicyTexts(4));
  ASSERT_THAT(repeated, IsOk());
  EXPECT_EQ(repeated->version, 4U);
  EXPECT_TRUE(repeated->changed);
  EXPECT_EQ(InForce(), 5U);
}

TEST_F(PoliciesTest, Scenario25AnOlderOneIsAConflictAndTheOneInForceStays) {
  ASSERT_THAT(Activate(test::VaultPolicyTexts(5)), IsOk());
  for (const uint32_t version : {1U, 4U}) {
    EXPECT_THAT(Activate(test::VaultPolicyTexts(version)),
                HasReason(Reason::kPolicyConflict));
    EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kFailed);
    const PolicyVerdict verdict = Validate(test::VaultPolicyTexts(version));
    EXPECT_EQ(verdict.refusal, Reason::kPolicyConflict);
    EXPECT_THAT(verdict.problems,
                ElementsAre("operator:1: a later version is in force: 5"));
  }
  PolicySource other = Version(5);
  other.cancelling_withdraws = false;
  EXPECT_THAT(Activate(vault_.FilesOf(other)),
              HasReason(Reason::kPolicyConflict));
  EXPECT_EQ(InForce(), 5U);
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(InForce(), 5U);
}

TEST_F(PoliciesTest, Scenario25WhatShortensALegalTermIsAConflict) {
  PolicySource next = Version(4);
  next.legal_terms = {{"modules.jp_tax.loss_year", 3650}};
  ASSERT_THAT(Activate(vault_.FilesOf(next)), IsOk());
  next.version = 5;
  next.legal_terms[0].days = 3649;
  EXPECT_THAT(Activate(vault_.FilesOf(next)),
              HasReason(Reason::kPolicyConflict));
  EXPECT_EQ(InForce(), 4U);
}

TEST_F(PoliciesTest, FilesThatAreNotInOrderAreRefusedAndTheOneInForceStays) {
  const PolicyTexts broken{"profile", "statutory", "nonsense"};
  EXPECT_THAT(Activate(broken), HasReason(Reason::kPolicyInvalid));
  const PolicyVerdict verdict = Validate(broken);
  EXPECT_EQ(verdict.refusal, Reason::kPolicyInvalid);
  EXPECT_THAT(verdict.problems, ElementsAre("operator:1: no version"));
  // They can be read, and contradict themselves.
  PolicySource contradictory = Version(4);
  contradictory.accepted = {{"RETENTION_UNSET:account", "operator:12"}};
  const PolicyTexts texts = vault_.FilesOf(contradictory);
  EXPECT_THAT(Activate(texts), HasReason(Reason::kPolicyInvalid));
  EXPECT_THAT(Validate(texts).problems[0], HasSubstr("operator:12: "));
  EXPECT_EQ(Validate(texts).version, 4U);
  EXPECT_EQ(InForce(), 3U);
}

TEST_F(PoliciesTest, AConflictThatNobodyAcceptedIsShownAndInTheWay) {
  PolicySource open = Version(4);
  open.classes[0].retention_stated = false;
  const PolicyVerdict verdict = Validate(vault_.FilesOf(open));
  EXPECT_EQ(verdict.refusal, Reason::kPolicyInvalid);
  ASSERT_THAT(verdict.conflicts, SizeIs(1));
  EXPECT_FALSE(verdict.conflicts[0].accepted);
  open.accepted = {{"RETENTION_UNSET:account", "operator:9", "dpo", "for now"}};
  ASSERT_THAT(Activate(vault_.FilesOf(open)), IsOk());
  const Call call = FullCall(vault_, Action::kPolicyConflicts);
  const auto listed = vault_.Run(call, [&](Attempt& attempt) {
    return vault_.store().policies().Conflicts(attempt, call);
  });
  ASSERT_THAT(listed, IsOk());
  ASSERT_THAT(*listed, SizeIs(1));
  EXPECT_EQ((*listed)[0].id, "RETENTION_UNSET:account");
  EXPECT_TRUE((*listed)[0].accepted);
  EXPECT_EQ((*listed)[0].by, "dpo");
  EXPECT_EQ((*listed)[0].because, "for now");
}

TEST_F(PoliciesTest, AFileIsOf256KibAtMost) {
  PolicyTexts texts = test::VaultPolicyTexts(4);
  texts.statutory.assign(policy::kPolicyTextSizeMax, ' ');
  EXPECT_THAT(Validate(texts).problems, IsEmpty());
  texts.statutory.push_back(' ');
  EXPECT_THAT(Validate(texts).problems,
              ElementsAre("statutory: larger than 256 KiB"));
  EXPECT_THAT(Activate(texts), HasReason(Reason::kTooLarge));
}

TEST_F(PoliciesTest, AValidationActivatesNothing) {
  const PolicyVerdict verdict = Validate(WithoutService());
  EXPECT_EQ(verdict.refusal, Reason::kNone);
  EXPECT_THAT(verdict.changes, Not(IsEmpty()));
  EXPECT_EQ(InForce(), 3U);
  EXPECT_THAT(test::RowsOf(vault_.data(), base::kSpacePolicy), IsEmpty());
  EXPECT_THAT(ReadFor(test::kService), IsOk());
}

TEST_F(PoliciesTest, WhoIsNotGrantedItIsRefused) {
  const Call call =
      vault_.CallOf(kMaskedOnly, Action::kPolicyActivate, test::kSupport);
  EXPECT_THAT(Activate(call, test::VaultPolicyTexts(4)),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(InForce(), 3U);
}

TEST_F(PoliciesTest, AReadUnderWayIsDecidedAnew) {
  const Call call = vault_.CallOf(kFull, Action::kRecordGet, test::kService);
  auto attempt = vault_.NewAttempt(call);
  const absl::Status read = ReadIn(*attempt, call);
  EXPECT_THAT(read, IsOk());
  attempt->Conclude(read);
  ASSERT_THAT(Activate(WithoutService()), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(attempt)).status,
              HasReason(Reason::kConflict));
}

TEST_F(PoliciesTest, ARefusalUnderWayIsDecidedAnewToo) {
  ASSERT_THAT(Activate(WithoutService()), IsOk());
  const Call call = vault_.CallOf(kFull, Action::kRecordGet, test::kService);
  auto attempt = vault_.NewAttempt(call);
  attempt->Conclude(ReadIn(*attempt, call));
  ASSERT_THAT(Activate(test::VaultPolicyTexts(5)), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(attempt)).status,
              HasReason(Reason::kConflict));
  EXPECT_THAT(ReadFor(test::kService), IsOk());
}

TEST_F(PoliciesTest, OtherTenantsReadsAreNotDisturbed) {
  const Call call =
      vault_.CallOf(kOtherFull, Action::kSubjectGet, test::kService);
  auto attempt = vault_.NewAttempt(call);
  attempt->Conclude(absl::OkStatus());
  ASSERT_THAT(Activate(WithoutService()), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(attempt)).status, IsOk());
}

TEST_F(PoliciesTest, OfTwoAtOnceOneIsRunAgain) {
  const Call call = FullCall(vault_, Action::kPolicyActivate);
  auto first = vault_.NewAttempt(call);
  auto second = vault_.NewAttempt(call);
  for (const auto& [attempt, version] :
       {std::pair(first.get(), 4U), std::pair(second.get(), 5U)}) {
    attempt->Conclude(
        vault_.store()
            .policies()
            .Activate(*attempt, call, test::VaultPolicyTexts(version))
            .status());
    EXPECT_THAT(attempt->status(), IsOk());
  }
  EXPECT_THAT(vault_.Commit(std::move(second)).status, IsOk());
  EXPECT_THAT(vault_.Commit(std::move(first)).status,
              HasReason(Reason::kConflict));
  EXPECT_EQ(InForce(), 5U);
}

TEST_F(PoliciesTest, OneThatIsNotDurableIsNotInForce) {
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("full"));
  EXPECT_THAT(Activate(WithoutService()), Not(IsOk()));
  EXPECT_EQ(InForce(), 3U);
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(InForce(), 3U);
}

TEST_F(PoliciesTest, ManyAfterEachOtherTakeNoMoreRoom) {
  for (uint32_t version = 4; version < 40; ++version) {
    ASSERT_THAT(Activate(test::VaultPolicyTexts(version)), IsOk()) << version;
    EXPECT_EQ(InForce(), version);
  }
  EXPECT_THAT(test::RowsOf(vault_.data(), base::kSpacePolicy), SizeIs(1));
}

TEST_F(PoliciesTest, ARowThatIsNotAsItWasWrittenIsNoPolicy) {
  ASSERT_THAT(Activate(WithoutService()), IsOk());
  const std::string key = PolicyKey(test::kAcme);
  std::string row = test::Stored(vault_.data(), key);
  // Of another tenant, and with another byte.
  test::Overwrite(vault_.data(), PolicyKey(test::kGlobex), row);
  EXPECT_EQ(vault_.Reopen().code(), absl::StatusCode::kDataLoss);
  test::Remove(vault_.data(), PolicyKey(test::kGlobex));
  row.back() ^= 1;
  test::Overwrite(vault_.data(), key, row);
  EXPECT_EQ(vault_.Reopen().code(), absl::StatusCode::kDataLoss);
}

TEST_F(PoliciesTest, OneThatFitsNoMoreIsRefusedAtTheStart) {
  const PolicyTexts texts = vault_.FilesOf(Version(4));
  ASSERT_THAT(Activate(texts), IsOk());
  vault_.Forget(texts);
  const absl::Status status = vault_.Reopen();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("tenant `acme`"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("operator:1: "));
}

TEST_F(PoliciesTest, NothingOfTheFilesIsReadableOnDisk) {
  PolicyTexts texts = test::VaultPolicyTexts(4);
  texts.profile = "a canary of a profile";
  ASSERT_THAT(Activate(texts), IsOk());
  EXPECT_THAT(test::Stored(vault_.data(), PolicyKey(test::kAcme)),
              Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace hizo::vault
