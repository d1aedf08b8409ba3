#include "service/vault/audit_keys.h"

#include <string>
#include <utility>

#include "crypto/aead.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/policy/retention.h"
#include "service/vault/erasure_record.h"
#include "service/vault/peer_pseudonym.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::AuditReference;
using base::SubjectId;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::Not;
using ::testing::Optional;

const AuditReference kReference =
    *AuditReference::FromBytes("abcdefghijklmnop");
const AuditReference kOtherReference =
    *AuditReference::FromBytes("abcdefghijklmnoq");
const SubjectId kSubject = *SubjectId::FromBytes("0123456789abcdef");

base::Timestamp At(const std::string& day) {
  return base::Timestamp(policy::DayFromText(day).value());
}

TEST(AuditMonthTest, CountsMonthsOfTheCalendar) {
  EXPECT_EQ(AuditMonthOf(At("1970-01-01")), 0);
  EXPECT_EQ(AuditMonthOf(At("1970-12-31")), 11);
  EXPECT_EQ(AuditMonthOf(At("2024-02-29")), 54 * 12 + 1);
  EXPECT_EQ(AuditMonthOf(At("2024-03-01")), 54 * 12 + 2);
  EXPECT_EQ(AuditMonthOf(At("2024-03-01") - std::chrono::microseconds(1)),
            54 * 12 + 1);
}

TEST(AuditMonthTest, TimesBeforeItsBeginningAreOfTheFirst) {
  EXPECT_EQ(AuditMonthOf(At("1960-07-01")), 0);
}

TEST(AuditMonthTest, BeginsWhereItsFirstMomentIs) {
  for (AuditMonth month = 0; month < 1300; ++month) {
    EXPECT_EQ(AuditMonthOf(BeginOf(month)), month);
    EXPECT_EQ(AuditMonthOf(BeginOf(month + 1) - std::chrono::microseconds(1)),
              month);
  }
}

class AuditKeysTest : public ::testing::Test {
 protected:
  const StoreKeys& keys() { return vault_.store().store_keys(); }
  MonthKey Make(base::TenantId tenant, AuditMonth month) {
    auto attempt = vault_.NewAttempt(FullCall(vault_, Action::kSubjectCreate));
    auto key = KeyOfMonth(keys(), *attempt, tenant, month);
    EXPECT_THAT(key, IsOk());
    EXPECT_THAT(vault_.Commit(std::move(attempt)).status, IsOk());
    return *std::move(key);
  }
  VaultFixture vault_;
};

TEST_F(AuditKeysTest, AMonthHasOneKey) {
  const MonthKey one = Make(kAcme, 600);
  const MonthKey again = Make(kAcme, 600);
  const std::string sealed = SealWayBack(one, kReference, kSubject);
  EXPECT_EQ(MonthOfWayBack(sealed), 600U);
  EXPECT_EQ(sealed.find(kSubject.bytes()), std::string::npos);
  EXPECT_THAT(OpenWayBack(keys(), kAcme, kReference, sealed),
              IsOkAndHolds(kSubject));
  EXPECT_THAT(OpenWayBack(keys(), kAcme, kReference,
                          SealWayBack(again, kReference, kSubject)),
              IsOkAndHolds(kSubject));
}

TEST_F(AuditKeysTest, AWayBackOpensOnlyWhereItWasSealed) {
  const MonthKey month = Make(kAcme, 600);
  Make(kAcme, 601);
  Make(kGlobex, 600);
  std::string sealed = SealWayBack(month, kReference, kSubject);
  EXPECT_THAT(OpenWayBack(keys(), kAcme, kOtherReference, sealed), Not(IsOk()));
  EXPECT_THAT(OpenWayBack(keys(), kGlobex, kReference, sealed), Not(IsOk()));
  EXPECT_THAT(OpenWayBack(keys(), kAcme, kReference,
                          sealed.substr(0, sealed.size() - 1)),
              Not(IsOk()));
  EXPECT_THAT(OpenWayBack(keys(), kAcme, kReference, ""), Not(IsOk()));
  ++sealed[3];  // the next month
  EXPECT_THAT(OpenWayBack(keys(), kAcme, kReference, sealed), Not(IsOk()));
  ++sealed[3];  // one without a key
  EXPECT_THAT(OpenWayBack(keys(), kAcme, kReference, sealed),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(AuditKeysTest, OpensWhatAnEarlierVersionSealed) {
  const std::string sealed = crypto::Seal(
      crypto::DeriveKey(keys().TenantKey(kAcme), "hizo/wayback/v1", {}),
      WayBackKey(kReference), kSubject.bytes());
  EXPECT_EQ(MonthOfWayBack(sealed), std::nullopt);
  EXPECT_THAT(OpenWayBack(keys(), kAcme, kReference, sealed),
              IsOkAndHolds(kSubject));
}

TEST_F(AuditKeysTest, AReferenceIsSealedForItsPersonAndMonth) {
  const MonthKey month = Make(kAcme, 600);
  Make(kAcme, 601);
  const std::string sealed = SealReference(month, kAcme, kSubject, kReference);
  EXPECT_THAT(OpenReference(keys(), kAcme, kSubject, 600, sealed),
              IsOkAndHolds(Optional(kReference)));
  EXPECT_THAT(OpenReference(keys(), kAcme, kSubject, 601, sealed), Not(IsOk()));
  EXPECT_THAT(OpenReference(keys(), kAcme, SubjectId(), 600, sealed),
              Not(IsOk()));
  EXPECT_THAT(OpenReference(keys(), kAcme, kSubject, 602, sealed),
              IsOkAndHolds(std::nullopt));
}

TEST_F(AuditKeysTest, AnErasuresRecordHidesItsReference) {
  const MonthKey month = Make(kAcme, 600);
  ErasureRecord record;
  record.audit_reference = kReference;
  HideReference(month, kAcme, kSubject, record);
  const std::string row = SealErasureRecord(keys(), kAcme, kSubject, record);
  const auto opened = OpenErasureRecord(keys(), kAcme, kSubject, row);
  ASSERT_THAT(opened, IsOk());
  EXPECT_THAT(opened->Reference(), Optional(kReference));
  // What the tenant's key alone opens does not have it.
  const auto inside = crypto::Open(
      crypto::DeriveKey(keys().TenantKey(kAcme), "hizo/erasure/v1", {}),
      ErasureKey(kAcme, kSubject), row);
  ASSERT_THAT(inside, IsOk());
  EXPECT_EQ(inside->find(kReference.bytes()), std::string::npos);
}

TEST_F(AuditKeysTest, AnErasuresRecordKeepsTheYearsOfWhatIsKept) {
  ErasureRecord record;
  record.audit_reference = kReference;
  record.kept.push_back({4, policy::DayFromText("2034-05-31"), {}, {}});
  record.kept.back().years.push_back(
      {*policy::DayFromText("2027-03-31"), *policy::DayFromText("2037-05-31")});
  std::string row = SealErasureRecord(keys(), kAcme, kSubject, record);
  auto opened = OpenErasureRecord(keys(), kAcme, kSubject, row);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->kept[0].years, record.kept[0].years);
  EXPECT_EQ(opened->kept[0].until, policy::DayFromText("2034-05-31"));
  // One of an earlier version has none.
  const auto key =
      crypto::DeriveKey(keys().TenantKey(kAcme), "hizo/erasure/v1", {});
  auto inside = crypto::Open(key, ErasureKey(kAcme, kSubject), row);
  ASSERT_THAT(inside, IsOk());
  constexpr size_t kYearsSize = 2 + 2 * sizeof(uint32_t) + 2;
  inside->resize(inside->size() - kYearsSize);
  inside->front() = 4;
  row = crypto::Seal(key, ErasureKey(kAcme, kSubject), *inside);
  opened = OpenErasureRecord(keys(), kAcme, kSubject, row);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->kept[0].until, policy::DayFromText("2034-05-31"));
  EXPECT_TRUE(opened->kept[0].years.empty());
  // And half of one is none.
  inside->front() = 5;
  row = crypto::Seal(key, ErasureKey(kAcme, kSubject), *inside);
  EXPECT_THAT(OpenErasureRecord(keys(), kAcme, kSubject, row), Not(IsOk()));
}

TEST_F(AuditKeysTest, AddressesAreNamedByTheMonth) {
  const base::Timestamp now = vault_.clock().Now();
  const base::Timestamp next = BeginOf(AuditMonthOf(now) + 1);
  const std::string one = PeerPseudonym(keys(), "192.0.2.1", now);
  EXPECT_EQ(one,
            PeerPseudonym(keys(), "192.0.2.1", BeginOf(AuditMonthOf(now))));
  EXPECT_NE(one, PeerPseudonym(keys(), "192.0.2.2", now));
  EXPECT_NE(one, PeerPseudonym(keys(), "192.0.2.1", next));
  EXPECT_NE(PeerPseudonym(keys(), "192.0.2.1", next), kPeerUnnamed);
  EXPECT_EQ(PeerPseudonym(keys(), "192.0.2.1", BeginOf(AuditMonthOf(now) + 2)),
            kPeerUnnamed);
}

}  // namespace
}  // namespace hizo::vault
