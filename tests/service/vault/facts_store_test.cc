#include "service/vault/facts_store.h"

#include <string>
#include <vector>

#include "crypto/record_cipher.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/byte_codec.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using test::Overwrite;
using test::Stored;
using ::testing::ElementsAre;

class FactsStoreTest : public ::testing::Test {
 protected:
  absl::Status Save(Facts facts) {
    Admitted admitted = AdmitFully(vault_, kFull, ann_);
    const absl::Status saved = vault_.services().facts.Save(
        *admitted.attempt, admitted.grant, std::move(facts));
    if (!saved.ok()) return saved;
    return vault_.Commit(std::move(admitted.attempt)).status;
  }
  Facts Load() { return AdmitFully(vault_, kFull, ann_).grant.facts(); }
  std::string Row() { return Stored(vault_.data(), FactsKey(kAcme, ann_)); }
  // What is told to somebody who may do everything.
  absl::Status StatusOfReading() {
    return Get(vault_, ann_, "profile", {"full_name"}).status();
  }
  // Puts a row there that Hizo itself would have sealed.
  void OverwriteSealed(const std::string& plain,
                       crypto::FieldNumber field = 1) {
    const base::RecordId nil;
    crypto::RecordSealer sealer(crypto::Key::CopyOf(dek_),
                                {static_cast<uint32_t>(kAcme), ann_.bytes(),
                                 policy::kClassFacts, nil.bytes()},
                                {.generation = 1, .version = 2});
    ASSERT_THAT(sealer.Put(field, plain), IsOk());
    Overwrite(vault_.data(), FactsKey(kAcme, ann_), std::move(sealer).Finish());
  }
  std::string FactsDek() {
    const Admitted admitted = AdmitFully(vault_, kFull, ann_);
    const auto key =
        vault_.services().user_keys.Unlock(admitted.grant, policy::kClassFacts);
    return std::string((*key)->dek.Expose());
  }
  // Facts as they are stored, with the given format and state.
  static ByteWriter Encoded(uint8_t format, uint8_t state) {
    ByteWriter out;
    out.Put(format).Put(state).Put(uint64_t{5}).PutRaw(std::string(16, 'r'));
    return out;
  }

  VaultFixture vault_;
  const base::SubjectId ann_ = NewPerson(vault_, "ann@example.com");
  const std::string dek_ = FactsDek();
};

TEST_F(FactsStoreTest, KnowsWhenAPersonWasCreatedAndUnderWhichReference) {
  const Facts facts = Load();
  EXPECT_EQ(facts.created, vault_.clock().Now());
  EXPECT_FALSE(facts.audit_reference.is_nil());
  EXPECT_EQ(facts.subject.state, policy::SubjectState::kActive);
  EXPECT_EQ(facts.version, 1);
  EXPECT_EQ(facts.pointers.size(), 1);
}

TEST_F(FactsStoreTest, KeepsWhatWasSaved) {
  const Facts before = Load();
  Facts facts = before;
  facts.created = base::FromMicros(-5);
  facts.pointers = {{101, 0}, {101, 65535}, {65535, 7}};
  ASSERT_THAT(Save(facts), IsOk());
  ASSERT_THAT(vault_.Reopen(), IsOk());
  const Facts after = Load();
  EXPECT_EQ(after.created, base::FromMicros(-5));
  EXPECT_EQ(after.audit_reference, before.audit_reference);
  EXPECT_THAT(after.pointers,
              ElementsAre(IndexPointer{101, 0}, IndexPointer{101, 65535},
                          IndexPointer{65535, 7}));
  EXPECT_EQ(after.version, before.version + 1);
}

TEST_F(FactsStoreTest, ShowsTheGrantWhatItSaved) {
  Admitted admitted = AdmitFully(vault_, kFull, ann_);
  Facts facts = admitted.grant.facts();
  facts.pointers.clear();
  ASSERT_THAT(vault_.services().facts.Save(*admitted.attempt, admitted.grant,
                                           std::move(facts)),
              IsOk());
  EXPECT_TRUE(admitted.grant.facts().pointers.empty());
  EXPECT_EQ(admitted.grant.facts().version, 2);
}

TEST_F(FactsStoreTest, KeepsWhenTheAccountWasCancelled) {
  Facts facts = Load();
  facts.subject.state = policy::SubjectState::kCancelled;
  facts.cancelled = base::FromMicros(77);
  ASSERT_THAT(Save(facts), IsOk());
  const Call call = vault_.CallOf(kFull, Action::kRecordGet, test::kBilling);
  auto attempt = vault_.NewAttempt(call);
  Ask ask;
  ask.subject = ann_;
  const auto grant = vault_.services().gate.Admit(*attempt, call, ask);
  ASSERT_THAT(grant, IsOk());
  EXPECT_EQ(grant->facts().subject.state, policy::SubjectState::kCancelled);
  EXPECT_EQ(grant->facts().cancelled, base::FromMicros(77));
  EXPECT_EQ(grant->facts().created, facts.created);
  EXPECT_EQ(grant->facts().audit_reference, facts.audit_reference);
  EXPECT_EQ(grant->facts().pointers, facts.pointers);
}

// Of each format there is one state: a row of the one cannot pass for the
// other.
TEST_F(FactsStoreTest, UnderstandsACancelledPersonsRow) {
  ByteWriter out;
  out.Put(uint8_t{2})
      .Put(uint8_t{2})
      .Put(uint64_t{5})
      .Put(uint64_t{6})
      .PutRaw(std::string(16, 'r'))
      .Put(uint16_t{0});
  OverwriteSealed(std::move(out).Take());
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kPurposeNotAllowed));
}

// What somebody said, and all else that there can be of them.
Facts WithEverything(Facts facts) {
  Consent consent;
  consent.purpose = test::kMarketing;
  consent.policy_version = 3;
  consent.given = base::FromMicros(9);
  facts.said.consents = {consent};
  facts.said.restrictions = {
      {RestrictionGround::kUnlawful, base::FromMicros(10)}};
  facts.subject.state = policy::SubjectState::kCancelled;
  facts.cancelled = base::FromMicros(77);
  facts.holds = {{2, base::ClaimId()}, {3, base::ClaimId()}};
  facts.subject.held.set(2).set(3);
  return facts;
}

TEST_F(FactsStoreTest, KeepsWhatThePersonSaidBesideAllElse) {
  const Facts before = Load();
  for (int rest = 0; rest < 4; ++rest) {
    Facts facts = WithEverything(before);
    if ((rest & 1) == 0) {
      facts.subject.state = policy::SubjectState::kActive;
      facts.cancelled.reset();
    }
    if ((rest & 2) == 0) {
      facts.holds.clear();
      facts.subject.held.reset();
    }
    const Call call = vault_.CallOf(kFull, Action::kRecordGet, test::kBilling);
    Ask ask;
    ask.subject = ann_;
    auto saving = vault_.NewAttempt(call);
    auto saver = vault_.services().gate.Admit(*saving, call, ask);
    ASSERT_THAT(saver, IsOk());
    ASSERT_THAT(vault_.services().facts.Save(*saving, *saver, facts), IsOk());
    ASSERT_THAT(vault_.Commit(std::move(saving)).status, IsOk());
    auto attempt = vault_.NewAttempt(call);
    const auto grant = vault_.services().gate.Admit(*attempt, call, ask);
    ASSERT_THAT(grant, IsOk());
    const Facts& kept = grant->facts();
    EXPECT_EQ(kept.said, facts.said);
    EXPECT_EQ(kept.cancelled, facts.cancelled);
    EXPECT_EQ(kept.subject.state, facts.subject.state);
    EXPECT_EQ(kept.holds, facts.holds);
    EXPECT_EQ(kept.subject.held, facts.subject.held);
    EXPECT_EQ(kept.pointers, facts.pointers);
    EXPECT_EQ(kept.audit_reference, facts.audit_reference);
  }
}

// Who has said nothing has the row that they had before anybody could.
TEST_F(FactsStoreTest, RefusesStatementsOfWhoSaidNothing) {
  const auto said = [](uint16_t consents) {
    ByteWriter out;
    out.Put(uint8_t{5})
        .Put(uint8_t{1})
        .Put(uint64_t{5})
        .Put(uint64_t{0})
        .PutRaw(std::string(16, 'r'))
        .Put(uint16_t{0})
        .Put(uint16_t{0})
        .Put(consents);
    if (consents > 0) {
      out.Put(uint16_t{1})
          .Put(uint32_t{1})
          .Put(uint8_t{1})
          .PutRaw(std::string(16, 'e'))
          .Put(uint64_t{5})
          .Put(uint64_t{0})
          .Put(uint8_t{0});
    }
    out.Put(uint16_t{0}).Put(uint16_t{0});
    return std::move(out).Take();
  };
  OverwriteSealed(said(1));
  EXPECT_THAT(StatusOfReading(), IsOk());
  OverwriteSealed(said(0));
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure));
  std::string cancelled = said(1);
  cancelled[1] = 2;  // by its state, but without a time
  OverwriteSealed(cancelled);
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure));
  OverwriteSealed(said(1) + "x");
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure));
}

TEST_F(FactsStoreTest, RefusesMoreStatementsThanItHasRoomFor) {
  Facts facts = Load();
  facts.said = WithEverything(facts).said;
  facts.said.consents.assign(kConsentsMax + 1, facts.said.consents.front());
  EXPECT_THAT(Save(facts), HasReason(Reason::kInternal));
  facts.said.consents.pop_back();
  EXPECT_THAT(Save(facts), IsOk());
  EXPECT_EQ(Load().said, facts.said);
  Objection objection;
  objection.made = base::FromMicros(3);
  facts.said.objections.assign(kObjectionsMax + 1, objection);
  EXPECT_THAT(Save(facts), HasReason(Reason::kInternal));
}

TEST_F(FactsStoreTest, RefusesMorePointersThanItHasRoomFor) {
  Facts facts = Load();
  for (uint16_t i = 0; i < kIndexPointersMax; ++i) {
    facts.pointers.push_back({1, i});
  }
  EXPECT_EQ(facts.pointers.size(), kIndexPointersMax + 1);
  EXPECT_THAT(Save(facts), HasReason(Reason::kInternal));
  facts.pointers.pop_back();
  EXPECT_THAT(Save(facts), IsOk());
  EXPECT_EQ(Load().pointers.size(), kIndexPointersMax);
}

TEST_F(FactsStoreTest, RefusesFactsOfSomebodyWithoutTheirKey) {
  const Call call = FullCall(vault_, Action::kSubjectCreate);
  auto attempt = vault_.NewAttempt(call);
  Ask ask;
  ask.subject = NewSubjectId();
  auto grant = vault_.services().gate.Admit(*attempt, call, ask);
  ASSERT_THAT(grant, IsOk());
  EXPECT_THAT(vault_.services().facts.Save(*attempt, *grant, grant->facts()),
              HasReason(Reason::kInternal));
}

TEST_F(FactsStoreTest, FindsNobodyWithoutARow) {
  test::Remove(vault_.data(), FactsKey(kAcme, ann_));
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kSubjectNotFound));
}

TEST_F(FactsStoreTest, RefusesFactsMovedToAnotherPerson) {
  const base::SubjectId bob = NewPerson(vault_, "bob@example.com");
  Overwrite(vault_.data(), FactsKey(kAcme, ann_),
            Stored(vault_.data(), FactsKey(kAcme, bob)));
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure));
}

TEST_F(FactsStoreTest, RefusesARecordPutInThePlaceOfFacts) {
  Overwrite(vault_.data(), FactsKey(kAcme, ann_),
            Stored(vault_.data(), RecordKey(kAcme, ann_, 2, base::RecordId())));
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure));
}

TEST_F(FactsStoreTest, RefusesEveryChangedByteAndEveryCut) {
  const std::string row = Row();
  for (size_t i = 0; i < row.size(); ++i) {
    std::string changed = row;
    changed[i] ^= 1;
    Overwrite(vault_.data(), FactsKey(kAcme, ann_), changed);
    ASSERT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure))
        << "byte " << i;
    Overwrite(vault_.data(), FactsKey(kAcme, ann_), row.substr(0, i));
    ASSERT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure))
        << "cut at " << i;
  }
}

TEST_F(FactsStoreTest, RefusesFactsThatItDoesNotUnderstand) {
  const auto with_pointers = [](ByteWriter out, uint16_t count) {
    out.Put(count);
    return std::move(out).Take();
  };
  const std::string good = with_pointers(Encoded(1, 1), 0);
  OverwriteSealed(good);
  ASSERT_THAT(StatusOfReading(), IsOk());
  const std::vector<std::string> bad = {"",
                                        with_pointers(Encoded(2, 1), 0),
                                        with_pointers(Encoded(2, 2), 0),
                                        with_pointers(Encoded(3, 1), 0),
                                        with_pointers(Encoded(1, 0), 0),
                                        with_pointers(Encoded(1, 2), 0),
                                        with_pointers(Encoded(1, 1), 1),
                                        good.substr(0, good.size() - 1),
                                        good + "x"};
  for (size_t i = 0; i < bad.size(); ++i) {
    OverwriteSealed(bad[i]);
    EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure)) << i;
  }
  OverwriteSealed(good, 2);
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure));
}

}  // namespace
}  // namespace hizo::vault
