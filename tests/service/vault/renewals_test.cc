// New keys for what had values replaced or deleted: what is marked, what the
// renewal leaves, and that it may fail, die or be raced anywhere.
#include "service/vault/renewals.h"

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/record_cipher.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using policy::ClassNumber;
using test::FaultyEngine;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kAcme;
using test::RowsOf;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr char kAnns[] = "ann@example.com";
constexpr ClassNumber kAccount = 1;
constexpr ClassNumber kProfile = 2;
constexpr ClassNumber kTransaction = 4;
constexpr char kPassword[] = "correct horse";

class RenewalsTest : public ::testing::Test {
 protected:
  explicit RenewalsTest(const VaultFixture::Options& options = {})
      : vault_(options) {}

  size_t Marks() {
    const auto waiting = vault_.store().WaitingRenewals();
    EXPECT_THAT(waiting, IsOk());
    return waiting.value_or(0);
  }
  void Rename(const std::string& name) {
    ASSERT_THAT(Put(vault_, ann_, RecordOf("profile", {{"full_name", name}})),
                IsOk());
  }
  // The generations of a class's DEK that there are.
  std::vector<uint32_t> Generations(SubjectId subject, ClassNumber number) {
    const uint16_t bucket =
        vault_.store().store_keys().tree()->BucketOf(DeksName(kAcme, subject));
    const auto row = vault_.keys().Get(DeksKey(bucket, kAcme, subject));
    EXPECT_THAT(row, IsOk());
    std::vector<uint32_t> generations;
    if (!row.ok() || !row->has_value()) return generations;
    const auto deks = DecodeDeksRow(**row);
    EXPECT_THAT(deks, IsOk());
    for (const WrappedDek& wrapped : deks->wrapped) {
      if (wrapped.class_number != number) continue;
      generations.push_back(wrapped.generation);
    }
    return generations;
  }
  // Those that the records of the class are sealed under.
  std::set<uint32_t> Used(SubjectId subject, ClassNumber number) {
    const std::string prefix = RecordPrefix(kAcme, subject, number);
    const auto rows = vault_.data().Scan(storage::PrefixRange(prefix, 5000));
    EXPECT_THAT(rows, IsOk());
    std::set<uint32_t> used;
    for (const storage::Row& row : *rows) {
      used.insert(crypto::SealedRow::Parse(row.value)->generation());
    }
    return used;
  }
  void ExpectRenewed(ClassNumber number) {
    EXPECT_EQ(Marks(), 0);
    const auto generations = Generations(ann_, number);
    ASSERT_THAT(generations, ElementsAre(Gt(1)));
    EXPECT_THAT(Used(ann_, number), ElementsAre(generations.front()));
  }
  TextFields Profile() {
    const auto shown = Get(vault_, ann_, "profile", {"full_name"});
    EXPECT_THAT(shown, IsOk());
    return shown.ok() ? TextsOf(*shown) : TextFields();
  }
  absl::StatusOr<DeletedFields> Delete(const std::string& record_class,
                                       std::vector<std::string> fields) {
    DeleteFieldsInput input;
    input.subject = ann_;
    input.record_class = record_class;
    input.fields = std::move(fields);
    const Call call = FullCall(vault_, Action::kRecordDeleteFields);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().records().DeleteFields(attempt, call, input);
    });
  }
  void SetPassword(const std::string& password) {
    const Call call = FullCall(vault_, Action::kCredentialSet);
    ASSERT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().credentials().Set(
                                 attempt, call, ann_, base::Pii(password));
                           }),
                IsOk());
  }
  bool Verifies(const std::string& password) {
    const Call call = FullCall(vault_, Action::kCredentialVerify);
    const auto verified = vault_.Run(call, [&](Attempt& attempt) {
      Who who;
      who.subject = ann_;
      return vault_.store().credentials().Verify(attempt, call, who,
                                                 base::Pii(password));
    });
    EXPECT_THAT(verified, IsOk());
    return verified.ok() && verified->has_value();
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, kAnns);
};

TEST_F(RenewalsTest, AReplacedValueGivesItsClassANewKeyAndOthersNone) {
  ASSERT_EQ(Marks(), 0);
  Rename("Ann Second");
  EXPECT_EQ(Marks(), 1);
  EXPECT_THAT(Generations(ann_, kProfile), ElementsAre(1));
  const uint64_t epoch = vault_.store().store_keys().epoch();
  const std::string etag = Get(vault_, ann_, "profile", {"full_name"})->etag;
  ASSERT_THAT(vault_.store().Renew(), IsOkAndHolds(1));
  ExpectRenewed(kProfile);
  EXPECT_EQ(vault_.store().store_keys().epoch(), epoch + 1);
  EXPECT_THAT(Generations(ann_, kAccount), ElementsAre(1));
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann Second")));
  EXPECT_EQ(Get(vault_, ann_, "profile", {"full_name"})->etag, etag);
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann Second")));
  Rename("Ann Third");
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann Third")));
}

TEST_F(RenewalsTest, NothingToRenewIsNoSeal) {
  const uint64_t epoch = vault_.store().store_keys().epoch();
  EXPECT_THAT(vault_.store().Renew(), IsOkAndHolds(0));
  EXPECT_EQ(vault_.store().store_keys().epoch(), epoch);
}

TEST_F(RenewalsTest, WhatOnlyAddsMarksNothing) {
  ASSERT_THAT(
      PutMasked(vault_, ann_, RecordOf("profile", {{"note", "new"}}), {"note"}),
      IsOk());
  ASSERT_THAT(Put(vault_, ann_, PaymentOf(100, vault_.clock().Now())), IsOk());
  ASSERT_THAT(Put(vault_, ann_, RecordOf("billing", {{"card_last4", "4242"}})),
              IsOk());
  EXPECT_EQ(Marks(), 0);
}

TEST_F(RenewalsTest, ADeletedFieldAndADeletedRecordMarkTheirClass) {
  ASSERT_THAT(
      PutMasked(vault_, ann_, RecordOf("profile", {{"note", "new"}}), {"note"}),
      IsOk());
  const auto field = Delete("profile", {"note"});
  ASSERT_THAT(field, IsOk());
  EXPECT_FALSE(field->stays_in_copies);
  EXPECT_EQ(Marks(), 1);
  ASSERT_THAT(vault_.store().Renew(), IsOkAndHolds(1));
  ExpectRenewed(kProfile);
  ASSERT_THAT(Delete("profile", {"full_name", "note"}), IsOk());
  EXPECT_EQ(Marks(), 1);
  ASSERT_THAT(vault_.store().Renew(), IsOkAndHolds(1));
  EXPECT_THAT(Generations(ann_, kProfile), ElementsAre(3));
  EXPECT_THAT(Used(ann_, kProfile), IsEmpty());
  Rename("Ann Again");
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann Again")));
}

TEST_F(RenewalsTest, TheShardThatAValueLeftIsReKeyed) {
  const auto leaves = [&] {
    std::set<std::pair<std::string, std::string>> rows;
    for (const auto& row : RowsOf(vault_.keys(), base::kSpaceLeafKey)) {
      rows.emplace(row.key, row.value);
    }
    return rows;
  };
  ASSERT_THAT(
      Put(vault_, ann_, RecordOf("account", {{"email", "new@example.com"}})),
      IsOk());
  EXPECT_EQ(Marks(), 2);
  const auto before = leaves();
  ASSERT_THAT(vault_.store().Renew(), IsOkAndHolds(2));
  ExpectRenewed(kAccount);
  EXPECT_NE(leaves(), before);
  EXPECT_THAT(Find(vault_, "account.email", "new@example.com"),
              IsOkAndHolds(ElementsAre(ann_)));
  EXPECT_THAT(Find(vault_, "account.email", kAnns),
              HasReason(Reason::kSubjectNotFound));
  const SubjectId other = NewPerson(vault_, kAnns);
  EXPECT_THAT(Find(vault_, "account.email", kAnns),
              IsOkAndHolds(ElementsAre(other)));
}

TEST_F(RenewalsTest, RecordsOfALongSeriesGoOverAsTheyAre) {
  std::vector<std::pair<base::RecordId, std::string>> etags;
  for (int i = 0; i < 600; ++i) {
    const auto put = Put(vault_, ann_, PaymentOf(i, vault_.clock().Now()));
    ASSERT_THAT(put, IsOk());
    etags.emplace_back(put->name.id, EtagOf(put->version));
  }
  PutRecordInput input;
  input.subject = ann_;
  input.record = PaymentOf(-1, vault_.clock().Now());
  input.record_id = etags[300].first;
  const auto changed =
      Put(vault_, FullCall(vault_, Action::kRecordPut), std::move(input));
  ASSERT_THAT(changed, IsOk());
  etags[300].second = EtagOf(changed->version);
  ASSERT_THAT(vault_.store().Renew(), IsOkAndHolds(1));
  ExpectRenewed(kTransaction);
  for (const auto& [id, etag] : etags) {
    const auto shown = Get(vault_, ann_, "transaction", {"amount"}, id);
    ASSERT_THAT(shown, IsOk());
    EXPECT_EQ(shown->etag, etag);
    EXPECT_THAT(shown->fields, SizeIs(1));
  }
}

TEST_F(RenewalsTest, EachRecordThatGoesOverIsInTheLogWithItsCommitment) {
  Rename("Ann Second");
  const auto reference = vault_.LastEvent().subject;
  ASSERT_TRUE(reference.has_value());
  ASSERT_THAT(vault_.store().Renew(), IsOk());
  const std::string row = test::Stored(
      vault_.data(), RecordKey(kAcme, ann_, kProfile, base::RecordId()));
  size_t found = 0;
  for (const audit::Event& event : vault_.Events()) {
    if (event.action != Action::kStoreTidy || event.writes.empty()) continue;
    ++found;
    EXPECT_EQ(event.subject, reference);
    ASSERT_THAT(event.writes, SizeIs(1));
    EXPECT_EQ(event.writes[0].version, 2);
    EXPECT_EQ(std::string(event.writes[0].commitment.begin(),
                          event.writes[0].commitment.end()),
              crypto::CommitmentOf(row));
  }
  EXPECT_EQ(found, 1);
}

TEST_F(RenewalsTest, AnOldPasswordsHashDiesAndWrongGuessesMarkNothing) {
  SetPassword(kPassword);
  EXPECT_EQ(Marks(), 0);
  EXPECT_FALSE(Verifies("wrong"));
  EXPECT_TRUE(Verifies(kPassword));
  EXPECT_EQ(Marks(), 0);
  SetPassword("another horse");
  EXPECT_EQ(Marks(), 1);
  EXPECT_FALSE(Verifies("wrong"));
  ASSERT_THAT(vault_.store().Renew(), IsOkAndHolds(1));
  EXPECT_THAT(Generations(ann_, policy::kClassCredential), ElementsAre(2));
  EXPECT_FALSE(Verifies(kPassword));
  EXPECT_TRUE(Verifies("another horse"));
}

TEST_F(RenewalsTest, WhoWasErasedIsLeftToTheirErasure) {
  Rename("Ann Second");
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().Renew(), IsOkAndHolds(0));
  EXPECT_EQ(Marks(), 0);
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_TRUE(VerifyErasure(vault_, ann_)->erased());
}

// Of two generations both go.
TEST_F(RenewalsTest, AnErasureInTheMiddleTakesBothKeys) {
  Rename("Ann Second");
  vault_.data().FailCommit(2, FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  ASSERT_THAT(vault_.store().Renew(), Not(IsOk()));
  vault_.data().Restart();
  ASSERT_THAT(Generations(ann_, kProfile), ElementsAre(1, 2));
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann Second")));
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_THAT(Generations(ann_, kProfile), IsEmpty());
  EXPECT_TRUE(VerifyErasure(vault_, ann_)->erased());
  EXPECT_THAT(vault_.store().Renew(), IsOkAndHolds(0));
  EXPECT_EQ(Marks(), 0);
}

TEST_F(RenewalsTest, ARowOfAGenerationThatIsNotThereIsDamage) {
  Rename("Ann Second");
  ASSERT_THAT(vault_.store().Renew(), IsOk());
  const std::string key = RecordKey(kAcme, ann_, kProfile, base::RecordId());
  const std::string older = test::Stored(vault_.data(), key);
  Rename("Ann Third");
  ASSERT_THAT(vault_.store().Renew(), IsOk());
  test::Overwrite(vault_.data(), key, older);
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}),
              HasReason(Reason::kIntegrityFailure));
}

TEST_F(RenewalsTest, ADamagedMarkStopsItBeforeAnythingIsChanged) {
  Rename("Ann Second");
  test::Overwrite(vault_.data(), WornKey(kAcme, ann_, kProfile), "\x07");
  EXPECT_THAT(vault_.store().Renew(),
              test::StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Generations(ann_, kProfile), ElementsAre(1));
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann Second")));
}

TEST_F(RenewalsTest, AnyCommitMayFailOrBeTheLast) {
  struct Way {
    absl::Status status;
    FaultyEngine::When when;
  };
  const Way ways[] = {
      {absl::ResourceExhaustedError("full"),
       FaultyEngine::When::kBeforeApplied},
      {absl::UnknownError("sync"), FaultyEngine::When::kBeforeApplied},
      {absl::UnknownError("sync"), FaultyEngine::When::kAfterApplied},
  };
  size_t steps = 0;
  int renamed = 0;
  for (const Way& way : ways) {
    for (const bool keys : {true, false}) {
      for (size_t n = 1;; ++n) {
        SCOPED_TRACE(testing::Message()
                     << way.status << static_cast<int>(way.when) << keys
                     << " commit " << n);
        const std::string number = std::to_string(++renamed);
        ASSERT_NO_FATAL_FAILURE(Rename("Ann " + number));
        ASSERT_THAT(Put(vault_, ann_,
                        RecordOf("account",
                                 {{"email", "a" + number + "@example.com"}})),
                    IsOk());
        FaultyEngine& engine = keys ? vault_.keys() : vault_.data();
        engine.FailCommit(n, way.when, way.status);
        if (vault_.store().Renew().ok()) {
          engine.Restart();
          break;
        }
        ++steps;
        const bool dies = absl::IsUnknown(way.status);
        if (!dies) engine.Restart();
        if (dies) {
          ASSERT_THAT(vault_.Reopen(), IsOk());
        }
        EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann " + number)));
        ASSERT_THAT(vault_.store().Renew(), IsOk());
        ExpectRenewed(kProfile);
        ExpectRenewed(kAccount);
        EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann " + number)));
      }
    }
  }
  // Keys: two added, two dropped, the seal. Data: the same four, two moves,
  // the mark of the shard, the end.
  EXPECT_EQ(steps, 3 * (5 + 8));
}

TEST_F(RenewalsTest, CorrectionsThatRaceItLoseNothing) {
  constexpr int kCorrections = 300;
  std::atomic<bool> over = false;
  std::jthread writer([&] {
    for (int i = 1; i <= kCorrections; ++i) {
      absl::Status written;
      do {
        written = Put(vault_, ann_,
                      RecordOf("profile", {{"full_name", std::to_string(i)}}))
                      .status();
      } while (base::ReasonOf(written) == Reason::kConflict);
      EXPECT_THAT(written, IsOk());
    }
    over = true;
  });
  size_t renewed = 0;
  while (!over) {
    const auto some = vault_.store().Renew();
    ASSERT_THAT(some, IsOk());
    renewed += *some;
  }
  writer.join();
  ASSERT_THAT(vault_.store().Renew(), IsOk());
  ExpectRenewed(kProfile);
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "300")));
}

class KeptRenewalsTest : public RenewalsTest {
 protected:
  static VaultFixture::Options Keeping() {
    VaultFixture::Options options;
    options.amend = test::KeepTransactions;
    return options;
  }
  KeptRenewalsTest() : RenewalsTest(Keeping()) {}
};

TEST_F(KeptRenewalsTest, WhatALawHasKeptOfSomebodyErasedIsRenewedToo) {
  const auto put = Put(vault_, ann_, InvoiceOf(100, "2026-05-01"));
  ASSERT_THAT(put, IsOk());
  PutRecordInput input;
  input.subject = ann_;
  input.record = InvoiceOf(200, "2026-05-01");
  input.record_id = put->name.id;
  ASSERT_THAT(
      Put(vault_, FullCall(vault_, Action::kRecordPut), std::move(input)),
      IsOk());
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  ASSERT_THAT(vault_.store().FinishErasures(), IsOkAndHolds(1));
  EXPECT_THAT(vault_.store().Renew(), IsOkAndHolds(1));
  ExpectRenewed(kTransaction);
  EXPECT_TRUE(VerifyErasure(vault_, ann_)->erased());
}

class SuiteRenewalsTest : public RenewalsTest {};

TEST_F(SuiteRenewalsTest, WritesInTheSuiteOfTheTenantOfNow) {
  ASSERT_THAT(vault_.ReopenInSuite(crypto::kAesSuite), IsOk());
  Rename("Ann Second");
  ASSERT_THAT(vault_.store().Renew(), IsOkAndHolds(1));
  ExpectRenewed(kProfile);
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann Second")));
}

}  // namespace
}  // namespace hizo::vault
