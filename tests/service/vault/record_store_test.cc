#include "service/vault/record_store.h"

#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr policy::ClassNumber kProfile = 2;
constexpr policy::ClassNumber kTransaction = 4;
const RecordName kProfileRecord{kProfile, {}};

class RecordStoreTest : public ::testing::Test {
 protected:
  const RecordStore& records() { return vault_.services().records; }
  static RecordChange::Put TextPut(crypto::FieldNumber number,
                                   std::string_view text) {
    return {number, EncodeValue(TextOf(text), Source::kProvided)};
  }
  // Writes the next version of the profile and commits it.
  absl::StatusOr<RecordVersion> WriteProfile(RecordChange change) {
    const Admitted admitted = AdmitFully(vault_, kFull, ann_);
    return Write(admitted, kProfileRecord, std::move(change));
  }
  absl::StatusOr<RecordVersion> Write(const Admitted& admitted,
                                      const RecordName& name,
                                      const RecordChange& change) {
    const auto present =
        records().Read(*admitted.attempt, admitted.grant, name);
    if (!present.ok()) return present.status();
    const OpenRecord* record = present->has_value() ? &**present : nullptr;
    auto attempt = vault_.NewAttempt(FullCall(vault_, Action::kRecordPut));
    const auto version =
        records().Write(*attempt, admitted.grant, name, record, change);
    if (!version.ok()) return version;
    const absl::Status committed = vault_.Commit(std::move(attempt)).status;
    if (!committed.ok()) return committed;
    return version;
  }
  std::string TextIn(const OpenRecord& record, const AccessGrant& grant,
                     std::string_view field) {
    const auto value = record.Read(grant, vault_.Field(field));
    if (!value.ok()) return value.status().ToString();
    return value->has_value() ? RevealText(**value) : "(absent)";
  }

  VaultFixture vault_;
  const base::SubjectId ann_ = NewPerson(vault_, "ann@example.com");
};

TEST_F(RecordStoreTest, ReadsWhatWasWritten) {
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  const auto record =
      records().Read(*admitted.attempt, admitted.grant, kProfileRecord);
  ASSERT_TRUE(record.ok() && record->has_value());
  EXPECT_EQ(TextIn(**record, admitted.grant, "profile.full_name"), "Ann Other");
  EXPECT_EQ(TextIn(**record, admitted.grant, "profile.note"), "(absent)");
  EXPECT_TRUE((*record)->Has(vault_.Field("profile.full_name")));
  EXPECT_FALSE((*record)->Has(vault_.Field("profile.note")));
  EXPECT_THAT((*record)->Fields(), ElementsAre(201));
}

TEST_F(RecordStoreTest, ReadsNothingWhereNoRecordIs) {
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  for (const RecordName& name :
       {RecordName{3, {}},
        RecordName{kProfile, NewRecordId(base::Timestamp(), 0)},
        RecordName{kTransaction, {}}}) {
    const auto record = records().Read(*admitted.attempt, admitted.grant, name);
    ASSERT_THAT(record, IsOk());
    EXPECT_FALSE(record->has_value());
  }
}

TEST_F(RecordStoreTest, OpensNoFieldThatTheGrantDoesNotCover) {
  const Call call = FullCall(vault_, Action::kRecordGet);
  auto attempt = vault_.NewAttempt(call);
  Ask ask;
  ask.subject = ann_;
  ask.view = policy::View::kPlain;
  ask.fields.set(vault_.Field("profile.note").index);
  const auto grant = vault_.services().gate.Admit(*attempt, call, ask);
  ASSERT_THAT(grant, IsOk());
  const auto record = records().Read(*attempt, *grant, kProfileRecord);
  ASSERT_TRUE(record.ok() && record->has_value());
  EXPECT_THAT((*record)->Read(*grant, vault_.Field("profile.full_name")),
              HasReason(Reason::kInternal));
  EXPECT_THAT((*record)->Read(*grant, vault_.Field("profile.note")), IsOk());
}

TEST_F(RecordStoreTest, ReadsNoClassThatTheGrantDoesNotCover) {
  const Call call = FullCall(vault_, Action::kRecordGet);
  auto attempt = vault_.NewAttempt(call);
  Ask ask;
  ask.subject = ann_;
  const auto grant = vault_.services().gate.Admit(*attempt, call, ask);
  ASSERT_THAT(grant, IsOk());
  EXPECT_THAT(records().Read(*attempt, *grant, kProfileRecord),
              HasReason(Reason::kInternal));
  EXPECT_THAT(records().Write(*attempt, *grant, kProfileRecord, nullptr, {}),
              HasReason(Reason::kInternal));
  EXPECT_THAT(records().List(*attempt, *grant, kProfile, std::nullopt, 1),
              HasReason(Reason::kInternal));
}

TEST_F(RecordStoreTest, WritesNothingInAClassWithoutAKey) {
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  EXPECT_THAT(
      records().Write(*admitted.attempt, admitted.grant, {3, {}}, nullptr, {}),
      HasReason(Reason::kInternal));
  EXPECT_FALSE(admitted.attempt->writes());
}

TEST_F(RecordStoreTest, CountsVersionsAndKeepsTheirEpoch) {
  RecordChange change;
  change.put.push_back(TextPut(201, "Ann Second"));
  const auto second = WriteProfile(std::move(change));
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->version, 2);
  change = RecordChange();
  change.put.push_back(TextPut(201, "Ann Third"));
  const auto third = WriteProfile(std::move(change));
  ASSERT_THAT(third, IsOk());
  EXPECT_EQ(third->version, 3);
  EXPECT_EQ(third->epoch, second->epoch);
}

TEST_F(RecordStoreTest, GivesARecordThatWasThereBeforeAnotherEpoch) {
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  std::set<uint64_t> epochs;
  for (int i = 0; i < 3; ++i) {
    RecordChange change;
    change.put.push_back(TextPut(201, "Ann Again"));
    const auto version = records().Write(*admitted.attempt, admitted.grant,
                                         kProfileRecord, nullptr, change);
    ASSERT_THAT(version, IsOk());
    EXPECT_EQ(version->version, 1);
    epochs.insert(version->epoch);
  }
  EXPECT_THAT(epochs, SizeIs(3));
}

TEST_F(RecordStoreTest, CarriesFieldsOverUnopened) {
  RecordChange change;
  change.put.push_back(TextPut(204, "a note"));
  change.keep = {201};
  ASSERT_THAT(WriteProfile(std::move(change)), IsOk());
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  const auto record =
      records().Read(*admitted.attempt, admitted.grant, kProfileRecord);
  ASSERT_TRUE(record.ok() && record->has_value());
  EXPECT_EQ(TextIn(**record, admitted.grant, "profile.full_name"), "Ann Other");
  EXPECT_EQ(TextIn(**record, admitted.grant, "profile.note"), "a note");
}

TEST_F(RecordStoreTest, RefusesToCarryOverAFieldThatIsNotThere) {
  RecordChange change;
  change.put.push_back(TextPut(201, "Ann"));
  change.keep = {204};
  EXPECT_THAT(WriteProfile(std::move(change)), ::testing::Not(IsOk()));
}

TEST_F(RecordStoreTest, NotesEachWriteAndItsCommitmentInTheEvent) {
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  const auto present =
      records().Read(*admitted.attempt, admitted.grant, kProfileRecord);
  auto attempt = vault_.NewAttempt(FullCall(vault_, Action::kRecordPut));
  RecordChange change;
  change.put.push_back(TextPut(201, "Ann Second"));
  ASSERT_THAT(records().Write(*attempt, admitted.grant, kProfileRecord,
                              &**present, change),
              IsOk());
  ASSERT_THAT(vault_.Commit(std::move(attempt)).status, IsOk());
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.records, 1);
  ASSERT_THAT(event.writes, SizeIs(1));
  EXPECT_EQ(event.writes[0].class_number, kProfile);
  EXPECT_EQ(event.writes[0].version, 2);
  const auto row = crypto::SealedRow::Parse(
      test::Stored(vault_.data(), RecordKey(kAcme, ann_, kProfile, {})));
  ASSERT_THAT(row, IsOk());
  const auto& commitment = event.writes[0].commitment;
  EXPECT_EQ(std::string(commitment.begin(), commitment.end()),
            row->commitment());
}

TEST_F(RecordStoreTest, HidesTheEventTimeAmongTheFields) {
  const base::Timestamp time = base::FromMicros(123456);
  const auto written = Put(vault_, ann_, PaymentOf(100, time));
  ASSERT_THAT(written, IsOk());
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  const auto record =
      records().Read(*admitted.attempt, admitted.grant, written->name);
  ASSERT_TRUE(record.ok() && record->has_value());
  EXPECT_THAT((*record)->Fields(), ElementsAre(401));
  EXPECT_THAT((*record)->EventTime(), test::IsOkAndHolds(time));
  const auto profile =
      records().Read(*admitted.attempt, admitted.grant, kProfileRecord);
  EXPECT_THAT((*profile)->EventTime(), test::IsOkAndHolds(std::nullopt));
}

TEST_F(RecordStoreTest, RefusesAnEventTimeThatIsNone) {
  RecordChange change;
  change.put.push_back(TextPut(201, "Ann"));
  change.put.push_back(TextPut(kEventTimeField, "yesterday"));
  ASSERT_THAT(WriteProfile(std::move(change)), IsOk());
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  const auto record =
      records().Read(*admitted.attempt, admitted.grant, kProfileRecord);
  EXPECT_THAT((*record)->EventTime(), HasReason(Reason::kIntegrityFailure));
}

TEST_F(RecordStoreTest, ListsInTheOrderOfIdsFromAnyPlaceOn) {
  std::set<base::RecordId> ids;
  for (int i = 0; i < 5; ++i) {
    vault_.clock().Advance(std::chrono::milliseconds(1));
    const auto written = Put(vault_, ann_, PaymentOf(i, base::Timestamp()));
    ASSERT_THAT(written, IsOk());
    ids.insert(written->name.id);
  }
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  const auto list = [&](const std::optional<base::RecordId>& after,
                        size_t limit) {
    std::vector<base::RecordId> listed;
    const auto found = records().List(*admitted.attempt, admitted.grant,
                                      kTransaction, after, limit);
    EXPECT_THAT(found, IsOk());
    for (const auto& each : found->entries) listed.push_back(each.name.id);
    return listed;
  };
  const std::vector<base::RecordId> all(ids.begin(), ids.end());
  EXPECT_EQ(list(std::nullopt, 10), all);
  EXPECT_THAT(list(std::nullopt, 2), ElementsAre(all[0], all[1]));
  EXPECT_THAT(list(all[1], 2), ElementsAre(all[2], all[3]));
  EXPECT_THAT(list(all[4], 2), IsEmpty());
}

TEST_F(RecordStoreTest, ListsNothingOfOtherPeopleOrClasses) {
  const base::SubjectId bob = NewPerson(vault_, "bob@example.com");
  ASSERT_THAT(Put(vault_, bob, PaymentOf(1, base::Timestamp())), IsOk());
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  const auto payments = records().List(*admitted.attempt, admitted.grant,
                                       kTransaction, std::nullopt, 10);
  ASSERT_THAT(payments, IsOk());
  EXPECT_THAT(payments->entries, IsEmpty());
  const auto profiles = records().List(*admitted.attempt, admitted.grant,
                                       kProfile, std::nullopt, 10);
  ASSERT_THAT(profiles, IsOk());
  EXPECT_THAT(profiles->entries, SizeIs(1));
}

TEST_F(RecordStoreTest, EndsAListWithTheRecordThatFillsIt) {
  constexpr uint16_t kRecords = 20;
  constexpr size_t kTextBytes = 60'000;  // so that not all are a listing
  ASSERT_THAT(Put(vault_, ann_, PaymentOf(1, base::Timestamp())), IsOk());
  for (uint16_t i = 0; i < kRecords; ++i) {
    const Admitted admitted = AdmitFully(vault_, kFull, ann_);
    RecordChange change;
    change.put.push_back(TextPut(301, std::string(kTextBytes, 'x')));
    ASSERT_THAT(Write(admitted, {kTransaction, NewRecordId({}, i)}, change),
                IsOk());
  }
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  std::optional<base::RecordId> after;
  size_t listed = 0;
  int listings = 0;
  for (bool more = true; more; ++listings) {
    const auto found = records().List(*admitted.attempt, admitted.grant,
                                      kTransaction, after, 100);
    ASSERT_THAT(found, IsOk());
    EXPECT_LE(found->entries.size(),
              RecordStore::kListBytesMax / kTextBytes + 1);
    listed += found->entries.size();
    more = found->more;
    if (more) after = found->entries.back().name.id;
  }
  EXPECT_EQ(listed, size_t{kRecords + 1});
  EXPECT_EQ(listings, 2);
}

TEST_F(RecordStoreTest, SaysWhetherMoreMayFollow) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(Put(vault_, ann_, PaymentOf(i, base::Timestamp())), IsOk());
  }
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  for (const size_t limit : {1, 2, 3, 4}) {
    const auto found = records().List(*admitted.attempt, admitted.grant,
                                      kTransaction, std::nullopt, limit);
    ASSERT_THAT(found, IsOk());
    EXPECT_EQ(found->more, limit < 3) << limit;
  }
}

TEST_F(RecordStoreTest, RefusesToListARowUnderAKeyThatIsNoRecords) {
  const std::string key = RecordKey(kAcme, ann_, kProfile, {});
  test::Overwrite(vault_.data(), key + "x", test::Stored(vault_.data(), key));
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  EXPECT_THAT(records().List(*admitted.attempt, admitted.grant, kProfile,
                             std::nullopt, 10),
              HasReason(Reason::kIntegrityFailure));
}

TEST_F(RecordStoreTest, ReliesOnTheRecordsThatItRead) {
  Admitted reader = AdmitFully(vault_, kFull, ann_);
  ASSERT_THAT(records().Read(*reader.attempt, reader.grant, kProfileRecord),
              IsOk());
  ASSERT_THAT(
      Put(vault_, ann_, RecordOf("profile", {{"full_name", "Ann New"}})),
      IsOk());
  EXPECT_THAT(vault_.Commit(std::move(reader.attempt)).status,
              HasReason(Reason::kConflict));
}

TEST_F(RecordStoreTest, ReliesOnTheListThatItRead) {
  Admitted reader = AdmitFully(vault_, kFull, ann_);
  Admitted elsewhere = AdmitFully(vault_, kFull, ann_);
  ASSERT_THAT(records().List(*reader.attempt, reader.grant, kTransaction,
                             std::nullopt, 10),
              IsOk());
  ASSERT_THAT(records().List(*elsewhere.attempt, elsewhere.grant, kProfile,
                             std::nullopt, 10),
              IsOk());
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  RecordChange change;
  change.put.push_back(TextPut(201, "Ann New"));
  ASSERT_THAT(Write(admitted, kProfileRecord, change), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(reader.attempt)).status, IsOk());
  EXPECT_THAT(vault_.Commit(std::move(elsewhere.attempt)).status,
              HasReason(Reason::kConflict));
}

TEST(EtagTest, DiffersForEveryVersionAndEpoch) {
  EXPECT_EQ(EtagOf({1, 0xABC}), "0000000000000abc-1");
  EXPECT_EQ(EtagOf({UINT64_MAX, UINT64_MAX}),
            "ffffffffffffffff-18446744073709551615");
  EXPECT_NE(EtagOf({1, 2}), EtagOf({2, 2}));
  EXPECT_NE(EtagOf({1, 2}), EtagOf({1, 3}));
  EXPECT_NE(EtagOf({1, 2}), EtagOf({2, 1}));
}

}  // namespace
}  // namespace hizo::vault
