// Stores and tenants of both cipher suites: everything works in each, what is
// there stays readable when a tenant's suite changes, and no row can be made to
// claim another suite than it was written in.
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "crypto/record_cipher.h"
#include "crypto/suite.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "storage/memory/engine.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Pii;
using base::Reason;
using base::SubjectId;
using crypto::kAesSuite;
using crypto::kFirstSuite;
using crypto::Suite;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kAuthentication;
using test::Overwrite;
using test::RowsOf;
using test::StatusIs;
using test::Stored;
using ::testing::ElementsAre;
using ::testing::Pair;

constexpr policy::ClassNumber kProfile = 2;
constexpr char kEmail[] = "ann@example.com";
constexpr char kPassword[] = "correct horse battery staple";

VaultFixture::Options OptionsOf(Suite store, Suite tenant) {
  VaultFixture::Options options;
  options.store_suite = store;
  options.tenant_suite = tenant;
  return options;
}

std::string ProfileKey(SubjectId subject) {
  return RecordKey(kAcme, subject, kProfile, base::RecordId());
}

Suite SuiteOfRow(const std::string& row) {
  return crypto::SealedRow::Parse(row)->suite();
}

std::string DeksRowKey(VaultFixture& vault, SubjectId subject) {
  const auto bucket =
      vault.services().store_keys.tree()->BucketOf(DeksName(kAcme, subject));
  return DeksKey(bucket, kAcme, subject);
}

absl::StatusOr<std::optional<SubjectId>> Verify(VaultFixture& vault,
                                                const std::string& password) {
  const Call call =
      vault.CallOf(kFull, Action::kCredentialVerify, kAuthentication);
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().credentials().Verify(
        attempt, call, {std::nullopt, "account.email", Pii(kEmail)},
        Pii(password));
  });
}

absl::Status SetPassword(VaultFixture& vault, SubjectId subject) {
  const Call call =
      vault.CallOf(kFull, Action::kCredentialSet, kAuthentication);
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().credentials().Set(attempt, call, subject,
                                           Pii(kPassword));
  });
}

absl::StatusOr<RecordPage> List(VaultFixture& vault, SubjectId subject,
                                const std::string& token) {
  const Call call = FullCall(vault, Action::kRecordList);
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().records().List(
        attempt, call,
        {subject, {"transaction", {"amount"}, policy::View::kPlain}, 1, token});
  });
}

struct Suites {
  const char* name;
  Suite store;
  Suite tenant;
};

class SuitesTest : public ::testing::TestWithParam<Suites> {
 protected:
  VaultFixture vault_{OptionsOf(GetParam().store, GetParam().tenant)};
  const SubjectId ann_ = NewPerson(vault_, kEmail);
};

INSTANTIATE_TEST_SUITE_P(
    All, SuitesTest,
    ::testing::Values(Suites{"First", kFirstSuite, kFirstSuite},
                      Suites{"AesTenantInAFirstStore", kFirstSuite, kAesSuite},
                      Suites{"Aes", kAesSuite, kAesSuite}),
    [](const auto& tested) { return tested.param.name; });

TEST_P(SuitesTest, KeepsFindsAndChangesPeople) {
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(Find(vault_, "account.email", kEmail),
              IsOkAndHolds(ElementsAre(ann_)));
  ASSERT_THAT(
      PutMasked(vault_, ann_, RecordOf("profile", {{"note", "x"}}), {"note"}),
      IsOk());
  const auto shown = Get(vault_, ann_, "profile", {"full_name", "note"});
  ASSERT_THAT(shown, IsOk());
  EXPECT_THAT(TextsOf(*shown),
              ElementsAre(Pair("full_name", "Ann Other"), Pair("note", "x")));
  EXPECT_THAT(Find(vault_, "account.email", "bob@example.com"),
              HasReason(Reason::kSubjectNotFound));
}

TEST_P(SuitesTest, ChecksPasswords) {
  ASSERT_THAT(SetPassword(vault_, ann_), IsOk());
  EXPECT_THAT(Verify(vault_, kPassword), IsOkAndHolds(ann_));
  EXPECT_THAT(Verify(vault_, "another password"), IsOkAndHolds(std::nullopt));
}

TEST_P(SuitesTest, GoesOnWithPages) {
  for (int i = 0; i < 2; ++i) {
    vault_.clock().Advance(std::chrono::milliseconds(1));
    ASSERT_THAT(Put(vault_, ann_, PaymentOf(i, base::Timestamp())), IsOk());
  }
  const auto first = List(vault_, ann_, "");
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(List(vault_, ann_, first->next_page_token), IsOk());
  std::string forged = first->next_page_token;
  forged[0] = forged[0] == 'A' ? 'B' : 'A';
  EXPECT_THAT(List(vault_, ann_, forged), HasReason(Reason::kPageTokenInvalid));
}

TEST_P(SuitesTest, AnswersARepeatedRequest) {
  Call call = FullCall(vault_, Action::kSubjectCreate);
  call.request = RequestOf(1);
  call.body = "body";
  const auto first =
      Create(vault_, call, RecordsOf(RecordOf("account", {{"username", "u"}})));
  ASSERT_THAT(first, IsOk());
  const auto again =
      Create(vault_, call, RecordsOf(RecordOf("account", {{"username", "u"}})));
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->subject, first->subject);
}

// Every row that crypto seals says which suite it is of, or lies under a key
// that does.
TEST_P(SuitesTest, EveryRowIsOfItsSuite) {
  ASSERT_THAT(SetPassword(vault_, ann_), IsOk());
  for (const char space : {base::kSpaceFacts, base::kSpaceRecord}) {
    for (const storage::Row& row : RowsOf(vault_.data(), space)) {
      EXPECT_EQ(SuiteOfRow(row.value), GetParam().tenant) << space;
    }
  }
  const bool aes_tenant = GetParam().tenant == kAesSuite;
  for (const storage::Row& row : RowsOf(vault_.keys(), base::kSpaceDeks)) {
    EXPECT_EQ(row.value.substr(0, 2).starts_with("\2\2"), aes_tenant);
  }
  const std::string store_part(4, '\0');
  for (const storage::Row& row : RowsOf(vault_.keys(), base::kSpaceLeafKey)) {
    const bool of_store = row.key.substr(1, 4) == store_part;
    const Suite suite = of_store ? GetParam().store : GetParam().tenant;
    EXPECT_EQ(row.value.size(), suite == kAesSuite ? 73u : 72u);
  }
  EXPECT_EQ(Stored(vault_.keys(), MetaKey()).starts_with("\2\2"),
            GetParam().store == kAesSuite);
}

TEST_P(SuitesTest, RefusesRowsThatClaimAnotherSuite) {
  const std::string record = Stored(vault_.data(), ProfileKey(ann_));
  std::string changed = record;
  changed[1] = static_cast<char>(3 - changed[1]);
  ASSERT_THAT(crypto::SealedRow::Parse(changed), IsOk());
  Overwrite(vault_.data(), ProfileKey(ann_), changed);
  EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}),
              HasReason(Reason::kIntegrityFailure));
  Overwrite(vault_.data(), ProfileKey(ann_), record);
  ASSERT_THAT(Get(vault_, ann_, "profile", {"full_name"}), IsOk());

  const std::string deks_key = DeksRowKey(vault_, ann_);
  const std::string deks = Stored(vault_.keys(), deks_key);
  const std::string body = deks.substr(deks[0] == '\1' ? 1 : 2);
  const std::string heads[] = {"\1", "\2\1", "\2\2", "\2\3", "\3"};
  for (const std::string& head : heads) {
    if (head + body == deks) continue;
    Overwrite(vault_.keys(), deks_key, head + body);
    EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}),
                HasReason(Reason::kIntegrityFailure));
  }
}

// What is sealed in one suite is no more in place in the other.
class ChangeOfSuiteTest
    : public ::testing::TestWithParam<std::pair<Suite, Suite>> {
 protected:
  ChangeOfSuiteTest() {
    EXPECT_THAT(SetPassword(vault_, ann_), IsOk());
    EXPECT_THAT(
        Put(vault_, ann_, RecordOf("billing", {{"card_last4", "4242"}})),
        IsOk());
  }
  Suite before() const { return GetParam().first; }
  Suite after() const { return GetParam().second; }
  Suite SuiteOfProfile() {
    return SuiteOfRow(Stored(vault_.data(), ProfileKey(ann_)));
  }
  void ExpectEverythingReadable() {
    EXPECT_THAT(Find(vault_, "account.email", kEmail),
                IsOkAndHolds(ElementsAre(ann_)));
    EXPECT_THAT(Get(vault_, ann_, "profile", {"full_name"}), IsOk());
    EXPECT_THAT(Get(vault_, ann_, "billing", {"card_last4"}), IsOk());
    EXPECT_THAT(Verify(vault_, kPassword), IsOkAndHolds(ann_));
  }

  VaultFixture vault_{OptionsOf(kFirstSuite, GetParam().first)};
  const SubjectId ann_ = NewPerson(vault_, kEmail);
};

INSTANTIATE_TEST_SUITE_P(BothWays, ChangeOfSuiteTest,
                         ::testing::Values(std::pair(kFirstSuite, kAesSuite),
                                           std::pair(kAesSuite, kFirstSuite)),
                         [](const auto& tested) {
                           return tested.param.first == kFirstSuite ? "ToAes"
                                                                    : "FromAes";
                         });

TEST_P(ChangeOfSuiteTest, OldRowsStayReadable) {
  const std::string row = Stored(vault_.data(), ProfileKey(ann_));
  ASSERT_THAT(vault_.ReopenInSuite(after()), IsOk());
  ExpectEverythingReadable();
  EXPECT_EQ(Stored(vault_.data(), ProfileKey(ann_)), row);
  EXPECT_EQ(SuiteOfProfile(), before());
}

TEST_P(ChangeOfSuiteTest, AWriteTakesTheNewSuiteAndKeepsTheOtherFields) {
  ASSERT_THAT(vault_.ReopenInSuite(after()), IsOk());
  ASSERT_THAT(
      PutMasked(vault_, ann_, RecordOf("profile", {{"note", "new"}}), {"note"}),
      IsOk());
  EXPECT_EQ(SuiteOfProfile(), after());
  const std::string deks = Stored(vault_.keys(), DeksRowKey(vault_, ann_));
  EXPECT_EQ(deks.starts_with("\2\2"), after() == kAesSuite);
  const auto shown = Get(vault_, ann_, "profile", {"full_name", "note"});
  ASSERT_THAT(shown, IsOk());
  EXPECT_THAT(TextsOf(*shown),
              ElementsAre(Pair("full_name", "Ann Other"), Pair("note", "new")));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  ExpectEverythingReadable();
}

TEST_P(ChangeOfSuiteTest, MayBeTakenBack) {
  ASSERT_THAT(vault_.ReopenInSuite(after()), IsOk());
  ASSERT_THAT(Put(vault_, ann_, RecordOf("profile", {{"full_name", "Ann B"}})),
              IsOk());
  ASSERT_THAT(vault_.ReopenInSuite(before()), IsOk());
  ExpectEverythingReadable();
  EXPECT_EQ(SuiteOfProfile(), after());
  ASSERT_THAT(Put(vault_, ann_, RecordOf("profile", {{"full_name", "Ann C"}})),
              IsOk());
  EXPECT_EQ(SuiteOfProfile(), before());
  ExpectEverythingReadable();
}

TEST_P(ChangeOfSuiteTest, NewPeopleAreWrittenInTheNewSuite) {
  ASSERT_THAT(vault_.ReopenInSuite(after()), IsOk());
  const SubjectId bob = NewPerson(vault_, "bob@example.com");
  EXPECT_EQ(SuiteOfRow(Stored(vault_.data(), ProfileKey(bob))), after());
  EXPECT_EQ(SuiteOfRow(Stored(vault_.data(), FactsKey(kAcme, bob))), after());
  EXPECT_THAT(Find(vault_, "account.email", "bob@example.com"),
              IsOkAndHolds(ElementsAre(bob)));
  // Nobody takes an address that somebody has in the other suite.
  EXPECT_THAT(
      Create(vault_, RecordsOf(RecordOf("account", {{"email", kEmail}}))),
      HasReason(Reason::kAlreadyExists));
}

// An older row put back is the row of its suite again, and never opens under
// what was written since.
TEST_P(ChangeOfSuiteTest, ARowOfTheOldSuiteInANewPlaceIsRefused) {
  const std::string old = Stored(vault_.data(), ProfileKey(ann_));
  ASSERT_THAT(vault_.ReopenInSuite(after()), IsOk());
  const SubjectId bob = NewPerson(vault_, "bob@example.com");
  Overwrite(vault_.data(), ProfileKey(bob), old);
  EXPECT_THAT(Get(vault_, bob, "profile", {"full_name"}),
              HasReason(Reason::kIntegrityFailure));
}

class CheckSuitesTest : public ::testing::Test {
 protected:
  static absl::Status Check(Suite store, Suite tenant, crypto::AesSupport aes) {
    VaultFixture vault(OptionsOf(kFirstSuite, tenant));
    return Store::CheckSuites(store, aes, vault.Policy().access);
  }
};

TEST_F(CheckSuitesTest, RefusesTheAesSuiteWhereTheProcessorHasNoAes) {
  const auto missing = crypto::AesSupport::kMissing;
  EXPECT_THAT(Check(kFirstSuite, kFirstSuite, missing), IsOk());
  for (const auto& [store, tenant] :
       {std::pair(kFirstSuite, kAesSuite), std::pair(kAesSuite, kAesSuite),
        std::pair(kAesSuite, kFirstSuite)}) {
    EXPECT_THAT(Check(store, tenant, missing),
                StatusIs(absl::StatusCode::kFailedPrecondition));
  }
}

TEST_F(CheckSuitesTest, AnAesStoreTakesNoTenantOfTheFirstSuite) {
  const auto present = crypto::AesSupport::kPresent;
  EXPECT_THAT(Check(kFirstSuite, kFirstSuite, present), IsOk());
  EXPECT_THAT(Check(kFirstSuite, kAesSuite, present), IsOk());
  EXPECT_THAT(Check(kAesSuite, kAesSuite, present), IsOk());
  EXPECT_THAT(Check(kAesSuite, kFirstSuite, present),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

// The whole start on a processor without AES: refused, nothing changed.
TEST_F(CheckSuitesTest, AStoreIsNeitherMadeNorOpenedWithoutAes) {
  VaultFixture vault(OptionsOf(kAesSuite, kAesSuite));
  vault.Close();
  Store::Parts parts = vault.Parts();
  parts.aes = crypto::AesSupport::kMissing;
  auto anchor = storage::Anchor::Open(
      vault.anchor_file(), std::string(StoreKeys::IdOf(vault.keys())->bytes()),
      false);
  ASSERT_THAT(anchor, IsOk());
  EXPECT_THAT(
      Store::Open(parts, *std::move(anchor), vault.Policy(), vault.clock(), {}),
      StatusIs(absl::StatusCode::kFailedPrecondition));
  const auto keys = storage::NewMemoryEngine();
  const auto data = storage::NewMemoryEngine();
  const Store::Parts fresh{*keys,  *data,     vault.slots(),
                           "test", kAesSuite, crypto::AesSupport::kMissing};
  EXPECT_THAT(Store::Create(fresh),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(keys->Get(MetaKey()), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(vault.Reopen(), IsOk());
}

}  // namespace
}  // namespace hizo::vault
