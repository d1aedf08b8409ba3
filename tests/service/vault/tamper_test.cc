// What a thief who may write finds out: whatever is moved on disk is an
// integrity error, never somebody else's plaintext.
#include <algorithm>
#include <string>
#include <vector>

#include "crypto/record_cipher.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using test::Overwrite;
using test::Stored;

constexpr policy::ClassNumber kProfile = 2;
constexpr policy::ClassNumber kBillingClass = 3;
constexpr policy::ClassNumber kTransaction = 4;

// Bytes of a row's head (crypto/FORMAT.md).
constexpr size_t kVersionEnd = 24;
constexpr size_t kEpochEnd = 32;

class TamperTest : public ::testing::Test {
 protected:
  static std::string ProfileKey(base::SubjectId subject,
                                base::TenantId tenant = kAcme) {
    return RecordKey(tenant, subject, kProfile, base::RecordId());
  }
  std::string ProfileRow() { return Stored(vault_.data(), ProfileKey(ann_)); }
  void OverwriteProfile(const std::string& row) {
    Overwrite(vault_.data(), ProfileKey(ann_), row);
  }
  absl::Status StatusOfReading(const std::string& field = "full_name") {
    return Get(vault_, ann_, "profile", {field}).status();
  }
  // Writes a profile whose two texts are sealed as equally many bytes.
  void WriteProfile(const std::string& name, const std::string& note) {
    ASSERT_THAT(Put(vault_, ann_,
                    RecordOf("profile", {{"full_name", name}, {"note", note}})),
                IsOk());
  }
  // The sealed bytes of a field in a row.
  static std::pair<size_t, size_t> PlaceOf(const std::string& row,
                                           crypto::FieldNumber number) {
    const auto parsed = crypto::SealedRow::Parse(row);
    const auto* field = parsed->Find(number);
    return {field->offset, field->size};
  }

  VaultFixture vault_;
  const base::SubjectId ann_ = NewPerson(vault_, "ann@example.com");
  const base::SubjectId bob_ = NewPerson(vault_, "bob@example.com");
};

TEST_F(TamperTest, RefusesARowMovedToAnotherPerson) {
  OverwriteProfile(Stored(vault_.data(), ProfileKey(bob_)));
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure));
  EXPECT_THAT(Get(vault_, bob_, "profile", {"full_name"}), IsOk());
}

TEST_F(TamperTest, RefusesARowMovedToAnotherClass) {
  ASSERT_THAT(Put(vault_, ann_, RecordOf("billing", {{"card_last4", "4242"}})),
              IsOk());
  Overwrite(vault_.data(),
            RecordKey(kAcme, ann_, kBillingClass, base::RecordId()),
            ProfileRow());
  EXPECT_THAT(Get(vault_, ann_, "billing", {"card_last4"}),
              HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, RefusesARowMovedToAnotherRecord) {
  const auto first = Put(vault_, ann_, PaymentOf(100, base::Timestamp()));
  const auto second = Put(vault_, ann_, PaymentOf(200, base::Timestamp()));
  ASSERT_TRUE(first.ok() && second.ok());
  Overwrite(vault_.data(), RecordKey(kAcme, ann_, kTransaction, first->name.id),
            Stored(vault_.data(),
                   RecordKey(kAcme, ann_, kTransaction, second->name.id)));
  EXPECT_THAT(Get(vault_, ann_, "transaction", {"amount"}, first->name.id),
              HasReason(Reason::kIntegrityFailure));
  EXPECT_THAT(Get(vault_, ann_, "transaction", {"amount"}, second->name.id),
              IsOk());
}

TEST_F(TamperTest, RefusesARowDoubledUnderAnIdThatNobodyMade) {
  const auto first = Put(vault_, ann_, PaymentOf(100, base::Timestamp()));
  ASSERT_THAT(first, IsOk());
  const base::RecordId forged = NewRecordId(vault_.clock().Now(), 0);
  Overwrite(vault_.data(), RecordKey(kAcme, ann_, kTransaction, forged),
            Stored(vault_.data(),
                   RecordKey(kAcme, ann_, kTransaction, first->name.id)));
  EXPECT_THAT(Get(vault_, ann_, "transaction", {"amount"}, forged),
              HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, RefusesEverythingOfAPersonMovedToAnotherTenant) {
  const auto move = [](storage::Engine& engine, const std::string& from,
                       const std::string& to) {
    Overwrite(engine, to, Stored(engine, from));
  };
  const auto bucket = [this](base::TenantId tenant) {
    return vault_.services().store_keys.tree()->BucketOf(
        DeksName(tenant, ann_));
  };
  move(vault_.keys(), DeksKey(bucket(kAcme), kAcme, ann_),
       DeksKey(bucket(kGlobex), kGlobex, ann_));
  move(vault_.data(), FactsKey(kAcme, ann_), FactsKey(kGlobex, ann_));
  move(vault_.data(), ProfileKey(ann_), ProfileKey(ann_, kGlobex));
  const Call call =
      vault_.CallOf(test::kOtherFull, Action::kRecordGet, kService);
  const auto shown = vault_.Run(call, [&](Attempt& attempt) {
    return vault_.store().records().Get(
        attempt, call,
        {ann_, std::nullopt, {"profile", {"full_name"}, policy::View::kPlain}});
  });
  EXPECT_THAT(shown, HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, RefusesARowOfAnotherTenantsPerson) {
  const base::SubjectId other = NewPersonOfGlobex(vault_, "ann@example.com");
  OverwriteProfile(Stored(vault_.data(), ProfileKey(other, kGlobex)));
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, RefusesAFieldMovedToAnotherField) {
  WriteProfile("Ann A", "note!");
  const std::string row = ProfileRow();
  const auto [name, name_size] = PlaceOf(row, 201);
  const auto [note, note_size] = PlaceOf(row, 204);
  ASSERT_EQ(name_size, note_size);
  std::string swapped = row;
  std::copy_n(row.begin() + static_cast<ptrdiff_t>(name), name_size,
              swapped.begin() + static_cast<ptrdiff_t>(note));
  OverwriteProfile(swapped);
  EXPECT_THAT(StatusOfReading("note"), HasReason(Reason::kIntegrityFailure));
  std::copy_n(row.begin() + static_cast<ptrdiff_t>(note), note_size,
              swapped.begin() + static_cast<ptrdiff_t>(name));
  OverwriteProfile(swapped);
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure));
  EXPECT_THAT(StatusOfReading("note"), HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, RefusesAFieldOfAnEarlierVersion) {
  WriteProfile("Ann A", "old!!");
  const std::string old_row = ProfileRow();
  WriteProfile("Ann A", "new!!");
  std::string row = ProfileRow();
  const auto [from, size] = PlaceOf(old_row, 204);
  const auto [to, new_size] = PlaceOf(row, 204);
  ASSERT_EQ(size, new_size);
  row.replace(to, new_size, old_row, from, size);
  OverwriteProfile(row);
  EXPECT_THAT(StatusOfReading("note"), HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, RefusesAnEarlierVersionUnderALaterNumber) {
  WriteProfile("Ann A", "old!!");
  std::string old_row = ProfileRow();
  WriteProfile("Ann A", "new!!");
  old_row.replace(0, kVersionEnd, ProfileRow(), 0, kVersionEnd);
  OverwriteProfile(old_row);
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, RefusesARowOfAnotherEpoch) {
  std::string row = ProfileRow();
  row[kEpochEnd - 1] ^= 1;
  OverwriteProfile(row);
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, RefusesEveryChangedByteOfARow) {
  WriteProfile("Ann A", "note!");
  const std::string row = ProfileRow();
  for (size_t i = 0; i < row.size(); ++i) {
    std::string changed = row;
    changed[i] ^= 0x40;
    OverwriteProfile(changed);
    // Where the change lies inside one field's bytes, the other still opens.
    const bool either =
        !StatusOfReading("full_name").ok() || !StatusOfReading("note").ok();
    ASSERT_TRUE(either) << "byte " << i;
  }
  OverwriteProfile(row);
  EXPECT_THAT(StatusOfReading(), IsOk());
}

TEST_F(TamperTest, RefusesEveryCutOfARow) {
  const std::string row = ProfileRow();
  for (size_t size = 0; size < row.size(); size += 7) {
    OverwriteProfile(row.substr(0, size));
    ASSERT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure))
        << "cut at " << size;
  }
  OverwriteProfile(row + '\0');
  EXPECT_THAT(StatusOfReading(), HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, RefusesToWriteOverARowThatItCannotOpen) {
  OverwriteProfile(Stored(vault_.data(), ProfileKey(bob_)));
  EXPECT_THAT(
      PutMasked(vault_, ann_, RecordOf("profile", {{"note", "new"}}), {"note"}),
      HasReason(Reason::kIntegrityFailure));
  EXPECT_THAT(
      Put(vault_, ann_, RecordOf("profile", {{"full_name", "Ann New"}})),
      HasReason(Reason::kIntegrityFailure));
  EXPECT_EQ(ProfileRow(), Stored(vault_.data(), ProfileKey(bob_)));
}

TEST_F(TamperTest, RefusesToDescribeAPersonWithADamagedRecord) {
  OverwriteProfile("damaged");
  const Call call = FullCall(vault_, Action::kSubjectGet);
  const auto described = vault_.Run(call, [&](Attempt& attempt) {
    return vault_.store().subjects().Get(attempt, call, ann_);
  });
  EXPECT_THAT(described, HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, RefusesIndexRowsMovedToAnotherValue) {
  const auto rows = test::RowsOf(vault_.keys(), base::kSpaceIndex);
  ASSERT_EQ(rows.size(), 2);
  Overwrite(vault_.keys(), rows[0].key, rows[1].value);
  Overwrite(vault_.keys(), rows[1].key, rows[0].value);
  for (const char* email : {"ann@example.com", "bob@example.com"}) {
    EXPECT_THAT(Find(vault_, "account.email", email),
                HasReason(Reason::kIntegrityFailure));
  }
}

TEST_F(TamperTest, RefusesChangedIndexRowsAndShardKeys) {
  for (const storage::Row& row :
       test::RowsOf(vault_.keys(), base::kSpaceIndex)) {
    std::string changed = row.value;
    changed.back() ^= 1;
    Overwrite(vault_.keys(), row.key, changed);
  }
  EXPECT_THAT(Find(vault_, "account.email", "ann@example.com"),
              HasReason(Reason::kIntegrityFailure));
  const std::string shard =
      std::string(1, base::kSpaceLeafKey) + std::string("\0\0\0\1\5", 5);
  const auto leaves = vault_.keys().Scan(storage::PrefixRange(shard, 10));
  ASSERT_TRUE(leaves.ok() && !leaves->empty());
  for (const storage::Row& leaf : *leaves) {
    Overwrite(vault_.keys(), leaf.key, std::string(leaf.value.size(), 'x'));
  }
  EXPECT_THAT(Find(vault_, "account.email", "ann@example.com"),
              HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, LeavesNoValueInAnyRow) {
  WriteProfile("Annabella Otherwise", "remember the milk");
  vault_.Close();
  std::string everything;
  for (const storage::Engine* engine :
       {static_cast<const storage::Engine*>(&vault_.keys()),
        static_cast<const storage::Engine*>(&vault_.data())}) {
    const auto rows =
        engine->Scan({std::string(), std::string(), storage::kScanLimitMax});
    ASSERT_THAT(rows, IsOk());
    for (const storage::Row& row : *rows) everything += row.key + row.value;
  }
  EXPECT_NE(everything.find("spiffe://acme"), std::string::npos);
  for (const char* value : {"Annabella", "milk", "ann@", "example.com"}) {
    EXPECT_EQ(everything.find(value), std::string::npos) << value;
  }
}

}  // namespace
}  // namespace hizo::vault
