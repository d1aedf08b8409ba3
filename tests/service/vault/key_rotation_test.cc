// Fresh keys for the whole tree: that nothing is lost and everything is wrapped
// anew, wherever it fails, and whoever comes in between.
#include "service/vault/key_rotation.h"

#include <map>
#include <string>
#include <thread>
#include <utility>

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
using test::FaultyEngine;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::RowsOf;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::Not;

constexpr char kAnns[] = "ann@example.com";
constexpr char kBobs[] = "bob@example.com";

std::map<std::string, std::string> ValuesOf(storage::Engine& engine,
                                            char space) {
  std::map<std::string, std::string> values;
  for (auto& row : RowsOf(engine, space)) values[row.key] = row.value;
  return values;
}

class KeyRotationTest : public ::testing::Test {
 protected:
  absl::StatusOr<KeyRotation> Begin(bool data_keys = false) {
    const Call call = FullCall(vault_, Action::kKeysRotate);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().key_rotations().Begin(attempt, call, data_keys);
    });
  }
  // How many seals it took.
  size_t RunAll() {
    size_t seals = 0;
    absl::StatusOr<bool> more = true;
    while (more.ok() && *more) {
      more = vault_.store().RotateKeys();
      EXPECT_THAT(more, IsOk());
      ++seals;
    }
    return seals;
  }
  void ExpectBothThere() {
    for (const auto& [subject, email] :
         {std::pair(ann_, kAnns), std::pair(bob_, kBobs)}) {
      EXPECT_THAT(Get(vault_, subject, "profile", {"full_name"}), IsOk());
      EXPECT_THAT(Find(vault_, "account.email", email),
                  IsOkAndHolds(ElementsAre(subject)));
    }
  }
  void ExpectNoneUnderWay() {
    EXPECT_EQ(vault_.store().key_rotations().Current()->has_value(), false);
    EXPECT_THAT(vault_.store().RotateKeys(), IsOkAndHolds(false));
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, kAnns);
  const SubjectId bob_ = NewPerson(vault_, kBobs);
};

TEST_F(KeyRotationTest, WrapsEverythingAnewAndLosesNothing) {
  std::map<char, std::map<std::string, std::string>> before;
  for (const char space :
       {base::kSpaceDeks, base::kSpaceLeafKey, base::kSpacePage}) {
    before[space] = ValuesOf(vault_.keys(), space);
  }
  const uint64_t epoch = vault_.store().store_keys().epoch();
  ASSERT_THAT(Begin(), IsOk());
  EXPECT_EQ(RunAll(), kBucketCount / 1024);
  EXPECT_EQ(vault_.store().store_keys().epoch(), epoch + kBucketCount / 1024);
  for (const auto& [space, rows] : before) {
    const auto after = ValuesOf(vault_.keys(), space);
    for (const auto& [key, value] : rows) {
      EXPECT_NE(after.at(key), value) << space;
    }
  }
  ExpectNoneUnderWay();
  ExpectBothThere();
  ASSERT_THAT(vault_.Reopen(), IsOk());
  ExpectBothThere();
  EXPECT_THAT(vault_.store().WaitingRenewals(), IsOkAndHolds(0));
}

TEST_F(KeyRotationTest, WithTheKeysOfValuesWritesThemAnew) {
  const auto records = ValuesOf(vault_.data(), base::kSpaceRecord);
  const auto entries = ValuesOf(vault_.keys(), base::kSpaceIndex);
  ASSERT_THAT(Begin(true), IsOk());
  RunAll();
  EXPECT_THAT(vault_.store().WaitingRenewals(), IsOkAndHolds(Gt(0U)));
  ASSERT_THAT(vault_.store().Renew(), IsOk());
  const auto written = ValuesOf(vault_.data(), base::kSpaceRecord);
  EXPECT_EQ(written.size(), records.size());
  for (const auto& [key, value] : records) EXPECT_NE(written.at(key), value);
  for (const auto& [key, value] : ValuesOf(vault_.keys(), base::kSpaceIndex)) {
    EXPECT_FALSE(entries.contains(key));
  }
  ExpectBothThere();
}

TEST_F(KeyRotationTest, GoesOnAfterARestart) {
  ASSERT_THAT(Begin(), IsOk());
  ASSERT_THAT(vault_.store().RotateKeys(), IsOkAndHolds(true));
  ASSERT_THAT(vault_.store().RotateKeys(), IsOkAndHolds(true));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  const auto current = vault_.store().key_rotations().Current();
  ASSERT_THAT(current, IsOk());
  ASSERT_TRUE(current->has_value());
  EXPECT_EQ((*current)->done, 2 * 1024);
  EXPECT_EQ(RunAll(), kBucketCount / 1024 - 2);
  ExpectNoneUnderWay();
  ExpectBothThere();
}

TEST_F(KeyRotationTest, BegunAgainIsTheSameUnlessMoreIsAsked) {
  const auto first = Begin();
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(vault_.store().RotateKeys(), IsOkAndHolds(true));
  vault_.clock().Advance(std::chrono::hours(1));
  EXPECT_EQ(Begin()->begun, first->begun);
  EXPECT_EQ(Begin()->done, 1024);
  const auto more = Begin(true);
  ASSERT_THAT(more, IsOk());
  EXPECT_EQ(more->done, 0);
  EXPECT_NE(more->begun, first->begun);
  EXPECT_EQ(Begin(false)->begun, more->begun);
  EXPECT_EQ(RunAll(), kBucketCount / 1024);
}

TEST_F(KeyRotationTest, EveryFailingCommitIsGoneOverByTheNextTry) {
  for (const bool of_keys : {true, false}) {
    for (const auto when : {FaultyEngine::When::kBeforeApplied,
                            FaultyEngine::When::kAfterApplied}) {
      SCOPED_TRACE(of_keys);
      ASSERT_THAT(Begin(), IsOk());
      FaultyEngine& engine = of_keys ? vault_.keys() : vault_.data();
      engine.FailCommit(1, when, absl::UnknownError("sync"));
      EXPECT_THAT(vault_.store().RotateKeys(), Not(IsOk()));
      ASSERT_THAT(vault_.Reopen(), IsOk());
      ExpectBothThere();
      RunAll();
      ExpectNoneUnderWay();
      ExpectBothThere();
    }
  }
}

// Behind dispatch, whoever lost a race to a seal is run again.
template <typename Call>
auto Repeated(Call call) {
  auto result = call();
  while (base::ReasonOf(result.status()) == Reason::kConflict) result = call();
  return result;
}

TEST_F(KeyRotationTest, WritesReadsAndErasuresGoOnMeanwhile) {
  ASSERT_THAT(Begin(true), IsOk());
  std::jthread rotating([&] { RunAll(); });
  for (int i = 0; i < 50; ++i) {
    const std::string email = "new" + std::to_string(i) + "@example.com";
    const auto created = Repeated([&] {
      return Create(vault_, RecordsOf(RecordOf("account", {{"email", email}})));
    });
    ASSERT_THAT(created, IsOk());
    const SubjectId person = created->subject;
    EXPECT_THAT(
        Repeated([&] { return Get(vault_, person, "account", {"email"}); }),
        IsOk());
    if (i % 5 > 0) continue;
    ASSERT_THAT(Repeated([&] { return Erase(vault_, person); }), IsOk());
    ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
    const auto check = Repeated([&] { return VerifyErasure(vault_, person); });
    ASSERT_THAT(check, IsOk());
    EXPECT_TRUE(check->erased());
  }
  rotating.join();
  ExpectNoneUnderWay();
  ASSERT_THAT(vault_.store().Renew(), IsOk());
  ExpectBothThere();
}

TEST_F(KeyRotationTest, OnlyWhoMayBeginsOne) {
  const Call call =
      vault_.CallOf(test::kClerk, Action::kKeysRotate, test::kBilling);
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().key_rotations().Begin(
                               attempt, call, false);
                         }),
              HasReason(Reason::kCallerNotEntitled));
  ExpectNoneUnderWay();
}

TEST(KeyRotationRowTest, IsReadAsWrittenAndNothingElseIs) {
  const KeyRotation rotation{base::FromMicros(17), 1024, true};
  const std::string row = EncodeRotation(rotation);
  const auto read = DecodeRotation(row);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->begun, rotation.begun);
  EXPECT_EQ(read->done, rotation.done);
  EXPECT_TRUE(read->data_keys);
  for (const std::string& bad :
       {std::string(), row.substr(1), row + '\0', row.substr(0, row.size() - 1),
        EncodeRotation({base::Timestamp(), kBucketCount, false})}) {
    EXPECT_THAT(DecodeRotation(bad),
                test::StatusIs(absl::StatusCode::kDataLoss));
  }
}

}  // namespace
}  // namespace hizo::vault
