// That people were told of a version of the policy, or have accepted it.
#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/vault/policies.h"
#include "tests/service/vault/company_vault.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using test::kMaskedOnly;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kNotified = AcknowledgementKind::kNotified;
constexpr auto kAccepted = AcknowledgementKind::kAccepted;

base::Timestamp At(int64_t micros) { return base::FromMicros(micros); }

Acknowledgement Made(uint32_t version, AcknowledgementKind kind,
                     int64_t micros) {
  return {version, kind, Channel::kLogin, ProofOf('e'), At(micros)};
}

std::string Encoded(const Statements& said) {
  ByteWriter out;
  PutAcknowledgements(said, out);
  return std::move(out).Take();
}

bool IsUnderstood(const std::string& bytes) {
  ByteReader in(bytes);
  Statements said;
  GetAcknowledgements(in, said);
  return in.done();
}

TEST(AcknowledgementsCodecTest, BringsBackWhatItWrote) {
  Statements said;
  said.acknowledgements = {Made(1, kNotified, 5), Made(2, kAccepted, 6)};
  const std::string bytes = Encoded(said);
  ByteReader in(bytes);
  Statements back;
  GetAcknowledgements(in, back);
  EXPECT_TRUE(in.done());
  EXPECT_EQ(back, said);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(IsUnderstood(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(IsUnderstood(bytes + '\0'));
}

TEST(AcknowledgementsCodecTest, RefusesWhatItWouldNotWrite) {
  const std::vector<std::function<void(Statements&)>> changes = {
      [](Statements& said) { said.acknowledgements.clear(); },
      [](Statements& said) { said.acknowledgements[0].time = At(7); },
      [](Statements& said) {
        said.acknowledgements[0].kind = AcknowledgementKind{0};
      },
      [](Statements& said) {
        said.acknowledgements[0].kind = AcknowledgementKind{3};
      },
      [](Statements& said) { said.acknowledgements[0].channel = Channel{0}; },
      [](Statements& said) { said.acknowledgements[0].channel = Channel{8}; },
      [](Statements& said) {
        said.acknowledgements.resize(kAcknowledgementsMax + 1,
                                     Made(2, kAccepted, 6));
      },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    Statements said;
    said.acknowledgements = {Made(1, kNotified, 5), Made(2, kAccepted, 6)};
    ASSERT_TRUE(IsUnderstood(Encoded(said)));
    changes[i](said);
    EXPECT_FALSE(IsUnderstood(Encoded(said))) << i;
  }
}

TEST(AcknowledgementsBoundsTest, TheOldestVersionGivesWay) {
  Statements said;
  for (uint32_t i = 0; i < kAcknowledgementsMax; ++i) {
    AddAcknowledgement(Made(2 + i, kNotified, 100 + i), said);
  }
  AddAcknowledgement(Made(40, kAccepted, 50), said);
  EXPECT_THAT(said.acknowledgements, SizeIs(kAcknowledgementsMax));
  EXPECT_EQ(said.acknowledgements.front(), Made(40, kAccepted, 50));
  EXPECT_TRUE(NotifiedOf(said, 2).none());
  EXPECT_TRUE(NotifiedOf(said, 3).any());
  EXPECT_EQ(AcceptedVersion(said), 40U);
}

TEST(AcknowledgementsTest, NoticesAreNoAcceptancesAndOfTheirVersionOnly) {
  Statements said;
  AddAcknowledgement(Made(3, kNotified, 1), said);
  EXPECT_EQ(AcceptedVersion(said), 0U);
  EXPECT_TRUE(NotifiedOf(said, 3).test(static_cast<size_t>(Channel::kLogin)));
  EXPECT_TRUE(NotifiedOf(said, 2).none());
  AddAcknowledgement(Made(2, kAccepted, 2), said);
  EXPECT_EQ(AcceptedVersion(said), 2U);
}

class AcknowledgePolicyTest : public CompanyVault {
 protected:
  AcknowledgeInput Input(AcknowledgementKind kind) const {
    AcknowledgeInput input;
    input.subject = ann_;
    input.kind = kind;
    input.channel = Channel::kEmail;
    input.evidence = ProofOf('e');
    return input;
  }
  absl::StatusOr<RecordedConsent> Acknowledge(const Call& call,
                                              const AcknowledgeInput& input) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().consents().Acknowledge(attempt, call, input);
    });
  }
  absl::StatusOr<RecordedConsent> Acknowledge(const AcknowledgeInput& input) {
    return Acknowledge(FullCall(vault_, Action::kConsentAcknowledge), input);
  }
  // Support needs an acceptance of version 3; the rest is as it was.
  void AskForAcceptance(std::vector<std::string> notices = {}) {
    policy::PolicySource source = test::VaultPolicySource();
    source.uses[1].acceptance_from = 3;
    for (std::string& channel : notices) {
      source.notices.push_back({std::move(channel), "operator:9"});
    }
    ASSERT_THAT(vault_.ReopenUnder(source), IsOk());
  }
};

TEST_F(AcknowledgePolicyTest, ItIsKeptWithVersionChannelAndProof) {
  const auto made = Acknowledge(Input(kAccepted));
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(made->policy_version, 3U);
  EXPECT_EQ(made->given, vault_.clock().Now());
  EXPECT_THAT(Said().acknowledgements,
              ElementsAre(Acknowledgement{3, kAccepted, Channel::kEmail,
                                          ProofOf('e'), made->given}));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(Said().acknowledgements, SizeIs(1));
  EXPECT_EQ(vault_.LastEvent().writes.size(), 0U);
}

TEST_F(AcknowledgePolicyTest, TheSameAgainChangesNothing) {
  AcknowledgeInput input = Input(kNotified);
  input.time = vault_.clock().Now();
  ASSERT_THAT(Acknowledge(input), IsOk());
  ASSERT_THAT(Acknowledge(input), IsOk());
  EXPECT_THAT(vault_.LastEvent().writes, IsEmpty());
  EXPECT_THAT(Said().acknowledgements, SizeIs(1));
}

TEST_F(AcknowledgePolicyTest, ARepeatIsAnsweredAsTheFirstTime) {
  Call call = FullCall(vault_, Action::kConsentAcknowledge);
  call.request = *base::RequestId::FromBytes(std::string(16, 'r'));
  const auto first = Acknowledge(call, Input(kAccepted));
  ASSERT_THAT(first, IsOk());
  Wait();
  Call later = FullCall(vault_, Action::kConsentAcknowledge);
  later.request = call.request;
  const auto second = Acknowledge(later, Input(kAccepted));
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->given, first->given);
  EXPECT_THAT(Said().acknowledgements, SizeIs(1));
}

TEST_F(AcknowledgePolicyTest, RefusesWhatCannotBe) {
  AcknowledgeInput input = Input(kAccepted);
  input.evidence = base::EvidenceId();
  EXPECT_THAT(Acknowledge(input), HasReason(Reason::kEvidenceMissing));
  input = Input(kAccepted);
  input.policy_version = 4;
  EXPECT_THAT(Acknowledge(input), HasReason(Reason::kValueInvalid));
  input = Input(kAccepted);
  input.time = vault_.clock().Now() + std::chrono::seconds(1);
  EXPECT_THAT(Acknowledge(input), HasReason(Reason::kValueInvalid));
  input = Input(kAccepted);
  input.subject = *base::SubjectId::FromBytes(std::string(16, 'x'));
  EXPECT_THAT(Acknowledge(input), HasReason(Reason::kSubjectNotFound));
  ASSERT_THAT(Cancel(), IsOk());
  EXPECT_THAT(Acknowledge(Input(kAccepted)),
              HasReason(Reason::kPurposeNotAllowed));
  EXPECT_THAT(
      Acknowledge(vault_.CallOf(kMaskedOnly, Action::kConsentAcknowledge,
                                test::kSupport),
                  Input(kAccepted)),
      HasReason(Reason::kCallerNotEntitled));
}

TEST_F(AcknowledgePolicyTest, WithoutAPolicyThereIsNothingToAccept) {
  VaultFixture plain;
  AcknowledgeInput input = Input(kAccepted);
  input.subject = NewPerson(plain, "bob@example.com");
  const Call call = FullCall(plain, Action::kConsentAcknowledge);
  EXPECT_THAT(plain.Run(call,
                        [&](Attempt& attempt) {
                          return plain.store().consents().Acknowledge(
                              attempt, call, input);
                        }),
              HasReason(Reason::kNotInPolicy));
}

TEST_F(AcknowledgePolicyTest, WhatNeedsAnAcceptanceIsClosedUntilThen) {
  EXPECT_THAT(ReadFor(test::kSupport), IsOk());
  AskForAcceptance();
  EXPECT_THAT(ReadFor(test::kSupport),
              HasReason(Reason::kPolicyReconsentRequired));
  EXPECT_EQ(Check("support").rule, "policy-accepted");
  EXPECT_THAT(ReadFor(test::kService), IsOk());
  EXPECT_THAT(ReadFor(test::kLegalClaim), IsOk());
  // Of an older one that does not help, and being told is no acceptance.
  AcknowledgeInput older = Input(kAccepted);
  older.policy_version = 2;
  ASSERT_THAT(Acknowledge(older), IsOk());
  ASSERT_THAT(Acknowledge(Input(kNotified)), IsOk());
  EXPECT_THAT(ReadFor(test::kSupport),
              HasReason(Reason::kPolicyReconsentRequired));
  ASSERT_THAT(Acknowledge(Input(kAccepted)), IsOk());
  EXPECT_THAT(ReadFor(test::kSupport), IsOk());
}

TEST_F(AcknowledgePolicyTest, Scenario23AnAcceptanceIsNoConsent) {
  ASSERT_THAT(Acknowledge(Input(kAccepted)), IsOk());
  EXPECT_THAT(ReadFor(test::kMarketing), HasReason(Reason::kConsentRequired));
  EXPECT_THAT(Said().consents, IsEmpty());
}

TEST_F(AcknowledgePolicyTest, NobodyAcceptsWhatTheyWereNotToldOf) {
  AskForAcceptance({"web", "email"});
  EXPECT_THAT(Acknowledge(Input(kAccepted)),
              HasReason(Reason::kEvidenceMissing));
  ASSERT_THAT(Acknowledge(Input(kNotified)), IsOk());  // by e-mail
  AcknowledgeInput older = Input(kNotified);
  older.channel = Channel::kWeb;
  older.policy_version = 2;
  ASSERT_THAT(Acknowledge(older), IsOk());
  EXPECT_THAT(Acknowledge(Input(kAccepted)),
              HasReason(Reason::kEvidenceMissing));
  AcknowledgeInput told = Input(kNotified);
  told.channel = Channel::kWeb;
  ASSERT_THAT(Acknowledge(told), IsOk());
  EXPECT_THAT(Acknowledge(Input(kAccepted)), IsOk());
  EXPECT_THAT(ReadFor(test::kSupport), IsOk());
}

TEST_F(AcknowledgePolicyTest, AReadThatWasRefusedMeanwhileIsDecidedAnew) {
  AskForAcceptance();
  const Call call = vault_.CallOf(kFull, Action::kRecordGet, test::kSupport);
  auto attempt = vault_.NewAttempt(call);
  attempt->Conclude(ReadIn(*attempt, call));
  ASSERT_THAT(Acknowledge(Input(kAccepted)), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(attempt)).status,
              HasReason(Reason::kConflict));
}

}  // namespace
}  // namespace hizo::vault
