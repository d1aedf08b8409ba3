// What a person has said: how it lies in the facts, and what it means.
#include "service/vault/statements.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::vault {
namespace {

using policy::CompanyPolicy;
using policy::SubjectFacts;
using test::kBilling;
using test::kMarketing;
using test::kService;
using test::kSupport;
using ::testing::ElementsAre;
using ::testing::SizeIs;

base::Timestamp At(int64_t micros) { return base::FromMicros(micros); }

base::EvidenceId ProofOf(char letter) {
  return *base::EvidenceId::FromBytes(
      std::string(base::EvidenceId::kSize, letter));
}

Consent ConsentTo(policy::PurposeNumber purpose, int64_t given) {
  Consent consent;
  consent.purpose = purpose;
  consent.policy_version = 3;
  consent.channel = Channel::kPaper;
  consent.evidence = ProofOf('e');
  consent.given = At(given);
  return consent;
}

Objection ObjectionTo(policy::PurposeNumber purpose, int64_t made) {
  Objection objection;
  objection.purpose = purpose;
  objection.made = At(made);
  return objection;
}

Objection Rejected(Objection objection) {
  objection.state = ObjectionState::kRejected;
  objection.ground = ObjectionGround::kLegalClaims;
  objection.decided = At(99);
  objection.notice = ProofOf('n');
  return objection;
}

Statements Everything() {
  Statements said;
  said.consents = {ConsentTo(kMarketing, 5), ConsentTo(kSupport, 7)};
  said.consents[0].withdrawn = At(6);
  said.consents[0].cause = WithdrawalCause::kAccountCancelled;
  said.objections = {ObjectionTo(kService, 8),
                     Rejected(ObjectionTo(kSupport, 9)),
                     ObjectionTo(kDirectMarketing, 10)};
  said.objections[2].state = ObjectionState::kUpheld;
  said.objections[2].decided = At(10);
  said.restrictions = {{RestrictionGround::kAccuracyContested, At(11)},
                       {RestrictionGround::kObjectionPending, At(12)}};
  return said;
}

std::string Encoded(const Statements& said) {
  ByteWriter out;
  Put(said, out);
  return std::move(out).Take();
}

bool IsUnderstood(const std::string& bytes) {
  ByteReader in(bytes);
  GetStatements(in);
  return in.done();
}

TEST(StatementsCodecTest, BringsBackWhatItWrote) {
  for (const Statements& said : {Statements(), Everything()}) {
    const std::string bytes = Encoded(said);
    ByteReader in(bytes);
    EXPECT_EQ(GetStatements(in), said);
    EXPECT_TRUE(in.done());
  }
}

// The layout of FORMAT.md, byte by byte.
TEST(StatementsCodecTest, WritesWhatTheFormatSays) {
  Statements said;
  said.consents = {ConsentTo(kMarketing, 5)};
  said.objections = {ObjectionTo(kService, 8)};
  said.restrictions = {{RestrictionGround::kUnlawful, At(11)}};
  ByteWriter out;
  out.Put(uint16_t{1})
      .Put(uint16_t{kMarketing})
      .Put(uint32_t{3})
      .Put(uint8_t{5})
      .PutRaw(std::string(16, 'e'))
      .Put(uint64_t{5})
      .Put(uint64_t{0})
      .Put(uint8_t{0})
      .Put(uint16_t{1})
      .Put(uint16_t{kService})
      .Put(uint8_t{1})
      .Put(uint8_t{0})
      .Put(uint64_t{8})
      .Put(uint64_t{0})
      .PutRaw(std::string(16, '\0'))
      .Put(uint16_t{1})
      .Put(uint8_t{2})
      .Put(uint64_t{11});
  EXPECT_EQ(Encoded(said), std::move(out).Take());
}

TEST(StatementsCodecTest, RefusesEveryCutAndWhatFollows) {
  const std::string bytes = Encoded(Everything());
  ASSERT_TRUE(IsUnderstood(bytes));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(IsUnderstood(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(IsUnderstood(bytes + '\0'));
}

TEST(StatementsCodecTest, RefusesWhatItWouldNotWrite) {
  using Change = std::function<void(Statements&)>;
  const std::vector<Change> changes = {
      [](auto& of) { of.consents[0].purpose = 0; },
      [](auto& of) { of.consents[0].purpose = policy::kPurposesMax; },
      [](auto& of) { of.consents[0].channel = static_cast<Channel>(0); },
      [](auto& of) { of.consents[0].channel = static_cast<Channel>(7); },
      [](auto& of) { of.consents[0].cause = WithdrawalCause::kNone; },
      [](auto& of) { of.consents[1].cause = WithdrawalCause::kPerson; },
      [](auto& of) { of.consents[0].cause = static_cast<WithdrawalCause>(3); },
      [](auto& of) { std::swap(of.consents[0], of.consents[1]); },
      [](auto& of) { of.objections[0].purpose = policy::kPurposesMax; },
      [](auto& of) { of.objections[0].state = static_cast<ObjectionState>(0); },
      [](auto& of) { of.objections[0].state = static_cast<ObjectionState>(4); },
      [](auto& of) { of.objections[0].state = ObjectionState::kUpheld; },
      [](auto& of) { of.objections[0].ground = ObjectionGround::kCompelling; },
      [](auto& of) { of.objections[0].notice = ProofOf('x'); },
      [](auto& of) { of.objections[1].ground = ObjectionGround::kNone; },
      [](auto& of) { of.objections[1].notice = base::EvidenceId(); },
      [](auto& of) { of.objections[1].decided.reset(); },
      [](auto& of) {
        of.objections[1].ground = static_cast<ObjectionGround>(4);
      },
      [](auto& of) { std::swap(of.objections[0], of.objections[1]); },
      [](auto& of) {
        of.restrictions[0].ground = static_cast<RestrictionGround>(0);
      },
      [](auto& of) {
        of.restrictions[1].ground = static_cast<RestrictionGround>(5);
      },
      [](auto& of) { of.restrictions[1].ground = of.restrictions[0].ground; },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    Statements said = Everything();
    changes[i](said);
    EXPECT_FALSE(IsUnderstood(Encoded(said))) << i;
  }
}

TEST(StatementsCodecTest, RefusesMoreThanThereMayBe) {
  Statements said;
  said.consents.assign(kConsentsMax, ConsentTo(kMarketing, 5));
  said.objections.assign(kObjectionsMax, ObjectionTo(kService, 8));
  EXPECT_TRUE(IsUnderstood(Encoded(said)));
  // At most this large, so that facts always fit into a field.
  EXPECT_LT(Encoded(said).size(), 8192U);
  Statements more = said;
  more.consents.push_back(more.consents.back());
  EXPECT_FALSE(IsUnderstood(Encoded(more)));
  more = said;
  more.objections.push_back(more.objections.back());
  EXPECT_FALSE(IsUnderstood(Encoded(more)));
}

TEST(StatementsBoundsTest, TheOldestThatWasReplacedGivesWay) {
  Statements said;
  AddConsent(ConsentTo(kSupport, 1), said);
  for (int64_t given = 2; given < 200; ++given) {
    AddConsent(ConsentTo(kMarketing, given), said);
    ASSERT_LE(said.consents.size(), kConsentsMax);
  }
  ASSERT_THAT(said.consents, SizeIs(kConsentsMax));
  EXPECT_EQ(said.consents[0], ConsentTo(kSupport, 1));
  EXPECT_EQ(said.consents[1].given, At(200 - (kConsentsMax - 1)));
  EXPECT_EQ(said.consents.back().given, At(199));
}

TEST(StatementsBoundsTest, OneOfEachPurposeAlwaysHasRoom) {
  Statements said;
  for (policy::PurposeNumber purpose = 0; purpose < policy::kPurposesMax;
       ++purpose) {
    AddObjection(ObjectionTo(purpose, purpose + 1), said);
  }
  ASSERT_THAT(said.objections, SizeIs(policy::kPurposesMax));
  AddObjection(ObjectionTo(7, 1000), said);
  ASSERT_THAT(said.objections, SizeIs(kObjectionsMax));
  EXPECT_EQ(said.objections.back(), ObjectionTo(7, 1000));
  EXPECT_EQ(std::ranges::count(said.objections, 7, &Objection::purpose), 1);
}

TEST(StatementsBoundsTest, WhatIsAddedStandsAtItsTime) {
  Statements said;
  AddConsent(ConsentTo(kMarketing, 5), said);
  AddConsent(ConsentTo(kMarketing, 3), said);
  AddConsent(ConsentTo(kSupport, 5), said);
  EXPECT_THAT(said.consents,
              ElementsAre(ConsentTo(kMarketing, 3), ConsentTo(kMarketing, 5),
                          ConsentTo(kSupport, 5)));
}

TEST(StatementsWithdrawTest, EndsWhatStandsOfOnePurposeOrOfAll) {
  Statements said;
  said.consents = {ConsentTo(kMarketing, 1), ConsentTo(kSupport, 2),
                   ConsentTo(kMarketing, 3)};
  EXPECT_EQ(LastWithdrawal(said, kMarketing), std::nullopt);
  Withdraw(kMarketing, WithdrawalCause::kPerson, At(4), said);
  EXPECT_EQ(said.consents[0].withdrawn, At(4));
  EXPECT_EQ(said.consents[2].cause, WithdrawalCause::kPerson);
  EXPECT_FALSE(said.consents[1].withdrawn.has_value());
  EXPECT_EQ(LastWithdrawal(said, kMarketing), At(4));
  EXPECT_EQ(LastWithdrawal(said, kSupport), std::nullopt);
  Withdraw(std::nullopt, WithdrawalCause::kAccountCancelled, At(5), said);
  // What had ended before keeps its time and cause.
  EXPECT_EQ(said.consents[0].withdrawn, At(4));
  EXPECT_EQ(said.consents[1].withdrawn, At(5));
  EXPECT_EQ(said.consents[1].cause, WithdrawalCause::kAccountCancelled);
}

class StatementsMeaningTest : public ::testing::Test {
 protected:
  SubjectFacts Meaning() const {
    SubjectFacts subject;
    Apply(said_, company_.get(), subject);
    return subject;
  }
  void Compile(const policy::PolicySource& source) {
    auto made = CompanyPolicy::Create(source, *catalogue_);
    ASSERT_TRUE(made.ok()) << made.status();
    company_ = *std::move(made);
  }
  void SetUp() override { Compile(test::VaultPolicySource()); }

  const std::unique_ptr<const policy::Catalogue> catalogue_ =
      *policy::Catalogue::Create(test::VaultCatalogueSource());
  std::unique_ptr<const CompanyPolicy> company_;
  Statements said_;
};

TEST_F(StatementsMeaningTest, OfSilenceNothingFollows) {
  const SubjectFacts subject = Meaning();
  EXPECT_TRUE(subject.consented.none() && subject.withdrawn.none() &&
              subject.objected.none());
  EXPECT_FALSE(subject.restricted);
}

TEST_F(StatementsMeaningTest, TheLastWordOnAPurposeCounts) {
  said_.consents = {ConsentTo(kMarketing, 1)};
  EXPECT_TRUE(Meaning().consented.test(kMarketing));
  Withdraw(kMarketing, WithdrawalCause::kPerson, At(2), said_);
  EXPECT_FALSE(Meaning().consented.test(kMarketing));
  EXPECT_TRUE(Meaning().withdrawn.test(kMarketing));
  AddConsent(ConsentTo(kMarketing, 3), said_);
  EXPECT_TRUE(Meaning().consented.test(kMarketing));
  EXPECT_FALSE(Meaning().withdrawn.test(kMarketing));
  EXPECT_FALSE(Meaning().consented.test(kSupport));
}

TEST_F(StatementsMeaningTest, AnOlderVersionCountsUnlessThePolicySaysNot) {
  said_.consents = {ConsentTo(kMarketing, 1)};
  policy::PolicySource source = test::VaultPolicySource();
  source.version = 4;
  Compile(source);
  EXPECT_TRUE(Meaning().consented.test(kMarketing));
  EXPECT_TRUE(IsInForce(said_.consents[0], company_->For(kMarketing)));
  source.uses[2].consent_from = 4;
  Compile(source);
  EXPECT_FALSE(Meaning().consented.test(kMarketing));
  // It was not withdrawn either: who is asked again may say yes.
  EXPECT_FALSE(Meaning().withdrawn.test(kMarketing));
  EXPECT_FALSE(IsInForce(said_.consents[0], company_->For(kMarketing)));
  Consent anew = ConsentTo(kMarketing, 2);
  anew.policy_version = 4;
  AddConsent(anew, said_);
  EXPECT_TRUE(Meaning().consented.test(kMarketing));
}

TEST_F(StatementsMeaningTest, AnObjectionStandsWhileItIsOpenAndOnceUpheld) {
  said_.objections = {ObjectionTo(kSupport, 1)};
  EXPECT_TRUE(Meaning().objected.test(kSupport));
  EXPECT_FALSE(Meaning().objected.test(kService));
  said_.objections[0].state = ObjectionState::kUpheld;
  EXPECT_TRUE(Meaning().objected.test(kSupport));
  said_.objections[0] = Rejected(said_.objections[0]);
  EXPECT_FALSE(Meaning().objected.test(kSupport));
}

TEST_F(StatementsMeaningTest, DirectMarketingIsWhateverThePolicySaysItIs) {
  said_.objections = {ObjectionTo(kDirectMarketing, 1)};
  policy::PurposeSet marketing;
  marketing.set(kMarketing);
  EXPECT_EQ(Meaning().objected, marketing);
  // A purpose of which the policy does not say that it is none.
  policy::PolicySource source = test::VaultPolicySource();
  source.purposes[1].marketing = std::nullopt;
  source.uses[1].basis = policy::Basis::kConsent;
  Compile(source);
  marketing.set(kSupport);
  EXPECT_EQ(Meaning().objected, marketing);
}

TEST_F(StatementsMeaningTest, ALaterConsentGoesBeforeAnObjectionAnEarlierNot) {
  said_.objections = {ObjectionTo(kDirectMarketing, 5)};
  said_.consents = {ConsentTo(kMarketing, 4)};
  EXPECT_TRUE(Meaning().objected.test(kMarketing));
  // At the same moment the objection is the stricter.
  said_.consents = {ConsentTo(kMarketing, 5)};
  EXPECT_TRUE(Meaning().objected.test(kMarketing));
  said_.consents = {ConsentTo(kMarketing, 6)};
  EXPECT_FALSE(Meaning().objected.test(kMarketing));
  Withdraw(kMarketing, WithdrawalCause::kPerson, At(7), said_);
  EXPECT_TRUE(Meaning().objected.test(kMarketing));
}

TEST_F(StatementsMeaningTest, OneGroundRestricts) {
  said_.restrictions = {{RestrictionGround::kUnlawful, At(1)}};
  EXPECT_TRUE(Meaning().restricted);
  said_.restrictions.clear();
  said_.consents = {ConsentTo(kBilling, 1)};
  EXPECT_FALSE(Meaning().restricted);
}

TEST_F(StatementsMeaningTest, WithoutAPolicyNothingFollows) {
  said_ = Everything();
  company_.reset();
  const SubjectFacts subject = Meaning();
  EXPECT_TRUE(subject.consented.none() && subject.withdrawn.none() &&
              subject.objected.none());
}

}  // namespace
}  // namespace hizo::vault
